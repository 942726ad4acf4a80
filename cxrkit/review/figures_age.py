"""Agreement of predicted and reference ages: Bland and Altman's figures and what their plot shows."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxrkit import metrics
from cxrkit.card import Metric
from cxrkit.checks import Floats
from cxrkit.figures import Figure, Undefined, work_out
from cxrkit.metrics import BlandAltman
from cxrkit.review.figures import known


@dataclass(frozen=True, eq=False)
class Agreement:
    """Predicted less reference ages, in months.

    Attributes:
        rows: [M] positions of the cases that have both.
        mean: [M] of both ages.
        difference: [M] above 0 where an age is read too high.
        limits: bias and limits of agreement.
        figures, undefined: mean absolute difference and the rest, with intervals.
    """

    rows: NDArray[np.int64]
    mean: Floats
    difference: Floats
    limits: BlandAltman
    figures: tuple[Metric, ...]
    undefined: tuple[Undefined, ...]


def agreement(truth: Floats, age: Floats, owners: ArrayLike | None = None) -> Agreement:
    """Compare predicted with reference ages.

    Args:
        truth: [N] reference ages in months; cases with NaN here or there are left out.
        age: [N] predicted.
        owners: [N] whose hands they are, which are resampled together; None = each its own.

    Raises:
        InputError: fewer than two cases have both.
    """
    rows = np.flatnonzero(~(np.isnan(truth) | np.isnan(age)))
    reference, predicted = known(truth, age)
    limits = metrics.bland_altman(predicted, reference)
    groups = None if owners is None else np.asarray(owners)[rows]
    return Agreement(
        rows, (predicted + reference) / 2, predicted - reference, limits, *age_figures(reference, predicted, groups)
    )


def age_figures(
    reference: Floats, predicted: Floats, groups: ArrayLike | None = None
) -> tuple[tuple[Metric, ...], tuple[Undefined, ...]]:
    """Mean absolute difference (bootstrap over owners), bias and limits of agreement, in months.

    Args:
        reference, predicted: [M] without NaN.
        groups: [M] owners; None = each its own.
    """
    number = reference.size
    distance = partial(metrics.mean_absolute_difference, predicted, reference, groups=groups)
    both = partial(metrics.bland_altman, predicted, reference)
    figures = (
        Figure("mean absolute difference", "", number, distance),
        Figure("bias", "above 0 where ages are read too high", number, lambda: both().bias),
        Figure("lower limit of agreement", "", number, lambda: both().lower),
        Figure("upper limit of agreement", "", number, lambda: both().upper),
    )
    return work_out(figures, "")
