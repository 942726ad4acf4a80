"""Masks that a person drew, or a program saved, as a picture: what in them counts as inside."""

import numpy as np
from numpy.typing import NDArray

from cxrkit.errors import InputError


def inside(values: NDArray[np.floating], name: str) -> NDArray[np.bool_]:
    """[H, W] True where a mask is brighter than half of its maximum; nowhere in one that is black everywhere.

    Not all above 0: JPEG leaves gray around what is white, and black may have been saved as a dark gray.

    Args:
        values: [H, W] of the picture, higher = brighter.
        name: what a sentence calls the mask; it begins it.

    Raises:
        InputError: the mask covers everything.
    """
    region = np.asarray(values > max(float(values.max()), 0.0) / 2, dtype=np.bool_)
    if region.all():
        raise InputError(
            f"{name} covers its whole image. Draw what is to be found in white and all else in black, or leave the "
            "cell empty."
        )
    return region
