"""From the network's 77 age classes to what is said of a child: age in words, SD score (methods section 3).

Ages are in months everywhere. Class k stands for 3k months, so the classes reach from 0 to 228.
"""

import calendar
import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from cxrkit.checks import Floats
from cxrkit.errors import InputError

Sex = Literal["F", "M"]
Verdict = Literal["delayed", "normal", "advanced"]

SEXES: tuple[Sex, Sex] = ("F", "M")
"""In the order of the network's outputs, and of the index by which a sex is given to it."""

_SEX_WORDS: Mapping[str, Sex] = {
    **dict.fromkeys(("f", "female", "girl"), "F"),
    **dict.fromkeys(("m", "male", "boy"), "M"),
}
_NO_SEX = {"", "u", "unknown", "o", "other", "na", "n/a", "nan", "none"}
"""O stands for other in DICOM; the last ones are what software writes into empty cells."""

STEP = 3
CLASS_AGES: Floats = np.arange(77, dtype=np.float64) * STEP
CLASS_AGES.setflags(write=False)

NORMAL_WITHIN = 2.0
"""SD scores of at most this size, on either side, are normal."""

SD_SOURCE = "Brush Foundation tables: children in the United States in the 1930s"

_TABLE_AGES = (3, 6, 9, 12, 18, 24, 30, 36, 42, 48, 54, 60, 72, 84, 96, 108, 120, 132, 144, 156, 168, 180, 192, 204)
_SD_BOYS = (
    *(0.69, 1.13, 1.43, 1.97, 3.52, 3.92, 4.52, 5.08, 5.40, 6.66, 8.36, 8.79),
    *(9.17, 8.91, 9.10, 9.00, 9.79, 10.09, 10.38, 10.44, 10.72, 11.32, 12.86, 13.05),
)
_SD_GIRLS = (
    *(0.72, 1.16, 1.36, 1.77, 3.49, 4.64, 5.37, 5.97, 7.48, 8.98, 10.73, 11.65),
    *(10.23, 9.64, 10.23, 10.74, 11.73, 11.94, 10.24, 10.67, 11.30, 9.23, 7.31),
)
SD_TABLES: Mapping[Sex, Mapping[int, float]] = {
    "F": dict(zip(_TABLE_AGES[:-1], _SD_GIRLS, strict=True)),
    "M": dict(zip(_TABLE_AGES, _SD_BOYS, strict=True)),
}
"""Standard deviation of the bone age in months, by sex and chronological age; the girls' table ends a year earlier."""

ADULT = 18 * 12
"""**Choice**: the standards of Greulich and Pyle end at 18 years in girls and 19 in boys; the lower of the two."""

OLDEST = 120 * 12
"""A chronological age in months above this is a mistake."""

_GROUPS: Mapping[Sex, str] = {"F": "girls", "M": "boys"}


def age_probabilities(logits: ArrayLike, temperature: float = 1.0) -> Floats:
    """Logits [..., 77] -> probabilities of the age classes [..., 77].

    Raises:
        ValueError: the last axis has another length, or a logit is not finite.
    """
    from scipy.special import softmax  # every page reads this module at first, and SciPy takes its time

    values = np.asarray(logits, dtype=np.float64)
    _check_classes(values)
    return np.asarray(softmax(values / temperature, axis=-1), dtype=np.float64)


def expected_age(probabilities: ArrayLike) -> Floats:
    """Mean of the distribution, [..., 77] -> [...] months in [0, 228]."""
    values = np.asarray(probabilities, dtype=np.float64)
    _check_classes(values)
    return np.asarray(values @ CLASS_AGES, dtype=np.float64)


def likeliest_age(probabilities: ArrayLike) -> Floats:
    """Age of the class with the highest probability, [..., 77] -> [...] months; of equal classes the youngest."""
    values = np.asarray(probabilities, dtype=np.float64)
    _check_classes(values)
    return np.asarray(CLASS_AGES[values.argmax(axis=-1)])


def age_spread(probabilities: ArrayLike) -> Floats:
    """Standard deviation of the distribution, [..., 77] -> [...] months."""
    values = np.asarray(probabilities, dtype=np.float64)
    away = CLASS_AGES - expected_age(values)[..., None]
    return np.asarray(np.sqrt((values * away**2).sum(axis=-1)), dtype=np.float64)


def without_sex(of_sex: ArrayLike, of_age: ArrayLike) -> Floats:
    """Age where the sex is not stated: sum over g of P(g | image) P(age | g, image).

    Args:
        of_sex: [..., 2] probability of each sex as read off the image, in the order of SEXES.
        of_age: [..., 2, 77] probability of each age class with each sex given.

    Returns:
        [..., 77]; sums to 1 where its parts do.

    Raises:
        ValueError: shapes that do not fit.
    """
    sex, age = np.asarray(of_sex, dtype=np.float64), np.asarray(of_age, dtype=np.float64)
    _check_classes(age)
    if sex.shape != age.shape[:-1] or sex.shape[-1:] != (len(SEXES),):
        raise ValueError(f"sexes {sex.shape} and ages {age.shape} are not [..., 2] and [..., 2, 77]")
    return np.asarray((sex[..., None] * age).sum(axis=-2), dtype=np.float64)


def _check_classes(values: Floats) -> None:
    if values.shape[-1:] != CLASS_AGES.shape:
        raise ValueError(f"the last of the axes {values.shape} is not the {CLASS_AGES.size} age classes")
    if not np.isfinite(values).all():
        raise ValueError("some of the values are not finite")


