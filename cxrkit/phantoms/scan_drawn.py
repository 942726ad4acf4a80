"""Lung scintigrams drawn flat: a second simulator, which shares nothing with the projected one but published facts.

A network that learns from one simulator alone learns that simulator. So here each scan has a *style* as well, drawn
anew and alike for both kinds: how its lungs are outlined and shaded, how far its kinds differ in sharpness, and what
surrounds the lungs. Facts: methods section 4 (shares of the lungs and of their thirds, notch of the heart, wedges,
airway, stomach, central deposition, residual ventilation, Poisson noise, zeros outside the field).

Images are anterior: the patient's left is on the image's right.
"""

from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from cxrkit.phantoms.scan_population import MIXED, USUAL, KindHabits, ScanPopulation, random_qv_ratio
from cxrkit.phantoms.scan_settings import ScanKind

Gray = NDArray[np.float32]

_SIDE = 256
_MIDDLE = _SIDE / 2
_ROWS, _COLUMNS = (grid.astype(np.float32) for grid in np.mgrid[0:_SIDE, 0:_SIDE])


@dataclass(frozen=True)
class _Style:
    """What differs between makers of images and says nothing of the kind.

    Attributes:
        outline: radius by angle, half an ellipse over a dome, or breadth by row.
        shading: exponent of the thickness; 0 = a slab, 0.5 = an ellipsoid.
        thirds: activity of the apex, the middle and the base.
        lungs: for each, (x of the middle, top, bottom, half of the breadth) in pixels.
        notch: (depth, softness in pixels) of the heart's bed in the left lung.
        mediastinum, ground: activity as shares of the lungs' peak.
        blur: standard deviation in pixels before the kind's factor.
        knows: whether edge, blur and counts differ between the kinds.
    """

    outline: Literal["radius", "dome", "rows"]
    shading: float
    thirds: tuple[float, float, float]
    lungs: tuple[tuple[float, float, float, float], ...]
    notch: tuple[float, float]
    mediastinum: float
    ground: float
    blur: float
    knows: tuple[bool, bool, bool]


def drawn_scan(seed: int, kind: ScanKind, population: ScanPopulation = USUAL) -> NDArray[np.uint16]:
    """Counts of one drawn anterior scan, [M, M] with M of 64 to 512; the same arguments give the same counts.

    Args:
        seed: whole number >= 0, of a patient and a style of its own.
        kind: what is shown.
        population: how often each kind has what tells it apart; its cameras and studies are not used.
    """
    random = np.random.default_rng([seed, 3000])
    style = _random_style(random)
    habits = _habits(style, population.of(kind))
    diseased = random.random() < population.disease
    outlines = [_outline(style, number, random) for number in range(2)]
    beds = (np.ones_like(outlines[0]), 1 - style.notch[0] * _heart(style, random))
    lungs = tuple(zip(outlines, beds, strict=True))
    image = _lungs(style, lungs, kind, habits, random, diseased=diseased)
    if kind == "perfusion" and random.random() < population.residual:
        left = _lungs(style, lungs, "ventilation", habits, random, diseased=diseased)
        image += left / random_qv_ratio(random, population)
    image += _surroundings(style, image, habits, random)
    blurred = cv2.GaussianBlur(image, (0, 0), style.blur * random.uniform(*habits.blur))
    return _counted(
        _laid(np.asarray(blurred, dtype=np.float32), random), random.uniform(*habits.counts), population, random
    )


