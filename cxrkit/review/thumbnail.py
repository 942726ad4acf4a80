"""Small pictures of cases for a gallery."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrkit.errors import ImageError
from cxrkit.image import Radiograph
from cxrkit.pixels import resize

SIDE = 168
"""In pixels."""

_QUALITY = 85


def thumbnail(images: Sequence[Radiograph], side: int = SIDE) -> bytes:
    """JPEG [side, side] of a case, through each file's own window; the images of a pair stand side by side.

    Args:
        images: at least one.
        side: of each in pixels.

    Raises:
        ImageError: it cannot be made.
    """
    row = np.concatenate([_small(image, side) for image in images], axis=1)
    done, data = cv2.imencode(".jpg", row, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise ImageError("A small picture of this case could not be made. Open the case to see it in full.")
    return bytes(data)


def _small(image: Radiograph, side: int) -> NDArray[np.uint8]:
    """[side, side] with the image in the middle, so that the pictures of a gallery are alike in size."""
    gray = image.windowed()
    scale = side / max(gray.shape)
    width, height = (max(1, round(length * scale)) for length in (gray.shape[1], gray.shape[0]))
    top, left = (side - height) // 2, (side - width) // 2
    square = np.zeros((side, side), dtype=np.uint8)
    small = np.clip(resize(gray, width, height), 0, 1)
    square[top : top + height, left : left + width] = np.round(small * 255)
    return square
