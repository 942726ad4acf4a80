"""Rows of a table that is not finished yet, one line of JSON each, beside the table: what a stopped run goes on from.

The first line says what all rows have in common, and rows of anything else are refused; a file of this name that begins
otherwise is somebody's own, and stays as it is. Each row is written in one piece as soon as it is there, so that a kill
loses none but the one at work; half a line at the end is cut off. A lock keeps two runs from writing to one file.
"""

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from cxrkit.batch_case import Asked
from cxrkit.batch_json import plain
from cxrkit.errors import InputError

_FORM = 2
_BEGINNING = b'{"form": 0, "task": "'
"""Of the first line, with 0 for the number of any version of this program."""

_SUFFIX = ".progress"
_MEND = "or name another file after --out, or begin anew with --restart."


@dataclass(frozen=True)
class About:
    """What all rows of a table have in common.

    Attributes:
        task: identifier.
        weights: SHA-256 of the network's weights.
        card: identity of their card; see `cxrkit.card.Card`.
        cases: SHA-256 of what lists the cases.
        asked: how each is analysed.
    """

    task: str
    weights: str
    card: str
    cases: str
    asked: Asked


_REFUSALS = {
    "form": "Beside this table lies an unfinished one of another version of this program. Finish it with that version",
    "task": "Beside this table lies an unfinished one of another task. Finish it with that task",
    "weights": "Beside this table lies an unfinished one that other weights were used for, and one table holds the "
    "answers of one network. Finish it with those weights",
    "card": "Beside this table lies an unfinished one that the same weights were used for with another card, such as "
    "one with other thresholds. Finish it with that card",
    "cases": "Beside this table lies an unfinished one of another manifest or folder, or the manifest has changed "
    "since. Finish it with the former one",
    "asked": "Beside this table lies an unfinished one that was made with other options. Finish it with those options",
}


class Journal:
    """The unfinished rows of one table. Use it in a `with`; it is closed, not removed, at its end.

    Args:
        table: the table to be written; it is not touched.
        about: what the rows have in common.
        restart: forget the rows of a former run.

    Raises:
        InputError: the former rows belong to something else, are damaged, or another run writes to them; a file of this
            name holds something else than rows; or it cannot be written or locked.
    """

    def __init__(self, table: Path, about: About, restart: bool = False) -> None:
        self.path = journal_of(table)
        try:
            self._writer = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        except OSError:
            raise InputError(_unwritable()) from None
        with ExitStack() as held:
            held.callback(os.close, self._writer)
            self._lock()
            self._reader = held.enter_context(self.path.open("rb"))
            self._check_owner()
            if restart:
                os.ftruncate(self._writer, 0)
            self._begin({"form": _FORM} | plain(about))
            self._held = held.pop_all()

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Of a run that failed before its first row nothing is left.
        if kind is not None and os.fstat(self._writer).st_size == self._first:
            self.remove()
        self._held.close()

    def rows(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Place and content of every row that was written, in the order of writing."""
        place = self._first
        self._reader.seek(place)
        while line := self._reader.readline():
            try:
                row = json.loads(line) if line.endswith(b"\n") else None
            except ValueError:
                row = None
            if row is None:
                if self._reader.read(1):
                    raise InputError(f"The unfinished table beside this one is damaged. Remove it, {_MEND}")
                os.ftruncate(self._writer, place)
                return
            yield place, row
            place += len(line)

    def append(self, row: Any) -> int:
        """Write a row that JSON can hold; returns its place.

        Raises:
            InputError: it cannot be written.
        """
        line = json.dumps(row).encode() + b"\n"
        place = os.fstat(self._writer).st_size
        try:
            whole = os.write(self._writer, line) == len(line)
        except OSError:
            whole = False
        if not whole:
            with suppress(OSError):
                os.ftruncate(self._writer, place)
            raise InputError(_unwritable())
        return place

    def read(self, place: int) -> dict[str, Any]:
        """The row at a place."""
        self._reader.seek(place)
        found: dict[str, Any] = json.loads(self._reader.readline())
        return found

    def remove(self) -> None:
        """Take the file away; the table is finished."""
        self.path.unlink(missing_ok=True)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._writer, fcntl.LOCK_EX | fcntl.LOCK_NB)
            alone = os.fstat(self._writer).st_nlink > 0  # the other run may have finished meanwhile
        except BlockingIOError:
            alone = False
        except OSError:
            raise InputError(
                "The file system of this folder cannot lock files, which keeps two runs from writing one table. Name a "
                "file in another folder after --out."
            ) from None
        if not alone:
            raise InputError("Another run is writing this table. Wait for it, or name another file after --out.")

    def _check_owner(self) -> None:
        """Refuse a file that no run began, before anything in it is changed."""
        # Past the reader's buffer, which would outlive what --restart takes away.
        start = os.pread(self._reader.fileno(), len(_BEGINNING), 0)
        # A kill may have left a part of the first line, or nothing.
        if not _BEGINNING.startswith(re.sub(rb"\d+", b"0", start, count=1)):
            raise InputError(
                f"Beside this table lies a file that ends in {_SUFFIX}, where unfinished tables are kept, and that is "
                "none: it holds something else, and stays as it is. Name another file after --out, or move that one."
            )

    def _begin(self, head: dict[str, Any]) -> None:
        """Write the first line, or compare what is there with it."""
        line = self._reader.readline()
        if not line.endswith(b"\n"):
            os.ftruncate(self._writer, 0)
            self._first = 0
            self.append(head)
            self._first = os.fstat(self._writer).st_size
            return
        self._first = len(line)
        try:
            former = dict(json.loads(line))
        except (TypeError, ValueError):
            former = {}
        for name, refusal in _REFUSALS.items():
            if former.get(name) != json.loads(json.dumps(head[name])):
                raise InputError(f"{refusal}, {_MEND}")


def journal_of(table: Path) -> Path:
    """Where the rows of an unfinished table lie."""
    return table.with_name(f"{table.name}{_SUFFIX}")


def _unwritable() -> str:
    return "The predictions could not be written. Name a file after --out in a folder that you may write to."
