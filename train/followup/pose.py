"""Posture, breath, magnification and framing of one image, as one map from its pixels to those of the view.

All of it, and the warps of lesions that move borders, is put together on a coarse lattice, so that every image is
resampled exactly once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrkit.pixels import Gray
from train.drawing import Random
from train.followup.space import Frame, Space

_CELL = 8
"""Pixels of the image between points of the lattice; sizes are multiples of 32."""

_RIM = 2
"""Cells added on each side, because enlarging has no neighbours at the rim."""


@dataclass(frozen=True)
class Bump:
    """A smooth local displacement: what is seen at p is the view at p + (dx, dy) exp(-r^2), all in pixels.

    Attributes:
        x, y: middle.
        wide, high: where r is 1.
        dx, dy: displacement in the middle.
    """

    x: float
    y: float
    wide: float
    high: float
    dx: float
    dy: float


@dataclass(frozen=True)
class Pose:
    """How one image was taken.

    Attributes:
        shift: (x, y) of the crop, in shares of its side.
        zoom: factor on the crop's side.
        whole: the crop has failed and all of the view is read.
        rotation: degrees.
        shear, aspect: in shares.
        tilt: (x, y) perspective: how much larger one edge is than the other.
        breath: (both sides, left, right) by how much the bases move, in shares of the lungs' height; > 0 is upwards.
        widen: of the chest, in shares.
        heart: how much wider the heart is seen, in shares of its half width.
        turn: about the long axis: displacement of the middle against the ribs, in shares of the view.
        elastic: standard deviation of the rest, in shares of the view.
        seed: of the elastic rest.
    """

    shift: tuple[float, float]
    zoom: float
    whole: bool
    rotation: float
    shear: float
    aspect: float
    tilt: tuple[float, float]
    breath: tuple[float, float, float]
    widen: float
    heart: float
    turn: float
    elastic: float
    seed: int


def draw_pose(random: Random, strength: float) -> Pose:
    """Draw a pose.

    Args:
        random: source of all numbers.
        strength: 0 (as the view is) to 1 (another hospital, another device).
    """

    def about(spread: float, most: float = 2.5) -> float:
        return float(np.clip(random.normal(), -most, most) * spread * strength)

    return Pose(
        shift=(about(0.022, 1.8), about(0.022, 1.8)),
        zoom=float(np.exp(np.clip(random.normal(0.03, 0.06), -0.05, 0.18) * strength)),
        whole=bool(random.random() < 0.07 * strength),
        rotation=about(3.5),
        shear=about(0.02),
        aspect=about(0.025),
        tilt=(about(0.03), about(0.04)),
        breath=(about(0.045), about(0.012), about(0.012)),
        widen=about(0.015),
        heart=about(0.05),
        turn=about(0.014),
        elastic=abs(about(0.004)),
        seed=int(random.integers(2**31)),
    )


Lattice = tuple[Gray, Gray]
"""Columns and rows of the view, one of each for every point of the lattice."""


def natural(space: Space, pose: Pose, size: int) -> Lattice:
    """Where the points of an image of this side lie in the view, without any lesion."""
    x, y = _framed(space.frame, pose, size, len(space.view))
    more = _elastic(pose, x.shape, len(space.view))
    return bumped((x, y), _breathing(space, pose), (x + more[0], y + more[1]))


def bumped(at: Lattice, bumps: Iterable[Bump], lattice: Lattice) -> Lattice:
    """The lattice with the displacements that the bumps have at the points `at`."""
    x, y = lattice
    for bump in bumps:
        weight = weight_of(bump, at)
        x, y = x + np.float32(bump.dx) * weight, y + np.float32(bump.dy) * weight
    return x, y


def weight_of(bump: Bump, lattice: Lattice) -> Gray:
    """exp(-r^2) at the lattice's points."""
    far = ((lattice[0] - bump.x) / bump.wide) ** 2 + ((lattice[1] - bump.y) / bump.high) ** 2
    return np.asarray(np.exp(-far), dtype=np.float32)


def enlarge(values: NDArray[np.float32], size: int) -> Gray:
    """Values at the lattice's points -> [S, S]."""
    across = values.shape[0] * _CELL
    rim = _RIM * _CELL
    return cast(Gray, cv2.resize(values, (across, across), interpolation=cv2.INTER_LINEAR))[
        rim : rim + size, rim : rim + size
    ]


