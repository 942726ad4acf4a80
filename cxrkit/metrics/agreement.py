"""Do two ways of measuring one quantity agree?"""

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm, t

from cxrkit.checks import Floats, Integers, check_level, numbers, same_length
from cxrkit.errors import InputError
from cxrkit.metrics.interval import Interval, bootstrap_interval

_NAMES = ("first measurements", "second measurements")
_REACH = float(norm.ppf(0.975))
"""Standard deviations from the bias to a limit of agreement."""


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


def bland_altman(a: ArrayLike, b: ArrayLike, level: float = 0.95, groups: ArrayLike | None = None) -> BlandAltman:
    """Bias and 95 % limits of agreement (Bland and Altman, Lancet 1986 and Stat Methods Med Res 1999).

    Where a group has several cases, the three intervals are a bootstrap that resamples groups: the formulas of the
    papers are those of independent cases.

    Args:
        a, b: [N] measurements of the same cases, N at least 2.
        level: confidence level of the three intervals (the limits themselves always mean 95 % of the differences).
        groups: [N] as for `mean_absolute_difference`.

    Raises:
        InputError: fewer than two pairs or groups, lengths that differ, or values that are not finite.
    """
    check_level(level)
    difference = _differences(a, b)
    count = difference.size
    if count < 2:
        raise InputError("Limits of agreement need at least two pairs of measurements.")
    of_case = _numbered(groups, count)
    bias, spread = float(difference.mean()), float(difference.std(ddof=1))
    if of_case.max() + 1 < count:
        return BlandAltman(count, spread, *_over_groups(difference, of_case, level))
    quantile = float(t.ppf((1 + level) / 2, count - 1))
    bias_half = quantile * spread / math.sqrt(count)
    # Variance of mean -+ 1.96 s (Bland and Altman 1999, section 2).
    limit_half = quantile * spread * math.sqrt(1 / count + _REACH**2 / (2 * (count - 1)))

    def around(value: float, half: float) -> Interval:
        return Interval(value, value - half, value + half, level)

    return BlandAltman(
        count=count,
        standard_deviation=spread,
        bias=around(bias, bias_half),
        lower=around(bias - _REACH * spread, limit_half),
        upper=around(bias + _REACH * spread, limit_half),
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
        InputError: no pair, lengths that differ, values that are not finite, or fewer than two groups where they are
            given: a resample of one would always be the same. One case without a group has an interval of width 0.
    """
    distance = np.abs(_differences(a, b))
    of_case = _numbered(groups, distance.size)
    totals, counts = np.bincount(of_case, distance), np.bincount(of_case)
    return bootstrap_interval(
        lambda total, count: float(total.sum() / count.sum()), totals, counts, repeats=repeats, seed=seed, level=level
    )


def _over_groups(difference: Floats, of_case: Integers, level: float) -> tuple[Interval, Interval, Interval]:
    """Bias, lower and upper limit with bootstrap intervals."""
    middle = float(difference.mean())
    apart = difference - middle  # squares of large numbers would lose the digits that the spread is made of
    sums = (np.bincount(of_case, apart), np.bincount(of_case, apart**2), np.bincount(of_case))

    def figure(reach: float, total: Floats, squares: Floats, counts: Integers) -> float:
        number = float(counts.sum())
        mean = float(total.sum()) / number
        spread = math.sqrt(max(0.0, float(squares.sum()) - number * mean**2) / (number - 1))
        return middle + mean + reach * spread

    bias, lower, upper = (
        bootstrap_interval(partial(figure, reach), *sums, level=level) for reach in (0.0, -_REACH, _REACH)
    )
    return bias, lower, upper


def _numbered(groups: ArrayLike | None, count: int) -> Integers:
    """[count] group of each case, from 0; InputError where groups are given and there are fewer than two."""
    keys = np.arange(count) if groups is None else np.asarray(groups)
    same_length(count, keys.size, ("differences", "groups"))
    of_case = np.asarray(np.unique(keys, return_inverse=True)[1], dtype=np.int64)
    if groups is not None and of_case.max() == 0:
        raise InputError("The interval needs at least two cases, and those of at least two patients.")
    return of_case


def _differences(a: ArrayLike, b: ArrayLike) -> Floats:
    first, second = numbers(a, _NAMES[0]), numbers(b, _NAMES[1])
    same_length(first.size, second.size, _NAMES)
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise InputError("Some measurements are infinite; leave those cases out first.")
    return first - second
