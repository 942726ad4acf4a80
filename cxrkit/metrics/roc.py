"""Receiver operating characteristic of a score for the positive class.

A case is called positive at score >= threshold.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from cxrkit.checks import Floats, both_classes, scored
from cxrkit.errors import InputError


@dataclass(frozen=True, eq=False)
class RocCurve:
    """One point for each distinct score, from "nobody is positive" to "everybody is".

    Attributes:
        false_positive_rate, true_positive_rate: [P] in [0, 1], both rising from 0 to 1.
        threshold: [P] falling; the first is infinite.
    """

    false_positive_rate: Floats
    true_positive_rate: Floats
    threshold: Floats


def auc(target: ArrayLike, score: ArrayLike) -> float:
    """Area under the ROC curve: the chance that a positive case scores above a negative one, ties counting 1/2.

    By ranks (Mann and Whitney 1947), so any increasing transformation of the score leaves it unchanged.

    Args:
        target: [N] 0 or 1.
        score: [N] higher means more likely positive.

    Raises:
        InputError: one class only, no case, lengths that differ, or a score that is not a number.
    """
    positive, values = scored(target, score)
    both_classes(positive)
    cases = int(positive.sum())
    wins = rankdata(values)[positive].sum() - cases * (cases + 1) / 2
    return float(wins / (cases * (values.size - cases)))


def roc_curve(target: ArrayLike, score: ArrayLike) -> RocCurve:
    """The ROC curve at every distinct score.

    Args:
        target: [N] 0 or 1.
        score: [N] higher means more likely positive.

    Raises:
        InputError: as `auc`.
    """
    positive, values = scored(target, score)
    both_classes(positive)
    thresholds, inverse = np.unique(-values, return_inverse=True)
    hits = np.cumsum(np.bincount(inverse, weights=positive))
    alarms = np.cumsum(np.bincount(inverse, weights=~positive))
    return RocCurve(
        false_positive_rate=np.r_[0.0, alarms / alarms[-1]],
        true_positive_rate=np.r_[0.0, hits / hits[-1]],
        threshold=np.r_[np.inf, -thresholds],
    )


def threshold_for_sensitivity(target: ArrayLike, score: ArrayLike, sensitivity: float) -> float:
    """The highest threshold that reaches a wanted sensitivity on these cases.

    Args:
        target: [N] 0 or 1.
        score: [N] higher means more likely positive.
        sensitivity: in (0, 1].

    Returns:
        A threshold halfway between the two observed scores that it separates.

    Raises:
        InputError: as `auc`, or the sensitivity is out of range.
    """
    if not 0 < sensitivity <= 1:
        raise InputError(f"The wanted sensitivity is {sensitivity:g}; it has to be above 0 and at most 1.")
    curve = roc_curve(target, score)
    # A share such as 0.9 is not exact in binary; 9 of 10 has to reach it.
    return _between(curve, int(np.argmax(curve.true_positive_rate >= sensitivity - 1e-12)))


def youden_threshold(target: ArrayLike, score: ArrayLike) -> float:
    """The threshold of the highest sensitivity + specificity - 1 (Youden 1950); of equal ones the highest.

    Args:
        target: [N] 0 or 1.
        score: [N] higher means more likely positive.

    Returns:
        A finite threshold halfway between the two observed scores that it separates.

    Raises:
        InputError: as `auc`.
    """
    curve = roc_curve(target, score)
    # The infinite threshold at index 0 is no operating point, so the search starts behind it. Rounding keeps
    # equal heights equal.
    height = np.round(curve.true_positive_rate - curve.false_positive_rate, 12)
    return _between(curve, 1 + int(np.argmax(height[1:])))


def _between(curve: RocCurve, index: int) -> float:
    """A threshold with the outcome of point `index`, away from the observed scores where there is room.

    Another machine's rounding of a score then does not flip the very case that set the threshold.
    """
    upper = float(curve.threshold[index])
    if index + 1 == curve.threshold.size:
        return upper
    lower = float(curve.threshold[index + 1])
    middle = lower / 2 + upper / 2
    return middle if lower < middle < upper else upper
