"""The figures of several groups of cases side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from cxrkit import metrics
from cxrkit.card import Metric
from cxrkit.checks import Floats
from cxrkit.errors import InputError
from cxrkit.figures import Figure, Undefined, work_out
from cxrkit.review.figures import figures_at, known
from cxrkit.review.figures_age import age_figures


@dataclass(frozen=True)
class Cohort:
    """One group.

    Attributes:
        name: of the group.
        cases: with truth and score.
        positives: of them with the label; None of ages.
        figures, undefined: with intervals.
    """

    name: str
    cases: int
    positives: int | None
    figures: tuple[Metric, ...]
    undefined: tuple[Undefined, ...]

    def figure(self, name: str) -> Metric | None:
        """The figure of this name; None where it is undefined."""
        return next((metric for metric in self.figures if metric.name == name), None)


def side_by_side(
    groups: Sequence[tuple[str, NDArray[np.int64]]], truth: Floats, score: Floats, threshold: float | None
) -> tuple[Cohort, ...]:
    """The figures of each group.

    Args:
        groups: (name, positions among the cases), as filters.cohorts gives them.
        truth: [N] 0 or 1, or months; NaN = unknown.
        score: [N] scores, or predicted months; NaN = failed.
        threshold: called at score >= threshold; None of ages.
    """
    return tuple(_cohort(name, *known(truth[rows], score[rows]), threshold) for name, rows in groups)


def _cohort(name: str, truth: Floats, score: Floats, threshold: float | None) -> Cohort:
    if threshold is None:
        return Cohort(name, truth.size, None, *age_figures(truth, score))
    area, undefined = work_out((Figure("AUC", "", truth.size, partial(metrics.delong_interval, truth, score)),), "")
    try:
        at, missing = figures_at(metrics.confusion(truth, score >= threshold))
    except InputError as error:
        at, missing = (), (Undefined("sensitivity", str(error)),)
    return Cohort(name, truth.size, int(truth.sum()), (*area, *at), (*undefined, *missing))
