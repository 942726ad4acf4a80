"""Commands for the baseline (resnet), the studies (ablation, compare, transfer) and the figures."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from safetensors.torch import load_file
from torch import nn

from cxrkit.card import WEIGHTS
from cxrkit.tasks.bone_age import BONE_AGE
from train.bone_age.baseline import compare_plain
from train.bone_age.figures import draw_maps, error_by_age, sex_weights, simulated_views
from train.bone_age.fit import BEST, Settings
from train.bone_age.images import Material, read_material
from train.bone_age.laboratory import Laboratory
from train.bone_age.measure import LARGE, SMALL
from train.bone_age.networks import build
from train.bone_age.study import (
    WHOLE,
    WITHOUT_CBAM,
    WITHOUT_SEX,
    Scale,
    Study,
    ablation,
    comparison,
    scale_of,
    transfer,
)
from train.stages import read_stages
from train.studies import Budget
from train.trainer import FitSettings

commands = typer.Typer()

_STUDY = Path("runs/bone_age_study")
_SHOWN = 6
"""Hands of the data set on the picture of maps."""

Data = Annotated[Path, typer.Option(help="Data set to learn from: folder or table.")]
Out = Annotated[Path, typer.Option(help="Folder that holds a folder of weights for each task.")]
Cache = Annotated[Path | None, typer.Option(help="Folder for prepared images; RUN/cache if not given.")]
StudyRun = Annotated[Path, typer.Option(help="Folder for cells and tables; studies in one folder share cells.")]
Size = Annotated[Budget, typer.Option("--budget", help="The source's settings, or what two cores can do.")]
Repeats = Annotated[
    int | None, typer.Option(help="Trainings of each cell with other seeds; the budget's if not given.")
]
OnCard = Annotated[bool, typer.Option("--card", help="Put the finished table on the card of the shipped weights.")]
Precision = Annotated[str, typer.Option(help="Lightning's, such as bf16-mixed; auto: what the device is quick at.")]


@commands.command()
def resnet(
    data: Data,
    out: Out = WEIGHTS,
    run: Annotated[Path, typer.Option(help="Folder of this run.")] = Path("runs/bone_age_resnet18"),
    cache: Cache = None,
    stages: Annotated[str, typer.Option(help="SIZE:EPOCHS:IMAGES of each, separated by commas.")] = "",
    early_epochs: Annotated[int, typer.Option(help="First epochs on reduced images.")] = Settings.early_epochs,
    seed: int = Settings.seed,
    pretrained: Annotated[bool, typer.Option(help="Start from timm's ImageNet weights (downloads them).")] = False,
    accelerator: str = "auto",
    precision: Precision = "auto",
) -> None:
    """A plain ResNet-18 with the data, preparation, schedule and heads of TJ-Net, beside it on the card."""
    settings = Settings(seed=seed, early_epochs=early_epochs)
    if stages:
        settings = replace(settings, stages=read_stages(stages))
    settings = replace(settings, network=replace(settings.network, pretrained=pretrained))
    material = read_material(data, BONE_AGE, cache or run / "cache", seed, 2)
    how = FitSettings(accelerator=accelerator, precision=precision)
    for row in compare_plain(material, settings, how, run, out):
        typer.echo("; ".join(f"{name}: {value}" for name, value in row.items()))


@commands.command("ablation")
def ablate(
    data: Data,
    run: StudyRun = _STUDY,
    cache: Cache = None,
    budget: Size = Budget.FULL,
    repeats: Repeats = None,
    card: OnCard = False,
    accelerator: str = "auto",
    precision: Precision = "auto",
) -> None:
    """Without shortcuts, without CBAM, without the sex loss."""
    _conduct(
        ablation, data, run, cache, budget, repeats, FitSettings(accelerator=accelerator, precision=precision), card
    )


@commands.command()
def compare(
    data: Data,
    run: StudyRun = _STUDY,
    cache: Cache = None,
    budget: Size = Budget.FULL,
    repeats: Repeats = None,
    card: OnCard = False,
    accelerator: str = "auto",
    precision: Precision = "auto",
) -> None:
    """VGG-16, ResNet-50, Inception-v4 and ResNet-18 under the same heads."""
    how = FitSettings(accelerator=accelerator, precision=precision)
    _conduct(comparison, data, run, cache, budget, repeats, how, card)


@commands.command("transfer")
def transfer_blocks(
    data: Data,
    run: StudyRun = _STUDY,
    cache: Cache = None,
    budget: Size = Budget.FULL,
    repeats: Repeats = None,
    card: OnCard = False,
    accelerator: str = "auto",
    precision: Precision = "auto",
) -> None:
    """From the 100-pixel images to the larger ones, with blocks 1 to n frozen."""
    _conduct(
        transfer, data, run, cache, budget, repeats, FitSettings(accelerator=accelerator, precision=precision), card
    )


@commands.command()
def figures(
    data: Data,
    run: StudyRun = _STUDY,
    cache: Cache = None,
    budget: Size = Budget.FULL,
    accelerator: str = "auto",
    precision: Precision = "auto",
) -> None:
    """Maps with and without CBAM, error by age with and without the sex loss, weights of the given sex: RUN/figures.

    Networks are those of the study `ablation` in the same folder; what is missing is trained.
    """
    material = read_material(data, BONE_AGE, cache or run / "cache", 0, 2)
    scale = scale_of(budget, len(material.parts.training))
    laboratory = Laboratory(material, run, FitSettings(accelerator=accelerator, precision=precision))
    draw_figures(laboratory, scale, run / "figures")


def draw_figures(laboratory: Laboratory, scale: Scale, folder: Path) -> None:
    """Write the figures of a study `ablation`, whose missing cells are trained.

    Args:
        laboratory: with the data and the folder of the cells.
        scale: of the study.
        folder: for the figures.
    """
    material = laboratory.material
    cells = {cell.name: cell for cell in ablation(scale).cells}
    stored = {name: laboratory.measured(cells[name]) for name in (WHOLE, WITHOUT_CBAM, WITHOUT_SEX)}
    size = scale.settings.image_size

    def network(name: str) -> nn.Module:
        settings = replace(cells[name].settings, seed=0)
        model = build(settings.network)
        model.load_state_dict(load_file(laboratory.folder(settings) / BEST))
        return model.eval()

    models = {"with CBAM": network(WHOLE), "without CBAM": network(WITHOUT_CBAM)}
    draw_maps(models, simulated_views(material.task, size), material.task, folder / "maps_simulated_hands.png")
    draw_maps(models, _own_views(material, size), material.task, folder / "maps_of_the_data_set.png")
    for part, stem in ((SMALL, "error_by_age_small_images"), (LARGE, "error_by_age_larger_images")):
        both = {name: stored[name]["errors"].get(part) for name in (WHOLE, WITHOUT_SEX)}
        if all(both.values()):
            by_name = {name: (np.array(one["months"]), np.array(one["expectation"])) for name, one in both.items()}
            error_by_age(by_name, folder / stem)
    sex_weights(models["with CBAM"], folder / "weights_of_the_given_sex")


def _own_views(material: Material, size: int) -> list[tuple["np.ndarray[tuple[int, ...], np.dtype[np.float32]]", int]]:
    """Some hands that report, of ages spread evenly."""
    shown = material.large(material.parts.reporting, size)
    if not shown.hands:
        shown = material.small(material.parts.reporting, size)
    order = np.argsort(shown.months, kind="stable")
    chosen = order[np.linspace(0, len(order) - 1, min(_SHOWN, len(order))).astype(int)]
    return [
        (shown.views(place, place + 1)[0].astype(np.float32) / 255, int(shown.sex[place])) for place in chosen.tolist()
    ]


def _conduct(
    study_of: Callable[[Scale], Study],
    data: Path,
    run: Path,
    cache: Path | None,
    budget: Budget,
    repeats: int | None,
    how: FitSettings,
    card: bool,
) -> None:
    material = read_material(data, BONE_AGE, cache or run / "cache", 0, 2)
    scale = scale_of(budget, len(material.parts.training))
    laboratory = Laboratory(material, run, how)
    for row in laboratory.conduct(study_of(scale), budget, repeats or scale.repeats, card=card):
        typer.echo("; ".join(f"{name}: {value}" for name, value in row.items()))
