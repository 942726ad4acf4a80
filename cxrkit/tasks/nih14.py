"""Fourteen findings on a frontal chest radiograph (methods section 5)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from cxrkit.pixels import Gray
from cxrkit.task import ModelInput, Prepared, Task
from cxrkit.tasks.chest import prepare_chest, resample

if TYPE_CHECKING:
    from torch import nn

    from cxrkit.image import Radiograph

LABELS = (
    "Atelectasis",
    "Cardiomegaly",
    "Effusion",
    "Infiltration",
    "Mass",
    "Nodule",
    "Pneumonia",
    "Pneumothorax",
    "Consolidation",
    "Edema",
    "Emphysema",
    "Fibrosis",
    "Pleural_Thickening",
    "Hernia",
)
"""In the order and spelling of ChestX-ray14."""

SIZE = 224

MEAN, STD = 0.5, 0.2
"""Every view is brought to this mean and deviation, so that the network reads zero mean and unit variance. What lies
more than 2.5 deviations off is cut: of a chest about one pixel in a hundred, the darkest."""

CLIP, GRID = 2.0, (8, 8)
"""Of the contrast-limited adaptive equalisation (CLAHE)."""

_KERNEL = (5, 5)
"""Pixels of the Gaussian blur."""

_ROUNDING = 1e-5
"""Range of an image that is the same everywhere, after it was resampled."""


def prepare(images: Sequence["Radiograph"], context: Mapping[str, object], edits: ModelInput) -> Prepared:
    """Crop as every chest task does, CLAHE, blur, zero mean and unit variance of each image.

    The source's adaptive masking is undefined there and is left out.

    Args:
        images: one frontal chest radiograph.
        context: not used by this task.
        edits: the user's edits. They come after the normalisation, which would undo brightness and contrast.

    Raises:
        InputError: a crop box outside the image, or an edit outside its range.
        WeightsError: the lung field's weights are missing.
    """
    del context
    (image,) = images
    chest = prepare_chest(image, edits, SIZE, as_read)
    return Prepared(
        tensor=np.asarray((chest.view - MEAN) / STD, dtype=np.float32)[None, None],
        placements=(chest.placement,),
        view=(chest.view,),
        warnings=chest.warnings,
        crop_sources=(chest.crop_source,),
        lungs=(chest.lungs,),
    )


def as_read(cropped: Gray, size: int) -> Gray:
    """Crop [H, W] -> [h, w] in [0, 1] of mean MEAN and deviation STD, whose longer side is `size`.

    It is resampled first, so that the grid and the blur are the same part of a chest in a small file and a large one.
    """
    small = resample(cropped, size)
    low, high = float(small.min()), float(small.max())
    if high - low < _ROUNDING:
        return np.full_like(small, MEAN)
    # CLAHE in eight bits, as in the source: OpenCV's limit means little for histograms of 65,536 bins.
    levels = ((small - low) * (255 / (high - low)) + 0.5).astype(np.uint8)
    even = np.asarray(cv2.createCLAHE(CLIP, GRID).apply(levels), dtype=np.float32)
    blurred = cv2.GaussianBlur(even, _KERNEL, 0)
    standard = (blurred - blurred.mean()) / max(float(blurred.std()), 1.0)
    return np.asarray(np.clip(standard * STD + MEAN, 0, 1), dtype=np.float32)


def build_model(settings: Mapping[str, Any]) -> "nn.Module":
    """Network from the card's settings; see cxrkit.models.ssgan_vit."""
    from cxrkit.models.ssgan_vit import build

    return build(settings, len(LABELS))


NIH14 = Task(
    name="nih14",
    title="NIH chest findings",
    summary="One frontal chest radiograph: a score and a heatmap for each of 14 findings.",
    inputs=("frontal chest radiograph",),
    labels=LABELS,
    called=None,
    activation="sigmoid",
    input_size=SIZE,
    mean=MEAN,
    std=STD,
    prepare=prepare,
    build_model=build_model,
    train_command="python -m train.nih14 weights --data FOLDER",
    source="SS-GAN-ViT: Suh and Ponduru, a vision transformer joined with the discriminator of a self-supervised GAN, "
    "on the labels of NIH ChestX-ray14 (Wang et al. 2017).",
    intended_use="Research, teaching and qualitative error review on frontal chest radiographs of adults.",
    limits=(
        "Not a medical device; not for diagnosis, screening or treatment of patients.",
        "A score is calibrated on a part of one public archive, chosen so that half of its images carry Pneumonia. It "
        "is not the probability that a patient of yours has the finding.",
        "The labels were taken from reports by text mining and not by looking at the images: some are wrong, and "
        "Infiltration, Consolidation and Pneumonia overlap.",
        "Some findings had too few training cases. They are grayed and never called.",
        "Children, lateral views and images after surgery were not measured.",
    ),
    any_size=False,
    target_column="findings",
    icon=":material/checklist:",
)
