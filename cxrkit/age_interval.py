"""How far off a bone age may be: split-conformal intervals, and whether they hold what they promise.

The rule is fitted once, on cases kept out of training, and goes with the weights. Ages are in months.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from cxrkit.bone_age import CLASS_AGES, STEP
from cxrkit.checks import Floats, Integers, check_level, numbers, same_length
from cxrkit.errors import InputError, WeightsError

if TYPE_CHECKING:
    from cxrkit.metrics import Interval

COVERED_UNSTATED = "coverage of the interval, sex not stated"
"""Name of the figure on a card."""

LEAST_IN_GROUP = 100
"""**Choice**: a group with fewer cases takes the factor of all; with 100 the coverage is known to 3 % (one SD)."""


@dataclass(frozen=True)
class IntervalRule:
    """Split-conformal intervals around the expected age (Papadopoulos 2002; by group: Vovk's Mondrian, 2003).

    Attributes:
        coverage: share of new children from the same source whose reference age the interval holds, in (0, 1).
        scaled: whether half an interval is factor * (spread + 3 months), or the factor itself, in months.
        edges: expected ages in months, rising, where one age group ends and the next starts; () for one group.
        factors: one for each group.
        counts: cases that each group had.

    Raises:
        InputError: the fields do not fit each other.
    """

    coverage: float
    scaled: bool
    edges: tuple[float, ...]
    factors: tuple[float, ...]
    counts: tuple[int, ...]

    def __post_init__(self) -> None:
        check_level(self.coverage)
        _check_edges(self.edges)
        if not len(self.edges) + 1 == len(self.factors) == len(self.counts):
            raise InputError("An interval rule needs one factor and one count for each age group; fit it anew.")
        if not all(math.isfinite(factor) and factor >= 0 for factor in self.factors):
            raise InputError("An interval rule's factors have to be finite and not negative; fit it anew.")

    @classmethod
    def from_card(cls, raw: Mapping[str, Any]) -> "IntervalRule":
        """The rule that `dataclasses.asdict` made a mapping of, as it comes back from JSON.

        Raises:
            WeightsError: it is not one.
        """
        try:
            edges, factors = (tuple(float(value) for value in raw[name]) for name in ("edges", "factors"))
            scaled = {True: True, False: False}[raw["scaled"]]
            return cls(float(raw["coverage"]), scaled, edges, factors, tuple(map(int, raw["counts"])))
        except (KeyError, TypeError, ValueError, OverflowError, InputError):
            raise WeightsError("The card's rule for the interval of the age is damaged; write the card anew.") from None

    def ends(self, predicted: ArrayLike, spread: ArrayLike | None = None) -> tuple[Floats, Floats]:
        """Lower and upper ends, each [N] months, clipped to the classes' range [0, 228].

        Args:
            predicted: [N] expected ages.
            spread: [N] from age_spread; needed by a scaled rule.

        Raises:
            InputError: as the metrics, or the spread is missing.
        """
        centre = numbers(predicted, "predicted ages")
        factor = np.asarray(self.factors)[_group(centre, self.edges)]
        half = factor * _unit(centre, spread, scaled=self.scaled)
        return np.clip(centre - half, 0, CLASS_AGES[-1]), np.clip(centre + half, 0, CLASS_AGES[-1])


def fit_interval(
    truth: ArrayLike,
    predicted: ArrayLike,
    spread: ArrayLike | None = None,
    coverage: float = 0.9,
    edges: tuple[float, ...] = (),
    least: int = LEAST_IN_GROUP,
) -> IntervalRule:
    """Fit the intervals on cases that neither training nor the choice of the epoch has seen.

    Args:
        truth: [N] reference ages in months.
        predicted: [N] expected ages in months.
        spread: [N] from age_spread: then the interval widens with it. None: the same width for all.
        coverage: in (0, 1).
        edges: of age groups, by expected age, because that is known of a new child; () for none.
        least: a group with fewer cases takes the factor of all.

    Raises:
        InputError: as the metrics, edges that do not rise, or too few cases for this coverage.
    """
    check_level(coverage)
    _check_edges(edges)
    reference, centre = numbers(truth, "reference ages"), numbers(predicted, "predicted ages")
    same_length(reference.size, centre.size, ("reference ages", "predicted ages"))
    residual = np.abs(reference - centre) / _unit(centre, spread, scaled=spread is not None)
    group = _group(centre, edges)
    overall = conformal_quantile(residual, coverage)
    members = [residual[group == index] for index in range(len(edges) + 1)]
    factors = [conformal_quantile(own, coverage) if own.size >= least else overall for own in members]
    return IntervalRule(coverage, spread is not None, edges, tuple(factors), tuple(own.size for own in members))


def conformal_quantile(residuals: ArrayLike, coverage: float) -> float:
    """The ceil((n + 1) coverage)-th smallest of n residuals, which covers one more case with at least that chance.

    Raises:
        InputError: n is too small for this coverage to be promised.
    """
    check_level(coverage)
    values = np.sort(numbers(residuals, "residuals"))
    # In fractions: (n + 1) * 0.9 in floating point may land just above a whole number.
    rank = math.ceil((values.size + 1) * Fraction(str(coverage)))
    if rank > values.size:
        raise InputError(
            f"{values.size} cases are too few for intervals of {coverage:.0%} coverage. "
            f"Give at least {math.ceil(1 / (1 - Fraction(str(coverage)))) - 1}."
        )
    return float(values[rank - 1])


def interval_coverage(truth: ArrayLike, low: ArrayLike, high: ArrayLike) -> "Interval":
    """Share of cases whose reference age lies within its interval, ends included, with Wilson's interval.

    Raises:
        InputError: no case, a NaN, or lengths that differ.
    """
    from cxrkit.metrics import wilson_interval  # brings SciPy's statistics, and every page reads a card's rule at first

    reference = numbers(truth, "reference ages")
    bottom, top = numbers(low, "lower ends"), numbers(high, "upper ends")
    same_length(reference.size, bottom.size, ("reference ages", "lower ends"))
    same_length(reference.size, top.size, ("reference ages", "upper ends"))
    return wilson_interval(int(((bottom <= reference) & (reference <= top)).sum()), reference.size)


def _unit(centre: Floats, spread: ArrayLike | None, *, scaled: bool) -> Floats:
    """[N] what a factor of 1 stands for, in months."""
    if not scaled:
        return np.ones_like(centre)
    if spread is None:
        raise InputError("This rule widens its intervals with the spread of the distribution; give it for every case.")
    values = numbers(spread, "spreads")
    same_length(centre.size, values.size, ("predicted ages", "spreads"))
    if values.min() < 0:
        raise InputError("A spread is negative; give standard deviations in months.")
    # **Choice**: one class more, so that a distribution on a single class does not promise a width of nothing.
    return values + STEP


def _group(centre: Floats, edges: tuple[float, ...]) -> Integers:
    """[N] index of the age group; an age on an edge belongs to the older group."""
    return np.searchsorted(np.asarray(edges, dtype=np.float64), centre, side="right").astype(np.int64)


def _check_edges(edges: tuple[float, ...]) -> None:
    rising = all(first < second for first, second in pairwise(edges))
    if not rising or not all(map(math.isfinite, edges)):
        raise InputError("The edges of the age groups have to be ages in months that rise from one to the next.")
