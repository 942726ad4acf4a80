"""Where the activity is in a simulated scintigram: in the lungs by perfusion or ventilation, and in all else."""

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline
from scipy.ndimage import gaussian_filter

from cxrkit.phantoms import scan_body
from cxrkit.phantoms.scan_frame import VOXEL, Box, Frame, empty
from cxrkit.phantoms.scan_lungs import LENGTH, SIGNS, Lung, midline
from cxrkit.phantoms.scan_patient import LungPatient, PerfusionDefect, scan_stream
from cxrkit.phantoms.scan_settings import GASES, ScanKind, ScanSettings
from cxrkit.phantoms.settings import Side
from cxrkit.phantoms.solids import Cloud

Gray = NDArray[np.float32]

_EDGE_MM = 12.0
"""Width of the layer under the pleura in which activity may thin out."""
_LEFT_IN_AIRWAY, _LEFT_IN_STOMACH = 0.15, 0.06
"""Of what was ventilated before a perfusion scan, where nothing of it is cleared."""
_TIP = 0.3
"""Where a wedge begins, on the way from the hilum to the pleura."""


def activity(settings: ScanSettings, frame: Frame, lungs: list[Lung], covered: Gray) -> Gray:
    """Activity in every voxel [Z, Y, X]; that in the lungs by the scan's own tracer is 1 in all.

    Args:
        settings: of the scan.
        frame: of its patient.
        lungs: of its patient.
        covered: share of body in every voxel.
    """
    volume = _in_lungs(settings, settings.kind, lungs)
    airway = scan_body.airway(settings.patient, scan_stream(settings.seed, "acquisition", 0))
    swallowed = stomach(settings)
    background = settings.background * float(volume.sum() / sum(lung.whole.sum() for lung in lungs))
    volume += covered * np.float32(background)
    if settings.qv_ratio is not None and settings.kind == "perfusion":
        volume += _residual(settings, frame, lungs, airway, swallowed)
    neck = airway if settings.neck_source == "airway" else scan_body.thyroid()
    above = float(neck.volumes[neck.points[:, 1] < 0].sum() / neck.volumes.sum())
    random = scan_stream(settings.seed, "acquisition", 2)
    side: Side = "right" if random.random() < 0.5 else "left"
    for amount, cloud in (
        (settings.neck / above, neck),
        (settings.stomach, swallowed),
        (settings.kidneys, scan_body.kidneys(settings.patient)),
        (settings.liver, scan_body.liver(settings.patient)),
        (settings.vein, scan_body.vein(side)),
    ):
        if amount:
            volume += frame.place(cloud, amount)
    _add_clumps(volume, settings.clumps, lungs, random)
    return volume


def stomach(settings: ScanSettings) -> Cloud:
    """The stomach as this scan shows it, whether it holds activity or not."""
    return scan_body.stomach(settings.patient, scan_stream(settings.seed, "acquisition", 1))


def lost(patient: LungPatient, lung: Lung, kind: ScanKind) -> Gray:
    """Share of the activity that defects take from every voxel of a lung's box."""
    total = np.zeros((1, 1, 1), dtype=np.float32)
    for defect in patient.defects:
        if defect.side == lung.side and (kind == "perfusion" or defect.matched):
            total = np.maximum(total, np.float32(defect.depth) * _wedge(patient, defect, lung.box))
    return total


def _residual(settings: ScanSettings, frame: Frame, lungs: list[Lung], airway: Cloud, swallowed: Cloud) -> Gray:
    """What is left of the ventilation given before."""
    left = _in_lungs(settings, "ventilation", lungs)
    if settings.kept:
        left += frame.place(airway, _LEFT_IN_AIRWAY * settings.kept)
        left += frame.place(swallowed, _LEFT_IN_STOMACH * settings.kept)
    return np.asarray(left * np.float32(1 / (settings.qv_ratio or 1.0)))


def _in_lungs(settings: ScanSettings, kind: ScanKind, lungs: list[Lung]) -> Gray:
    """Activity in the lungs alone, 1 in all."""
    patient = settings.patient
    volume = empty()
    for lung in lungs:
        before = lung.whole * _gradient(patient, kind, lung.box) * _layer(lung.whole, settings.edge)
        right = patient.right_share[0 if kind == "perfusion" else 1]
        share = right if lung.side == "right" else 1 - right
        # A lung beside fluid is compressed: it does not take over what the drowned part had.
        share *= 1 - 0.9 * patient.effusion[0 if lung.side == "right" else 1]
        factor = _patches(patient, kind, lung) * (1 - lost(patient, lung, kind))
        if kind == "ventilation":
            factor = factor * _central(settings, lung)
        volume[lung.box.part] += before * factor * np.float32(share / before.sum())
    return np.asarray(volume / volume.sum(), dtype=np.float32)


