"""What lies on a radiograph besides the patient: the lead side marker and the collimator's edge."""

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrkit.phantoms.collimator import closed
from cxrkit.phantoms.settings import ChestSettings, visit_stream

Gray = NDArray[np.float32]


def overlay(settings: ChestSettings, image: Gray, pixel: float) -> Gray:
    """The image [H, W] in [0, 1] with marker and collimated border; pixel in mm."""
    random = visit_stream(settings, "border", 1)
    shown = np.minimum(image, 1 - closed(random, image.shape, pixel, used=0.4, each=0.5, widths=(3, 14), lean=0.006))
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
