"""Notes in SQLite, and in a PostgreSQL of Debian's package that the test starts as an unprivileged user."""

import datetime
import hashlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from cxrkit.errors import InputError, NotesError
from cxrkit.review.notes import MOST_TAGS, Entry, Notes, Remark, Verdict
from cxrkit.review.notes_database import database_url
from cxrkit.review.notes_tables import SCHEMA

REPOSITORY = Path(__file__).resolve().parents[1]
KEY = hashlib.sha256(b"an image").hexdigest()
REMARK = Remark(case_key=KEY, task="tuberculosis", label="tuberculosis", reviewer="ab", verdict=Verdict.AGREE)


def postgresql_programs() -> Path:
    """Folder of initdb and pg_ctl; skips where there is none, but in CI, which installs it."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    if not found:
        reason = "needs Debian's PostgreSQL: apt-get install postgresql"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found[-1].parent


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Callable[[str], str]]:
    """Make a database of this name in a server that no network reaches, and give its address."""
    programs = postgresql_programs()
    # Not pytest's own folder: another user has to get into it, and a socket's path is short.
    folder = Path(tempfile.mkdtemp(prefix="cxrkit-pg-"))
    who: dict[str, object] = {}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        who = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": ()}

    def run(name: str, *arguments: str) -> None:
        subprocess.run(
            [programs / name, *arguments], cwd=folder, check=True, timeout=60, stdout=subprocess.DEVNULL, **who
        )

    data, options = str(folder / "data"), f"-k {folder} -c listen_addresses='' -c fsync=off"
    try:
        run("initdb", "-D", data, "-U", "reviewer", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8")
        run("pg_ctl", "-D", data, "-o", options, "-l", str(folder / "log"), "-w", "start")
        try:

            def made(name: str) -> str:
                run("createdb", "-h", str(folder), "-U", "reviewer", name)
                return f"postgresql://reviewer@/{name}?host={folder}"

            yield made
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty database of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/folder/reviews.sqlite"
    return str(request.getfixturevalue("postgresql")(f"notes_{time.monotonic_ns()}"))


def notes_at(address: str) -> Notes:
    return Notes(database_url({"CXRKIT_DATABASE_URL": address}))


@pytest.fixture
def notes(address: str) -> Iterator[Notes]:
    opened = notes_at(address)
    yield opened
    opened.close()


def test_an_empty_database_is_read_and_not_made(notes: Notes, tmp_path: Path) -> None:
    assert notes.history(KEY, "tuberculosis") == []
    assert notes.current([KEY], "tuberculosis") == {}
    assert notes.tags("tuberculosis") == []
    assert notes.state("tuberculosis") == (0, 0)
    assert list(tmp_path.iterdir()) == []


def test_an_entry_comes_back_as_it_was_saved(notes: Notes, address: str) -> None:
    before = datetime.datetime.now(datetime.UTC)
    note = "Scar, 'old'; DROP TABLE review_entry;--\nzweite Zeile: 肺 \N{LUNGS}"
    saved = notes.add(replace(REMARK, tags=("scar", " old  film "), note=f" {note}\0", weights="f" * 64))
    again = notes_at(address)
    (found,) = again.history(KEY, "tuberculosis")
    again.close()
    assert found == saved
    assert (found.reviewer, found.verdict, found.tags, found.note) == ("AB", Verdict.AGREE, ("old film", "scar"), note)
    assert found.weights == "f" * 64
    assert found.written.tzinfo == datetime.UTC
    assert before <= found.written <= datetime.datetime.now(datetime.UTC)


def test_the_newest_of_each_reviewer_is_current_and_all_are_kept(notes: Notes) -> None:
    first = notes.add(REMARK)
    second = notes.add(replace(REMARK, reviewer="CD", verdict=Verdict.MODEL_WRONG))
    third = notes.add(replace(REMARK, verdict=Verdict.UNCLEAR, note="on second thoughts"))
    assert notes.current([KEY], "tuberculosis") == {KEY: (third, second)}
    assert notes.history(KEY, "tuberculosis") == [third, second, first]
    assert notes.state("tuberculosis") == (3, third.number)


def test_entries_belong_to_a_case_a_task_and_a_label(notes: Notes) -> None:
    effusion = notes.add(replace(REMARK, task="nih14", label="Effusion", tags=("left",)))
    mass = notes.add(replace(REMARK, task="nih14", label="Mass", tags=("Right",)))
    notes.add(replace(REMARK, task="nih14", label="Mass", case_key="0" * 64))
    notes.add(replace(REMARK, tags=("other task",)))
    assert notes.history(KEY, "nih14") == [mass, effusion]
    assert notes.history(KEY, "nih14", "Mass") == [mass]
    assert notes.current([KEY, "1" * 64], "nih14") == {KEY: (mass, effusion)}
    assert notes.current([KEY], "nih14", "Effusion") == {KEY: (effusion,)}
    assert notes.tags("nih14") == ["left", "Right"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"reviewer": ""}, "1 to 4 letters"),
        ({"reviewer": "ABCDE"}, "1 to 4 letters"),
        ({"reviewer": "A1"}, "1 to 4 letters"),
        ({"verdict": None}, "nothing to save"),
        ({"verdict": None, "tags": (" ",), "note": "\n\0 "}, "nothing to save"),
        ({"note": "x" * 4001}, "4,001 letters; at most 4,000"),
        ({"tags": ("x" * 41,)}, "at most 40 letters"),
        ({"tags": tuple(map(str, range(MOST_TAGS + 1)))}, "At most 20 tags"),
    ],
)
def test_what_cannot_be_kept_is_said(tmp_path: Path, wrong: dict[str, object], said: str) -> None:
    file = tmp_path / "reviews.sqlite"
    with pytest.raises(InputError, match=said):
        notes_at(f"sqlite:///{file}").add(replace(REMARK, **wrong))
    assert not file.exists()


def test_threads_that_write_at_once_lose_nothing(address: str) -> None:
    """Each with a connection of its own to a database without tables, so that making them is in the race too."""

    def write(reviewer: str) -> list[Entry]:
        own = notes_at(address)
        found = [
            own.add(replace(REMARK, reviewer=reviewer, note=str(each), tags=("both", reviewer))) for each in range(25)
        ]
        own.close()
        return found

    reviewers = list("ABCDEFGH")
    with ThreadPoolExecutor(len(reviewers)) as threads:
        saved = [entry for entries in threads.map(write, reviewers) for entry in entries]
    check_all_are_there(address, saved)


def test_threads_that_share_one_object_lose_nothing(notes: Notes, address: str) -> None:
    with ThreadPoolExecutor(8) as threads:
        saved = list(threads.map(lambda each: notes.add(replace(REMARK, note=str(each))), range(200)))
    check_all_are_there(address, saved)


PROCESS = """
import sys
from cxrkit.review.notes import Notes, Remark
from cxrkit.review.notes_database import database_url
address, key, reviewer = sys.argv[1:]
notes = Notes(database_url({"CXRKIT_DATABASE_URL": address}))
for each in range(25):
    notes.add(Remark(case_key=key, task="tuberculosis", label="tuberculosis", reviewer=reviewer, note=str(each)))
