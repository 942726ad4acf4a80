"""What lies on a hand radiograph besides the hand, and how the film or file was made: marker, border, gray range."""

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrkit.phantoms.collimator import closed
from cxrkit.phantoms.hand_settings import HandSettings, hand_stream

Gray = NDArray[np.float32]


def frame(settings: HandSettings, image: Gray, pixel: float) -> Gray:
    """The image [H, W] in [0, 1] with lead marker and collimated border; pixel in mm."""
    random = hand_stream(settings, "marks")
    border = closed(random, image.shape, pixel, used=0.5, each=0.6, widths=(2, 7), lean=0.012)
    shown = image
    if settings.marker:
        plastic, lead = _marker(random, settings, image, pixel)
        shown = np.maximum(np.maximum(shown + 0.07 * plastic, 0.97 * lead), 0)
    outside = np.float32(1.0 if settings.background == "bright" else 0.0)
    return np.asarray(np.clip(shown * (1 - border) + outside * border, 0, 1), dtype=np.float32)


def recorded(settings: HandSettings, image: Gray) -> Gray:
    """The image [H, W] in [0, 1] with the gray range of its film: bright background, inversion, contrast."""
    if settings.background == "bright":
        image = 0.45 + 0.55 * image
    if settings.inverted:
        image = 1 - image
    if settings.contrast < 1:
        dark = hand_stream(settings, "film").uniform(0.05, 0.3)
        image = (1 - settings.contrast) * dark + settings.contrast * image
    return np.asarray(image, dtype=np.float32)


def _marker(random: np.random.Generator, settings: HandSettings, image: Gray, pixel: float) -> tuple[Gray, Gray]:
    """(plastic holder, lead letter) as masks [H, W], where there is least of the hand."""
    rows, columns = image.shape
    letter = "L" if settings.side == "left" else "R"
    tall = min(random.uniform(13, 18) / pixel, 0.1 * rows)
    lean = random.normal(0, 6) + random.choice((0, 0, 0, 35, -35))
    row, column = _free_place(random, image, 1.15 * tall)
    holder, lead = np.zeros(image.shape, np.uint8), np.zeros(image.shape, np.uint8)
    corners = cv2.boxPoints(((column, row), (1.4 * tall, 1.9 * tall), 0.0))
    cv2.fillConvexPoly(holder, corners.astype(np.int32), 255, cv2.LINE_AA)
    scale, stroke = tall / 22, max(round(tall / 6.5), 1)
    (wide, high), _ = cv2.getTextSize(letter, cv2.FONT_HERSHEY_SIMPLEX, scale, stroke)
    start = (round(column - wide / 2), round(row + high / 2))
    cv2.putText(lead, letter, start, cv2.FONT_HERSHEY_SIMPLEX, scale, 255, stroke, cv2.LINE_AA)
    turn = cv2.getRotationMatrix2D((column, row), lean, 1.0)
    plastic = np.asarray(cv2.warpAffine(holder, turn, (columns, rows)), dtype=np.float32)
    metal = np.asarray(cv2.warpAffine(lead, turn, (columns, rows)), dtype=np.float32)
    return plastic / np.float32(255), metal / np.float32(255)


def _free_place(random: np.random.Generator, image: Gray, reach: float) -> tuple[float, float]:
    """(row, column) of a place that holds as little of the hand as any, within `reach` pixels of it."""
    rows, columns = image.shape
    near = reach + 0.02 * rows
    places = [
        (float(row), float(column))
        for row in np.linspace(near, rows - near, 12)
        for column in np.linspace(near, columns - near, 8)
    ]
    hand = image > np.percentile(image, 2) + 0.06
    shares = []
    for row, column in places:
        part = hand[max(int(row - reach), 0) : int(row + reach), max(int(column - reach), 0) : int(column + reach)]
        shares.append(round(float(part.mean()), 2))
    # Among places as good as each other, chance decides.
    return places[int(np.lexsort((random.random(len(places)), np.array(shares)))[0])]
