"""What lies on or in the patient or on the film and is no finding: markers, tubes, wires, electrodes, boxes."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrkit.pixels import Gray
from train.drawing import Random

_WORDS = ("L", "R", "L", "R", "AP", "PA", "LI", "RE", "SITTING", "SUPINE", "PORTABLE", "MOBILE", "1", "2", "KV", "C.W.")
_SHIFT = 4
"""Bits of a fraction in the drawing functions' coordinates."""


def draw_devices(image: Gray, count: int, seed: int) -> Gray:
    """Draw so many devices, each where such a one usually is.

    Args:
        image: [S, S] in about [0, 1], in the frame of the crop.
        count: how many.
        seed: which, where, how dense.
    """
    random = np.random.default_rng(seed)
    for _ in range(count):
        canvas = np.zeros(image.shape, dtype=np.uint8)
        draw = _DEVICES[int(random.choice(len(_DEVICES), p=_SHARES))]
        strength = draw(canvas, random)
        soft = cv2.GaussianBlur(canvas, (3, 3), 0).astype(np.float32) * np.float32(strength / 255)
        image = image + soft * np.maximum(1.1 - image, 0.15)
    return image


def _marker(canvas: NDArray[np.uint8], random: Random) -> float:
    """Letters near a border, at times in a box of lead or with a black ground."""
    side = len(canvas)
    word = str(random.choice(_WORDS))
    scale, thick = side / 256 * random.uniform(0.4, 0.9), max(1, round(side / 256 * random.uniform(1, 2.4)))
    at = (random.uniform(0.02, 0.12) if random.random() < 0.5 else random.uniform(0.8, 0.93)) * side
    down = (random.uniform(0.05, 0.2) if random.random() < 0.75 else random.uniform(0.5, 0.97)) * side
    face = int(random.choice((cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX)))
    if random.random() < 0.2:
        cv2.circle(canvas, (int(at + 6 * scale), int(down - 6 * scale)), int(16 * scale), 255, 1, cv2.LINE_AA)
    cv2.putText(canvas, word, (int(at), int(down)), face, scale, 255, thick, cv2.LINE_AA)
    return float(random.uniform(0.5, 1.0))


def _wire(canvas: NDArray[np.uint8], random: Random) -> float:
    """A lead over the chest, most often with its electrode."""
    ends = random.uniform(0.0, 1.0, (2, 2))
    ends[0, int(random.integers(2))] = random.choice((-0.05, 1.05))
    _curve(canvas, _between(ends, 0.18, random), random.uniform(0.8, 2.0))
    if random.random() < 0.7:
        _electrode(canvas, ends[1], random)
    return float(random.uniform(0.15, 0.5))


