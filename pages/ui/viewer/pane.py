"""What one pane of the viewer shows."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
        window_step: by how much the width that is told is more than from black to white; see Radiograph.window_step.
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
    window_step: float = 0.0

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


def content_digest(array: NDArray[Any]) -> str:
    """SHA-256 over type, shape and values of an array, hexadecimal."""
    key = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    key.update(np.ascontiguousarray(array).tobytes())
    return key.hexdigest()


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
