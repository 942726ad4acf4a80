"""Train the type of lung scans (methods section 4). Every scan is simulated: there is no public set.

python -m train.vq weights       trains what the app loads and measures it
python -m train.vq measure       measures it again: card
python -m train.vq compare       the source's table: four networks with its numbers of scans
python -m train.vq shortcuts     what a network rests on: necks emptied, shortcuts mixed, other outlines
python -m train.vq groups        class-mean maps, their difference, t-test at each pixel: figures, and the page's tab

Training goes on where a killed run stopped.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from cxrkit.card import WEIGHTS
from cxrkit.errors import InputError
from train.options import Cache, Device, Init, Out, Pretrained, StudyOptions, StudyRun, grouped
from train.studies import Study
from train.vq.card import SHIPPED, make_weights, measure_again
from train.vq.fit import Settings
from train.vq.groups import write_figures
from train.vq.laboratory import Laboratory
from train.vq.study import Cell, Scale, published, scale_of, shortcuts

app = typer.Typer(add_completion=False, no_args_is_help=True)

_RUN, _STUDY = Path("runs/vq"), Path("runs/vq_study")


@dataclass(frozen=True)
class ScanStudy(StudyOptions):
    """With the task's own folder."""

    run: StudyRun = _STUDY


@app.callback()
def main() -> None:
    """Train and study the type of lung scans."""


@app.command()
@grouped
def weights(
    out: Out = WEIGHTS,
    run: Annotated[Path, typer.Option(help="Folder for checkpoints, progress.csv and the best weights.")] = _RUN,
    cache: Cache = None,
    init: Init = None,
    network: Annotated[str, typer.Option(help="Its name in timm.")] = SHIPPED.network,
    epochs: int = SHIPPED.epochs,
    early_epochs: Annotated[int, typer.Option(help="First epochs on reduced images.")] = SHIPPED.early_epochs,
    batch: int = SHIPPED.batch,
    learning_rate: float = SHIPPED.learning_rate,
    seed: int = SHIPPED.seed,
    pretrained: Pretrained = False,
    *,
    device: Device,
) -> None:
    """Train (best epoch: RUN/best.safetensors), measure, write OUT/vq: weights, mean image and card."""
    if early_epochs >= epochs:
        raise InputError(
            f"Of {epochs} epochs {early_epochs} would be on reduced images, and none at the app's size. Choose fewer "
            "--early-epochs."
        )
    settings = Settings(
        network=network,
        learned=SHIPPED.learned,
        chooses=SHIPPED.chooses,
        size=SHIPPED.size,
        epochs=epochs,
        early_epochs=early_epochs,
        early_size=SHIPPED.early_size,
        batch=batch,
        learning_rate=learning_rate,
        necks_hidden=SHIPPED.necks_hidden,
        seed=seed,
        pretrained=pretrained,
        init=init,
    )
    make_weights(run, cache or run / "cache", settings, device.settings(), out)


@app.command()
def measure(
    out: Out = WEIGHTS,
    run: Annotated[Path, typer.Option(help="Folder of the training run.")] = _RUN,
    cache: Cache = None,
) -> None:
    """Measure the stored weights again and write their card anew."""
    measure_again(cache or run / "cache", out)


@app.command()
def groups(
    figures: Annotated[Path, typer.Option(help="Folder for the figures.")] = _RUN / "groups",
    out: Out = WEIGHTS,
    count: Annotated[int, typer.Option(help="Scans of each type.")] = 100,
) -> None:
    """Maps of the shipped network by type: means, difference, t-test; writes OUT/vq/groups.npz for the page too."""
    write_figures(figures, out, count)


def _add(name: str, study_of: Callable[[Scale], Study[Cell]], told: str) -> None:
    """Add the command of a study."""

    @app.command(name, help=told)
    @grouped
    def command(out: Out = WEIGHTS, *, pretrained: Pretrained = False, study: ScanStudy, device: Device) -> None:
        scale = scale_of(study.budget, pretrained=pretrained)
        laboratory = Laboratory(study.run, study.cache or study.run / "cache", device.settings(), out)
        study.conduct(laboratory, study_of(scale), scale.repeats)


_add("compare", published, "The source's table: VGG-16, ResNet-18, Inception-ResNet-v2 and SE-ResNeXt-101.")
_add("shortcuts", shortcuts, "One network taught with and without what only often goes with a type of scan.")

if __name__ == "__main__":
    app()
