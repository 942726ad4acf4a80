"""How good predicted ages are on a set of hands: distances in months, by sex and age, and coverage of the interval."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np

from cxrkit.age_interval import COVERED_UNSTATED, interval_coverage
from cxrkit.age_reading import AgeReading
from cxrkit.checks import Floats
from cxrkit.figures import Figure
from cxrkit.metrics import Interval, bland_altman, mean_absolute_difference

AGE_EDGES = (48.0, 96.0, 144.0, 180.0)
"""Reference ages in months at which an age group ends; an age on an edge belongs to the older group."""

_SEXES = {"F": "girls", "M": "boys", None: "sex not stated"}


@dataclass(frozen=True)
class JudgedAge:
    """A predicted age whose reference is known.

    Attributes:
        truth: reference age in months.
        reading: what was predicted.
        owner: whose hand it is, such as the patient; hands of one owner are not independent.
    """

    truth: float
    reading: AgeReading
    owner: str


def age_groups() -> tuple[str, ...]:
    """Names of the age groups, youngest first."""
    edges = [f"{edge / 12:g}" for edge in AGE_EDGES]
    inner = (f"{low} to under {high} years" for low, high in pairwise(edges))
    return f"under {edges[0]} years", *inner, f"{edges[-1]} years and over"


def age_figures(judged: Sequence[JudgedAge]) -> Iterator[Figure]:
    """The figures of predicted ages, in the order of the table.

    MAD is the mean of absolute differences to the reference age, with a bootstrap interval that resamples owners; so
    does that of the bias, where an owner has several hands.

    Args:
        judged: one for each hand.
    """
    count = len(judged)
    for way, ages in (("expectation", "expected"), ("arg-max", "likeliest")):
        yield Figure(f"MAD by {way}, months", "", count, partial(_distance, judged, ages))
    above = "by expectation; above 0 where ages are read too high"
    yield Figure("bias, months", above, count, partial(_bias, judged))
    for name, members in _groups(judged):
        yield Figure(f"MAD by expectation, {name}, months", "", len(members), partial(_distance, members))
    with_interval = [one for one in judged if one.reading.coverage is not None]
    if with_interval:
        share = f"{with_interval[0].reading.coverage:.0%}"
        number = len(with_interval)
        yield Figure(f"coverage of the {share} interval", "", number, partial(_coverage, with_interval))
        yield Figure(f"mean width of the {share} interval, months", "", number, partial(_width, with_interval))
    unstated = [one for one in judged if one.reading.sex is None and one.reading.interval is not None]
    if unstated:
        yield Figure(COVERED_UNSTATED, "nothing is promised for these", len(unstated), partial(_coverage, unstated))


def _groups(judged: Sequence[JudgedAge]) -> Iterator[tuple[str, list[JudgedAge]]]:
    for sex, name in _SEXES.items():
        members = [one for one in judged if one.reading.sex == sex]
        if members:
            yield name, members
    for index, name in enumerate(age_groups()):
        members = [one for one in judged if np.searchsorted(AGE_EDGES, one.truth, side="right") == index]
        if members:
            yield name, members


def _truths(judged: Sequence[JudgedAge]) -> Floats:
    return np.array([one.truth for one in judged], dtype=np.float64)


def _ages(judged: Sequence[JudgedAge], which: str = "expected") -> Floats:
    return np.array([getattr(one.reading, which) for one in judged], dtype=np.float64)


def _distance(judged: Sequence[JudgedAge], which: str = "expected") -> Interval:
    owners = [one.owner for one in judged]
    return mean_absolute_difference(_ages(judged, which), _truths(judged), groups=owners)


def _bias(judged: Sequence[JudgedAge]) -> Interval:
    return bland_altman(_ages(judged), _truths(judged), groups=[one.owner for one in judged]).bias


def _ends(judged: Sequence[JudgedAge]) -> tuple[Floats, Floats]:
    ends = np.array([one.reading.interval for one in judged], dtype=np.float64)
    return ends[:, 0], ends[:, 1]


def _coverage(judged: Sequence[JudgedAge]) -> Interval:
    return interval_coverage(_truths(judged), *_ends(judged))


def _width(judged: Sequence[JudgedAge]) -> Interval:
    low, high = _ends(judged)
    return mean_absolute_difference(high, low, groups=[one.owner for one in judged])
