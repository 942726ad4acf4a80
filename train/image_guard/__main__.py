"""Train the image guard: python -m train.image_guard FOLDER

FOLDER holds the folders tb, nih, hannover, lungs, boneage and body_parts, each with its labels.csv. Simulated chests
and drawn pictures are made on the way. Two further networks each leave out all chests of one hospital and half of
the body parts: what they stop says more about other hospitals than images set aside do.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from train.image_guard.card import measure_again, write_guard
from train.image_guard.data import read_entries
from train.image_guard.fit import HELD_OUT, Settings, hold_out, make_pool, train_one
from train.image_guard.threshold import operating_points


def main(
    data: Annotated[Path, typer.Argument(help="Folder that holds the data sets' folders.")],
    run: Annotated[Path, typer.Option(help="Folder for checkpoints and cached images.")] = Path("runs/image_guard"),
    epochs: int = Settings.epochs,
    held_out_epochs: int = Settings.held_out_epochs,
    images_per_epoch: int = Settings.images_per_epoch,
    only_measure: Annotated[bool, typer.Option("--only-measure", help="Measure the stored weights again.")] = False,
) -> None:
    """Train on DATA, choose operating points on the carved part, measure on the part set aside, write the weights."""
    entries = read_entries(data)
    if only_measure:
        measure_again(entries)
        return
    settings = Settings(epochs=epochs, held_out_epochs=held_out_epochs, images_per_epoch=images_per_epoch)
    model = train_one(make_pool(entries, "fit", run), settings, settings.epochs, run / "final")
    points = operating_points(model, make_pool(entries, "carve", run))
    held_out = [hold_out(entries, source, settings, run) for source in HELD_OUT]
    write_guard(model, points, entries, held_out, asdict(settings))


if __name__ == "__main__":
    typer.run(main)
