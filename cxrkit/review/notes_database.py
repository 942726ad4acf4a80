"""Where the notes are: a file of SQLite or a PostgreSQL server, and what can be wrong with either, in sentences."""

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, func, insert, inspect, make_url, select, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, TimeoutError

from cxrkit.errors import NotesError
from cxrkit.review.notes_tables import SCHEMA, Base, SchemaRow

VARIABLE = "CXRKIT_DATABASE_URL"

_POSTGRESQL = "postgresql+psycopg"
_WAIT_SECONDS = 15
"""For another writer of a SQLite file. **Choice**: a write takes milliseconds, so fifty may queue."""

_CONNECT_SECONDS = 5
_CREATION_LOCK = 7_301_958
"""Number of the lock under which PostgreSQL's tables are made; any fixed one."""

_WRONG_URL = (
    f"{VARIABLE} is no address of a database that notes can be kept in. Write sqlite:////folder/reviews.sqlite with "
    "the file's whole path, or postgresql://user:password@host/database."
)
_UNREACHABLE = (
    f"The notes database cannot be reached, or it refuses the user of {VARIABLE}. Check that it runs, and the address, "
    "user, password and name of the database. Nothing was saved."
)
_SQLITE = {
    "BUSY": "Others are writing to the notes database, and it did not become free in time. Save again in a moment.",
    "LOCKED": "Others are writing to the notes database, and it did not become free in time. Save again in a moment.",
    "READONLY": f"The notes database may not be written to. Make its file and folder writable, or name another file in "
    f"{VARIABLE}.",
    "CANTOPEN": f"The notes database cannot be opened. Check that its file and folder may be read and written, or name "
    f"another file in {VARIABLE}.",
    "FULL": "The notes could not be saved, because the disk is full.",
    "NOTADB": f"The file for notes is no SQLite database. Name another file in {VARIABLE}.",
    "CORRUPT": f"The file of the notes database is damaged. Put a copy back, or name another file in {VARIABLE}.",
}
_SQLSTATES = {
    "28": _UNREACHABLE,
    "3D": _UNREACHABLE,
    "08": _UNREACHABLE,
    "25": "The notes database takes no changes at present (it is read-only). Nothing was saved.",
    "42": f"The user of {VARIABLE} may not read, write or make the tables of the notes. Have it permitted.",
    "53": "The notes database has no room or no connection left. Nothing was saved; try again later.",
    "57": "The notes database is starting or stopping. Nothing was saved; try again in a moment.",
}
_OTHER = "The notes database could not do what was asked of it. Nothing was saved; try again, or look at its log."


@contextmanager
def database_errors() -> Iterator[None]:
    """Say what a database refused, without its own words, which may quote a note or an address.

    Raises:
        NotesError: in place of what SQLAlchemy raises.
    """
    try:
        yield
    except TimeoutError:
        raise NotesError(_SQLSTATES["53"]) from None
    except DBAPIError as error:
        raise NotesError(_sentence(error)) from None


def _sentence(error: DBAPIError) -> str:
    name: str | None = getattr(error.orig, "sqlite_errorname", None)
    if name is not None:
        return next((said for part, said in _SQLITE.items() if name.startswith(f"SQLITE_{part}")), _OTHER)
    state: str | None = getattr(error.orig, "sqlstate", None)
    if state is None:
        return _UNREACHABLE if isinstance(error, OperationalError) else _OTHER
    return _SQLSTATES.get(state[:2], _OTHER)


