"""What is measured of a hand's shape: masks [S, S] of zeros and ones, small, so that what a call costs counts."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrkit.pixels import Box, Gray

Mask = NDArray[np.uint8]

SQUARE = np.ones((3, 3), np.uint8)
_DISC = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))


def quantile(ordered: Gray, share: float) -> float:
    """Quantile of sorted values, linear between them: NumPy's takes longer than all else that is asked of an edge."""
    place = share * (len(ordered) - 1)
    below = int(place)
    low, high = float(ordered[below]), float(ordered[min(below + 1, len(ordered) - 1)])
    return low + (high - low) * (place - below)


def as_mask(array: NDArray[Any]) -> Mask:
    """What OpenCV has made of a mask, which it calls any array."""
    return np.asarray(array, dtype=np.uint8)


def largest(mask: Mask) -> tuple[Mask, Box] | None:
    """The largest connected part and (left, top, width, height) around it; None of an empty mask."""
    # Counting here is four times quicker than OpenCV's own statistics, and this is most of the time a hand takes.
    count, labels = cv2.connectedComponents(mask, connectivity=4, ltype=cv2.CV_16U)
    if count < 2:
        return None
    shape = mask if count == 2 else (labels == 1 + int(np.bincount(labels.ravel())[1:].argmax())).view(np.uint8)
    left, top, width, height = cv2.boundingRect(shape)
    return shape, (left, top, width, height)


def area_of(mask: Mask) -> float:
    """Share of the square that a mask fills."""
    return cv2.countNonZero(mask) / mask.size


def outline_of(mask: Mask, points: int = cv2.CHAIN_APPROX_NONE) -> NDArray[np.int32]:
    """All pixels of the largest outline, or with cv2.CHAIN_APPROX_SIMPLE its corners alone, which is quicker."""
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, points)
    return np.asarray(max(outlines, key=cv2.contourArea), dtype=np.int32)


def filled_in(mask: Mask, corners: NDArray[np.int32]) -> Mask:
    """What an outline encloses, holes and all."""
    return as_mask(cv2.drawContours(np.zeros_like(mask), [corners], -1, 1, -1))


def without_threads(mask: Mask) -> Mask:
    """Without what is thinner than a disc of 5 pixels, also along the border: films' frames, labels' rims."""
    eroded = cv2.erode(mask, _DISC, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return as_mask(cv2.dilate(eroded, _DISC, borderType=cv2.BORDER_CONSTANT, borderValue=0))


def sides_touched(filled: Mask) -> float:
    """How much of the square's border a shape lies on, in sides."""
    strips = (filled[:2], filled[-2:], filled[:, :2].T, filled[:, -2:].T)
    return sum(np.count_nonzero(strip[0] | strip[1]) for strip in strips) / len(filled)


def texture_of(filled: Mask, slope: Gray) -> tuple[float, float]:
    """Mean of `slope` [S, S] within a shape, and on the ground close to it."""
    core = cv2.erode(filled, SQUARE, iterations=2)
    near = cv2.dilate(filled, SQUARE, iterations=2)
    ring = cv2.dilate(near, SQUARE, iterations=4) - near
    ring[:2] = ring[-2:] = 0
    ring[:, :2] = ring[:, -2:] = 0
    within, around = slope[core.view(np.bool_)], slope[ring.view(np.bool_)]
    return (float(within.mean()) if within.size else 0.0), (float(around.mean()) if around.size else 1.0)
