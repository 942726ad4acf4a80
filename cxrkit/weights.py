"""Load and save weights with their card. safetensors only: no pickle, no download, no random weights."""

import hashlib
import os
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from cxrkit.card import WEIGHTS, Card, read_card
from cxrkit.errors import WeightsError
from cxrkit.image import Radiograph
from cxrkit.pixels import resize
from cxrkit.task import ModelInput, Reads, Task

if TYPE_CHECKING:
    from cxrkit.models.fused import FusedMusicVit

PREPARATION_TOLERANCE = 0.06
"""Largest difference allowed to the card's record; libraries' rounding stays far below, a changed step far above."""


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A network with its task and card. Shared by threads: frozen, in eval mode, never modified.

    Attributes:
        task, card, model: what belongs together.
        fused: of a pair's network, what runs in place of its `compare`, faster and equal to 1e-4; None = nothing does.
    """

    task: Task
    card: Card
    model: nn.Module
    fused: "FusedMusicVit | None" = None


def read_weights(folder: Path, command: str) -> tuple[dict[str, Tensor], Card]:
    """Read model.safetensors and card.json of a folder.

    Args:
        folder: such as weights/tuberculosis.
        command: what makes the weights, for the message.

    Raises:
        WeightsError: a file is missing, or the weights are not those that the card describes.
    """
    make = f"Make them with: {command}"
    file = folder / "model.safetensors"
    if not os.path.isfile(file) or not os.path.isfile(folder / "card.json"):
        raise WeightsError(f"No trained weights were found for this task. {make}")
    try:
        card = read_card(folder / "card.json")
    except WeightsError as error:
        raise WeightsError(f"{error} {make}") from None
    data = file.read_bytes()
    if hashlib.sha256(data).hexdigest() != card.sha256:
        raise WeightsError(f"The weights are not those that their card describes: the SHA-256 differs. {make}")
    try:
        state = load(data)
    except SafetensorError:
        raise WeightsError(f"The weights are damaged and cannot be read. {make}") from None
    return {name: tensor.float() for name, tensor in state.items()}, card


def load_model(task: Task, root: Path = WEIGHTS, *, fused: bool = True) -> LoadedModel:
    """Load a task's network, ready for prediction.

    Args:
        task: whose network.
        root: folder of the tasks' folders.
        fused: let what runs faster and is equal to 1e-4 stand in for the network where there is such; False = the
            reference, as it was trained.

    Raises:
        WeightsError: missing or altered files, other labels or input than the task's, or a preparation that no longer
            gives the network what its training gave it.
    """
    state, card = read_weights(root / task.name, task.train_command)
    again = f"Train again with: {task.train_command}"
    if (card.task, card.labels) != (task.name, task.labels):
        raise WeightsError(f"The weights were trained for other labels than this task has. {again}")
    if (card.input_size, card.mean, card.std) != (task.input_size, task.mean, task.std):
        raise WeightsError(f"The weights were trained for another input size or normalisation. {again}")
    record = preparation_record(task)
    if len(record) != len(card.preparation) or not np.allclose(
        record, card.preparation, rtol=0, atol=PREPARATION_TOLERANCE
    ):
        raise WeightsError(
            "The preparation of images has changed since these weights were trained, so their scores would mean "
            f"nothing. {again}"
        )
    if (task.called is not None and task.called not in card.thresholds) or not card.temperature > 0:
        raise WeightsError(f"The weights' card lacks a threshold or a temperature above 0. {again}")
    try:
        model = task.build_model(card.model)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError, RuntimeError):
        # timm raises RuntimeError for an encoder that it does not know.
        raise WeightsError(f"The card describes a network that this version cannot build. {again}") from None
    filled = fill(model, state, again)
    return LoadedModel(task, card, filled, _fused(filled) if fused else None)


def _fused(model: nn.Module) -> "FusedMusicVit | None":
    """Of a pair's network its faster equal; other networks are changed in place."""
    from cxrkit.models.folded import for_prediction
    from cxrkit.models.fused import FusedMusicVit, can_fuse

    if can_fuse(model):
        return FusedMusicVit(model)  # type: ignore[arg-type]
    for_prediction(model)
    return None


def fill(model: nn.Module, state: dict[str, Tensor], again: str) -> nn.Module:
    """Put weights into a network, freeze it and set it to eval mode.

    Raises:
        WeightsError: names or shapes differ.
    """
    try:
        model.load_state_dict(state)
    except RuntimeError:
        raise WeightsError(f"The weights do not fit the network that their card describes. {again}") from None
    return model.eval().requires_grad_(False)


