"""Tuberculosis screening on a frontal chest radiograph (methods section 2)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

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
from cxrkit.task import ModelInput, Placement, Prepared, Task, check_box

if TYPE_CHECKING:
    from torch import nn

    from cxrkit.image import Radiograph

LABELS = ("normal", "tuberculosis")
SIZE = 192

# The source normalises RGB and then converts to gray; for a gray image in [0, 1] that is this one affine step
# (luminance weights .299/.587/.114 applied to (255 g - mean) / std of each channel).
_WEIGHTS = np.array([0.299, 0.587, 0.114])
_MEANS = np.array([123.675, 116.28, 103.53])
_STDS = np.array([58.395, 57.12, 57.375])
STD = float(1 / (255 * np.sum(_WEIGHTS / _STDS)))
MEAN = float(STD * np.sum(_WEIGHTS * _MEANS / _STDS))

_MARGIN = 0.04
"""Around the lungs' box on each side: ribs and costophrenic angles stay, markers and labels mostly go."""

_BLUR = 0.7
"""In input pixels: brings large sharp uploads and the small recompressed training images to one sharpness."""


def prepare(images: Sequence["Radiograph"], context: Mapping[str, object], edits: ModelInput) -> Prepared:
    """Crop, resample, smooth, equalise, apply the user's edits, normalise, pad to a square.

    The crop is the user's box, else a square around the lungs, else the image without its uniform margins. Equalising
    and cropping to the lungs take away what tells the public tuberculosis sources apart without any disease:
    borders, markers and histograms.

    Args:
        images: one frontal chest radiograph.
        context: not used by this task.
        edits: the user's edits.

    Raises:
        InputError: a crop box outside the image, or an edit outside its range.
        WeightsError: the lung field's weights are missing.
    """
    del context
    (image,) = images
    edits.check()
    gray = image.windowed()
    lungs = None if edits.crop else find_lungs(gray)
    box, chosen_by, warnings = _choose_box(gray, edits.crop, lungs)
    size = edits.size or SIZE
    left, top, right, bottom = box
    scale = size / max(right - left, bottom - top)
    width, height = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
    read = equalise(smooth(resize(crop(gray, box), width, height), _BLUR * size / SIZE))
    read = adjust(read, edits.brightness, edits.contrast, edits.sharpness)
    view, inner = _pad(read, size)
    tensor = (view - MEAN) / STD
    return Prepared(
        tensor=np.asarray(tensor, dtype=np.float32)[None, None],
        placements=(Placement((gray.shape[0], gray.shape[1]), box, size, inner),),
        view=(view,),
        warnings=warnings,
        crop_source=chosen_by,
        lungs=lungs,
    )


def _choose_box(
    gray: Gray, chosen: Box | None, lungs: LungField | None
) -> tuple[Box, Literal["user", "lungs", "margins"], tuple[str, ...]]:
    shape = (gray.shape[0], gray.shape[1])
    if chosen is not None:
        return check_box(chosen, shape), "user", ()
    if lungs is not None and lungs.box is not None:
        return check_box(square_around(lungs.box, shape, _MARGIN), shape), "lungs", ()
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


def build_model(settings: Mapping[str, Any]) -> "nn.Module":
    """Network from the card's settings: encoder and channels."""
    from cxrkit.models.fpn import FpnClassifier

    return FpnClassifier(settings["encoder"], settings["channels"], len(LABELS))


TUBERCULOSIS = Task(
    name="tuberculosis",
    title="Tuberculosis",
    summary="One frontal chest radiograph: a score for tuberculosis, and how crop and brightness move it.",
    inputs=("frontal chest radiograph",),
    labels=LABELS,
    positive="tuberculosis",
    activation="softmax",
    input_size=SIZE,
    mean=MEAN,
    std=STD,
    prepare=prepare,
    build_model=build_model,
    train_command="python -m train.tuberculosis weights --data FOLDER",
    source="Tuberculosis screening with ResNet-50 or EfficientNet-b0 and a feature pyramid, after the Streamlit "
    "tuberculosis framework.",
    intended_use="Research, teaching and qualitative error review on frontal chest radiographs of adults.",
    limits=(
        "Not a medical device; not for diagnosis, screening or treatment of patients.",
        "The two classes of the training images come from different archives. Part of what the network has learned "
        "may be the archive and not the disease: read the cross-family figures, not the in-set ones.",
        "The threshold belongs to the training archives. On archives that a network had not seen, scores as a whole "
        "moved up or down: find your own threshold on your own images before you count anything.",
        "Children, lateral views and images after surgery were not measured.",
    ),
    icon=":material/pulmonology:",
)