def _random_style(random: Generator) -> _Style:
    top, bottom, half, gap = (random.uniform(*limits) for limits in ((45, 80), (168, 212), (20, 40), (2, 18)))
    lungs = []
    for sign in (-1, 1):
        aside, higher, lower, broader = random.normal(0, (3, 4, 6, 2))
        breadth = max(half + broader, 15)
        lungs.append((_MIDDLE + sign * (breadth + gap) + aside, top + higher, bottom + lower, breadth))
    outlines: tuple[Literal["radius", "dome", "rows"], ...] = ("radius", "dome", "rows")
    middle = random.uniform(0.33, 0.57)
    upper = (1 - middle) * random.uniform(0.5, 0.8)
    return _Style(
        outline=outlines[int(random.integers(3))],
        shading=float(random.choice((0.0, random.uniform(0.1, 0.7)))),
        thirds=(upper, middle, 1 - middle - upper),
        lungs=tuple(lungs),
        notch=(random.uniform(0.3, 1.0), random.uniform(0.5, 10)),
        mediastinum=random.uniform(0.0, 0.12),
        ground=random.uniform(0.0, 0.03),
        blur=random.uniform(1.1, 2.6),
        knows=(random.random() < 0.3, random.random() < 0.75, random.random() < 0.6),
    )


def _habits(style: _Style, own: KindHabits) -> KindHabits:
    """The kind's habits; where the style knows no difference, both kinds are as in MIXED."""
    alike = {
        name: getattr(MIXED.perfusion, name)
        for name, known in zip(("edge", "blur", "counts"), style.knows, strict=True)
        if not known
    }
    return replace(own, **alike)


def _outline(style: _Style, number: int, random: Generator) -> Gray:
    """Depth below the surface of the right (0) or left lung, 1 in the middle, 0 outside."""
    x, top, bottom, half = style.lungs[number]
    outwards = (_COLUMNS - x) / half * (-1 if number == 0 else 1)
    down = (_ROWS - top) / (bottom - top)
    dome = 1 - random.uniform(0.05, 0.2) * np.exp(-((outwards / 0.9) ** 2)) - down
    if style.outline == "radius":
        across, along = outwards, (down - 0.5) * 2
        angle = np.arctan2(along, across)
        waves = sum(
            random.normal(0, 0.1 / order) * np.cos(order * angle + random.uniform(0, 6.3)) for order in range(1, 5)
        )
        power = random.uniform(2.0, 3.5)
        distance = (np.abs(across) ** power + np.abs(along) ** power) ** (1 / power) / (1 + waves)
    elif style.outline == "dome":
        distance = np.sqrt(outwards**2 + np.minimum(down / random.uniform(0.3, 0.8) - 1, 0) ** 2)
    else:
        breadths = np.interp(down, np.linspace(0, 1, 6), [0.15, *np.sort(random.uniform(0.5, 1.15, 4)), 1.1])
        distance = np.abs(outwards - random.uniform(-0.15, 0.15) * down) / breadths
    inside = np.minimum(1 - distance, dome * random.uniform(2, 8))
    return np.where((down > 0) & (inside > 0), np.minimum(inside, 1), 0).astype(np.float32)


def _lungs(
    style: _Style,
    lungs: tuple[tuple[Gray, Gray], ...],
    kind: ScanKind,
    habits: KindHabits,
    random: Generator,
    *,
    diseased: bool,
) -> Gray:
    """Activity of both lungs, 1 in all; for each lung its depth below the surface, and what the heart leaves of it.

    What disease takes from one lung goes to the rest of both, as blood and air do, so it shifts their shares.
    """
    share = float(np.clip(random.normal(0.525, 0.021), 0.42, 0.62))
    edge, central = random.uniform(*habits.edge), random.uniform(*habits.central)
    image = np.zeros((_SIDE, _SIDE), dtype=np.float32)
    for number, (depth, bed) in enumerate(lungs):
        x, top, bottom, half = style.lungs[number]
        thirds = np.interp((_ROWS - top) / (bottom - top), (1 / 6, 1 / 2, 5 / 6), style.thirds)
        lung = (depth > 0) * (2 * depth - depth**2) ** (style.shading + 0.5 * edge) * thirds
        lung *= np.exp(random.uniform(0.03, 0.12) * _cloud(random, random.uniform(8, 25)))
        lung *= bed
        lung *= (share, 1 - share)[number] / max(float(lung.sum()), 1e-6)
        if diseased:
            lung *= _disease(kind, (x, top, bottom, half), -1 if number == 0 else 1, central, random)
        image += lung
    return np.asarray(image / image.sum(), dtype=np.float32)


