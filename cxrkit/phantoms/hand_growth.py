"""When the bones of hand and wrist appear, grow and fuse, by sex and skeletal age.

Sources. Appearance: typical ages after the medians of Garn, Rohmann, Silverman 1967 (Med Radiogr Photogr 43:45-66);
the order of appearance, the pisiform, and order and ages of fusion: Gilsanz and Ratib 2012
(10.1007/978-3-642-23762-1) and Greulich and Pyle 1959 (Radiographic Atlas of Skeletal Development of the Hand and
Wrist). Widening, capping and fusion follow the stages D to I of Tanner and Whitehouse (Assessment of Skeletal Maturity,
TW2, 1983). Hand lengths are in the range of Snyder et al. 1977 (UM-HSRI-77-17). The smooth courses between these ages
are ours.
"""

from dataclasses import dataclass

import numpy as np

from cxrkit.phantoms.settings import Sex

YOUNGEST, OLDEST = 1.0, 240.0
"""Skeletal ages, in months, that can be simulated."""

CARPALS = ("capitate", "hamate", "triquetrum", "lunate", "scaphoid", "trapezium", "trapezoid", "pisiform")
"""In the order of their appearance."""

PHALANGES = ("distal phalanx", "middle phalanx", "proximal phalanx")
TUBULAR = (
    *(f"{kind} {finger}" for finger in range(1, 6) for kind in PHALANGES if (kind, finger) != ("middle phalanx", 1)),
    *(f"metacarpal {finger}" for finger in range(1, 6)),
    "radius",
    "ulna",
)
"""Long bones; each has one epiphysis, named like it. Finger 1 is the thumb."""

_APPEARANCE: dict[str, tuple[float, float]] = {
    "capitate": (2, 3),
    "hamate": (2.5, 4),
    "triquetrum": (21, 29),
    "lunate": (31, 49),
    "scaphoid": (49, 68),
    "trapezium": (49.5, 70),
    "trapezoid": (50, 75),
    "pisiform": (108, 132),
    "adductor sesamoid": (129, 153),
    "radius": (10, 13),
    "ulna": (65, 85),
    "proximal phalanx 1": (20, 34),
    "proximal phalanx 2": (10.5, 16.5),
    "proximal phalanx 3": (10, 16),
    "proximal phalanx 4": (11, 17),
    "proximal phalanx 5": (14, 22),
    "middle phalanx 2": (16, 26),
    "middle phalanx 3": (15, 24),
    "middle phalanx 4": (15.5, 25),
    "middle phalanx 5": (23, 41),
    "distal phalanx 1": (12, 19),
    "distal phalanx 2": (23, 38),
    "distal phalanx 3": (18, 29),
    "distal phalanx 4": (18.5, 29.5),
    "distal phalanx 5": (23, 37),
    "metacarpal 1": (19, 31),
    "metacarpal 2": (13, 19),
    "metacarpal 3": (14, 21),
    "metacarpal 4": (15, 24),
    "metacarpal 5": (16, 26),
}
"""Months (girls, boys) at which about half of all children show the centre on a radiograph."""

_FUSION: dict[str, tuple[float, float]] = {
    "distal phalanx": (162, 186),
    "metacarpal": (174, 197),
    "proximal phalanx": (177, 200),
    "middle phalanx": (181, 204),
    "ulna": (192, 212),
    "radius": (203, 223),
}
"""Months (girls, boys) at which the growth plate is bridged from side to side."""

_FIRST_METACARPAL_EARLIER = 6.0
_BRIDGING = 15.0
"""Months from the first bridge across the growth plate to the last."""
_SCAR = 30.0
"""Months until the line that is left has gone."""

_LATER = {"radius": 10.0, "ulna": 22.0, "distal phalanx": -4.0}
"""Months by which these epiphyses reach the width of their metaphysis later than the others."""
_FULL_WIDTH, _CAPPED = (88.0, 112.0), (140.0, 165.0)
_HALF_WIDTH_AFTER = (16.0, 22.0)
_CARPALS_FULL = (142.0, 166.0)

