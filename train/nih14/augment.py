"""Augmentations of methods section 5, drawn apart from being applied: rotation, translation, zoom, and no flips.

A flipped chest is another anatomy, and the source contradicts itself about them.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from cxrkit.pixels import Gray
from cxrkit.tasks.nih14 import MEAN

DEGREES, SHIFT, ZOOM = 15.0, 0.1, 0.2
"""Largest turn to either side, largest shift as a share of the side, and largest change of scale."""


@dataclass(frozen=True)
class Change:
    """One draw.

    Attributes:
        turn: degrees counter-clockwise.
        shift: to the right and down, as shares of the side.
        scale: above 1 = enlarged.
    """

    turn: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0


def draw(random: np.random.Generator) -> Change:
    """Each evenly within its range."""
    turn, right, down, zoom = (float(value) for value in random.uniform(-1, 1, 4))
    return Change(DEGREES * turn, (SHIFT * right, SHIFT * down), 1 + ZOOM * zoom)


def apply(view: Gray, change: Change) -> Gray:
    """[S, S] in [0, 1] -> the same; what comes in from outside has the mean that every prepared view has."""
    side = view.shape[0]
    middle = (side - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), change.turn, change.scale)
    matrix[:, 2] += np.array(change.shift) * side
    return np.asarray(cv2.warpAffine(view, matrix, (side, side), borderValue=MEAN), dtype=np.float32)
