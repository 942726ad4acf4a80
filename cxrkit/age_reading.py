"""What the network says of a child's age, and what is said of it on the screen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cxrkit.age_interval import IntervalRule
from cxrkit.bone_age import (
    SEXES,
    SdReading,
    Sex,
    adult_warnings,
    age_spread,
    expected_age,
    likeliest_age,
    sd_score,
)

_CHILD: Mapping[Sex, str] = {"F": "girl", "M": "boy"}


@dataclass(frozen=True)
class AgeReading:
    """Bone age of one hand. Ages are in months.

    Attributes:
        probabilities: of the 77 age classes, in the order of bone_age.CLASS_AGES.
        expected: mean of this distribution.
        likeliest: age of the class with the highest probability.
        spread: standard deviation of the distribution.
        interval: (low, high) around the expected age; None where the card has no rule.
        coverage: share of children whose reference age lies within such intervals, as promised; None without a rule,
            and where the sex is not stated, for which nothing is promised.
        sex: as stated; None where it was not, and the distribution weighs both sexes.
        female: probability of a girl as read off the image; None where the network doesn't read the sex.
        age: the child's own, chronological age; None where it was not stated.
        sd: SD score against it, or why there is none; None where it was not stated.
        warnings: sentences for the screen.
    """

    probabilities: tuple[float, ...]
    expected: float
    likeliest: float
    spread: float
    interval: tuple[float, float] | None
    coverage: float | None
    sex: Sex | None
    female: float | None
    age: float | None
    sd: SdReading | None
    warnings: tuple[str, ...]


def read_age(
    probabilities: ArrayLike,
    of_sex: Mapping[str, float] | None,
    context: Mapping[str, Any],
    rule: IntervalRule | None = None,
    contradiction: float | None = None,
) -> AgeReading:
    """Put into words and numbers what a distribution over the age classes says.

    Args:
        probabilities: [77], summing to 1.
        of_sex: probability of each of SEXES as read off the image; None where the network doesn't read it.
        context: "sex" and "age_months" as `prepare` has checked them; what is left out is not stated.
        rule: of the interval.
        contradiction: probability of the other sex from which a contradiction to the stated one is said; None = never.
    """
    values = np.asarray(probabilities, dtype=np.float64)
    expected, spread = float(expected_age(values)), float(age_spread(values))
    sex, age = context.get("sex"), context.get("age_months")
    interval = None
    if rule is not None:
        low, high = rule.ends([expected], [spread])
        interval = (float(low[0]), float(high[0]))
    return AgeReading(
        probabilities=tuple(values.tolist()),
        expected=expected,
        likeliest=float(likeliest_age(values)),
        spread=spread,
        interval=interval,
        coverage=None if rule is None or sex is None else rule.coverage,
        sex=sex,
        female=None if of_sex is None else of_sex["F"],
        age=age,
        sd=None if age is None else sd_score(expected, age, sex),
        warnings=(*_of_sex(sex, of_sex, contradiction), *adult_warnings(expected, sex, age)),
    )


def _of_sex(sex: Sex | None, of_sex: Mapping[str, float] | None, contradiction: float | None) -> tuple[str, ...]:
    """What is odd about the sex that was stated, or about its absence."""
    if of_sex is None:
        return ()
    if sex is None:
        shares = " and ".join(f"{_CHILD[each]} {100 * of_sex[each]:.0f} %" for each in SEXES)
        return (
            f"The sex was not stated, so the answer weighs both by what the network reads off the image: {shares}. "
            "State it for a better answer and for the SD score.",
        )
    other = SEXES[1 - SEXES.index(sex)]
    if contradiction is not None and of_sex[other] >= contradiction:
        return (
            f"A {_CHILD[sex]} was stated, but to the network the hand looks like a {_CHILD[other]}'s (probability "
            f"{100 * of_sex[other]:.0f} %). Check the sex and the file: bone age differs between them.",
        )
    return ()
