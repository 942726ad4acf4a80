"""Which way a hand's fingers point, by its outline alone."""

import cv2
import numpy as np
from numpy.typing import NDArray

_SIDE = 96
_END = slice(4, 40)
"""Rows of that square in which fingers are counted; the first few are their tips."""

_SURE = 0.8
"""Fingers counted at one end more than at any other."""


def turns_upright(hand: NDArray[np.uint8]) -> int | None:
    """Quarter turns clockwise that bring the fingers up: to the end where lines across the hand meet most parts.

    Args:
        hand: mask [h, w] of 0 and 1, cut to the hand's box.

    Returns:
        0 to 3; None where no end has clearly more parts than the others, as of a closed hand.
    """
    square = cv2.resize(hand, (_SIDE, _SIDE), interpolation=cv2.INTER_NEAREST).astype(np.int8)
    parts = [_parts(np.rot90(square, -turn)[_END]) for turn in range(4)]
    best = int(np.argmax(parts))
    return best if parts[best] - max(parts[:best] + parts[best + 1 :]) > _SURE else None


def _parts(rows: NDArray[np.int8]) -> float:
    """Mean number of separate parts that a row of the mask consists of."""
    padded = np.pad(rows, ((0, 0), (1, 1)))
    return float((np.diff(padded, axis=1) == 1).sum(axis=1).mean())
