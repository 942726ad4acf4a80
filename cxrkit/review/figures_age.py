"""Agreement of predicted and reference ages: Bland and Altman's figures and what their plot shows."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from cxrkit import metrics
from cxrkit.card import Metric
from cxrkit.checks import Floats
from cxrkit.figures import Figure, Undefined, work_out
from cxrkit.metrics import BlandAltman
from cxrkit.review.figures import in_both
from cxrkit.review.owners import share_patients


@dataclass(frozen=True, eq=False)
class Agreement:
    """Predicted less reference ages, in months.

    Attributes:
        rows: [M] positions of the cases that have both.
        mean: [M] of both ages.
        difference: [M] above 0 where an age is read too high.
        limits: bias and limits of agreement.
        by_patient: whether a patient has several of the cases, and the intervals are a bootstrap over patients.
        figures, undefined: mean absolute difference and the rest, with intervals.
    """

    rows: NDArray[np.int64]
    mean: Floats
    difference: Floats
    limits: BlandAltman
    by_patient: bool
    figures: tuple[Metric, ...]
    undefined: tuple[Undefined, ...]


def agreement(truth: Floats, age: Floats, owners: NDArray[np.int64] | None = None) -> Agreement:
    """Compare predicted with reference ages.

    Args:
        truth: [N] reference ages in months; cases with NaN here or there are left out.
        age: [N] predicted.
        owners: [N] whose hands they are, which are resampled together; None = each its own.

    Raises:
        InputError: fewer than two cases have both, or all those that have are of one patient.
    """
    rows = np.flatnonzero(in_both(truth, age))
    reference, predicted = truth[rows], age[rows]
    groups = None if owners is None else owners[rows]
    limits = metrics.bland_altman(predicted, reference, groups=groups)
    return Agreement(
        rows,
        (predicted + reference) / 2,
        predicted - reference,
        limits,
        share_patients(groups),
        *_figures(reference, predicted, groups, lambda: limits),
    )


def age_figures(
    reference: Floats, predicted: Floats, groups: NDArray[np.int64] | None = None
) -> tuple[tuple[Metric, ...], tuple[Undefined, ...]]:
    """Mean absolute difference, bias and limits of agreement, in months; intervals are over owners.

    Args:
        reference, predicted: [M] without NaN.
        groups: [M] owners; None = each its own.
    """
    both = cache(partial(metrics.bland_altman, predicted, reference, groups=groups))
    return _figures(reference, predicted, groups, both)


def _figures(
    reference: Floats, predicted: Floats, groups: NDArray[np.int64] | None, both: Callable[[], BlandAltman]
) -> tuple[tuple[Metric, ...], tuple[Undefined, ...]]:
    number = reference.size
    keys = np.arange(number) if groups is None else groups  # given, so that one case alone has no interval
    distance = partial(metrics.mean_absolute_difference, predicted, reference, groups=keys)
    way = "bootstrap over patients" if share_patients(groups) else ""
    above = "; ".join(note for note in ("above 0 where ages are read too high", way) if note)
    figures = (
        Figure("mean absolute difference", way, number, distance),
        Figure("bias", above, number, lambda: both().bias),
        Figure("lower limit of agreement", way, number, lambda: both().lower),
        Figure("upper limit of agreement", way, number, lambda: both().upper),
    )
    return work_out(figures, "")