def resample(values: Gray, lattice: Lattice, size: int) -> Gray:
    """The view's values [W, W] as seen in the image [S, S]; beyond the view its edge is mirrored."""
    x, y = (np.ascontiguousarray(enlarge(axis, size)) for axis in lattice)
    return cast(Gray, cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101))


def _framed(frame: Frame, pose: Pose, size: int, side: int) -> Lattice:
    left, top, right, bottom = frame
    across = side if pose.whole else min(max(right - left, bottom - top) * pose.zoom, side)
    middle_x = (left + right) / 2 + pose.shift[0] * across
    middle_y = (top + bottom) / 2 + pose.shift[1] * across
    # As prepare does, the crop is moved into the image where it would stick out.
    middle_x = float(np.clip(middle_x, across / 2, side - across / 2))
    middle_y = float(np.clip(middle_y, across / 2, side - across / 2))
    count = size // _CELL + 2 * _RIM
    points = ((np.arange(count, dtype=np.float32) - _RIM + 0.5) * _CELL / size - 0.5)[None]
    u, v = np.broadcast_arrays(points, points.T)
    nearer = 1 + pose.tilt[0] * u + pose.tilt[1] * v
    u, v = u / nearer, v / nearer
    turn = np.radians(pose.rotation)
    x = (np.cos(turn) * u - np.sin(turn) * v + pose.shear * v) * (1 + pose.aspect)
    y = np.sin(turn) * u + np.cos(turn) * v
    # Pixel centres: the crop's left edge lies at -0.5 of its first pixel's column.
    columns, rows = middle_x + across * x - 0.5, middle_y + across * y - 0.5
    return np.asarray(columns, dtype=np.float32), np.asarray(rows, dtype=np.float32)


def _breathing(space: Space, pose: Pose) -> list[Bump]:
    """Bases up and down, the chest wider, the heart broader, the middle against the ribs."""
    bumps = []
    left, right = space.lungs
    height = max(left.height, right.height)
    for lung, own in zip(space.lungs, pose.breath[1:], strict=True):
        x = (lung.box[0] + lung.box[2]) / 2
        move = (pose.breath[0] + own) * height
        bumps.append(Bump(x, lung.box[3] - 0.05 * height, 0.75 * lung.width, 0.45 * height, 0.0, move))
        bumps.append(
            Bump(x, lung.box[1] + 0.6 * height, lung.width, 0.6 * height, -lung.outwards * pose.widen * lung.width, 0.0)
        )
    bumps += heart_bumps(space, pose.heart, pose.heart)
    middle = (left.medial + right.medial) / 2
    bumps.append(Bump(middle, left.box[1] + 0.5 * height, 0.5 * left.width, height, pose.turn * len(space.view), 0.0))
    return bumps


def heart_bumps(space: Space, on_the_left: float, on_the_right: float) -> list[Bump]:
    """The heart's two borders moved outwards, in shares of its half width."""
    bumps = []
    middle, half, row = heart(space)
    height = max(lung.height for lung in space.lungs)
    for lung, share in zip(space.lungs, (on_the_left, on_the_right), strict=True):
        # The apex of the heart lies on the right of the image and reaches further out and down.
        reach, low = (0.75, 0.0) if lung.outwards < 0 else (1.05, 0.04)
        x = middle + lung.outwards * reach * half
        bumps.append(Bump(x, row + low * height, 0.85 * half, 0.3 * height, -lung.outwards * share * half, 0.0))
    return bumps


def heart(space: Space) -> tuple[float, float, float]:
    """(column of the middle, half its width, row of its widest place), estimated from the lungs."""
    left, right = space.lungs
    width = right.box[2] - left.box[0]
    middle = (left.box[0] + right.box[2]) / 2 + 0.03 * width
    row = max(left.box[1] + 0.73 * left.height, right.box[1] + 0.73 * right.height)
    return middle, 0.23 * width, row


def _elastic(pose: Pose, shape: tuple[int, ...], side: int) -> Lattice:
    grids = np.random.default_rng(pose.seed).standard_normal((2, 6, 6)).astype(np.float32) * (pose.elastic * side)
    x, y = (cv2.resize(grid, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC) for grid in grids)
    return cast(Gray, x), cast(Gray, y)
