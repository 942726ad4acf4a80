"""What a page asks to be predicted, the folder that it gets, and the order that the run's process is given."""

import hashlib
import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cxrkit import tasks
from cxrkit.card import read_card
from cxrkit.errors import InputError, ManifestError
from cxrkit.review.folders import case_folders, checked_folder
from cxrkit.table import columns_in_words, missing_columns
from cxrkit.task import Task

VARIABLE = "CXRKIT_RUNS"

_FORM = 1


@dataclass(frozen=True)
class Order:
    """What a run is told.

    Attributes:
        task: identifier.
        root: folder that the cases' files are below.
        cases: the table of cases.
        out: the table of predictions; it has a folder of its own.
        weights: folder of the tasks' folders.
        identity: of the card that it has to find there; see `cxrkit.card.Card`.
        workers: processes, at least 1.
        restart: forget what a former run had finished.
    """

    task: str
    root: str
    cases: str
    out: str
    weights: str
    identity: str
    workers: int
    restart: bool


@dataclass(frozen=True)
class Wanted:
    """What is to be predicted.

    Attributes:
        task: that is asked.
        root: folder that the table's paths start in; as for `cxrkit.review.folders.checked_folder`.
        table: the table of cases, as bytes; see `cxrkit.table`.
        weights: folder of the tasks' folders.
        sha256: of the task's weights there, to be shown.
        identity: of the task's card there; see `cxrkit.card.Card`.
    """

    task: Task
    root: Path
    table: bytes
    weights: Path
    sha256: str
    identity: str

    @cached_property
    def key(self) -> str:
        """Tells the run from all others."""
        about = [_FORM, self.task.name, self.identity, str(self.root), hashlib.sha256(self.table).hexdigest()]
        return f"{self.task.name}-{hashlib.sha256(json.dumps(about).encode()).hexdigest()[:24]}"

    @property
    def out(self) -> Path:
        """The table of predictions; it exists when a run is finished. InputError as `runs_folder`."""
        return runs_folder() / self.key / "predictions.csv"

    @property
    def begun(self) -> bool:
        """Whether a run of it was begun and not finished: the next one goes on. InputError as `runs_folder`."""
        return self._cases.is_file() and not self.out.is_file()

    @property
    def _cases(self) -> Path:
        return self.out.with_name("cases.csv")

    def order(self, workers: int, restart: bool) -> Order:
        """Lay the table of cases into the run's folder, and say what its process has to do.

        Args:
            workers: processes, at least 1.
            restart: forget what a former run had finished.

        Raises:
            InputError: the folder cannot be written to; or as `runs_folder`.
        """
        part = self._cases.with_name(f".cases.{os.getpid()}")
        try:
            part.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            part.write_bytes(self.table)
            part.replace(self._cases)
        except OSError:
            raise InputError(
                f"The folder for runs cannot be written to. Set {VARIABLE} to one that can, and start the server again."
            ) from None
        places = (str(self.root), str(self._cases), str(self.out), str(self.weights.absolute()))
        return Order(self.task.name, *places, self.identity, workers, restart)


def wanted(task: Task, root: str | Path, table: bytes, weights: Path) -> Wanted:
    """What is to be predicted, checked.

    Args:
        task, table, weights: as in Wanted.
        root: as for `checked_folder`.

    Raises:
        InputError: as `checked_folder`.
        WeightsError: there are no weights.
    """
    card = read_card(weights / task.name / "card.json")
    return Wanted(task, checked_folder(root), table, weights, card.sha256, card.identity)


def columns_of(task: Task) -> tuple[str, ...]:
    """What a table of cases has to name: the files, and the truth."""
    return *task.file_columns, task.target_column


def fitting(table: bytes) -> list[Task]:
    """Tasks whose columns a table of cases has. ManifestError as `cxrkit.table.missing_columns`."""
    return [task for task in tasks.TASKS if not missing_columns(table, columns_of(task))]


def check_columns(task: Task, table: bytes) -> None:
    """Refuse a table of cases that is not for this task.

    Raises:
        ManifestError: it lacks a column (the message names it, and the tasks that the table fits), or cannot be read.
    """
    lacking = missing_columns(table, columns_of(task))
    if not lacking:
        return
    others = " or ".join(each.title for each in fitting(table))
    hint = f"Its columns fit: {others}." if others else "Its first row has to name the columns."
    raise ManifestError(f"The table of cases lacks the {columns_in_words(lacking)} for {task.title}. {hint}")


def runs_folder() -> Path:
    """Where runs put their tables: CXRKIT_RUNS, or a folder among the user's data.

    Raises:
        InputError: it lies in a folder of cases, which runs never write to.
    """
    named = os.environ.get(VARIABLE, "").strip()
    data = os.environ.get("XDG_DATA_HOME", "").strip() or Path.home() / ".local" / "share"
    folder = Path(os.path.realpath(Path(named).expanduser() if named else Path(data) / "cxrkit" / "runs"))
    if any(folder.is_relative_to(each) for each in case_folders()):
        raise InputError(
            f"Predictions are never written to a folder of cases. Set {VARIABLE} to a folder outside those of "
            "CXRKIT_CASES, and start the server again."
        )
    return folder
