"""The child's side of read_pack: inflate a zip of images and a table within limits, and refuse everything else.

What the archive says of itself is checked first, then every byte is counted while it is inflated: a header can lie.
"""

import io
import lzma
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from cxrkit.errors import ImageError, ImageTooLarge

TABLE = "quiz.csv"

MOST_FILES = 150
MOST_BYTES = 192 * 1024**2
"""Inflated, of all files together: what a worker may hold beside the archive."""
MOST_FILE_BYTES = 64 * 1024**2
MOST_TABLE_BYTES = 256 * 1024
MOST_TIMES = 200
"""Inflated bytes for one of the archive: images shrink by far less, bombs by a thousand and more."""
_SMALL = 1024**2
"""Files up to this size may shrink as they like: a mask is mostly black."""

_IMAGES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"BZh", b"7z\xbc\xaf\x27\x1c", b"Rar!", b"\xfd7zXZ\0")
_ARCHIVE_SUFFIXES = (".zip", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".7z", ".rar")
_TAR_MARK, _DICOM_MARK = slice(257, 262), slice(128, 132)
_ENCRYPTED = 0x1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_LEFT_BY_SYSTEMS = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")
_PART = 2**16

_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    UnicodeDecodeError,
    ValueError,
    IndexError,
    KeyError,
    OverflowError,
)
"""What zipfile raises on archives that are damaged or made to confuse it."""


def unpack(data: bytes, options: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """Inflate a pack for the sandbox.

    Args:
        data: the zip file.
        options: none are used.

    Returns:
        {"names": names of the files, as the archive has them}, and the bytes of each.

    Raises:
        ImageTooLarge: too many files, or too many bytes.
        ImageError: anything else that a pack must not be; the sentence holds nothing of the archive.
    """
    del options
    try:
        return _unpack(data)
    except _DAMAGED:
        raise ImageError(
            "The quiz pack is no zip file, or damaged or cut short. Pack the images and quiz.csv again as a zip."
        ) from None


def _unpack(data: bytes) -> tuple[dict[str, Any], list[Any]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        if len(entries) > MOST_FILES:
            raise ImageTooLarge(
                f"The quiz pack holds {len(entries):,} files; at most {MOST_FILES} are read. Make several packs."
            )
        files = [(entry, f"File {number} of the quiz pack") for number, entry in enumerate(entries, start=1)]
        for entry, which in files:
            _check_entry(entry, which)
        wanted = [(entry, which) for entry, which in files if not _left_by_system(entry)]
        _check_names([entry.filename for entry, _ in wanted])
        contents: list[Any] = []
        left = MOST_BYTES
        for entry, which in wanted:
            contents.append(_inflate(archive, entry, which, left))
            left -= len(contents[-1])
    return {"names": [entry.filename for entry, _ in wanted]}, contents


def _check_entry(entry: zipfile.ZipInfo, which: str) -> None:
    """What the archive says of one of its files; zipfile has cleaned `filename`, so the original name is looked at."""
    name = entry.orig_filename
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if any(path.anchor for path in (PurePosixPath(name), PureWindowsPath(name))):
        raise ImageError(f"{which} has an absolute path. Pack the files with names relative to quiz.csv.")
    if ".." in name.replace("\\", "/").split("/"):
        raise ImageError(f"{which} has a path that leads out of the pack through '..'. Pack it without folders.")
    if "\\" in name or any(unicodedata.category(letter) == "Cc" for letter in name):
        raise ImageError(f"{which} has a backslash or a control character in its name. Rename it with plain letters.")
    if kind == stat.S_IFLNK:
        raise ImageError(f"{which} is a link to another file. Pack the file itself.")
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise ImageError(f"{which} is no ordinary file. Pack images and quiz.csv alone.")
    if entry.flag_bits & _ENCRYPTED:
        raise ImageError(f"{which} is encrypted. Pack the files without a password.")
    if entry.compress_type not in _METHODS:
        raise ImageError(f"{which} is compressed in a way that is not read. Make a usual zip (deflate).")
    if name.casefold().endswith(_ARCHIVE_SUFFIXES):
        raise ImageError(f"{which} is an archive within the archive. Pack the images themselves.")


def _left_by_system(entry: zipfile.ZipInfo) -> bool:
    """Folders, and what file managers leave behind."""
    return entry.is_dir() or any(part in _LEFT_BY_SYSTEMS for part in entry.filename.split("/"))


def _check_names(names: list[str]) -> None:
    alike = [unicodedata.normalize("NFC", name).casefold() for name in names]
    if len(set(alike)) < len(alike):
        raise ImageError("Two files of the quiz pack have the same name, or differ in capitals only. Rename one.")
    if TABLE not in names:
        raise ImageError(f"The quiz pack has no {TABLE} at its top level. Add the table; the help below shows one.")


def _inflate(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, which: str, left: int) -> bytes:
    """One file's bytes, counted as they come."""
    table = entry.filename == TABLE
    most = MOST_TABLE_BYTES if table else MOST_FILE_BYTES
    data = bytearray()
    for part in _parts(archive, entry):
        data += part
        if len(data) > most:
            what = f"{most // 1024} kB" if table else f"{most // 1024**2} MB"
            raise ImageTooLarge(f"{which} is larger than {what} once it is unpacked. Export it at a smaller size.")
        if len(data) > left:
            raise ImageTooLarge(
                f"The quiz pack holds more than {MOST_BYTES // 1024**2} MB once it is unpacked. Make several packs, or "
                "export the images at a smaller size."
            )
        if len(data) > _SMALL and len(data) > MOST_TIMES * max(entry.compress_size, 1):
            raise ImageTooLarge(
                f"{which} grows more than {MOST_TIMES} times when it is unpacked, as files do that are made to fill "
                "memory. Export the image again from its source."
            )
    if not table:
        _check_type(bytes(data[:512]), which)
    return bytes(data)


def _parts(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(entry) as stream:
        while part := stream.read(_PART):
            yield part


def _check_type(start: bytes, which: str) -> None:
    if start.startswith(_ARCHIVES) or start[_TAR_MARK] == b"ustar":
        raise ImageError(f"{which} is an archive within the archive. Pack the images themselves.")
    if not start.startswith(_IMAGES) and start[_DICOM_MARK] != b"DICM":
        raise ImageError(f"{which} is no image: neither DICOM nor PNG, JPEG or TIFF. Leave it out of the pack.")
