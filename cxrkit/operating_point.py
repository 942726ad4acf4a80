"""What a threshold means: sensitivity and specificity, and predictive values where the disease is rare or common."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from cxrkit.errors import InputError
from cxrkit.metrics import (
    ConfusionMatrix,
    Interval,
    RocCurve,
    confusion,
    delong_interval,
    roc_curve,
    wilson_interval,
)
from cxrkit.scores import ScoredPart

WIDELY = 0.10
"""**Choice**: two shares differ widely if they are further apart than this and their intervals do not touch."""

_ROUNDING = 1e-12
"""A share such as 0.9 is not exact in binary; 9 of 10 has to reach it."""


@dataclass(frozen=True)
class Target:
    """What a test should reach.

    Attributes:
        name: in words.
        sensitivity, specificity: at least these, in (0, 1).
        source: where it is written.
    """

    name: str
    sensitivity: float
    specificity: float
    source: str

    def met(self, sensitivity: float, specificity: float) -> bool:
        """Both shares reach it."""
        return sensitivity >= self.sensitivity - _ROUNDING and specificity >= self.specificity - _ROUNDING


WHO_TRIAGE = Target(
    name="WHO target for a triage test",
    sensitivity=0.90,
    specificity=0.70,
    source="World Health Organization, High-priority target product profiles for new tuberculosis diagnostics: report "
    "of a consensus meeting, 28-29 April 2014 (WHO/HTM/TB/2014.18): triage test, minimal requirement",
)


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold as it does on one part.

    Attributes:
        threshold: called positive at score >= threshold.
        counts: of images; its `sensitivity` and `specificity` carry Wilson's 95 % intervals.
    """

    threshold: float
    counts: ConfusionMatrix

    @cached_property
    def sensitivity(self) -> Interval:
        """Share of the diseased that were called, with Wilson's 95 % interval."""
        return self.counts.sensitivity

    @cached_property
    def specificity(self) -> Interval:
        """Share of the others that were not called, with Wilson's 95 % interval."""
        return self.counts.specificity

    def meets(self, target: Target) -> bool:
        """Both shares, as measured, reach the target."""
        return target.met(self.sensitivity.value, self.specificity.value)

    def surely_meets(self, target: Target) -> bool:
        """The lower ends of both intervals reach the target."""
        return target.met(self.sensitivity.low, self.specificity.low)


def operating_point(part: ScoredPart, threshold: float) -> OperatingPoint:
    """Count a part's answers at a threshold.

    Args:
        part: scored images.
        threshold: in [0, 1].

    Raises:
        InputError: the threshold lies outside.
    """
    if not 0 <= threshold <= 1:
        raise InputError(f"The threshold is {threshold:g}; it has to lie between 0 and 1.")
    return OperatingPoint(threshold, confusion(part.targets, part.scores >= threshold))


@dataclass(frozen=True, eq=False)
class PartCurve:
    """A part at all thresholds.

    Attributes:
        roc: one point for each distinct score.
        auc: area under it with DeLong's 95 % interval.
    """

    roc: RocCurve
    auc: Interval

    def reaches(self, target: Target) -> bool:
        """Some threshold meets the target on these images. Picked by looking at them, it is an optimistic one."""
        shares = zip(self.roc.true_positive_rate, 1 - self.roc.false_positive_rate, strict=True)
        return any(target.met(sensitivity, specificity) for sensitivity, specificity in shares)


def part_curve(part: ScoredPart) -> PartCurve:
    """The exact ROC curve of a part and its area."""
    return PartCurve(roc_curve(part.targets, part.scores), delong_interval(part.targets, part.scores))


def differ_widely(first: Interval, second: Interval) -> bool:
    """Two shares are more than WIDELY apart and their intervals do not touch."""
    apart = first.low > second.high or second.low > first.high
    return apart and abs(first.value - second.value) > WIDELY


def carries_over(points: Sequence[OperatingPoint]) -> bool:
    """One threshold does about the same everywhere: neither share differs widely between any two points.

    Args:
        points: of one threshold on different parts.
    """
    return not any(
        differ_widely(a.sensitivity, b.sensitivity) or differ_widely(a.specificity, b.specificity)
        for index, a in enumerate(points)
        for b in points[index + 1 :]
    )