notes.close()
"""


def test_processes_that_write_at_once_lose_nothing(address: str) -> None:
    started = [
        subprocess.Popen([sys.executable, "-c", PROCESS, address, KEY, reviewer], cwd=REPOSITORY) for reviewer in "AB"
    ]
    assert [process.wait(120) for process in started] == [0] * len(started)
    opened = notes_at(address)
    found = opened.history(KEY, "tuberculosis")
    opened.close()
    assert {(entry.reviewer, entry.note) for entry in found} == {(who, str(n)) for who in "AB" for n in range(25)}
    assert len(found) == 50


def check_all_are_there(address: str, saved: list[Entry]) -> None:
    opened = notes_at(address)
    try:
        assert opened.history(KEY, "tuberculosis") == sorted(saved, key=lambda entry: -entry.number)
        newest = {entry.reviewer: entry for entry in sorted(saved, key=lambda entry: entry.number)}
        assert set(opened.current([KEY], "tuberculosis")[KEY]) == set(newest.values())
    finally:
        opened.close()


def test_ten_thousand_cases_are_looked_up_quickly(notes: Notes) -> None:
    keys = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(10_000)]
    notes.add(replace(REMARK, case_key=keys[0]))
    with notes._database.engine.begin() as connection:
        rows = [{"id": number, "key": key} for number, key in enumerate(keys, start=10)]
        connection.execute(
            text(
                "INSERT INTO review_entry (id, case_key, task, label, reviewer, verdict, note, weights, written) "
                "VALUES (:id, :key, 'tuberculosis', 'tuberculosis', 'CD', 'unclear', '', '', '2026-01-02 03:04:05')"
            ),
            rows,
        )
        connection.execute(text("INSERT INTO review_tag (entry_id, tag) VALUES (:id, 'scar')"), rows)
    start = time.process_time()
    found = notes.current(keys, "tuberculosis")
    spent = time.process_time() - start
    assert len(found) == 10_000
    assert [entry.reviewer for entry in found[keys[0]]] == ["CD", "AB"]
    assert found[keys[-1]][0].tags == ("scar",)
    assert spent < 1.5  # a third of a second on an idle core


def test_tables_of_a_newer_program_are_refused(notes: Notes, address: str) -> None:
    notes.add(REMARK)
    with notes._database.engine.begin() as connection:
        connection.execute(text(f"UPDATE cxrkit_schema SET version = {SCHEMA + 1}"))
    opened = notes_at(address)
    for use in (lambda: opened.history(KEY, "tuberculosis"), lambda: opened.add(REMARK)):
        with pytest.raises(NotesError, match="newer version of this program"):
            use()
    opened.close()
