"""From millimetres in the patient to pixels on the detector.

Patient coordinates, in mm: x to the patient's left, y to the feet, z to the front. y = 0 is near the lungs' apex, x = 0
the midline. The frontal image shows the patient face to face, so x runs to the right of the image and y down. The
lateral image (left side at the detector) shows the patient facing the left edge, so z runs to the left.
"""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrkit.phantoms.solids import Cloud

Gray = NDArray[np.float32]

_SOURCE_MM = {"PA": 1800.0, "AP": 1050.0, "lateral": 1800.0}
_HALF_DEPTH = 130.0
"""Detector to the middle of the patient, frontal."""
_HALF_WIDTH = 190.0
"""The same, lateral."""
_PORTION = 1 << 16


@dataclass(frozen=True, eq=False)
class View:
    """One exposure: which way the beam runs, and the canvas it falls on.

    Args:
        position: "PA", "AP" or "lateral".
        shape: (rows, columns) of the canvas, which is larger than the image by `pad` on each side.
        pad: rows or columns outside the image, there for the roll.
        pixel: mm on the detector.
        centre: (x or z, y) of the patient in mm, where the central ray passes.
        scale: patient's size along (x, y, z) relative to the reference anatomy.
        turn: rotation about the long axis in radians.
        moved: mm (across, down) by which `centre` lies away from where it lay at the patient's first visit.
    """

    position: str
    shape: tuple[int, int]
    pad: int
    pixel: float
    centre: tuple[float, float]
    scale: tuple[float, float, float]
    turn: float
    moved: tuple[float, float] = (0.0, 0.0)

    @property
    def lateral(self) -> bool:
        return self.position == "lateral"

    @property
    def along(self) -> float:
        """Patient's mm for one reference mm along the beam."""
        return self.scale[0] if self.lateral else self.scale[2]

    def magnification(self, depth: Gray | float) -> Gray | float:
        """Size on the detector over size in the patient, for depth = z (frontal) or x (lateral) in patient's mm."""
        source = _SOURCE_MM[self.position]
        from_detector = {
            "PA": _HALF_DEPTH - depth,
            "AP": _HALF_DEPTH + depth,
            "lateral": _HALF_WIDTH - depth,
        }[self.position]
        return source / (source - from_detector)

    def project(self, points: Gray) -> tuple[Gray, Gray, Gray]:
        """Reference mm [N, 3] -> column, row in pixels of the canvas, and magnification, each [N]."""
        x, y, z = (points[:, axis] * np.float32(self.scale[axis]) for axis in range(3))
        if self.turn:
            cos, sin = np.float32(np.cos(self.turn)), np.float32(np.sin(self.turn))
            x, z = x * cos + z * sin, z * cos - x * sin
        across, depth = (-z, x) if self.lateral else (x, z)
        larger = np.asarray(self.magnification(depth), dtype=np.float32)
        rows, columns = self.shape
        column = (across - np.float32(self.centre[0])) * larger / np.float32(self.pixel) + np.float32(columns / 2 - 0.5)
        row = (y - np.float32(self.centre[1])) * larger / np.float32(self.pixel) + np.float32(rows / 2 - 0.5)
        return column, row, larger

    def plane(self, depth: float, across_axis_shift: float = 0.0) -> tuple[Gray, Gray]:
        """Reference mm of the pixels' centres in the plane at `depth` (reference mm): across [1, W], y [H, 1].

        Across is x (frontal) or z (lateral). A turned patient is sheared: the plane moves by what its depth asks for.
        """
        depth_axis, across_axis = (0, 2) if self.lateral else (2, 0)
        real = depth * self.scale[depth_axis]
        larger = float(self.magnification(real))
        rows, columns = self.shape
        across = (np.arange(columns) - (columns / 2 - 0.5)) * (self.pixel / larger) + self.centre[0]
        y = (np.arange(rows) - (rows / 2 - 0.5)) * (self.pixel / larger) + self.centre[1]
        if self.lateral:
            across = -across
        across = (across - across_axis_shift - np.sin(self.turn) * (-real if self.lateral else real)) / self.scale[
            across_axis
        ]
        return across.astype(np.float32)[None, :], (y / self.scale[1]).astype(np.float32)[:, None]

    @cached_property
    def canvas(self) -> "Canvas":
        return Canvas(self)


class Canvas:
    """Sums volumes of small bodies into thickness along the beam, weighted, in mm."""

    def __init__(self, view: View) -> None:
        self.view = view
        self._volume = float(np.prod(view.scale))

    def splat(self, cloud: Cloud, coarse: int = 1) -> Gray:
        """Thickness [H, W] of point-like volumes.

        Args:
            cloud: in reference mm.
            coarse: bin in pixels this many times larger and enlarge: for what has no sharp edges.
        """
        rows, columns = (-(-length // coarse) for length in self.view.shape)
        total = np.zeros(rows * columns, dtype=np.float32)
        to_mm = np.float32(self._volume / (self.view.pixel * coarse) ** 2)
        # In portions that stay in the processor's cache, which is several times faster than all at once.
        for start in range(0, len(cloud.points), _PORTION):
            part = slice(start, start + _PORTION)
            column, row, larger = self.view.project(cloud.points[part])
            column, row = ((place - np.float32((coarse - 1) / 2)) / np.float32(coarse) for place in (column, row))
            _add_bilinear(total.reshape(rows, columns), column, row, cloud.volumes[part] * larger**2 * to_mm)
        summed = total.reshape(rows, columns)
        if coarse == 1:
            return summed
        enlarged = cv2.resize(summed, None, fx=coarse, fy=coarse, interpolation=cv2.INTER_CUBIC)
        return np.asarray(enlarged[: self.view.shape[0], : self.view.shape[1]])


def _add_bilinear(total: Gray, column: Gray, row: Gray, weight: Gray) -> None:
    """Share each weight among the four pixels around its place; outside the canvas it is lost."""
    rows, columns = total.shape
    left, top = np.floor(column), np.floor(row)
    inside = (left >= 0) & (left < columns - 1) & (top >= 0) & (top < rows - 1)
    if not inside.all():
        column, row, weight, left, top = (values[inside] for values in (column, row, weight, left, top))
    right_share, low_share = column - left, row - top
    place = top.astype(np.intp) * columns + left.astype(np.intp)
    flat = total.reshape(-1)
    low, high = weight * low_share, weight * (1 - low_share)
    np.add.at(flat, place, high * (1 - right_share))
    np.add.at(flat, place + 1, high * right_share)
    np.add.at(flat, place + columns, low * (1 - right_share))
    np.add.at(flat, place + columns + 1, low * right_share)
