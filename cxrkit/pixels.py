"""Pure functions on gray images. Every array is [H, W], float32, higher = brighter, unless said otherwise."""

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.float32]
Box = tuple[int, int, int, int]
"""(left, top, right, bottom) in pixels; right and bottom are exclusive."""

_BINS = 1024
_MOST_TRIMMED = 0.25
_LEAST_LEFT = 0.25
_LARGE = 1024
"""Pixels a side from which an image is halved before it is made much smaller."""


def crop(image: Gray, box: Box) -> Gray:
    """Cut [bottom - top, right - left] out of the image; the box must lie inside it."""
    left, top, right, bottom = box
    return image[top:bottom, left:right]


def resize(image: Gray, width: int, height: int) -> Gray:
    """Resample to [height, width]: area averaging when shrinking (no aliasing), bilinear when enlarging."""
    # Halving first is much quicker than averaging over areas that end within a pixel, and the mean is nearly the same.
    while min(image.shape) >= _LARGE and image.shape[1] >= 3 * width and image.shape[0] >= 3 * height:
        image = _halved(image)
    shrinking = width < image.shape[1] or height < image.shape[0]
    interpolation = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width, height), interpolation=interpolation), dtype=np.float32)


def _halved(image: Gray) -> Gray:
    """Means of two by two pixels; of an odd number of rows or columns the last one is left out."""
    rows, columns = image.shape[0] // 2, image.shape[1] // 2
    even = image[: 2 * rows, : 2 * columns]
    return np.asarray(cv2.resize(even, (columns, rows), interpolation=cv2.INTER_AREA), dtype=np.float32)


def eight_bits(image: NDArray[np.floating]) -> NDArray[np.uint8]:
    """In [0, 1] -> 0 to 255, rounded; what lies outside is cut. Any shape."""
    return np.asarray(np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)


def gray_of(levels: NDArray[np.uint8]) -> Gray:
    """0 to 255 -> [0, 1]. Any shape."""
    return np.asarray(levels.astype(np.float32) / 255, dtype=np.float32)


def smooth(image: Gray, sigma: float) -> Gray:
    """Gaussian blur with standard deviation sigma in pixels."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), dtype=np.float32)


def equalise(image: Gray) -> Gray:
    """Spread the gray values so that every level in [0, 1] is equally frequent (histogram equalisation).

    The result is the same for any monotone tone curve that a scanner or archive has applied, which is the point:
    histograms tell sources apart. A constant image becomes 0.5.
    """
    low, high = float(image.min()), float(image.max())
    if high <= low:
        return np.full_like(image, 0.5)
    place = (image - low) * (_BINS / (high - low))
    counts = np.bincount(np.minimum(place.astype(np.int32), _BINS - 1).ravel(), minlength=_BINS)
    middle = ((np.cumsum(counts) - counts / 2) / image.size).astype(np.float32)
    # Linear between bin centres; as np.interp, but several times quicker because the bins are even.
    position = np.clip(place - 0.5, 0, _BINS - 1)
    below = np.minimum(position.astype(np.int32), _BINS - 2)
    share = position - below
    return np.asarray(middle[below] * (1 - share) + middle[below + 1] * share, dtype=np.float32)


def adjust(image: Gray, brightness: float = 0.0, contrast: float = 1.0, sharpness: float = 0.0) -> Gray:
    """Edit an image in [0, 1]; the result is clipped to [0, 1].

    Args:
        brightness: added, -1 to 1.
        contrast: factor about mid-gray, 0 to 3.
        sharpness: -1 (blurred) to 3; weight of the difference to a blurred copy (unsharp mask).
    """
    edited = (image - 0.5) * contrast + 0.5 + brightness
    if sharpness:
        edited = edited + sharpness * (edited - smooth(edited, 1.5))
    return np.asarray(np.clip(edited, 0.0, 1.0), dtype=np.float32)


def trim_margins(image: Gray, most: float = _MOST_TRIMMED) -> Box:
    """Find the box without uniform margins (collimator shadow, film border, padding).

    A row or column belongs to a margin while its spread (5th to 95th percentile) is under 4 % of the image's own;
    at most the share `most` of the image goes from each side.
    """
    low, high = np.percentile(image, (1, 99))
    limit = 0.04 * max(float(high - low), 1e-6)
    rows = np.subtract(*np.percentile(image, (95, 5), axis=1)) > limit
    columns = np.subtract(*np.percentile(image, (95, 5), axis=0)) > limit
    top, bottom = _first_and_last(rows, most)
    left, right = _first_and_last(columns, most)
    return left, top, right, bottom


def trim_wide_margins(image: Gray) -> Box:
    """As trim_margins, again and again inside what is left as long as a margin is wider than that takes at once.

    No side of the box gets under a quarter of the image's, since of an image that is margin all over nothing stays.
    """
    height, width = image.shape
    box = trim_margins(image)
    wide = _reaches_bound(box, image.shape)
    while wide:
        part = crop(image, box)
        inner = trim_margins(part)
        wide = _reaches_bound(inner, part.shape)
        inside = (box[0] + inner[0], box[1] + inner[1], box[0] + inner[2], box[1] + inner[3])
        if min((inside[2] - inside[0]) / width, (inside[3] - inside[1]) / height) < _LEAST_LEFT:
            return box
        box = inside
    return box


def _reaches_bound(box: Box, shape: tuple[int, ...]) -> bool:
    """Whether as much as trim_margins ever takes was taken from a side."""
    left, top, right, bottom = box
    across, down = (int(length * _MOST_TRIMMED) for length in (shape[1], shape[0]))
    return 0 < across <= max(left, shape[1] - right) or 0 < down <= max(top, shape[0] - bottom)


def _first_and_last(keep: NDArray[np.bool_], most: float) -> tuple[int, int]:
    length = keep.size
    longest = int(length * most)
    first, last = 0, length
    while first < longest and not keep[first]:
        first += 1
    while last > length - longest and not keep[last - 1]:
        last -= 1
    return first, last


def square_around(box: Box, shape: tuple[int, int], margin: float) -> Box:
    """Widen a box by `margin` of its longer side on each side and to a square, as far as the image reaches.

    The square is shifted into the image where it would stick out, and cut where the image is too small for it.
    """
    left, top, right, bottom = box
    side = round(max(right - left, bottom - top) * (1 + 2 * margin))
    left, right = _fit((left + right) / 2, side, shape[1])
    top, bottom = _fit((top + bottom) / 2, side, shape[0])
    return left, top, right, bottom


def _fit(centre: float, side: int, length: int) -> tuple[int, int]:
    side = min(side, length)
    start = min(max(round(centre - side / 2), 0), length - side)
    return start, start + side
