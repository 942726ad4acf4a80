"""The patient of a simulated lung scintigram: body, lungs and their diseases, and how they are drawn."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from cxrkit.errors import InputError
from cxrkit.phantoms.settings import Sex, Side, check_choice, check_range

Outlines = Literal["table", "superellipse"]
Arms = Literal["up", "down"]
Posture = Literal["supine", "upright"]

SHAPE_NUMBERS = 6
"""How many numbers a lung's shape has: breadth at the apex, at the base, depth, right dome, left dome, roundness."""

_STREAMS = ("patient", "texture", "settings", "acquisition", "noise", "header")


def scan_stream(seed: int, purpose: str, number: int = 0) -> np.random.Generator:
    """Random numbers for one purpose, independent of those for all others: noise moves no organ."""
    return np.random.default_rng([seed, 2000 + _STREAMS.index(purpose), number])


@dataclass(frozen=True)
class PerfusionDefect:
    """A wedge with its base on the pleura and its tip towards the hilum.

    Args:
        side: of the patient.
        height: place of the base, 0 (apex) to 1 (lowest recess).
        around: direction of the base seen from the feet in degrees, -90 (back) over 0 (side) to 90 (front).
        width: half the wedge's opening in degrees, 8 to 50.
        depth: share of the perfusion that is lost, 0 to 1.
        matched: whether as much of the ventilation is lost there.

    Raises:
        InputError: a value outside these.
    """

    side: Side
    height: float
    around: float
    width: float = 24.0
    depth: float = 0.9
    matched: bool = False

    def __post_init__(self) -> None:
        check_choice("side of a perfusion defect", self.side, get_args(Side))
        check_range("height of a perfusion defect", self.height, 0.0, 1.0)
        check_range("direction of a perfusion defect", self.around, -90.0, 90.0)
        check_range("width of a perfusion defect", self.width, 8.0, 50.0)
        check_range("depth of a perfusion defect", self.depth, 0.0, 1.0)


@dataclass(frozen=True)
class LungPatient:
    """Everything of a patient that a lung scintigram depends on, the same in perfusion and ventilation.

    Args:
        seed: whole number >= 0; draws the fine distribution in the lungs.
        outlines: how the lungs' surface is made: "table" (cross-sections tabulated from apex to base, cut by domes) or
            "superellipse" (tilted super-ellipsoids, cut by planes).
        sex: of the patient; breasts weaken the anterior view.
        size: factors along x, y, z on the reference body, 0.7 to 1.35 each.
        shape: SHAPE_NUMBERS numbers in standard deviations, -3 to 3.
        fat: mm of soft tissue added around the trunk, 0 to 60.
        heart: factor on the heart's size, 0.7 to 1.8.
        scoliosis: greatest sideways bend of the spine in mm, -60 to 60; positive is to the patient's left.
        turn: about the long axis in degrees, -15 to 15.
        posture: upright patients have more perfusion at the base, supine ones at the back.
        arms: beside the trunk or above the head.
        right_share: share of the right lung in perfusion and in ventilation, before disease, 0.35 to 0.7 each.
        emphysema: 0 to 1: large, flat-based, patchy lungs of low density.
        obstruction: 0 to 1: central deposition of what is inhaled, and patchy ventilation.
        effusion: share of the (right, left) pleural space that is full of fluid, 0 to 0.8.
        missing: the side without a lung (after surgery, or filled with fluid), or None.
        defects: perfusion defects.

    Raises:
        InputError: a value outside these.
    """

    seed: int
    outlines: Outlines = "table"
    sex: Sex = "male"
    size: tuple[float, float, float] = (1.0, 1.0, 1.0)
    shape: tuple[float, ...] = (0.0,) * SHAPE_NUMBERS
    fat: float = 10.0
    heart: float = 1.0
    scoliosis: float = 0.0
    turn: float = 0.0
    posture: Posture = "supine"
    arms: Arms = "down"
    right_share: tuple[float, float] = (0.525, 0.53)
    emphysema: float = 0.0
    obstruction: float = 0.0
    effusion: tuple[float, float] = (0.0, 0.0)
    missing: Side | None = None
    defects: tuple[PerfusionDefect, ...] = ()

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise InputError(f"The patient's seed is {self.seed}; choose a whole number of at least 0.")
        check_choice("way of making lung outlines", self.outlines, get_args(Outlines))
        check_choice("sex", self.sex, get_args(Sex))
        check_choice("posture", self.posture, get_args(Posture))
        check_choice("place of the arms", self.arms, get_args(Arms))
        if self.missing is not None:
            check_choice("side without a lung", self.missing, get_args(Side))
        if len(self.shape) != SHAPE_NUMBERS:
            raise InputError(f"A lung's shape has {len(self.shape)} numbers; give {SHAPE_NUMBERS}.")
        for what, low, high, values in (
            ("factor on the body's size", 0.7, 1.35, self.size),
            ("number of a lung's shape", -3.0, 3.0, self.shape),
            ("soft tissue added in mm", 0.0, 60.0, (self.fat,)),
            ("factor on the heart's size", 0.7, 1.8, (self.heart,)),
            ("bend of the spine in mm", -60.0, 60.0, (self.scoliosis,)),
            ("turn in degrees", -15.0, 15.0, (self.turn,)),
            ("right lung's share", 0.35, 0.7, self.right_share),
            ("emphysema", 0.0, 1.0, (self.emphysema,)),
            ("obstruction", 0.0, 1.0, (self.obstruction,)),
            ("effusion", 0.0, 0.8, self.effusion),
        ):
            for value in values:
                check_range(what, value, low, high)


