"""What lies on a radiograph besides the patient: the lead side marker and the collimator's edge."""

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrkit.phantoms.settings import ChestSettings, visit_stream

Gray = NDArray[np.float32]


def overlay(settings: ChestSettings, image: Gray, pixel: float) -> Gray:
    """The image [H, W] in [0, 1] with marker and collimated border; pixel in mm."""
    random = visit_stream(settings, "border", 1)
    shown = np.minimum(image, 1 - _closed(random, image.shape, pixel))
    if not settings.marker:
        return shown
    lead = _letter(random, settings, image.shape, pixel)
    return np.asarray(np.maximum(shown, 0.97 * lead), dtype=np.float32)


def _letter(random: np.random.Generator, settings: ChestSettings, shape: tuple[int, ...], pixel: float) -> Gray:
    """A lead L above the patient's left shoulder (right in the image) or an R above the right one."""
    left = settings.view == "lateral" or bool(random.random() < 0.6)
    tall = random.uniform(11, 16)
    scale = max(tall / pixel / 22, 0.3)
    stroke = max(round(2.6 / pixel), 1)
    rows, columns = shape
    away = random.uniform(0.06, 0.1) * columns
    row = int(random.uniform(0.08, 0.16) * rows) + int(tall / pixel)
    column = int(columns - away - 0.8 * tall / pixel) if left and settings.view != "lateral" else int(away)
    drawn = np.zeros(shape, dtype=np.uint8)
    cv2.putText(drawn, "L" if left else "R", (column, row), cv2.FONT_HERSHEY_SIMPLEX, scale, 255, stroke, cv2.LINE_AA)
    turn = cv2.getRotationMatrix2D((column, row), random.normal(0, 4), 1.0)
    turned = cv2.warpAffine(drawn, turn, (columns, rows), flags=cv2.INTER_LINEAR)
    return np.asarray(turned, dtype=np.float32) / np.float32(255)


def _closed(random: np.random.Generator, shape: tuple[int, ...], pixel: float) -> Gray:
    """1 behind the collimator's blades, on up to three sides in four images of ten; soft over 1.5 mm."""
    rows, columns = shape
    used = random.random() < 0.4
    width = np.where(random.random(4) < 0.5, random.uniform(3, 14, 4), -10.0) if used else np.full(4, -10.0)
    y = (np.arange(rows, dtype=np.float32) + 0.5)[:, None] * np.float32(pixel)
    x = (np.arange(columns, dtype=np.float32) + 0.5)[None, :] * np.float32(pixel)
    lean = np.float32(random.normal(0, 0.006))
    y, x = y + lean * (x - x.max() / 2), x - lean * (y - y.max() / 2)
    distance = np.minimum(
        np.minimum(y - np.float32(width[0]), x - np.float32(width[1])),
        np.minimum(y.max() - np.float32(width[2]) - y, x.max() - np.float32(width[3]) - x),
    )
    return np.asarray(np.clip(0.5 - distance / 1.5, 0, 1), dtype=np.float32)
