"""A third, crude simulator of lung scans, which trains nothing: it reports how far a network holds elsewhere.

It was written from the facts of methods section 4 alone, before the drawn scans of `cxrkit.phantoms` existed, and
shares no code with them: lungs of one shape, a heart that is punched out, sharp wedges, smooth patches.
"""

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from cxrkit.phantoms import ScanKind, ScanPopulation

Gray = NDArray[np.float32]
Place = tuple[float, float, float, float]
"""Middle, top, bottom and half of the breadth of a lung, in pixels."""
Places = tuple[tuple[int, Place], tuple[int, Place]]
"""Of the right lung and of the left, each with its side of the image: -1 or 1."""


_SIDE = 256
_ROWS, _COLUMNS = (grid.astype(np.float32) for grid in np.mgrid[0:_SIDE, 0:_SIDE])
_DISEASED = 0.45


def sketched_scan(seed: int, kind: ScanKind, population: ScanPopulation) -> NDArray[np.uint16]:
    """Counts [256, 256] of an anterior scan; the same arguments give the same counts.

    Args:
        seed: whole number >= 0.
        kind: what is shown.
        population: how often necks and stomachs show in each kind; nothing else of it is used.
    """
    random = np.random.default_rng([seed, 4000])
    habits, perfusion = population.of(kind), kind == "perfusion"
    right, right_place = _lung(random, -1)
    left, left_place = _lung(random, 1)
    left *= 1 - _heart(random) * random.uniform(0.6, 1.0)
    share = np.clip(random.normal(0.525, 0.021), 0.42, 0.62)
    image = right * (share / right.sum()) + left * ((1 - share) / left.sum())
    peak = float(image.max())
    places = ((-1, right_place), (1, left_place))
    if random.random() < _DISEASED:
        image = _wedges(image, places, random) if perfusion else _patches(image, peak, places, random)
    if perfusion and random.random() < 0.1:
        image = image + _clumps(image, peak, random)
    _, top, bottom, _ = right_place
    image = image + peak * 0.05 * ((np.abs(_COLUMNS - 128) < 18) & (top < _ROWS) & (bottom > _ROWS))
    image = image + peak * random.uniform(0.003, 0.02) * ((np.abs(_COLUMNS - 128) < 95) & (_ROWS > 30))
    if random.random() < habits.neck:
        image = image + peak * _airway(top, random)
    if random.random() < habits.stomach:
        image = image + peak * random.uniform(0.1, 0.8) * _spot(165, 215, 16, 12)
    return _counted(image, random, perfusion=perfusion)


def _lung(random: Generator, sign: int) -> tuple[Gray, Place]:
    """One lung of a flat outline over a dome, brightest in the middle third."""
    x, top, bottom = 128 + sign * random.uniform(32, 42), random.uniform(55, 75), random.uniform(175, 205)
    half = random.uniform(20, 30)
    down = (_ROWS - top) / (bottom - top)
    apex = np.sqrt(np.clip(1 - (1 - np.clip(down / 0.35, 0, 1)) ** 2, 0, 1))
    breadth = half * apex * np.where(down < 0.35, 1, 1 + 0.15 * (down - 0.35))
    edges = x - sign * breadth * 0.85, x + sign * breadth * 1.05
    dome = bottom - 18 * np.exp(-(((_COLUMNS - x) / (half * 0.9)) ** 2))
    inside = (down > 0) & (dome > _ROWS) & (np.minimum(*edges) < _COLUMNS) & (np.maximum(*edges) > _COLUMNS)
    thirds = np.interp(down, (0, 1 / 6, 1 / 2, 5 / 6, 1), (0.6, 0.8, 1.3, 0.8, 0.5))
    return (inside * thirds).astype(np.float32), (x, top, bottom, half)


def _heart(random: Generator) -> Gray:
    x, y = 128 + random.uniform(8, 20), random.uniform(165, 190)
    return np.asarray(_spot(x, y, random.uniform(18, 28), random.uniform(25, 40)) > 0.5, dtype=np.float32)


def _wedges(image: Gray, places: Places, random: Generator) -> Gray:
    """Sectors with their tip inside and open to the pleura."""
    for _ in range(int(random.integers(1, 7))):
        sign, (x, top, bottom, half) = places[int(random.integers(2))]
        tip = x - sign * half * 0.2, random.uniform(top + 15, bottom - 15)
        towards = random.uniform(-1, 1) + (0 if sign > 0 else np.pi)
        angle = np.arctan2(_ROWS - tip[1], _COLUMNS - tip[0])
        aside = np.abs(np.angle(np.exp(1j * (angle - towards))))
        image = image * (1 - random.uniform(0.6, 1.0) * (aside < random.uniform(0.2, 0.5)))
    return image


def _patches(image: Gray, peak: float, places: Places, random: Generator) -> Gray:
    """Deposition about both hila, and uneven ventilation."""
    for sign, (_, top, bottom, _) in places:
        height = top + 0.36 * (bottom - top)
        image = image + peak * random.uniform(0.3, 1.5) * _spot(128 + sign * 18, height, 10, 16)
    cloud = cv2.GaussianBlur(random.normal(size=image.shape).astype(np.float32), (0, 0), 14)
    return np.asarray(image * np.clip(1 + 0.35 * cloud / cloud.std(), 0.1, 3), dtype=np.float32)


def _clumps(image: Gray, peak: float, random: Generator) -> Gray:
    found = np.zeros_like(image)
    for _ in range(int(random.integers(1, 5))):
        found = found + peak * random.uniform(1, 3) * _spot(random.uniform(60, 196), random.uniform(70, 190), 2.8, 2.8)
    return np.asarray(found * (image > 0), dtype=np.float32)


def _airway(top: float, random: Generator) -> Gray:
    """A windpipe, most often with the throat above it, as shares of the lungs' peak."""
    tube = random.uniform(0.1, 1.2) * (
        (np.abs(_COLUMNS - 128) < 5) & (random.uniform(5, 25) < _ROWS) & (top + 30 > _ROWS)
    )
    if random.random() < 0.6:
        tube = tube + random.uniform(0.3, 2) * _spot(128, random.uniform(8, 25), 9, 9)
    return np.asarray(tube, dtype=np.float32)


def _spot(x: float, y: float, wide: float, high: float) -> Gray:
    return np.asarray(np.exp(-(((_COLUMNS - x) / wide) ** 2 + ((_ROWS - y) / high) ** 2)), dtype=np.float32)


def _counted(image: Gray, random: Generator, *, perfusion: bool) -> NDArray[np.uint16]:
    """Blurred, laid as the patient lies, cut off at the field, counted: ventilation is softer and has fewer counts."""
    soft = cv2.GaussianBlur(image, (0, 0), random.uniform(1.5, 2.5) if perfusion else random.uniform(2.5, 4.0))
    matrix = cv2.getRotationMatrix2D((128, 128), random.normal(0, 3), random.uniform(0.85, 1.15))
    matrix[:, 2] = matrix[:, 2] + random.normal(0, 6, 2)
    laid = np.maximum(cv2.warpAffine(soft, matrix, (_SIDE, _SIDE)), 0)
    counts = random.uniform(4e5, 1e6) if perfusion else random.uniform(2e5, 5e5)
    found = random.poisson(laid * (counts / laid.sum()))
    cut = int(random.integers(0, 14))
    if cut:
        found[:, :cut] = found[:, -cut:] = 0
    return np.asarray(found, dtype=np.uint16)
