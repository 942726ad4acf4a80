"""Soft tissue around the rib cage, and gas outside the lungs (airways, stomach, bowel)."""

import numpy as np
from numpy.typing import NDArray

from cxrkit.phantoms.chest_anatomy import Anatomy
from cxrkit.phantoms.chest_shape import Profile, Stack, length
from cxrkit.phantoms.projection import View
from cxrkit.phantoms.settings import ChestSettings, visit_stream
from cxrkit.phantoms.solids import Cloud, core, course, join

Gray = NDArray[np.float32]


def body_thickness(settings: ChestSettings, anatomy: Anatomy, view: View) -> Gray:
    """Soft tissue along the beam [H, W] in reference mm, as if all within the skin were solid."""
    total = np.zeros(view.shape, dtype=np.float32)
    parts = [length(_chord(solid, view, 0.0)) for solid in (_neck(anatomy), _torso(anatomy))]
    if not view.lateral:
        parts.append(length(_chord(_girdle(anatomy), view, -10.0)))
        parts += [_arm(settings, anatomy, view, sign) for sign in (-1, 1)]
    else:
        parts += [_breast_profile(anatomy, view), _raised_arms(anatomy, view)]
    for part in parts:
        total = _smooth_maximum(total, part)
    return total if view.lateral else total + _front_fat(anatomy, view)


def _chord(solid: Stack, view: View, depth: float) -> tuple[Gray, Gray]:
    across, y = view.plane(depth)
    return solid.lateral(across, y) if view.lateral else solid.frontal(across, y)


def _smooth_maximum(first: Gray, second: Gray, width: float = 12.0) -> Gray:
    """The larger of two lengths with a rounded crease; exact where either is 0."""
    both = np.minimum(first, second)
    crease = np.maximum(width - np.abs(first - second), 0) ** 2 / (4 * width)
    return np.asarray(np.maximum(first, second) + crease * np.clip(both / 30, 0, 1), dtype=np.float32)


def _torso(anatomy: Anatomy) -> Stack:
    fat = anatomy.fat
    wall = anatomy.lungs[1].border
    half = [(-62.0, 2.0), (-30.0, 60.0), (10.0, 110.0), (60.0, 145.0), (95.0, 152.0)]
    half += [(y, float(wall(y)) + 17) for y in (140, 190, 230, 280)] + [(420, float(wall(280)) + 12 + 0.5 * fat)]
    borders = [(y, x + fat * (0.9 if y < 250 else 1.15)) for y, x in half]
    front = {-62: 20, -30: 40, 30: 62, 80: 88, 150: 104, 220: 108, 300: 110, 420: 108}
    back = {-62: -50, -30: -80, 30: -116, 80: -126, 150: -126, 220: -124, 300: -118, 420: -105}
    centre = [(y, (front[y] + back[y]) / 2 + 0.2 * fat) for y in front]
    deep = [(y, (front[y] - back[y]) / 2 + 0.8 * fat) for y in front]
    return Stack(
        Profile(*((y, -x) for y, x in borders)), Profile(*borders), Profile(*centre), Profile(*deep), power=3.2
    )


def _neck(anatomy: Anatomy) -> Stack:
    fat = anatomy.fat
    half = [(-140, 60), (-90, 55), (-60, 56), (0, 62), (40, 40)]
    borders = [(y, x + 0.5 * fat) for y, x in half]
    return Stack(
        Profile(*((y, -x) for y, x in borders)),
        Profile(*borders),
        Profile((-140, 0), (-60, -15), (40, -30)),
        Profile((-140, 74 + 0.3 * fat), (-60, 74 + 0.3 * fat), (0, 76), (40, 30)),
        power=2.2,
    )


def _girdle(anatomy: Anatomy) -> Stack:
    """Shoulders and the trapezius slope; open towards the arms."""
    fat, slope = anatomy.fat, 10 * anatomy.extra[21]
    half = [
        (-62, 30),
        (-45, 66),
        (-30, 92 - slope),
        (-16, 132 - slope),
        (-6, 164),
        (6, 186),
        (20, 197),
        (50, 203),
        (90, 192),
        (140, 168),
        (190, 150),
    ]
    borders = [(y - 0.25 * fat, x + 0.45 * fat) for y, x in half]
    deep = [(-62, 2), (-52, 36), (-40, 60), (-10, 76), (30, 86), (70, 82), (110, 58), (150, 34), (190, 2)]
    return Stack(
        Profile(*((y, -x) for y, x in borders)),
        Profile(*borders),
        Profile((-62, -30), (190, -20)),
        Profile(*((y - 0.25 * fat, z + (0.4 * fat if z > 5 else 0)) for y, z in deep)),
        power=3.0,
    )


def _arm(settings: ChestSettings, anatomy: Anatomy, view: View, sign: int) -> Gray:
    """The upper arm: a tapering tube, its chord taken square to its axis."""
    x, y = view.plane(-15.0)
    start = np.array([176.0, 40.0])
    end = np.array([236.0, 200.0] if settings.view == "PA" else [206.0, 230.0])
    direction = (end - start) / np.linalg.norm(end - start)
    across, down = x * sign - start[0], y - start[1]
    along = across * direction[0] + down * direction[1]
    away = across * direction[1] - down * direction[0]
    radius = np.interp(along, [-60, 0, 60, 200], [44, 44, 42, 38]).astype(np.float32) + np.float32(0.45 * anatomy.fat)
    beyond = np.minimum(along, 0)
    inside = np.maximum(1 - (away / radius) ** 2 - (beyond / radius) ** 2, 0)
    return np.asarray(2 * radius * np.sqrt(inside), dtype=np.float32)


