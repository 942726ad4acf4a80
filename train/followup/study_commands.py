"""Commands for what comes before training (pretrain, moco) and for the studies (compare, ablation, lambdas, starts)."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from cxrkit.errors import InputError
from train.followup.laboratory import Laboratory
from train.followup.moco import MocoSettings, contrast, read_radiographs
from train.followup.pretrain import PretrainSettings, pretrain, read_singles
from train.followup.study import Cell, Scale, ablation, comparison, loss_weights, scale_of, starts
from train.options import Cache, Device, Pretrained, StudyOptions, StudyRun, grouped
from train.studies import Study

commands = typer.Typer()

_SUPERVISED, _MOCO = PretrainSettings(), MocoSettings()

Data = Annotated[list[Path], typer.Option(help="Data set to learn from; may be given several times.")]
Run = Annotated[Path, typer.Option(help="Folder for checkpoints and results.")]


@dataclass(frozen=True)
class PairStudy(StudyOptions):
    """With follow-up comparison's own folder."""

    run: StudyRun = Path("runs/followup_study")


@commands.command("pretrain")
@grouped
def supervised_start(
    tuberculosis: Annotated[Path, typer.Option(help="Folder with tuberculosis and normal chests.")],
    nih: Annotated[Path, typer.Option(help="Folder with labels.csv of findings, as ChestX-ray14 names them.")],
    run: Run = Path("runs/followup/pretrain"),
    cache: Cache = None,
    prepared: Annotated[int, typer.Option(help="Side of the prepared views in pixels.")] = 256,
    encoder: str = _SUPERVISED.encoder,
    sizes: Annotated[str, typer.Option(help="SIZE:EPOCHS of each stage, separated by commas.")] = "",
    images_per_epoch: int = _SUPERVISED.images_per_epoch,
    abnormal: Annotated[float, typer.Option(help="Share of the draws that are abnormal.")] = _SUPERVISED.abnormal,
    lesions: Annotated[float, typer.Option(help="Share of normal draws that get lesions.")] = _SUPERVISED.lesions,
    batch: int = _SUPERVISED.batch,
    learning_rate: float = _SUPERVISED.learning_rate,
    workers: Annotated[int, typer.Option(help="Processes that augment.")] = _SUPERVISED.workers,
    seed: int = _SUPERVISED.seed,
    *,
    device: Device,
) -> None:
    """Train the encoder on labelled single radiographs; `weights --init` can start from the result."""
    settings = PretrainSettings(
        encoder=encoder,
        sizes=read_sizes(sizes) if sizes else _SUPERVISED.sizes,
        images_per_epoch=images_per_epoch,
        abnormal=abnormal,
        lesions=lesions,
        batch=batch,
        learning_rate=learning_rate,
        workers=workers,
        seed=seed,
    )
    singles = read_singles(tuberculosis, nih, cache or run / "cache", prepared)
    typer.echo(pretrain(singles, settings, device.settings(), run))


@commands.command("moco")
@grouped
def contrastive_start(
    data: Annotated[
        list[Path], typer.Option(help="Any folder of frontal chest radiographs, or a data set with table.")
    ],
    run: Run = Path("runs/followup/moco"),
    cache: Cache = None,
    encoder: str = _MOCO.encoder,
    size: Annotated[int, typer.Option(help="Side of the views in pixels, a multiple of 32.")] = _MOCO.size,
    queue: int = _MOCO.queue,
    momentum: float = _MOCO.momentum,
    temperature: float = _MOCO.temperature,
    epochs: int = _MOCO.epochs,
    batch: int = _MOCO.batch,
    parts: Annotated[int, typer.Option(help="Parts in which a batch goes through batch norm.")] = _MOCO.parts,
    optimiser: Annotated[str, typer.Option(help="sgd, or adamw for transformers.")] = _MOCO.optimiser,
    learning_rate: float = _MOCO.learning_rate,
    weight_decay: float = _MOCO.weight_decay,
    workers: Annotated[int, typer.Option(help="Processes that make views.")] = _MOCO.workers,
    seed: int = _MOCO.seed,
    *,
    device: Device,
) -> None:
    """MoCo v2 on radiographs without labels; `weights --init` can start from the result."""
    settings = MocoSettings(
        encoder=encoder,
        size=size,
        queue=queue,
        momentum=momentum,
        temperature=temperature,
        epochs=epochs,
        batch=batch,
        parts=parts,
        optimiser=optimiser,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        workers=workers,
        seed=seed,
    )
    settings.check()
    views = read_radiographs(data, size, cache or run / "cache")
    typer.echo(contrast(views, settings, device.settings(), run))


def _add(name: str, study_of: Callable[[Scale], Study[Cell]], told: str) -> None:
    """Add the command of a study that needs nothing but data."""

    @commands.command(name, help=told)
    @grouped
    def conduct(data: Data, options: PairStudy, device: Device) -> None:
        _conduct(study_of, data, options, device)


@commands.command("compare")
@grouped
def compare_encoders(data: Data, *, pretrained: Pretrained = False, options: PairStudy, device: Device) -> None:
    """The comparison set of encoders in the same classifier, tested against CMT-Ti with AMM and disease head."""
    _conduct(lambda scale: comparison(scale, pretrained=pretrained), data, options, device)


_add("ablation", ablation, "CMT-Ti alone, with disease head, with AMM, with both, and with the ACM.")
_add("lambdas", loss_weights, "A grid of the weights of the disease loss and the matching loss.")


@commands.command("starts")
@grouped
def compare_starts(
    data: Data,
    supervised: Annotated[Path, typer.Option(help="safetensors file of pretrain.")],
    options: PairStudy,
    device: Device,
) -> None:
    """From scratch, supervised start, MoCo v2; the same training after each."""
    _conduct(lambda scale: starts(scale, supervised), data, options, device)


def _conduct(study_of: Callable[[Scale], Study[Cell]], data: list[Path], options: PairStudy, device: Device) -> None:
    scale = scale_of(options.budget)
    study = study_of(scale)
    laboratory = Laboratory(data, scale, options.run, options.cache or options.run / "cache", device.settings())
    options.conduct(laboratory, study, scale.repeats)


def read_sizes(text: str) -> tuple[tuple[int, int], ...]:
    """ "128:12,192:3" -> ((128, 12), (192, 3)).

    Raises:
        InputError: anything else.
    """
    try:
        stages = [tuple(int(number) for number in stage.split(":")) for stage in text.split(",")]
        return tuple((size, epochs) for size, epochs in stages)
    except ValueError as error:
        raise InputError(f"The sizes are “{text}”; write SIZE:EPOCHS, such as 128:12,192:3.") from error
