"""What differs between hand radiographs and not between ages, on prepared views.

What is drawn is apart from its application, so that it can be replayed and tested. OpenCV alone: one warp and one
table of gray levels an image, because the network shares its cores with what is done here.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from cxrkit.pixels import Gray, eight_bits

Eight = NDArray[np.uint8]
"""[S, S], 0 to 255."""

_LETTERS = ("L", "R", "LEFT", "RIGHT", "L 2", "R 7", "HAND", "04", "17 L")


@dataclass(frozen=True)
class Strength:
    """How far hands may be changed, and how often.

    Attributes:
        turn: largest turn in degrees, either way.
        scale: largest factor, or its inverse.
        stretch: largest factor of width to height, or its inverse.
        shift: largest shift, as a share of the side.
        mirrored: share of mirror images; left and right hands are alike in age, and nearly all are left ones. With a
            quarter of them a hand and its mirror image were told 2.8 months apart.
        quarter: share turned by 90, 180 or 270 degrees as well; few, because `prepare` mostly turns them up.
        inverted: share with black and white swapped; few, for the same reason.
        gamma: largest exponent of the gray values, or its inverse.
        contrast: largest factor of contrast, or its inverse.
        brightness: largest shift of gray values in [0, 1].
        coarse: share brought to a resolution of `least` of the side or more, and back.
        least: see coarse; 100-pixel images are 0.52 of 192 pixels.
        blurred, noisy: shares.
        corners: share with one to three corners hidden, as by a collimator or a label.
        marked: share with a lead letter.
    """

    turn: float = 15.0
    scale: float = 1.15
    stretch: float = 1.12
    shift: float = 0.06
    mirrored: float = 0.5
    quarter: float = 0.02
    inverted: float = 0.02
    gamma: float = 1.4
    contrast: float = 1.3
    brightness: float = 0.08
    coarse: float = 0.15
    least: float = 0.35
    blurred: float = 0.1
    noisy: float = 0.1
    corners: float = 0.1
    marked: float = 0.1


@dataclass(frozen=True)
class Change:
    """One draw; every field is what `apply` does.

    Attributes:
        turn: degrees, anticlockwise.
        scale: (across, down).
        shift: (across, down), shares of the side.
        mirrored, inverted: whether.
        quarters: of a full turn.
        gamma, contrast, brightness: of the gray values.
        coarse: resolution as a share of the side; 1 = as it is.
        blur: standard deviation, as a share of the side; 0 = none.
        noise: standard deviation in gray values of [0, 1]; 0 = none.
        corners: (corner 0 to 3, width, height as shares of the side, gray value) of each that is hidden.
        letters: (text, x, y as shares of the side, gray value) of each that is shown.
        seed: of the noise.
    """

    turn: float = 0.0
    scale: tuple[float, float] = (1.0, 1.0)
    shift: tuple[float, float] = (0.0, 0.0)
    mirrored: bool = False
    inverted: bool = False
    quarters: int = 0
    gamma: float = 1.0
    contrast: float = 1.0
    brightness: float = 0.0
    coarse: float = 1.0
    blur: float = 0.0
    noise: float = 0.0
    corners: tuple[tuple[int, float, float, float], ...] = ()
    letters: tuple[tuple[str, float, float, float], ...] = ()
    seed: int = 0


def draw(strength: Strength, random: Generator) -> Change:
    """Draw what happens to one view."""
    scale, stretch = _factor(strength.scale, random), np.sqrt(_factor(strength.stretch, random))
    return Change(
        turn=float(random.uniform(-strength.turn, strength.turn)),
        scale=(float(scale * stretch), float(scale / stretch)),
        shift=(_within(strength.shift, random), _within(strength.shift, random)),
        mirrored=bool(random.random() < strength.mirrored),
        inverted=bool(random.random() < strength.inverted),
        quarters=int(random.integers(1, 4)) if random.random() < strength.quarter else 0,
        gamma=_factor(strength.gamma, random),
        contrast=_factor(strength.contrast, random),
        brightness=_within(strength.brightness, random),
        coarse=float(random.uniform(strength.least, 0.9)) if random.random() < strength.coarse else 1.0,
        blur=float(random.uniform(0.001, 0.006)) if random.random() < strength.blurred else 0.0,
        noise=float(random.uniform(0.005, 0.035)) if random.random() < strength.noisy else 0.0,
        corners=_corners(random) if random.random() < strength.corners else (),
        letters=_letters(random) if random.random() < strength.marked else (),
        seed=int(random.integers(2**31)),
    )


def apply(view: Eight, change: Change) -> Gray:
    """View [S, S], 0 to 255 -> changed view [S, S] in [0, 1]."""
    seen = np.rot90(view, change.quarters) if change.quarters else view
    seen = _toned(_sharpness(_moved(np.ascontiguousarray(seen), change), change), change)
    side = len(seen)
    for corner, width, height, gray in change.corners:
        _corner(seen, corner, max(1, round(width * side)), max(1, round(height * side)))[:] = round(gray * 255)
    for text, x, y, gray in change.letters:
        at = round(x * side), round(y * side)
        cv2.putText(seen, text, at, cv2.FONT_HERSHEY_DUPLEX, side / 400, round(gray * 255), 1, cv2.LINE_AA)
    if change.noise:
        grains = np.random.default_rng(change.seed).standard_normal(seen.shape, dtype=np.float32)
        noisy = seen.astype(np.float32) / 255 + np.float32(change.noise) * grains
        return np.clip(noisy, 0, 1).astype(np.float32)
    return (seen / np.float32(255)).astype(np.float32)


def _moved(view: Eight, change: Change) -> Eight:
    """One warp about the middle. Outside lies the gray of the view's own edge."""
    side = len(view)
    angle = np.deg2rad(change.turn)
    mirror = -1.0 if change.mirrored else 1.0
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.diag([mirror * change.scale[0], change.scale[1]])
    middle = np.full(2, (side - 1) / 2)
    offset = middle - matrix @ middle + np.array(change.shift) * side
    edge = np.concatenate([view[0], view[-1], view[:, 0], view[:, -1]])
    warped = cv2.warpAffine(
        view,
        np.column_stack([matrix, offset]).astype(np.float32),
        (side, side),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=float(np.median(edge)),
    )
    return np.asarray(warped, dtype=np.uint8)


