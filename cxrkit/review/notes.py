"""What reviewers say of cases: verdicts, tags and notes, kept in a database and known by the images' bytes.

Entries are added and never changed: the newest of each reviewer on a case and label is the current one, the others are
its history. So two reviewers at once lose nothing, and neither does one with two windows.
"""

import datetime
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from functools import cache
from itertools import islice
from typing import TypeVar

from sqlalchemy import URL, ColumnElement, Select, func, select
from sqlalchemy.orm import Session, sessionmaker

from cxrkit.errors import InputError
from cxrkit.review.notes_database import Database, database_errors, database_url
from cxrkit.review.notes_tables import (
    LONGEST_INITIALS,
    LONGEST_LABEL,
    LONGEST_NOTE,
    LONGEST_TAG,
    EntryRow,
    TagRow,
)

T = TypeVar("T")

__all__ = ["MOST_TAGS", "Entry", "Notes", "Remark", "Verdict", "checked_initials", "open_notes"]

MOST_TAGS = 20
"""Of one entry."""

_AT_ONCE = 1000
"""Keys in one question to the database; SQLite takes 32,766 values at the most."""


class Verdict(StrEnum):
    """What a reviewer says of the network's answer beside the given truth."""

    AGREE = "agree"
    MODEL_WRONG = "model wrong"
    LABEL_WRONG = "label wrong"
    UNCLEAR = "unclear"


@dataclass(frozen=True, kw_only=True)
class Remark:
    """What a reviewer says of a case.

    Attributes:
        case_key: see cxrkit.review.case_key.
        task: identifier.
        label: that it is about, one of ReviewSet.labels.
        reviewer: initials, 1 to 4 letters.
        verdict: None = none yet.
        tags: short words to find cases by.
        note: free text.
        weights: SHA-256 of the network whose answer was on the screen; "" = not known.
    """

    case_key: str
    task: str
    label: str
    reviewer: str
    verdict: Verdict | None = None
    tags: tuple[str, ...] = ()
    note: str = ""
    weights: str = ""


@dataclass(frozen=True, kw_only=True)
class Entry(Remark):
    """A remark as it was saved.

    Attributes:
        number: of the entry; later ones have higher numbers.
        written: when, in UTC.
    """

    number: int
    written: datetime.datetime


class Notes:
    """Verdicts, tags and notes in one database. Safe from many threads and processes at once.

    Every method raises NotesError where the database cannot be reached, read or written, or is newer than this program.

    Args:
        url: as `cxrkit.review.notes_database.database_url` gives it. Nothing is made before the first `add`.
    """

    def __init__(self, url: URL) -> None:
        self._database = Database(url)
        self._session = sessionmaker(self._database.engine)

    def close(self) -> None:
        """Give connections back; a later use opens new ones."""
        self._database.engine.dispose()

    def add(self, remark: Remark) -> Entry:
        """Save a remark as a new entry.

        Raises:
            InputError: initials, tags or a note that cannot be used, or nothing is said.
        """
        said = _checked(remark)
        self._database.make_writable()
        row = EntryRow(
            **asdict(said) | {"verdict": said.verdict or "", "tags": [TagRow(tag=tag) for tag in said.tags]},
            written=datetime.datetime.now(datetime.UTC),
        )
        with database_errors(), self._session.begin() as session:
            session.add(row)
            session.flush()
            return Entry(**asdict(said), number=row.id, written=row.written)

    def history(self, case_key: str, task: str, label: str | None = None) -> list[Entry]:
        """All entries of all reviewers on a case, newest first.

        Args:
            case_key, task: of the case.
            label: None = all labels.
        """
        chosen = _about(task, label, EntryRow.case_key == case_key)
        return self._read(lambda session: _entries(session, select(EntryRow.id).where(*chosen)), [])

    def current(self, case_keys: Iterable[str], task: str, label: str | None = None) -> dict[str, tuple[Entry, ...]]:
        """The newest entry of each reviewer (and each label) on many cases at once, newest first.

        Args:
            case_keys: 10,000 take a fraction of a second.
            task: of the cases.
            label: None = all labels.

        Returns:
            By case key; cases on which nobody said anything are left out.
        """

        def read(session: Session) -> dict[str, tuple[Entry, ...]]:
            found: dict[str, list[Entry]] = {}
            for keys in _batches(dict.fromkeys(case_keys)):
                newest = (
                    select(func.max(EntryRow.id))
                    .where(*_about(task, label, EntryRow.case_key.in_(keys)))
                    .group_by(EntryRow.case_key, EntryRow.label, EntryRow.reviewer)
                )
                for entry in _entries(session, newest):
                    found.setdefault(entry.case_key, []).append(entry)
            return {key: tuple(entries) for key, entries in found.items()}

        return self._read(read, {})

    def tags(self, task: str) -> list[str]:
        """All tags that were given to cases of a task, in the order of the alphabet."""
        used = select(TagRow.tag).join(EntryRow).where(EntryRow.task == task).distinct()
        return self._read(lambda session: sorted(session.scalars(used), key=str.casefold), [])

    def state(self, task: str) -> tuple[int, int]:
        """Two numbers that change with every entry on a task, for those who keep what they read."""
        counted = select(func.count(), func.coalesce(func.max(EntryRow.id), 0)).where(EntryRow.task == task)

        def read(session: Session) -> tuple[int, int]:
            entries, newest = session.execute(counted).one()
            return entries, newest

        return self._read(read, (0, 0))

    def _read(self, question: Callable[[Session], T], empty: T) -> T:
        if not self._database.readable():
            return empty
        with database_errors(), self._session() as session:
            return question(session)


