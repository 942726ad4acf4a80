"""Differences of two paired measurements, with interval and p-value; cases of one patient stay together."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binomtest, norm, rankdata

from cxrkit.checks import Bools, Floats, Integers, both_classes, numbers, same_length, scored
from cxrkit.errors import InputError
from cxrkit.metrics import Interval, bootstrap_interval, delong_test, wilson_interval

_FLIPS = 1999
_AT_ONCE = 4_000_000
"""Signs that are drawn at once, so that memory does not grow with the cases."""

DELONG = "DeLong"
BY_PATIENT = "DeLong over patients (Obuchowski 1997)"
MCNEMAR = "exact McNemar"
NEWCOMBE = "Newcombe (1998)"
BOOTSTRAP = "paired bootstrap"
FLIPS = f"sign flips, {_FLIPS:,} draws"
FLIPS_BY_PATIENT = f"sign flips of whole patients, {_FLIPS:,} draws"


@dataclass(frozen=True)
class Tested:
    """Two figures on the same cases.

    Attributes:
        first, second: the figures.
        difference: first - second, with its interval.
        p: two-sided.
        interval, test: what the interval and p are by, in words.
        cases: that the figures were measured on.
    """

    first: float
    second: float
    difference: Interval
    p: float
    interval: str
    test: str
    cases: int


def auc_difference(target: ArrayLike, first: ArrayLike, second: ArrayLike, owners: ArrayLike) -> Tested:
    """Two AUCs: DeLong's test, or where a patient has several cases Obuchowski's, with whole patients in their place.

    N. A. Obuchowski, Biometrics 53, 567 (1997); with one case a patient it is DeLong's.

    Args:
        target: [N] 0 or 1.
        first, second: [N] scores; higher means more likely positive.
        owners: [N] whose case each is.

    Raises:
        InputError: fewer than two patients with a case of either class; or the areas differ without any variance.
    """
    whose = _whose(owners)
    if whose.max(initial=-1) + 1 == whose.size:
        found = delong_test(target, first, second)
        return Tested(found.auc_a, found.auc_b, found.difference, found.p, DELONG, DELONG, whose.size)
    (positive, one), (_, other) = scored(target, first), scored(target, second)
    same_length(one.size, whose.size, ("scores", "owners"))
    both_classes(positive, least=2)
    if min(np.unique(whose[which]).size for which in (positive, ~positive)) < 2:
        raise InputError("The AUC needs cases of at least two patients of either class.")
    areas = [_ranked_rightly(positive, score) for score in (one, other)]
    gaps = areas[0] - areas[1]
    gap = float(gaps[positive].mean())
    error = _error(gaps - gap, positive, whose)
    if error == 0 and gap != 0:
        raise InputError("The two areas differ by the same amount in every case, so there is nothing to test against.")
    p = float(2 * norm.sf(abs(gap) / error)) if error else 1.0
    half = float(norm.ppf(0.975)) * error
    interval = Interval(gap, max(-1.0, gap - half), min(1.0, gap + half))
    auc_a, auc_b = (float(each[positive].mean()) for each in areas)
    return Tested(auc_a, auc_b, interval, p, BY_PATIENT, BY_PATIENT, whose.size)


def mean_difference(first: ArrayLike, second: ArrayLike, owners: ArrayLike) -> Tested:
    """Two means of paired values: a share of 0s and 1s, or a distance such as the MAD.

    Of 0s and 1s of independent cases the interval is Newcombe's and p the exact McNemar test. Of other values the
    interval is a paired bootstrap that resamples patients, and for p the signs of the differences, summed for each
    patient, are flipped at random (Fisher 1935).

    Args:
        first, second: [N] values.
        owners: [N] whose case each is.

    Raises:
        InputError: no case, those of one owner alone, or differences that are all the same, of which a resample would
            always be the same; lengths that differ, or a value that is not a number.
    """
    one, other, whose = numbers(first, "values"), numbers(second, "values"), _whose(owners)
    same_length(one.size, other.size, ("values", "values"))
    same_length(one.size, whose.size, ("values", "owners"))
    if whose.max() == 0:
        raise InputError("The interval of the difference needs at least two cases, and those of at least two patients.")
    totals: Floats = np.bincount(whose, one - other).astype(np.float64)
    counts, means = np.bincount(whose), (float(one.mean()), float(other.mean()))
    alone = counts.max() == 1
    if alone and np.isin([one, other], (0.0, 1.0)).all():
        p = mcnemar(one > other, other > one)
        return Tested(*means, newcombe_interval(one == 1, other == 1), p, NEWCOMBE, MCNEMAR, one.size)
    if np.ptp(totals / counts) == 0:
        raise InputError("The two differ in every case by the same, or not at all, so nothing says how sure that is.")
    interval = bootstrap_interval(lambda total, count: float(total.sum() / count.sum()), totals, counts)
    test = FLIPS if alone else FLIPS_BY_PATIENT
    return Tested(*means, interval, _flipped(totals), BOOTSTRAP, test, one.size)


def newcombe_interval(first: Bools, second: Bools) -> Interval:
    """Difference of two paired shares, with an interval that is never empty.

    R. G. Newcombe, Statistics in Medicine 17, 2635 (1998), method 10: Wilson's intervals of both shares, joined by
    their correlation.

    Args:
        first, second: [N] whether each answer holds; at least one case.
    """
    both, neither = int((first & second).sum()), int((~first & ~second).sum())
    shares = [wilson_interval(int(each.sum()), each.size) for each in (first, second)]
    product = math.prod(float(each.sum()) * float((~each).sum()) for each in (first, second))
    tied = both * neither - int((first & ~second).sum()) * int((~first & second).sum())
    corrected = max(tied - first.size / 2, 0.0) if tied > 0 else float(tied)  # for continuity, as Newcombe does
    phi = corrected / math.sqrt(product) if product else 0.0
    (one, other), gap = shares, shares[0].value - shares[1].value
    down, up = (one.value - one.low, other.high - other.value), (one.high - one.value, other.value - other.low)
    low, high = (math.sqrt(max(a * a - 2 * phi * a * b + b * b, 0.0)) for a, b in (down, up))
    return Interval(gap, max(-1.0, gap - low), min(1.0, gap + high))


def mcnemar(first_alone: Bools, second_alone: Bools) -> float:
    """Two-sided exact p of McNemar's test (Biometrika 12, 153, 1947), by the binomial distribution.

    Args:
        first_alone, second_alone: [N] cases in which one of the two answers holds and the other does not.
    """
    one, other = int(first_alone.sum()), int(second_alone.sum())
    return float(binomtest(one, one + other).pvalue) if one + other else 1.0


def _whose(owners: ArrayLike) -> Integers:
    """Owners numbered from 0."""
    return np.asarray(np.unique(np.asarray(owners), return_inverse=True)[1], dtype=np.int64)


def _ranked_rightly(positive: Bools, score: Floats) -> Floats:
    """[N] share of the other class that each case is ranked rightly against; ties count half."""
    ranks, right = rankdata(score), np.empty(score.size)
    for which, sign in ((positive, 1), (~positive, -1)):
        above = ranks[which] - rankdata(score[which])
        others = score.size - int(which.sum())
        right[which] = above / others if sign > 0 else 1 - above / others
    return right


def _error(apart: Floats, positive: Bools, whose: Integers) -> float:
    """Standard error of a mean over both classes, with whole patients in place of cases."""
    pull = np.empty(apart.size)
    for which in (positive, ~positive):
        owners = np.unique(whose[which]).size
        pull[which] = apart[which] * math.sqrt(owners / (owners - 1)) / which.sum()
    return float(np.linalg.norm(np.bincount(whose, pull)))


def _flipped(totals: Floats, seed: int = 0) -> float:
    """Share of random signs that move the sum at least as far as it is, the observed ones among them."""
    totals = totals[totals != 0]
    if totals.size == 0:
        return 1.0
    generator = np.random.default_rng(seed)
    limit = abs(totals.sum()) - 1e-9 * np.abs(totals).sum()
    step = max(1, _AT_ONCE // totals.size)
    reached = 0
    for start in range(0, _FLIPS, step):
        signs = generator.integers(0, 2, size=(min(step, _FLIPS - start), totals.size), dtype=np.int8)
        reached += int((np.abs((2.0 * signs - 1.0) @ totals) >= limit).sum())
    return (reached + 1) / (_FLIPS + 1)
