"""The child's side of read_image: tell the format by its first bytes, decode, and map every known failure.

This is the one place where exceptions of the decoding libraries become ImageError.
"""

import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image
from pydicom.errors import BytesLengthException, InvalidDicomError

from cxrkit.decoded import Decoded
from cxrkit.dicom import read_dicom
from cxrkit.errors import ImageError
from cxrkit.raster import read_raster

# What pydicom, its codecs, Pillow and NumPy raise on damaged files. Anything else ends the child process,
# which the parent reports as an ImageError too. MemoryError is left to the sandbox.
DECODER_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    BytesLengthException,
    InvalidDicomError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)

_EXPECTED = "Expected a radiograph as DICOM (.dcm), PNG, JPEG or TIFF."
_DICOM_MARK = slice(128, 132)
_RASTER_MARKS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_OTHER_MARKS = {
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive or office document",
    b"\x1f\x8b": "a gzip archive",
    b"GIF8": "a GIF picture",
    b"BM": "a BMP picture",
    b"RIFF": "a WebP picture or a video",
}


def decode(data: bytes, options: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """Decode one file for the sandbox.

    Args:
        data: the file.
        options: frame (1-based or None) and suffix (what the file's name ends in, lower case, or "").

    Returns:
        fields of the image for JSON, and [values float32 [H, W]] or [values, valid uint8 [H, W]].

    Raises:
        ImageError: the file cannot be read; the sentence holds nothing of the file.
    """
    try:
        image = _read(data, options["frame"], options["suffix"])
    except DECODER_ERRORS:
        raise ImageError(
            "The file is damaged, cut short, or stored in a way that is not supported. "
            "Export the image again from its source, or convert it to PNG."
        ) from None
    rows, columns = image.values.shape
    fields = {
        "rows": rows,
        "columns": columns,
        "window": image.window,
        "voi_function": image.voi_function,
        "frames": image.frames,
        "spacing_mm": image.spacing_mm,
        "header": image.header,
        "warnings": image.warnings,
        "taken": image.taken,
        "view": image.view,
    }
    arrays: list[Any] = [np.ascontiguousarray(image.values, dtype=np.float32)]
    if image.valid is not None:
        arrays.append(np.ascontiguousarray(image.valid, dtype=np.uint8))
    return fields, arrays


def _read(data: bytes, frame: int | None, suffix: str) -> Decoded:
    """Dispatch on the first bytes; the suffix only words the refusal."""
    if data[_DICOM_MARK] == b"DICM":
        return read_dicom(data, frame)
    if data.startswith(_RASTER_MARKS):
        return read_raster(data, frame)
    for mark, kind in _OTHER_MARKS.items():
        if data.startswith(mark):
            raise ImageError(f"This is {kind}, not an image that can be read. {_EXPECTED}")
    if suffix in (".dcm", ".dicom", ".ima"):
        raise ImageError(
            "The file's name says DICOM, but the DICM mark after the first 128 bytes is missing. "
            "Export it again as a complete DICOM file (Part 10)."
        )
    raise ImageError(f"This is not an image that can be read. {_EXPECTED}")
