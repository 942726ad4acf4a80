"""Lungs of a simulated scintigram, made in two independent ways: from tabulated cross-sections, or from clipped
super-ellipsoids. A network that has learned one can be tested on the other."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from cxrkit.phantoms.scan_frame import Box, Frame, step
from cxrkit.phantoms.scan_patient import LungPatient
from cxrkit.phantoms.settings import Side

Gray = NDArray[np.float32]

SIGNS: dict[Side, int] = {"right": -1, "left": 1}
LENGTH = 262.0
"""Apex to the lowest recess in reference mm."""
DOMES: dict[Side, float] = {"right": 176.0, "left": 185.0}
"""Top of the diaphragm in reference mm under the apex."""

# Cross-sections from apex (0) to the lowest recess (1): borders in reference mm.
_LEVELS = (0.0, 0.02, 0.05, 0.1, 0.18, 0.3, 0.45, 0.6, 0.75, 0.9, 1.0)
_LATERAL = (45.0, 60.0, 70.0, 84.0, 101.0, 113.0, 117.0, 124.0, 128.0, 129.0, 128.0)
_MEDIAL = (40.0, 30.0, 25.0, 21.0, 18.0, 17.0, 17.0, 17.0, 18.0, 20.0, 24.0)
_FRONT = (-16.0, 2.0, 18.0, 38.0, 58.0, 74.0, 82.0, 88.0, 88.0, 84.0, 78.0)
_BACK = (-26.0, -44.0, -57.0, -69.0, -79.0, -84.0, -89.0, -91.0, -91.0, -89.0, -86.0)
_RECESS = 68.0
"""How far the lung reaches down beside the dome, in mm at its outer border."""


@dataclass(frozen=True, eq=False)
class Lung:
    """One lung in its part of the volume.

    Args:
        side: of the patient.
        box: where.
        whole: share of lung in every voxel, [Z, Y, X] of the box, without what fluid takes.
    """

    side: Side
    box: Box
    whole: Gray


def lungs(frame: Frame) -> list[Lung]:
    """The patient's lungs: two, or one where the other is missing."""
    return [_lung(frame, side) for side in SIGNS if side != frame.patient.missing]


def dome(patient: LungPatient, side: Side) -> float:
    """Reference mm from the apex to the top of the diaphragm."""
    number = patient.shape[3 if side == "right" else 4]
    return DOMES[side] + 6.0 * number + 18.0 * patient.emphysema


def midline(patient: LungPatient) -> float:
    """x of the mediastinum: it moves to where a lung is missing."""
    return 0.0 if patient.missing is None else 24.0 * SIGNS[patient.missing]


def heart(patient: LungPatient, box: Box) -> Gray:
    """Share of heart in every voxel of a box: an ellipsoid whose tip points to the left, down and forward."""
    x, y, z = box.x - (22.0 + midline(patient)), box.y - 164.0, box.z - 30.0
    tilt = np.radians(48.0)
    along, across = x * np.sin(tilt) + y * np.cos(tilt), y * np.sin(tilt) - x * np.cos(tilt)
    radius = np.sqrt((along / 63) ** 2 + (across / 45) ** 2 + (z / 47) ** 2)
    return step((np.float32(patient.heart) - radius) * np.float32(46))


def _lung(frame: Frame, side: Side) -> Lung:
    patient, sign = frame.patient, SIGNS[side]
    low, high = sorted((sign * -12.0, sign * 158.0))
    box = frame.box((low, -8.0, -118.0), (high, 310.0, 112.0))
    # Mirrored, so that both lungs are made as one to the positive side.
    inward = sign * box.x
    outline = _tabulated if patient.outlines == "table" else _superellipsoid
    whole = outline(patient, side, inward, box) * (1 - heart(patient, box)) * (1 - _mediastinum(patient, box))
    return Lung(side, box, np.asarray(whole * _dry(patient, side, box), dtype=np.float32))


def _mediastinum(patient: LungPatient, box: Box) -> Gray:
    x = box.x - np.float32(midline(patient))
    column = np.sqrt((x / 25) ** 2 + ((box.z - 12) / 78) ** 2)
    spine = np.sqrt((box.x / 25) ** 2 + ((box.z + 88) / 40) ** 2)
    return np.maximum(step((1 - column) * 25), step((1 - spine) * 25))


def _tabulated(patient: LungPatient, side: Side, x: Gray, box: Box) -> Gray:
    """Cross-sections through splines over the levels, cut by a dome."""
    apex, base, depth, *_, roundness = patient.shape
    length = LENGTH + 16.0 * patient.emphysema
    level = np.clip(box.y / np.float32(length), 0, 1)
    wide = (1 + 0.06 * apex) * (1 - level) + (1 + 0.05 * base) * level
    deep = 1 + 0.05 * depth + 0.08 * patient.emphysema
    lateral, medial, front, back = (
        PchipInterpolator(_LEVELS, borders)(level).astype(np.float32) for borders in (_LATERAL, _MEDIAL, _FRONT, _BACK)
    )
    half_width, half_depth = wide * (lateral - medial) / 2, deep * (front - back) / 2
    across = np.abs(x - medial - half_width) / half_width
    through = np.abs(box.z - (front + back) / 2) / half_depth
    power = 2.5 + 0.2 * roundness
    radius = (across**power + through**power) ** np.float32(1 / power)
    inside = step((1 - radius) * np.minimum(half_width, half_depth)) * step(box.y) * step(length - box.y)
    recess = ((x - 66) / 64) ** 2 + (box.z / 96) ** 2
    below = dome(patient, side) + _RECESS * (1 - 0.4 * patient.emphysema) * np.minimum(recess, 1.7) - 0.12 * box.z
    return np.asarray(inside * step((below - box.y) * 0.8), dtype=np.float32)


def _superellipsoid(patient: LungPatient, side: Side, x: Gray, box: Box) -> Gray:
    """A super-ellipsoid that leans inwards at the top, cut by a slanted plane at the base and one at the midline."""
    apex, base, depth, *_, roundness = patient.shape
    half = (52.0 * (1 + 0.04 * base), 137.0 + 8.0 * patient.emphysema, 86.0 * (1 + 0.05 * depth))
    lean = np.radians(9.0 - 1.5 * apex)
    across, down = x - 72.0, box.y - half[1]
    across, down = across * np.cos(lean) - down * np.sin(lean), down * np.cos(lean) + across * np.sin(lean)
    power = 2.7 + 0.25 * roundness
    parts = [np.abs(one / size) ** power for one, size in ((across, half[0]), (down, half[1]), (box.z + 3, half[2]))]
    radius = (parts[0] + parts[1] + parts[2]) ** np.float32(1 / power)
    plane = dome(patient, side) + 20.0 + 0.6 * (x - 70) - 0.22 * box.z
    return np.asarray(step((1 - radius) * half[0]) * step((plane - box.y) * 0.9) * step(x - 14), dtype=np.float32)


def _dry(patient: LungPatient, side: Side, box: Box) -> Gray:
    """What fluid leaves of the lung: it sinks to the base upright, to the back supine."""
    share = patient.effusion[0 if side == "right" else 1]
    if share == 0:
        return np.ones((1, 1, 1), dtype=np.float32)
    if patient.posture == "upright":
        # A meniscus: higher at the outer wall.
        level = LENGTH - 200.0 * share - 0.25 * (np.abs(box.x) - 70)
        return step((level - box.y) * 0.5)
    return step((box.z + 90 - 110.0 * share - 0.25 * (box.y - 130)) * 0.5)