def _sharpness(view: Eight, change: Change) -> Eight:
    side = len(view)
    if change.coarse < 1:
        small = cv2.resize(view, (max(8, round(side * change.coarse)),) * 2, interpolation=cv2.INTER_AREA)
        view = np.asarray(cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
    if change.blur:
        view = np.asarray(cv2.GaussianBlur(view, (0, 0), max(0.3, change.blur * side)), dtype=np.uint8)
    return view


def _toned(view: Eight, change: Change) -> Eight:
    """Gamma, contrast about mid-gray, brightness, and perhaps inverted; one look-up a pixel."""
    levels = (np.arange(256) / 255) ** change.gamma
    levels = (levels - 0.5) * change.contrast + 0.5 + change.brightness
    levels = 1 - levels if change.inverted else levels
    return np.asarray(cv2.LUT(view, eight_bits(levels)), dtype=np.uint8)


def _corner(view: Eight, corner: int, width: int, height: int) -> Eight:
    rows = slice(0, height) if corner < 2 else slice(-height, None)
    columns = slice(0, width) if corner % 2 == 0 else slice(-width, None)
    return view[rows, columns]


def _corners(random: Generator) -> tuple[tuple[int, float, float, float], ...]:
    chosen = random.choice(4, random.integers(1, 4), replace=False)
    gray = float(random.choice([0.0, 1.0, random.uniform(0, 1)]))
    return tuple((int(corner), *random.uniform(0.04, 0.2, 2).tolist(), gray) for corner in chosen)


def _letters(random: Generator) -> tuple[tuple[str, float, float, float], ...]:
    text = str(random.choice(_LETTERS))
    # Along an edge, where markers lie.
    along, across = float(random.uniform(0.02, 0.85)), float(random.choice([0.08, 0.97]))
    x, y = (along, across) if random.random() < 0.5 else (min(across, 0.85) - 0.06, max(along, 0.08))
    return ((text, x, y, float(random.uniform(0.7, 1.0))),)


def _factor(largest: float, random: Generator) -> float:
    return float(np.exp(_within(np.log(largest), random)))


def _within(most: float, random: Generator) -> float:
    return float(random.uniform(-most, most))
