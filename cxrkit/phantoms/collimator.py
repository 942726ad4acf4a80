"""The blades of a collimator, which leave a border without exposure."""

import numpy as np
from numpy.typing import NDArray

_AWAY = -20.0
"""Width in mm of a blade that does not reach into the image."""


def closed(
    random: np.random.Generator,
    shape: tuple[int, ...],
    pixel: float,
    *,
    used: float,
    each: float,
    widths: tuple[float, float],
    lean: float,
) -> NDArray[np.float32]:
    """1 behind the blades, soft over 1.5 mm.

    Args:
        random: source of all numbers.
        shape: [H, W] of the image.
        pixel: mm.
        used: share of the images in which blades are seen.
        each: chance of each of the four there.
        widths: least and greatest, mm.
        lean: standard deviation of their slope.
    """
    rows, columns = shape
    seen = random.random() < used
    width = np.where(random.random(4) < each, random.uniform(*widths, 4), _AWAY) if seen else np.full(4, _AWAY)
    y = (np.arange(rows, dtype=np.float32) + 0.5)[:, None] * np.float32(pixel)
    x = (np.arange(columns, dtype=np.float32) + 0.5)[None, :] * np.float32(pixel)
    slope = np.float32(random.normal(0, lean))
    y, x = y + slope * (x - x.max() / 2), x - slope * (y - y.max() / 2)
    top, left, bottom, right = (np.float32(one) for one in width)
    distance = np.minimum(np.minimum(y - top, x - left), np.minimum(y.max() - bottom - y, x.max() - right - x))
    return np.asarray(np.clip(0.5 - distance / 1.5, 0, 1), dtype=np.float32)
