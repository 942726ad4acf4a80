"""Fields that drawn lesions are made of: blobs, textures, noise. All are float32 [S, S]."""

import cv2
import numpy as np

from cxrkit.pixels import Gray

Random = np.random.Generator


def blob(
    side: int,
    centre: tuple[float, float],
    radius: float,
    roughness: float,
    random: Random,
    stretch: tuple[float, float] = (0.6, 1.6),
) -> Gray:
    """[S, S] in [0, 1]: a turned ellipse with an uneven, more or less soft edge.

    Args:
        side: S.
        centre: (x, y).
        radius: of the circle that has been stretched.
        roughness: of the edge, 0 to about 1.
        random: shape, turn and softness.
        stretch: range of the factor along one axis, which the other one is shrunk by.
    """
    down, across = np.mgrid[:side, :side].astype(np.float32)
    angle, factor = random.uniform(0, np.pi), random.uniform(*stretch)
    x, y = across - centre[0], down - centre[1]
    along, over = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    distance = np.hypot(along * factor, over / factor) / radius
    distance += 0.35 * roughness * noise(side, max(3, int(radius / 1.5)), random)
    return np.asarray(1 / (1 + np.exp(np.clip((distance - 1) * random.uniform(2, 8), -30, 30))), dtype=np.float32)


def texture(side: int, random: Random) -> Gray:
    """[S, S] in [0, 1]: noise of four scales."""
    drawn = sum(weight * noise(side, cell, random) for weight, cell in ((1.0, 24), (0.7, 12), (0.5, 6), (0.25, 3)))
    low, high = float(np.min(drawn)), float(np.max(drawn))
    return np.asarray((drawn - low) / (high - low), dtype=np.float32)


def noise(side: int, cell: int, random: Random) -> Gray:
    """[S, S], standard normal on a grid of cells, smooth between."""
    grid = random.standard_normal((side // cell + 2, side // cell + 2)).astype(np.float32)
    return np.asarray(cv2.resize(grid, (side, side), interpolation=cv2.INTER_CUBIC), dtype=np.float32)
