"""Train tuberculosis screening (methods section 2).

python -m train.tuberculosis weights --data FOLDER [--others FOLDER ...]   trains what the app loads
python -m train.tuberculosis measure --data FOLDER [--others FOLDER ...]   measures it again: card and scores
python -m train.tuberculosis study --data FOLDER                           two networks x four preprocessings

Training goes on where a killed run stopped. FOLDER is a folder that train.datasets can read; the others hold chests
that are taken as free of tuberculosis. How to train on several GPUs or nodes: --devices, --nodes, --strategy, which
are Lightning's.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from cxrkit.card import WEIGHTS
from train.options import Device, Devices, Init, Out, Pretrained, StudyOptions, StudyRun, grouped
from train.tuberculosis.card import make_weights, measure_again
from train.tuberculosis.fit import Settings
from train.tuberculosis.images import load_images
from train.tuberculosis.laboratory import Laboratory
from train.tuberculosis.study import published, scale_of

app = typer.Typer(add_completion=False, no_args_is_help=True)

Data = Annotated[Path, typer.Option(help="Folder of a data set that train.datasets can read.")]
Others = Annotated[list[Path] | None, typer.Option(help="Folder with labels.csv of chests without tuberculosis.")]


@app.command()
@grouped
def weights(
    data: Data,
    others: Others = None,
    run: Annotated[Path, typer.Option(help="Folder for checkpoints and cached images.")] = Path("runs/tuberculosis"),
    out: Out = WEIGHTS,
    epochs: int = Settings.epochs,
    early_epochs: int = Settings.early_epochs,
    images_per_epoch: int = Settings.images_per_epoch,
    simulated_pairs: int = Settings.simulated_pairs,
    encoder: str = Settings.encoder,
    init: Init = None,
    pretrained: Pretrained = False,
    *,
    devices: Devices,
) -> None:
    """Train what the app loads: across families both ways, then on all of train; write weights and card."""
    settings = Settings(
        encoder=encoder,
        epochs=epochs,
        early_epochs=early_epochs,
        images_per_epoch=images_per_epoch,
        simulated_pairs=simulated_pairs,
        pretrained=pretrained,
        init=init,
    )
    make_weights(data, others or [], run, settings, devices.settings(), out)


@app.command()
def measure(
    data: Annotated[Path, typer.Option(help="Folder that the weights were trained on.")],
    others: Others = None,
    run: Annotated[Path, typer.Option(help="Folder of the training run.")] = Path("runs/tuberculosis"),
    out: Out = WEIGHTS,
) -> None:
    """Measure the stored weights again and write their card anew."""
    measure_again(data, others or [], run, out)


@dataclass(frozen=True)
class ScreeningStudy(StudyOptions):
    """With the task's own folder."""

    run: StudyRun = Path("runs/tuberculosis_study")


@app.command()
@grouped
def study(
    data: Data,
    out: Out = WEIGHTS,
    pretrained: Pretrained = False,
    invert: Annotated[bool, typer.Option("--invert", help="Add cells in which RandAugment may invert.")] = False,
    *,
    options: ScreeningStudy,
    device: Device,
) -> None:
    """Two networks x {none, erase, erase + augment, erase + augment + flip}."""
    images = load_images(data, (), scale_of(options.budget, images=1).settings, options.cache or options.run / "cache")
    laboratory = Laboratory(images, options.run, device.settings(), out)
    scale = scale_of(options.budget, images=len(laboratory.training), pretrained=pretrained)
    options.conduct(laboratory, published(scale, invert=invert), scale.repeats)


if __name__ == "__main__":
    app()
