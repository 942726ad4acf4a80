"""The coarse volume in which a lung scintigram is made, and the way from the reference anatomy into it.

Coordinates as in cxrkit.phantoms.projection, in mm: x to the patient's left, y to the feet (0 at the lungs' apex), z to
the front. Volumes are [Z, Y, X].
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrkit.phantoms.scan_patient import LungPatient
from cxrkit.phantoms.solids import Cloud

Gray = NDArray[np.float32]

VOXEL = 5.0
"""Edge of a voxel in mm: finer than what a collimator resolves, with the edges of organs shared between voxels."""
FIRST = np.array([-300.0, -240.0, -150.0])
"""x, y, z of the outer edge of the first voxel."""
SHAPE = (60, 136, 120)


def empty() -> Gray:
    """A volume of zeros."""
    return np.zeros(SHAPE, dtype=np.float32)


def centres(axis: int) -> Gray:
    """Coordinates of the voxels' centres along x (0), y (1) or z (2) in mm."""
    places = FIRST[axis] + (np.arange(SHAPE[2 - axis]) + 0.5) * VOXEL
    return np.asarray(places, dtype=np.float32)


def step(distance: NDArray[np.floating[Any]]) -> Gray:
    """Share of a voxel inside a surface, from its centre's distance to it in mm, positive inside."""
    return np.asarray(np.clip(distance * np.float32(1 / VOXEL) + np.float32(0.5), 0, 1), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Box:
    """A part of the volume, with its voxels' places in the reference anatomy.

    Args:
        part: slices of [Z, Y, X].
        x, z: reference mm [Z, Y, X].
        y: the same, [1, Y, 1].
    """

    part: tuple[slice, slice, slice]
    x: Gray
    y: Gray
    z: Gray


@dataclass(frozen=True)
class Frame:
    """From the reference anatomy to the patient: scaled, bent by scoliosis, turned about the long axis."""

    patient: LungPatient

    def _bend(self, y: Gray) -> Gray:
        return np.asarray(self.patient.scoliosis * np.sin((y - 10) * np.float32(np.pi / 240)), dtype=np.float32)

    def _turned(self, x: Gray, z: Gray, direction: int) -> tuple[Gray, Gray]:
        angle = np.radians(self.patient.turn)
        cos, sin = np.float32(np.cos(angle)), np.float32(direction * np.sin(angle))
        return x * cos + z * sin, z * cos - x * sin

    def box(self, low: tuple[float, float, float], high: tuple[float, float, float]) -> Box:
        """The voxels around the reference box from low to high (x, y, z), with a margin."""
        scale = np.array(self.patient.size)
        margin = np.array([abs(self.patient.scoliosis) + 20, 5, 20])
        first = np.floor((np.array(low) * scale - margin - FIRST) / VOXEL).astype(int)
        last = np.ceil((np.array(high) * scale + margin - FIRST) / VOXEL).astype(int)
        spans = [slice(max(a, 0), min(b, SHAPE[2 - axis])) for axis, (a, b) in enumerate(zip(first, last, strict=True))]
        x, y, z = (centres(axis)[span] for axis, span in enumerate(spans))
        across, depth = self._turned(x[None, None, :], z[:, None, None], 1)
        level = y[None, :, None] / np.float32(scale[1])
        across = across / np.float32(scale[0]) - self._bend(level)
        depth = np.broadcast_to(depth / np.float32(scale[2]), across.shape)
        return Box((spans[2], spans[1], spans[0]), across, level, depth)

    def place(self, cloud: Cloud, activity: float) -> Gray:
        """A volume with `activity` in all, shared out as the volumes of a cloud in reference mm."""
        points = cloud.points
        scale = np.array(self.patient.size, dtype=np.float32)
        x, z = self._turned((points[:, 0] + self._bend(points[:, 1])) * scale[0], points[:, 2] * scale[2], direction=-1)
        volume = empty()
        weight = cloud.volumes * np.float32(activity / cloud.volumes.sum())
        _share(volume, np.stack([z, points[:, 1] * scale[1], x], axis=1), weight)
        return volume


def _share(volume: Gray, places: Gray, weight: Gray) -> None:
    """Share each weight among the eight voxels around its place (z, y, x); outside the volume it is lost."""
    index = (places - FIRST[::-1].astype(np.float32)) / np.float32(VOXEL) - np.float32(0.5)
    low = np.floor(index)
    inside = ((low >= 0) & (low < np.array(SHAPE) - 1)).all(axis=1)
    index, low, weight = index[inside], low[inside], weight[inside]
    rest = index - low
    corner = low.astype(np.intp)
    for offset in np.ndindex(2, 2, 2):
        near = np.where(np.array(offset, dtype=bool), rest, 1 - rest).prod(axis=1)
        z, y, x = (corner + np.array(offset)).T
        np.add.at(volume, (z, y, x), weight * near)
