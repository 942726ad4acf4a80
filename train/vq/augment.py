"""What differs between lung scans and not between their types: size, shape and intensity, anew every epoch (methods 4).

What is drawn is apart from its application, so that it can be replayed and tested.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from cxrkit.pixels import Gray, gray_of, smooth

Eight = NDArray[np.uint8]
"""[S, S], 0 to 255."""


@dataclass(frozen=True)
class Strength:
    """How far scans may be changed, and how often.

    Attributes:
        scale: largest factor of size, or its inverse.
        stretch: largest factor of width to height, or its inverse.
        shear: largest tangent, either way.
        turn: largest turn in degrees, either way; patients lie askew.
        shift: largest shift, as a share of the side; of two lungs that were found little is left.
        gamma: largest exponent of the counts, or its inverse: background, saturation, another film curve.
        ceiling: lowest share of the range that is drawn as white; what lies above is cut, as of a hot clump.
        blurred: share with a coarser collimator; softest: its largest standard deviation, as a share of the side.
        grainy: share with fewer counts; fewest: counts of the brightest pixel, at the least.
        hidden: share with a part above or below the lungs cut off, as by a smaller field of view.
    """

    scale: float = 1.2
    stretch: float = 1.15
    shear: float = 0.08
    turn: float = 7.0
    shift: float = 0.05
    gamma: float = 1.5
    ceiling: float = 0.6
    blurred: float = 0.4
    softest: float = 0.02
    grainy: float = 0.4
    fewest: float = 25.0
    hidden: float = 0.3


@dataclass(frozen=True)
class Change:
    """One draw; every field is what `apply` does.

    Attributes:
        matrix: [2, 2] about the middle, row by row.
        shift: (across, down), shares of the side.
        gamma, ceiling: of the gray values.
        blur: standard deviation, as a share of the side; 0 = none.
        counts: of the brightest pixel, whose noise is added; 0 = none.
        hidden: (from, to), rows as shares of the side, that are emptied; equal = none.
        seed: of the noise.
    """

    matrix: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 1.0)
    shift: tuple[float, float] = (0.0, 0.0)
    gamma: float = 1.0
    ceiling: float = 1.0
    blur: float = 0.0
    counts: float = 0.0
    hidden: tuple[float, float] = (0.0, 0.0)
    seed: int = 0


def draw(strength: Strength, random: Generator) -> Change:
    """Draw what happens to one scan."""
    size, stretch = _factor(strength.scale, random), np.sqrt(_factor(strength.stretch, random))
    angle, shear = np.deg2rad(_within(strength.turn, random)), _within(strength.shear, random)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.array([[size * stretch, shear], [0.0, size / stretch]])
    return Change(
        matrix=tuple(matrix.ravel().tolist()),
        shift=(_within(strength.shift, random), _within(strength.shift, random)),
        gamma=_factor(strength.gamma, random),
        ceiling=float(random.uniform(strength.ceiling, 1.0)),
        blur=float(random.uniform(0.003, strength.softest)) if random.random() < strength.blurred else 0.0,
        counts=float(strength.fewest * 8 ** random.random()) if random.random() < strength.grainy else 0.0,
        hidden=_hidden(random) if random.random() < strength.hidden else (0.0, 0.0),
        seed=int(random.integers(2**31)),
    )


def apply(view: Eight, change: Change) -> Gray:
    """View [S, S], 0 to 255 -> changed view [S, S] in [0, 1]."""
    side = len(view)
    matrix = np.array(change.matrix).reshape(2, 2)
    middle = np.full(2, (side - 1) / 2)
    offset = middle - matrix @ middle + np.array(change.shift) * side
    still = smooth(gray_of(view), change.blur * side) if change.blur else gray_of(view)
    seen = cv2.warpAffine(still, np.column_stack([matrix, offset]), (side, side), flags=cv2.INTER_LINEAR)
    toned = np.minimum(seen / np.float32(change.ceiling), 1) ** np.float32(change.gamma)
    if change.counts:
        grains = np.random.default_rng(change.seed).poisson(toned * change.counts)
        toned = np.minimum(grains / change.counts, 1)
    start, stop = (round(share * side) for share in change.hidden)
    toned[start:stop] = 0
    return np.asarray(toned, dtype=np.float32)


def _hidden(random: Generator) -> tuple[float, float]:
    """Rows at the top or at the bottom: lungs fill the middle, so what is cut off there is neck or belly."""
    share = float(random.uniform(0.05, 0.22))
    return (0.0, share) if random.random() < 0.6 else (1 - share, 1.0)


def _factor(largest: float, random: Generator) -> float:
    return float(np.exp(random.uniform(-1, 1) * np.log(largest)))


def _within(largest: float, random: Generator) -> float:
    return float(random.uniform(-largest, largest))
