"""Trains and measures the cells of the studies of lung scans."""

import functools
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from cxrkit.card import WEIGHTS
from cxrkit.metrics import Interval, auc, bootstrap_interval, macro_f1, precision_recall_f1
from cxrkit.pixels import Gray
from cxrkit.tasks.vq import VQ
from train import laboratory
from train.laboratory import digest, kept, training_columns
from train.stored import initialisation
from train.studies import MEASURED_ON, REFERENCE, Row, Study, words
from train.trainer import FitSettings
from train.vq.answers import logits_of, scores
from train.vq.fit import Parity, Settings, train_network
from train.vq.scans import Recipe, Scans, made_by, mean_of, read_scans, together
from train.vq.study import SOURCE_TRAINING, TESTS, WITHOUT_NECKS, Cell

Floats = NDArray[np.float64]


class Laboratory(laboratory.Laboratory[Cell]):
    """What all cells share.

    Args:
        run: folder for cells and tables.
        cache: folder for simulated scans.
        how: hardware and precision.
        weights: folder of the tasks' weights, for the card.
        tests: what every network is measured on.
    """

    def __init__(
        self, run: Path, cache: Path, how: FitSettings, weights: Path = WEIGHTS, tests: tuple[Recipe, ...] = TESTS
    ) -> None:
        super().__init__(run, how, weights / VQ.name / "card.json")
        self.cache, self.tests = cache, tests

    @functools.cached_property
    def mean(self) -> Gray:
        """Of all studies: the mean image of the source's numbers of scans."""
        return mean_of((SOURCE_TRAINING,), self.cache)

    def scans(self, recipe: Recipe) -> Scans:
        """Scans of a recipe, simulated and aligned."""
        return read_scans(recipe, self.mean, self.cache)

    def measured(self, cell: Cell, repeat: int = 0) -> Row:
        settings = replace(cell.settings, seed=repeat)
        folder = self.folder(settings)

        def measure() -> tuple[nn.Module, Row]:
            learned = together([self.scans(recipe) for recipe in settings.learned])
            chooses = together([self.scans(recipe) for recipe in settings.chooses])
            model = train_network(learned, chooses, VQ, settings, self.how, folder)
            return model, {"scores": self._asked(model.to(self.how.device()), settings)}

        return kept(folder / "scores.json", measure)

    def folder(self, settings: Settings) -> Path:
        """Of everything that decides what a cell's figures are, the simulators among it."""
        recipes = (*settings.learned, *settings.chooses, *self.tests)
        what = digest(settings, self.how.precision, [made_by(recipe) for recipe in recipes])
        return self.run / "cells" / f"{settings.network}-{what}"

    def _asked(self, model: nn.Module, settings: Settings) -> dict[str, list[float]]:
        """Scores of perfusion on all tests, as they are and with everything above the lungs emptied."""
        found = {}
        for recipe in self.tests:
            scans = self.scans(recipe)
            for name, views in ((recipe.name, scans.views), (recipe.name + WITHOUT_NECKS, scans.without_neck)):
                found[name] = scores(logits_of(model, views, VQ, settings.size)).tolist()
        return found

    def table(self, study: Study[Cell], repeats: int) -> list[Row]:
        found = {cell.name: [self.measured(cell, repeat) for repeat in range(repeats)] for cell in study.cells}
        trained = {cell.name: _training(cell.settings, found[cell.name]) for cell in study.cells}
        rows = []
        for recipe, ending in product(self.tests, ("", WITHOUT_NECKS)):
            part, truth = recipe.name + ending, target_of(recipe)
            for name, repeated in found.items():
                reference = None if name == study.reference else _gathered(found[study.reference], part)
                told = figures(_gathered(repeated, part), reference, truth)
                rows.append({"network": name, MEASURED_ON: part} | told | trained[name])
        return rows


def _training(settings: Settings, repeats: list[Row]) -> Row:
    """Columns that say how a cell was trained."""
    target = np.concatenate([target_of(recipe) for recipe in settings.learned])
    told: dict[str, object] = {
        "scans to draw from": len(target),
        "batch": settings.batch,
        "learning rate": settings.learning_rate,
    }
    if settings.pretrained:
        told["started from"] = initialisation(settings.init, pretrained=True)
    drawn = len(Parity(target, settings.seed))
    return training_columns([(settings.size, settings.epochs, drawn)], "scans", told, repeats)


def target_of(recipe: Recipe) -> NDArray[np.int64]:
    """[N] 1 for perfusion, in the order of the recipe."""
    return np.array([kind == "perfusion" for kind in recipe.kinds], dtype=np.int64)


def figures(own: Floats, reference: Floats | None, truth: NDArray[np.int64]) -> dict[str, str]:
    """Figures of one cell on one set of scans, in words; resampled are scans, within their types.

    Args:
        own: [repeats, N] scores of perfusion.
        reference: those of the cell to compare with; None for that cell itself.
        truth: [N] 1 for perfusion.
    """
    called = (own >= 0.5).astype(np.int64)
    right = (called == truth).mean(axis=0)
    difference = REFERENCE
    if reference is not None:
        difference = words(_mean(right - ((reference >= 0.5) == truth).mean(axis=0), truth))
    return {
        "accuracy": words(_mean(right, truth)),
        "accuracy of each repeat": ", ".join(f"{value:.3f}" for value in (called == truth).mean(axis=1)),
        "difference of accuracy (paired bootstrap)": difference,
        "sensitivity for perfusion": f"{right[truth == 1].mean():.3f}",
        "specificity": f"{right[truth == 0].mean():.3f}",
        "F1 for perfusion": ", ".join(f"{precision_recall_f1(truth, one)[1].f1:.3f}" for one in called),
        "macro F1": ", ".join(f"{macro_f1(truth, one):.3f}" for one in called),
        "AUC": ", ".join(f"{auc(truth, one):.3f}" for one in own),
    }


def _mean(values: Floats, strata: NDArray[np.int64]) -> Interval:
    return bootstrap_interval(lambda drawn: float(np.mean(drawn)), values, strata=strata)


def _gathered(repeats: list[Row], part: str) -> Floats:
    """[repeats, N] scores."""
    return np.array([one["scores"][part] for one in repeats])
