"""The bones of one hand as solids, at the stage that their age asks for."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrkit.phantoms.hand_growth import CARPALS, Stage, carpal, epiphysis
from cxrkit.phantoms.hand_layout import Layout, Placed
from cxrkit.phantoms.hand_settings import HandSettings
from cxrkit.phantoms.hand_shape import Pebble, Shaft, ahead

Outline = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Bone:
    """One bone. A long bone with an open growth plate is its shaft and its epiphysis, a grown one is in one piece.

    Attributes:
        name: as in hand_growth.
        stage: of its epiphysis, or of the carpal itself.
        shaft: None for carpals.
        epiphysis: the ossified part beyond the growth plate, or the carpal; None where it hasn't appeared.
        grown: the fused bone; None for carpals.
        spongy: bone in the marrow space, relative to solid bone.
    """

    name: str
    stage: Stage
    shaft: Shaft | None
    epiphysis: Pebble | None
    grown: Shaft | None
    spongy: float


@dataclass(frozen=True)
class _Form:
    """Shape of one kind of long bone: widths relative to the epiphyseal end, from there on.

    stations and right, left: of the grown bone; plate: place of the growth plate; flare: width of the metaphysis;
    wall: mm of cortex at mid-shaft; cups: of the near and the far end, relative to the half-width;
    power, outline: of the epiphysis; slope: of the joint's surface; depth: relative to the half-width.
    """

    stations: tuple[float, ...]
    right: tuple[float, ...]
    left: tuple[float, ...]
    plate: float
    flare: float
    wall: float
    cups: tuple[float, float]
    power: float
    slope: float = 0.0
    depth: float = 0.8
    outline: Outline | None = None


_PROXIMAL = (0.78, 0.95, 1.0, 0.96, 0.81, 0.66, 0.595, 0.575, 0.60, 0.68, 0.74, 0.73, 0.52)
_MIDDLE = (0.78, 0.96, 1.0, 0.93, 0.75, 0.60, 0.54, 0.53, 0.58, 0.69, 0.76, 0.74, 0.5)
_FINGER = (0, 0.03, 0.07, 0.14, 0.22, 0.34, 0.48, 0.62, 0.76, 0.87, 0.94, 0.975, 1.0)
_TIP = (0.75, 0.95, 1.0, 0.92, 0.76, 0.59, 0.46, 0.40, 0.42, 0.53, 0.58, 0.56, 0.42)
_HEAD = (0.35, 0.66, 0.86, 0.97, 1.0, 0.95, 0.81, 0.67, 0.56, 0.53, 0.58, 0.72, 0.80, 0.66)
_HEAD_AT = (0, 0.015, 0.045, 0.085, 0.12, 0.17, 0.24, 0.33, 0.45, 0.58, 0.73, 0.89, 0.965, 1.0)
_THUMB = (0.7, 0.93, 1.0, 0.97, 0.85, 0.71, 0.64, 0.63, 0.68, 0.80, 0.88, 0.84, 0.5)
_FOREARM_AT = (0, 0.02, 0.05, 0.09, 0.15, 0.22, 0.31, 0.45, 0.7, 1.0)
_RADIUS = (0.86, 0.98, 1.02, 0.99, 0.93, 0.85, 0.74, 0.6, 0.5, 0.48)
_RADIUS_ULNAR = (0.84, 0.94, 0.96, 0.92, 0.82, 0.72, 0.64, 0.55, 0.47, 0.45)
_ULNA = (0.8, 0.96, 1.0, 0.95, 0.88, 0.8, 0.74, 0.68, 0.68, 0.72)

_RADIUS_EPIPHYSIS = np.array(
    [(-0.95, 0.75), (-0.5, 0.92), (0.0, 0.95), (0.5, 0.92), (0.94, 0.75), (1.0, 0.3), (0.6, -0.3), (0.1, -0.8),
     (-0.45, -1.3), (-0.85, -1.75), (-0.97, -1.3), (-1.0, -0.7), (-0.98, 0.1)]
)  # fmt: skip
_ULNA_EPIPHYSIS = np.array(
    [(-0.9, 0.75), (0.0, 0.9), (0.95, 0.7), (1.05, -0.3), (0.95, -1.3), (0.55, -0.6), (0.0, -0.65), (-0.8, -0.6)]
)
_HEAD_EPIPHYSIS = np.array(
    [(-0.94, 0.8), (-0.6, 0.98), (0.0, 1.0), (0.6, 0.98), (0.94, 0.8), (1.0, 0.1), (0.9, -0.45), (0.56, -0.86),
     (0.0, -1.0), (-0.56, -0.86), (-0.9, -0.45), (-1.0, 0.1)]
)  # fmt: skip
"""Seen from the joint: first to the little finger's side, second along the forearm."""

