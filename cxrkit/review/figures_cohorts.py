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
from cxrkit.review.figures import figures_at, in_both
from cxrkit.review.figures_age import age_figures
from cxrkit.review.figures_auc import auc_interval, auc_method


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
    groups: Sequence[tuple[str, NDArray[np.int64]]],
    truth: Floats,
    score: Floats,
    threshold: float | None,
    owners: NDArray[np.int64] | None = None,
) -> tuple[Cohort, ...]:
    """The figures of each group.

    Args:
        groups: (name, positions among the cases), as filters.cohorts gives them.
        truth: [N] 0 or 1, or months; NaN = unknown.
        score: [N] scores, or predicted months; NaN = failed.
        threshold: called at score >= threshold; None of ages.
        owners: [N] whose case each is, which the intervals of the AUC and of ages heed; None = each its own.
    """
    both = in_both(truth, score)
    found = []
    for name, rows in groups:
        used = rows[both[rows]]
        whose = None if owners is None else owners[used]
        found.append(_cohort(name, truth[used], score[used], threshold, whose))
    return tuple(found)


def _cohort(
    name: str, truth: Floats, score: Floats, threshold: float | None, owners: NDArray[np.int64] | None
) -> Cohort:
    if threshold is None:
        return Cohort(name, truth.size, None, *age_figures(truth, score, owners))
    auc = Figure("AUC", auc_method(owners), truth.size, partial(auc_interval, truth, score, owners))
    area, undefined = work_out((auc,), "")
    try:
        at, missing = figures_at(metrics.confusion(truth, score >= threshold))
    except InputError as error:
        at, missing = (), (Undefined("sensitivity", str(error)),)
    return Cohort(name, truth.size, int(truth.sum()), (*area, *at), (*undefined, *missing))
