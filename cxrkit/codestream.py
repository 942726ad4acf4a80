"""What the header of a compressed frame says of its size: JPEG, JPEG-LS and JPEG 2000 inside DICOM.

The decoders trust this header, not the DICOM header that was checked. So the two are compared first: a frame of
another size would take any amount of memory and time, and some make the decoder abort.
"""

import struct
from typing import NamedTuple

from cxrkit.errors import ImageError, ImageTooLarge

MAX_SCANS = 100
"""Passes over a JPEG image; common encoders make about ten. Each costs time whatever the file's size."""

_JPEG_START = b"\xff\xd8"
_JPEG_2000_START = b"\xff\x4f\xff\x51"
_JP2_BOX = b"\0\0\0\x0cjP  "
_START_OF_SCAN = b"\xff\xda"
# SOF0 to SOF15 (ITU-T T.81, table B.1) without DHT, JPG and DAC, which lie among them, and SOF55 of JPEG-LS (T.87).
_FRAME_MARKERS = frozenset({*range(0xC0, 0xD0), 0xF7}) - {0xC4, 0xC8, 0xCC}
# Segments that may come before it and state their length; what is none of these ends the search.
_SEGMENT_MARKERS = frozenset({0xC4, 0xCC, 0xDB, 0xDD, *range(0xE0, 0xF0), 0xF8, 0xFE})
_MAX_TILES = 65535  # ITU-T T.800, A.4.2


class Layout(NamedTuple):
    """How a frame's pixels are laid out: size, samples of a pixel, bits of a sample."""

    rows: int
    columns: int
    samples: int
    bits: int


def frame_layout(stream: bytes) -> Layout | None:
    """Read the header of a JPEG, JPEG-LS or JPEG 2000 codestream (also in a JP2 file).

    Args:
        stream: one frame as it is stored.

    Returns:
        What it says, or None where there is no such header, or one that no radiograph has.
    """
    if stream.startswith(_JPEG_START):
        return _jpeg_layout(stream)
    start = stream.find(_JPEG_2000_START) if stream.startswith(_JP2_BOX) else 0
    if start >= 0 and stream.startswith(_JPEG_2000_START, start):
        return _jpeg_2000_layout(stream, start)
    return None


def check_frame(stream: bytes, expected: Layout) -> None:
    """Refuse a compressed frame that is not laid out as the file's header states.

    Args:
        stream: one frame as it is stored.
        expected: after the file's header; bits are those allocated, which a frame need not fill.

    Raises:
        ImageError: it has another size, more bits than fit, or no header.
        ImageTooLarge: see `check_scans`.
    """
    found = frame_layout(stream)
    # JPEG and JPEG-LS have up to 16 bits, and their decoder aborts where more are allocated.
    too_deep = stream.startswith(_JPEG_START) and expected.bits > 16
    if found is None or found[:3] != expected[:3] or found.bits > expected.bits or too_deep:
        raise ImageError(
            "The compressed image inside the file has another size or depth than the file's header states. "
            "Export the image again from its source."
        )
    check_scans(stream)


def check_scans(stream: bytes) -> None:
    """Refuse a JPEG image that is built up in absurdly many passes.

    Raises:
        ImageTooLarge: more than MAX_SCANS.
    """
    if stream.startswith(_JPEG_START) and stream.count(_START_OF_SCAN) > MAX_SCANS:
        raise ImageTooLarge(
            f"The JPEG image is built up in more than the {MAX_SCANS} passes that are read. Export it as PNG."
        )


def _jpeg_layout(stream: bytes) -> Layout | None:
    """Size in the frame header (T.81, B.2.2), which follows segments that state their lengths."""
    at = len(_JPEG_START)
    while at + 10 <= len(stream) and stream[at] == 0xFF:
        marker = stream[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
        elif marker in _FRAME_MARKERS:
            bits, rows, columns, samples = struct.unpack_from(">BHHB", stream, at + 4)
            return Layout(rows, columns, samples, bits)
        elif marker in _SEGMENT_MARKERS:
            at += 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
        else:
            return None
    return None


def _jpeg_2000_layout(stream: bytes, start: int) -> Layout | None:
    """Size in the SIZ segment (T.800, A.5.1), where all components are sampled alike; too many tiles count as none."""
    if len(stream) < start + 42:
        return None
    right, bottom, left, top, width, height, tile_left, tile_top, samples = struct.unpack_from(
        ">8IH", stream, start + 8
    )
    if min(width, height) < 1 or tile_left > left or tile_top > top:
        return None
    if -(-(right - tile_left) // width) * -(-(bottom - tile_top) // height) > _MAX_TILES:
        return None
    components = stream[start + 42 : start + 42 + 3 * samples]
    if len(components) < 3 * samples or any(step != 1 for step in (*components[1::3], *components[2::3])):
        return None
    # The topmost bit says whether samples are signed.
    bits = max(((depth & 0x7F) + 1 for depth in components[::3]), default=0)
    return Layout(bottom - top, right - left, samples, bits)