def save_weights(model: nn.Module, folder: Path) -> str:
    """Write a network as fp16 safetensors.

    Returns:
        SHA-256 of the file.

    Raises:
        ValueError: a weight is not finite in fp16.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = {
        name: tensor.detach().cpu().to(torch.float16 if tensor.is_floating_point() else tensor.dtype).contiguous()
        for name, tensor in model.state_dict().items()
    }
    if not all(tensor.isfinite().all() for tensor in state.values()):
        raise ValueError("A weight is not finite in fp16: training diverged, or a value is above 65,504.")
    data = save(state)
    (folder / "model.safetensors").write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def preparation_record(task: Task) -> tuple[float, ...]:
    """Mean and standard deviation of the input in an 8 x 8 grid for a fixed sample, with and without edits.

    The deviation sees what the mean does not: smoothing and sharpening. It is coarse on purpose: another version of
    OpenCV may round differently, another step of preparation may not.
    """
    sample = [fixed_sample(task.reads)] * len(task.inputs)
    height, width = sample[0].values.shape
    crop = (width // 8, height // 10, width, height * 3 // 4)
    edits = ModelInput(crop=crop, brightness=0.1, contrast=1.3, sharpness=0.5)
    if task.reads == "hand":
        edits = replace(edits, turn=1, swap=True)
    elif task.reads == "planar lung scan":
        # One lung alone, so that the record also holds the mean image that it is aligned with.
        edits = replace(edits, crop=(0, 0, width // 2, height))
    values: list[float] = []
    for edit in (ModelInput(), edits):
        tensor = task.prepare(sample, {}, edit).tensor
        for channel in tensor.reshape(-1, *tensor.shape[-2:]):
            mean = resize(channel, 8, 8)
            deviation = np.sqrt(np.maximum(resize(channel**2, 8, 8) - mean**2, 0))
            values += [round(float(v), 4) for v in (*mean.ravel(), *deviation.ravel())]
    return tuple(values)


@cache
def fixed_sample(reads: Reads = "frontal chest") -> Radiograph:
    """A drawing, 480 x 400 pixels, of the kind of image that a task reads.

    A chest: bright body, two dark lungs, bright mid-line, dark margins. A hand: fingers up, bones in it, dark ground.
    A lung scan: two bright lungs on a dark ground.
    """
    drawn = {"frontal chest": _drawing, "hand": _drawn_hand, "planar lung scan": _drawn_scan}
    values = drawn[reads](480, 400)
    values.setflags(write=False)
    return Radiograph(
        values=values,
        window=(0.0, 255.0),
        valid=None,
        sha256=hashlib.sha256(values.tobytes()).hexdigest(),
        spacing_mm=None,
        header={},
        warnings=(),
    )


def _drawing(height: int, width: int) -> NDArray[np.float32]:
    down, across = np.mgrid[0:height, 0:width]
    y, x = down / height, across / width
    image = 40 + 150 * np.exp(-(((x - 0.5) / 0.45) ** 4)) - 40 * y
    for lung in _drawn_lungs(x, y):
        image -= 90 * lung
    image += 8 * np.sin(y * 60) * np.exp(-(((x - 0.5) / 0.35) ** 4))
    image[:, : width // 20] = 0
    drawing: Any = np.clip(image, 0, 255).astype(np.float32)
    return np.asarray(drawing, dtype=np.float32)


def _drawn_lungs(x: NDArray[np.float64], y: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Two soft ellipses in [0, 1], by place as shares of width and height."""
    inside = [((x - centre) / 0.14) ** 2 + ((y - 0.42) / 0.3) ** 2 for centre in (0.3, 0.7)]
    return [1 / (1 + np.exp(12 * (each - 1))) for each in inside]


def _drawn_scan(height: int, width: int) -> NDArray[np.float32]:
    down, across = np.mgrid[0:height, 0:width]
    y, x = down / height, across / width
    first, second = _drawn_lungs(x, y)
    return np.asarray((220 * first + 190 * second) * (0.7 + 0.3 * np.sin(y * 9)), dtype=np.float32)


_PARTS_OF_HAND = (
    *((0.5, 0.6, x, y, 0.035) for x, y in ((0.2, 0.22), (0.38, 0.1), (0.55, 0.08), (0.72, 0.16), (0.86, 0.4))),
    *((0.47, 0.6, 0.42, 0.5, 0.1), (0.47, 0.65, 0.6, 0.5, 0.1), (0.5, 0.6, 0.5, 1.0, 0.09)),
)
"""From where to where, as shares of width and height, and half the width, as a share of the height."""


def _drawn_hand(height: int, width: int) -> NDArray[np.float32]:
    down, across = (np.mgrid[0:height, 0:width] + 0.5) / height
    flesh, bone = np.zeros((height, width)), np.zeros((height, width))
    for left, y0, right, y1, half in _PARTS_OF_HAND:
        x0, x1 = left * width / height, right * width / height
        along = ((across - x0) * (x1 - x0) + (down - y0) * (y1 - y0)) / ((x1 - x0) ** 2 + (y1 - y0) ** 2)
        along = np.clip(along, 0, 1)
        away = np.hypot(across - x0 - along * (x1 - x0), down - y0 - along * (y1 - y0)) / half
        flesh = np.maximum(flesh, 1 / (1 + np.exp(12 * (away - 1))))
        bone = np.maximum(bone, (0.7 + 0.3 * np.cos(along * 18)) / (1 + np.exp(20 * (away - 0.5))))
    return np.asarray(15 + 5 * down + 80 * flesh + 110 * bone, dtype=np.float32)
