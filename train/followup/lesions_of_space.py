"""Lesions that change the lung's own space: effusion, pneumothorax, atelectasis, enlarged heart."""

import cv2
import numpy as np

from cxrkit.pixels import Gray, eight_bits, gray_of, smooth
from train.drawing import Random, noise
from train.followup.lesions import Mark, step
from train.followup.pose import Bump, heart_bumps
from train.followup.space import Lung, Space


def effusion(space: Space, random: Random, size: float, contrast: float) -> Mark:
    """Fluid at the base with a meniscus, of one lung or both; lying, a veil that thickens towards the base."""
    both, lying = random.random() < 0.25, random.random() < 0.25
    lungs = space.lungs if both else (space.choose_lung(random),)
    density = np.zeros_like(space.view)
    for lung in lungs:
        high = float(np.clip(size * random.uniform(0.12, 0.34), 0.08, 0.9))
        if lying:
            share = 0.45 * step((lung.down() - 1 + 2.0 * high) / (2.0 * high)) + 0 * lung.away()
        else:
            edge = np.clip(lung.away(), 0, 1.1)
            climb = (0.10 + 0.22 * high) * edge**2.6 + 0.03 * (1 - np.minimum(edge, 1)) ** 4
            share = step((lung.down() - 1 + high + climb) / 0.07)
        density += 2.2 * share * lung.around
    density *= np.float32(contrast) * (1 + 0.04 * noise(len(space.view), 12, random))
    return Mark(density, density)


def pneumothorax(space: Space, random: Random, size: float, contrast: float) -> Mark:
    """Air between the chest wall and a lung that has shrunk, no vessels in it, and the pleura's thin line."""
    lung = space.choose_lung(random)
    loss = float(np.clip(size * random.uniform(0.07, 0.2), 0.05, 0.5))
    shrunk = _shrunk(lung, loss, random)
    # At the lung's middle and base the shrunk map's rim is no air.
    where = np.maximum(step(5 * lung.away() - 1.2), step(3 - 5 * lung.down()) * step(6 * lung.away()))
    gap = np.clip(lung.soft - shrunk, 0, 1) * where
    # Vessels are thinner than the windows of these medians, ribs are not.
    levels = eight_bits(space.view)
    for _ in range(3):
        levels = np.asarray(cv2.medianBlur(levels, 5), dtype=np.uint8)
    plain = smooth(gray_of(levels), 1.0)
    share = min(contrast, 1.0)
    darker = 0.22 * contrast * np.clip(space.view - space.floor, 0, None)
    line = np.exp(-(((shrunk - 0.45) / 0.22) ** 2)) * np.clip(6 * cv2.blur(gap, (7, 7)) - 0.5, 0, 1) * lung.soft
    tone = max(space.ceiling - space.floor, 1e-3)
    change = gap * (0.85 * share * (plain - space.view) - darker) + line * np.float32(0.2 * contrast * tone)
    density = np.float32(0.5 * loss * contrast) * shrunk * lung.soft
    return Mark(density, gap * np.float32(contrast), change=np.asarray(change, dtype=np.float32))


def _shrunk(lung: Lung, loss: float, random: Random) -> Gray:
    """The lung's map, shrunk towards its hilum and base."""
    pivot_x = lung.medial
    pivot_y = lung.box[1] + lung.height * random.uniform(0.95, 1.05)
    across, down = 1 - 1.15 * loss, 1 - loss
    move = np.array([[across, 0, pivot_x * (1 - across)], [0, down, pivot_y * (1 - down)]])
    return np.asarray(cv2.warpAffine(lung.soft, move, lung.soft.shape[::-1]), dtype=np.float32)


def atelectasis(space: Space, random: Random, size: float, contrast: float) -> Mark:
    """A plate across the lower zone, or the collapse of an upper or a lower lobe with the shift that it causes."""
    lung, kind = space.choose_lung(random), int(random.choice(3, p=(0.45, 0.25, 0.3)))
    if kind == 0:
        density = contrast * _plates(lung, random, size) * space.soft
        return Mark(density, density)
    away, down = lung.away(), lung.down()
    pull = 0.06 * contrast * size * lung.height
    middle = (lung.box[0] + lung.box[2]) / 2
    if kind == 1:
        fissure = 0.42 - 0.3 * np.clip(away, 0, 1.3) ** 0.62 / max(size, 0.5) ** 0.5
        share = step((fissure - down) / 0.05 + 0.5)
        bump = Bump(lung.medial, lung.box[1] + 0.42 * lung.height, 0.6 * lung.width, 0.3 * lung.height, 0.0, pull)
    else:
        edge = (0.1 + 0.5 * size * np.clip((down - 0.4) / 0.6, 0, 1.3) ** 1.1) * random.uniform(0.8, 1.2)
        share = 0.9 * step((edge - away) / 0.09 + 0.5) * step((down - 0.35) / 0.25)
        bump = Bump(middle, float(lung.box[3]), 0.7 * lung.width, 0.35 * lung.height, 0.0, pull)
    density = np.float32(1.3 * contrast) * share * lung.around * space.soft
    return Mark(density, density, bumps=(bump,))


def _plates(lung: Lung, random: Random, size: float) -> Gray:
    """One to three thin bands, most of them level."""
    total = np.zeros_like(lung.soft)
    away, down = lung.away(), lung.down()
    place = random.uniform(0.5, 0.85)
    for _ in range(int(random.integers(1, 4))):
        slope, bend = random.normal() * 0.16, random.uniform(-0.15, 0.15)
        start = random.uniform(0.05, 0.5)
        end = start + random.uniform(0.25, 0.5)
        thick = size * random.uniform(0.011, 0.024)
        off = (down - place - slope * (away - 0.5) - bend * (away - 0.5) ** 2) / thick
        ends = step((away - start) / 0.15) * step((end - away) / 0.15)
        total += random.uniform(0.5, 1.0) * np.exp(-(np.abs(off) ** 3)) * ends
        place += random.uniform(-0.14, 0.14)
    return total


def enlarged_heart(space: Space, random: Random, size: float, contrast: float) -> Mark:
    """The heart's borders moved outwards, the one on the right of the image further."""
    # The faintest is still more than breath and projection do.
    grown = contrast * size
    left, right = min(0.07 + 0.15 * grown, 0.36), min(0.17 + 0.27 * grown, 0.58)
    bumps = heart_bumps(space, left * random.uniform(0.6, 1.2), right * random.uniform(0.85, 1.1))
    nothing = np.zeros_like(space.view)
    return Mark(nothing, nothing, bumps=tuple(bumps))
