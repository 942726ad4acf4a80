"""Do two ways of measuring one quantity agree?"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm, t

from cxrkit.checks import Floats, check_level, numbers, same_length
from cxrkit.errors import InputError
from cxrkit.metrics.interval import Interval, bootstrap_interval

_NAMES = ("first measurements", "second measurements")


@dataclass(frozen=True)
class BlandAltman:
    """Agreement of two measurements, in their unit.

    Attributes:
        count: pairs.
        standard_deviation: of the differences a - b.
        bias: mean of a - b.
        lower, upper: limits of agreement, bias -+ 1.96 standard deviations, each with its own interval.
    """

    count: int
    standard_deviation: float
    bias: Interval
    lower: Interval
    upper: Interval


def bland_altman(a: ArrayLike, b: ArrayLike, level: float = 0.95) -> BlandAltman:
    """Bias and 95 % limits of agreement (Bland and Altman, Lancet 1986 and Stat Methods Med Res 1999).

    Args:
        a, b: [N] measurements of the same cases, N at least 2.
        level: confidence level of the three intervals (the limits themselves always mean 95 % of the differences).

    Raises:
        InputError: fewer than two pairs, lengths that differ, or values that are not finite.
    """
    check_level(level)
    difference = _differences(a, b)
    count = difference.size
    if count < 2:
        raise InputError("Limits of agreement need at least two pairs of measurements.")
    bias, spread = float(difference.mean()), float(difference.std(ddof=1))
    quantile = float(t.ppf((1 + level) / 2, count - 1))
    reach = float(norm.ppf(0.975))
    bias_half = quantile * spread / math.sqrt(count)
    # Variance of mean -+ reach * s (Bland and Altman 1999, section 2).
    limit_half = quantile * spread * math.sqrt(1 / count + reach**2 / (2 * (count - 1)))

    def around(value: float, half: float) -> Interval:
        return Interval(value, value - half, value + half, level)

    return BlandAltman(
        count=count,
        standard_deviation=spread,
        bias=around(bias, bias_half),
        lower=around(bias - reach * spread, limit_half),
        upper=around(bias + reach * spread, limit_half),
    )


def mean_absolute_difference(
    a: ArrayLike,
    b: ArrayLike,
    repeats: int = 1000,
    seed: int = 0,
    level: float = 0.95,
    groups: ArrayLike | None = None,
) -> Interval:
    """Mean of |a - b| with its bootstrap interval, in the unit of the measurements.

    Args:
        a, b: [N] measurements of the same cases.
        repeats, seed, level: as for `bootstrap_interval`.
        groups: [N] keys, such as patients: cases of one key are resampled together, because they are not independent.
            None: every case by itself.

    Raises:
        InputError: no pair, lengths that differ, or values that are not finite.
    """
    distance = np.abs(_differences(a, b))
    keys = np.arange(distance.size) if groups is None else np.asarray(groups)
    same_length(distance.size, keys.size, ("differences", "groups"))
    _, of_case = np.unique(keys, return_inverse=True)
    totals, counts = np.bincount(of_case, distance), np.bincount(of_case)
    return bootstrap_interval(
        lambda total, count: float(total.sum() / count.sum()), totals, counts, repeats=repeats, seed=seed, level=level
    )


def _differences(a: ArrayLike, b: ArrayLike) -> Floats:
    first, second = numbers(a, _NAMES[0]), numbers(b, _NAMES[1])
    same_length(first.size, second.size, _NAMES)
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise InputError("Some measurements are infinite; leave those cases out first.")
    return first - second