_LENGTH_AGES = (0, 6, 12, 24, 36, 48, 60, 72, 84, 96, 108, 120, 132, 144, 156, 168, 180, 192, 204, 228)
_LENGTH: dict[Sex, tuple[float, ...]] = {
    "female": (62, 77, 88, 101, 110, 118, 125, 131, 137, 143, 149, 155, 162, 168, 172, 174, 175, 176, 176, 176),
    "male": (64, 80, 91, 104, 113, 121, 128, 134, 140, 146, 151, 157, 162, 169, 176, 183, 187, 190, 191, 192),
}


@dataclass(frozen=True)
class Stage:
    """Where one epiphysis or carpal stands.

    Attributes:
        present: whether its centre has appeared.
        width: of an epiphysis relative to its metaphysis; of a carpal relative to its grown self. 0 if absent.
        height: relative to the grown one, 0 to 1.
        shape: 0 to 1, how far the rim of an epiphysis has come over the metaphysis, or a carpal from round to its
            grown form.
        union: 0 while the growth plate is open all along, 1 when it is bridged from side to side.
        scar: of the line that a fused plate leaves: 1 until fused, 0 when it has gone.
    """

    present: bool
    width: float = 0.0
    height: float = 0.0
    shape: float = 0.0
    union: float = 0.0
    scar: float = 1.0


def appearance(name: str, sex: Sex) -> float:
    """Age in months at which a centre appears: a carpal, the adductor sesamoid, or the epiphysis of a long bone."""
    return _APPEARANCE[name][_column(sex)]


def fusion(name: str, sex: Sex) -> float:
    """Age in months at which the epiphysis of a long bone has fused from side to side."""
    earlier = _FIRST_METACARPAL_EARLIER if name == "metacarpal 1" else 0.0
    return _FUSION[_kind(name)][_column(sex)] - earlier


def epiphysis(name: str, sex: Sex, age_months: float) -> Stage:
    """Stage of the epiphysis of a long bone."""
    first, fused, column = appearance(name, sex), fusion(name, sex), _column(sex)
    if age_months < first:
        return Stage(False)
    later = _LATER.get(_kind(name), 0.0)
    ages = (first, first + _HALF_WIDTH_AFTER[column], _FULL_WIDTH[column] + later, _CAPPED[column] + later / 3)
    return Stage(
        True,
        width=float(np.interp(age_months, ages, (0.2, 0.55, 1.0, 1.07))),
        height=float(np.interp(age_months, ages, (0.3, 0.62, 0.9, 1.0))),
        shape=float(np.interp(age_months, ages[2:], (0.0, 1.0))),
        union=_ease((age_months - fused + _BRIDGING) / _BRIDGING),
        scar=1 - _ease((age_months - fused) / _SCAR),
    )


def carpal(name: str, sex: Sex, age_months: float) -> Stage:
    """Stage of a carpal bone or of the adductor sesamoid."""
    first, full = appearance(name, sex), _CARPALS_FULL[_column(sex)]
    full = max(full, first + 36)
    if age_months < first:
        return Stage(False)
    share = min((age_months - first) / (full - first), 1.0)
    size = 0.2 + 0.8 * (1 - (1 - share) ** 3.8)
    return Stage(True, width=size, height=size, shape=share)


def ossified(sex: Sex, age_months: float) -> tuple[str, ...]:
    """Names of all centres that have appeared: carpals, adductor sesamoid, epiphyses of long bones."""
    return tuple(name for name in _APPEARANCE if appearance(name, sex) <= age_months)


def hand_length(sex: Sex, age_months: float) -> float:
    """Wrist to tip of the middle finger in mm."""
    return float(np.interp(age_months, _LENGTH_AGES, _LENGTH[sex]))


def _column(sex: Sex) -> int:
    return 0 if sex == "female" else 1


def _kind(name: str) -> str:
    return name.rstrip("12345").strip()


def _ease(share: float) -> float:
    share = min(max(share, 0.0), 1.0)
    return share * share * (3 - 2 * share)
