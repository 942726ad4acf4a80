"""Heatmaps in colour, alike in every picture."""

import numpy as np
from numpy.typing import NDArray

_BLUE, _RED = np.array([33.0, 102.0, 172.0]), np.array([178.0, 24.0, 43.0])


def turbo(heat: NDArray[np.floating]) -> NDArray[np.uint8]:
    """[h, w] in [0, 1] -> [h, w, 3] RGB."""
    import cv2

    coloured = cv2.applyColorMap(np.round(heat * 255).astype(np.uint8), cv2.COLORMAP_TURBO)
    return np.asarray(coloured[..., ::-1], dtype=np.uint8)


def diverging(heat: NDArray[np.floating]) -> NDArray[np.float64]:
    """[h, w] in [-1, 1] -> [h, w, 3] RGB in 0 to 255: blue below 0, white at 0, red above, as in the viewer."""
    end = np.where(heat[..., None] < 0, _BLUE, _RED)
    return np.asarray(255 + (end - 255) * np.abs(heat)[..., None], dtype=np.float64)
