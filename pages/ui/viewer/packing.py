"""How pixels and heatmaps are packed for the browser."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

LEVELS = 65536
SIGNED_ZERO = 128
"""Byte of the value 0 in a signed heatmap; colour.js has the same."""

_PART = 2**17
"""Pixels that are packed at a time: what they need in between stays in the processor's cache."""

_PREVIEW = 900
"""Pixels that the longer edge of a preview has at least: more than most screens give an image at first."""


@dataclass(frozen=True)
class PackedPixels:
    """Pixels as the browser gets them: value = stored * slope + intercept.

    Args:
        data: H * W little-endian unsigned integers, row by row.
        bits: 8 or 16 bits a pixel.
        slope: unit of `Pane.pixels` a stored level.
        intercept: value of the stored level 0.
        side: pixels a side of the squares whose means are in `preview`, a power of two; 1 where there is none.
        preview: ceil(H / side) * ceil(W / side) integers of the same kind; empty where `data` is small enough to be all
            that travels.
    """

    data: bytes
    bits: int
    slope: float
    intercept: float
    side: int = 1
    preview: bytes = b""


def pack_pixels(pixels: NDArray[Any]) -> PackedPixels:
    """Pack [H, W] values into 8 or 16 bits.

    Whole numbers that span fewer than 65,536 levels are kept without loss. Anything else is rounded to the
    nearest of 65,536 equal steps between its lowest and highest value.

    Raises:
        ValueError: no value is finite.
    """
    low, high, all_finite = _finite_range(pixels)
    span = high - low
    whole = span < LEVELS and all(np.array_equal(part, np.rint(part)) for _, part in _parts(pixels, low, all_finite))
    slope = 1.0 if whole or span == 0 else span / (LEVELS - 1)
    bits = 8 if whole and span < 256 else 16
    stored = np.empty(pixels.shape, "u1" if bits == 8 else "<u2")
    for rows, part in _parts(pixels, low, all_finite):
        stored[rows] = part - low if whole else np.rint((part.astype(np.float64) - low) / slope)
    side = _preview_side(pixels.shape)
    preview = b"" if side == 1 else _means(stored, side).tobytes()
    return PackedPixels(stored.tobytes(), bits, slope, low, side, preview)


def _preview_side(shape: tuple[int, ...]) -> int:
    side = 1
    while max(shape) // (2 * side) >= _PREVIEW:
        side *= 2
    return side


def _means(stored: NDArray[Any], side: int) -> NDArray[Any]:
    """Means of squares, halved again and again and rounded as image.js does; an odd last row or column counts twice."""
    while side > 1:
        height, width = stored.shape
        even = cv2.copyMakeBorder(stored, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        stored = cv2.resize(even, (even.shape[1] // 2, even.shape[0] // 2), interpolation=cv2.INTER_AREA)
        side //= 2
    return stored


def _finite_range(pixels: NDArray[Any]) -> tuple[float, float, bool]:
    """Lowest and highest of the finite values, and whether there are no others."""
    low, high = float(pixels.min()), float(pixels.max())
    if np.isfinite(low) and np.isfinite(high):  # not-a-number would have come out as both
        return low, high, True
    finite = np.isfinite(pixels)
    if not finite.any():
        raise ValueError("pixels hold no finite value")
    low = pixels.min(where=finite, initial=np.inf)
    return float(low), float(pixels.max(where=finite, initial=-np.inf)), False


def _parts(pixels: NDArray[Any], low: float, all_finite: bool) -> Iterator[tuple[slice, NDArray[Any]]]:
    """Some rows at a time: a large image as float64 takes eight times the memory of what is sent."""
    count = max(1, _PART // pixels.shape[1])
    for top in range(0, pixels.shape[0], count):
        rows = slice(top, top + count)
        part = pixels[rows]
        yield rows, part if all_finite else np.nan_to_num(part, nan=low, posinf=low, neginf=low)


def pack_heatmap(heatmap: NDArray[Any], signed: bool = False) -> bytes:
    """[h, w] values as h * w bytes; values outside the range are clipped, not-a-number becomes 0.

    Values in [0, 1] become 0 to 255. Signed values in [-1, 1] become 1 to 255, where 128 is exactly 0 and nothing else
    than what rounds to it.
    """
    known = np.nan_to_num(heatmap.astype(np.float64), nan=0.0)
    levels = SIGNED_ZERO + np.clip(known, -1.0, 1.0) * 127 if signed else np.clip(known, 0.0, 1.0) * 255
    return np.rint(levels).astype(np.uint8).tobytes()
