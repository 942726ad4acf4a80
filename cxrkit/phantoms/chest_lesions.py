"""Nodule, cavity and consolidation: densities on a small grid inside the lung, projected like everything else."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from cxrkit.phantoms.chest_anatomy import SIDES, Anatomy, follow_lung, home_anatomy
from cxrkit.phantoms.projection import View
from cxrkit.phantoms.settings import ChestSettings, Lesion

Gray = NDArray[np.float32]
Real = NDArray[np.floating[Any]]

LUMPS = ("nodule", "cavity", "consolidation")
_RADIUS = {"nodule": 9.5, "cavity": 24.0, "consolidation": 42.0}
_VOXEL = {"nodule": 0.8, "cavity": 1.2, "consolidation": 2.0}


@dataclass(frozen=True, eq=False)
class Lump:
    """A lesion on a grid of its own.

    Args:
        centre: (x, y, z) in reference mm.
        voxel: edge in mm.
        density: [X, Y, Z] relative to soft tissue (air 0).
        share: [X, Y, Z] in [0, 1], how much of each voxel the lesion fills.
    """

    centre: NDArray[np.float64]
    voxel: float
    density: Gray
    share: Gray

    def project(self, view: View, lung: float) -> tuple[Gray, Gray]:
        """Added soft tissue in mm [H, W], signed, and the same without cancelling between dense and empty parts.

        Args:
            view: where to.
            lung: density of the lung that the lesion replaces.
        """
        change = self.share * (self.density - np.float32(lung)) * np.float32(self.voxel)
        along, depth = (0, self.centre[0]) if view.lateral else (2, self.centre[2])
        signed, whole = change.sum(axis=along), np.abs(change).sum(axis=along)
        if not view.lateral:
            signed, whole = signed.T, whole.T
        across, y = view.plane(float(depth))
        middle = self.centre[2] if view.lateral else self.centre[0]
        column = (across - middle) / self.voxel + (signed.shape[1] - 1) / 2
        row = (y - self.centre[1]) / self.voxel + (signed.shape[0] - 1) / 2
        columns, rows = (np.broadcast_to(place, view.shape).astype(np.float32) for place in (column, row))
        added, filled = (
            cv2.remap(np.ascontiguousarray(image), columns, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT)
            for image in (signed.astype(np.float32), whole.astype(np.float32))
        )
        return np.asarray(added), np.asarray(filled)


def make_lump(settings: ChestSettings, lesion: Lesion, anatomy: Anatomy, random: np.random.Generator) -> Lump:
    """Draw the place and shape of one lesion."""
    radius = _RADIUS[lesion.kind] * lesion.size
    home = home_anatomy(settings, anatomy)
    first = place(lesion, home, random, _RADIUS[lesion.kind] * (lesion.first_size or lesion.size))
    centre = follow_lung(first[None], home, anatomy, lesion.side)[0]
    voxel = _VOXEL[lesion.kind] * max(lesion.size, 0.5)
    count = int(np.ceil(radius * 1.7 / voxel)) * 2 + 1
    axis = (np.arange(count) - count // 2) * voxel
    x, y, z = (axis.astype(np.float32).reshape(shape) for shape in ((-1, 1, 1), (1, -1, 1), (1, 1, -1)))
    deep = np.float32(1.35 if lesion.kind == "consolidation" else 1.0)
    far = np.sqrt(x**2 + y**2 + (z / deep) ** 2) / np.float32(radius)
    grid = np.stack(np.broadcast_arrays(x, y, z), axis=-1).reshape(-1, 3) + centre.astype(np.float32)
    aerated = anatomy.aerated(grid, lesion.side).reshape(far.shape).astype(np.float32)
    noise = _Noise(random, far.shape, voxel)
    if lesion.kind == "nodule":
        density, share = _nodule(far, noise, radius)
    elif lesion.kind == "cavity":
        density, share = _cavity(far, y / radius, noise, radius, fluid=settings.view != "AP" and random.random() < 0.4)
    else:
        density, share = _consolidation(far, noise, radius)
        toward = np.array([SIDES[lesion.side] * 35.0, 118.0, -8.0]) - centre
        density = density * (1 - _bronchi(random, (x, y, z), toward, radius))
    return Lump(centre, voxel, density, share * aerated)


def place(lesion: Lesion, anatomy: Anatomy, random: np.random.Generator, radius: float) -> NDArray[np.float64]:
    """A point in lung within the zone, where most of the lesion is seen beside heart and diaphragm."""
    sign = SIDES[lesion.side]
    bottom = float(anatomy.dome(lesion.side).top)
    third = {"upper": (0.12, 0.34), "middle": (0.4, 0.62), "lower": (0.7, 0.92)}[lesion.zone]
    heart, lung = anatomy.heart, anatomy.lung(lesion.side)
    low = np.array([0.0, third[0] * bottom, -75.0])
    high = np.array([1.0, third[1] * bottom, 60.0])
    best, spare = None, -np.inf
    for _ in range(60):
        share, y, z = random.uniform(low, high)
        border = float(heart.left(y) if sign > 0 else -heart.right(y)) if y > 106 else 28.0
        inner, outer = max(border, 24.0), float(lung.border(y))
        reach = min(radius * 0.8, 0.4 * (outer - inner))
        x = inner + reach + share * max(outer - inner - 2.2 * reach, 0)
        point = np.array([sign * x, y, z])
        room = _room(point, anatomy, lesion.side, radius)
        if room > spare:
            best, spare = point, room
        if room > 0.9:
            break
    assert best is not None
    return best


def _room(point: NDArray[np.float64], anatomy: Anatomy, side: str, radius: float) -> float:
    """Share of points on a sphere around the place that are in lung."""
    turns = np.array(
        [[a, b, c] for a in (-1, 0, 1) for b in (-1, 0, 1) for c in (-1, 0, 1) if a or b or c], dtype=float
    )
    turns /= np.linalg.norm(turns, axis=1, keepdims=True)
    return float(anatomy.aerated((point + 0.8 * radius * turns).astype(np.float32), side).mean())


class _Noise:
    """Smooth random fields on one grid, standard deviation 1."""

    def __init__(self, random: np.random.Generator, shape: tuple[int, ...], voxel: float) -> None:
        self._random, self._shape, self._voxel = random, shape, voxel

    def __call__(self, grain_mm: float) -> Gray:
        shrink = max(int(grain_mm / self._voxel / 1.5), 1)
        small = tuple(-(-length // shrink) + 2 for length in self._shape)
        field = gaussian_filter(
            self._random.standard_normal(small, dtype=np.float32), grain_mm / self._voxel / shrink, mode="wrap"
        )
        field /= field.std()
        for axis, length in enumerate(self._shape):
            field = _stretch(field, axis, length, shrink)
        return np.asarray(field, dtype=np.float32)


def _stretch(field: Gray, axis: int, length: int, factor: int) -> Gray:
    """Enlarge one axis by linear interpolation."""
    place = np.arange(length, dtype=np.float32) / factor
    below = place.astype(int)
    shape = [1] * field.ndim
    shape[axis] = -1
    share = (place - below).reshape(shape).astype(np.float32)
    return np.asarray(np.take(field, below, axis) * (1 - share) + np.take(field, below + 1, axis) * share)


def _step(value: Real) -> Gray:
    """0 below 0, 1 above 1, smooth between."""
    value = np.clip(value, 0, 1)
    return np.asarray(value * value * (3 - 2 * value), dtype=np.float32)


def _nodule(far: Real, noise: _Noise, radius: float) -> tuple[Gray, Gray]:
    edge = 1 + 0.1 * noise(0.7 * radius) + 0.03 * noise(0.25 * radius) - far
    return np.full_like(far, 0.98), _step(0.5 + edge * radius / 2.5)


def _cavity(far: Real, down: Real, noise: _Noise, radius: float, fluid: bool) -> tuple[Gray, Gray]:
    """A thick irregular wall around air, with a fuzzy rim, perhaps a fluid level."""
    outer = 0.92 + 0.12 * noise(0.5 * radius) + 0.06 * noise(0.2 * radius) - far
    inner = 0.56 + 0.1 * noise(0.4 * radius) + 0.04 * noise(0.15 * radius) - far
    wall = _step(0.5 + outer * radius / 4)
    lumen = _step(0.5 + inner * radius / 1.6)
    rim = 0.5 * _step((1.5 - far + 0.2 * noise(0.25 * radius)) / 0.7) * _step(0.3 + 0.5 * noise(3.5))
    density = np.full_like(far, 0.97)
    liquid = _step(0.5 + (down - 0.22) * radius / 1.5) if fluid else np.float32(0)
    density = density * (1 - lumen * (1 - liquid))
    return density.astype(np.float32), np.maximum(wall, rim)


def _consolidation(far: Real, noise: _Noise, radius: float) -> tuple[Gray, Gray]:
    """Patchy filling of the air spaces, fading into lung at its border."""
    edge = 0.88 + 0.2 * noise(0.45 * radius) + 0.07 * noise(6.0) - far
    filled = _step(0.45 + edge / 0.55)
    patchy = 0.65 + 0.35 * np.clip(0.5 + 0.7 * noise(3.5) + 0.5 * noise(9.0), 0, 1)
    return np.full_like(far, 0.92), np.asarray(filled * patchy, dtype=np.float32)


def _bronchi(
    random: np.random.Generator, axes: tuple[Gray, Gray, Gray], toward: NDArray[np.float64], radius: float
) -> Gray:
    """Air bronchograms: tubes that fan out from the side of the hilum; share of air in each voxel."""
    toward = toward / max(float(np.linalg.norm(toward)), 1e-6)
    air = np.zeros(np.broadcast_shapes(*(a.shape for a in axes)), dtype=np.float32)
    origin = toward * radius * 1.15
    for _ in range(7):
        direction = -toward + random.normal(0, 0.38, 3)
        direction /= np.linalg.norm(direction)
        wide = random.uniform(1.5, 2.6)
        along = sum((a - np.float32(o)) * np.float32(d) for a, o, d in zip(axes, origin, direction, strict=True))
        square = sum((a - np.float32(o)) ** 2 for a, o in zip(axes, origin, strict=True)) - along**2
        size = wide * np.clip(1.25 - along / (1.9 * radius), 0, 1)
        air = np.maximum(air, _step(0.5 + (size - np.sqrt(np.maximum(square, 0))) / 1.2) * (along > 0))
    return air