_FORMS = {
    "proximal phalanx": _Form(_FINGER, _PROXIMAL, _PROXIMAL, 0.135, 0.93, 1.75, (-0.10, 0.10), 3.2),
    "middle phalanx": _Form(_FINGER, _MIDDLE, _MIDDLE, 0.155, 0.93, 1.45, (0.02, 0.10), 3.0),
    "distal phalanx": _Form(_FINGER, _TIP, _TIP, 0.19, 0.90, 1.15, (0.02, -0.9), 2.8),
    "metacarpal": _Form(_HEAD_AT, _HEAD, _HEAD, 0.155, 0.92, 2.1, (0.24, 0.12), 2.3, outline=_HEAD_EPIPHYSIS),
    "thumb": _Form(_FINGER, _THUMB, _THUMB, 0.15, 0.95, 2.0, (-0.15, -0.3), 3.0),
    "radius": _Form(
        _FOREARM_AT, _RADIUS_ULNAR, _RADIUS, 0.085, 0.93, 2.4, (-0.06, 0.0), 2.6, 0.32, 0.58, _RADIUS_EPIPHYSIS
    ),
    "ulna": _Form(_FOREARM_AT, _ULNA, _ULNA, 0.06, 0.9, 2.1, (0.12, 0.0), 2.6, -0.1, 0.75, _ULNA_EPIPHYSIS),
}

_CARPALS: dict[str, tuple[tuple[float, float], float, list[tuple[float, float]]]] = {
    "capitate": ((-0.8, -12.8), 7.5, [(6, 10), (0, 11.2), (-6, 8.5), (-6.3, 2), (-5.4, -4), (-4.6, -9), (0, -11.8),
                 (4.8, -9.4), (6, -3), (6.2, 4)]),
    "hamate": ((-14.6, -13.6), 6.5, [(5.6, 6.8), (0, 7.2), (-6.5, 4.2), (-8.2, 0.5), (-4.6, -4), (-0.2, -7.6),
               (4, -10.4), (6, -6), (6, 1)]),
    "triquetrum": ((-20.4, -25.4), 5.5, [(6, -4.4), (6.2, 1), (1.5, 5), (-4.5, 6.4), (-7, 3.4), (-5, -2), (-0.5, -6)]),
    "lunate": ((-6.6, -31.8), 6.5, [(7, 4.8), (3, 3.0), (-2, 3.0), (-6.6, 4.6), (-7.6, 0), (-5.6, -4.2), (0, -5.6),
               (5.8, -3.6), (7.6, 0)]),
    "scaphoid": ((9.6, -25.4), 6.0, [(8.4, 9.4), (4.6, 9.4), (0.4, 5.2), (-3.6, 1.4), (-6, -4), (-5.2, -8),
                 (-0.6, -8.4), (4.2, -5), (7.2, 0), (8.8, 5)]),
    "trapezium": ((20.8, -10.2), 6.0, [(2.2, 6.0), (-3, 4.8), (-5.2, 0.6), (-4.6, -4.2), (0, -5.8), (4.6, -4.2),
                  (5.6, 0.4), (5.0, 4)]),
    "trapezoid": ((11.4, -7.4), 6.0, [(4.6, 3.6), (0, 4.8), (-4.2, 4.6), (-4.4, -2.6), (-1, -5.4), (3.6, -4.6),
                  (5, -0.6)]),
    "pisiform": ((-22.4, -22.6), 1.5, [(4.4, 1), (2.5, 5.2), (-2.5, 5.2), (-4.4, 0), (-3, -5), (2.5, -4.8)]),
}  # fmt: skip
"""Grown carpals in reference mm: centre, half-depth, outline about the centre."""

