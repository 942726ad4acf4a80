"""What makes the answer to a DICOM image doubtful though it can be read, as sentences for the screen."""

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from cxrkit.dicom_header import numbers

_END, _BOTH = 0.1, 0.4
"""Shares of pixels: so many fully black and so many fully white, and so many of both together, are no usual window.

Air beside a hand may be more than half of an image and fully black, but then hardly anything is fully white.
"""

_STEP = 4
"""Every fourth row and column tells as much."""

_SQUARE = 1.05
"""Largest ratio of a pixel's sides that shapes bear; detectors' own pixels are square."""


def odd_window(
    values: NDArray[np.float32], valid: NDArray[np.bool_] | None, window: tuple[float, float] | None
) -> list[str]:
    """Whether the file's own window shows only a part of what is there.

    Args:
        values: [H, W]; higher is brighter.
        valid: bool [H, W], False on padding; None where every pixel counts.
        window: (low, high) in units of values; None where the file states none.
    """
    if window is None:
        return []
    some = (slice(None, None, _STEP),) * 2
    shown = values[some] if valid is None else values[some][valid[some]]
    if not shown.size:
        return []
    black, white = float(np.mean(shown <= window[0])), float(np.mean(shown >= window[1]))
    if min(black, white) < _END or black + white < _BOTH:
        return []
    return [
        f"The file's own window shows only a part of its gray values: {black:.0%} of the pixels are fully black and "
        f"{white:.0%} fully white, so an answer may be far off. Export the image with a window that shows all of it."
    ]


def odd_shape(dataset: Dataset, spacing: tuple[float, float] | None) -> list[str]:
    """Whether the pixels are not square, by their spacing or else by Pixel Aspect Ratio (PS3.3 C.7.6.3.1.7).

    Args:
        dataset: the whole header.
        spacing: (row, column) in mm, or None.
    """
    stated = spacing or tuple(numbers(dataset, "PixelAspectRatio"))
    if len(stated) != 2 or min(stated) <= 0 or max(stated) / min(stated) <= _SQUARE:
        return []
    return [
        f"The file's pixels are not square (height to width {stated[0]:g} : {stated[1]:g}), but are read as if they "
        "were, so that shapes are distorted. Export the image with square pixels."
    ]
