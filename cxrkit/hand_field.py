"""Where the hand is in a radiograph, whether black and white are swapped, and where its fingers point.

Classical: of the shapes that rise above (or sink below) some gray level, the one that looks most like a hand. What a
hand has and a collimated field, a film's frame, a label or scattered haze has not: fingers, so that the shape fills
little of its convex hull; an edge all the way round; texture inside and a plain ground outside.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from threading import Lock

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrkit.finger_direction import turns_upright
from cxrkit.hand_shapes import (
    SQUARE,
    Mask,
    area_of,
    as_mask,
    filled_in,
    largest,
    outline_of,
    quantile,
    sides_touched,
    texture_of,
    without_threads,
)
from cxrkit.pixels import Box, Gray, crop, resize, trim_margins

SIDE = 128
"""Side of the square that the hand is looked for in; the training images have 100 pixels."""

_LEAST_RANGE = 0.01
"""From the darkest to the brightest: three of 256 gray levels."""

_LEAST_SIDE = SIDE // 8
_LEAST_PIXELS = 16
"""A strip narrower than either is no hand that can be read."""

_KEPT = 4
"""Small images that the search remembers, of 64 KiB each: as many visitors may be between guard and task."""

_ONE_BY_ONE = Lock()
"""Guard and task may ask for the same hand at the same time: the second one waits for the first one's answer."""

_LEVELS = 33
_AREA = (0.06, 0.75)
"""Share of the image that a hand may fill."""
_SOLIDITY = (0.4, 0.87)
"""Share of its convex hull that a hand fills, with fingers spread or closed."""
_MOST_SIDES = 1.0
"""Length of the image's border that a hand may lie on, in sides: the forearm leaves through one."""
_MOST_ON_BORDER = 0.3
_MOST_HOLES = 0.35
_LEAST_EDGE = 100
"""Pixels of outline inside the image."""
_SWAPPED_TEXTURE = 1.1
"""A dark shape is a hand only if it has more texture than what is around it; the ground between fingers has less."""
_FIELDS = 2
"""Collimated fields or frames that are looked into beside the whole image."""
_FIELD_GAIN = 0.3
"""By how much a hand in such a field has to be the more likely one."""


@dataclass(frozen=True, eq=False)
class HandField:
    """A hand found in an image.

    Attributes:
        mask: bool [128, 128] over the whole image, which is squashed to this square.
        box: (left, top, right, bottom) around the hand and the forearm in pixels of the image.
        swapped: whether the hand is darker than its ground, as where black and white are swapped.
        turn: quarter turns clockwise that bring the fingers up, 0 to 3; None where the outline doesn't tell, as of a
            closed hand.
    """

    mask: NDArray[np.bool_]
    box: Box
    swapped: bool
    turn: int | None


@dataclass(frozen=True, eq=False)
class _Shape:
    """A shape that may be a hand: filled mask [128, 128], whether it is darker than its ground, how likely it is."""

    mask: Mask
    swapped: bool
    score: float


def find_hand(image: Gray) -> HandField | None:
    """Find the hand in a gray image [H, W] in [0, 1]; None where nothing looks like one."""
    pixels = _square(image).astype(np.float32, copy=False).tobytes()
    with _ONE_BY_ONE:
        found = _found(pixels)
    if found is None:
        return None
    left, top, right, bottom = found.box
    down, across = image.shape[0] / SIDE, image.shape[1] / SIDE
    box = (round(left * across), round(top * down), round(right * across), round(bottom * down))
    if min(box[2] - box[0], box[3] - box[1]) < _LEAST_PIXELS:
        return None
    return replace(found, box=box)


@lru_cache(_KEPT)
def _found(pixels: bytes) -> HandField | None:
    """The hand in the small image, with its box there; remembered, as the image guard and the task both ask."""
    small = np.frombuffer(pixels, np.float32).reshape(SIDE, SIDE)
    if float(small.max() - small.min()) < _LEAST_RANGE:
        return None
    fields: list[tuple[float, Box]] = []
    whole = trim_margins(small)
    best = _best(small, whole, fields)
    for field in islice(_fields(fields, whole), _FIELDS):
        found = _best(small, field)
        if found is not None and (best is None or found.score > best.score + _FIELD_GAIN):
            best = found
    if best is None:
        return None
    rows, columns = np.flatnonzero(best.mask.any(axis=1)), np.flatnonzero(best.mask.any(axis=0))
    top, bottom, left, right = (int(end) for end in (rows[0], rows[-1] + 1, columns[0], columns[-1] + 1))
    if min(right - left, bottom - top) < _LEAST_SIDE:
        return None
    turn = turns_upright(best.mask[top:bottom, left:right])
    mask = best.mask.astype(np.bool_)
    mask.flags.writeable = False  # whoever asks for the same hand gets this one
    return HandField(mask, (left, top, right, bottom), best.swapped, turn)


def _square(image: Gray) -> Gray:
    return resize(image, SIDE, SIDE)


