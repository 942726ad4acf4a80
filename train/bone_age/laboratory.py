"""Conducts studies: trains their cells, measures them on the part that reports, and writes their tables.

Cells are kept by what they are, so that studies share those they have in common, and a study that was killed goes on
with the first unfinished one.
"""

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from cxrkit.card import WEIGHTS
from cxrkit.metrics import mean_absolute_difference
from train.bone_age.answers import Answers
from train.bone_age.fit import BEST, Settings, train_network
from train.bone_age.images import Material
from train.bone_age.measure import kind_of, paired_difference, reported_answers, words
from train.bone_age.study import Cell, Study
from train.epochs import PROGRESS, read_rows
from train.studies import Budget, Row, put_on_card, write_table
from train.trainer import FitSettings

REFERENCE = "reference"


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


@dataclass(frozen=True)
class Laboratory:
    """What all cells share.

    Attributes:
        material: the data.
        run: folder for cells and tables.
        how: hardware and precision.
        weights: folder of the tasks' weights, for the card.
    """

    material: Material
    run: Path
    how: FitSettings
    weights: Path = WEIGHTS

    def conduct(self, study: Study, budget: Budget, repeats: int, *, card: bool) -> list[Row]:
        """Train what is not there yet; write the table after each repeat, and put it on the card if asked to."""
        rows: list[Row] = []
        for repeat in range(repeats):
            for cell in study.cells:
                self.measured(cell, repeat)
            rows = self._table(study, repeat + 1)
            write_table(rows, self.run / f"{study.title.lower().replace(' ', '_')}_{budget}")
        if card:
            path = self.weights / self.material.task.name / "card.json"
            put_on_card(f"{study.title} ({budget} budget)", rows, path)
        return rows

    def measured(self, cell: Cell, repeat: int = 0) -> Row:
        """A cell's errors as stored, or trained and measured now."""
        settings = replace(cell.settings, seed=repeat)
        if cell.source:
            self.measured(Cell("", cell.source), repeat)
            settings = replace(settings, init=self.folder(replace(cell.source, seed=repeat)) / BEST)
        folder = self.folder(settings)
        file = folder / "errors.json"
        if file.is_file():
            stored: Row = json.loads(file.read_text())
            return stored
        model = train_network(self.material, settings, self.how, folder)
        found = {
            "million parameters": round(sum(weight.numel() for weight in model.parameters()) / 1e6, 2),
            "minutes": sum(float(row["seconds"]) for row in read_rows(folder / PROGRESS)) / 60,
            "errors": self._errors(model, settings.image_size),
        }
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps(found))
        fresh.replace(file)
        for checkpoints in folder.glob("stage_*/checkpoints"):  # large, and of no more use
            shutil.rmtree(checkpoints)
        return found

    def folder(self, settings: Settings) -> Path:
        """Of everything that decides what a cell's figures are."""
        start = settings.init.parent.name if settings.init else None
        data = self.material.hands.name, [hand.identity for hand in self.material.parts.training]
        what = repr((replace(settings, init=None, workers=0), start, self.how.precision, data))
        return self.run / "cells" / f"{settings.network.name}-{hashlib.sha256(what.encode()).hexdigest()[:12]}"

    def _errors(self, model: nn.Module, size: int) -> dict[str, Row]:
        return {part: _stored(one) for part, one in reported_answers(model, self.material, size).items()}

    def _table(self, study: Study, repeats: int) -> list[Row]:
        found = {cell.name: [self.measured(cell, repeat) for repeat in range(repeats)] for cell in study.cells}
        rows = []
        for cell in study.cells:
            row: Row = {"network": cell.name}
            for part in found[cell.name][0]["errors"]:
                own, reference = (gathered(found[name], part) for name in (cell.name, study.reference))
                other = None if cell.name == study.reference else reference
                row |= {f"{kind_of(part)}: {name}": text for name, text in figures(own, other).items()}
            rows.append(row | _settings(cell.settings, found[cell.name], repeats))
        return rows


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
        difference = words(paired_difference(errors, reference.expectation.mean(axis=0)))
    return {
        "MAD by expectation, months": words(mean_absolute_difference(errors, np.zeros_like(errors))),
        "MAD of each repeat": ", ".join(f"{value:.2f}" for value in own.expectation.mean(axis=1)),
        "difference of MAD (paired bootstrap)": difference,
        "MAD by arg-max, months": words(mean_absolute_difference(likeliest, np.zeros_like(likeliest))),
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


def _settings(settings: Settings, found: list[Row], repeats: int) -> Row:
    size, epochs, images = settings.stages[-1]
    return {
        "million parameters": found[0]["million parameters"],
        "size": size,
        "epochs": epochs,
        "images per epoch": images,
        "batch": settings.batch,
        "learning rate": settings.learning_rate,
        "repeats": repeats,
        "minutes each": round(float(np.mean([one["minutes"] for one in found])), 1),
    }
