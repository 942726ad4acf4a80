"""Soft tissue of a simulated scintigram, and the organs outside the lungs that may hold activity."""

import numpy as np
from numpy.typing import NDArray

from cxrkit.phantoms.scan_frame import VOXEL, centres, step
from cxrkit.phantoms.scan_lungs import DOMES, Lung, dome, midline
from cxrkit.phantoms.scan_patient import LungPatient
from cxrkit.phantoms.settings import Side
from cxrkit.phantoms.solids import Cloud, core, course, join

Gray = NDArray[np.float32]

# Half the body's breadth and depth without added fat, in reference mm, from the head to the loins.
_LEVELS = (-240.0, -170.0, -120.0, -90.0, -50.0, -25.0, 0.0, 40.0, 120.0, 220.0, 320.0, 440.0)
_HALF_BREADTHS = (70.0, 76.0, 68.0, 58.0, 60.0, 90.0, 135.0, 152.0, 156.0, 150.0, 144.0, 158.0)
_HALF_DEPTHS = (92.0, 96.0, 84.0, 62.0, 62.0, 74.0, 90.0, 104.0, 112.0, 110.0, 102.0, 104.0)
_SHOULDER = 0.0

LUNG_DENSITY = 0.27
"""Of lung, relative to soft tissue; emphysema halves it."""


def body(patient: LungPatient) -> Gray:
    """Share of body in every voxel, [Z, Y, X]: trunk, neck and head, arms, breasts."""
    x, y, z = (centres(axis) for axis in range(3))
    level = y / np.float32(patient.size[1])
    # Fat lies on the trunk, hardly on the neck.
    fat = patient.fat * np.interp(level, (-60.0, 60.0), (0.25, 1.0))
    breadth = np.interp(level, _LEVELS, _HALF_BREADTHS) * patient.size[0] + fat
    depth = np.interp(level, _LEVELS, _HALF_DEPTHS) * patient.size[2] + 0.8 * fat
    across = np.abs(x[None, :] / breadth[:, None].astype(np.float32)) ** np.float32(2.6)
    through = np.abs(z[:, None] / depth[None, :].astype(np.float32)) ** np.float32(2.6)
    # The power's slope at the surface makes the distance in mm.
    trunk = step((1 - (across[None] + through[:, :, None])) * (depth / 2.6).astype(np.float32)[None, :, None])
    covered = np.maximum(trunk, _arms(patient, x, level, z))
    return np.maximum(covered, _breasts(patient, x, level, z)) if patient.sex == "female" else covered


def _arms(patient: LungPatient, x: Gray, level: Gray, z: Gray) -> Gray:
    """Upper arms and forearms as upright cylinders; raised ones close in above the head."""
    down = patient.arms == "down"
    middle = np.where(level > _SHOULDER, 196.0, 196.0 + 0.2 * (level - _SHOULDER)) * patient.size[0] + patient.fat
    radius = 44.0 + 0.4 * patient.fat
    # Round at the shoulder.
    end = np.maximum(_SHOULDER + radius - level if down else level - _SHOULDER, 0).astype(np.float32)
    distance = np.sqrt(
        (np.abs(x)[None, None, :] - middle.astype(np.float32)[None, :, None]) ** 2
        + (z + np.float32(8))[:, None, None] ** 2
        + end[None, :, None] ** 2
    )
    return step(radius - distance)


def _breasts(patient: LungPatient, x: Gray, level: Gray, z: Gray) -> Gray:
    large = 1 + patient.fat / 40
    front = 96 * patient.size[2] + 0.8 * patient.fat
    spread = 84.0 if patient.posture == "supine" else 74.0
    sag = 150.0 if patient.posture == "supine" else 168.0
    across = (np.abs(x) - np.float32(spread)) / np.float32(52 * large)
    down = (level - np.float32(sag)) / np.float32(46 * large)
    forward = (z - np.float32(front)) / np.float32(30 * large)
    squared = across[None, None, :] ** 2 + down[None, :, None] ** 2 + forward[:, None, None] ** 2
    return step((1 - np.sqrt(squared)) * 30)


def attenuation(patient: LungPatient, covered: Gray, lungs: list[Lung], per_mm: float) -> Gray:
    """Linear attenuation [Z, Y, X] per voxel's edge, from the share of body, the lungs and that of soft tissue."""
    density = covered.copy()
    air = 1 - LUNG_DENSITY * (1 - 0.5 * patient.emphysema)
    for lung in lungs:
        density[lung.box.part] *= 1 - np.float32(air) * lung.whole
    return np.asarray(density * np.float32(per_mm * VOXEL), dtype=np.float32)


def _tube(path: list[tuple[float, float, float]], radii: list[float], weights: list[float] | float = 1.0) -> Cloud:
    """A filled tube through points in reference mm, from side to side of the trunk as from top to bottom."""
    axes = np.repeat(np.array(radii)[:, None], 2, axis=1)
    return core(course(path, axes, (0.3, 0.2, 0.93), 4.0, weights), 0.0, 4.0)


