"""Files that appear complete or not at all, and README, which is written so."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cxrkit.batch_case import Row
from cxrkit.cases import Case
from cxrkit.commands import run
from cxrkit.errors import InputError
from cxrkit.predictions import write_predictions
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from cxrkit.whole_file import whole_file

Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch


def full(_: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_the_content_is_on_the_disk_before_it_has_the_name(tmp_path: Path, monkeypatch: Patch) -> None:
    file, seen = tmp_path / "a.txt", []
    file.write_text("old")

    def look(number: int) -> None:
        seen.append((os.fstat(number).st_size, file.read_text()))

    monkeypatch.setattr(os, "fsync", look)
    with whole_file(file) as stream:
        stream.write("new text\r\n")
    assert seen == [(10, "old")]
    assert file.read_bytes() == b"new text\r\n"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, UnicodeError])
def test_whatever_ends_the_writing_leaves_nothing_behind(error: type[BaseException], tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text("old")

    def rows() -> Iterator[Row]:
        yield Row(Case(("a.png",), "", row={"file": "a.png"}), None, None, error="It cannot be read.")
        raise error

    with pytest.raises(error):
        write_predictions(TUBERCULOSIS, rows(), out)
    assert out.read_text() == "old"
    assert list(tmp_path.iterdir()) == [out]


def test_a_full_disk_keeps_the_older_table(tmp_path: Path, monkeypatch: Patch) -> None:
    out = tmp_path / "out.csv"
    out.write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="could not be written"):
        write_predictions(TUBERCULOSIS, [], out)
    assert out.read_text() == "old"
    assert list(tmp_path.iterdir()) == [out]


def test_a_full_disk_keeps_the_markdown(tmp_path: Path, monkeypatch: Patch, capsys: Capture) -> None:
    file = tmp_path / "text.md"
    file.write_text("a\n<!-- card:lung_field -->\n<!-- end -->\n")
    monkeypatch.setattr(os, "fsync", full)
    assert run(["readme", str(file)]) == 2
    assert "is as it was" in capsys.readouterr().err
    assert file.read_text() == "a\n<!-- card:lung_field -->\n<!-- end -->\n"
    assert list(tmp_path.iterdir()) == [file]


def test_the_markdown_keeps_its_mode_and_a_link_stays_one(tmp_path: Path) -> None:
    file, link = tmp_path / "text.md", tmp_path / "link.md"
    file.write_text("a\n<!-- card:lung_field -->\n<!-- end -->\n")
    file.chmod(0o640)
    link.symlink_to(file)
    assert run(["readme", str(link)]) == 0
    assert link.is_symlink()
    assert file.read_text().count("|") > 4
    assert file.stat().st_mode & 0o777 == 0o640


def test_markdown_that_cannot_be_read_is_a_sentence(tmp_path: Path, monkeypatch: Patch, capsys: Capture) -> None:
    file = tmp_path / "text.md"
    file.write_bytes("Röntgen".encode("latin-1"))
    assert run(["readme", str(file)]) == 2
    assert "not text in UTF-8" in capsys.readouterr().err

    def forbidden(*_: object, **__: object) -> str:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "read_text", forbidden)
    assert run(["readme", str(file)]) == 2
    assert "may be read" in capsys.readouterr().err
