"""A table of predictions, as `python -m cxrkit evaluate --out` writes it, read for a review."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxrkit import tasks
from cxrkit.bone_age import OLDEST
from cxrkit.cases import Case, class_index, resolve, target_number
from cxrkit.errors import InputError, ManifestError
from cxrkit.finding_labels import findings_of, several_labels
from cxrkit.image import Radiograph
from cxrkit.image_file import load_image
from cxrkit.predictions import WEIGHTS, prediction_columns, weights_of
from cxrkit.table import Most, cells_by_name, columns_in_words, parse_table
from cxrkit.task import Task

MAX_BYTES = 64 << 20
"""Of a table. **Choice**: 100,000 cases of 14 labels fit."""

MAX_CASES = 100_000
"""**Choice**: beyond it filters take longer than half a second."""

MAX_COLUMNS = 500
"""**Choice**: several times those of the task with most labels."""

MAX_CELLS = 5_000_000
"""**Choice**: 50 columns of MAX_CASES. A cell takes memory even where the file leaves it out."""

AGE_LABEL = "bone age"
"""What is reviewed of a task whose labels are ages."""

MASK, BOXES = "mask", "boxes"
"""Columns that say where the finding lies: a file below the root folder, and boxes as text."""

OF_BASELINE = "baseline_"
"""Before the names of these columns: of a pair's first image. Without it they are of the second one."""

_FIRST_ROW = 2  # as a spreadsheet counts it: the header is row 1


@dataclass(frozen=True, eq=False)
class ReviewSet:
    """Cases of one task with scores and truths.

    Attributes:
        task: that was asked.
        name: of the run, as shown.
        table: one row a case, index 0 to N - 1; columns hold numbers where all that is written in them is one, and
            text elsewhere ("" = nothing).
        root: folder that the files start in; None = images cannot be opened here.
        weights: SHA-256 of the weights that the scores are from; "" = not known.
    """

    task: Task
    name: str
    table: pd.DataFrame
    root: Path | None
    weights: str = ""

    def labels(self) -> tuple[str, ...]:
        """What may be reviewed: the positive class, each of several labels, or AGE_LABEL."""
        if self.task.values:
            return (AGE_LABEL,)
        return self.task.labels if several_labels(self.task) else (self.task.positive,)

    def truth(self, label: str) -> NDArray[np.float64]:
        """[N] 0 or 1, or months; NaN where unknown."""
        values: NDArray[np.float64] = self._truths[self._position(label)]
        return values

    def score(self, label: str) -> NDArray[np.float64]:
        """[N] in [0, 1], or predicted months; NaN where the case failed."""
        values: NDArray[np.float64] = self._scores[self._position(label)]
        return values

    def error(self, label: str) -> NDArray[np.float64]:
        """[N] |score - truth|, in [0, 1] or months; NaN where either is missing."""
        return np.abs(self.score(label) - self.truth(label))

    def files(self, row: int) -> tuple[str, ...]:
        """Of one case, relative to the root folder, in the order of the task's inputs."""
        return tuple(str(self.table[column].iat[row]) for column in self.task.file_columns)

    def open(self, row: int) -> list[Radiograph]:
        """Read a case's images, in the order of the task's inputs.

        Raises:
            InputError: there is no root folder, or a path leads out of it or to no file.
            ImageError: a file cannot be read.
        """
        return [load_image(path, read=self.task.read_file) for path in self.paths(row)]

    def paths(self, row: int) -> tuple[Path, ...]:
        """A case's files on this machine; InputError as for `open`."""
        return self._below(self.files(row), row)

    def mask_path(self, row: int, of: str = "") -> Path | None:
        """The picture in which the finding is white; None where none is named. InputError as for `open`.

        Args:
            row: of the table.
            of: what the column's name begins with, OF_BASELINE for a pair's first image.
        """
        column = f"{of}{MASK}"
        name = str(self.table[column].iat[row]) if column in self.table else ""
        return self._below((name,), row)[0] if name.strip() else None

    def context(self, row: int) -> dict[str, object]:
        """What the network was told of the patient, of the task's `context`."""
        told = {name: _text(self.table[name].iat[row]) for name in self.task.context if name in self.table}
        return {name: value for name, value in told.items() if value}

    def _below(self, files: tuple[str, ...], row: int) -> tuple[Path, ...]:
        if self.root is None:
            raise InputError(
                "Images cannot be opened, because the folder that the table's paths start in is not known here. "
                "Choose it where the table is loaded."
            )
        return resolve(Case(files=files, target="", number=row + _FIRST_ROW), self.root)

    def _position(self, label: str) -> int:
        try:
            return self.labels().index(label)
        except ValueError:
            raise InputError(f"There is no label of this name. Choose one of: {', '.join(self.labels())}.") from None

    @cached_property
    def _truths(self) -> NDArray[np.float64]:
        """[labels, N]."""
        read = _reader(self.task)
        known: dict[str, NDArray[np.float64]] = {}
        column = [_text(value) for value in self.table[self.task.target_column]]
        for target in dict.fromkeys(column):
            known[target] = read(Case(files=(), target=target))
        return np.stack([known[target] for target in column], axis=1)

    @cached_property
    def _scores(self) -> NDArray[np.float64]:
        """[labels, N]."""
        columns = answer_columns(self.task)
        if self.task.called is not None:
            columns = (columns[self.task.positive_index],)
        return np.stack([self.table[column].to_numpy(dtype=np.float64) for column in columns])


def reasons_of(data: bytes, most: int) -> tuple[str, ...]:
    """Why cases of a table of predictions were not predicted: the first sentences of its column error, each once.

    Args:
        data: as for `read_predictions`.
        most: how many.

    Raises:
        ManifestError: it cannot be read, or has no such column.
    """
    header, rows = parse_table(data, ("error",), "The table")
    said = (cells_by_name(header, cells, f"Row {number}")["error"] for number, cells in rows)
    return tuple(islice(dict.fromkeys(reason for reason in said if reason), most))


