"""Feature maps + target -> Heatmap, placed in the original image's frame.

pytorch-grad-cam does the weighting, on a small network made for one call: its input is the feature maps, its target
layer an identity in front of the head. Nothing is hooked on the shared model, so threads cannot disturb each other,
and the encoder does not run again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pytorch_grad_cam
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cxrkit.heads import Head, head_of
from cxrkit.pixels import Box
from cxrkit.predict import Encoded
from cxrkit.task import Placement, Prepared
from cxrkit.weights import LoadedModel


class Method(StrEnum):
    """Class-activation maps on offer; the values are their names on the screen.

    Eigen-CAM is left out: it is the same map for every label, of arbitrary sign.
    """

    GRAD_CAM = "Grad-CAM"
    GRAD_CAM_PLUS_PLUS = "Grad-CAM++"
    HIRES_CAM = "HiResCAM"
    XGRAD_CAM = "XGrad-CAM"
    LAYER_CAM = "LayerCAM"


CAMS = {
    Method.GRAD_CAM: pytorch_grad_cam.GradCAM,
    Method.GRAD_CAM_PLUS_PLUS: pytorch_grad_cam.GradCAMPlusPlus,
    Method.HIRES_CAM: pytorch_grad_cam.HiResCAM,
    Method.XGRAD_CAM: pytorch_grad_cam.XGradCAM,
    Method.LAYER_CAM: pytorch_grad_cam.LayerCAM,
}


EXPECTED = "expected value"
"""In place of a label, of tasks whose labels are numbers: their mean by probability, such as the bone age."""

Target = Callable[[Tensor], Tensor]
"""Logits [K] of the labels -> what is to be explained, one number."""

_TOGETHER = 16
"""Targets explained at once: more would take memory without saving time."""

_PER_PIXEL = (Method.GRAD_CAM, Method.HIRES_CAM, Method.XGRAD_CAM, Method.LAYER_CAM)
"""Linear in the gradient, which a pooling head divides among the pixels: times their number, maps are in logits."""


_BY_CHANNEL = (Method.GRAD_CAM, Method.GRAD_CAM_PLUS_PLUS, Method.XGRAD_CAM)
"""One weight for each channel: maps of all targets are one product with the activations, which they share."""


class _HeadOnly(nn.Module):
    """Feature maps -> the same maps, to be hooked -> the shared model's head.

    Args:
        model: whose first parameter tells pytorch-grad-cam the device. The library goes through all modules of what it
            is given, which takes as long as a map, so it is given no more.
        head: of the model.
    """

    def __init__(self, model: nn.Module, head: Head) -> None:
        super().__init__()
        self.entrance = nn.Identity()
        self.of_device = next(model.parameters())
        self.head = head

    def forward(self, maps: Tensor) -> Tensor:
        return self.head(self.entrance(maps))


@dataclass(frozen=True, eq=False)
class Heatmap:
    """Where the evidence for one label lies.

    Attributes:
        label: the class explained, or EXPECTED.
        method: how.
        values: [h, w] in [0, 1] over `box`: positive evidence, divided by its own maximum. All zero if there is none.
        box: (left, top, right, bottom) in pixels of the original image.
        maximum: of the raw map, in units of the logit margin, of an expected value in those of the labels (Grad-CAM++
            has a unit of its own); 0 = no positive evidence. Maps are scaled one by one, so only this number says
            whether a map is strong.

    Of a pair as `Overlay` says: in [-1, 1] where `signed`, not divided by its maximum; `maximum` may be below 0, and of
    lesions is a probability.
    """

    label: str
    method: Method
    values: NDArray[np.float32]
    box: Box
    maximum: float

    @property
    def empty(self) -> bool:
        """No pixel speaks for the label."""
        return self.maximum <= 0


def explain(
    loaded: LoadedModel,
    prepared: Prepared,
    encoded: Encoded,
    labels: Sequence[str] | None = None,
    method: Method = Method.GRAD_CAM,
) -> tuple[Heatmap, ...]:
    """Heatmaps of the given labels (default: all) from one run of the encoder.

    Args:
        loaded: the network with its card.
        prepared: what it read.
        encoded: its maps, from predict.encode.
        labels: among the task's; also EXPECTED, where labels are numbers.
        method: of weighting.

    Raises:
        InputError: as heads.head_of.
    """
    chosen = loaded.task.labels if labels is None else tuple(labels)
    raw = raw_maps(loaded, encoded, [_target(loaded, label) for label in chosen], method)
    placement = prepared.placements[0]
    return tuple(heatmap_of(label, method, values, placement) for label, values in zip(chosen, raw, strict=True))


def heatmap_of(label: str, method: Method, raw: NDArray[np.float32], placement: Placement) -> Heatmap:
    """A signed map [h, w] of `raw_maps` on the original image: brought to a display's size, which takes its time."""
    placed = np.maximum(placement.place(raw), 0)
    maximum = float(placed.max())
    values = placed / maximum if maximum > 0 else np.zeros_like(placed)
    return Heatmap(label, method, values.astype(np.float32), placement.box, maximum)


