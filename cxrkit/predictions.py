"""The table of predictions that `python -m cxrkit` writes of many cases, the same for all tasks."""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from cxrkit.cases import Case
from cxrkit.errors import InputError, ManifestError
from cxrkit.finding_labels import BAR, several_labels
from cxrkit.table import LineFeeds
from cxrkit.task import Task
from cxrkit.whole_file import whole_file

if TYPE_CHECKING:
    from cxrkit.batch_case import Row
    from cxrkit.predict import Prediction

WEIGHTS = "weights"
"""SHA-256 of the network's weights, in every row: what a verdict on an answer is about."""

_SHA256 = re.compile(r"[0-9a-f]{64}")

_CALLED = "called"
"""Called labels joined by the bar, as findings are in a manifest; empty where none is called."""

_AGE = ("predicted_age_months", "likeliest_age_months", "interval_low", "interval_high")


def prediction_columns(task: Task) -> tuple[str, ...]:
    """The columns that `write_predictions` adds to a manifest's: answers, warnings, error, and the weights.

    Answers are the scores of all labels, or an age with its interval; where several labels may be called, those that
    are; then the scores of further questions.
    """
    answers = _AGE if task.values else tuple(_column(f"score_{label}") for label in task.labels)
    answers += (_CALLED,) if several_labels(task) else ()
    further = (_column(f"score_{question.name}_{question.positive}") for question in task.further)
    return (*answers, *further, "warnings", "error", WEIGHTS)


def _column(name: str) -> str:
    """Without the spaces and hyphens that labels may have."""
    return name.replace(" ", "_").replace("-", "")


def weights_of(column: Iterable[str]) -> str:
    """SHA-256 of the weights that all rows of a table name; "" where they name none or several."""
    named = set(column)
    return named.pop() if len(named) == 1 and all(_SHA256.fullmatch(each) for each in named) else ""


def check_columns(task: Task, cases: Sequence[Case]) -> None:
    """Refuse a manifest that has one of the columns to be added.

    Raises:
        ManifestError: naming them.
    """
    taken = [name for name in prediction_columns(task) if cases and name in cases[0].row]
    if taken:
        raise ManifestError(
            f"The table already has the column {', '.join(taken)}, which the predictions are written to. "
            "Rename or remove it."
        )


def write_predictions(task: Task, rows: "Iterable[Row]", path: Path, weights: str = "") -> None:
    """Write the manifest's columns, then those of `prediction_columns`, as CSV in UTF-8.

    The file appears complete or not at all; one of the same name is replaced.

    Args:
        task: that was predicted.
        rows: taken one by one as they are written.
        path: of the table.
        weights: SHA-256 of those that answered; "" = not known.

    Raises:
        ManifestError: a column of the manifest collides with an added one.
        InputError: the file cannot be written.
    """
    coming = iter(rows)
    first = list(islice(coming, 1))
    check_columns(task, [row.case for row in first])
    header = list(first[0].case.row) if first else []
    try:
        with whole_file(path) as file:
            table = csv.DictWriter(LineFeeds(file), [*header, *prediction_columns(task)])
            table.writeheader()
            table.writerows({**row.case.row, **_added(task, row), WEIGHTS: weights} for row in chain(first, coming))
    except OSError:
        raise InputError(
            "The predictions could not be written. Name a file in a folder that you may write to."
        ) from None


def _added(task: Task, row: "Row") -> Mapping[str, str]:
    columns = prediction_columns(task)[:-1]  # the last one is the same in all rows
    if row.prediction is None:
        return dict.fromkeys(columns, "") | {"error": row.error}
    further = row.prediction.further
    cells = _answers(task, row.prediction)
    cells += [str(further.get(question.name, {}).get(question.positive, "")) for question in task.further]
    return dict(zip(columns, [*cells, " ".join(row.prediction.remarks), row.error], strict=True))


def _answers(task: Task, prediction: "Prediction") -> list[str]:
    if prediction.age is None:
        scores = [str(prediction.scores[label]) for label in task.labels]
        return scores if prediction.findings is None else [*scores, BAR.join(prediction.findings.called)]
    low, high = prediction.age.interval or ("", "")
    return [str(value) for value in (prediction.age.expected, prediction.age.likeliest, low, high)]