def _best(small: Gray, window: Box, fields: list[tuple[float, Box]] | None = None) -> _Shape | None:
    """The likeliest hand within a window of the small image; fills `fields` with what may be windows of their own."""
    left, top, right, bottom = window
    share = (right - left) * (bottom - top) / SIDE**2
    inner = _square(crop(small, window))
    best: _Shape | None = None
    for swapped in (False, True):
        tone = _tone(inner, swapped=swapped)
        slope = np.hypot(*(cv2.Sobel(tone, cv2.CV_32F, *way, scale=1 / 8) for way in ((1, 0), (0, 1))))
        for mask, around in _shapes(tone):
            corners = outline_of(mask, cv2.CHAIN_APPROX_SIMPLE)
            if fields is not None:
                fields += _as_field(mask, around, corners)
            shape = _judge(mask, corners, slope, share, swapped=swapped)
            if shape is not None and (best is None or shape.score > best.score):
                best = shape
    if best is None:
        return None
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[top:bottom, left:right] = cv2.resize(best.mask, (right - left, bottom - top), interpolation=cv2.INTER_NEAREST)
    return _Shape(mask, best.swapped, best.score)


def _tone(small: Gray, *, swapped: bool) -> Gray:
    """In [0, 1], with the hand bright and the dark tones, which are its soft parts, spread."""
    low, high = np.percentile(small, (0.5, 99.5))
    gray = np.clip((small - low) / max(float(high - low), 1e-6), 0, 1)
    gray = cv2.GaussianBlur(gray.astype(np.float32), (0, 0), 0.8)
    return np.asarray(np.sqrt(np.clip(1 - gray if swapped else gray, 0, 1)), dtype=np.float32)


def _shapes(tone: Gray) -> Iterator[tuple[Mask, Box]]:
    """The largest shape above each of many gray levels, with (left, top, width, height) around it."""
    ordered = np.sort(tone, axis=None)
    for level in sorted({quantile(ordered, share) for share in np.linspace(0.15, 0.95, _LEVELS)}):
        found = largest(as_mask(cv2.morphologyEx((tone > level).astype(np.uint8), cv2.MORPH_OPEN, SQUARE)))
        if found is not None:
            yield found


def _as_field(mask: Mask, around: Box, corners: NDArray[np.int32]) -> list[tuple[float, Box]]:
    """(how rectangular, box) of a shape whose hull is a rectangle: the ground of a collimated field or a frame."""
    left, top, width, height = around
    if not 0.2 < width * height / SIDE**2 < 0.97 or area_of(mask) <= 0.1:
        return []
    hull = cv2.contourArea(cv2.convexHull(corners)) / ((width - 1) * (height - 1))
    return [(hull, (left + 1, top + 1, left + width - 1, top + height - 1))] if hull > 0.93 else []


def _fields(fields: list[tuple[float, Box]], whole: Box) -> Iterator[Box]:
    """Fields in the small image's frame, the most rectangular first, each unlike those before it."""
    left, top, right, bottom = whole
    across, down = (right - left) / SIDE, (bottom - top) / SIDE
    taken = [whole]
    for _, (x0, y0, x1, y1) in sorted(fields, reverse=True):
        field = (
            left + round(x0 * across),
            top + round(y0 * down),
            left + round(x1 * across),
            top + round(y1 * down),
        )
        if max(overlap(field, other) for other in taken) <= 0.96:
            taken.append(field)
            yield field


def overlap(first: Box, second: Box) -> float:
    """Intersection over union of two boxes, in [0, 1]."""
    width = max(0, min(first[2], second[2]) - max(first[0], second[0]))
    height = max(0, min(first[3], second[3]) - max(first[1], second[1]))
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (first, second))
    return width * height / (areas - width * height)


def _judge(mask: Mask, corners: NDArray[np.int32], slope: Gray, share: float, *, swapped: bool) -> _Shape | None:
    """The shape without its holes, with how likely it is a hand; None where it can't be one.

    Args:
        mask: [128, 128] over the window.
        corners: of its outline.
        slope: [128, 128] steepness of the gray values.
        share: of the image that the window covers.
    """
    if not _AREA[0] < area_of(mask) < _AREA[1]:
        return None
    kept = largest(without_threads(filled_in(mask, corners)))
    if kept is None:
        return None
    filled = kept[0]
    outline = outline_of(filled)
    solidity = cv2.contourArea(outline) / max(cv2.contourArea(cv2.convexHull(outline)), 1)
    x, y = outline[:, 0, 0], outline[:, 0, 1]
    inside = (np.minimum(x, y) > 1) & (np.maximum(x, y) < SIDE - 2)
    length = np.count_nonzero(inside)
    if (
        not _SOLIDITY[0] < solidity < _SOLIDITY[1]
        or length < max(_LEAST_EDGE, (1 - _MOST_ON_BORDER) * len(inside))
        or area_of(mask) < (1 - _MOST_HOLES) * area_of(filled)
    ):
        return None
    sides = sides_touched(filled)
    if sides > _MOST_SIDES:
        return None
    texture, ground = texture_of(filled, slope)
    if swapped and texture <= _SWAPPED_TEXTURE * ground:
        return None
    edge = np.sort(slope[y[inside], x[inside]])
    weak = np.searchsorted(edge, 0.25 * quantile(edge, 0.5)) / length
    score = (
        np.log(quantile(edge, 0.2) + 1e-3)
        + np.log((texture + 3e-3) / (ground + 3e-3))
        + np.log(share * area_of(filled))
        - 6 * weak
        - sides
    )
    return _Shape(filled, swapped, float(score))
