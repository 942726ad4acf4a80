"""Where the bones of one hand lie: lengths, widths and directions, drawn from the seed and scaled to the age.

The tables are for a grown man's hand of REFERENCE mm.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cxrkit.phantoms.hand_growth import TUBULAR, hand_length
from cxrkit.phantoms.hand_settings import HandSettings, hand_stream
from cxrkit.phantoms.hand_shape import Point, ahead

REFERENCE = 197.0

_LENGTHS = {
    "metacarpal": (45, 67, 64, 57.5, 53.5),
    "proximal phalanx": (31, 40, 44.5, 41.5, 33),
    "middle phalanx": (0, 23.5, 28.5, 27, 19),
    "distal phalanx": (22.5, 17, 18.5, 18.5, 16.5),
}
_HALF_WIDTHS = {
    "metacarpal": (8.4, 8.8, 8.7, 7.7, 7.3),
    "proximal phalanx": (7.7, 8.0, 8.3, 7.7, 6.9),
    "middle phalanx": (0, 6.7, 7.1, 6.6, 5.4),
    "distal phalanx": (7.0, 5.6, 6.0, 5.7, 5.0),
}
_BASES: tuple[Point, ...] = ((29.0, -8.0), (13.0, -0.2), (0.3, 0.5), (-11.2, -2.0), (-21.2, -5.5))
"""Of the metacarpals, thumb first."""
_ANGLES = (36.0, 9.0, 0.5, -8.0, -17.0)
"""Of the metacarpals in degrees to the thumb's side."""
_SPREAD = (-5.0, 5.0, 0.5, -3.5, -8.0)
"""Degrees by which the fingers lie further out than their metacarpals, at spread 1."""
_WRIST: dict[str, Point] = {"radius": (9.0, -36.0), "ulna": (-18.5, -38.5)}
_FOREARM = {"radius": (130.0, 15.8), "ulna": (128.0, 8.5)}
"""Length shown and half-width at the growth plate."""

JOINT_MM = 1.1
"""Between grown bones, for cartilage and fluid."""


@dataclass(frozen=True)
class Placed:
    """A long bone on the plate.

    Attributes:
        origin: the joint at the end that has the epiphysis.
        angle: from there along the bone, radians from +y towards +x.
        length, half_width: mm; the half-width is that of the epiphyseal end.
        cartilage: share of the length at the other end that hasn't ossified yet.
    """

    origin: Point
    angle: float
    length: float
    half_width: float
    cartilage: float = 0.0

    def along(self, share: float) -> Point:
        return ahead(self.origin, self.angle, share * self.length)


@dataclass(frozen=True)
class Layout:
    """One hand in mm.

    Attributes:
        scale: size over that of the reference.
        stout: factor on the widths of bones beyond scale; small children have plump bones.
        plump: the same for soft tissue.
        bones: every long bone.
        tips: ends of the five distal phalanges, thumb first.
        carpal_shift: small moves of the carpals (x, y), [8, 2].
    """

    scale: float
    stout: float
    plump: float
    bones: dict[str, Placed]
    tips: tuple[Point, ...]
    carpal_shift: NDArray[np.float64]


def lay_out(settings: HandSettings) -> Layout:
    """Place the bones of completed settings."""
    random, pose = hand_stream(settings, "anatomy"), hand_stream(settings, "pose")
    age = settings.age_months
    scale = hand_length(settings.sex, age) / REFERENCE * float(random.normal(1.0, 0.03))
    slender = float(random.normal(1.0, 0.04)) * (0.95 if settings.sex == "female" else 1.0)
    stout = float(np.interp(age, (0, 12, 36, 72, 144, 216), (1.28, 1.22, 1.05, 0.95, 0.94, 1.0))) * slender
    plump = float(np.interp(age, (0, 12, 36, 84, 180), (1.32, 1.27, 1.12, 1.0, 0.98)))
    # The younger, the more of the wrist and of the bones' ends is cartilage.
    young = float(np.interp(age, (12, 28, 48, 84), (1.0, 0.8, 0.3, 0.0)))
    widths = {name: scale * stout * random.normal(1.0, 0.02) for name in TUBULAR}
    lengths = {name: scale * random.normal(1.0, 0.015) for name in TUBULAR}
    bones: dict[str, Placed] = {}
    tips = []
    for finger in range(1, 6):
        found, tip = _ray(finger, scale, float(settings.spread or 0.0), lengths, widths, pose)
        bones |= found
        tips.append(tip)
    bones = {
        name: replace(placed, cartilage=young * (0.11 if name.startswith("metacarpal") else 0.035))
        for name, placed in bones.items()
    }
    turn = np.radians(pose.normal(0, 4.0))
    for name, (x, y) in _WRIST.items():
        length, half = _FOREARM[name]
        half *= widths[name] / stout**0.5
        bones[name] = Placed((x * scale, (y - 8.0 * young) * scale), np.pi - turn, length * scale, half)
    return Layout(scale, stout, plump, bones, tuple(tips), random.normal(0, 0.35, (8, 2)))


def _ray(
    finger: int,
    scale: float,
    spread: float,
    lengths: dict[str, float],
    widths: dict[str, float],
    pose: np.random.Generator,
) -> tuple[dict[str, Placed], Point]:
    """Metacarpal and phalanges of a finger (1: thumb), and the end of its last bone."""
    place = finger - 1
    sway = pose.normal(0, (3.0, 1.5, 1.0, 1.5, 2.5)[place])
    angle = float(np.radians(_ANGLES[place] + pose.normal(0, 1.0)))
    x, y = _BASES[place]
    start = end = (x * scale, y * scale)
    bones = {}
    for kind in _LENGTHS:
        name = f"{kind} {finger}"
        if name not in TUBULAR:
            continue
        if kind == "proximal phalanx":
            angle += float(np.radians(_SPREAD[place] * spread + sway))
        elif kind != "metacarpal":
            angle += float(np.radians(pose.normal(0, 1.5)))
        length, half = _LENGTHS[kind][place] * lengths[name], _HALF_WIDTHS[kind][place] * widths[name]
        end = ahead(start, angle, length)
        backward = kind == "metacarpal" and finger > 1
        bones[name] = Placed(end, angle + np.pi, length, half) if backward else Placed(start, angle, length, half)
        start = ahead(end, angle, JOINT_MM * scale)
    return bones, end
