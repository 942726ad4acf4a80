"""Simulated images as if they had been read from files."""

import hashlib
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from cxrkit.image import Radiograph
from cxrkit.pixels import Gray


def as_file(
    values: Gray, spacing_mm: tuple[float, float], header: Mapping[str, str], view: str | None = None
) -> Radiograph:
    """The image as if read from an 8-bit file.

    Args:
        values: [H, W] in [0, 1].
        spacing_mm: (row, column).
        header: for the screen, beside the word that the image is simulated.
        view: the view position.
    """
    pixels = np.rint(values * 255)
    stored = pixels.astype(np.float32)
    stored.flags.writeable = False
    return Radiograph(
        values=stored,
        window=(0.0, 255.0),
        valid=None,
        sha256=hashlib.sha256(pixels.astype(np.uint8).tobytes()).hexdigest(),
        spacing_mm=spacing_mm,
        header=MappingProxyType({"Image": "simulated", **header}),
        warnings=(),
        view=view,
    )
