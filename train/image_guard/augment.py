"""What differs between images of one kind, on thumbnails: float32 [96, 96] in [0, 1] -> the same."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.random import Generator

from cxrkit.pixels import Gray, eight_bits, gray_of
from train.augment import framed_anyhow, processed_anyhow

Vary = Callable[[Gray, Generator], Gray]


def varied() -> Vary:
    """Framing, tone, sharpness, compression, noise, hidden parts, marks, collimation, padding; mirror images.

    Strong on purpose: the guard has to let pass what other hospitals, devices and diseases do to a chest.
    """
    framed, processed = framed_anyhow(), processed_anyhow()

    def vary(image: Gray, rng: Generator) -> Gray:
        first, last = (int(rng.integers(2**31)) for _ in range(2))  # their own would be the same in every worker
        seen = framed(image, first)
        for change, share in ((_shadow, 0.35), (_marks, 0.35), (_margins, 0.4)):
            if rng.random() < share:
                seen = change(seen, rng)
        return processed(seen, last)

    return vary


def _shadow(image: Gray, rng: Generator) -> Gray:
    """Soft bright or dark areas: effusions, consolidations, lungs without air, breasts, pneumothorax."""
    side = image.shape[0]
    down, across = np.mgrid[0:side, 0:side].astype(np.float32) / side
    for _ in range(rng.integers(1, 4)):
        x, y, width, height = *rng.uniform(0.1, 0.9, 2), *rng.uniform(0.05, 0.3, 2)
        weight = rng.uniform(0.3, 0.95) * np.exp(-(((across - x) / width) ** 2) - ((down - y) / height) ** 2)
        image = image * (1 - weight) + weight * (1.0 if rng.random() < 0.75 else 0.0)
    return np.asarray(image, dtype=np.float32)


def _marks(image: Gray, rng: Generator) -> Gray:
    """Lead letters, text, tubes and wires."""
    drawn, side = eight_bits(image), image.shape[0]
    for _ in range(rng.integers(1, 5)):
        tone, (x, y) = int(rng.choice([0, 230, 255])), (int(v) for v in rng.integers(0, side, 2))
        if rng.random() < 0.5:
            text = "".join(rng.choice(list("RLAPSITZ 0123456789"), rng.integers(1, 9)))
            cv2.putText(drawn, text, (x, y), int(rng.integers(0, 4)), float(rng.uniform(0.2, 0.6)), tone, 1)
        else:
            path = np.cumsum(rng.normal(0, 9, (8, 2)), axis=0) + np.array([x, y])
            cv2.polylines(drawn, [path.astype(np.int32)], False, tone, 1, cv2.LINE_AA)
    return gray_of(drawn)


def _margins(image: Gray, rng: Generator) -> Gray:
    """Collimator blades over the edges, or padding that makes the image smaller."""
    side, tone = image.shape[0], float(rng.choice([0.0, 0.05, 0.2, 1.0]))
    widths = (side * rng.uniform(0, 0.2, 4) * (rng.random(4) < 0.5)).astype(int)
    top, bottom, left, right = widths.tolist()
    if rng.random() < 0.5:
        return np.asarray(
            cv2.resize(
                cv2.copyMakeBorder(image, top, bottom, left, right, cv2.BORDER_CONSTANT, value=tone),
                (side, side),
                interpolation=cv2.INTER_AREA,
            ),
            dtype=np.float32,
        )
    image = image.copy()
    for part in (image[:top], image[side - bottom :], image[:, :left], image[:, side - right :]):
        part[:] = tone
    return image