def raw_maps(
    loaded: LoadedModel, encoded: Encoded, outputs: Sequence[int | Target], method: Method
) -> list[NDArray[np.float32]]:
    """Signed maps [h, w], one for each output or other target, over the whole input.

    With softmax the target is the margin of the output over the mean of the others (for two classes the log-odds); with
    sigmoid it is the output itself. With a linear head behind mean pooling, the mean of a Grad-CAM plus the difference
    of the biases is exactly that target.
    """
    starts = range(0, len(outputs), _TOGETHER)
    return [raw for at in starts for raw in _raw_maps(loaded, encoded, outputs[at : at + _TOGETHER], method)]


def _target(loaded: LoadedModel, label: str) -> int | Target:
    """The output of a label, or the mean of all labels' numbers by probability."""
    if label != EXPECTED:
        return loaded.task.labels.index(label)
    values = torch.tensor(loaded.task.values)
    return lambda logits: (logits / loaded.card.temperature).softmax(dim=0) @ values


def _raw_maps(
    loaded: LoadedModel, encoded: Encoded, outputs: Sequence[int | Target], method: Method
) -> NDArray[np.float32]:
    """[K, h, w] from one run of the head over K copies of the maps, each of which answers for one target."""
    network, activation = _HeadOnly(loaded.model, head_of(loaded, encoded.context)), loaded.task.activation
    with torch.inference_mode(False), torch.enable_grad():
        # Not used as a context manager: the library's __exit__ swallows IndexError.
        cam = CAMS[method](model=network, target_layers=[network.entrance])
        maps = encoded.maps.detach().expand(len(outputs), -1, -1, -1).requires_grad_(True)
        logits = cam.activations_and_grads(maps)[:, : len(loaded.task.labels)]
        targets = [
            margin(row, output, activation) if isinstance(output, int) else output(row)
            for row, output in zip(logits, outputs, strict=True)
        ]
        torch.autograd.backward(targets)
        activations = cam.activations_and_grads.activations[0].numpy()
        gradients = cam.activations_and_grads.gradients[0].numpy()
        # The raw map: cam(...) would rescale it to [0, 1] and lose its strength.
        if method in _BY_CHANNEL:
            weights = cam.get_cam_weights(maps, network.entrance, [], activations, gradients)
            # By torch: NumPy's threads and torch's wait for each other.
            shared = encoded.maps[0].flatten(1)
            raw = (torch.from_numpy(weights).to(shared.dtype) @ shared).numpy().reshape(-1, *encoded.maps.shape[2:])
        else:
            raw = cam.get_cam_image(maps, network.entrance, [], activations, gradients, False)
    return np.asarray(raw * unit_of(method, raw[0].size), dtype=np.float32)


def unit_of(method: Method, pixels: int) -> int:
    """Factor that brings a raw map of so many pixels to units of the logit margin, where the method has them."""
    return pixels if method in _PER_PIXEL else 1


def margin(logits: Tensor, output: int, activation: str) -> Tensor:
    """The output's logit, with softmax over the mean of the others'."""
    if activation == "sigmoid":
        return logits[output]
    others = (logits.sum() - logits[output]) / (len(logits) - 1)
    return logits[output] - others
