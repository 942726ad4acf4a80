"""Proportions of one chest: lungs, diaphragm, heart and body as solids whose chords are known in closed form.

Every solid is a stack of level sections, each a superellipse whose centre and half-axes are smooth functions of y, so
its chord along the beam is exact for a frontal (along z) and a lateral beam (along x). All lengths in reference mm.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

Gray = NDArray[np.float32]
Real = NDArray[np.floating[Any]]
Interval = tuple[Real, Real]
"""Where a ray enters and leaves a solid; end <= start where it misses."""


class Profile:
    """A length as a smooth function of y through control points; constant beyond them."""

    def __init__(self, *points: tuple[float, float]) -> None:
        places, values = zip(*points, strict=True)
        self.low, self.high = places[0], places[-1]
        self._curve = PchipInterpolator(places, values)

    def __call__(self, y: Real | float) -> Gray:
        return np.asarray(self._curve(np.clip(y, self.low, self.high)), dtype=np.float32)


def chord_share(u: Real, power: float) -> Gray:
    """Half-chord of the unit superellipse |u|^p + |v|^p = 1 at u; 0 outside."""
    inside = np.maximum(1 - np.abs(u) ** np.float32(power), 0)
    return np.asarray(np.sqrt(inside) if power == 2 else inside ** np.float32(1 / power), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Stack:
    """Sections between two borders (left and right) and two depths (centre and half-depth)."""

    right: Profile
    left: Profile
    centre: Profile
    half: Profile
    power: float = 2.0

    def frontal(self, x: Real, y: Real) -> Interval:
        """[1, W], [H, 1] -> z of entry and exit [H, W]."""
        right, left = self.right(y), self.left(y)
        share = chord_share((x - (left + right) / 2) / np.maximum((left - right) / 2, 1e-3), self.power)
        half = self.half(y) * share * self._within(y)
        centre = self.centre(y)
        return centre - half, centre + half

    def lateral(self, z: Real, y: Real) -> Interval:
        """[1, W], [H, 1] -> x of entry and exit [H, W]."""
        right, left = self.right(y), self.left(y)
        share = chord_share((z - self.centre(y)) / np.maximum(self.half(y), 1e-3), self.power)
        half = (left - right) / 2 * share * self._within(y)
        return (left + right) / 2 - half, (left + right) / 2 + half

    def _within(self, y: Real) -> Gray:
        return np.asarray((y > self.right.low) & (y < self.right.high), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Lung:
    """The space inside one half of the rib cage, before heart, spine and diaphragm are taken from it.

    Args:
        sign: 1 for the patient's left, -1 for the right.
        border: distance of the outer wall from the midline.
        inner: the same of the inner wall.
        back, front: z of the walls.
    """

    sign: int
    border: Profile
    inner: Profile
    back: Profile
    front: Profile

    def frontal(self, x: Real, y: Real) -> Interval:
        middle, outer, inner, centre, half = self._section(y)
        away = x * self.sign - middle
        share = np.where(away > 0, chord_share(away / outer, 2.3), chord_share(away / inner, 2.0))
        share = share * (y > self.border.low)
        return centre - half * share, centre + half * share

    def lateral(self, z: Real, y: Real) -> Interval:
        middle, outer, inner, centre, half = self._section(y)
        away = (z - centre) / half
        within = y > self.border.low
        near, far = middle - inner * chord_share(away, 2.0), middle + outer * chord_share(away, 2.3)
        empty = (np.abs(away) >= 1) | ~within
        near, far = np.where(empty, 0, near), np.where(empty, 0, far)
        return (near, far) if self.sign > 0 else (-far, -near)

    def contains(self, points: Real, margin: float = 0.0) -> NDArray[np.bool_]:
        """[N, 3] -> [N]; margin in mm is kept from the walls, about."""
        x, y, z = points[:, 0], points[:, 1], points[:, 2]
        middle, outer, inner, centre, half = self._section(y)
        away = x * self.sign - middle
        across = np.where(away > 0, away / np.maximum(outer - margin, 1), -away / np.maximum(inner - margin, 1))
        depth = np.abs(z - centre) / np.maximum(half - margin, 1)
        power = np.where(away > 0, 2.3, 2.0)
        inside = np.abs(across) ** power + depth**power < 1
        return np.asarray(inside & (y > self.border.low + margin), dtype=np.bool_)

    def _section(self, y: Real) -> tuple[Real, Real, Real, Real, Real]:
        border, inner, back, front = self.border(y), self.inner(y), self.back(y), self.front(y)
        middle = inner + np.float32(0.42) * (border - inner)
        half = np.maximum((front - back) / 2, 1e-3)
        return middle, np.maximum(border - middle, 1e-3), np.maximum(middle - inner, 1e-3), (front + back) / 2, half


@dataclass(frozen=True, eq=False)
class Dome:
    """One half of the diaphragm and all below it.

    y(x, z) = top + rise away from (x0, z0): a power of 2.4 across, a square towards front and back; level from `flat`
    mm inwards, below the heart.
    """

    sign: int
    top: float
    x0: float
    z0: float
    outer: float
    inner: float
    back: float
    front: float
    flat: float = 48.0
    power: float = 2.4

    def height(self, x: Real | float, z: Real | float) -> Gray:
        """y of the surface."""
        across, depth = np.asarray(x * self.sign - self.x0), np.asarray(z - self.z0)
        reach = np.where(across > 0, np.inf, self.flat)
        return np.asarray(
            self.top
            + np.where(across > 0, self.outer, self.inner) * np.clip(np.abs(across), 0, reach) ** self.power
            + np.where(depth > 0, self.front, self.back) * depth**2,
            dtype=np.float32,
        )

    def frontal(self, x: Real, y: Real) -> Interval:
        below = y - self.height(x, self.z0)
        reach = np.sqrt(np.maximum(below, 0))
        return self.z0 - reach / np.float32(self.back**0.5), self.z0 + reach / np.float32(self.front**0.5)

    def lateral(self, z: Real, y: Real) -> Interval:
        below = np.maximum(y - self.height(self.sign * self.x0, z), 0)
        near = (below / np.float32(self.inner)) ** np.float32(1 / self.power)
        near = self.x0 - np.where(near > self.flat, self.x0, near)
        far = self.x0 + (below / np.float32(self.outer)) ** np.float32(1 / self.power)
        return (near, far) if self.sign > 0 else (-far, -near)


def length(interval: Interval) -> Gray:
    """Chord [H, W], 0 where the ray misses."""
    return np.asarray(np.maximum(interval[1] - interval[0], 0), dtype=np.float32)


def overlap(*intervals: Interval) -> Gray:
    """Length that all intervals share."""
    start, end = intervals[0]
    for other_start, other_end in intervals[1:]:
        start, end = np.maximum(start, other_start), np.minimum(end, other_end)
    return length((start, end))


def hull(first: Interval, second: Interval) -> Interval:
    """The smallest interval that holds both; an empty one adds nothing."""
    starts = [np.where(i[1] > i[0], i[0], np.inf) for i in (first, second)]
    ends = [np.where(i[1] > i[0], i[1], -np.inf) for i in (first, second)]
    return np.minimum(*starts), np.maximum(*ends)


def without(body: Interval, *holes: Interval) -> Gray:
    """Length of the body outside up to three holes (inclusion and exclusion)."""
    left = length(body)
    for index, hole in enumerate(holes):
        left = left - overlap(body, hole)
        for earlier, other in enumerate(holes[:index]):
            left = left + overlap(body, hole, other)
            for third in holes[:earlier]:
                left = left - overlap(body, hole, other, third)
    return np.asarray(np.maximum(left, 0), dtype=np.float32)
