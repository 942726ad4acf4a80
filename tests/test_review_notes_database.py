"""Where the notes are kept, and what is said where they cannot be."""

import os
import pwd
import sqlite3
import stat
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import event

from cxrkit.errors import NotesError
from cxrkit.review import notes_database
from cxrkit.review.notes import Notes, Remark, Verdict, open_notes
from cxrkit.review.notes_database import database_url

REMARK = Remark(case_key="a" * 64, task="vq", label="perfusion", reviewer="AB", verdict=Verdict.AGREE)
SECRET = "zz-secret-zz"


def sqlite_notes(file: Path) -> Notes:
    return Notes(database_url({"CXRKIT_DATABASE_URL": f"sqlite:///{file}"}))


def test_without_an_address_notes_are_in_the_users_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert database_url({}).database == f"{tmp_path}/.local/share/cxrkit/reviews.sqlite"
    assert database_url({"XDG_DATA_HOME": "relative"}).database == f"{tmp_path}/.local/share/cxrkit/reviews.sqlite"
    assert (
        database_url({"XDG_DATA_HOME": "/data", "CXRKIT_DATABASE_URL": " "}).database == "/data/cxrkit/reviews.sqlite"
    )


def test_the_file_is_made_at_the_first_write_for_its_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CXRKIT_DATABASE_URL", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    notes = open_notes()
    assert notes is open_notes()
    assert notes.history("a" * 64, "vq") == []
    assert not (tmp_path / "data").exists()
    notes.add(REMARK)
    file = tmp_path / "data" / "cxrkit" / "reviews.sqlite"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    connection = sqlite3.connect(file)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
    file.unlink()
    assert notes.history("a" * 64, "vq") == []
    assert len({notes.add(REMARK).number, *(entry.number for entry in notes.history("a" * 64, "vq"))}) == 1


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_is_reached_by_psycopg(scheme: str) -> None:
    url = database_url({"CXRKIT_DATABASE_URL": f"{scheme}://me:{SECRET}@host/notes"})
    assert (url.drivername, url.host, url.database) == ("postgresql+psycopg", "host", "notes")
    assert SECRET not in f"{url!r} {url}"


@pytest.mark.parametrize(
    "address",
    [
        SECRET,
        f"mysql://me:{SECRET}@host/notes",
        f"postgresql+psycopg2://me:{SECRET}@host/notes",
        f"postgresql://me:{SECRET}@host:port/notes",
        "sqlite://",
        "sqlite:///:memory:",
        f"sqlite:///file:{SECRET}?uri=true",
        f"sqlite://{SECRET}/notes",
    ],
)
def test_a_wrong_address_is_said_and_not_quoted(address: str) -> None:
    with pytest.raises(NotesError, match="CXRKIT_DATABASE_URL is no address") as caught:
        database_url({"CXRKIT_DATABASE_URL": address})
    assert SECRET not in told(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1:9", "no-such-host.invalid", ""])
def test_a_server_that_is_not_there_is_said_without_its_password(tmp_path: Path, host: str) -> None:
    notes = Notes(
        database_url({"CXRKIT_DATABASE_URL": f"postgresql://me:{SECRET}@{host}/notes?{_socket(tmp_path, host)}"})
    )
    for use in (lambda: notes.add(REMARK), lambda: notes.history("a" * 64, "vq")):
        with pytest.raises(NotesError, match="cannot be reached") as caught:
            use()
        assert SECRET not in told(caught.value)
    notes.close()


def _socket(tmp_path: Path, host: str) -> str:
    return "" if host else f"host={tmp_path}"


def told(error: NotesError) -> str:
    """All that a handler or a log shows of an error."""
    shown = traceback.format_exception(error)
    return repr([str(error), repr(error), error.args, *(line for line in shown if not line.startswith("    "))])


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotesError, match="cannot be opened"):
        sqlite_notes(tmp_path / "file" / "reviews.sqlite").add(REMARK)


@contextmanager
def nobody() -> Iterator[None]:
    """Root may write anywhere; so for a moment this process is another user."""
    me = os.geteuid()
    if me == 0:
        os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        yield
    finally:
        os.seteuid(me)


@pytest.mark.parametrize("mode", [0o555, 0o000])
def test_a_folder_that_may_not_be_written_to_or_looked_into_is_said(mode: int) -> None:
    with TemporaryDirectory() as folder:  # not pytest's own, which root alone may enter
        notes = sqlite_notes(Path(folder) / "reviews.sqlite")
        os.chmod(folder, mode)
        with nobody(), pytest.raises(NotesError, match="cannot be opened"):
            notes.add(REMARK)
        if mode:
            assert notes.history("a" * 64, "vq") == []
        os.chmod(folder, 0o700)


def test_a_file_that_may_only_be_read_is_said() -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "reviews.sqlite"
        sqlite_notes(file).add(REMARK)
        notes = sqlite_notes(file)
        file.chmod(0o444)
        os.chmod(folder, 0o555)
        with nobody(), pytest.raises(NotesError, match=r"may not be written to|cannot be opened"):
            notes.add(REMARK)
        os.chmod(folder, 0o700)


def test_a_database_that_takes_no_changes_is_said(tmp_path: Path) -> None:
    file = tmp_path / "reviews.sqlite"
    first, notes = sqlite_notes(file).add(REMARK), sqlite_notes(file)
    event.listen(notes._database.engine, "connect", lambda connection, _: connection.execute("PRAGMA query_only=ON"))
    with pytest.raises(NotesError, match="may not be written to"):
        notes.add(REMARK)
    assert notes.history("a" * 64, "vq") == [first]


def test_a_file_of_something_else_is_said(tmp_path: Path) -> None:
    file = tmp_path / "reviews.sqlite"
    file.write_bytes(b"This is no database. " * 100)
    for use in (lambda: sqlite_notes(file).add(REMARK), lambda: sqlite_notes(file).history("a" * 64, "vq")):
        with pytest.raises(NotesError, match="no SQLite database"):
            use()


def test_a_database_that_stays_locked_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes_database, "_WAIT_SECONDS", 0.1)
    file = tmp_path / "reviews.sqlite"
    notes = sqlite_notes(file)
    first = notes.add(REMARK)
    other = sqlite3.connect(file)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(NotesError, match="Others are writing"):
        notes.add(REMARK)
    assert notes.history("a" * 64, "vq") == [first]
    other.rollback()
    other.close()
    assert len([notes.add(REMARK), *notes.history("a" * 64, "vq")]) == 3
