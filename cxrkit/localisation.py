"""Does a heatmap lie on the lesion? Figures for an image whose truth is known.

A heatmap covers the part of the image that the network read (its `box`), at a display resolution of its own. Here it
is brought into the image's frame, where the masks are, and compared there pixel by pixel.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrkit.pixels import Box, Gray, resize

Mask = NDArray[np.bool_]

STRONG = 0.5
"""Share of a map's maximum from which its pixels form the region that Dice and IoU compare."""

POINTING_TOLERANCE = 0.03
"""Of the image's longer side: the source's 15 pixels on photographs of about 500."""


@dataclass(frozen=True)
class Localisation:
    """How well a heatmap lies on one mask.

    Attributes:
        share: of all heat, how much lies inside the mask, in [0, 1].
        chance: share of the area read that the mask fills, in [0, 1]: what `share` is for heat spread evenly.
        read: share of the mask that the network read at all, in [0, 1].
        distance: from the map's strongest pixel to the nearest pixel of the mask, in pixels; 0 inside.
        tolerance: distance up to which the strongest pixel still counts as on the mask, in pixels.
        dice: of the region with at least half of the maximum and the mask, in [0, 1]. All of the mask counts, also
            what was not read.
        iou: intersection over union of the same two, in [0, 1].
    """

    share: float
    chance: float
    read: float
    distance: float
    tolerance: float
    dice: float
    iou: float

    @property
    def hit(self) -> bool:
        """The pointing game: the strongest pixel is inside the mask, or within the tolerance of it."""
        return self.distance <= self.tolerance


def place_heat(values: Gray, box: Box, shape: tuple[int, int]) -> Gray:
    """Bring a heatmap into the image's frame.

    Args:
        values: [h, w] at least 0, spanning `box`; any resolution.
        box: (left, top, right, bottom) in pixels of the image, right and bottom exclusive.
        shape: (height, width) of the image.

    Returns:
        [height, width] float32, interpolated as `resize` does; 0 outside the box, where nothing was read.

    Raises:
        ValueError: the box does not lie in the image.
    """
    left, top, right, bottom = box
    if not (0 <= left < right <= shape[1] and 0 <= top < bottom <= shape[0]):
        raise ValueError(f"box must lie in the image of {shape[1]} x {shape[0]} pixels, got {box}")
    placed = np.zeros(shape, dtype=np.float32)
    placed[top:bottom, left:right] = resize(values.astype(np.float32), right - left, bottom - top)
    return placed


def localise(values: Gray, box: Box, mask: Mask, tolerance: float | None = None) -> Localisation:
    """Compare a heatmap with one mask.

    The share of heat inside is the energy-based pointing game of Wang et al. 2020 (Score-CAM, CVPR workshops). The
    pointing game is that of Zhang et al. 2016 (Top-down Neural Attention by Excitation Backprop, ECCV): the map's
    maximum has to fall on the object, with a tolerance in pixels. Of several equal maxima the first in reading order
    counts.

    Args:
        values: [h, w] at least 0, spanning `box`, not all 0.
        box: (left, top, right, bottom) in pixels of the image: the part that was read.
        mask: [H, W] in the image's frame, True on the lesion, not empty.
        tolerance: of the pointing game in pixels of the image; None = POINTING_TOLERANCE of the longer side.

    Raises:
        ValueError: a map without heat, an empty mask, a box outside the image.
    """
    if not mask.any():
        raise ValueError("mask must not be empty")
    shape = (mask.shape[0], mask.shape[1])
    heat = place_heat(values, box, shape)
    total = float(heat.sum(dtype=np.float64))
    if total <= 0:
        raise ValueError("values must hold some heat: there is nothing to compare in a map of zeros")
    left, top, right, bottom = box
    area, inside = int(mask.sum()), int(mask[top:bottom, left:right].sum())
    strong = heat >= STRONG * heat.max()
    both, either = int((strong & mask).sum()), int((strong | mask).sum())
    return Localisation(
        share=float(heat[mask].sum(dtype=np.float64)) / total,
        chance=inside / ((right - left) * (bottom - top)),
        read=inside / area,
        distance=_distance(heat, mask),
        tolerance=POINTING_TOLERANCE * max(shape) if tolerance is None else tolerance,
        dice=2 * both / (int(strong.sum()) + area),
        iou=both / either,
    )


def _distance(heat: Gray, mask: Mask) -> float:
    """Pixels from the maximum to the nearest True pixel."""
    row, column = np.unravel_index(int(heat.argmax()), heat.shape)
    rows, columns = np.nonzero(mask)
    return float(np.hypot(rows - row, columns - column).min())
