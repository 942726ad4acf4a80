"""How the tasks on frontal chest radiographs prepare an image: crop, resample, smooth, equalise, pad."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cxrkit.errors import InputError
from cxrkit.lungs import LungField, find_lungs
from cxrkit.pixels import (
    Box,
    Gray,
    adjust,
    crop,
    equalise,
    resize,
    smooth,
    square_around,
    trim_margins,
)
from cxrkit.task import CropSource, ModelInput, Placement, check_box, check_shape

if TYPE_CHECKING:
    from cxrkit.image import Radiograph

_MARGIN = 0.04
"""Around the lungs' box on each side: ribs and costophrenic angles stay, markers and labels mostly go."""

BLUR = 0.7 / 192
"""Share of the input's side: brings large sharp uploads and the small recompressed training images to one sharpness."""


@dataclass(frozen=True, eq=False)
class PreparedChest:
    """One image as a network reads it.

    Attributes:
        view: [S, S] in [0, 1], before normalisation.
        placement: how it lies on the image.
        lungs: the lung field; None where the user drew the crop box.
        crop_source: who chose the box.
        warnings: sentences for the screen.
    """

    view: Gray
    placement: Placement
    lungs: LungField | None
    crop_source: CropSource
    warnings: tuple[str, ...]


AsRead = Callable[[Gray, int], Gray]
"""(crop [H, W] in [0, 1], longer side) -> what the network reads of it, in [0, 1], at that size."""


def as_read(cropped: Gray, size: int) -> Gray:
    """Crop [H, W] in [0, 1] -> resampled so that the longer side is `size`, smoothed, equalised."""
    return equalise(smooth(resample(cropped, size), BLUR * size))


def resample(cropped: Gray, size: int) -> Gray:
    """Crop [H, W] -> [h, w] of the same aspect, whose longer side is `size`."""
    height, width = cropped.shape
    scale = size / max(height, width)
    return resize(cropped, max(1, round(width * scale)), max(1, round(height * scale)))


def prepare_chest(image: "Radiograph", edits: ModelInput, size: int, tones: AsRead = as_read) -> PreparedChest:
    """Crop, resample, smooth, equalise, apply the user's edits, pad to a square.

    The crop is the user's box, else a square around the lungs, else the image without its uniform margins. Equalising
    and cropping to the lungs take away what tells archives and hospitals apart without any disease: borders, markers
    and histograms.

    Args:
        image: a frontal chest radiograph.
        edits: the user's edits; a size of theirs replaces `size`.
        size: side of the network's input in pixels.
        tones: the task's own way from a crop to gray values, in place of smoothing and equalising.

    Raises:
        InputError: an image under the smallest crop box, a crop box outside the image, an edit outside its range, or
            one of a hand.
        WeightsError: the lung field's weights are missing.
    """
    edits.check()
    if edits.turn:
        raise InputError("Only a hand can be turned here; turn a chest's own file.")
    gray, side = image.windowed(), edits.size or size
    if edits.swap:
        gray = 1 - gray if image.valid is None else np.where(image.valid, 1 - gray, gray)
    check_shape((gray.shape[0], gray.shape[1]))
    lungs = None if edits.crop else find_lungs(gray)
    box, chosen_by, warnings = _choose_box(gray, edits.crop, lungs)
    read = adjust(tones(crop(gray, box), side), edits.brightness, edits.contrast, edits.sharpness)
    view, inner = _pad(read, side)
    placement = Placement((gray.shape[0], gray.shape[1]), box, side, inner)
    return PreparedChest(view, placement, lungs, chosen_by, warnings)


def automatic_box(lungs: Box, shape: tuple[int, int]) -> Box:
    """The square that is read around both lungs' box, within an image of this (height, width)."""
    return square_around(lungs, shape, _MARGIN)


def _choose_box(gray: Gray, chosen: Box | None, lungs: LungField | None) -> tuple[Box, CropSource, tuple[str, ...]]:
    shape = (gray.shape[0], gray.shape[1])
    if chosen is not None:
        return check_box(chosen, shape), "user", ()
    if lungs is not None and lungs.box is not None:
        return check_box(automatic_box(lungs.box, shape), shape), "lungs", ()
    warning = (
        "Two separate lungs were not found in this image, so the network reads all of it but uniform margins. "
        "Draw a crop box around the lungs for a better reading."
    )
    return check_box(trim_margins(gray), shape), "margins", (warning,)


def _pad(read: Gray, size: int) -> tuple[Gray, Box]:
    """Centre the image on a square of mid-gray, which normalisation brings near zero."""
    height, width = read.shape
    left, top = (size - width) // 2, (size - height) // 2
    view = np.full((size, size), 0.5, dtype=np.float32)
    view[top : top + height, left : left + width] = read
    return view, (left, top, left + width, top + height)