def _electrode(canvas: NDArray[np.uint8], place: NDArray[np.float64], random: Random) -> None:
    side = len(canvas)
    centre, radius = _fixed(place * side), int(side * random.uniform(0.012, 0.024) * 2**_SHIFT)
    cv2.circle(canvas, centre, radius, int(random.integers(70, 160)), cv2.FILLED, cv2.LINE_AA, _SHIFT)
    cv2.circle(canvas, centre, radius // 2, 255, cv2.FILLED, cv2.LINE_AA, _SHIFT)


def _airway_or_stomach_tube(canvas: NDArray[np.uint8], random: Random) -> float:
    """Down the middle: to the carina, or on to the stomach."""
    x = 0.5 + random.normal() * 0.025
    if random.random() < 0.5:
        points = np.array([[x, -0.05], [x + random.normal() * 0.01, 0.12], [x, random.uniform(0.18, 0.36)]])
    else:
        points = np.array([[x, -0.05], [x + 0.01, 0.3], [x + 0.03, 0.7], [x + random.uniform(0.08, 0.25), 1.05]])
    _tube(canvas, points, random)
    return float(random.uniform(0.2, 0.5))


def _central_line(canvas: NDArray[np.uint8], random: Random) -> float:
    """From a shoulder or the neck to the upper vena cava, which lies left of the image's middle."""
    flip = random.random() < 0.3
    start = random.choice((0.05, 0.3, 0.4)) + random.normal() * 0.02
    points = np.array(
        [
            [1 - start if flip else start, random.uniform(-0.05, 0.2)],
            [0.6 if flip else 0.42, random.uniform(0.15, 0.25)],
            [0.46, 0.3],
            [0.45 + random.normal() * 0.01, random.uniform(0.35, 0.55)],
        ]
    )
    _curve(canvas, points, random.uniform(0.8, 1.6))
    return float(random.uniform(0.2, 0.55))


def _drain(canvas: NDArray[np.uint8], random: Random) -> float:
    """Through the chest wall into the pleural space."""
    right = random.random() < 0.5
    points = np.array(
        [[-0.05, random.uniform(0.5, 0.9)], [0.1, random.uniform(0.4, 0.8)], [0.22, random.uniform(0.1, 0.8)]]
    )
    if right:
        points[:, 0] = 1 - points[:, 0]
    _tube(canvas, points, random)
    return float(random.uniform(0.2, 0.5))


def _implant(canvas: NDArray[np.uint8], random: Random) -> float:
    """A pacemaker's box and its lead to the heart, or a port."""
    side, flip = len(canvas), random.random() < 0.25
    place = np.array([random.uniform(0.78, 0.9), random.uniform(0.1, 0.22)])
    lead = np.array([place, [0.6, 0.16], [0.47, 0.35], [random.uniform(0.5, 0.62), random.uniform(0.65, 0.8)]])
    if flip:
        place[0], lead[:2, 0] = 1 - place[0], 1 - lead[:2, 0]
    size = side * random.uniform(0.03, 0.055)
    box = cv2.boxPoints(((place[0] * side, place[1] * side), (2 * size, 1.5 * size), random.uniform(0, 90)))
    cv2.fillConvexPoly(canvas, np.asarray(box * 2**_SHIFT, dtype=np.int32), 255, cv2.LINE_AA, _SHIFT)
    _curve(canvas, lead, random.uniform(0.8, 1.5))
    return float(random.uniform(0.5, 0.9))


def _small_metal(canvas: NDArray[np.uint8], random: Random) -> float:
    """Buttons, clips, sternal wires."""
    side = len(canvas)
    if random.random() < 0.35:
        for step in range(int(random.integers(3, 7))):
            middle = np.array([0.5 + random.normal() * 0.006, 0.28 + 0.09 * step])
            ring = middle + np.array([[-0.012, 0.0], [0.0, -0.008], [0.012, 0.0], [0.0, 0.008], [-0.012, 0.0]])
            _curve(canvas, ring, 1.0)
    else:
        for _ in range(int(random.integers(1, 6))):
            place = random.uniform(0.05, 0.95, 2) * side
            cv2.circle(canvas, _fixed(place), int(side * random.uniform(0.003, 0.008) * 2**_SHIFT), 255, 1, 16, _SHIFT)
    return float(random.uniform(0.4, 0.9))


_DEVICES: tuple[Callable[[NDArray[np.uint8], Random], float], ...] = (
    _marker,
    _wire,
    _airway_or_stomach_tube,
    _central_line,
    _drain,
    _implant,
    _small_metal,
)
_SHARES = np.array([6, 6, 3, 3, 1, 1, 2]) / 22


def _tube(canvas: NDArray[np.uint8], points: NDArray[np.float64], random: Random) -> None:
    """A wider tube with a denser line in it."""
    wide = random.uniform(2.5, 4.5)
    _curve(canvas, points, wide, int(random.integers(60, 120)))
    _curve(canvas, points, 1.0, 255)


def _between(ends: NDArray[np.float64], bend: float, random: Random) -> NDArray[np.float64]:
    middle = np.linspace(0, 1, 5)[:, None]
    points = ends[0] * (1 - middle) + ends[1] * middle
    points[1:-1] += random.normal(0, bend / 2, (3, 2))
    return np.asarray(points)


def _curve(canvas: NDArray[np.uint8], points: NDArray[np.float64], wide: float, gray: int = 255) -> None:
    """A smooth line through about these points (shares of the side); `wide` in pixels of an image of 256."""
    side = len(canvas)
    for _ in range(4):
        # Chaikin's corner cutting.
        near, far = 0.75 * points[:-1] + 0.25 * points[1:], 0.25 * points[:-1] + 0.75 * points[1:]
        points = np.concatenate([points[:1], np.stack([near, far], axis=1).reshape(-1, 2), points[-1:]])
    line = (points * side * 2**_SHIFT).astype(np.int32)[:, None]
    cv2.polylines(canvas, [line], False, gray, max(1, round(wide * side / 256)), cv2.LINE_AA, _SHIFT)


def _fixed(point: NDArray[np.float64]) -> tuple[int, int]:
    x, y = point * 2**_SHIFT
    return int(x), int(y)
