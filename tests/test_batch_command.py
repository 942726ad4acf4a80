"""Where predictions may be written, and a table of which nothing could be used."""

import os
from pathlib import Path

import pytest

from cxrkit.batch_command import check_out
from cxrkit.commands import run
from cxrkit.errors import InputError
from tests.pages.conftest import png

Capture = pytest.CaptureFixture[str]
LONG = "x" * 300
"""Longer than file systems allow for a name."""


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("analyse tuberculosis LONG", "no such file"),
        ("analyse tuberculosis LONG --out OUT", "no such file"),
        ("analyse tuberculosis TABLE --out LONG", "more than 200 bytes"),
        ("analyse tuberculosis TABLE --out LONG/out.csv", "in a folder that exists"),
        ("evaluate tuberculosis LONG --root ROOT --out OUT", "cannot be opened"),
        ("evaluate tuberculosis TABLE --root LONG --out OUT", "root folder"),
        ("evaluate tuberculosis TABLE --root ROOT --out LONG", "more than 200 bytes"),
        ("evaluate tuberculosis TABLE --root ROOT --out OUT --weights LONG", "No trained weights"),
        ("readme LONG", "no such file"),
    ],
)
def test_a_path_that_is_too_long_is_one_line(command: str, words: str, tmp_path: Path, capsys: Capture) -> None:
    table = tmp_path / "cases.csv"
    table.write_text("file,target\n0.png,1\n")
    places = {"TABLE": table, "ROOT": tmp_path, "OUT": tmp_path / "out.csv"}
    arguments = [str(places.get(word, word.replace("LONG", str(tmp_path / LONG)))) for word in command.split()]
    assert run(arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert words in error
    assert list(tmp_path.iterdir()) == [table]


def test_a_name_that_leaves_no_room_for_the_unfinished_table_is_refused_at_once(tmp_path: Path) -> None:
    check_out(tmp_path / ("a" * 196 + ".csv"), tmp_path / "cases.csv")
    with pytest.raises(InputError, match="shorter"):
        check_out(tmp_path / ("é" * 99 + ".csv"), tmp_path / "cases.csv")


@pytest.mark.parametrize("command", ["analyse tuberculosis TABLE", "evaluate tuberculosis TABLE --root ROOT"])
def test_a_radiograph_of_the_table_and_a_pipe_are_not_replaced(command: str, tmp_path: Path, capsys: Capture) -> None:
    table, image, pipe = (tmp_path / name for name in ("cases.csv", "0", "pipe"))
    table.write_text("file,target\n0,1\n")
    image.write_bytes(png())
    os.mkfifo(pipe)
    places = {"TABLE": str(table), "ROOT": str(tmp_path)}
    for out, words in ((image, "would replace an image"), (pipe, "a device or a pipe")):
        assert run([*(places.get(word, word) for word in command.split()), "--out", str(out)]) == 2
        assert words in capsys.readouterr().err
    assert image.read_bytes() == png()
    assert pipe.is_fifo()


def test_a_device_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a device or a pipe"):
        check_out(Path("/dev/null"), tmp_path / "cases.csv")


def test_an_evaluation_without_one_usable_case_fails_after_it_was_printed(
    tmp_path: Path, small_weights: Path, capsys: Capture
) -> None:
    table, out = tmp_path / "cases.csv", tmp_path / "out.csv"
    table.write_text("file,target\n0.png,1\n1.png,0\n")
    command = ["evaluate", "tuberculosis", str(table), "--root", str(tmp_path), "--out", str(out)]
    assert run([*command, "--weights", str(small_weights)]) == 2
    captured = capsys.readouterr()
    assert "0 of 2 cases measured" in captured.out
    assert captured.err == "Error: None of the cases could be analysed; the column error of the table says why.\n"
    assert out.read_text().count("not in the root folder") == 2
