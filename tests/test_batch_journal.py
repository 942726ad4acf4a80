import errno
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cxrkit.batch_case import Asked
from cxrkit.batch_journal import About, Journal, journal_of
from cxrkit.errors import InputError
from cxrkit.task import ModelInput

ABOUT = About("tuberculosis", "a" * 64, "d" * 64, "b" * 64, Asked(ModelInput(crop=(0, 0, 99, 99))))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    with Journal(tmp_path / "out.csv", ABOUT) as journal:
        for number in range(3):
            journal.append({"key": number, "name": "ä"})
    return tmp_path / "out.csv"


def rows(table: Path) -> list[dict[str, Any]]:
    with Journal(table, ABOUT) as journal:
        return [row for _, row in journal.rows()]


def test_rows_are_there_again_and_can_be_read_by_their_place(table: Path) -> None:
    with Journal(table, ABOUT) as journal:
        places = [place for place, _ in journal.rows()]
        places.append(journal.append({"key": 3}))
        assert [journal.read(place)["key"] for place in reversed(places)] == [3, 2, 1, 0]
    assert [row["key"] for row in rows(table)] == [0, 1, 2, 3]


def test_a_row_is_on_the_disk_at_once(tmp_path: Path) -> None:
    with Journal(tmp_path / "out.csv", ABOUT) as journal:
        journal.append({"key": 1})
        assert journal_of(tmp_path / "out.csv").read_bytes().endswith(b'"key": 1}\n')


@pytest.mark.parametrize("rest", [b"{", b'{"key": 3, "na', b'{"key": 3}', b"\0\0\n"])
def test_half_a_row_at_the_end_is_cut_off(table: Path, rest: bytes) -> None:
    whole = journal_of(table).read_bytes()
    journal_of(table).write_bytes(whole + rest)
    assert [row["key"] for row in rows(table)] == [0, 1, 2]
    assert journal_of(table).read_bytes() == whole


def test_half_a_first_line_is_begun_anew(table: Path) -> None:
    head = journal_of(table).read_bytes().split(b"\n")[0]
    journal_of(table).write_bytes(head[:40])
    assert rows(table) == []
    assert journal_of(table).read_bytes() == head + b"\n"


@pytest.mark.parametrize("restart", [False, True], ids=["go on", "restart"])
@pytest.mark.parametrize(
    "content",
    [b"Progress of patients:\n", b"no end of line", b"\x89PNG\r\n", b'{"file": 1}\n', b'{"form": "A"}\n', b"\n"],
)
def test_a_file_of_the_users_own_is_refused_and_stays(tmp_path: Path, content: bytes, restart: bool) -> None:
    own = journal_of(tmp_path / "out.csv")
    own.write_bytes(content)
    with pytest.raises(InputError, match=r"ends in \.progress.*holds something else.*another file after --out"):
        Journal(tmp_path / "out.csv", ABOUT, restart)
    assert own.read_bytes() == content


@pytest.mark.parametrize("length", [0, 1, 9, 10, 11, 20, 21, 60])
@pytest.mark.parametrize("restart", [False, True], ids=["go on", "restart"])
def test_whatever_a_kill_left_of_the_first_line_is_begun_anew(table: Path, length: int, restart: bool) -> None:
    head = journal_of(table).read_bytes().split(b"\n")[0]
    journal_of(table).write_bytes(head[:length])
    with Journal(table, ABOUT, restart) as journal:
        assert journal.read(journal.append({"key": 5})) == {"key": 5}
    assert journal_of(table).read_bytes() == head + b'\n{"key": 5}\n'


@pytest.mark.parametrize("form", [1, 12])
def test_rows_of_another_version_are_known_as_such(table: Path, form: int) -> None:
    head = json.loads(journal_of(table).read_bytes().split(b"\n")[0])
    journal_of(table).write_text(json.dumps(head | {"form": form}) + "\n")
    with pytest.raises(InputError, match="another version of this program"):
        Journal(table, ABOUT)
    with Journal(table, ABOUT, restart=True) as journal:
        assert list(journal.rows()) == []


def test_damage_in_the_middle_is_refused(table: Path) -> None:
    lines = journal_of(table).read_bytes().splitlines(keepends=True)
    journal_of(table).write_bytes(b"".join([lines[0], b"\0\0\n", *lines[2:]]))
    with pytest.raises(InputError, match="damaged"):
        rows(table)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (replace(ABOUT, task="vq"), "another task"),
        (replace(ABOUT, weights="c" * 64), "other weights"),
        (replace(ABOUT, card="c" * 64), "another card"),
        (replace(ABOUT, cases="c" * 64), "another manifest or folder"),
        (replace(ABOUT, asked=Asked()), "other options"),
    ],
    ids=["task", "weights", "card", "cases", "options"],
)
def test_rows_of_anything_else_are_refused_with_what_to_do(table: Path, other: About, words: str) -> None:
    before = journal_of(table).read_bytes()
    with pytest.raises(InputError, match=f"{words}.*--restart"):
        Journal(table, other)
    assert journal_of(table).read_bytes() == before
    with Journal(table, other, restart=True) as journal:
        assert list(journal.rows()) == []


def test_two_runs_do_not_write_to_one_table(table: Path) -> None:
    with Journal(table, ABOUT), pytest.raises(InputError, match="Another run"):
        Journal(table, ABOUT, restart=True)
    assert len(rows(table)) == 3


def test_a_file_system_that_cannot_lock_is_not_called_another_run(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unable(file: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("cxrkit.batch_journal.fcntl.flock", unable)
    before = journal_of(table).read_bytes()
    with pytest.raises(InputError, match=r"cannot lock files.*another folder after --out"):
        Journal(table, ABOUT, restart=True)
    assert journal_of(table).read_bytes() == before


def test_a_run_that_failed_before_its_first_row_leaves_nothing(tmp_path: Path, table: Path) -> None:
    with pytest.raises(InputError), Journal(tmp_path / "other.csv", ABOUT):
        raise InputError("No.")
    assert not journal_of(tmp_path / "other.csv").exists()
    with pytest.raises(InputError), Journal(table, ABOUT):
        raise InputError("No.")
    assert len(rows(table)) == 3


def test_a_place_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="could not be written"):
        Journal(tmp_path / "none" / "out.csv", ABOUT)


def test_a_full_disk_keeps_the_rows_that_are_whole(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Journal(table, ABOUT) as journal:
        with monkeypatch.context() as patch:
            patch.setattr("cxrkit.batch_journal.os.write", lambda file, line: len(line) // 2)
            with pytest.raises(InputError, match="could not be written"):
                journal.append({"key": 3})
        journal.append({"key": 4})
    assert [row["key"] for row in rows(table)] == [0, 1, 2, 4]
