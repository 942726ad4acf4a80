"""What a simulated lung scintigram shows: settings of one acquisition."""

from dataclasses import dataclass, field
from typing import Literal, get_args

from cxrkit.errors import InputError
from cxrkit.phantoms.scan_patient import LungPatient
from cxrkit.phantoms.settings import check_choice, check_range

ScanKind = Literal["perfusion", "ventilation"]
View = Literal["anterior", "posterior"]
Tracer = Literal["Tc-99m MAA", "Tc-99m DTPA aerosol", "Tc-99m Technegas", "Xe-133", "Kr-81m"]
GASES: tuple[Tracer, Tracer] = ("Xe-133", "Kr-81m")
"""They spread through the lungs and stay nowhere."""
NeckSource = Literal["airway", "thyroid"]

VIEWS: tuple[View, View] = get_args(View)
MATRICES = (64, 128, 256, 512)


@dataclass(frozen=True)
class Camera:
    """How the scan is taken.

    Args:
        matrix: rows and columns of the image, one of MATRICES.
        pixel_mm: edge of a pixel, 0.6 to 12.
        field_mm: (height, width) of the detector; outside it the image is zero. 150 to 700 each.
        offset_mm: (right, down) by which the middle of the lungs lies off the image's centre in the anterior view,
            -300 to 300.
        roll: of the patient in the image plane in degrees, -20 to 20; positive is clockwise in the anterior view.
        gap_mm: between skin and collimator, 0 to 250.
        blur: factor on the full width at half maximum of a low-energy high-resolution collimator, 0.7 to 3.
        breath_mm: standard deviation of the lungs' movement along the body, 0 to 15.
        scatter: scattered over direct counts in the energy window, 0 to 0.8.
        counts: of the view that has more of them, 1 thousand to 5 million.

    Raises:
        InputError: a value outside these.
    """

    matrix: int = 256
    pixel_mm: float = 2.4
    field_mm: tuple[float, float] = (400.0, 540.0)
    offset_mm: tuple[float, float] = (0.0, 0.0)
    roll: float = 0.0
    gap_mm: float = 40.0
    blur: float = 1.1
    breath_mm: float = 4.0
    scatter: float = 0.25
    counts: float = 6e5

    def __post_init__(self) -> None:
        if self.matrix not in MATRICES:
            raise InputError(f"The matrix is {self.matrix}; choose one of {', '.join(map(str, MATRICES))}.")
        check_range("edge of a pixel in mm", self.pixel_mm, 0.6, 12.0)
        for length in self.field_mm:
            check_range("field of view in mm", length, 150.0, 700.0)
        for shift in self.offset_mm:
            check_range("offset in mm", shift, -300.0, 300.0)
        check_range("roll in degrees", self.roll, -20.0, 20.0)
        check_range("gap between skin and collimator in mm", self.gap_mm, 0.0, 250.0)
        check_range("factor on the collimator's blur", self.blur, 0.7, 3.0)
        check_range("movement by breathing in mm", self.breath_mm, 0.0, 15.0)
        check_range("share of scatter", self.scatter, 0.0, 0.8)
        check_range("number of counts", self.counts, 1e3, 5e6)


@dataclass(frozen=True)
class ScanSettings:
    """Everything that a simulated scintigram depends on. Amounts are shares of the activity in the lungs.

    Args:
        kind: what is shown.
        patient: whom.
        seed: whole number >= 0; draws places of clumps, the shape of the airways' activity, and the noise.
        tracer: what was given; it decides how much the body weakens the rays.
        neck: amount above the lungs, 0 (none) to 0.5.
        neck_source: the airway from the pharynx to the main bronchi, or the thyroid (free pertechnetate).
        stomach: amount there, swallowed or free pertechnetate, 0 to 0.5.
        kidneys: amount in both, 0 to 0.5; a right-to-left shunt lets particles pass to them.
        liver: amount there, 0 to 0.5.
        vein: amount left in a vein of the arm, 0 to 0.2.
        clumps: number of hot clumps in the lungs, 0 to 12.
        central: central deposition in the airways of the lungs, 0 to 1, on top of the patient's obstruction; of
            aerosols and fine particles alone.
        edge: how much thinner activity gets under the pleura, 0 (sharp edges) to 1.
        background: activity in the rest of the body by volume, as a share of that in lung, 0 to 0.2.
        qv_ratio: of a perfusion scan: counts by perfusion over counts by the ventilation that was given before and is
            still there, 0.2 to 20; None: nothing is left.
        kept: share of the airways' and the stomach's ventilation that is still there with it, 0 to 1.
        camera: how it is taken.
        noise: whole number >= 0; another one gives the same expected counts with other noise.

    Raises:
        InputError: a value outside these.
    """

    kind: ScanKind
    patient: LungPatient
    seed: int = 0
    tracer: Tracer = "Tc-99m MAA"
    neck: float = 0.0
    neck_source: NeckSource = "airway"
    stomach: float = 0.0
    kidneys: float = 0.0
    liver: float = 0.0
    vein: float = 0.0
    clumps: int = 0
    central: float = 0.0
    edge: float = 0.2
    background: float = 0.012
    qv_ratio: float | None = None
    kept: float = 0.05
    camera: Camera = field(default_factory=Camera)
    noise: int = 0

    def __post_init__(self) -> None:
        check_choice("kind of scan", self.kind, get_args(ScanKind))
        check_choice("tracer", self.tracer, get_args(Tracer))
        check_choice("source of the activity in the neck", self.neck_source, get_args(NeckSource))
        for what, number in (("seed", self.seed), ("number of the noise", self.noise)):
            if number < 0:
                raise InputError(f"The {what} is {number}; choose a whole number of at least 0.")
        for name, highest in _HIGHEST.items():
            check_range(f"amount of {name}", getattr(self, name), 0.0, highest)
        if self.qv_ratio is not None:
            check_range("ratio of perfusion to ventilation", self.qv_ratio, 0.2, 20.0)


_HIGHEST: dict[str, float] = {
    "neck": 0.5,
    "stomach": 0.5,
    "kidneys": 0.5,
    "liver": 0.5,
    "vein": 0.2,
    "clumps": 12,
    "central": 1.0,
    "edge": 1.0,
    "background": 0.2,
    "kept": 1.0,
}