def open_notes() -> Notes:
    """The notes database of this machine; one object for all threads.

    Raises:
        NotesError: CXRKIT_DATABASE_URL cannot be used.
    """
    return _opened(database_url())


@cache
def _opened(url: URL) -> Notes:
    return Notes(url)


def checked_initials(text: str) -> str:
    """A reviewer's initials in capitals.

    Raises:
        InputError: they are not 1 to 4 letters.
    """
    initials = unicodedata.normalize("NFC", text).strip().upper()
    if not (initials.isalpha() and len(initials) <= LONGEST_INITIALS):
        raise InputError(f"The initials have to be 1 to {LONGEST_INITIALS} letters, such as AB. Write yours.")
    return initials


def _checked(remark: Remark) -> Remark:
    tags = tuple(sorted({" ".join(_clean(tag).split()) for tag in remark.tags} - {""}))
    note = _clean(remark.note).strip()
    if remark.verdict is None and not tags and not note:
        raise InputError("There is nothing to save yet. Choose a verdict, give a tag or write a note.")
    if len(tags) > MOST_TAGS or max(map(len, tags), default=0) > LONGEST_TAG:
        raise InputError(
            f"At most {MOST_TAGS} tags of at most {LONGEST_TAG} letters each are kept. Write the rest below."
        )
    if len(note) > LONGEST_NOTE:
        raise InputError(f"The note has {len(note):,} letters; at most {LONGEST_NOTE:,} are kept. Shorten it.")
    if len(remark.label) > LONGEST_LABEL:
        raise InputError(f"The label has more than {LONGEST_LABEL} letters.")
    return replace(remark, reviewer=checked_initials(remark.reviewer), tags=tags, note=note)


def _clean(text: str) -> str:
    """Without what no database keeps and no screen shows: control characters and halves of surrogate pairs."""
    return "".join(each for each in text if each in "\n\t" or unicodedata.category(each) not in {"Cc", "Cs"})


def _about(task: str, label: str | None, cases: ColumnElement[bool]) -> list[ColumnElement[bool]]:
    chosen = [EntryRow.task == task, cases]
    return chosen if label is None else [*chosen, EntryRow.label == label]


_COLUMNS = tuple(field.name for field in fields(Remark) if field.name not in {"verdict", "tags"})


def _entries(session: Session, numbers: Select[int]) -> list[Entry]:
    """Entries of these numbers, newest first, with their tags.

    The entries come first and their tags after them, by number: what another reviewer saves in between is in neither.
    """
    # Columns, not objects: a session would watch each for changes.
    rows = session.execute(
        select(*EntryRow.__table__.columns).where(EntryRow.id.in_(numbers)).order_by(EntryRow.id.desc())
    ).all()
    tags: dict[int, list[str]] = {}
    for start in range(0, len(rows), _AT_ONCE):
        ids = [row.id for row in rows[start : start + _AT_ONCE]]
        for number, tag in session.execute(select(TagRow.entry_id, TagRow.tag).where(TagRow.entry_id.in_(ids))):
            tags.setdefault(number, []).append(tag)
    return [
        Entry(
            **{name: getattr(row, name) for name in _COLUMNS},
            verdict=Verdict(row.verdict) if row.verdict else None,
            tags=tuple(sorted(tags.get(row.id, ()))),
            number=row.id,
            written=row.written,
        )
        for row in rows
    ]


def _batches(keys: Iterable[str]) -> Iterator[list[str]]:
    coming = iter(keys)
    while batch := list(islice(coming, _AT_ONCE)):
        yield batch
