"""A task, declared once; and what its preparation hands to a network."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from cxrkit.errors import InputError
from cxrkit.pixels import Box, Gray

if TYPE_CHECKING:
    from torch import nn

    from cxrkit.hand_field import HandField
    from cxrkit.image import Radiograph
    from cxrkit.lung_scan import Aligned
    from cxrkit.lungs import LungField

SMALLEST_BOX = 16
"""Pixels a side of the smallest part of an image that a network is asked about."""


@dataclass(frozen=True)
class ModelInput:
    """The user's edits of what the network reads. The defaults leave everything as in training.

    Attributes:
        crop: (left, top, right, bottom) in pixels of the original image; None = the task's own automatic crop.
        brightness: added to gray values in [0, 1]; -0.5 to 0.5.
        contrast: factor about mid-gray; 0.5 to 2.
        sharpness: -1 (blurred) to 2 (sharpened).
        size: side of the network's square input in pixels, a multiple of 32; None = the size used in training.
        turn: quarter turns clockwise, 0 to 3, of a hand; None = the task's own decision.
        swap: whether black and white are swapped first; None = the task's own decision, of a chest not to.
    """

    crop: Box | None = None
    brightness: float = 0.0
    contrast: float = 1.0
    sharpness: float = 0.0
    size: int | None = None
    turn: int | None = None
    swap: bool | None = None

    def check(self) -> None:
        """Raise InputError for a value outside its range."""
        for name, low, high in (("brightness", -0.5, 0.5), ("contrast", 0.5, 2.0), ("sharpness", -1.0, 2.0)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"The {name} is {value:g}; it has to lie between {low:g} and {high:g}.")
        if self.size is not None and (self.size % 32 or not 64 <= self.size <= 512):
            raise InputError(f"The input size is {self.size} pixels; choose a multiple of 32 from 64 to 512.")
        if self.turn not in {None, 0, 1, 2, 3}:
            raise InputError(f"The image is to be turned {self.turn} times by 90 degrees; choose 0, 1, 2 or 3.")


@dataclass(frozen=True)
class Placement:
    """How the network's square input lies on the original image.

    Attributes:
        image_shape: (height, width) of the original image.
        box: (left, top, right, bottom), the part of the original image that was read, in its pixels.
        size: side of the square input.
        inner: (left, top, right, bottom), where that part lies within the input; the rest is padding.
        turn: quarter turns clockwise by which that part was turned before it was put there.
    """

    image_shape: tuple[int, int]
    box: Box
    size: int
    inner: Box
    turn: int = 0

    def place(self, maps: NDArray[np.float32], longest: int = 512) -> NDArray[np.float32]:
        """Cut the padding off a map over the whole input, and turn it back, so that it covers exactly `box`.

        Args:
            maps: [h, w], any resolution; it spans the whole square input.
            longest: longer side of the result in pixels; a display resolution, not more detail.

        Returns:
            [H, W] spanning `box`, with its aspect.
        """
        import cv2

        left, top, right, bottom = self.inner
        width, height = self.box[2] - self.box[0], self.box[3] - self.box[1]
        if self.turn % 2:
            width, height = height, width
        scale = longest / max(width, height)
        out_w, out_h = max(1, round(width * scale)), max(1, round(height * scale))
        # Output pixel centres -> input pixel centres -> map pixel centres.
        across = (left + (np.arange(out_w) + 0.5) * (right - left) / out_w) * maps.shape[1] / self.size - 0.5
        down = (top + (np.arange(out_h) + 0.5) * (bottom - top) / out_h) * maps.shape[0] / self.size - 0.5
        grid_x, grid_y = np.meshgrid(across.astype(np.float32), down.astype(np.float32))
        placed = cv2.remap(maps.astype(np.float32), grid_x, grid_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.ascontiguousarray(np.rot90(placed, self.turn), dtype=np.float32)


CropSource = Literal["user", "lungs", "hand", "margins", "image"]
"""Who chose what is read: the user, the square around the lungs, the box around the hand, the trimmed margins, or
nobody: the whole image is read."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """What a network reads.

    Attributes:
        tensor: [N, C, S, S] float32, normalised; N is 1, or 2 for a pair of images.
        placements: one for each image.
        view: [S, S] float32 in [0, 1] for each image: the same pixels before normalisation, for the screen.
        warnings: sentences for the screen.
        crop_sources: who chose each image's box.
        lungs: the lung field of each image; None where it was not looked for.
        hand: the hand; None where it was not looked for or not found.
        scan: how a lung scan was aligned; None of other images.
        context: the facts about the patient that go with the image, checked, by name; None = not stated.
    """

    tensor: NDArray[np.float32]
    placements: tuple[Placement, ...]
    view: tuple[Gray, ...]
    warnings: tuple[str, ...] = ()
    crop_sources: tuple[CropSource, ...] = ("user",)
    lungs: "tuple[LungField | None, ...]" = (None,)
    hand: "HandField | None" = None
    scan: "Aligned | None" = None
    context: Mapping[str, Any] = field(default_factory=dict)


Reads = Literal["frontal chest", "hand", "planar lung scan"]
"""The kind of image that a task reads."""


@dataclass(frozen=True)
class Further:
    """A further question that the network answers beside the task's own.

    Attributes:
        name: of the question, such as "baseline".
        labels: of its answers, in the order of the outputs.
        positive: the answer that its score speaks of.
        outputs: positions among the network's outputs.
        proven_by: name of the card's figures, areas under the ROC curve, whose intervals must all lie above one half
            for the answer to be given at all, and then only where the task's positive class is called; "" = always.
    """

    name: str
    labels: tuple[str, ...]
    positive: str
    outputs: tuple[int, ...]
    proven_by: str = ""


Prepare = Callable[[Sequence["Radiograph"], Mapping[str, object], ModelInput], Prepared]
ReadFile = Callable[[bytes, str, int | None], "Radiograph"]


@dataclass(frozen=True)
class Task:
    """One declaration that the page, the trainer, the evaluator, the command line and the tests read.

    Attributes:
        name: identifier, also the folder under weights.
        title: for people.
        summary: one sentence for the start page.
        inputs: what each image is, in order.
        reads: the kind of image that all of them are, for cxrkit.quality.
        context: further facts about the patient that the network takes, by name; a table of cases has them as columns.
        beside: further facts that the answer is compared with and the network does not take.
        labels: classes in the order of the network's outputs.
        called: the class that a score and a threshold speak of; None where no class is called, as of an age, and where
            each label is answered by itself.
        values: the number that each label stands for; () where the labels are no numbers.
        activation: how logits become probabilities.
        input_size: side of the square input in pixels.
        mean, std: normalisation of gray values in [0, 1].
        prepare: (images, context, edits) -> Prepared.
        build_model: settings of the card -> untrained network with features() and head().
        train_command: the command that writes the weights.
        source, intended_use, limits: for the screen.
        further: questions beside the first, answered by the outputs that follow its own.
        any_size: whether the network also reads other input sizes than the one it was trained for.
        least_size: the smallest of them.
        file_columns, target_column: of a table of cases: one file for each input, and the truth.
        read_file: (bytes, name, frame or None) -> Radiograph, where a file of this task states more than
            cxrkit.image.read_image keeps, such as which of its frames is to be read; None = read_image itself.
    """

    name: str
    title: str
    summary: str
    inputs: tuple[str, ...]
    labels: tuple[str, ...]
    called: str | None
    activation: Literal["softmax", "sigmoid"]
    input_size: int
    mean: float
    std: float
    prepare: Prepare
    build_model: "Callable[[Mapping[str, Any]], nn.Module]"
    train_command: str
    source: str
    intended_use: str
    limits: tuple[str, ...]
    context: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    values: tuple[float, ...] = ()
    further: tuple[Further, ...] = ()
    any_size: bool = True
    least_size: int = 64
    file_columns: tuple[str, ...] = ("file",)
    target_column: str = "target"
    reads: Reads = "frontal chest"
    icon: str = ":material/radiology:"
    read_file: ReadFile | None = None

    @property
    def positive(self) -> str:
        """The class that a score and a threshold speak of.

        Raises:
            ValueError: no class of this task is called.
        """
        if self.called is None:
            raise ValueError(f"no class of the task {self.name} is called")
        return self.called

    @property
    def positive_index(self) -> int:
        """Index of the positive class among the outputs; ValueError as for `positive`."""
        return self.labels.index(self.positive)


def check_box(box: Box, shape: tuple[int, int]) -> Box:
    """Return a crop box if it lies inside an image of this (height, width) and is at least SMALLEST_BOX a side.

    Raises:
        InputError: it does not.
    """
    left, top, right, bottom = box
    height, width = shape
    check_shape(shape)
    if not (0 <= left < right <= width and 0 <= top < bottom <= height):
        raise InputError(
            f"The crop box ({left}, {top}) to ({right}, {bottom}) does not lie inside the image of "
            f"{width} x {height} pixels. Move its edges inside, left before right and top before bottom."
        )
    if min(right - left, bottom - top) < SMALLEST_BOX:
        raise InputError(
            f"The crop box is {right - left} x {bottom - top} pixels; the network needs at least {SMALLEST_BOX} x "
            f"{SMALLEST_BOX}. Draw a larger box."
        )
    return box


def check_shape(shape: tuple[int, int]) -> None:
    """Raise InputError for an image of this (height, width) that not even the smallest crop box fits into."""
    height, width = shape
    if min(shape) < SMALLEST_BOX:
        raise InputError(
            f"The image is {width} x {height} pixels; the network needs at least {SMALLEST_BOX} x {SMALLEST_BOX}. "
            "Choose a larger image."
        )
