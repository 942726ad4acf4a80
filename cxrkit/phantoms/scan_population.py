"""How often and how far lung scintigrams differ, and how their settings are drawn."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cxrkit.phantoms.scan_patient import LungPatient, Outlines, random_patient, scan_stream
from cxrkit.phantoms.scan_settings import Camera, NeckSource, ScanKind, ScanSettings, Tracer

Range = tuple[float, float]


@dataclass(frozen=True)
class KindHabits:
    """What scans of one kind look like, apart from the lungs' own perfusion or ventilation.

    Args:
        neck, stomach, kidneys, vein, clumps: shares of the scans with activity there.
        neck_amount, stomach_amount: range of it, as a share of that in the lungs.
        thyroid: share of the activity in the neck that is in the thyroid instead of the airway.
        central: range of the central deposition in obstructive disease, 0 to 1, on top of what that disease makes.
        edge: range of the thinning under the pleura, 0 to 1.
        blur: range of the factor on the camera's blur.
        counts: range of the counts of the view that has more.
    """

    neck: float
    stomach: float
    kidneys: float
    vein: float
    clumps: float
    neck_amount: Range
    stomach_amount: Range
    thyroid: float
    central: Range
    edge: Range
    blur: Range
    counts: Range


@dataclass(frozen=True)
class ScanPopulation:
    """Scans of both kinds.

    Args:
        perfusion, ventilation: what is usual in each kind.
        residual: share of the perfusion scans over what is left of a ventilation given before.
        qv_ratio: mean and standard deviation of the counts by perfusion over the counts left by ventilation.
        disease: share of the patients with disease of the lungs or the pleura.
        matrices: share of the scans with a matrix of 64, 128, 256 and 512.
        outside: share of the scans with the lungs partly outside the image or the field.
    """

    perfusion: KindHabits
    ventilation: KindHabits
    residual: float = 0.7
    qv_ratio: tuple[float, float] = (2.4, 1.9)
    disease: float = 0.45
    matrices: tuple[float, float, float, float] = (0.07, 0.23, 0.65, 0.05)
    outside: float = 0.07

    def of(self, kind: ScanKind) -> KindHabits:
        """What is usual in one kind."""
        return self.perfusion if kind == "perfusion" else self.ventilation


_PERFUSION = KindHabits(
    neck=0.12,
    stomach=0.06,
    kidneys=0.1,
    vein=0.08,
    clumps=0.12,
    neck_amount=(0.015, 0.1),
    stomach_amount=(0.01, 0.05),
    thyroid=0.4,
    central=(0.0, 0.0),
    edge=(0.0, 0.4),
    blur=(0.95, 1.4),
    counts=(3.6e5, 1.0e6),
)
_VENTILATION = KindHabits(
    neck=0.8,
    stomach=0.3,
    kidneys=0.02,
    vein=0.0,
    clumps=0.06,
    neck_amount=(0.02, 0.25),
    stomach_amount=(0.01, 0.12),
    thyroid=0.0,
    central=(0.0, 0.5),
    edge=(0.35, 1.0),
    blur=(1.1, 1.8),
    counts=(2.6e5, 6.5e5),
)
_EVEN: dict[str, Any] = {
    "neck": 0.5,
    "stomach": 0.2,
    "kidneys": 0.08,
    "vein": 0.05,
    "clumps": 0.1,
    "neck_amount": (0.015, 0.2),
    "stomach_amount": (0.01, 0.1),
    "thyroid": 0.2,
    "edge": (0.0, 1.0),
    "blur": (0.95, 1.8),
    "counts": (2.6e5, 1.0e6),
}
_SHORTCUTS = (*_EVEN,)


def _with_habits_of(own: KindHabits, other: KindHabits) -> KindHabits:
    return replace(own, **{name: getattr(other, name) for name in _SHORTCUTS})


USUAL = ScanPopulation(_PERFUSION, _VENTILATION)
"""As in clinics."""
MIXED = ScanPopulation(replace(_PERFUSION, **_EVEN), replace(_VENTILATION, **_EVEN))
"""Neck, stomach, kidneys, counts and sharpness alike in both kinds, so that none of them tells; but gases, which are
inhaled alone, keep the coarser image of their rays."""
REVERSED = ScanPopulation(_with_habits_of(_PERFUSION, _VENTILATION), _with_habits_of(_VENTILATION, _PERFUSION))
"""The same shortcuts the other way round, so that they mislead."""

_EXTENTS_MM = (614.4, 614.4, 565.0, 600.0)
"""Matrix times pixel without zoom, by maker; the first is 2.4 mm at 256."""
_FIELDS_MM = ((387.0, 533.0), (400.0, 540.0), (533.0, 387.0), (540.0, 400.0), (410.0, 410.0))
_LEAST_EXTENT_MM = 370.0


def random_scan(
    seed: int,
    kind: ScanKind | None = None,
    population: ScanPopulation = USUAL,
    outlines: Outlines = "table",
    patient: LungPatient | None = None,
) -> ScanSettings:
    """Draw the settings of one scan; simulate_scan applies them.

    Args:
        seed: whole number >= 0; the same seed gives the same settings.
        kind: None draws either.
        population: how often and how far scans differ.
        outlines: how the lungs' surface is made, where the patient is drawn.
        patient: None draws one.
    """
    random = scan_stream(seed, "settings")
    drawn: ScanKind = "perfusion" if random.random() < 0.5 else "ventilation"
    kind = kind or drawn
    patient = patient or random_patient(seed, outlines, population.disease)
    habits = population.of(kind)
    has_neck = random.random() < habits.neck
    source: NeckSource = "thyroid" if random.random() < habits.thyroid else "airway"
    residual = random_qv_ratio(random, population)
    return ScanSettings(
        kind=kind,
        patient=patient,
        seed=seed,
        tracer=_tracer(random, kind, has_neck),
        neck=_between(random, habits.neck_amount, has_neck),
        neck_source=source,
        stomach=_between(random, habits.stomach_amount, random.random() < habits.stomach),
        kidneys=_between(random, (0.005, 0.05), random.random() < habits.kidneys),
        liver=_between(random, (0.005, 0.04), random.random() < 0.06),
        vein=_between(random, (0.004, 0.04), random.random() < habits.vein),
        clumps=int(random.integers(1, 7)) if random.random() < habits.clumps else 0,
        central=float(random.uniform(*habits.central)) * (patient.obstruction > 0),
        edge=float(random.uniform(*habits.edge)),
        background=float(random.uniform(0.004, 0.022)),
        qv_ratio=residual if kind == "perfusion" and random.random() < population.residual else None,
        kept=float(random.uniform(0.0, 0.1)),
        camera=_camera(scan_stream(seed, "settings", 1), habits, population),
    )


def random_study(
    seed: int, population: ScanPopulation = USUAL, outlines: Outlines = "table"
) -> tuple[ScanSettings, ScanSettings]:
    """Draw the perfusion and the ventilation scan of one patient on one camera, in this order.

    Where ventilation is left under the perfusion, their counts differ by its ratio as far as the population's counts
    allow.
    """
    patient = random_patient(seed, outlines, population.disease)
    perfusion = random_scan(2 * seed, "perfusion", population, patient=patient)
    ventilation = random_scan(2 * seed + 1, "ventilation", population, patient=patient)
    counts = ventilation.camera.counts
    if perfusion.qv_ratio is not None:
        counts = float(np.clip(perfusion.camera.counts / perfusion.qv_ratio, *population.ventilation.counts))
    same_place = replace(perfusion.camera, blur=ventilation.camera.blur, counts=counts)
    return perfusion, replace(ventilation, camera=same_place)


def _between(random: np.random.Generator, limits: Range, present: bool) -> float:
    """An amount within limits, small ones as likely as large ones by ratio; 0 where there is none."""
    drawn = float(np.exp(random.uniform(*np.log(limits))))
    return drawn if present else 0.0


def random_qv_ratio(random: np.random.Generator, population: ScanPopulation) -> float:
    """Counts by perfusion over the counts left by ventilation; log-normal, cut to what a clinic would accept."""
    mean, deviation = population.qv_ratio
    spread = np.log(1 + (deviation / mean) ** 2)
    return float(np.clip(np.exp(random.normal(np.log(mean) - spread / 2, np.sqrt(spread))), 0.35, 12.0))


def _tracer(random: np.random.Generator, kind: ScanKind, has_neck: bool) -> Tracer:
    """Gases pass the neck without staying there; aerosols and fine particles stick to it."""
    tracers: tuple[Tracer, ...] = ("Tc-99m DTPA aerosol", "Tc-99m Technegas", "Kr-81m", "Xe-133")
    shares = (0.5, 0.36, 0.1, 0.04) if has_neck else (0.25, 0.3, 0.25, 0.2)
    drawn = tracers[int(random.choice(len(tracers), p=shares))]
    return "Tc-99m MAA" if kind == "perfusion" else drawn


def _camera(random: np.random.Generator, habits: KindHabits, population: ScanPopulation) -> Camera:
    matrix = int(random.choice((64, 128, 256, 512), p=population.matrices))
    zoom = random.choice((1.0, 1.0, 1.0, 1.23, 1.33, 1.45))
    extent = max(_EXTENTS_MM[int(random.integers(len(_EXTENTS_MM)))] / zoom, _LEAST_EXTENT_MM)
    far = random.random() < population.outside
    right, down = random.normal(0.0, 12.0), random.normal(0.0, 18.0)
    if far:
        away, angle = random.uniform(80, 150), random.uniform(0, 2 * np.pi)
        right, down = away * np.cos(angle), away * np.sin(angle)
    low, high = np.log(habits.counts)
    return Camera(
        matrix=matrix,
        pixel_mm=float(extent / matrix),
        field_mm=_FIELDS_MM[int(random.integers(len(_FIELDS_MM)))],
        offset_mm=(float(right), float(down)),
        roll=float(np.clip(random.normal(0.0, 2.5), -9.0, 9.0)),
        gap_mm=float(random.gamma(3.0, 15.0)),
        blur=float(random.uniform(*habits.blur)),
        breath_mm=float(random.uniform(1.5, 7.0)),
        scatter=float(random.uniform(0.15, 0.4)),
        counts=float(np.exp(random.uniform(low, high))),
    )
