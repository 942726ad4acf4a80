"""What each of several labels rests on: training cases, calibration, and its AUC on patients not trained on."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cxrkit.errors import InputError

TOO_FEW = "too few training cases"
"""Remark of a label that is never called."""


def sigmoid(logit: float) -> float:
    """In [0, 1]; it does not overflow."""
    return 0.5 * (1 + math.tanh(logit / 2))


@dataclass(frozen=True)
class Calibration:
    """Logit -> probability of one label: sigmoid(intercept + slope * logit) (Platt 1999, without his smoothing).

    Attributes:
        slope, intercept: by maximum likelihood; the slope is above 0, so that the order of scores stays.
        covariance: of the two: variance of the intercept, their covariance, variance of the slope.
    """

    slope: float
    intercept: float
    covariance: tuple[float, float, float]

    def probability(self, logit: float) -> float:
        """In [0, 1]."""
        return sigmoid(self.intercept + self.slope * logit)

    def interval(self, logit: float, level: float = 0.95) -> tuple[float, float]:
        """Ends within which the share of positives among images of this logit lies (Wald, on the logit scale).

        It knows of the calibration cases' number alone, and nothing of another hospital.

        Args:
            logit: of the label.
            level: confidence level, in (0, 1).
        """
        of_intercept, both, of_slope = self.covariance
        variance = of_intercept + 2 * logit * both + logit**2 * of_slope
        half = NormalDist().inv_cdf((1 + level) / 2) * math.sqrt(max(variance, 0.0))
        centre = self.intercept + self.slope * logit
        return sigmoid(centre - half), sigmoid(centre + half)


@dataclass(frozen=True)
class LabelSupport:
    """One label of a card whose labels are answered each by itself.

    Attributes:
        label: as in the card's labels.
        positives: training images that carry it.
        remark: why it is never called, such as TOO_FEW; "" = it may be called.
        calibration: on carved cases; None = its scores are not calibrated.
        tested: positive images among those that the AUC was measured on.
        auc, low, high: on patients not trained on, with its 95 % interval; None where it is undefined.
    """

    label: str
    positives: int
    remark: str = ""
    calibration: Calibration | None = None
    tested: int = 0
    auc: float | None = None
    low: float | None = None
    high: float | None = None

    @classmethod
    def from_card(cls, raw: Mapping[str, Any]) -> "LabelSupport":
        """What `dataclasses.asdict` made a mapping of, as it comes back from JSON.

        Raises:
            KeyError, TypeError, ValueError: it is not one.
        """
        fitted = raw["calibration"]
        support = cls(**{**raw, "calibration": None if fitted is None else _calibration(fitted)})
        if not isinstance(support.label, str) or not isinstance(support.remark, str):
            raise TypeError("label")
        if not all(type(count) is int and count >= 0 for count in (support.positives, support.tested)):
            raise TypeError("counts")
        _check_auc(support)
        return support


def _calibration(raw: Mapping[str, Any]) -> Calibration:
    first, both, second = (float(value) for value in raw["covariance"])
    found = Calibration(float(raw["slope"]), float(raw["intercept"]), (first, both, second))
    finite = all(math.isfinite(value) for value in (found.slope, found.intercept, *found.covariance))
    if not finite or found.slope <= 0 or min(first, second) < 0:
        raise ValueError("calibration")
    return found


def _check_auc(support: LabelSupport) -> None:
    ends = (support.low, support.auc, support.high)
    known = [value for value in ends if value is not None]
    if len(known) not in {0, 3} or not all(isinstance(value, float | int) and 0 <= value <= 1 for value in known):
        raise TypeError("auc")
    if known != sorted(known):
        raise ValueError("auc")


def fit_calibration(logits: ArrayLike, target: ArrayLike) -> Calibration:
    """Fit a label's calibration.

    Args:
        logits: [N] of the label.
        target: [N] 0 or 1.

    Raises:
        InputError: as metrics.calibration_slope_intercept; or the scores fall with the label, so that nothing can be
            calibrated.
    """
    from scipy.special import expit  # a page that reads a card waits for neither of these

    from cxrkit.checks import numbers
    from cxrkit.metrics import calibration_slope_intercept

    values = numbers(logits, "logits")
    fitted = calibration_slope_intercept(target, expit(values))
    slope, intercept = fitted.slope.value, fitted.intercept.value
    if slope <= 0:
        raise InputError("Scores are not higher where the label is set, so they cannot be calibrated.")
    risk = expit(intercept + slope * values)
    design = np.stack([np.ones_like(values), values], axis=1)
    covariance = np.linalg.inv((design * (risk * (1 - risk))[:, None]).T @ design)
    return Calibration(slope, intercept, (float(covariance[0, 0]), float(covariance[0, 1]), float(covariance[1, 1])))
