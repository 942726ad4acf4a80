"""Trains and measures the cells of the study of findings on the part that reports."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from torch import nn

from cxrkit.card import WEIGHTS
from cxrkit.tasks.nih14 import NIH14
from train import laboratory
from train.laboratory import digest, kept, training_columns
from train.nih14.card import reported_by
from train.nih14.data import Material, targets
from train.nih14.fit import Settings, contents, logits_of, started, train_network, without_paths
from train.nih14.losses import Reading
from train.nih14.measure import (
    Floats,
    Reported,
    choose,
    macro_difference,
    macro_of,
    measured_labels,
    weighted_f1,
)
from train.nih14.parts import leak
from train.nih14.study import Cell
from train.studies import REFERENCE, Row, Study, words
from train.trainer import FitSettings


class Laboratory(laboratory.Laboratory[Cell]):
    """What all cells share.

    Args:
        material: the data.
        run: folder for cells and tables.
        how: hardware and precision.
        weights: folder of the tasks' weights, for the card.
    """

    def __init__(self, material: Material, run: Path, how: FitSettings, weights: Path = WEIGHTS) -> None:
        super().__init__(run, how, weights / NIH14.name / "card.json")
        self.material = material

    def measured(self, cell: Cell, repeat: int = 0) -> Row:
        settings = replace(cell.settings, seed=repeat)
        folder = self.folder(settings)

        def measure() -> tuple[nn.Module, Row]:
            model = train_network(self.material, settings, self.how, folder).to(self.how.device())
            carved, reporting = (
                logits_of(model, part.views, settings.size, settings.reading)
                for part in (self.material.carved, self.material.reporting)
            )
            return model, {"carved": carved.tolist(), "logits": reporting.tolist(), "started": started(settings)}

        return kept(folder / "answers.json", measure)

    def folder(self, settings: Settings) -> Path:
        """Of everything that decides what a cell's figures are: of files to start from the contents, not the path."""
        data = self.material.name, self.material.parts  # with all that the table says: another label, another cell
        files = contents(settings)
        what = digest(without_paths(settings), files, settings.gan is None, self.how.precision, data)
        return self.run / "cells" / f"{settings.network['encoder']}-{what}"

    def table(self, study: Study[Cell], repeats: int) -> list[Row]:
        found = {cell.name: [self.measured(cell, repeat) for repeat in range(repeats)] for cell in study.cells}
        reference = _mean(found[study.reference], "logits")
        rows = []
        for cell in study.cells:
            own, settings = found[cell.name], cell.settings
            row: Row = {"network": cell.name} | self._figures(own, None if cell.name == study.reference else reference)
            told = {
                "encoder": settings.network["encoder"],
                "trunk size": "" if settings.network["fusion"] == "none" else settings.network["trunk_size"],
                "batch": settings.batch,
                "learning rate": settings.learning_rate,
                "division": "image by image, patients leak" if leak(self.material.parts)[0] else "by patient",
                "started from": own[0]["started"],
                **({} if settings.reading is Reading.SIGMOID else {"outputs read as": settings.reading}),
            }
            stage = (settings.size, settings.epochs, len(self.material.learned))
            rows.append(row | training_columns([stage], "images", told, own))
        return rows

    def _figures(self, own: Sequence[Row], reference: Floats | None) -> Row:
        """Of one cell; each image's logits are the mean over the repeats before anything is measured."""
        reported = reported_by(self.material, _mean(own, "logits"))
        training = targets(self.material.parts.training).sum(axis=0)
        labels = measured_labels(training, reported.target)
        each = [macro_of(replace(reported, logits=np.array(one["logits"])), labels).value for one in own]
        difference = REFERENCE
        if reference is not None:
            difference = words(macro_difference(reported, reference, labels))
        return {
            "macro AUC": words(macro_of(reported, labels)),
            "macro AUC of each repeat": ", ".join(f"{value:.3f}" for value in each),
            "difference of macro AUC (paired bootstrap)": difference,
            "weighted F1": f"{self._weighted_f1(reported, _mean(own, 'carved'), labels):.3f}",
            "labels": str(len(labels)),
        }

    def _weighted_f1(self, reported: Reported, carved: Floats, labels: Sequence[int]) -> float:
        """With thresholds from the carved part; a label without one is never called."""
        chosen = choose(carved, self.material.carved.target)
        called = np.stack([chosen[k].called(reported.logits[:, k]) for k in labels], axis=1)
        return weighted_f1(reported.target[:, list(labels)], called)


def _mean(repeats: Sequence[Row], name: str) -> Floats:
    return np.asarray(np.mean([one[name] for one in repeats], axis=0))
