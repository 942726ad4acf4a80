"""Read a radiograph from a file on disk."""

import os
from pathlib import Path

from cxrkit.errors import ImageError, ImageTooLarge
from cxrkit.image import MAX_FILE_BYTES, Radiograph, read_image
from cxrkit.task import ReadFile


def load_image(path: Path, frame: int | None = None, read: ReadFile | None = None) -> Radiograph:
    """Read a radiograph from disk; a file over the reader's limit is not loaded into memory.

    Args:
        path: a regular file.
        frame: which frame of several, from 1.
        read: the task's own way to read a file; None = `cxrkit.image.read_image`.

    Raises:
        ImageError: as `cxrkit.image.read_image`, or there is no such file, or it may not be read.
    """
    if not os.path.isfile(path):
        raise ImageError("There is no such file. Check the path.")
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise ImageTooLarge(
                f"The file has {size / 1024**2:,.0f} MB; at most {MAX_FILE_BYTES // 1024**2} MB are read. "
                "Export the image alone, or at a smaller size."
            )
        data = path.read_bytes()
    except OSError:
        raise ImageError("The file could not be opened. Check that you may read it.") from None
    return (read or read_image)(data, path.name, frame)