def check_sex(text: object) -> Sex | None:
    """A sex as people, tables and DICOM headers write it -> "F" or "M"; None, no text, or "unknown" = not stated.

    Raises:
        InputError: anything else.
    """
    word = "" if text is None else str(text).strip().casefold()
    if word in _NO_SEX:
        return None
    if word not in _SEX_WORDS:
        raise InputError("The sex has to be F or M, or left out where it is not known.")
    return _SEX_WORDS[word]


def sex_in_header(header: Mapping[str, str]) -> Sex | None:
    """The sex that an image's header states (Patient's Sex, PS3.3 C.7.1.1); None where it states none."""
    return check_sex(header.get("Patient's sex"))


def check_age(months: float) -> float:
    """Return an age in months that a person can have.

    Raises:
        InputError: it is negative, over 120 years, or no number.
    """
    if not 0 <= months <= OLDEST:
        raise InputError(
            f"An age of {months:g} months is not possible. Give the age in months, from 0 to {OLDEST}, "
            "or dates of birth and of the radiograph in this order."
        )
    return months


def age_at(birth: datetime.date, examination: datetime.date) -> float:
    """Age in months between two dates: whole months, and the days beyond as a share of 365.25 / 12.

    Raises:
        InputError: the birth is after the examination, or over 120 years before it, or one of the dates lies ahead.
    """
    today = datetime.date.today()
    for name, date in (("birth", birth), ("the radiograph", examination)):
        # A day of grace: elsewhere it is tomorrow already.
        if date > today + datetime.timedelta(days=1):
            raise InputError(f"The date of {name} lies in the future. Check it.")
    if birth > examination:
        raise InputError("The date of birth is after that of the radiograph. Check both.")
    months = 12 * (examination.year - birth.year) + examination.month - birth.month
    months -= examination.day < birth.day
    year, month = divmod(birth.year * 12 + birth.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    since = examination - datetime.date(year, month + 1, min(birth.day, last))
    return check_age(months + min(since.days * 12 / 365.25, 0.999))


def parse_date(text: str, what: str) -> datetime.date:
    """A date as 2016-05-31.

    Args:
        text: what was written.
        what: whose date, for the message, such as "birth".

    Raises:
        InputError: it is no such date.
    """
    try:
        return datetime.date.fromisoformat(text.strip())
    except ValueError:
        raise InputError(f"The date of {what} cannot be read. Write year-month-day, such as 2016-05-31.") from None


def in_words(months: float) -> str:
    """An age to the nearest month in words, such as "8 years 3 months"; half a month counts up.

    Raises:
        InputError: as check_age.
    """
    years, rest = divmod(math.floor(check_age(months) + 0.5), 12)
    parts = [
        f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in ((years, "year"), (rest, "month")) if count
    ]
    return " ".join(parts) or "0 months"


@dataclass(frozen=True)
class SdScore:
    """How far the bone age is from the child's own age.

    Attributes:
        value: (bone age - chronological age) / standard deviation.
        verdict: "normal" within +-2, "delayed" below, "advanced" above.
        standard_deviation: in months, from the table.
        table_age: in months, whose standard deviation it is.
    """

    value: float
    verdict: Verdict
    standard_deviation: float
    table_age: int


@dataclass(frozen=True)
class SdReading:
    """An SD score, or why there is none.

    Attributes:
        score: None where it is undefined.
        reason: a sentence for the screen; "" where there is a score.
    """

    score: SdScore | None
    reason: str = ""


def sd_score(bone_age: float, age: float, sex: Sex | None) -> SdReading:
    """SD score of a bone age against the child's own age.

    **Choices**: an age halfway between two of the table takes the younger one, whose smaller deviation hides less;
    outside of the table's first and last age there is no score, because nothing was measured there.

    Args:
        bone_age, age: in months; age is the chronological one.
        sex: None where it is not stated; the tables are by sex.

    Raises:
        InputError: an impossible age.
    """
    check_age(bone_age)
    check_age(age)
    if sex is None:
        return SdReading(None, "There is no SD score, because the tables are by sex and none is stated.")
    table = SD_TABLES[sex]
    first, last = min(table), max(table)
    if not first <= age <= last:
        return SdReading(
            None,
            f"There is no SD score, because the table for {_GROUPS[sex]} is for ages from {in_words(first)} to "
            f"{in_words(last)}.",
        )
    nearest = min(table, key=lambda tabulated: (abs(tabulated - age), tabulated))
    value = (bone_age - age) / table[nearest]
    verdict: Verdict = "normal" if abs(value) <= NORMAL_WITHIN else "delayed" if value < 0 else "advanced"
    return SdReading(SdScore(value, verdict, table[nearest], nearest))


def adult_warnings(bone_age: float, sex: Sex | None, age: float | None = None) -> tuple[str, ...]:
    """Sentences for the screen where the hand is grown up, or nearly.

    **Choice**: a bone age beyond the SD table is flagged. There the hand's growth plates close one by one, and a closed
    hand looks the same ever after. Without a stated sex the girls' earlier limit holds.

    Args:
        bone_age, age: in months; age is the chronological one, None where it is not known.
        sex: None where it is not stated.

    Raises:
        InputError: an impossible age.
    """
    check_age(bone_age)
    limit = max(SD_TABLES["F" if sex is None else sex])
    found = []
    if bone_age >= limit:
        found.append(
            f"The bone age is in the adult range ({in_words(limit)} and over), where growth plates are closing or "
            'closed and later ages look alike: read it as "at least".'
        )
    if age is not None and check_age(age) >= ADULT:
        found.append(f"The person is {in_words(age)} old; bone age is for children and adolescents.")
    return tuple(found)