_PACKED = 1.12
"""Enlarges the outlines until the joint spaces are as narrow as in life."""

_SPONGY, _SPONGY_CARPAL = 0.2, 0.24


def make_bones(settings: HandSettings, layout: Layout) -> list[Bone]:
    """All bones that show, of completed settings."""
    bones = [
        _long_bone(name, placed, epiphysis(name, settings.sex, settings.age_months), layout)
        for name, placed in layout.bones.items()
    ]
    for number, name in enumerate(CARPALS):
        stage = carpal(name, settings.sex, settings.age_months)
        if stage.present:
            bones.append(_carpal(name, stage, layout, layout.carpal_shift[number]))
    stage = carpal("adductor sesamoid", settings.sex, settings.age_months)
    if stage.present:
        bones.append(_sesamoid(stage, layout))
    return bones


def _long_bone(name: str, placed: Placed, stage: Stage, layout: Layout) -> Bone:
    form = _FORMS["thumb" if name == "metacarpal 1" else name.rstrip("12345").strip()]
    grown = _grown(form, placed, layout.scale)
    shaft = _shaft(form, placed, layout.scale, stage)
    cap = _epiphysis(form, placed, stage, layout) if stage.present else None
    return Bone(name, stage, shaft, cap, grown, _SPONGY)


