"""V/Q scan type: is an anterior planar lung scan a perfusion or a ventilation scan (methods section 4)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cxrkit.errors import InputError
from cxrkit.lung_scan import SIZE as FRAME
from cxrkit.lung_scan import TRAIN_COMMAND, Aligned, align, bright_ground, counts_of, heat_above, mask_neck
from cxrkit.pixels import Box, Gray, adjust, crop, resize
from cxrkit.scan_facts import read_scan
from cxrkit.task import ModelInput, Placement, Prepared, Task, check_box

if TYPE_CHECKING:
    from torch import nn

    from cxrkit.image import Radiograph

LABELS = ("ventilation", "perfusion")
SIZE = 112
"""Half of the aligned frame: scans resolve about 10 mm, two of these pixels."""

MEAN, STD = 0.12, 0.22
"""About those of aligned scans, most of which is ground; the source does not say how it normalises."""

ONE_LUNG = (
    "Two lungs side by side were not found in this scan, so it was moved to where it is most like the mean of the "
    "training scans (normalised mutual information). Read the score with care."
)
SWAPPED = "Counts are dark on a bright ground in this image; black and white were swapped before the network read it."


def prepare(
    images: Sequence["Radiograph"], context: Mapping[str, object], edits: ModelInput, mean: Gray | None = None
) -> Prepared:
    """Align the lungs as the source does (cxrkit.lung_scan), apply the user's edits, resample for the network.

    The values themselves are read, not through the file's window: counts are told by the highest of them.

    Args:
        images: one anterior planar lung scan.
        context: not used by this task.
        edits: the user's edits; a swap of theirs replaces the automatic one, and scans are not turned.
        mean: as for `align`; None = the mean image beside the shipped weights.

    Raises:
        InputError: a crop box outside the image, an edit outside its range, or a turn.
        WeightsError: two lungs were not found, and the training scans' mean image is missing.
    """
    del context
    (image,) = images
    edits.check()
    if edits.turn:
        raise InputError("A lung scan cannot be turned here: export it with the head at the top.")
    values = counts_of(image)
    shape = (values.shape[0], values.shape[1])
    box = (0, 0, shape[1], shape[0]) if edits.crop is None else check_box(edits.crop, shape)
    swap = bright_ground(values) if edits.swap is None else edits.swap
    part = crop(-values if swap else values, box)
    aligned = align(part, mean)
    size = edits.size or SIZE
    view = _view(aligned.image, edits, size)
    return Prepared(
        tensor=_tensor(view),
        placements=(_placement(shape, box, aligned.shift, size),),
        view=(view,),
        warnings=(*((SWAPPED,) if swap and edits.swap is None else ()), *(() if aligned.centroids else (ONE_LUNG,))),
        crop_sources=("user" if edits.crop else "image",),
        scan=aligned,
    )


def without_neck(prepared: Prepared, edits: ModelInput) -> Prepared:
    """The same scan with nothing above the lungs, for a second opinion.

    Args:
        prepared: from `prepare`.
        edits: the same as then.
    """
    view = _view(mask_neck(_aligned(prepared)), edits, prepared.placements[0].size)
    return replace(prepared, tensor=_tensor(view), view=(view,))


def heat_above_the_lungs(prepared: Prepared, values: Gray) -> float | None:
    """Share of a heatmap that lies above the lungs; the map [h, w] covers the placement's box, as explain gives it.

    Returns:
        In [0, 1]; None for a map without heat.
    """
    placement = prepared.placements[0]
    scale = FRAME / placement.size
    return heat_above(_aligned(prepared), values, (placement.inner[1] * scale, placement.inner[3] * scale))


def _aligned(prepared: Prepared) -> Aligned:
    if prepared.scan is None:
        raise ValueError("this is no lung scan's preparation")
    return prepared.scan


def _view(aligned: Gray, edits: ModelInput, size: int) -> Gray:
    return adjust(resize(aligned, size, size) / np.float32(255), edits.brightness, edits.contrast, edits.sharpness)


def _tensor(view: Gray) -> Gray:
    return np.asarray((view - MEAN) / STD, dtype=np.float32)[None, None]


def _placement(shape: tuple[int, int], box: Box, shift: tuple[int, int], size: int) -> Placement:
    """Where the aligned part lies in the input; what the shift moved out of it was not read and is cut off the box."""
    side = max(box[2] - box[0], box[3] - box[1])
    columns = _seen(box[0], box[2], side, shift[0], size)
    rows = _seen(box[1], box[3], side, shift[1], size)
    return Placement(
        shape, (columns[0], rows[0], columns[1], rows[1]), size, (columns[2], rows[2], columns[3], rows[3])
    )


def _seen(start: int, stop: int, side: int, shift: int, size: int) -> tuple[int, int, int, int]:
    """Of one axis: first and last pixel of the image that is seen, and where they lie in the input, both rounded.

    Args:
        start, stop: of the part that is read, in pixels of the image.
        side: of the square that it was padded to.
        shift: in pixels of the aligned frame.
        size: of the input.
    """
    scale = size / side
    moved = (side - (stop - start)) // 2 * scale + shift * size / FRAME
    first = max(round(moved), 0)
    last = min(round(moved + (stop - start) * scale), size)
    seen = [start + round((edge - moved) / scale) for edge in (first, last)]
    return max(seen[0], start), min(seen[1], stop), first, last


def build_model(settings: Mapping[str, Any]) -> "nn.Module":
    """Network from the card's settings: encoder and image_size; from training also whether it starts pretrained."""
    from cxrkit.models.pooled import PooledClassifier

    pretrained = settings.get("pretrained", False)
    return PooledClassifier(settings["encoder"], settings["image_size"], len(LABELS), pretrained=pretrained)


VQ = Task(
    name="vq",
    title="V/Q scan type",
    summary="Planar lung scans: perfusion or ventilation, checked against what the file's own header says.",
    inputs=("anterior planar lung scan",),
    labels=LABELS,
    called="perfusion",
    activation="softmax",
    input_size=SIZE,
    mean=MEAN,
    std=STD,
    prepare=prepare,
    build_model=build_model,
    train_command=TRAIN_COMMAND,
    source="Jeong et al. 2022, 10.17946/JRST.2022.45.1.41.",
    intended_use="Research, teaching and a technologist's double check that a scan is the one that its header names.",
    limits=(
        "No public set of lung scans exists: the network learned from simulated scans, and its figures are of "
        "simulated scans. Measure it on your own before you rely on it.",
        "Not a medical device; not for diagnosis or treatment of patients.",
        "It tells the type of a scan and nothing about disease.",
        "Only the anterior view is read; tomography, dynamic series and children were not measured.",
    ),
    any_size=False,
    reads="planar lung scan",
    icon=":material/compare_arrows:",
    read_file=read_scan,
)
