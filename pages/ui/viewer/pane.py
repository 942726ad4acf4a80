"""What one pane of the viewer shows, and how its pixels are packed for the browser."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEVELS = 65536
SIGNED_ZERO = 128
"""Byte of the value 0 in a signed heatmap; colour.js has the same."""

_PART = 2**17
"""Pixels that are packed at a time: what they need in between stays in the processor's cache."""

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Pane:
    """One image with what lies on it. Panes shown together share zoom, pan and window.

    A shared window is relative: shift and stretch are counted in widths of each pane's own `window` (or of the range
    that the chosen preset has in its pixels), so images in different units are equally bright and full of contrast.

    Args:
        title: heading above the image; also what a screen reader says.
        pixels: [H, W] integer, real or bool values in any unit. Values that are not finite are shown as the
            lowest finite one.
        window: initial (low, high) in the unit of `pixels`; low is black, high is white.
        spacing_mm: (row, column) millimetres a pixel for the ruler; None measures in pixels.
        heatmap: [h, w] values in [0, 1], or in [-1, 1] where `heatmap_signed`, laid over `heatmap_box` and
            interpolated bilinearly.
        heatmap_box: (left, top, right, bottom) in image pixels, right and bottom exclusive; None is the whole
            image.
        heatmap_label: what the legend says.
        heatmap_signed: negative values are drawn blue ("stronger at baseline"), positive ones red ("stronger at
            follow-up"), 0 is transparent; the threshold counts for the absolute value.
        masks: (label, [H, W] bool) for each region whose outline is known to be true; none empty.
        crop: (left, top, right, bottom) in image pixels, right and bottom exclusive; None is no box yet.
        mark: (x, y) of a place that the page shows, in image pixels, where pixel (0, 0) reaches from 0 to 1; not shown
            where the user may set one.
        to_first: [2, 3] matrix from pixel coordinates (x, y) of the first pane's image to this one's, with the centre
            of the top left pixel at (0, 0), as `Registration.matrix`; None where they were not registered. Used on the
            second pane of `viewer(..., compare=True)` only.
        digest: content key of `pixels` (SHA-256, hexadecimal). Unchanged digests are neither packed nor sent
            again. Empty: worked out here.

    Raises:
        ValueError: a shape, window, spacing or box that cannot be shown; boxes from number fields are the
            page's to check first.
    """

    title: str
    pixels: NDArray[Any]
    window: tuple[float, float]
    spacing_mm: tuple[float, float] | None = None
    heatmap: NDArray[Any] | None = None
    heatmap_box: tuple[float, float, float, float] | None = None
    heatmap_label: str = ""
    heatmap_signed: bool = False
    masks: tuple[tuple[str, NDArray[np.bool_]], ...] = ()
    crop: Box | None = None
    mark: tuple[float, float] | None = None
    to_first: NDArray[Any] | None = None
    digest: str = field(default="")

    def __post_init__(self) -> None:
        if self.pixels.ndim != 2 or self.pixels.size == 0:
            raise ValueError(f"pixels must be [H, W] and not empty, got shape {self.pixels.shape}")
        if not np.all(np.isfinite(self.window)) or self.window[1] <= self.window[0]:
            raise ValueError(f"window must be finite (low, high) with low < high, got {self.window}")
        if self.spacing_mm is not None and not all(np.isfinite(s) and s > 0 for s in self.spacing_mm):
            raise ValueError(f"spacing_mm must be two positive numbers, got {self.spacing_mm}")
        if self.heatmap is not None and (self.heatmap.ndim != 2 or self.heatmap.size == 0):
            raise ValueError(f"heatmap must be [h, w] and not empty, got shape {self.heatmap.shape}")
        for label, mask in self.masks:
            if mask.shape != self.pixels.shape or mask.dtype != np.bool_ or not mask.any():
                raise ValueError(f"mask {label!r} must be bool {self.pixels.shape} and not empty, got {mask.shape}")
        _check_matrix(self.to_first)
        _check_box("heatmap_box", self.heatmap_box)
        _check_box("crop", self.crop)
        height, width = self.pixels.shape
        if self.crop is not None and (min(self.crop) < 0 or self.crop[2] > width or self.crop[3] > height):
            raise ValueError(f"crop must lie in the image of {width} x {height} pixels, got {self.crop}")
        if not self.digest:
            object.__setattr__(self, "digest", content_digest(self.pixels))

    @property
    def placed_box(self) -> tuple[float, float, float, float]:
        """Where the heatmap lies, in image pixels: `heatmap_box`, or the whole image."""
        height, width = self.pixels.shape
        return self.heatmap_box or (0.0, 0.0, float(width), float(height))


