"""Figures that are defined on some cases, and those that are not, with the reason."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cxrkit.card import Metric
from cxrkit.errors import InputError
from cxrkit.metrics import Interval


@dataclass(frozen=True)
class Undefined:
    """A figure that these cases cannot give.

    Attributes:
        name: as in Metric.
        reason: a sentence for the screen.
    """

    name: str
    reason: str


@dataclass(frozen=True)
class Figure:
    """A figure to be worked out.

    Attributes:
        name, note, cases: as in Metric.
        compute: raises InputError where it is undefined.
    """

    name: str
    note: str
    cases: int
    compute: Callable[[], Interval | float]


def work_out(figures: Iterable[Figure], part: str) -> tuple[tuple[Metric, ...], tuple[Undefined, ...]]:
    """All figures that are defined, and the others.

    Args:
        figures: in the order of the table.
        part: the data and split, in words.
    """
    defined: list[Metric] = []
    undefined: list[Undefined] = []
    for figure in figures:
        try:
            found = figure.compute()
        except InputError as error:
            undefined.append(Undefined(figure.name, str(error)))
            continue
        if isinstance(found, Interval):
            defined.append(Metric(figure.name, part, found.value, found.low, found.high, figure.cases, figure.note))
        else:
            defined.append(Metric(figure.name, part, found, None, None, figure.cases, figure.note))
    return tuple(defined), tuple(undefined)