def _cortex(form: _Form, stations: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    """Thin at the ends, thick in the middle of the shaft, in mm."""
    thin = 0.42 * scale**0.5
    return np.asarray(thin + (form.wall * scale - thin) * _tubular(form, stations))


def _filling(form: _Form, stations: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the marrow space that is spongy bone: all of it at the ends, little in the middle of the shaft."""
    return np.asarray(1 - 0.7 * _tubular(form, stations))


def _tubular(form: _Form, stations: NDArray[np.float64]) -> NDArray[np.float64]:
    """0 at the ends, 1 in the middle of the shaft; of radius and ulna the far end is out of sight."""
    if form.stations is _FOREARM_AT:
        return np.asarray(np.interp(stations, (0.0, 0.12, 0.45, 1.0), (0, 0, 1, 1)))
    return np.asarray(np.interp(stations, (0.0, 0.14, 0.42, 0.68, 0.9, 1.0), (0, 0, 1, 1, 0.1, 0)))


def _grown(form: _Form, placed: Placed, scale: float) -> Shaft:
    stations = np.array(form.stations)
    return Shaft(
        placed.origin, placed.angle, placed.length, stations,
        np.array(form.right) * placed.half_width, np.array(form.left) * placed.half_width,
        form.depth, _cortex(form, stations, scale), (0.8 * scale, 0.6 * scale), _filling(form, stations),
        slope=form.slope, cup=form.cups[0] * placed.half_width, far_cup=form.cups[1] * placed.half_width,
        corner=2.0 * scale,
    )  # fmt: skip


def _shaft(form: _Form, placed: Placed, scale: float, stage: Stage) -> Shaft:
    """The grown bone cut at the growth plate, with a metaphysis that flares to it."""
    rest = 1 - form.plate
    stations = np.unique(
        np.concatenate([[form.plate], np.array(form.stations), form.plate + rest * np.array((0.012, 0.03, 0.07, 0.13))])
    )
    stations = stations[stations >= form.plate]
    cut = (stations - form.plate) / rest
    flare = form.flare * np.interp(
        cut, (0, 0.012, 0.03, 0.07, 0.13, 0.24, 0.4), (0.9, 0.97, 1.0, 0.97, 0.88, 0.69, 0.5)
    )
    right, left = (np.maximum(np.interp(stations, form.stations, side), flare) for side in (form.right, form.left))
    right[0], left[0] = flare[0], flare[0]
    return Shaft(
        placed.along(form.plate), placed.angle, placed.length * (rest - placed.cartilage), cut,
        right * placed.half_width, left * placed.half_width,
        form.depth, _cortex(form, stations, scale), (0.7 * scale, 0.6 * scale), _filling(form, stations),
        cup=(0.05 + 0.12 * stage.shape) * placed.half_width, far_cup=form.cups[1] * placed.half_width,
        corner=1.0 * scale,
    )  # fmt: skip


def _epiphysis(form: _Form, placed: Placed, stage: Stage, layout: Layout) -> Pebble:
    """A seed of bone that widens to a disc and then caps the metaphysis."""
    gap = layout.scale * float(np.interp(stage.height, (0.3, 0.85, 1.0), (1.8, 1.0, 0.55))) * (1 - 0.6 * stage.union)
    room = form.plate * placed.length - gap
    half_width = form.flare * placed.half_width * stage.width
    tall = min(room * stage.height / 2, half_width)
    outline = None
    if form.outline is not None:
        outline = _grow(form.outline, float(np.clip((stage.height - 0.55) / 0.4, 0, 1)))
    return Pebble(
        ahead(placed.origin, placed.angle, room - tall),
        placed.angle,
        (half_width, tall, form.depth * half_width * 0.95),
        0.45 * layout.scale**0.5,
        outline,
        power=2 + (form.power - 2) * float(np.clip((stage.height - 0.4) / 0.5, 0, 1)),
        bend=(0.04 + 0.13 * stage.shape) * half_width,
        dome=3.5,
    )


def _carpal(name: str, stage: Stage, layout: Layout, shift: NDArray[np.float64]) -> Bone:
    (x, y), deep, points = _CARPALS[name]
    outline = np.array(points) * _PACKED
    half = np.abs(outline).max(axis=0)
    shape = _grow(outline / half, min(stage.shape * 1.4, 1.0))
    # A young centre is round; the long axis comes with the form.
    round_half = np.sqrt(half.prod())
    share = min(stage.shape * 1.8 + 0.25, 1.0)
    wide, tall = ((round_half + (extent - round_half) * share) * stage.width * layout.scale for extent in half)
    pebble = Pebble(
        ((x + shift[0]) * layout.scale, (y + shift[1]) * layout.scale),
        0.0,
        (wide, tall, deep * stage.width * layout.scale),
        min(0.55 * layout.scale**0.5, 0.2 * deep),
        shape,
        dome=3.2,
    )
    return Bone(name, stage, None, pebble, None, _SPONGY_CARPAL)


def _sesamoid(stage: Stage, layout: Layout) -> Bone:
    """In the tendon of the adductor, at the thumb's metacarpal head on the index finger's side."""
    thumb = layout.bones["metacarpal 1"]
    centre = ahead(thumb.origin, thumb.angle, 0.95 * thumb.length, -0.95 * thumb.half_width)
    half = (2.5 * stage.width * layout.scale, 3.2 * stage.width * layout.scale, 2.6 * stage.width * layout.scale)
    return Bone("adductor sesamoid", stage, None, Pebble(centre, thumb.angle, half, 0.4), None, _SPONGY_CARPAL)


def _grow(outline: Outline, share: float) -> Outline:
    """From round to the full outline, with the same extents along the axes."""
    radii = np.linalg.norm(outline, axis=1, keepdims=True)
    return np.asarray(outline / radii * (1 + (radii - 1) * share))
