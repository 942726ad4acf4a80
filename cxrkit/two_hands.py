"""Are there two hands side by side in a radiograph? A bone age is of one."""

import numpy as np
from numpy.typing import NDArray

from cxrkit.hand_field import HandField, find_hand
from cxrkit.pixels import Gray

_ALIKE = 0.5
"""Least ratio of the smaller hand's area to the larger one's."""

_AT_THE_CUT = 0.15
"""Share of the line between two hands that one of them may lie on; half of a single hand lies on far more of it."""


def two_hands(image: Gray) -> bool:
    """Whether each half of a gray image [H, W] in [0, 1], cut across its longer side, shows a hand of its own."""
    height, width = image.shape
    if _one_lies_along(find_hand(image), width >= height):
        return False
    upright = image if width >= height else np.ascontiguousarray(np.rot90(image))
    middle = upright.shape[1] // 2
    left = find_hand(upright[:, :middle])
    # A single hand mostly lies across the cut, so that the second half seldom has to be looked through.
    if left is None or _cut(left.mask, -2, None) > _AT_THE_CUT:
        return False
    right = find_hand(upright[:, middle:])
    if right is None or left.swapped != right.swapped or _cut(right.mask, 0, 2) > _AT_THE_CUT:
        return False
    areas = sorted(float(hand.mask.mean()) for hand in (left, right))
    return areas[0] > _ALIKE * areas[1]


def _one_lies_along(hand: HandField | None, wide: bool) -> bool:
    """Whether a hand's fingers point along the image's longer side and it reaches across the middle of that.

    So lies a single hand. Two that touch look like one whose fingers point across.
    """
    if hand is None or hand.turn is None or (hand.turn % 2 == 1) != wide:
        return False
    mask = hand.mask if wide else np.rot90(hand.mask)
    middle = mask.shape[1] // 2
    return _cut(mask, middle - 1, middle + 1) > _AT_THE_CUT


def _cut(mask: NDArray[np.bool_], first: int, last: int | None) -> float:
    """Share of the rows in which a hand reaches these columns."""
    return float(mask[:, first:last].any(axis=1).mean())
