"""AUC of one label, or the mean over several, where a patient may have several images.

N. A. Obuchowski, Biometrics 53, 567 (1997): DeLong's variance with whole patients in place of images. With one image a
patient it is DeLong's (cxrkit.metrics.delong).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit
from scipy.stats import norm, rankdata

from cxrkit.checks import Bools, Floats, Integers, both_classes, check_level, scored
from cxrkit.errors import InputError
from cxrkit.metrics import Interval, delong_interval


@dataclass(frozen=True, eq=False)
class _Judged:
    """One label.

    Attributes:
        area: AUC.
        pull: [P] how far each patient moves the area; the sum of squares is its variance.
        sure: interval of an area of 0 or 1, which has no variance and ends there; None of others.
    """

    area: float
    pull: Floats
    sure: Interval | None


def auc_by_patient(target: ArrayLike, score: ArrayLike, owners: Sequence[str], level: float = 0.95) -> Interval:
    """AUC with an interval on the logit scale.

    Args:
        target: [N] 0 or 1.
        score: [N] higher means more likely positive.
        owners: [N] whose image each is; images of one owner are not independent.
        level: confidence level.

    Raises:
        InputError: fewer than two owners with a positive image or with another one, lengths that differ, or a score
            that is not a number.
    """
    return macro_auc([target], [score], owners, level)


def macro_auc(
    targets: Sequence[ArrayLike], scores: Sequence[ArrayLike], owners: Sequence[str], level: float = 0.95
) -> Interval:
    """Mean of the AUCs of L labels with an interval on the logit scale, which knows that labels share their images.

    A label whose area is 0 or 1 shows no variance, and is not certain for that: the half width of its own interval
    counts as that of an independent label would. Where no label shows any, the interval is the mean of theirs.

    Args:
        targets, scores: [N] for each label, as for `auc_by_patient`.
        owners: [N].
        level: confidence level.

    Raises:
        InputError: no label; or as `auc_by_patient`, of any of them.
    """
    check_level(level)
    if not targets:
        raise InputError("There is no label to take a mean over, so this figure is undefined.")
    patient = np.unique(np.asarray(owners, dtype=np.str_), return_inverse=True)[1]
    labels = [_judge(*scored(*each), patient, level) for each in zip(targets, scores, strict=True)]
    area = float(np.mean([label.area for label in labels]))
    error = float(np.linalg.norm(np.mean([label.pull for label in labels], axis=0)))
    if error == 0:
        sure = [label.sure or Interval(label.area, label.area, label.area, level) for label in labels]
        low, high = (float(np.mean([getattr(each, end) for each in sure])) for end in ("low", "high"))
        return Interval(area, low, high, level)
    deviate = float(norm.ppf((1 + level) / 2))
    unseen = [(label.sure.high - label.sure.low) / deviate / len(labels) for label in labels if label.sure]
    half = deviate * math.hypot(error, *unseen) / (area * (1 - area))
    return Interval(area, float(expit(logit(area) - half)), float(expit(logit(area) + half)), level)


def _judge(positive: Bools, score: Floats, patient: Integers, level: float) -> _Judged:
    if len(patient) != len(score):
        raise InputError("Each image needs an owner; give one for each of them.")
    both_classes(positive, least=2)
    owners = [np.unique(patient[which]).size for which in (positive, ~positive)]
    if min(owners) < 2:
        raise InputError("The AUC needs images of at least two patients with the label and of two without it.")
    ranks = rankdata(score)
    counts = (int(positive.sum()), int((~positive).sum()))
    right = np.empty(len(score))
    right[positive] = (ranks[positive] - rankdata(score[positive])) / counts[1]
    right[~positive] = 1 - (ranks[~positive] - rankdata(score[~positive])) / counts[0]
    area = float(right[positive].mean())
    pull = (right - area) * np.where(positive, _weight(counts[0], owners[0]), _weight(counts[1], owners[1]))
    whole = np.asarray(np.bincount(patient, weights=pull), dtype=np.float64)
    sure = _sure(positive, score, patient, level) if area in (0.0, 1.0) else None
    return _Judged(area, whole, sure)


def _weight(images: int, owners: int) -> float:
    """Of an image among those of its class: 1 / images, with the correction for so many owners."""
    return math.sqrt(owners / (owners - 1)) / images


def _sure(positive: Bools, score: Floats, patient: Integers, level: float) -> Interval:
    """Of an area of 0 or 1: DeLong's, from one image of each class a patient."""
    kept = np.unique(np.stack([patient, positive]), axis=1, return_index=True)[1]
    return delong_interval(positive[kept], score[kept], level)
