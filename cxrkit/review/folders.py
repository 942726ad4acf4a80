"""Folders that cases are read from: those that the server's owner names in CXRKIT_CASES, and nothing outside them."""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath

from cxrkit.cases import Case, resolve
from cxrkit.errors import InputError

VARIABLE = "CXRKIT_CASES"

HOW_TO_SET = (
    f"No folder of cases is open to this page. Set {VARIABLE} to one folder, or to several separated by "
    f"'{os.pathsep}', before the server is started: {VARIABLE}=/data/chests streamlit run app.py"
)

MOST_TABLES = 200
"""That `tables_beneath` lists; more would be no list to choose from."""

_MOST_FOLDERS = 2000
"""That it looks into, so that an archive of millions of files does not hold up a page."""


def case_folders() -> tuple[Path, ...]:
    """The folders of CXRKIT_CASES that exist, links followed, each once, in its order; () where it is not set."""
    named = [text for text in os.environ.get(VARIABLE, "").split(os.pathsep) if text.strip()]
    found = dict.fromkeys(Path(os.path.realpath(os.path.expanduser(text.strip()))) for text in named)
    return tuple(folder for folder in found if folder.is_dir())


def checked_folder(text: str | Path) -> Path:
    """A folder of CXRKIT_CASES, or one beneath it.

    Args:
        text: its whole path.

    Returns:
        It, links followed.

    Raises:
        InputError: CXRKIT_CASES is not set; the path is not whole, contains "..", leads elsewhere, also through a link,
            or is no folder.
    """
    folders, name = case_folders(), str(text)
    if not folders:
        raise InputError(HOW_TO_SET)
    odd = "\0" in name or not _writable(name) or bool(PureWindowsPath(name).drive)
    if odd or ".." in (*PurePosixPath(name).parts, *PureWindowsPath(name).parts) or not os.path.isabs(name):
        raise InputError(
            f"The folder has to be named by its whole path, without '..'. Choose one of those of {VARIABLE}, or one "
            "beneath them."
        )
    # realpath, because Path.resolve raises on a loop of links.
    folder = Path(os.path.realpath(name))
    if not any(folder.is_relative_to(each) for each in folders):
        raise InputError(
            f"The folder lies outside those of {VARIABLE}, which are all that this page reads. Choose one of them, or "
            f"have it added to {VARIABLE}."
        )
    if not os.path.isdir(folder):
        raise InputError("There is no such folder. Check its path.")
    return folder


def checked_file(folder: str | Path, text: str) -> Path:
    """A file beneath a folder of cases.

    Args:
        folder: as for `checked_folder`; the path starts in it.
        text: the file's path in it, such as "images/0001.png".

    Returns:
        An existing regular file, links followed.

    Raises:
        InputError: as `checked_folder`; or the path is absolute, has a drive's letter or "..", leaves the folder
            through a link, or is no file.
    """
    root = checked_folder(folder)
    if not _writable(text):
        raise InputError("The file's path holds letters that no path has. Write it again.")
    (path,) = resolve(Case((text,), ""), root)
    return path


def tables_beneath(folder: str | Path) -> tuple[str, ...]:
    """Tables of cases in a folder and the folders in it, by path from there; hidden ones and links are left out.

    Args:
        folder: as for `checked_folder`.

    Returns:
        At most MOST_TABLES paths, those of the upper folders first.

    Raises:
        InputError: as `checked_folder`.
    """
    root = checked_folder(folder)
    found: list[str] = []
    for name in _csv_files(root):
        found.append(name)
        if len(found) == MOST_TABLES:
            break
    return tuple(sorted(found, key=lambda name: (name.count("/"), name)))


def _csv_files(root: Path) -> Iterator[str]:
    """Level by level, so that what lies deep in an archive comes last."""
    level, seen = [root], 0
    while level and seen < _MOST_FOLDERS:
        below: list[Path] = []
        for folder in level[: _MOST_FOLDERS - seen]:
            tables, folders = _look_into(folder)
            yield from (path.relative_to(root).as_posix() for path in tables)
            below += folders
        seen += len(level)
        level = below


def _look_into(folder: Path) -> tuple[list[Path], list[Path]]:
    """Tables and folders in a folder; nothing of one that may not be read."""
    try:
        with os.scandir(folder) as entries:
            shown = [entry for entry in entries if not entry.name.startswith(".") and _writable(entry.name)]
    except OSError:
        return [], []
    shown.sort(key=lambda entry: entry.name)
    tables = [Path(e.path) for e in shown if e.name.lower().endswith(".csv") and e.is_file(follow_symlinks=False)]
    return tables, [Path(entry.path) for entry in shown if entry.is_dir(follow_symlinks=False)]


def _writable(name: str) -> bool:
    """Whether a table in UTF-8 and a page can hold a path: file systems allow bytes that become lone surrogates."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)
