"""Tuberculosis screening on a frontal chest radiograph (methods section 2)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cxrkit.task import ModelInput, Prepared, Task
from cxrkit.tasks.chest import prepare_chest

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


def prepare(images: Sequence["Radiograph"], context: Mapping[str, object], edits: ModelInput) -> Prepared:
    """Prepare as every chest task does, then normalise.

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
    chest = prepare_chest(image, edits, SIZE)
    tensor = (chest.view - MEAN) / STD
    return Prepared(
        tensor=np.asarray(tensor, dtype=np.float32)[None, None],
        placements=(chest.placement,),
        view=(chest.view,),
        warnings=chest.warnings,
        crop_sources=(chest.crop_source,),
        lungs=(chest.lungs,),
    )


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
    called="tuberculosis",
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
