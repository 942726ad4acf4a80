"""Solids that lie flat on the detector, each with its thickness along the beam in closed form: shafts and pebbles.

Coordinates are mm in the hand: x to the thumb's side, y to the finger tips, origin at the base of the third metacarpal.
The hand lies on the detector, so the beam is taken as parallel.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import PchipInterpolator

Gray = NDArray[np.float32]
Point = tuple[float, float]


def ahead(start: Point, angle: float, distance: float, aside: float = 0.0) -> Point:
    """Point `distance` mm from start at `angle` (radians from +y towards +x), and `aside` mm to the right of that."""
    sin, cos = float(np.sin(angle)), float(np.cos(angle))
    return start[0] + distance * sin + aside * cos, start[1] + distance * cos - aside * sin


@dataclass(frozen=True, eq=False)
class Plate:
    """Pixels of the detector in the hand's coordinates.

    Args:
        shape: (rows, columns).
        pixel: mm.
        centre: point of the hand in the middle of the plate.
        tilt: turn of the hand in radians, clockwise.
    """

    shape: tuple[int, int]
    pixel: float
    centre: Point
    tilt: float

    def place(self, point: Point) -> Point:
        """mm in the hand -> (row, column)."""
        x, y = point[0] - self.centre[0], point[1] - self.centre[1]
        sin, cos = np.sin(self.tilt), np.cos(self.tilt)
        across, up = x * cos + y * sin, y * cos - x * sin
        rows, columns = self.shape
        return float((rows - 1) / 2 - up / self.pixel), float((columns - 1) / 2 + across / self.pixel)

    def patch(self, start: Point, end: Point, margin: float) -> "Patch | None":
        """Pixels within `margin` mm of the box about two points; None if it lies outside."""
        (r0, c0), (r1, c1) = self.place(start), self.place(end)
        wide = margin / self.pixel + 1
        top, left = max(int(min(r0, r1) - wide), 0), max(int(min(c0, c1) - wide), 0)
        bottom = min(int(max(r0, r1) + wide) + 1, self.shape[0])
        right = min(int(max(c0, c1) + wide) + 1, self.shape[1])
        if top >= bottom or left >= right:
            return None
        return Patch(self, slice(top, bottom), slice(left, right))


@dataclass(frozen=True, eq=False)
class Patch:
    """A rectangle of the plate."""

    plate: Plate
    rows: slice
    columns: slice

    def local(self, origin: Point, angle: float) -> tuple[Gray, Gray]:
        """(along, aside) in mm of each pixel, for an axis from origin at `angle`."""
        row, column = self.plate.place(origin)
        up = np.asarray(row - np.arange(self.rows.start, self.rows.stop), dtype=np.float32)[:, None]
        across = np.asarray(np.arange(self.columns.start, self.columns.stop) - column, dtype=np.float32)[None, :]
        up, across = up * np.float32(self.plate.pixel), across * np.float32(self.plate.pixel)
        sin, cos = np.float32(np.sin(angle + self.plate.tilt)), np.float32(np.cos(angle + self.plate.tilt))
        return np.asarray(up * cos + across * sin), np.asarray(across * cos - up * sin)


@dataclass(frozen=True, eq=False)
class Shaft:
    """A tube along a straight axis with a free profile: outline exact, cross-sections half-ellipses on either side.

    Args:
        origin, angle: where it starts and the way it runs, in radians from +y towards +x.
        length: mm.
        stations: [K] places along it, 0 to 1.
        right, left: [K] half-widths in mm there.
        depth: half-extent along the beam, relative to the half-width.
        cortex: [K] thickness of the wall in mm.
        ends: thickness of the two end plates in mm.
        filling: [K] share of spongy bone inside the wall.
        slope, cup: the start is at slope * aside + cup * (aside / half-width)^2 mm along the axis.
        far_cup: the same of the far end.
        corner: mm over which the ends are rounded along the beam.
    """

    origin: Point
    angle: float
    length: float
    stations: ArrayLike
    right: ArrayLike
    left: ArrayLike
    depth: float
    cortex: ArrayLike
    ends: tuple[float, float]
    filling: ArrayLike
    slope: float = 0.0
    cup: float = 0.0
    far_cup: float = 0.0
    corner: float = 1.0

    def patch(self, plate: Plate) -> Patch | None:
        margin = float(np.max([np.max(self.right), np.max(self.left)])) * (1 + abs(self.slope)) + abs(self.cup) + 2
        return plate.patch(self.origin, ahead(self.origin, self.angle, self.length), margin)

    @cached_property
    def _profile(self) -> Gray:
        """[512, 4]: right, left, cortex, filling at even places, smooth through the stations."""
        table = np.stack(
            [np.asarray(self.right), np.asarray(self.left), np.asarray(self.cortex), np.asarray(self.filling)]
        )
        return np.asarray(PchipInterpolator(np.asarray(self.stations), table.T)(np.linspace(0, 1, 512)), np.float32)

    def lengths(self, patch: Patch) -> tuple[Gray, Gray]:
        """(solid, spongy) bone in mm along the beam in each pixel of the patch."""
        along, aside = patch.local(self.origin, self.angle)
        wide = np.float32(max(np.max(self.right), np.max(self.left)))
        bow = np.minimum((aside / wide) ** 2, 1)
        start = np.float32(self.slope) * np.clip(aside, -wide, wide) + np.float32(self.cup) * bow
        end = np.float32(self.length) + np.float32(self.far_cup) * bow
        share = (along - start) / (end - start)
        near = self._profile[np.clip(share * 511, 0, 511).astype(np.intp)]
        half = np.where(aside > 0, near[..., 0], near[..., 1])
        mean = (near[..., 0] + near[..., 1]) / 2
        whole = self._tube(along - start, end - along, aside, half, mean * self.depth)
        wall = near[..., 2]
        ends = (along - start - np.float32(self.ends[0]), end - along - np.float32(self.ends[1]))
        inner = self._tube(*ends, aside, half - wall, mean * self.depth - wall)
        inner = np.minimum(inner, whole)
        return whole - inner, inner * near[..., 3]

    def _tube(self, from_start: Gray, to_end: Gray, aside: Gray, half: Gray, deep: Gray) -> Gray:
        across = 1 - (aside / np.maximum(half, 0.02)) ** 2
        corner = np.float32(self.corner)
        nearest = np.clip(np.minimum(from_start, to_end) / corner, 0, 1)
        rounded = np.sqrt(nearest * (2 - nearest))
        shown = np.sqrt(np.maximum(across, 0)) * rounded * np.maximum(deep, 0) * 2
        return np.asarray(np.where(half > 0.02, shown, 0), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Pebble:
    """A rounded solid with a free outline that can be seen whole from its centre.

    Args:
        centre, angle: the second axis runs at `angle` from +y towards +x.
        half: (across, along, depth) half-extents in mm.
        cortex: thickness of the wall in mm.
        outline: [K, 2] points (across, along) in units of half, in order round the centre; None: `power` alone.
        power: 2 an ellipse, more: fuller corners.
        bend: mm by which the rim lies further along than the middle: a cap.
        dome: 2 for a depth that rounds off like a ball, more: flat with steep sides.
    """

    centre: Point
    angle: float
    half: tuple[float, float, float]
    cortex: float
    outline: NDArray[np.float64] | None = field(default=None, repr=False)
    power: float = 2.0
    bend: float = 0.0
    dome: float = 2.6

    def patch(self, plate: Plate) -> Patch | None:
        return plate.patch(self.centre, self.centre, 1.5 * max(self.half[:2]) + abs(self.bend) + 1)

    @cached_property
    def _radii(self) -> Gray | None:
        """[720] distance of the outline from the centre, at even angles from -pi."""
        if self.outline is None:
            return None
        angles = np.arctan2(self.outline[:, 1], self.outline[:, 0])
        order = np.argsort(angles)
        angles, radii = angles[order], np.linalg.norm(self.outline, axis=1)[order]
        around = np.concatenate([angles - 2 * np.pi, angles, angles + 2 * np.pi])
        closed = PchipInterpolator(around, np.tile(radii, 3))
        return np.asarray(closed(np.linspace(-np.pi, np.pi, 720, endpoint=False)), np.float32)

    def lengths(self, patch: Patch) -> tuple[Gray, Gray]:
        """(solid, spongy) bone in mm along the beam in each pixel of the patch."""
        along, aside = patch.local(self.centre, self.angle)
        along = along - np.float32(self.bend) * (aside / np.float32(self.half[0])) ** 2
        whole = self._ball(along, aside, 0.0)
        inner = np.minimum(self._ball(along, aside, self.cortex), whole)
        return whole - inner, inner

    def _ball(self, along: Gray, aside: Gray, inset: float) -> Gray:
        wide, tall, deep = (max(extent - inset, 0.05) for extent in self.half)
        x, y = aside / np.float32(wide), along / np.float32(tall)
        if self._radii is None:
            out = (np.abs(x) ** self.power + np.abs(y) ** self.power) ** np.float32(1 / self.power)
        else:
            index = ((np.arctan2(y, x) + np.pi) * (720 / (2 * np.pi))).astype(np.intp) % 720
            out = np.hypot(x, y) / self._radii[index]
        inside = np.maximum(1 - np.minimum(out, 1) ** np.float32(self.dome), 0)
        return np.asarray(2 * deep * np.sqrt(inside), dtype=np.float32)