def _front_fat(anatomy: Anatomy, view: View) -> Gray:
    """Breasts, or the pectoral muscles."""
    total = np.zeros(view.shape, dtype=np.float32)
    front = float(anatomy.lungs[1].front(170)) + 10
    wide, up, down, deep, *middle = _breast(anatomy)
    across, y = view.plane(front)
    drop = (y - middle[1]) / np.where(y > middle[1], down, up)
    for sign in (-1, 1):
        q = drop**2 + ((across * sign - middle[0]) / wide) ** 2
        fade = 1.6 - np.clip(drop + 0.5, 0, 1) * np.float32(0.8 if anatomy.female else 0.2)
        total += deep * np.maximum(1 - q, 0) ** fade
    return total


def _breast(anatomy: Anatomy) -> tuple[float, float, float, float, float, float]:
    """Half-width, reach up, reach down, depth, x and y of the middle."""
    if not anatomy.female:
        return 74.0, 60.0, 52.0, 12 + 0.2 * anatomy.fat, 92.0, 112.0
    size = 0.8 + 0.02 * anatomy.fat + 0.15 * float(anatomy.extra[22])
    return 64 * size, 92 * size, 46 * size, 34 * size, 80.0 + 0.3 * anatomy.fat, 182 + 24 * (size - 0.8)


def _breast_profile(anatomy: Anatomy, view: View) -> Gray:
    """Seen from the side: both breasts behind one another, standing out of the chest wall."""
    wide, up, down, deep, _, middle = _breast(anatomy)
    front = float(anatomy.lungs[1].front(middle)) + 10
    z, y = view.plane(0.0)
    reach = 40 + (1.3 * deep if anatomy.female else 0.2 * deep)
    q = ((y - middle) / np.where(y > middle, down, 1.2 * up)) ** 2 + ((z - front + 30) / reach) ** 2
    return np.asarray(3 * wide * np.sqrt(np.maximum(1 - q, 0)), dtype=np.float32)


def _raised_arms(anatomy: Anatomy, view: View) -> Gray:
    """Seen from the side: shoulders, and upper arms that lead up and forwards."""
    z, y = view.plane(0.0)
    along = ((z + 20) * 0.42 - (y - 45) * 0.91).astype(np.float32)
    away = (z + 20) * 0.91 + (y - 45) * 0.42
    radius = np.interp(along, [0, 40, 120], [78, 66, 52]).astype(np.float32) + np.float32(0.4 * anatomy.fat)
    inside = np.maximum(1 - (away / radius) ** 2 - (np.minimum(along, 0) / radius) ** 2, 0)
    return np.asarray(2.4 * radius * np.sqrt(inside), dtype=np.float32)


def airway_cloud(anatomy: Anatomy, spacing: float) -> Cloud:
    """Air in the trachea and main bronchi."""
    x, y = anatomy.carina
    wide = 8.4 if anatomy.female else 9.8
    lean = 2 + 3 * anatomy.extra[23]

    def z(level: float) -> float:
        return float(anatomy.spine_z(level)) + 30

    trachea = [
        (lean * 0.2, -95, z(-95)),
        (lean * 0.5, -50, z(-50)),
        (lean * 0.5, 0, z(0)),
        (x, 45, z(45)),
        (x, y, z(y)),
    ]
    right = [
        (x - 2, y - 4, z(y)),
        (x - 14, y + 12, z(y)),
        (x - 27, y + 24, z(y)),
        (x - 34, y + 42, z(y) - 6),
        (x - 38, y + 58, z(y) - 12),
    ]
    left = [
        (x + 2, y - 4, z(y)),
        (x + 16, y + 12, z(y)),
        (x + 32, y + 24, z(y) - 4),
        (x + 44, y + 36, z(y) - 10),
        (x + 48, y + 54, z(y) - 16),
    ]
    tubes = [
        (trachea, [(wide, wide * 0.9)] * 5),
        (right, [(6.5, 6), (6.8, 6.5), (6, 6), (4.5, 4.5), (3.5, 3.5)]),
        (left, [(6, 5.5), (6, 6), (5.5, 5.5), (4.2, 4.2), (3.3, 3.3)]),
    ]
    return join([core(course(path, axes, (1, 0, 0.1), spacing), 0.0, spacing) for path, axes in tubes])


def abdominal_gas(settings: ChestSettings, anatomy: Anatomy, view: View) -> Gray:
    """Gas along the beam [H, W] in reference mm: the stomach's bubble under the left dome, and bowel loops."""
    random = visit_stream(settings, "texture", 1)
    top = anatomy.domes[1].top
    total = np.zeros(view.shape, dtype=np.float32)
    upright = settings.view != "AP"
    bubble = random.uniform([44, 14, 10], [72, 24, 18])
    balls = [(bubble, (random.uniform(24, 36), random.uniform(12, 20), 22.0), upright)]
    for _ in range(int(random.integers(2, 7))):
        place = random.uniform([70, 40, 0], [125, 110, 40])
        balls.append((place, tuple(random.uniform(7, 15, 3)), False))
    for (x, down, z), (wide, tall, deep), level in balls:
        across, y = view.plane(x if view.lateral else z)
        half, reach, middle = (wide, deep, z) if view.lateral else (deep, wide, x)
        lowest = top + down + tall
        inside = np.maximum(1 - ((across - middle) / reach) ** 2 - ((y - lowest) / tall) ** 2, 0)
        gas = 2 * half * np.sqrt(inside)
        if level:
            gas = gas * np.clip((lowest + 0.35 * tall - y) / 1.5, 0, 1)
        total = np.maximum(total, gas)
    return total
