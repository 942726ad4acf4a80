"""The child's own age at each image, as typed: in years and months, or from dates. A wrong row costs that row alone."""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from cxrkit.bone_age import age_at, in_words, parse_date
from cxrkit.errors import InputError
from pages.ui.age_question import typed_age

DISAGREE = 2.0
"""Months by which stated ages may differ from the dates in the files before it is said."""

_DAYS_A_MONTH = 365.25 / 12


@dataclass(frozen=True)
class Typed:
    """What stands in one row of the table of ages; "" = nothing.

    Attributes:
        years, months: of the child's own age.
        date: of the radiograph.
    """

    years: str = ""
    months: str = ""
    date: str = ""

    @property
    def no_age(self) -> bool:
        """Whether neither years nor months were typed."""
        return not self.years.strip() and not self.months.strip()


@dataclass(frozen=True)
class OwnAge:
    """The child's own age at one image.

    Attributes:
        months: None where it is not known.
        problem: what is wrong with the row, a sentence; "" where nothing is, or nothing was typed.
    """

    months: float | None
    problem: str = ""


def from_ages(row: Typed) -> OwnAge:
    """Own age out of years and months; either may be left out."""
    return _tried(lambda: typed_age(row.years, row.months))


def from_dates(birth: datetime.date | None, row: Typed, taken: datetime.date | None = None) -> OwnAge:
    """Own age out of two dates.

    Args:
        birth: None where it is not known.
        row: its date counts where it has one.
        taken: date in the file's header, where it may be used.
    """

    def age() -> float | None:
        date = parse_date(row.date, "the radiograph") if row.date.strip() else taken
        if date is None:
            return None
        # Without a birth the date alone can still be one that lies ahead.
        months = age_at(birth or min(date, datetime.date.today()), date)
        return None if birth is None else months

    return _tried(age)


def _tried(age: Callable[[], float | None]) -> OwnAge:
    try:
        return OwnAge(age())
    except InputError as error:
        return OwnAge(None, str(error))


def birth_date(text: str) -> datetime.date | None:
    """A date of birth as typed; None where nothing was.

    Raises:
        InputError: it cannot be read, lies ahead, or is over 120 years ago.
    """
    if not text.strip():
        return None
    born = parse_date(text, "birth")
    age_at(born, max(born, datetime.date.today()))
    return born


def proposed(rows: Sequence[Typed], ages: Sequence[OwnAge], days: Sequence[int | None]) -> list[Typed]:
    """The rows with years and months filled in where nothing was typed, from the days between the images.

    Args:
        rows: as typed.
        ages: what they say; the first known one with a day counts.
        days: of each image since any one of them; None where its file has no date.

    Returns:
        As many rows; the same ones where nothing can be proposed.
    """
    known = [
        (age.months, day) for age, day in zip(ages, days, strict=True) if age.months is not None and day is not None
    ]
    if not known:
        return list(rows)
    age, start = known[0]
    later = [None if day is None else round(age + (day - start) / _DAYS_A_MONTH) for day in days]
    return [
        replace(row, years=str(months // 12), months=str(months % 12))
        if row.no_age and months is not None and months >= 0
        else row
        for row, months in zip(rows, later, strict=True)
    ]


def disagreements(numbers: Sequence[int], ages: Sequence[OwnAge], days: Sequence[int | None]) -> list[str]:
    """Neighbouring rows whose ages are further apart, or less, than the dates in their files; a sentence each.

    Args:
        numbers: of the images.
        ages, days: as in `proposed`.
    """
    known = [
        (number, age.months, day / _DAYS_A_MONTH)
        for number, age, day in zip(numbers, ages, days, strict=True)
        if age.months is not None and day is not None
    ]
    found = []
    for (first, age, taken), (second, later_age, later_taken) in pairwise(known):
        stated, dated = later_age - age, later_taken - taken
        if abs(stated - dated) > DISAGREE:
            found.append(
                f"By the dates in the files image {second} was taken {_apart(dated)} image {first}; by the ages stated "
                f"here, {_apart(stated)}. Check both ages."
            )
    return found


def _apart(months: float) -> str:
    return f"{in_words(abs(months))} {'before' if months < 0 else 'after'}"
