"""How good a network tells the types of simulated scans apart: what carved scans choose, and all figures."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrkit.card import Metric
from cxrkit.evaluate import binary_metrics
from cxrkit.metrics import fit_temperature, wilson_interval
from cxrkit.scan_reading import FROM, TO
from cxrkit.scores import ScoredPart
from cxrkit.tasks.vq import VQ
from train.vq.answers import scores
from train.vq.scans import KINDS, Recipe, Scans
from train.vq.study import TESTS, WITHOUT_NECKS

Floats = NDArray[np.float64]

CARVED = (
    Recipe("carved", 70, 70, seed=10_000_000),
    Recipe("carved, other outlines", 70, 70, 10_300_000, outlines="superellipse"),
    Recipe("carved, drawn", 70, 70, 10_400_000, outlines="drawn"),
)
"""They choose temperature and band; no patient of theirs trains, chooses an epoch or reports.

Scans as they usually are: where neither neck nor stomach, counts or sharpness tell, hardly anything does, and a band
that heeds such scans would call next to nothing.
"""

ELSEWHERE = (
    Recipe("drawn flat by the second simulator", 150, 150, 26_000_000, outlines="drawn"),
    Recipe("sketched by a third simulator, which trained nothing", 150, 150, 27_000_000, outlines="sketched"),
    Recipe("sketched, neck and stomach equally frequent in both types", 150, 150, 28_000_000, "mixed", "sketched"),
)
"""How far the shipped network holds beyond the simulator that most of its scans come from."""

WRONG = 0.05
"""Share of the carved scans outside the band that may be called wrongly."""

SURE = 0.85
"""A type is called from this probability on at least. What is simulated is easier than what is real, so a band that
carved scans leave empty would promise too much."""


_BRIEF = ("AUC", "accuracy")
"""Figures of the tests that say how far the others hold."""


@dataclass(frozen=True)
class Point:
    """What the carved scans chose.

    Attributes:
        temperature: divides the logits.
        low, high: neither type is called where the score of perfusion lies between.
    """

    temperature: float
    low: float
    high: float

    @property
    def thresholds(self) -> dict[str, float]:
        """As the card keeps them."""
        return {VQ.positive: 0.5, FROM: self.low, TO: self.high}


def choose_point(logits: Floats, target: NDArray[np.int64]) -> Point:
    """Temperature and band out of the carved scans' logits [N, 2] and classes [N].

    The temperature is 1 at least: where all carved scans are told, the fit would make every answer a certainty.
    """
    temperature = max(1.0, fit_temperature(logits, target))
    perfusion = scores(logits, temperature)
    wrong = (perfusion >= 0.5) != (target == KINDS.index("perfusion"))
    confidence = np.maximum(perfusion, 1 - perfusion)
    tried = sorted({SURE, *confidence[confidence > SURE].tolist()})
    allowed = (least for least in tried if not (told := confidence >= least).any() or wrong[told].mean() <= WRONG)
    least = next(allowed, 1.0)
    return Point(temperature, 1 - least, least)


def measure(
    ask: Callable[[Scans, bool], Floats], point: Point, read: Callable[[Recipe], Scans]
) -> tuple[list[Metric], list[ScoredPart]]:
    """All figures on the scans that are as those learned from, and what says how far they hold on the others.

    Args:
        ask: (scans, with necks) -> logits [N, 2].
        point: from `choose_point`.
        read: recipe -> its scans.

    Returns:
        The figures, and the scores of the scans as they are, for the calibration plot.
    """
    found: list[Metric] = []
    scored: list[ScoredPart] = []
    for recipe in (*TESTS, *ELSEWHERE):
        scans = read(recipe)
        truth = (scans.target == KINDS.index("perfusion")).astype(np.int64)
        for necks, name in ((True, recipe.name), (False, recipe.name + WITHOUT_NECKS)):
            perfusion = scores(ask(scans, necks), point.temperature)
            part = f"simulated: {name}"
            figures = binary_metrics(truth, perfusion, 0.5, part)
            full = necks and recipe in TESTS[:2]
            found += [figure for figure in figures if full or figure.name in _BRIEF]
            found += _told(truth, perfusion, point, part)
            if necks:
                scored.append(ScoredPart(part, False, truth, perfusion))
    return found, scored


def _told(truth: NDArray[np.int64], perfusion: Floats, point: Point, part: str) -> list[Metric]:
    """How many scans are not told, and how many of the others are told rightly."""
    told = (perfusion <= point.low) | (perfusion >= point.high)
    right = (perfusion >= 0.5) == truth
    note = f"neither type is called between scores of {point.low:.3f} and {point.high:.3f}"
    without = wilson_interval(int((~told).sum()), len(told))
    metrics = [Metric("cannot tell", part, without.value, without.low, without.high, len(told), note)]
    if told.any():
        rightly = wilson_interval(int(right[told].sum()), int(told.sum()))
        metrics.append(
            Metric("accuracy where told", part, rightly.value, rightly.low, rightly.high, int(told.sum()), note)
        )
    return metrics