def answer_columns(task: Task) -> tuple[str, ...]:
    """Columns of a table of predictions that hold what the network said: the scores of all labels, or the age."""
    return prediction_columns(task)[: 1 if task.values else len(task.labels)]


def read_predictions(data: bytes, name: str, task: Task | None, root: Path | None, weights: str = "") -> ReviewSet:
    """Read a table of predictions.

    Args:
        data: CSV in UTF-8 with a header, separated by commas, semicolons or tabs.
        name: of the run, as shown.
        task: whose predictions they are; None = found from the columns.
        root: folder that the table's paths start in; None = images are not opened.
        weights: as in ReviewSet; "" = those that all rows of the table name.

    Raises:
        ManifestError: it is no such table, it is too large, it holds no task's scores or those of several, or no truth.
    """
    table = _frame(data)
    found = _task_of(table) if task is None else task
    _check_columns(found, table)
    text = {*found.file_columns, MASK, f"{OF_BASELINE}{MASK}", "patient_id", "warnings", "error", WEIGHTS}
    typed = pd.DataFrame({name: table[name] if name in text else _typed(table[name]) for name in table})
    _check_scores(found, typed)
    review = ReviewSet(found, name, typed, root, weights or weights_of(table.get(WEIGHTS, ())))
    _check_truths(review)
    return review


def _frame(data: bytes) -> pd.DataFrame:
    """All cells as text, under the names of the first row."""
    if len(data) > MAX_BYTES:
        raise ManifestError(
            f"The table has {len(data) / 1024**2:,.0f} MB; at most {MAX_BYTES >> 20} MB are read. Split it."
        )
    header, rows = parse_table(data, (), "The table", Most(MAX_CASES, MAX_COLUMNS))
    if len(rows) * len(header) > MAX_CELLS:
        raise ManifestError(
            f"The table has {len(rows):,} rows of {len(header):,} columns; at most {MAX_CELLS:,} cells are reviewed at "
            "once. Leave out columns that are not needed, or split it."
        )
    # As lists: a dict for each row takes several times as much.
    written = [list(cells_by_name(header, cells, f"Row {number}").values()) for number, cells in rows]
    return pd.DataFrame(written, columns=header, dtype=str)


def _task_of(table: pd.DataFrame) -> Task:
    found = [task for task in tasks.TASKS if set(answer_columns(task)) <= set(table.columns)]
    if not found:
        raise ManifestError(
            "This table holds no scores of any task, such as the column score_tuberculosis or predicted_age_months. "
            "Choose the CSV that `python -m cxrkit evaluate --out` wrote."
        )
    if len(found) > 1:
        names = " and ".join(task.title for task in found)
        raise ManifestError(f"This table holds scores of several tasks: {names}. Choose the one to review.")
    return found[0]


def _check_columns(task: Task, table: pd.DataFrame) -> None:
    lacking = [name for name in answer_columns(task) if name not in table]
    if lacking:
        raise ManifestError(
            f"The table lacks the {columns_in_words(lacking)}, so it does not hold predictions of {task.title}. "
            "Choose its task, or let it be found from the columns."
        )
    lacking = [name for name in task.file_columns if name not in table]
    if lacking:
        raise ManifestError(f"The table lacks the {columns_in_words(lacking)}: where the images are.")
    if task.target_column not in table:
        raise ManifestError(
            f"The table lacks the {columns_in_words([task.target_column])} with the truth, and errors cannot be told "
            "without it. Add it, or predict a table of cases that has it with `python -m cxrkit evaluate --out`."
        )


def _typed(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Numbers where everything written is one and no leading zero would be lost; otherwise the text as it is."""
    written = column[column != ""]
    numbers = pd.to_numeric(written, errors="coerce")
    leading = written.str.match(r"[+-]?0\d")
    if written.empty or leading.any() or not np.isfinite(numbers.to_numpy(dtype=np.float64)).all():
        return column
    return numbers if len(numbers) == len(column) else numbers.reindex(column.index)


def _check_scores(task: Task, table: pd.DataFrame) -> None:
    top = OLDEST if task.values else 1
    for name in answer_columns(task):
        if not (table[name].notna() & (table[name] != "")).any():
            raise ManifestError("No case of this table was predicted. Its column error says why.")
        values = table[name] if pd.api.types.is_numeric_dtype(table[name]) else pd.Series([np.inf])
        if (values < 0).any() or (values > top).any():
            raise ManifestError(f"The column {name} holds something that is no number from 0 to {top:g}.")


def _check_truths(review: ReviewSet) -> None:
    usable = [~np.isnan(review.error(label)) for label in review.labels()]
    if not np.any(usable):
        raise ManifestError(
            f"No case of this table has both a score and a truth in the column {review.task.target_column}, so there "
            "is nothing to review."
        )


def _reader(task: Task) -> Callable[[Case], NDArray[np.float64]]:
    """Case -> [labels] truths; NaN where its target cannot be used."""

    def read(case: Case) -> NDArray[np.float64]:
        try:
            if task.values:
                return np.array([target_number(case, 0, OLDEST, "months")])
            if several_labels(task):
                there = findings_of(case, task.labels)
                return np.array([float(label in there) for label in task.labels])
            return np.array([float(class_index(case, task.labels) == task.positive_index)])
        except ManifestError:
            return np.full(1 if task.called or task.values else len(task.labels), np.nan)

    return read


def _text(value: object) -> str:
    """A cell as it was written; "" for nothing."""
    return "" if isinstance(value, float) and math.isnan(value) else str(value).strip()
