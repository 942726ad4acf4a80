"""Signs like those of tuberculosis, drawn into the lungs of images without it.

In the public sets tuberculosis and normal chests come from different archives, so a network can tell the archive.
A drawn lesion makes a positive image of any archive's look, which only its lungs tell from a negative one (the idea
of Li et al., CutPaste, CVPR 2021, with lesions in place of patches).
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrkit.pixels import Gray, smooth
from train.drawing import Random, blob, noise, texture


def draw_lesions(view: Gray, lungs: Gray, random: Random) -> Gray:
    """Draw one to three signs into a prepared view.

    Args:
        view: [S, S] in [0, 1].
        lungs: [S, S] in [0, 1], probability of lung in the same frame.
        random: what is drawn, where and how dense.

    Returns:
        [S, S] in [0, 1]; the view itself where it has no lung.
    """
    inside = lungs > 0.5
    if not inside.any():
        return view
    density = np.zeros_like(view)
    for sign in random.choice(len(_SIGNS), random.integers(1, 4), p=_SHARES):
        density += _SIGNS[sign](inside, random)
    density *= smooth(lungs, view.shape[0] / 96)
    # Denser tissue leaves less light; what is already white cannot become whiter.
    return np.asarray(view + (1 - view) * (1 - np.exp(-2 * density)), dtype=np.float32)


def _patches(inside: NDArray[np.bool_], random: Random) -> Gray:
    """Consolidation: up to three fuzzy, textured patches."""
    side, (x, y), strength = len(inside), _place(inside, random), _strength(random)
    density = np.zeros(inside.shape, dtype=np.float32)
    for _ in range(random.integers(1, 4)):
        radius = side * random.uniform(0.03, 0.14)
        centre = (x + random.normal() * radius, y + random.normal() * radius)
        density += strength * blob(side, centre, radius, 0.9, random) * (0.4 + 0.9 * texture(side, random))
    return density


def _cavity(inside: NDArray[np.bool_], random: Random) -> Gray:
    """A wall round air, in a thin haze."""
    side, centre, strength = len(inside), _place(inside, random), _strength(random)
    radius, wall = side * random.uniform(0.03, 0.09), random.uniform(0.25, 0.5)
    outer = blob(side, centre, radius * (1 + wall), 0.4, random)
    inner = blob(side, centre, radius, 0.4, random)
    haze = blob(side, centre, 2 * radius, 0.9, random) * texture(side, random) * (1 - inner)
    return np.asarray(strength * np.clip(outer - 0.9 * inner, 0, 1) + 0.4 * strength * haze, dtype=np.float32)


def _nodules(inside: NDArray[np.bool_], random: Random) -> Gray:
    """A group of two to twelve small nodules."""
    side, (x, y), strength = len(inside), _place(inside, random), _strength(random)
    density = np.zeros(inside.shape, dtype=np.float32)
    for _ in range(random.integers(2, 13)):
        centre = (x + random.normal() * 0.08 * side, y + random.normal() * 0.08 * side)
        density += 0.8 * strength * blob(side, centre, side * random.uniform(0.008, 0.03), 0.3, random)
    return density


def _streaks(inside: NDArray[np.bool_], random: Random) -> Gray:
    """Fibrosis: thin lines, most of them steep."""
    side, (x, y), strength = len(inside), _place(inside, random), _strength(random)
    lines = np.zeros(inside.shape, dtype=np.float32)
    for _ in range(random.integers(3, 10)):
        start = (x + random.normal() * 0.04 * side, y + random.normal() * 0.06 * side)
        angle, length = random.normal() * 0.6 + np.pi / 2, side * random.uniform(0.05, 0.18)
        end = (start[0] + np.cos(angle) * length, start[1] + np.sin(angle) * length)
        width = int(random.integers(1, 3))
        cv2.line(lines, _whole(start), _whole(end), float(random.uniform(0.4, 1)), width)
    return np.asarray(0.8 * strength * smooth(lines, random.uniform(0.6, 1.5)), dtype=np.float32)


def _effusion(inside: NDArray[np.bool_], random: Random) -> Gray:
    """The base of one lung under fluid that climbs along the wall."""
    side = len(inside)
    down, across = np.mgrid[:side, :side].astype(np.float32)
    outwards = (across - side / 2) * random.choice((-1, 1))
    rows = np.flatnonzero((inside & (outwards > 0)).any(axis=1))
    if len(rows) == 0:
        return np.zeros(inside.shape, dtype=np.float32)
    height = (rows[-1] - rows[0]) * random.uniform(0.08, 0.4)
    surface = rows[-1] - height - 0.25 * height * (outwards / (side / 4)) ** 2
    fluid = 1 / (1 + np.exp(np.clip((surface - down) / (0.012 * side), -30, 30)))
    return np.asarray(random.uniform(0.4, 0.8) * fluid * (outwards > 0), dtype=np.float32)


def _miliary(inside: NDArray[np.bool_], random: Random) -> Gray:
    """Fine grains all over both lungs."""
    side = len(inside)
    grains = np.clip(noise(side, max(2, side // 64), random), 0, 2)
    return 0.15 * _strength(random) * grains


_SIGNS: tuple[Callable[[NDArray[np.bool_], Random], Gray], ...] = (
    _patches,
    _cavity,
    _nodules,
    _streaks,
    _effusion,
    _miliary,
)
_SHARES = np.array([4, 2, 2, 2, 1, 1]) / 12


def _strength(random: Random) -> float:
    return float(random.uniform(0.08, 0.45))


def _place(inside: NDArray[np.bool_], random: Random) -> tuple[float, float]:
    """(x, y) within the lungs, three times of four in their upper half, where tuberculosis of adults mostly lies."""
    rows, columns = np.nonzero(inside)
    if random.random() < 0.75:
        upper = rows <= (rows.min() + rows.max()) / 2
        rows, columns = rows[upper], columns[upper]
    chosen = random.integers(len(rows))
    return float(columns[chosen]), float(rows[chosen])


def _whole(point: tuple[float, float]) -> tuple[int, int]:
    return int(point[0]), int(point[1])
