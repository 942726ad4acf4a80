"""A figure with its confidence interval; Wilson's for a share, the bootstrap for the rest."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binomtest

from cxrkit.checks import Integers, check_level
from cxrkit.errors import InputError


@dataclass(frozen=True)
class Interval:
    """A figure and the interval that holds the true value in a share `level` of repetitions.

    Attributes:
        value: the estimate.
        low, high: ends of the interval, in the unit of `value`.
        level: confidence level, in (0, 1).
    """

    value: float
    low: float
    high: float
    level: float = 0.95


@cache  # SciPy also works out a p-value that nobody asked for, which takes milliseconds
def wilson_interval(successes: int, trials: int, level: float = 0.95) -> Interval:
    """A share with Wilson's score interval (Wilson 1927), which stays in [0, 1] and works at 0 and 1.

    Args:
        successes: 0 to `trials`.
        trials: at least 1.

    Raises:
        InputError: no trial, or successes out of range.
    """
    check_level(level)
    if trials < 1:
        raise InputError("There is no case to take a share of, so this figure is undefined.")
    if not 0 <= successes <= trials:
        raise InputError(f"{successes} successes of {trials} trials is not possible.")
    ends = binomtest(successes, trials).proportion_ci(level, method="wilson")
    return Interval(successes / trials, float(ends.low), float(ends.high), level)


def bootstrap_interval(
    statistic: Callable[..., float],
    *arrays: ArrayLike,
    repeats: int = 1000,
    seed: int = 0,
    strata: ArrayLike | None = None,
    level: float = 0.95,
) -> Interval:
    """Percentile bootstrap interval (Efron 1979) of any statistic of paired arrays.

    Not `scipy.stats.bootstrap`, which cannot resample within strata.

    Args:
        statistic: (*arrays) -> float; raises InputError where it is undefined.
        arrays: arrays whose first axis is the case, N long; all are resampled together.
        repeats: number of resamples, at least 100.
        seed: same seed, same interval.
        strata: [N] keys (such as the targets); each stratum is resampled within itself and so keeps its size.
            Use it where a resample may otherwise lose a rare class.

    Raises:
        InputError: lengths differ, there is no case, or the statistic is undefined on the cases or on a resample.
            Undefined resamples are not skipped: that would make the interval look better than it is.
    """
    check_level(level)
    if repeats < 100:
        raise InputError(f"{repeats} resamples are too few for an interval; take at least 100.")
    data = [np.asarray(array) for array in arrays]
    groups = _groups(data, strata)
    value = float(statistic(*data))
    generator = np.random.default_rng(seed)
    values = np.empty(repeats)
    for index in range(repeats):
        drawn = np.concatenate([group[generator.integers(group.size, size=group.size)] for group in groups])
        try:
            values[index] = statistic(*(array[drawn] for array in data))
        except InputError as error:
            raise InputError(
                "The figure is undefined on a resample of the cases, because there are too few of some kind. "
                f"Resample within the classes, or gather more cases. ({error})"
            ) from error
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(values, [tail, 100 - tail])
    return Interval(value, float(low), float(high), level)


def _groups(data: list[NDArray[np.generic]], strata: ArrayLike | None) -> list[Integers]:
    """Positions of the cases of each stratum."""
    keys = None if strata is None else np.asarray(strata)
    lengths = {len(array) for array in (*data, *(() if keys is None else (keys,)))}
    if len(lengths) != 1:
        raise InputError("The arrays to resample differ in length; give one entry for each case in every one of them.")
    (count,) = lengths
    if count == 0:
        raise InputError("There is no case to resample, so this figure is undefined.")
    if keys is None:
        return [np.arange(count, dtype=np.int64)]
    _, inverse = np.unique(keys, return_inverse=True)
    return [np.flatnonzero(inverse == stratum) for stratum in range(int(inverse.max()) + 1)]
