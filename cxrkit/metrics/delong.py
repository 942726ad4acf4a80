"""DeLong's interval of an AUC and test of two AUCs measured on the same cases.

E. R. DeLong, D. M. DeLong and D. L. Clarke-Pearson, Biometrics 44, 837 (1988); by midranks in O(N log N) after
X. Sun and W. Xu, IEEE Signal Processing Letters 21, 1389 (2014).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit
from scipy.stats import norm, rankdata

from cxrkit.checks import Bools, Floats, both_classes, check_level, scored
from cxrkit.errors import InputError
from cxrkit.metrics.interval import Interval


@dataclass(frozen=True)
class DelongTest:
    """Two AUCs on the same cases.

    Attributes:
        auc_a, auc_b: the two areas.
        difference: auc_a - auc_b with its interval, within [-1, 1].
        z: difference in standard errors.
        p: two-sided.
    """

    auc_a: float
    auc_b: float
    difference: Interval
    z: float
    p: float


@dataclass(frozen=True, eq=False)
class _Placements:
    """Of each case, how many of the other class it is ranked rightly against (ties 1/2); exact halves.

    Attributes:
        cases: [m] for the positive cases, 0 to n.
        controls: [n] for the negative cases, 0 to m.
    """

    cases: Floats
    controls: Floats

    @property
    def area(self) -> float:
        return float(self.cases.sum() / (self.cases.size * self.controls.size))

    def minus(self, other: "_Placements") -> "_Placements":
        return _Placements(self.cases - other.cases, self.controls - other.controls)

    @property
    def constant(self) -> bool:
        return bool(np.ptp(self.cases) == 0 and np.ptp(self.controls) == 0)

    @property
    def variance(self) -> float:
        """Variance of the area: S10 / m + S01 / n, DeLong 1988, equation 4 and those after it."""
        m, n = self.cases.size, self.controls.size
        return float(np.var(self.cases / n, ddof=1) / m + np.var(self.controls / m, ddof=1) / n)


def _placements(positive: Bools, score: Floats) -> _Placements:
    """Midrank among all less midrank within the own class (Sun and Xu 2014, equations 5 to 8)."""
    ranks = rankdata(score)
    above = ranks[positive] - rankdata(score[positive])
    below = positive.sum() - (ranks[~positive] - rankdata(score[~positive]))
    return _Placements(above, below)


def delong_interval(target: ArrayLike, score: ArrayLike, level: float = 0.95) -> Interval:
    """AUC with DeLong's interval on the logit scale, so that it stays within [0, 1].

    An AUC of exactly 1 (or 0) has no variance, and its interval is not a point. **Choice**: of k = min(m, n)
    disjoint pairs of a positive and a negative case all k are ranked rightly, which happens with a chance of at
    most AUC^k; so the lower end is ((1 - level) / 2)^(1 / k), as Clopper and Pearson's for k of k. It is
    conservative.

    Args:
        target: [N] 0 or 1, at least two of each.
        score: [N] higher means more likely positive.
        level: confidence level.

    Raises:
        InputError: fewer than two cases of a class, lengths that differ, or a score that is not a number.
    """
    check_level(level)
    positive, values = scored(target, score)
    both_classes(positive, least=2)
    placed = _placements(positive, values)
    area = placed.area
    if area in (0.0, 1.0):
        bound = ((1 - level) / 2) ** (1 / min(placed.cases.size, placed.controls.size))
        return Interval(area, bound, 1.0, level) if area == 1.0 else Interval(area, 0.0, 1 - bound, level)
    half = norm.ppf((1 + level) / 2) * math.sqrt(placed.variance) / (area * (1 - area))
    return Interval(area, float(expit(logit(area) - half)), float(expit(logit(area) + half)), level)


def delong_test(target: ArrayLike, score_a: ArrayLike, score_b: ArrayLike, level: float = 0.95) -> DelongTest:
    """Are two scores of the same cases equally good? Two-sided.

    Args:
        target: [N] 0 or 1, at least two of each.
        score_a, score_b: [N] each; higher means more likely positive.
        level: confidence level of the difference.

    Raises:
        InputError: as `delong_interval`; or the areas differ without any variance to test against (for instance a
            perfect score against a constant one).
    """
    check_level(level)
    positive, first = scored(target, score_a)
    _, second = scored(target, score_b)
    both_classes(positive, least=2)
    placed_a, placed_b = _placements(positive, first), _placements(positive, second)
    difference = placed_a.minus(placed_b)
    gap = difference.area
    if difference.constant:
        if gap != 0:
            raise InputError(
                "The two areas differ by the same amount in every case, so there is no variance to test them against. "
                "Test them on more or harder cases."
            )
        return DelongTest(placed_a.area, placed_b.area, Interval(0.0, 0.0, 0.0, level), 0.0, 1.0)
    error = math.sqrt(difference.variance)
    half = float(norm.ppf((1 + level) / 2)) * error
    z = gap / error
    interval = Interval(gap, max(-1.0, gap - half), min(1.0, gap + half), level)
    return DelongTest(placed_a.area, placed_b.area, interval, z, float(2 * norm.sf(abs(z))))
