"""Commands for what comes before training (pretrain, moco) and for the studies (compare, ablation, lambdas, starts)."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from cxrkit.errors import InputError
from train.followup.laboratory import Laboratory
from train.followup.moco import MocoSettings, contrast, read_radiographs
from train.followup.pretrain import PretrainSettings, pretrain, read_singles
from train.followup.study import Scale, Study, ablation, comparison, loss_weights, scale_of, starts
from train.studies import Budget
from train.trainer import FitSettings

commands = typer.Typer()

_SUPERVISED, _MOCO = PretrainSettings(), MocoSettings()
_STUDY = Path("runs/followup_study")

Data = Annotated[list[Path], typer.Option(help="Data set to learn from; may be given several times.")]
Run = Annotated[Path, typer.Option(help="Folder for checkpoints and results.")]
StudyRun = Annotated[Path, typer.Option(help="Folder for cells and tables; studies in one folder share cells.")]
Cache = Annotated[Path | None, typer.Option(help="Folder for prepared images; RUN/cache if not given.")]
Size = Annotated[Budget, typer.Option("--budget", help="The source's settings, or what two cores can do.")]
Repeats = Annotated[
    int | None, typer.Option(help="Trainings of each cell with other seeds; the budget's if not given.")
]
OnCard = Annotated[bool, typer.Option("--card", help="Put the finished table on the card of the shipped weights.")]


@commands.command("pretrain")
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
    seed: int = _SUPERVISED.seed,
    accelerator: str = "auto",
    precision: str = "auto",
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
        seed=seed,
    )
    singles = read_singles(tuberculosis, nih, cache or run / "cache", prepared, seed)
    typer.echo(pretrain(singles, settings, FitSettings(accelerator=accelerator, precision=precision), run))


@commands.command("moco")
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
    accelerator: str = "auto",
    precision: str = "auto",
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
    views = read_radiographs(data, size, cache or run / "cache", seed)
    typer.echo(contrast(views, settings, FitSettings(accelerator=accelerator, precision=precision), run))


@commands.command()
def compare(
    data: Data,
    run: StudyRun = _STUDY,
    cache: Cache = None,
    budget: Size = Budget.FULL,
    repeats: Repeats = None,
    card: OnCard = False,
    accelerator: str = "auto",
    precision: str = "auto",
) -> None:
    """The comparison set of encoders in the same classifier, tested against CMT-Ti with AMM and disease head."""
    _conduct(
        comparison, data, run, cache, budget, repeats, FitSettings(accelerator=accelerator, precision=precision), card
    )


@commands.command("ablation")
def ablate(
    data: Data,
    run: StudyRun = _STUDY,
    cache: Cache = None,
    budget: Size = Budget.FULL,
    repeats: Repeats = None,
    card: OnCard = False,
    accelerator: str = "auto",
    precision: str = "auto",
) -> None:
    """CMT-Ti alone, with disease head, with AMM, with both, and with the ACM."""
    _conduct(
        ablation, data, run, cache, budget, repeats, FitSettings(accelerator=accelerator, precision=precision), card
    )


@commands.command()
def lambdas(
    data: Data,
    run: StudyRun = _STUDY,
    cache: Cache = None,
    budget: Size = Budget.FULL,
    repeats: Repeats = None,
    card: OnCard = False,
    accelerator: str = "auto",
    precision: str = "auto",
) -> None:
    """A grid of the weights of the disease loss and the matching loss."""
    how = FitSettings(accelerator=accelerator, precision=precision)
    _conduct(loss_weights, data, run, cache, budget, repeats, how, card)


@commands.command("starts")
def compare_starts(
    data: Data,
    supervised: Annotated[Path, typer.Option(help="safetensors file of pretrain.")],
    run: StudyRun = _STUDY,
    cache: Cache = None,
    budget: Size = Budget.FULL,
    repeats: Repeats = None,
    card: OnCard = False,
    accelerator: str = "auto",
    precision: str = "auto",
) -> None:
    """From scratch, supervised start, MoCo v2; the same training after each."""
    how = FitSettings(accelerator=accelerator, precision=precision)
    _conduct(lambda scale: starts(scale, supervised), data, run, cache, budget, repeats, how, card)


def _conduct(
    study_of: Callable[[Scale], Study],
    data: list[Path],
    run: Path,
    cache: Path | None,
    budget: Budget,
    repeats: int | None,
    how: FitSettings,
    card: bool,
) -> None:
    scale = scale_of(budget)
    study = study_of(scale)
    laboratory = Laboratory(data, scale, run, cache or run / "cache", how)
    for row in laboratory.conduct(study, budget, repeats or scale.repeats, card=card):
        typer.echo("; ".join(f"{name}: {value}" for name, value in row.items()))


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
