"""Write a file so that it appears complete or not at all, also where the disk is full or the process ends."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO


@contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """A text in UTF-8 beside the file, which it replaces once all of it is on the disk.

    After an error, also one raised by who writes, what was begun is gone and an older file of the name is as it was.

    Args:
        path: of the file; its name leaves room for 20 bytes more. A link is replaced, not followed.

    Raises:
        OSError: it cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    # A run that was killed may have left one, and had this process's number.
    part.unlink(missing_ok=True)
    try:
        with part.open("x", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            # Else the new name may reach the disk before the content does.
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        with suppress(OSError):  # where all went well it has its new name
            part.unlink()
