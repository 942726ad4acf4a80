import os
from pathlib import Path

import pytest

from cxrkit.batch_folder import find_images
from cxrkit.errors import InputError

PNG = b"\x89PNG\r\n\x1a\n and more"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "b" / "deep").mkdir(parents=True)
    for name in ("z.png", "a.PNG", "b/deep/without_ending", "b/c.tif"):
        (tmp_path / name).write_bytes(PNG)
    (tmp_path / "b" / "dicom").write_bytes(bytes(128) + b"DICM")
    (tmp_path / "b" / "notes.txt").write_text("no image")
    (tmp_path / "b" / "broken.dcm").touch()
    return tmp_path


def names(folder: Path, *paths: Path, without: tuple[Path, ...] = ()) -> list[str]:
    found = find_images(paths or (folder,), without)
    assert all(case.row == {"file": case.files[0]} for case in found.cases)
    assert all((found.root / case.files[0]).is_file() for case in found.cases)
    return [case.files[0] for case in found.cases]


def test_images_are_found_in_all_folders_and_sorted(folder: Path) -> None:
    every = ["a.PNG", "b/broken.dcm", "b/c.tif", "b/deep/without_ending", "b/dicom", "z.png"]
    assert names(folder) == every
    assert find_images([folder]).strangers == ("b/notes.txt",)
    assert names(folder, folder / "b") == ["broken.dcm", "c.tif", "deep/without_ending", "dicom"]


def test_files_that_are_named_count_whatever_they_are(folder: Path) -> None:
    assert names(folder, folder / "z.png", folder / "b" / "notes.txt") == ["b/notes.txt", "z.png"]
    assert names(folder, folder / "b" / "notes.txt") == ["notes.txt"]


def test_nothing_is_listed_twice(folder: Path) -> None:
    assert names(folder, folder, folder / "z.png", folder / "b") == names(folder)


def test_links_to_folders_are_not_followed(folder: Path) -> None:
    (folder / "again").symlink_to(folder)
    assert len(names(folder)) == 6


def test_the_table_itself_is_left_out(folder: Path) -> None:
    out = folder / "predictions.csv"
    out.touch()
    assert find_images([folder], without=[out]).strangers == ("b/notes.txt",)
    with pytest.raises(InputError, match="replace an image"):
        find_images([folder], without=[folder / "z.png"])


def test_names_that_no_table_can_hold_are_strangers(folder: Path) -> None:
    with open(os.fsencode(folder) + b"/\xff.png", "wb") as file:
        file.write(PNG)
    found = find_images([folder])
    assert len(found.cases) == 6
    assert os.fsencode(found.strangers[1]) == b"\xff.png"


def test_a_folder_without_images_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    for path, words in ((tmp_path / "none", "no image"), (tmp_path / "missing", "no such file or folder")):
        with pytest.raises(InputError, match=words):
            find_images([path])


def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    assert "pipe" not in names(folder)


def test_a_folder_that_cannot_be_listed_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("deep"):
            raise PermissionError
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(InputError, match="cannot be listed"):
        find_images([folder])
