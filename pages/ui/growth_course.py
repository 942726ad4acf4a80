"""One child's bone age over several visits: in which order, how fast between neighbours, and what the tables say."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from pages.ui.words import interval_name, listed, sd_in_words, short_age, signed

if TYPE_CHECKING:
    from cxrkit.age_reading import AgeReading

EXPECTED_RATE = 1.0
"""Years of bone age in a year of life."""

NONE = "–"


@dataclass(frozen=True)
class Visit:
    """One radiograph of the child, read.

    Attributes:
        number: of the image on the page, from 1.
        name: of its file, for the screen alone.
        reading: its bone age; reading.age is the child's own one.
        warnings: sentences for the screen.
        truth: bone age in months that a simulated hand was made with; None of uploads.
    """

    number: int
    name: str = field(repr=False)
    reading: "AgeReading"
    warnings: tuple[str, ...] = ()
    truth: float | None = None

    @property
    def age(self) -> float | None:
        """The child's own age in months; None where it is not known."""
        return self.reading.age


@dataclass(frozen=True)
class Step:
    """Growth between two visits that follow each other by the child's own age.

    Attributes:
        first, second: numbers of the images.
        own, bone: months by which the child's own age and the bone age differ.
        rate: years of bone age in a year of life; None where the own ages are the same.
        low, high: the rate if one bone age lay at the far end of its interval and the other one at its near end; None
            without a rate or without intervals.
    """

    first: int
    second: int
    own: float
    bone: float
    rate: float | None
    low: float | None
    high: float | None

    @property
    def verdict(self) -> str:
        """What the rate says, and where it says nothing."""
        if self.rate is None:
            return "no rate: the same own age"
        if self.low is None or self.high is None:
            return "no interval is known: read it with care"
        if self.low <= EXPECTED_RATE <= self.high:
            return "within the intervals' noise: 1 fits as well"
        return "slower than 1" if self.high < EXPECTED_RATE else "faster than 1"


def in_order(visits: Sequence[Visit]) -> list[Visit]:
    """By the child's own age, then by number; those without one come last."""
    return sorted(visits, key=lambda visit: (visit.age is None, visit.age or 0.0, visit.number))


def steps(visits: Sequence[Visit]) -> list[Step]:
    """Growth between neighbours among the visits whose own age is known."""
    return [_step(first, second) for first, second in pairwise(v for v in in_order(visits) if v.age is not None)]


def _step(first: Visit, second: Visit) -> Step:
    own = (second.age or 0.0) - (first.age or 0.0)
    bone = second.reading.expected - first.reading.expected
    before, after = first.reading.interval, second.reading.interval
    ends = (None, None) if before is None or after is None or not own else (after[0] - before[1], after[1] - before[0])
    rate, low, high = (None if months is None or not own else months / own for months in (bone, *ends))
    return Step(first.number, second.number, own, bone, rate, low, high)


def visit_rows(visits: Sequence[Visit]) -> list[dict[str, str]]:
    """One row a visit, in order."""
    simulated = any(visit.truth is not None for visit in visits)
    return [_row(visit, simulated=simulated) for visit in in_order(visits)]


def _row(visit: Visit, *, simulated: bool) -> dict[str, str]:
    reading = visit.reading
    score = None if reading.sd is None else reading.sd.score
    interval = NONE if reading.interval is None else " to ".join(short_age(end) for end in reading.interval)
    truth = {"True bone age": NONE if visit.truth is None else short_age(visit.truth)} if simulated else {}
    return {
        "Image": str(visit.number),
        "Own age": NONE if visit.age is None else short_age(visit.age),
        "Bone age": short_age(reading.expected),
        **truth,
        interval_name(reading.coverage): interval,
        "Likeliest class": short_age(reading.likeliest),
        "SD score": NONE if score is None else sd_in_words(score),
        "Verdict": score.verdict if score is not None else f"none: {no_score(reading)}",
        "File": visit.name,
    }


def no_score(reading: "AgeReading") -> str:
    """Why there is no SD score, in a few words."""
    if reading.sd is None:
        return "own age not known"
    return "sex not stated" if reading.sex is None else "own age outside the table"


def step_rows(found: Sequence[Step]) -> list[dict[str, str]]:
    """One row for each two neighbours."""
    return [
        {
            "Images": f"{step.first} to {step.second}",
            "Own age": _change(step.own),
            "Bone age": _change(step.bone),
            "Years of bone age a year": NONE if step.rate is None else _rate(step.rate),
            "By the intervals": NONE
            if step.low is None or step.high is None
            else f"{_rate(step.low)} to {_rate(step.high)}",
            "Read as": step.verdict,
        }
        for step in found
    ]


def remarks(visits: Sequence[Visit]) -> list[str]:
    """Each warning once, with the images that it is of."""
    numbers: dict[str, list[int]] = {}
    for visit in visits:
        reasons = [] if visit.reading.sd is None or visit.reading.sex is None else [visit.reading.sd.reason]
        for sentence in dict.fromkeys((*visit.warnings, *filter(None, reasons))):
            numbers.setdefault(sentence, []).append(visit.number)
    return [f"**{image_numbers(found).capitalize()}.** {sentence}" for sentence, found in numbers.items()]


def image_numbers(numbers: Sequence[int]) -> str:
    """ "image 2"; "images 1, 2 and 4"."""
    return f"image{'' if len(numbers) == 1 else 's'} {listed([str(number) for number in numbers])}"


def _change(months: float) -> str:
    return ("−" if round(months) < 0 else "+") + short_age(abs(months))


def _rate(value: float) -> str:
    """One decimal; of a rate the plus goes without saying."""
    return signed(value).removeprefix("+")