def random_patient(seed: int, outlines: Outlines = "table", disease: float = 0.4) -> LungPatient:
    """Draw one patient.

    Args:
        seed: whole number >= 0; the same seed gives the same patient, with other outlines too.
        outlines: how the lungs' surface is made.
        disease: probability of disease of the lungs or the pleura.
    """
    random = scan_stream(seed, "patient")
    sex: Sex = "female" if random.random() < 0.5 else "male"
    tall = (0.96 if sex == "female" else 1.04) * random.normal(1.0, 0.05)
    size = [float(np.clip(tall * random.normal(mean, 0.045), 0.78, 1.28)) for mean in (1.0, 1.05, 1.0)]
    bend = random.normal(0.0, 2.5) if random.random() < 0.9 else random.uniform(10, 32) * random.choice((-1, 1))
    return LungPatient(
        seed=seed,
        outlines=outlines,
        sex=sex,
        size=(size[0], size[1], size[2]),
        shape=tuple(float(number) for number in np.clip(random.normal(0.0, 1.0, SHAPE_NUMBERS), -2.3, 2.3)),
        fat=float(np.clip(random.gamma(2.5, 6.0), 0.0, 45.0)),
        heart=float(np.clip(random.normal(1.03, 0.1), 0.82, 1.5)),
        scoliosis=float(bend),
        turn=float(np.clip(random.normal(0.0, 2.5), -9.0, 9.0)),
        posture="supine" if random.random() < 0.7 else "upright",
        arms="down" if random.random() < 0.6 else "up",
        right_share=(_share(random, 0.525, 0.014), _share(random, 0.53, 0.03)),
        # The last draw, so that the same seed gives the same body with and without disease.
        **_disease(random, random.random() < disease),
    )


def _share(random: np.random.Generator, mean: float, spread: float) -> float:
    return float(np.clip(random.normal(mean, spread), mean - 3 * spread, mean + 3 * spread))


def _disease(random: np.random.Generator, present: bool) -> dict[str, Any]:
    if not present:
        return {}
    has = random.random(5) < (0.55, 0.35, 0.45, 0.25, 0.04)
    if not has.any():
        has[0] = True
    fluid = random.beta(1.5, 4.0, 2) * 0.8 * (random.random(2) < 0.6)
    side: Side = "right" if random.random() < 0.5 else "left"
    return {
        "defects": _defects(random) if has[0] else (),
        "emphysema": float(random.beta(1.5, 1.5)) if has[1] else 0.0,
        "obstruction": float(random.beta(1.5, 1.2)) if has[2] else 0.0,
        "effusion": (float(fluid[0]), float(fluid[1])) if has[3] else (0.0, 0.0),
        "missing": side if has[4] else None,
    }


def _defects(random: np.random.Generator) -> tuple[PerfusionDefect, ...]:
    return tuple(
        PerfusionDefect(
            side="right" if random.random() < 0.5 else "left",
            height=float(random.beta(2.0, 1.6)),
            around=float(random.uniform(-90, 90)),
            width=float(random.uniform(12, 36)),
            depth=float(random.uniform(0.5, 1.0)),
            matched=bool(random.random() < 0.25),
        )
        for _ in range(1 + min(int(random.geometric(0.35)), 8))
    )
