"""Results of a class as CSV: a row a case, no person but for a nickname of the learner's own choice."""

import csv
import io
import unicodedata
from collections.abc import Sequence

from cxrkit.quiz.judging import Outcome, Read
from cxrkit.table import FORMULA_SIGNS, LineFeeds

MOST_LETTERS = 30
"""Of a nickname."""

COLUMNS = (
    "learner",
    "quiz",
    "task",
    "case",
    "level",
    "truth",
    "learner_reading",
    "learner_right",
    "learner_error_months",
    "learner_marked",
    "learner_mark_inside",
    "learner_mark_distance_percent_of_width",
    "network_reading",
    "network_score",
    "network_right",
    "network_error_months",
    "network_point_inside",
    "network_point_distance_percent_of_width",
    "weights",
    "note",
)


def clean_nickname(text: str) -> str:
    """A nickname for the screen and for a cell: one line, at most 30 letters, an apostrophe before a formula.

    It is the one cell that is not in words of ours.
    """
    line = "".join(" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in text)
    short = " ".join(line.split())[:MOST_LETTERS].strip()
    return f"'{short}" if short.startswith(FORMULA_SIGNS) else short


def results_csv(outcomes: Sequence[Outcome], note: str) -> str:
    """One row a case, in the order of answering; what is not known is empty.

    Args:
        outcomes: answered cases.
        note: in words of ours, the same in every row.
    """
    text = io.StringIO()
    table = csv.DictWriter(LineFeeds(text), COLUMNS, restval="")
    table.writeheader()
    for outcome in outcomes:
        row = {
            "learner": clean_nickname(outcome.nickname),
            "quiz": outcome.quiz,
            "task": outcome.task,
            "case": outcome.number,
            "level": outcome.level or "",
            "truth": _reading(outcome.truth),
            "learner_marked": _yes(outcome.learner.marked),
            "network_score": "" if outcome.score is None else f"{outcome.score:.4f}",
            "weights": outcome.weights,
            "note": note,
        }
        table.writerow(row | _cells("learner", "mark", outcome.learner) | _cells("network", "point", outcome.network))
    return text.getvalue()


def _cells(who: str, place: str, read: Read) -> dict[str, str]:
    cells = {f"{who}_reading": _reading(read.reading), f"{who}_right": _yes(read.right)}
    if read.error is not None:
        cells[f"{who}_error_months"] = f"{read.error:.1f}"
    if read.mark is not None:
        cells[f"{who}_{place}_inside"] = _yes(read.mark.inside)
        cells[f"{who}_{place}_distance_percent_of_width"] = f"{100 * read.mark.distance:.1f}"
    return cells


def _reading(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.1f}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"