def _gradient(patient: LungPatient, kind: ScanKind, box: Box) -> Gray:
    """More at the base upright and at the back supine; ventilation follows half as steeply."""
    along, through = (0.15, 0.1) if patient.posture == "upright" else (-0.35, 0.22)
    half = 1.0 if kind == "perfusion" else 0.5
    exponent = half * along * (box.y / LENGTH - 0.5) - half * through * box.z / 90
    return np.asarray(np.exp(exponent), dtype=np.float32)


def _layer(whole: Gray, edge: float) -> Gray:
    """1 inside the lung, falling to 1 - edge at its surface."""
    if edge == 0:
        return np.ones((1, 1, 1), dtype=np.float32)
    depth = gaussian_filter(whole, _EDGE_MM / VOXEL, truncate=2.0)
    return np.asarray(1 - edge + edge * np.clip(2 * depth - 0.9, 0, 1), dtype=np.float32)


def _patches(patient: LungPatient, kind: ScanKind, lung: Lung) -> Gray:
    """Uneven distribution, alike in perfusion and ventilation and not the same; strong where airways are diseased."""
    random = scan_stream(patient.seed, "texture", list(SIGNS).index(lung.side))
    shape = lung.whole.shape
    common, perfusion, ventilation = (_smooth_noise(random, shape, spacing) for spacing in (8.0, 6.0, 6.0))
    if kind == "perfusion":
        strength, own = 0.1 + 0.4 * patient.emphysema + 0.15 * patient.obstruction, perfusion
    else:
        strength, own = 0.1 + 0.35 * patient.emphysema + 0.35 * patient.obstruction, ventilation
    return np.asarray(np.exp(np.float32(strength) * (0.75 * common + 0.66 * own)), dtype=np.float32)


def _smooth_noise(random: np.random.Generator, shape: tuple[int, ...], spacing: float) -> Gray:
    """Noise of unit variance that varies over `spacing` voxels: random numbers on a lattice through cubic splines."""
    weights = []
    for length in shape:
        count = int(np.ceil(length / spacing)) + 3
        places = np.clip(np.arange(length) / spacing, 0, count - 3 - 1e-6)
        weights.append(BSpline.design_matrix(places, np.arange(-3.0, count + 1), 3).toarray().astype(np.float32))
    lattice = random.standard_normal([weight.shape[1] for weight in weights], dtype=np.float32)
    noise = np.einsum("za,abc->zbc", weights[0], lattice)
    noise = np.einsum("yb,zbc->zyc", weights[1], noise) @ weights[2].T
    # A cubic spline over white noise keeps 0.479 of its variance along each axis.
    return np.asarray(noise / np.float32(0.479**1.5), dtype=np.float32)


def _hilum(patient: LungPatient, side: Side) -> tuple[float, float, float]:
    return SIGNS[side] * 38.0 + 0.6 * midline(patient), 124.0, -12.0


def _central(settings: ScanSettings, lung: Lung) -> Gray:
    """Factor on ventilation: aerosol stays in the large airways where they are narrow; a gas does not."""
    if settings.tracer in GASES:
        return np.ones((1, 1, 1), dtype=np.float32)
    amount = min(settings.central + 0.8 * settings.patient.obstruction, 1.5)
    x, y, z = _hilum(settings.patient, lung.side)
    squared = (lung.box.x - x) ** 2 + (0.8 * (lung.box.y - y)) ** 2 + (lung.box.z - z) ** 2
    return np.asarray(1 + 3.0 * amount * np.exp(squared * np.float32(-0.5 / 26.0**2)), dtype=np.float32)


def _wedge(patient: LungPatient, defect: PerfusionDefect, box: Box) -> Gray:
    """1 inside a cone from the hilum to the pleura, without its tip, with soft sides."""
    sign = SIGNS[defect.side]
    tip = np.array(_hilum(patient, defect.side))
    angle = np.radians(defect.around)
    base = np.array([sign * (30 + 92 * np.cos(angle)), 6 + 240 * defect.height, -6 + 88 * np.sin(angle)])
    reach = float(np.linalg.norm(base - tip))
    axis = (base - tip) / reach
    x, y, z = box.x - np.float32(tip[0]), box.y - np.float32(tip[1]), box.z - np.float32(tip[2])
    along = x * np.float32(axis[0]) + y * np.float32(axis[1]) + z * np.float32(axis[2])
    aside = np.sqrt(np.maximum(x**2 + y**2 + z**2 - along**2, 0))
    sides = np.clip((along * np.float32(np.tan(np.radians(defect.width))) - aside) / 8 + 0.5, 0, 1)
    return np.asarray(sides * np.clip((along - _TIP * reach) / 10, 0, 1), dtype=np.float32)


def _add_clumps(volume: Gray, count: int, lungs: list[Lung], random: np.random.Generator) -> None:
    """Hot clumps of particles in single voxels of the lungs."""
    for _ in range(count):
        lung = lungs[int(random.integers(len(lungs)))]
        inside = np.flatnonzero(lung.whole > 0.6)
        place = int(inside[int(random.random() * len(inside))])
        index = np.unravel_index(place, lung.whole.shape)
        volume[lung.box.part][index] += np.float32(np.exp(random.uniform(np.log(0.0015), np.log(0.01))))
