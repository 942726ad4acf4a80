"""Drawn chests and small data sets of them, for the tests of the audit."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrkit.pixels import Gray, resize, smooth


def chest(seed: int, height: int = 240, width: int = 200) -> Gray:
    """[H, W] in [0, 1]: the same two dark lungs every time, and structures of several sizes that are its own."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    shift, widen = random.uniform(-0.03, 0.03), random.uniform(0.9, 1.1)
    image = np.full((height, width), 0.75, dtype=np.float32)
    for centre in (0.3 + shift, 0.7 + shift):
        inside = ((x / width - centre) / (0.16 * widen)) ** 2 + ((y / height - 0.45) / 0.3) ** 2
        image -= 0.45 / (1 + inside**4)
    for sigma, strength in ((2, 0.03), (5, 0.05), (16, 0.08)):
        noise = smooth(random.standard_normal((height, width)).astype(np.float32), sigma)
        image += strength * noise / noise.std()
    return np.clip(image, 0, 1)


def reframed(image: Gray, left: int, top: int, right: int, bottom: int) -> Gray:
    """Crop (positive) or pad with black (negative) each side by so many pixels, at the size of before."""
    height, width = image.shape
    padded = np.pad(image, 40)
    cut = padded[40 + top : 40 + height - bottom, 40 + left : 40 + width - right]
    return resize(cut, width, height)


def encoded(image: Gray, name: str = "x.png", quality: int = 95) -> bytes:
    """An image in [0, 1] as the bytes of a PNG or JPEG file."""
    pixels = np.uint8(np.clip(image, 0, 1) * 255 + 0.5)
    options = [cv2.IMWRITE_JPEG_QUALITY, quality] if name.endswith(".jpg") else []
    return bytes(cv2.imencode(Path(name).suffix, pixels, options)[1])


def saved_anew(image: Gray, quality: int) -> Gray:
    """Through JPEG and back."""
    decoded: NDArray[np.uint8] = cv2.imdecode(
        np.frombuffer(encoded(image, "x.jpg", quality), np.uint8), cv2.IMREAD_GRAYSCALE
    )
    return decoded.astype(np.float32) / 255


def write_set(
    folder: Path, images: Mapping[str, Gray], columns: Sequence[str], rows: Sequence[Sequence[object]]
) -> None:
    """A folder with images and labels.csv."""
    folder.mkdir(parents=True)
    for name, image in images.items():
        (folder / name).write_bytes(encoded(image, name))
    lines = [",".join(map(str, row)) for row in (columns, *rows)]
    (folder / "labels.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
