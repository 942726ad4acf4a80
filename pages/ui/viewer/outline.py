"""Masks as outlines: a few hundred corners that stay sharp at any zoom, instead of pixels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

PRECISION = 0.75
"""In image pixels: how far an outline may leave the staircase of the mask's pixels to be smooth."""


def outlines(mask: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """Closed lines around a mask [H, W], and around each of its holes.

    Returns:
        For each line its corners [N, 2] as (x, y) in image pixels, where pixel (0, 0) reaches from 0 to 1. Filled
        by the even-odd rule they give the mask back, within PRECISION of its border.
    """
    import cv2

    # Twice as fine, because OpenCV's line runs through the centres of the outermost pixels: a quarter pixel inside.
    fine = np.repeat(np.repeat(mask.astype(np.uint8), 2, axis=0), 2, axis=1)
    found, _ = cv2.findContours(fine, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    smooth = [cv2.approxPolyDP(line, 2 * PRECISION, True) for line in found]
    # A region of a pixel or two has no corners left after that, so it keeps its own.
    kept = [short if len(short) > 2 else line for short, line in zip(smooth, found, strict=True)]
    return [(line[:, 0] + 0.5) / 2 for line in kept]


def pack_outlines(mask: NDArray[Any]) -> bytes:
    """The outlines as the text of an SVG path in image pixels, which the browser draws as it is."""
    parts = []
    for line in outlines(mask):
        first, *others = (f"{x:g} {y:g}" for x, y in line)
        parts.append(f"M{first}L{' '.join(others)}Z")
    return "".join(parts).encode("ascii")
