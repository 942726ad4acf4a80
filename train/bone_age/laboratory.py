"""Trains and measures the cells of bone age's studies on the part that reports."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from cxrkit.card import WEIGHTS
from cxrkit.metrics import mean_absolute_difference
from train import laboratory
from train.bone_age.answers import Answers
from train.bone_age.fit import Settings, train_network
from train.bone_age.images import Material
from train.bone_age.measure import kind_of, paired_difference, reported_answers
from train.bone_age.study import Cell
from train.laboratory import digest, kept, training_columns
from train.stored import BEST
from train.studies import REFERENCE, Row, Study, words
from train.trainer import FitSettings


@dataclass(frozen=True, eq=False)
class Errors:
    """One cell's absolute errors on one kind of images.

    Attributes:
        expectation, likeliest: [repeats, N] months.
        sex_right: [repeats] share; empty where the network does not read the sex.
    """

    expectation: NDArray[np.float64]
    likeliest: NDArray[np.float64]
    sex_right: tuple[float, ...]


class Laboratory(laboratory.Laboratory[Cell]):
    """What all cells share.

    Args:
        material: the data.
        run: folder for cells and tables.
        how: hardware and precision.
        weights: folder of the tasks' weights, for the card.
    """

    def __init__(self, material: Material, run: Path, how: FitSettings, weights: Path = WEIGHTS) -> None:
        super().__init__(run, how, weights / material.task.name / "card.json")
        self.material = material

    def measured(self, cell: Cell, repeat: int = 0) -> Row:
        settings = replace(cell.settings, seed=repeat)
        if cell.source:
            self.measured(Cell("", cell.source), repeat)
            settings = replace(settings, init=self.folder(replace(cell.source, seed=repeat)) / BEST)
        folder = self.folder(settings)

        def measure() -> tuple[nn.Module, Row]:
            model = train_network(self.material, settings, self.how, folder)
            found = reported_answers(model.to(self.how.device()), self.material, settings.image_size)
            return model, {"errors": {part: _stored(one) for part, one in found.items()}}

        return kept(folder / "errors.json", measure)

    def folder(self, settings: Settings) -> Path:
        """Of everything that decides what a cell's figures are."""
        start = settings.init.parent.name if settings.init else None
        data = self.material.hands.name, self.material.parts  # with every hand's age and sex
        what = digest(replace(settings, init=None, workers=0), start, self.how.precision, data)
        return self.run / "cells" / f"{settings.network.name}-{what}"

    def table(self, study: Study[Cell], repeats: int) -> list[Row]:
        found = {cell.name: [self.measured(cell, repeat) for repeat in range(repeats)] for cell in study.cells}
        rows = []
        for cell in study.cells:
            row: Row = {"network": cell.name}
            for part in found[cell.name][0]["errors"]:
                own, reference = (gathered(found[name], part) for name in (cell.name, study.reference))
                row |= columns(part, own, None if cell.name == study.reference else reference)
            told = {"batch": cell.settings.batch, "learning rate": cell.settings.learning_rate}
            rows.append(row | training_columns(cell.settings.stages, "images", told, found[cell.name]))
        return rows


def columns(part: str, own: Errors, reference: Errors | None) -> Row:
    """Columns of a table with a cell's figures on one kind of images; see `figures`."""
    return {f"{kind_of(part)}: {name}": text for name, text in figures(own, reference).items()}


def figures(own: Errors, reference: Errors | None) -> dict[str, str]:
    """Figures of one cell on one kind of images, in words.

    Each hand's error is the mean over the repeats before anything is measured; the MAD of each repeat stands beside
    it: their spread is what chance in training does.

    Args:
        own: of the cell.
        reference: of the cell to compare with, on the same images; None for that cell itself.
    """
    errors = own.expectation.mean(axis=0)
    likeliest = own.likeliest.mean(axis=0)
    difference = REFERENCE
    if reference is not None:
        difference = words(paired_difference(errors, reference.expectation.mean(axis=0)), 2)
    return {
        "MAD by expectation, months": words(mean_absolute_difference(errors, np.zeros_like(errors)), 2),
        "MAD of each repeat": ", ".join(f"{value:.2f}" for value in own.expectation.mean(axis=1)),
        "difference of MAD (paired bootstrap)": difference,
        "MAD by arg-max, months": words(mean_absolute_difference(likeliest, np.zeros_like(likeliest)), 2),
        "sex read right": f"{np.mean(own.sex_right):.3f}" if own.sex_right else "not read",
    }


def errors_of(repeats: Sequence[Answers]) -> Errors:
    """Errors of one network, trained once or several times, on the same images."""
    return Errors(
        np.array([np.abs(one.expected - one.months) for one in repeats]),
        np.array([np.abs(one.likeliest - one.months) for one in repeats]),
        tuple(float(np.mean(one.sexes.argmax(axis=1) == one.sex)) for one in repeats if one.reads_sex),
    )


def _stored(one: Answers) -> Row:
    errors = errors_of([one])
    return {
        "months": one.months.tolist(),
        "expectation": errors.expectation[0].tolist(),
        "likeliest": errors.likeliest[0].tolist(),
        "sex right": list(errors.sex_right),
    }


def gathered(repeats: Sequence[Row], part: str) -> Errors:
    """Errors of a cell as stored, on one kind of images."""
    rows = [one["errors"][part] for one in repeats]
    return Errors(
        np.array([row["expectation"] for row in rows]),
        np.array([row["likeliest"] for row in rows]),
        tuple(share for row in rows for share in row["sex right"]),
    )