def airway(patient: LungPatient, random: np.random.Generator) -> Cloud:
    """What lines the airway from the mouth to the main bronchi; how it is spread differs from scan to scan."""
    shift = 0.6 * midline(patient)
    mouth, pharynx, larynx = random.uniform(0.0, 1.2), random.uniform(0.7, 2.4), random.uniform(0.3, 1.2)
    trachea = random.uniform(0.15, 0.8)
    sway = random.normal(0.0, 3.0)
    upper = _tube(
        [(sway, -168.0, 78.0), (sway, -160.0, 48.0), (sway, -132.0, 26.0), (sway / 2, -104.0, 28.0), (0, -82.0, 38.0)],
        [9.0, 13.0, 13.0, 10.0, 8.0],
        [mouth, mouth, pharynx, pharynx, larynx],
    )
    lower = _tube(
        [(0, -82.0, 38.0), (0, -60.0, 38.0), (-1, 10.0, 14.0), (2 + 0.6 * shift, 60.0, -8.0), (shift, 92.0, -16.0)],
        [8.0, 7.5, 7.5, 8.0, 9.0],
        [larynx, trachea, trachea, trachea, 1.2 * trachea],
    )
    clouds = [upper, lower]
    for sign, path in (
        (-1, [(0.0, 92.0), (-22.0, 108.0), (-40.0, 124.0)]),
        (1, [(0.0, 92.0), (28.0, 112.0), (48.0, 126.0)]),
    ):
        if patient.missing != ("right" if sign < 0 else "left"):
            points = [(x + shift, y, -18.0) for x, y in path]
            clouds.append(_tube(points, [8.0, 6.5, 5.0], [trachea, 0.8 * trachea, 0.5 * trachea]))
    return join(clouds)


def thyroid() -> Cloud:
    """Both lobes and the isthmus."""
    lobes = _tube([(17.0, -62.0, 36.0), (16.0, -44.0, 40.0), (13.0, -24.0, 38.0)], [4.0, 9.0, 6.0])
    isthmus = _tube([(-12.0, -30.0, 44.0), (0.0, -28.0, 48.0), (12.0, -30.0, 44.0)], [4.0, 3.5, 4.0])
    return join([lobes, lobes.mirrored(), isthmus])


def stomach(patient: LungPatient, random: np.random.Generator) -> Cloud:
    """Fundus under the left dome, body, antrum; what has been swallowed fills some of it more than the rest."""
    fall = dome(patient, "left") - DOMES["left"] + random.normal(0.0, 5.0)
    fundus, antrum = random.uniform(0.3, 1.5), random.uniform(0.2, 1.0)
    wide = random.uniform(0.75, 1.15)
    path = [
        (62.0, 222.0, -24.0),
        (74.0, 246.0, -8.0),
        (68.0, 276.0, 18.0),
        (40.0, 306.0, 36.0),
        (4.0, 312.0, 36.0),
    ]
    tube = _tube(path, [22 * wide, 32 * wide, 28 * wide, 22 * wide, 13 * wide], [fundus, fundus, 1.0, antrum, antrum])
    return Cloud(tube.points + np.array([0, fall, 0], dtype=np.float32), tube.volumes)


def kidneys(patient: LungPatient) -> Cloud:
    """Both, the right one lower; brighter in the cortex."""
    fall = 0.5 * (dome(patient, "right") - DOMES["right"])
    clouds = []
    for sign, y in ((-1, 318.0), (1, 306.0)):
        path = [(sign * (50 + 0.2 * dy), y + dy + fall, -62.0 - 0.1 * dy) for dy in (-52.0, -30.0, 0.0, 30.0, 52.0)]
        clouds.append(_tube(path, [7.0, 23.0, 26.0, 23.0, 7.0], [1.3, 1.0, 0.75, 1.0, 1.3]))
    return join(clouds)


def liver(patient: LungPatient) -> Cloud:
    """Under the right dome, thinning to the left."""
    fall = dome(patient, "right") - DOMES["right"]
    path = [(-84.0, 262.0, -6.0), (-56.0, 254.0, 2.0), (-16.0, 246.0, 20.0), (26.0, 238.0, 34.0), (50.0, 234.0, 40.0)]
    tube = _tube(path, [36.0, 52.0, 42.0, 22.0, 8.0])
    return Cloud(tube.points + np.array([0, fall, 0], dtype=np.float32), tube.volumes)


def vein(side: Side) -> Cloud:
    """Axillary, subclavian and brachiocephalic vein of one side, from the arm to the heart."""
    sign = -1 if side == "right" else 1
    path = [(190.0, 60.0, 0.0), (150.0, 6.0, 10.0), (95.0, -4.0, 30.0), (40.0, 14.0, 40.0)]
    end = (-20.0, 70.0, 25.0)
    points = [(sign * x, y, z) for x, y, z in path] + [end]
    return _tube(points, [5.0, 5.0, 5.0, 6.0, 7.0], [1.0, 1.0, 0.7, 0.35, 0.2])
