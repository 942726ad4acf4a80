"""Commands for the baseline (resnet), the studies (ablation, compare, transfer) and the figures."""

from collections.abc import Callable
from dataclasses import dataclass, replace
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
from train.bone_age.fit import Settings
from train.bone_age.images import Material, read_material
from train.bone_age.laboratory import Laboratory
from train.bone_age.measure import LARGE, SMALL
from train.bone_age.networks import build
from train.bone_age.study import WHOLE, WITHOUT_CBAM, WITHOUT_SEX, Cell, Scale, ablation, comparison, scale_of, transfer
from train.options import Cache, Device, Out, Pretrained, Size, Stages, StudyOptions, StudyRun, grouped, show
from train.stages import read_stages
from train.stored import BEST
from train.studies import Budget, Study

commands = typer.Typer()

_STUDY = Path("runs/bone_age_study")
_SHOWN = 6
"""Hands of the data set on the picture of maps."""

Data = Annotated[Path, typer.Option(help="Data set to learn from: folder or table.")]


@dataclass(frozen=True)
class HandStudy(StudyOptions):
    """With bone age's own folder."""

    run: StudyRun = _STUDY


@commands.command()
@grouped
def resnet(
    data: Data,
    out: Out = WEIGHTS,
    run: Annotated[Path, typer.Option(help="Folder of this run.")] = Path("runs/bone_age_resnet18"),
    cache: Cache = None,
    stages: Stages = "",
    early_epochs: Annotated[int, typer.Option(help="First epochs on reduced images.")] = Settings.early_epochs,
    batch: int = Settings.batch,
    learning_rate: float = Settings.learning_rate,
    workers: Annotated[int, typer.Option(help="Processes that change pictures.")] = Settings.workers,
    seed: int = Settings.seed,
    pretrained: Pretrained = False,
    *,
    device: Device,
) -> None:
    """A plain ResNet-18 with the data, preparation, schedule and heads of TJ-Net, beside it on the card."""
    settings = Settings(seed=seed, early_epochs=early_epochs, batch=batch, learning_rate=learning_rate, workers=workers)
    if stages:
        settings = replace(settings, stages=read_stages(stages))
    settings = replace(settings, network=replace(settings.network, pretrained=pretrained))
    material = read_material(data, BONE_AGE, cache or run / "cache", workers=2)
    show(compare_plain(material, settings, device.settings(), run, out))


def _add(name: str, study_of: Callable[[Scale], Study[Cell]], told: str) -> None:
    """Add the command of a study."""

    @commands.command(name, help=told)
    @grouped
    def conduct(data: Data, options: HandStudy, device: Device) -> None:
        laboratory, scale = _laboratory(data, options.run, options.cache, options.budget, device)
        options.conduct(laboratory, study_of(scale), scale.repeats)


_add("ablation", ablation, "Without shortcuts, without CBAM, without the sex loss.")


@commands.command("compare")
@grouped
def compare_networks(data: Data, *, pretrained: Pretrained = False, options: HandStudy, device: Device) -> None:
    """VGG-16, ResNet-50, Inception-v4 and ResNet-18 under the same heads."""
    laboratory, scale = _laboratory(data, options.run, options.cache, options.budget, device)
    options.conduct(laboratory, comparison(scale, pretrained=pretrained), scale.repeats)


_add("transfer", transfer, "From the 100-pixel images to the larger ones, with blocks 1 to n frozen.")


@commands.command()
@grouped
def figures(
    data: Data, run: StudyRun = _STUDY, cache: Cache = None, budget: Size = Budget.FULL, *, device: Device
) -> None:
    """Maps with and without CBAM, error by age with and without the sex loss, weights of the given sex: RUN/figures.

    Networks are those of the study `ablation` in the same folder; what is missing is trained.
    """
    laboratory, scale = _laboratory(data, run, cache, budget, device)
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


def _laboratory(data: Path, run: Path, cache: Path | None, budget: Budget, device: Device) -> tuple[Laboratory, Scale]:
    material = read_material(data, BONE_AGE, cache or run / "cache", workers=2)
    return Laboratory(material, run, device.settings()), scale_of(budget, len(material.parts.training))
