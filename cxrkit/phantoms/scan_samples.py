"""Sample scintigrams for the page and the tests."""

from dataclasses import dataclass

from cxrkit.phantoms.scan_file import ScanHeader
from cxrkit.phantoms.scan_patient import LungPatient, PerfusionDefect
from cxrkit.phantoms.scan_settings import Camera, ScanSettings


@dataclass(frozen=True)
class ScanSample:
    """A simulated scan with a name for programs, a title and a sentence for people, and what its file says."""

    name: str
    title: str
    description: str
    settings: ScanSettings
    header: ScanHeader


_TALL = Camera(field_mm=(540.0, 400.0), offset_mm=(0.0, 25.0), gap_mm=35.0)
_WIDE = Camera(field_mm=(387.0, 533.0), gap_mm=35.0)
_MAN = LungPatient(11, shape=(0.3, -0.4, 0.2, -0.5, 0.1, 0.4), turn=1.5)
_WOMAN = LungPatient(
    12, sex="female", size=(0.95, 0.98, 0.94), shape=(-0.4, 0.2, 0.1, 0.5, -0.2, 0.0), fat=14.0, arms="up"
)
_ILL = LungPatient(
    13,
    size=(1.02, 1.08, 1.04),
    shape=(0.2, 0.6, 0.3, 0.0, 0.4, -0.3),
    defects=(
        PerfusionDefect("right", 0.15, 20.0, width=32.0, depth=1.0),
        PerfusionDefect("right", 0.85, 15.0, width=30.0, depth=1.0),
        PerfusionDefect("left", 0.5, 10.0, width=32.0, depth=1.0),
        PerfusionDefect("left", 0.95, -50.0, width=22.0, depth=0.8),
    ),
)

SCAN_SAMPLES: tuple[ScanSample, ...] = (
    ScanSample(
        "perfusion",
        "Perfusion",
        "An even perfusion scan: both lungs, the heart's notch on the left, nothing above the lungs.",
        ScanSettings("perfusion", _MAN, 21, edge=0.1, camera=_TALL),
        ScanHeader("LUNG PERF ANT/POST", "Tc99m MAA", study=901),
    ),
    ScanSample(
        "ventilation_neck",
        "Ventilation with activity in the neck",
        "An aerosol that has stayed in the pharynx and the windpipe, and some that was swallowed.",
        ScanSettings(
            "ventilation",
            _MAN,
            22,
            tracer="Tc-99m DTPA aerosol",
            neck=0.1,
            stomach=0.05,
            edge=0.7,
            camera=Camera(field_mm=(540.0, 400.0), offset_mm=(0.0, 25.0), gap_mm=35.0, blur=1.4, counts=4e5),
        ),
        ScanHeader("LUNG VENT ANT/POST", "Tc-99m DTPA aerosol", study=901),
    ),
    ScanSample(
        "ventilation_without_neck",
        "Ventilation without activity in the neck",
        "A gas that leaves nothing in the windpipe: only the lungs tell which scan this is.",
        ScanSettings(
            "ventilation",
            _WOMAN,
            23,
            tracer="Kr-81m",
            edge=0.8,
            camera=Camera(field_mm=(387.0, 533.0), gap_mm=30.0, blur=1.5, counts=3.5e5),
        ),
        ScanHeader("VENT A/P", "Kr-81m", study=902, coding="SNM3"),
    ),
    ScanSample(
        "perfusion_neck",
        "Perfusion with activity in the neck",
        "Ventilation given before is still there, in the windpipe too.",
        ScanSettings("perfusion", _WOMAN, 24, neck=0.05, edge=0.15, qv_ratio=2.0, kept=0.8, camera=_TALL),
        ScanHeader("Perfusion statisch", "99mTc-Makroaggregate", study=902, coding="SNM3"),
    ),
    ScanSample(
        "mismatch",
        "Perfusion whose file says ventilation",
        "The series was named for the wrong scan: image and header contradict each other.",
        ScanSettings("perfusion", LungPatient(14, fat=18.0, posture="upright"), 25, edge=0.1, camera=_WIDE),
        ScanHeader("LUNG VENT ANT/POST", "", study=903),
    ),
    ScanSample(
        "one_lung",
        "Perfusion of one lung",
        "The left lung is missing after surgery, and the heart has moved to its place.",
        ScanSettings("perfusion", LungPatient(15, missing="left", fat=12.0), 26, edge=0.1, camera=_WIDE),
        ScanHeader("Q planar", "MAA", study=904),
    ),
    ScanSample(
        "off_centre",
        "Ventilation, partly outside the field",
        "The patient lay too far to the side and too high: a part of the right lung is cut off.",
        ScanSettings(
            "ventilation",
            LungPatient(16, sex="female", size=(1.05, 1.05, 1.0), scoliosis=14.0, obstruction=0.5),
            27,
            tracer="Tc-99m Technegas",
            neck=0.06,
            edge=0.5,
            camera=Camera(field_mm=(540.0, 400.0), offset_mm=(-125.0, -70.0), roll=4.0, blur=1.3, counts=3e5),
        ),
        ScanHeader("Lungenventilation ANT POST", "99mTc-Technegas", study=905),
    ),
    ScanSample(
        "defects",
        "Perfusion with defects",
        "Wedge-shaped perfusion defects at the pleura of both lungs.",
        ScanSettings("perfusion", _ILL, 28, edge=0.1, clumps=1, camera=_TALL),
        ScanHeader("PERFUSION", "Tc-99m macroaggregated albumin", study=906),
    ),
)
