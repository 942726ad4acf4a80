"""cxrkit.review.folders: only what lies beneath the folders of CXRKIT_CASES is found, however it is asked for."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as some

from cxrkit.errors import InputError
from cxrkit.review.folders import VARIABLE, case_folders, checked_file, checked_folder, tables_beneath

ESCAPES = [
    "",
    ".",
    "..",
    "/",
    "\\",
    "secret",
    "inside.csv",
    "sub",
    "leads_out",
    "C:",
    "\0",
    "~",
    "link.csv",
    "loop",
    "é",
]


@pytest.fixture
def open_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of cases with a table, links into it, out of it and onto themselves; a secret lies beside it."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "cases.csv").write_text("file,target\n")
    cases = tmp_path / "cases"
    (cases / "sub" / "deep").mkdir(parents=True)
    for name in ("inside.csv", "sub/b.CSV", "sub/deep/c.csv", "sub/image.png", ".hidden.csv"):
        (cases / name).write_text("file,target\n")
    (cases / "leads_out").symlink_to(tmp_path / "secret", target_is_directory=True)
    (cases / "link.csv").symlink_to(tmp_path / "secret" / "cases.csv")
    (cases / "within.csv").symlink_to(cases / "inside.csv")
    (cases / "loop").symlink_to(cases / "loop")
    monkeypatch.setenv(VARIABLE, str(cases))
    return cases


def test_without_the_variable_nothing_is_open_and_it_is_said_how_to_open_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert case_folders() == ()
    with pytest.raises(InputError, match=f"Set {VARIABLE} to one folder"):
        checked_folder(tmp_path)


def test_folders_are_those_that_exist_each_once(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = [str(open_folder), "", str(open_folder / "sub" / ".."), str(open_folder / "gone"), f" {open_folder}/sub "]
    monkeypatch.setenv(VARIABLE, os.pathsep.join(named))
    assert case_folders() == (open_folder, open_folder / "sub")
    assert checked_folder(open_folder / "sub" / "deep") == open_folder / "sub" / "deep"


def test_a_link_that_the_owner_names_is_followed(
    open_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "alias").symlink_to(open_folder, target_is_directory=True)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "alias"))
    assert case_folders() == (open_folder,)
    assert checked_folder(tmp_path / "alias" / "sub") == open_folder / "sub"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{}/..", "whole path"),
        ("{}/../cases/sub", "whole path"),
        ("sub", "whole path"),
        ("", "whole path"),
        ("C:\\cases", "whole path"),
        ("{}/a\\..\\..", "whole path"),
        ("{}/sub\0", "whole path"),
        ("{}/\ud800", "whole path"),
        ("/", "outside"),
        ("{}2", "outside"),
        ("{}/leads_out", "outside"),
        ("{}/loop", "no such folder"),
        ("{}/inside.csv", "no such folder"),
        ("{}/" + "x" * 5000, "no such folder"),
    ],
)
def test_folders_elsewhere_are_refused_with_a_sentence(open_folder: Path, text: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        checked_folder(text.replace("{}", str(open_folder)))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("../secret/cases.csv", "leads out"),
        ("sub/../inside.csv", "leads out"),
        ("sub\\..\\inside.csv", "leads out"),
        ("/etc/passwd", "is absolute"),
        ("C:inside.csv", "is absolute"),
        ("\\\\server\\share\\a.csv", "is absolute"),
        ("inside.csv\0.png", "leads out"),
        ("link.csv", "through a link"),
        ("leads_out/cases.csv", "through a link"),
        ("loop", "not in the root folder"),
        ("sub", "not in the root folder"),
        ("", "not in the root folder"),
        ("\udcff", "letters that no path has"),
    ],
)
def test_files_elsewhere_are_refused_with_a_sentence(open_folder: Path, text: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        checked_file(open_folder, text)


def test_a_file_needs_a_folder_that_is_open(open_folder: Path, tmp_path: Path) -> None:
    assert checked_file(open_folder, "sub/image.png") == open_folder / "sub" / "image.png"
    assert checked_file(open_folder, "within.csv") == open_folder / "inside.csv"
    with pytest.raises(InputError, match="outside"):
        checked_file(tmp_path / "secret", "cases.csv")
    with pytest.raises(InputError, match="outside"):
        checked_file(open_folder / "leads_out", "cases.csv")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
@given(parts=some.lists(some.sampled_from(ESCAPES) | some.text(max_size=6), max_size=6))
@example(parts=["leads_out", "cases.csv"])
def test_whatever_is_asked_for_lies_inside_or_is_refused(open_folder: Path, parts: list[str]) -> None:
    for text in ("/".join(parts), "\\".join(parts), "".join(parts)):
        for ask in (lambda: checked_file(open_folder, text), lambda: checked_folder(f"{open_folder}/{text}")):  # noqa: B023
            try:
                found = ask()
            except InputError:
                continue
            assert Path(os.path.realpath(found)).is_relative_to(open_folder)


def test_tables_are_listed_from_the_top_without_links_and_hidden_ones(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tables_beneath(open_folder) == ("inside.csv", "sub/b.CSV", "sub/deep/c.csv")
    assert tables_beneath(open_folder / "sub") == ("b.CSV", "deep/c.csv")
    with pytest.raises(InputError, match="outside"):
        tables_beneath(open_folder.parent)
    monkeypatch.setattr("cxrkit.review.folders.MOST_TABLES", 2)
    assert tables_beneath(open_folder) == ("inside.csv", "sub/b.CSV")
    monkeypatch.setattr("cxrkit.review.folders._MOST_FOLDERS", 1)
    assert tables_beneath(open_folder) == ("inside.csv",)
