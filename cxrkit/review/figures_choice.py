"""Which cases a click on a figure means, and in which order they are shown."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrkit.checks import Floats
from cxrkit.review.figures import bar_of

CELLS = {
    "true positive": (1, True),
    "false positive": (0, True),
    "false negative": (1, False),
    "true negative": (0, False),
}
"""Of a confusion matrix: (truth, whether called)."""


@dataclass(frozen=True)
class Cell:
    """A cell of the confusion matrix, which follows the threshold; `name` is one of CELLS."""

    name: str


@dataclass(frozen=True)
class Bin:
    """Scores in one of so many bins of equal width over [0, 1]; `truth` 0 or 1, None = both."""

    number: int
    bins: int
    truth: int | None = None


@dataclass(frozen=True)
class Cases:
    """Certain rows of the table."""

    rows: tuple[int, ...]


Choice = Cell | Bin | Cases


def in_words(choice: Choice) -> str:
    """What was chosen: "false positive", "score 0.30 to 0.40, label there"."""
    if isinstance(choice, Cell):
        return choice.name
    if isinstance(choice, Cases):
        return "one point" if len(choice.rows) == 1 else f"{len(choice.rows)} points"
    ends = [f"{(choice.number + step) / choice.bins:.2f}" for step in (0, 1)]
    there = {None: "", 0: ", label not there", 1: ", label there"}[choice.truth]
    return f"score {ends[0]} to {ends[1]}{there}"


def chosen(
    choice: Choice | None, rows: NDArray[np.int64], truth: Floats, score: Floats, threshold: float | None
) -> NDArray[np.int64]:
    """Those of the rows that are meant.

    Args:
        choice: None = all of them.
        rows: [M] of the table, as filtered.
        truth, score: [N] of the whole table; NaN = unknown.
        threshold: called at score >= threshold; None of ages.
    """
    if choice is None:
        return rows
    if isinstance(choice, Cases):
        return rows[np.isin(rows, choice.rows)]
    kept: NDArray[np.int64] = rows[_meant(choice, truth[rows], score[rows], threshold)]
    return kept


def _meant(choice: Cell | Bin, target: Floats, value: Floats, threshold: float | None) -> NDArray[np.bool_]:
    judged = ~(np.isnan(target) | np.isnan(value))
    if isinstance(choice, Bin):
        wanted = np.isin(target, (0, 1) if choice.truth is None else (choice.truth,))
        return np.asarray(judged & wanted & (bar_of(value, choice.bins) == choice.number))
    actual, called = CELLS[choice.name]
    return np.asarray(judged & (target == actual) & ((value >= (0 if threshold is None else threshold)) == called))


def worst_first(rows: NDArray[np.int64], error: Floats) -> NDArray[np.int64]:
    """Rows by falling error; of equal ones in the table's order, those without one last.

    Args:
        rows: [M] of the table.
        error: [N] of the whole table; NaN = unknown.
    """
    return rows[np.argsort(-error[rows], kind="stable")]