@dataclass(frozen=True)
class Screening:
    """An operating point used on people of whom a known share has the disease.

    Sensitivity and specificity come from different images, so their errors are independent. The intervals of PPV, NPV
    and tests per case are the lowest and highest values over all pairs within Wilson's intervals of the two at the
    level sqrt(0.95) each. Such a pair holds both true values in sqrt(0.95)^2 = 95 % of repetitions, so these
    intervals hold theirs at least as often and are rather too wide than too narrow, as far as Wilson's keep their
    level (they fall a little short of it where a share is almost 0 or 1). The prevalence counts as exact.

    Attributes:
        prevalence: share of people with the disease, in (0, 1).
        ppv: share with the disease among those called; None where nobody is called.
        npv: share without it among those not called; None where everybody is called.
        tests_per_case: confirmatory tests for each case found if everyone called gets one: called / found = 1 / PPV.
            Its high end is infinite where PPV may be 0; None where no case is found.
        screened_per_case: people screened for each case found: 1 / (prevalence * sensitivity), from Wilson's 95 %
            interval; None where no case is found.
    """

    prevalence: float
    ppv: Interval | None
    npv: Interval | None
    tests_per_case: Interval | None
    screened_per_case: Interval | None


def screening(point: OperatingPoint, prevalence: float) -> Screening:
    """Predictive values of an operating point at a prevalence, by Bayes' rule.

    Args:
        point: from `operating_point`.
        prevalence: in (0, 1).

    Raises:
        InputError: the prevalence lies outside.
    """
    _check_prevalence(prevalence)
    counts, level = point.counts, 0.95**0.5
    sensitivity = wilson_interval(counts.tp, counts.tp + counts.fn, level)
    specificity = wilson_interval(counts.tn, counts.tn + counts.fp, level)
    alarm = Interval(1 - specificity.value, 1 - specificity.high, 1 - specificity.low)
    miss = Interval(1 - sensitivity.value, 1 - sensitivity.high, 1 - sensitivity.low)
    ppv = _right_among(sensitivity, alarm, prevalence)
    npv = _right_among(specificity, miss, 1 - prevalence)
    found = point.sensitivity
    return Screening(
        prevalence,
        ppv,
        npv,
        None if ppv is None else _inverse(ppv),
        _inverse(Interval(prevalence * found.value, prevalence * found.low, prevalence * found.high)),
    )


def _right_among(right: Interval, wrong: Interval, share: float) -> Interval | None:
    """share * right / (share * right + (1 - share) * wrong), which rises with `right` and falls with `wrong`."""

    def value(rightly: float, wrongly: float) -> float:
        return share * rightly / (share * rightly + (1 - share) * wrongly)

    if right.value == 0 and wrong.value == 0:
        return None
    # A Wilson interval is never a point, so neither end divides by 0.
    return Interval(value(right.value, wrong.value), value(right.low, wrong.high), value(right.high, wrong.low))


def _inverse(share: Interval) -> Interval | None:
    if share.value == 0:
        return None
    return Interval(1 / share.value, 1 / share.high, 1 / share.low if share.low > 0 else float("inf"))


@dataclass(frozen=True)
class Crowd:
    """What is expected of a crowd of people, as whole persons.

    Attributes:
        people: screened.
        diseased: have the disease; called: are called; found: both; missed: have it and are not called.
    """

    people: int
    diseased: int
    called: int
    found: int
    missed: int


def crowds(points: Sequence[OperatingPoint], prevalence: float) -> list[Crowd]:
    """Operating points on 1,000 people, or as many more (by factors of ten) as it takes to have ten cases.

    And as many more as it takes for nobody to be rounded away: who is missed among known cases is missed here too. The
    points are compared, so all are on equally many.

    Args:
        points: from `operating_point`.
        prevalence: in (0, 1).

    Raises:
        InputError: the prevalence lies outside.
    """
    _check_prevalence(prevalence)
    people = 1000
    while people * prevalence < 10 - _ROUNDING or any(
        _rounded_away(point, round(people * prevalence)) for point in points
    ):
        people *= 10
    return [_crowd(point, people, round(people * prevalence)) for point in points]


def _crowd(point: OperatingPoint, people: int, diseased: int) -> Crowd:
    found = round(diseased * point.sensitivity.value)
    alarms = round((people - diseased) * (1 - point.specificity.value))
    return Crowd(people, diseased, found + alarms, found, diseased - found)


def _rounded_away(point: OperatingPoint, diseased: int) -> bool:
    """Whether of so many nobody would be missed, or nobody found, though that happened among known cases."""
    found = round(diseased * point.sensitivity.value)
    return (found == diseased and point.counts.fn > 0) or (found == 0 and point.counts.tp > 0)


def _check_prevalence(prevalence: float) -> None:
    if not 0 < prevalence < 1:
        raise InputError(f"The prevalence is {prevalence:g}; it has to lie between 0 and 1, such as 0.01 for 1 %.")