def _heart(style: _Style, random: Generator) -> Gray:
    """1 where the heart lies, on the patient's left."""
    _, top, bottom, _ = style.lungs[1]
    x, y = _MIDDLE + random.uniform(4, 22), bottom - random.uniform(0.1, 0.35) * (bottom - top)
    wide, high = random.uniform(16, 30), random.uniform(22, 42)
    distance = np.sqrt(((_COLUMNS - x) / wide) ** 2 + ((_ROWS - y) / high) ** 2)
    return np.asarray(np.clip((1 - distance) * wide / style.notch[1] + 0.5, 0, 1), dtype=np.float32)


def _disease(
    kind: ScanKind, lung: tuple[float, float, float, float], sign: int, central: float, random: Generator
) -> Gray:
    """Factor on one lung: wedges of lost perfusion, patchy and central ventilation; now and then the same in both."""
    x, top, bottom, half = lung
    hilum = (x - sign * 0.5 * half, top + random.uniform(0.35, 0.6) * (bottom - top))
    factor = np.ones((_SIDE, _SIDE), dtype=np.float32)
    if kind == "perfusion" or random.random() < 0.2:
        for _ in range(int(random.integers(0, 5))):
            factor *= 1 - random.uniform(0.5, 1.0) * _wedge(hilum, sign, random)
    if kind == "ventilation" and random.random() < 0.6:
        factor *= np.exp(random.uniform(0.1, 0.5) * _cloud(random, random.uniform(8, 20)))
        spread = random.uniform(8, 18)
        near = np.exp(-(((_COLUMNS - hilum[0]) ** 2 + 0.6 * (_ROWS - hilum[1]) ** 2) / (2 * spread**2)))
        factor *= 1 + (central + random.uniform(0.2, 1.5)) * near
    return np.asarray(factor, dtype=np.float32)


def _wedge(hilum: tuple[float, float], sign: int, random: Generator) -> Gray:
    """1 in a sector that opens from near the hilum to the pleura, with soft sides."""
    towards = random.uniform(-1.3, 1.3)
    tip = (
        hilum[0] + sign * random.uniform(0, 12) * np.cos(towards),
        hilum[1] + random.uniform(0, 40) * np.sin(towards),
    )
    across, down = (_COLUMNS - tip[0]) * sign, _ROWS - tip[1]
    along, aside = across * np.cos(towards) + down * np.sin(towards), across * np.sin(towards) - down * np.cos(towards)
    opening = np.tan(random.uniform(0.2, 0.7))
    return np.asarray(
        np.clip((along * opening - np.abs(aside)) / random.uniform(1, 6) + 0.5, 0, 1) * (along > 0), dtype=np.float32
    )