@dataclass(frozen=True)
class PackedPixels:
    """Pixels as the browser gets them: value = stored * slope + intercept.

    Args:
        data: H * W little-endian unsigned integers, row by row.
        bits: 8 or 16 bits a pixel.
        slope: unit of `Pane.pixels` a stored level.
        intercept: value of the stored level 0.
    """

    data: bytes
    bits: int
    slope: float
    intercept: float


def content_digest(array: NDArray[Any]) -> str:
    """SHA-256 over type, shape and values of an array, hexadecimal."""
    key = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    key.update(np.ascontiguousarray(array).tobytes())
    return key.hexdigest()


def pack_pixels(pixels: NDArray[Any]) -> PackedPixels:
    """Pack [H, W] values into 8 or 16 bits.

    Whole numbers that span fewer than 65,536 levels are kept without loss. Anything else is rounded to the
    nearest of 65,536 equal steps between its lowest and highest value.

    Raises:
        ValueError: no value is finite.
    """
    low, high = _finite_range(pixels)
    span = high - low
    whole = span < LEVELS and all(np.array_equal(part, np.rint(part)) for _, part in _parts(pixels, low))
    slope = 1.0 if whole or span == 0 else span / (LEVELS - 1)
    bits = 8 if whole and span < 256 else 16
    stored = np.empty(pixels.shape, "u1" if bits == 8 else "<u2")
    for rows, part in _parts(pixels, low):
        stored[rows] = part - low if whole else np.rint((part.astype(np.float64) - low) / slope)
    return PackedPixels(stored.tobytes(), bits, slope, low)


def _finite_range(pixels: NDArray[Any]) -> tuple[float, float]:
    low, high = float(pixels.min()), float(pixels.max())
    if np.isfinite(low) and np.isfinite(high):  # not-a-number would have come out as both
        return low, high
    finite = np.isfinite(pixels)
    if not finite.any():
        raise ValueError("pixels hold no finite value")
    low = pixels.min(where=finite, initial=np.inf)
    return float(low), float(pixels.max(where=finite, initial=-np.inf))


def _parts(pixels: NDArray[Any], low: float) -> Iterator[tuple[slice, NDArray[Any]]]:
    """Some rows at a time: a large image as float64 takes eight times the memory of what is sent."""
    count = max(1, _PART // pixels.shape[1])
    for top in range(0, pixels.shape[0], count):
        rows = slice(top, top + count)
        part = pixels[rows]
        yield rows, part if np.isfinite(part).all() else np.nan_to_num(part, nan=low, posinf=low, neginf=low)


def pack_heatmap(heatmap: NDArray[Any], signed: bool = False) -> bytes:
    """[h, w] values as h * w bytes; values outside the range are clipped, not-a-number becomes 0.

    Values in [0, 1] become 0 to 255. Signed values in [-1, 1] become 1 to 255, where 128 is exactly 0 and nothing else
    than what rounds to it.
    """
    known = np.nan_to_num(heatmap.astype(np.float64), nan=0.0)
    levels = SIGNED_ZERO + np.clip(known, -1.0, 1.0) * 127 if signed else np.clip(known, 0.0, 1.0) * 255
    return np.rint(levels).astype(np.uint8).tobytes()


def for_canvas(matrix: NDArray[Any]) -> list[float]:
    """A [2, 3] matrix between pixel centres as the six numbers (a, b, c, d, e, f) of a canvas's matrix.

    In the browser pixel (0, 0) reaches from 0 to 1, so its centre is at 0.5.
    """
    linear = np.asarray(matrix, dtype=np.float64)[:, :2]
    shift = np.asarray(matrix, dtype=np.float64)[:, 2] + 0.5 - linear @ (0.5, 0.5)
    return [float(entry) for entry in (*linear.T.ravel(), *shift)]


def _check_matrix(matrix: NDArray[Any] | None) -> None:
    if matrix is None:
        return
    if matrix.shape != (2, 3) or not np.isfinite(matrix).all() or abs(np.linalg.det(matrix[:, :2])) < 1e-6:
        raise ValueError(f"to_first must be a finite [2, 3] matrix that can be inverted, got {matrix.tolist()}")


def _check_box(name: str, box: tuple[float, float, float, float] | None) -> None:
    if box is not None and not (box[0] < box[2] and box[1] < box[3]):
        raise ValueError(f"{name} must be (left, top, right, bottom) with left < right, top < bottom, got {box}")
