"""Does a predicted probability mean what it says?"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq, minimize, minimize_scalar
from scipy.special import expit, logit, logsumexp
from scipy.stats import norm

from cxrkit.checks import Bools, Floats, both_classes, check_level, classes, probabilities
from cxrkit.errors import InputError
from cxrkit.metrics.interval import Interval, wilson_interval

TEMPERATURES = (0.05, 20.0)
"""Range of a fitted temperature. **Choice**: where every case is right the best temperature is 0, and this ends it."""

_CLIP = 1e-6
"""Probabilities are kept this far from 0 and 1 before the logit is taken."""


@dataclass(frozen=True)
class ReliabilityBin:
    """Cases of similar predicted probability.

    Attributes:
        low, high: the bin's ends; it holds low <= probability < high, and the last one also 1.
        count: cases in it, at least 1.
        mean_probability: mean prediction of these cases.
        positive_share: share of positive cases, with Wilson's interval.
    """

    low: float
    high: float
    count: int
    mean_probability: float
    positive_share: Interval


@dataclass(frozen=True)
class Recalibration:
    """Logistic recalibration (Cox 1958; Van Calster et al. 2019).

    Attributes:
        slope: 1 is ideal, below 1 overconfident; with Wald's interval.
        intercept: of the same fit, 0 is ideal; with Wald's interval.
        in_the_large: the intercept while the slope is held at 1: positive where risks are predicted too low.
    """

    slope: Interval
    intercept: Interval
    in_the_large: float


def reliability_bins(
    target: ArrayLike, probability: ArrayLike, bins: int = 15, spacing: Literal["width", "count"] = "width"
) -> tuple[ReliabilityBin, ...]:
    """The bins of a reliability diagram, empty ones left out.

    Args:
        target: [N] 0 or 1.
        probability: [N] of the positive class, in [0, 1].
        bins: how many, at least 1.
        spacing: equal widths over [0, 1], or equal counts (ties stay together).

    Raises:
        InputError: no case, lengths that differ, probabilities outside [0, 1], or no bin.
    """
    positive, values = probabilities(target, probability)
    if bins < 1:
        raise InputError(f"{bins} bins were asked for; take at least 1.")
    if spacing == "width":
        edges = np.linspace(0, 1, bins + 1)
    else:
        inner = np.quantile(values, np.arange(1, bins) / bins)
        edges = np.unique(np.r_[0.0, inner, 1.0])
    index = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, edges.size - 2)
    return tuple(
        ReliabilityBin(
            low=float(edges[number]),
            high=float(edges[number + 1]),
            count=int((index == number).sum()),
            mean_probability=float(values[index == number].mean()),
            positive_share=wilson_interval(int(positive[index == number].sum()), int((index == number).sum())),
        )
        for number in np.unique(index)
    )


def expected_calibration_error(
    target: ArrayLike, probability: ArrayLike, bins: int = 15, spacing: Literal["width", "count"] = "width"
) -> float:
    """Mean distance of predicted and observed share over the bins, weighted by count (Naeini et al. 2015).

    For several classes give "the answer was right" as target and its probability.

    Args and Raises: as `reliability_bins`.

    Returns:
        In [0, 1]; small sets make it larger than it is.
    """
    rows = reliability_bins(target, probability, bins, spacing)
    total = sum(row.count for row in rows)
    return sum(row.count * abs(row.mean_probability - row.positive_share.value) for row in rows) / total


def brier(target: ArrayLike, probability: ArrayLike) -> float:
    """Mean squared error of the probability (Brier 1950, for one class), in [0, 1]; 0 is ideal.

    Args:
        target: [N] 0 or 1.
        probability: [N] of the positive class, in [0, 1].

    Raises:
        InputError: no case, lengths that differ, or probabilities outside [0, 1].
    """
    positive, values = probabilities(target, probability)
    return float(np.mean((values - positive) ** 2))


def fit_temperature(logits: ArrayLike, target: ArrayLike) -> float:
    """The T for which softmax(logits / T) has the lowest negative log likelihood (Guo et al. 2017).

    It never changes which class comes first. For one sigmoid output give the columns (0, logit).

    Args:
        logits: [N, K], K at least 2.
        target: [N] class indices below K, at least two classes among them.

    Returns:
        T within `TEMPERATURES`; above 1 where the network is overconfident.

    Raises:
        InputError: shapes that do not fit, values that are not finite, or one class only.
    """
    scores = np.asarray(logits, dtype=np.float64)
    truth = classes(target, "targets")
    if scores.ndim != 2 or scores.shape[1] < 2 or scores.shape[0] != truth.size:
        raise InputError(
            f"The logits have shape {scores.shape} for {truth.size} targets; "
            "give one row a case and one column a class."
        )
    if not np.isfinite(scores).all():
        raise InputError("Some logits are not finite numbers; leave those cases out first.")
    if truth.max() >= scores.shape[1]:
        raise InputError(f"A target is {truth.max()}, but the logits have only {scores.shape[1]} classes.")
    if truth.min() == truth.max():
        raise InputError("All cases belong to one class, so a temperature cannot be fitted. Add cases of another.")
    margins = scores - scores[np.arange(truth.size), truth][:, None]

    def loss(log_temperature: float) -> float:
        return float(np.mean(logsumexp(margins / math.exp(log_temperature), axis=1)))

    ends = (math.log(TEMPERATURES[0]), math.log(TEMPERATURES[1]))
    return math.exp(float(minimize_scalar(loss, bounds=ends, method="bounded", options={"xatol": 1e-6}).x))


def calibration_slope_intercept(target: ArrayLike, probability: ArrayLike, level: float = 0.95) -> Recalibration:
    """Fit P(positive) = sigmoid(intercept + slope * logit(probability)) by maximum likelihood.

    Args:
        target: [N] 0 or 1, both present.
        probability: [N] of the positive class, in [0, 1].
        level: confidence level of the intervals.

    Raises:
        InputError: as `brier`; one class only; or probabilities that separate the classes fully or are all the same,
            for which the slope is infinite or undefined.
    """
    check_level(level)
    positive, values = probabilities(target, probability)
    both_classes(positive)
    predictor = logit(np.clip(values, _CLIP, 1 - _CLIP))
    cases, controls = predictor[positive], predictor[~positive]
    if cases.min() >= controls.max() or cases.max() <= controls.min():
        raise InputError(
            "The probabilities separate the two classes completely or are all the same, so the calibration slope is "
            "undefined. Measure it on more or harder cases."
        )
    design = np.stack([np.ones_like(predictor), predictor], axis=1)
    weights = _logistic(design, positive)
    risk = expit(design @ weights)
    covariance = np.linalg.inv((design * (risk * (1 - risk))[:, None]).T @ design)
    half = norm.ppf((1 + level) / 2) * np.sqrt(np.diag(covariance))
    intercept, slope = (
        Interval(float(value), float(value - wide), float(value + wide), level)
        for value, wide in zip(weights, half, strict=True)
    )
    # |logit| is at most 13.9 after clipping, so the root lies well inside +-100.
    shift = brentq(lambda offset: float(np.mean(expit(predictor + offset) - positive)), -100.0, 100.0)
    return Recalibration(slope, intercept, float(shift))


def _logistic(design: Floats, positive: Bools) -> Floats:
    """Weights [2] of an unpenalised logistic regression."""

    def loss(weights: Floats) -> float:
        linear = design @ weights
        return float(np.mean(np.logaddexp(0, linear) - positive * linear))

    def slope(weights: Floats) -> Floats:
        return np.asarray(design.T @ (expit(design @ weights) - positive) / positive.size)

    def curvature(weights: Floats) -> Floats:
        risk = expit(design @ weights)
        return np.asarray((design * (risk * (1 - risk))[:, None]).T @ design / positive.size)

    start = np.array([0.0, 1.0])
    result = minimize(loss, start, jac=slope, hess=curvature, method="trust-exact", options={"gtol": 1e-9})
    if np.abs(result.jac).max() > 1e-6:
        raise InputError("The calibration slope cannot be determined from these cases. Measure it on more of them.")
    return np.asarray(result.x, dtype=np.float64)