def _surroundings(style: _Style, image: Gray, habits: KindHabits, random: Generator) -> Gray:
    """Activity outside the lungs; shares of that in the lungs (organs) or of its peak (background)."""
    peak = float(np.percentile(image[image > 0], 95))
    top, bottom = min(lung[1] for lung in style.lungs), max(lung[2] for lung in style.lungs)
    breadth = random.uniform(80, 115)
    trunk = (np.abs(_COLUMNS - _MIDDLE) < breadth) & (top - random.uniform(5, 40) < _ROWS)
    between = (np.abs(_COLUMNS - _MIDDLE) < 22) & (top < _ROWS) & (bottom > _ROWS)
    found = peak * (style.ground * trunk + style.mediastinum * between)
    organs = (
        (habits.neck, habits.neck_amount, _throat(top, habits, random)),
        (
            habits.stomach,
            habits.stomach_amount,
            _spot(_MIDDLE + random.uniform(22, 55), bottom + random.uniform(0, 22), 16, random),
        ),
        (habits.kidneys, (0.005, 0.05), _spot(90, bottom + 28, 10, random) + _spot(166, bottom + 28, 10, random)),
    )
    for share, (low, high), shape in organs:
        amount = float(np.exp(random.uniform(np.log(low), np.log(high))))
        if random.random() < share:
            found = found + shape * (amount / max(float(shape.sum()), 1e-6))
    if random.random() < habits.clumps:
        for _ in range(int(random.integers(1, 6))):
            place = int(random.choice(np.flatnonzero(image > 0)))
            found = found + random.uniform(0.002, 0.01) * _spot(place % _SIDE, place // _SIDE, 1.2, random) / 9
    return np.asarray(found, dtype=np.float32)


def _throat(top: float, habits: KindHabits, random: Generator) -> Gray:
    """A windpipe with or without main bronchi and throat, or a thyroid."""
    if random.random() < habits.thyroid:
        y = top - random.uniform(15, 30)
        return _spot(_MIDDLE - 7, y, 5, random) + _spot(_MIDDLE + 7, y, 5, random)
    highest, fork = random.uniform(0, top - 15), top + random.uniform(10, 45)
    half, lean = random.uniform(2.5, 6), random.normal(0, 0.03)
    middle = _MIDDLE + lean * (_ROWS - fork)
    tube = ((np.abs(_COLUMNS - middle) < half) & (highest < _ROWS) & (fork > _ROWS)).astype(np.float32)
    if random.random() < 0.5:
        aside = np.abs(np.abs(_COLUMNS - middle) - random.uniform(0.6, 1.1) * (_ROWS - fork))
        tube += ((aside < half) & (fork <= _ROWS) & (fork + 20 > _ROWS)).astype(np.float32)
    if random.random() < 0.6:
        tube += random.uniform(0.5, 4) * _spot(_MIDDLE, max(highest, 4), 8, random)
    return np.asarray(tube, dtype=np.float32)


def _spot(x: float, y: float, radius: float, random: Generator) -> Gray:
    """A soft ellipse of peak 1."""
    wide, high = radius * random.uniform(0.7, 1.4), radius * random.uniform(0.7, 1.4)
    return np.asarray(np.exp(-(((_COLUMNS - x) / wide) ** 2 + ((_ROWS - y) / high) ** 2)), dtype=np.float32)


def _cloud(random: Generator, spacing: float) -> Gray:
    """Smooth noise of unit variance."""
    rough = random.standard_normal((_SIDE, _SIDE), dtype=np.float32)
    smooth = cv2.GaussianBlur(rough, (0, 0), spacing)
    return np.asarray(smooth / smooth.std(), dtype=np.float32)


def _laid(image: Gray, random: Generator) -> Gray:
    """Turned, scaled and shifted, as patients lie and cameras zoom; cut off at the field of view."""
    matrix = cv2.getRotationMatrix2D((_MIDDLE, _MIDDLE), random.normal(0, 3), random.uniform(0.8, 1.2))
    matrix[:, 2] = matrix[:, 2] + random.normal(0, 7, 2)
    laid = np.maximum(cv2.warpAffine(image, matrix, (_SIDE, _SIDE)), 0)
    beside, above = random.integers(1, 24, 2)
    laid[:, :beside] = laid[:, -beside:] = 0
    laid[:above] = laid[-above:] = 0
    return np.asarray(laid, dtype=np.float32)


def _counted(image: Gray, counts: float, population: ScanPopulation, random: Generator) -> NDArray[np.uint16]:
    side = int(random.choice((64, 128, 256, 512), p=population.matrices))
    way = cv2.INTER_AREA if side < _SIDE else cv2.INTER_LINEAR
    expected = np.maximum(cv2.resize(image, (side, side), interpolation=way), 0)
    return np.asarray(random.poisson(expected * (counts / expected.sum())), dtype=np.uint16)
