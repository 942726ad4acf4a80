"""Follow-up comparison of two frontal chest radiographs of one patient (methods section 1)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cxrkit.image import days_between
from cxrkit.task import Further, ModelInput, Prepared, Task
from cxrkit.tasks.chest import prepare_chest

if TYPE_CHECKING:
    from torch import nn

    from cxrkit.image import Radiograph

LABELS = ("no change", "change")
SIZE = 320
MEAN, STD = 0.5, 0.25
"""Equalised images have a mean near one half; the source does not say how it normalises."""


def prepare(images: Sequence["Radiograph"], context: Mapping[str, object], edits: ModelInput) -> Prepared:
    """Prepare each image by itself, as every chest task does, and normalise.

    Args:
        images: baseline and follow-up, frontal chest radiographs of one patient.
        context: not used by this task.
        edits: the user's edits, of both images.

    Raises:
        InputError: a crop box outside an image, or an edit outside its range.
        WeightsError: the lung field's weights are missing.
    """
    del context
    names = ("Baseline", "Follow-up")
    chests = [prepare_chest(image, edits, SIZE) for image in images]
    tensor = (np.stack([chest.view for chest in chests])[:, None] - MEAN) / STD
    return Prepared(
        tensor=np.asarray(tensor, dtype=np.float32),
        placements=tuple(chest.placement for chest in chests),
        view=tuple(chest.view for chest in chests),
        warnings=(
            *_odd_combination(*images),
            *(f"{name}: {text}" for name, chest in zip(names, chests, strict=True) for text in chest.warnings),
        ),
        crop_sources=tuple(chest.crop_source for chest in chests),
        lungs=tuple(chest.lungs for chest in chests),
    )


def _odd_combination(baseline: "Radiograph", follow_up: "Radiograph") -> tuple[str, ...]:
    """What is odd about the two together, as sentences."""
    if baseline.sha256 == follow_up.sha256 or np.array_equal(baseline.values, follow_up.values):
        return (
            "Baseline and follow-up are the same image: nothing can have changed between them, and whatever is said "
            "of a change shows how the network errs. Choose another image.",
        )
    return (*_odd_order(baseline, follow_up), *_odd_kinds(baseline, follow_up))


def _odd_order(baseline: "Radiograph", follow_up: "Radiograph") -> tuple[str, ...]:
    days = days_between(baseline, follow_up)
    if days is None or days >= 0:
        return ()
    return (
        f"By the files' headers the follow-up was taken {-days} days before the baseline. Exchange the two, or bear in "
        "mind that “follow-up” is the earlier image.",
    )


def _odd_kinds(baseline: "Radiograph", follow_up: "Radiograph") -> tuple[str, ...]:
    if _is_dicom(baseline) != _is_dicom(follow_up):
        dicom, picture = ("baseline", "follow-up") if _is_dicom(baseline) else ("follow-up", "baseline")
        return (
            f"The {dicom} is a DICOM file and the {picture} is a picture. Pictures are often processed for the eye, so "
            "a difference of processing may look like a change. Compare files of one kind if you can.",
        )
    return ()


def _is_dicom(image: "Radiograph") -> bool:
    return "Photometric interpretation" in image.header


def build_model(settings: Mapping[str, Any]) -> "nn.Module":
    """Network from the card's settings: encoder, image_size, matching, disease, direction, difference, lesions."""
    from cxrkit.models.music_vit import MusicVit

    return MusicVit(
        settings["encoder"],
        settings["image_size"],
        settings["matching"],
        disease=settings["disease"],
        direction=settings["direction"],
        difference=settings["difference"],
        lesions=settings["lesions"],
    )


FOLLOW_UP = Task(
    name="followup",
    title="Follow-up comparison",
    summary="Two frontal chest radiographs of one patient: has anything changed, and where?",
    inputs=("baseline radiograph", "follow-up radiograph"),
    labels=LABELS,
    called="change",
    activation="softmax",
    input_size=SIZE,
    mean=MEAN,
    std=STD,
    prepare=prepare,
    build_model=build_model,
    train_command="python -m train.followup weights --data FOLDER",
    source="MuSiC-ViT: Cho et al., Medical Image Analysis 89 (2023) 102894, and the thesis it comes from.",
    intended_use="Research, teaching and qualitative error review on two frontal chest radiographs of one adult.",
    limits=(
        "Not a medical device; not for diagnosis, follow-up or treatment of patients.",
        "No large set of pairs with labels is public. The network learned from pairs made of single radiographs with "
        "drawn lesions, and from few real pairs with weak labels: read the figures on real pairs first.",
        "A change of device, posture or breath can look like a change of disease, and a small change can be missed.",
        "Children, lateral views and images after surgery were not measured.",
    ),
    further=(
        Further("baseline", ("normal", "abnormal"), "abnormal", (2, 3)),
        Further("follow-up", ("normal", "abnormal"), "abnormal", (4, 5)),
        Further("direction", ("less", "more"), "more", (6, 7), proven_by="direction AUC"),
    ),
    any_size=False,
    file_columns=("baseline", "followup"),
    target_column="change",
    icon=":material/compare:",
)