def database_url(environ: Mapping[str, str] = os.environ) -> URL:
    """Address of the notes database.

    Args:
        environ: CXRKIT_DATABASE_URL where it is set; otherwise reviews.sqlite in the folder cxrkit of the user's data
            folder, which is XDG_DATA_HOME or ~/.local/share (XDG Base Directory Specification).

    Returns:
        Of SQLite, with the file's whole path; or of PostgreSQL by psycopg.

    Raises:
        NotesError: it is no such address. It is not quoted, because it may hold a password.
    """
    written = environ.get(VARIABLE, "").strip()
    if not written:
        return URL.create("sqlite", database=str(_data_folder(environ) / "cxrkit" / "reviews.sqlite"))
    try:
        url = make_url(written)
    except (ArgumentError, ValueError):  # the port is no number
        raise NotesError(_WRONG_URL) from None
    if url.drivername in {"postgres", "postgresql", _POSTGRESQL}:
        return url.set(drivername=_POSTGRESQL)
    # A database in memory would be lost with the server.
    file = url.database or ""
    if url.drivername not in {"sqlite", "sqlite+pysqlite"} or url.host or file in {"", ":memory:"} or url.query:
        raise NotesError(_WRONG_URL)
    return URL.create("sqlite", database=os.path.abspath(os.path.expanduser(file)))


def _data_folder(environ: Mapping[str, str]) -> Path:
    named = Path(environ.get("XDG_DATA_HOME", ""))
    # The specification has relative ones ignored.
    return named if named.is_absolute() else Path.home() / ".local" / "share"


class Database:
    """The tables of one database. They are made at the first write; before it, they count as empty.

    Args:
        url: as `database_url` gives it.
    """

    def __init__(self, url: URL) -> None:
        self._file = Path(url.database or "") if url.drivername == "sqlite" else None
        self._lock, self._ready = threading.Lock(), False
        self.engine = _engine(url)

    def readable(self) -> bool:
        """Whether there are tables; NotesError if they are newer than this program."""
        return self._prepared(create=False)

    def make_writable(self) -> None:
        """Make the tables if there are none; NotesError if that fails, or they are newer than this program."""
        self._prepared(create=True)

    def _prepared(self, create: bool) -> bool:
        with self._lock, database_errors():
            here = self._file is None or _is_there(self._file)
            if self._ready and here:
                return True
            if not here and not create:
                return False
            if self._file is not None and create:
                _make_file(self._file)
            with self.engine.connect() as connection:
                if create and not _has_tables(connection):
                    _create(connection)
                self._ready = _has_tables(connection) and _known_version(connection)
        return self._ready


def _engine(url: URL) -> Engine:
    if url.drivername == "sqlite":
        # A connection for each use: nothing is shared between Streamlit's threads, and opening one takes 0.2 ms.
        return create_engine(url, poolclass=NullPool, connect_args={"timeout": _WAIT_SECONDS})
    own = {} if "connect_timeout" in url.query else {"connect_timeout": _CONNECT_SECONDS}
    return create_engine(url, pool_pre_ping=True, pool_timeout=_WAIT_SECONDS, connect_args=own)


def _is_there(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError:  # its folder may not be looked into
        raise NotesError(_SQLITE["CANTOPEN"]) from None


def _make_file(file: Path) -> None:
    """Notes are for their owner's eyes; SQLite gives its other files the rights of this one."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
    except OSError:
        raise NotesError(_SQLITE["CANTOPEN"]) from None


def _has_tables(connection: Connection) -> bool:
    return inspect(connection).has_table(SchemaRow.__tablename__)


def _known_version(connection: Connection) -> bool:
    if (connection.scalar(select(func.max(SchemaRow.version))) or 0) > SCHEMA:
        raise NotesError(
            "The notes database was made by a newer version of this program, which may keep what this one does not "
            "know. Update the program, or name another database."
        )
    return True


def _create(connection: Connection) -> None:
    """Make the tables while nobody else does."""
    connection.rollback()  # ends the look for tables
    if connection.dialect.name == "sqlite":
        _write_ahead(connection)
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_CREATION_LOCK})"))
    Base.metadata.create_all(connection)
    if connection.scalar(select(SchemaRow.version)) is None:
        connection.execute(insert(SchemaRow).values(version=SCHEMA))
    connection.commit()


def _write_ahead(connection: Connection) -> None:
    """Let readers go on while one writes (https://sqlite.org/wal.html); the file remembers it.

    SQLite does not wait where two programs ask for it at once, so this does.
    """
    end = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            return
        except OperationalError as error:
            if "BUSY" not in getattr(error.orig, "sqlite_errorname", "") or time.monotonic() > end:
                raise
        time.sleep(0.05)
