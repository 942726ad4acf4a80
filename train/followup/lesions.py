"""Lesions drawn into a view of a chest: nodule, consolidation and cavity here, the others in lesions_of_space.

A lesion's seed gives its place and shape, its size and contrast alone say how much of it there is: the same seed at
another size is the same lesion, grown or shrunk.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrkit.pixels import Gray
from train.drawing import Random, blob, texture
from train.followup.pose import Bump
from train.followup.space import Lung, Space


@dataclass(frozen=True, eq=False)
class Mark:
    """What one lesion does to the view.

    Attributes:
        density: [W, W] >= 0, further attenuation. Those of several lesions add up.
        extent: [W, W] >= 0, how much of the lesion is where; the change of a lesion is told by the change of this.
        change: [W, W], added to the gray values as it is; for what is no attenuation.
        bumps: how it moves borders.
    """

    density: Gray
    extent: Gray
    change: Gray | None = None
    bumps: tuple[Bump, ...] = ()


def consolidation(space: Space, random: Random, size: float, contrast: float) -> Mark:
    """Filled air spaces: patches in one lung or both, a lobe, or a diffuse haze as in oedema or viral pneumonia."""
    draw = (_patches, _lobe, _haze)[int(random.choice(3, p=(0.45, 0.2, 0.35)))]
    density = contrast * draw(space, random, size) * space.soft
    return Mark(density, density)


def nodule(space: Space, random: Random, size: float, contrast: float) -> Mark:
    """One round opacity, or several."""
    density = np.zeros_like(space.view)
    for _ in range(1 if random.random() < 0.65 else int(random.integers(2, 7))):
        lump = blob(32, (15.5, 15.5), 8, 0.25, random, (0.85, 1.18))
        density += _lay(lump, space, space.place(random), size * random.uniform(0.016, 0.034))
    density *= np.float32(1.0 * contrast) * space.soft
    return Mark(density, density)


def cavity(space: Space, random: Random, size: float, contrast: float) -> Mark:
    """A wall round air, at times with a fluid level, in a thin haze."""
    middle = (31.5, 31.5)
    wall = random.uniform(0.25, 0.55)
    outer = blob(64, middle, 16, 0.4, random, (0.85, 1.18))
    inner = blob(64, middle, 16 / (1 + wall), 0.3, random, (0.85, 1.18))
    haze = blob(64, middle, 24, 0.9, random) * texture(64, random)
    level = 34 + 8 * random.random() if random.random() < 0.3 else 64.0
    rows = np.arange(64, dtype=np.float32)[:, None]
    air = inner * np.clip(level - rows, 0, 1)
    patch = np.clip(outer - 0.9 * air, 0, 1) * 1.1 + 0.35 * haze * (1 - air)
    place = space.place(random)
    radius = size * random.uniform(0.035, 0.065)
    density = np.float32(contrast) * _lay(patch, space, place, radius) * space.soft
    # The mask is the whole cavity, air and all.
    extent = np.maximum(density, np.float32(contrast) * _lay(outer, space, place, radius) * space.soft)
    return Mark(density, extent)


def _lay(patch: Gray, space: Space, centre: tuple[float, float], radius: float) -> Gray:
    """A patch [P, P] with a lesion of radius P / 4 in it, laid into the view; `radius` in shares of its side."""
    side, middle = len(space.view), (len(patch) - 1) / 2
    scale = radius * side / (len(patch) / 4)
    move = np.array([[scale, 0, centre[0] - scale * middle], [0, scale, centre[1] - scale * middle]])
    return np.asarray(cv2.warpAffine(patch, move, (side, side)), dtype=np.float32)


def _patches(space: Space, random: Random, size: float) -> Gray:
    density = np.zeros_like(space.view)
    for _ in range(int(random.choice((1, 2, 3, 5), p=(0.4, 0.25, 0.2, 0.15)))):
        patch = blob(96, (47.5, 47.5), 24, 1.0, random) * (0.55 + 0.65 * texture(96, random))
        density += _lay(patch, space, space.place(random), size * random.uniform(0.05, 0.11))
    return np.asarray(np.minimum(1.2 * density, 1.6))


def _lobe(space: Space, random: Random, size: float) -> Gray:
    """A lobe, or part of one: one border is a fissure and sharp, the other fades."""
    lung = space.choose_lung(random)
    upper, slope = random.random() < 0.5, random.uniform(-0.25, 0.25)
    fissure, reach = random.uniform(0.4, 0.62), random.uniform(0.2, 0.4) * size
    below = lung.down() - fissure - slope * (lung.away() - 0.5)
    depth = -below if upper else below
    filled = step(depth * 18 + 0.5) * step((reach - depth) * 4 + 0.5)
    return np.asarray(1.3 * filled * (0.6 + 0.6 * _coarse_texture(space, random)) * lung.around)


def _haze(space: Space, random: Random, size: float) -> Gray:
    """Diffuse: round the hila, at the bases, at the periphery, or all over; nearly always in both lungs."""
    pattern = int(random.integers(4))
    one_sided, grain = random.random() < 0.2, 0.45 + 0.75 * _coarse_texture(space, random)
    lungs = (space.choose_lung(random),) if one_sided else space.lungs
    density = np.zeros_like(space.view)
    for lung in lungs:
        density += random.uniform(0.5, 1.0) * _HAZES[pattern](lung, size) * lung.around
    return density * grain


def _round_the_hilum(lung: Lung, size: float) -> Gray:
    return np.exp(-((lung.away() / (0.65 * size)) ** 2) - ((lung.down() - 0.52) / (0.33 * size)) ** 2)


def _at_the_base(lung: Lung, size: float) -> Gray:
    return step((lung.down() - 1 + 0.6 * size) / 0.45 + 0 * lung.away())


def _at_the_rim(lung: Lung, size: float) -> Gray:
    return step((lung.away() - 0.85 + 0.5 * size) / 0.5) * step((lung.down() - 0.6 + 0.55 * size) / 0.4)


def _all_over(lung: Lung, size: float) -> Gray:
    return min(size, 1.4) * 0.75 * np.ones_like(lung.soft)


_HAZES: tuple[Callable[[Lung, float], Gray], ...] = (_round_the_hilum, _at_the_base, _at_the_rim, _all_over)


def _coarse_texture(space: Space, random: Random) -> Gray:
    side = len(space.view)
    return np.asarray(cv2.resize(texture(side // 2, random), (side, side)), dtype=np.float32)


def step(value: NDArray[np.floating]) -> Gray:
    """0 below 0, 1 above 1, smooth between."""
    value = np.clip(value, 0, 1)
    return np.asarray(value * value * (3 - 2 * value), dtype=np.float32)
