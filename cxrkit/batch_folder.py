"""Folders and loose files -> cases of one image each."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cxrkit.cases import Case
from cxrkit.errors import InputError

_SUFFIXES = (".dcm", ".dicom", ".ima", ".png", ".jpg", ".jpeg", ".tif", ".tiff")
_RASTER_MARKS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_DICOM_MARK = slice(128, 132)


@dataclass(frozen=True)
class Found:
    """What lies in folders.

    Attributes:
        root: folder that the cases' files are below.
        cases: one for each image, by path; their number is 0 and their one column is `file`.
        strangers: files that are no images, by path below root.
    """

    root: Path
    cases: tuple[Case, ...]
    strangers: tuple[str, ...]


def find_images(paths: Sequence[Path], without: Iterable[Path] = ()) -> Found:
    """Look for images in folders and all folders in them; links to folders are not followed.

    A file counts as an image by its first bytes or by its name's ending; whether it can be read is seen when it is.

    Args:
        paths: folders, and files that count as images whatever they are; at least one.
        without: files to leave out, such as the table that is to be written.

    Raises:
        InputError: a path is neither file nor folder, there is no image, or one would be replaced.
    """
    if not all(map(os.path.exists, paths)):
        raise InputError("There is no such file or folder. Check the paths.")
    root = _common(paths)
    left_out = {os.path.abspath(path) for path in without}
    names: set[str] = set()
    strangers: set[str] = set()
    for path in paths:
        for file, chosen in _files(path):
            if os.path.abspath(file) in left_out:
                continue
            name = os.path.relpath(os.path.abspath(file), root)
            (names if _utf8(name) and (chosen or _looks_like_image(file)) else strangers).add(name)
    refuse_image(left_out)
    if not names:
        raise InputError("There is no image in it: no DICOM, PNG, JPEG or TIFF file. Check the path.")
    cases = tuple(Case((name,), "", row={"file": name}) for name in sorted(names))
    return Found(root, cases, tuple(sorted(strangers)))


def refuse_image(files: Iterable[str]) -> None:
    """Refuse to write where an image lies: nobody means that, and it may be the only copy.

    Raises:
        InputError: one of the files exists and looks like an image.
    """
    if any(os.path.isfile(file) and _looks_like_image(file) for file in files):
        raise InputError("The predictions would replace an image. Name another file after --out.")


def _common(paths: Sequence[Path]) -> Path:
    """The folder itself, or the lowest one that holds everything."""
    folders = [path if os.path.isdir(path) else path.parent for path in paths]
    return Path(os.path.commonpath([os.path.abspath(folder) for folder in folders]))


def _files(path: Path) -> Iterator[tuple[str, bool]]:
    """Files, and whether they were named as such."""
    if os.path.isfile(path):
        yield str(path), True
        return
    for folder, _, files in os.walk(path, onerror=_not_listed):
        whole = (os.path.join(folder, file) for file in files)
        yield from ((file, False) for file in whole if os.path.isfile(file))  # a pipe would be waited for


def _not_listed(error: OSError) -> None:
    del error  # it names the folder
    raise InputError("A folder in it cannot be listed. Check that it may be read, or move it elsewhere.")


def _utf8(name: str) -> bool:
    """Whether a table in UTF-8 can hold it: file systems allow other bytes."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _looks_like_image(file: str) -> bool:
    if file.lower().endswith(_SUFFIXES):
        return True
    try:
        with open(file, "rb") as stream:
            start = stream.read(_DICOM_MARK.stop)
    except OSError:
        return False
    return start.startswith(_RASTER_MARKS) or start[_DICOM_MARK] == b"DICM"
