"""Trains and measures the cells of the study of tuberculosis: on one pair of families, read on both."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from cxrkit.card import WEIGHTS
from cxrkit.errors import InputError
from cxrkit.metrics import (
    ClassScores,
    Interval,
    bootstrap_interval,
    delong_interval,
    precision_recall_f1,
    wilson_interval,
)
from cxrkit.predict import probabilities
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from train import laboratory
from train.epochs import PROGRESS, write_row
from train.laboratory import digest, kept, training_columns
from train.stored import initialisation
from train.studies import REFERENCE, Row, Study, words
from train.trainer import FitSettings, Judge
from train.tuberculosis.crossed import training_part
from train.tuberculosis.fit import FAMILY_PAIRS, logits_of, train_model
from train.tuberculosis.images import Images
from train.tuberculosis.study import Cell

Floats = NDArray[np.float64]


class Laboratory(laboratory.Laboratory[Cell]):
    """What all cells share.

    Args:
        images: of all families; the cells learn from the last pair's training part, and are read on that pair's test
            part and on all other families.
        run: folder for cells and tables.
        how: hardware and precision.
        weights: folder of the tasks' weights, for the card.
    """

    def __init__(self, images: Images, run: Path, how: FitSettings, weights: Path = WEIGHTS) -> None:
        super().__init__(run, how, weights / TUBERCULOSIS.name / "card.json")
        own = own_pair(images)
        self.details = f"; trained on {' + '.join(sorted(set(images.families[own].tolist())))} alone"
        self.images, self.training = images, np.flatnonzero(own & ~images.test)
        self.aside = np.flatnonzero(own & images.test & ~images.copies)
        self.others = np.flatnonzero(~own & ~images.copies)

    def measured(self, cell: Cell, repeat: int = 0) -> Row:
        settings = replace(cell.settings, seed=repeat)
        files = [self.images.cases[place].files for place in (*self.training, *self.aside, *self.others)]
        what = digest(settings, self.how.precision, files, self.images.targets.tolist())
        folder = self.run / "cells" / f"{settings.encoder}-{what}"

        def measure() -> tuple[nn.Module, Row]:
            part = training_part(self.images, self.training)
            model = train_model(part, settings, self.how, folder, _clock(folder))
            return model, {"aside": self._asked(model, self.aside), "others": self._asked(model, self.others)}

        return kept(folder / "scores.json", measure)

    def _asked(self, model: nn.Module, places: NDArray[np.int64]) -> list[float]:
        """Scores of tuberculosis."""
        if not len(places):
            return []
        scores: list[float] = probabilities(logits_of(model, self.images.views[places]), 1.0, "softmax")[:, 1].tolist()
        return scores

    def table(self, study: Study[Cell], repeats: int) -> list[Row]:
        found = {cell.name: [self.measured(cell, repeat) for repeat in range(repeats)] for cell in study.cells}
        reference = self._right(found[study.reference])
        rows = []
        for cell in study.cells:
            own, settings = found[cell.name], cell.settings
            row = {"network": settings.encoder, "preprocessing": cell.preprocessing} | self._figures(own)
            row["difference of accuracy (paired bootstrap)"] = (
                REFERENCE if cell.name == study.reference else words(self._mean(self._right(own) - reference))
            )
            told: Row = {
                "channels": settings.channels,
                "batch": settings.batch,
                "learning rate": settings.learning_rate,
            }
            if settings.pretrained:
                told["started from"] = initialisation(settings.init, pretrained=True)
            stage = (settings.size, settings.epochs, settings.images_per_epoch)
            rows.append(row | training_columns([stage], "images", told, own))
        return rows

    def _figures(self, own: Sequence[Row]) -> Row:
        """Of one cell: accuracy, precision, recall and F1 are means over the repeats, AUC is of the mean score."""
        target = self.images.targets[self.aside]
        each = [list(precision_recall_f1(target, _called(one)).values()) for one in own]
        right = self._right(own)
        accuracy = wilson_interval(int(right.sum()), len(right)) if len(own) == 1 else self._mean(right)
        row: Row = {
            "accuracy": words(accuracy),
            "accuracy of calling all normal": f"{(target == 0).mean():.3f}",
            "macro precision": _macro(lambda s: s.precision, each),
            "macro recall": _macro(lambda s: s.recall, each),
            "macro F1": _macro(lambda s: s.f1, each),
            "AUC": words(delong_interval(target, np.mean([one["aside"] for one in own], axis=0))),
        }
        if len(self.others):
            score = np.mean([one["others"] for one in own], axis=0)
            row["AUC, other families"] = words(delong_interval(self.images.targets[self.others], score))
        return row

    def _right(self, own: Sequence[Row]) -> Floats:
        """[N] share of the repeats that are right, of each image of the test part."""
        target = self.images.targets[self.aside]
        return np.asarray(np.mean([_called(one) == target for one in own], axis=0), dtype=np.float64)

    def _mean(self, values: Floats) -> Interval:
        target = self.images.targets[self.aside]
        return bootstrap_interval(lambda drawn: float(np.mean(drawn)), values, strata=target)


def own_pair(images: Images) -> NDArray[np.bool_]:
    """[N] the last family pair, which the cells learn from; all of a data set that does not have it beside others."""
    own = np.isin(images.families, FAMILY_PAIRS[-1])
    return own if own.any() and not own.all() else np.ones_like(own)


def _called(one: Row) -> NDArray[np.int64]:
    return (np.array(one["aside"]) >= 0.5).astype(np.int64)


def _macro(figure: Callable[[ClassScores], float], repeats: Sequence[Sequence[ClassScores]]) -> str:
    """Mean over classes and repeats; a class that is never called has no precision."""
    try:
        return f"{np.mean([[figure(score) for score in scores] for scores in repeats]):.3f}"
    except InputError:
        return "undefined"


def _clock(run: Path) -> Judge:
    """Write how long each epoch took."""
    since = time.monotonic()

    def judge(_: nn.Module, epoch: int) -> None:
        nonlocal since
        now = time.monotonic()
        write_row(run / PROGRESS, {"stage": 0, "epoch": epoch, "seconds": now - since})
        since = now

    return judge
