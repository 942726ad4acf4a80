"""Class-activation maps of both images of a pair, and how the two are joined into one overlay (methods section 1).

The encoder is shared by the two images, so a map hooked on one of its layers would show one image's evidence for both.
Here the maps of both branches enter the head as a batch of two, each with its own gradient.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cxrkit.explain import CAMS, Heatmap, Method, margin, unit_of
from cxrkit.predict import Encoded
from cxrkit.task import Prepared
from cxrkit.weights import LoadedModel


class Overlay(StrEnum):
    """How two maps become an overlay; the values are their names on the screen."""

    INTERSECTION = "Intersection"
    OWN = "Each image's own map"
    UNION = "Union"
    PRODUCT = "Product"
    SIGNED_DIFFERENCE = "Signed difference (follow-up − baseline)"


@dataclass(frozen=True, eq=False)
class PairMaps:
    """Where the evidence for a label lies in either image.

    Attributes:
        label: the class explained.
        method: how.
        scaled: baseline's and follow-up's map [h, w] over the network's square input, in [0, 1]: positive evidence,
            scaled by its own minimum and maximum. All zero where there is none.
        maxima: of the raw maps, in units of the logit margin; 0 = no positive evidence.
    """

    label: str
    method: Method
    scaled: tuple[NDArray[np.float32], NDArray[np.float32]]
    maxima: tuple[float, float]


class _PairHead(nn.Module):
    """Maps [2, C, h, w] of the two branches -> an identity, to be hooked -> the shared model's head -> [1, K]."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.entrance = nn.Identity()
        self.model = model

    def forward(self, maps: Tensor) -> Tensor:
        logits: Tensor = self.model.head(self.entrance(maps)[None])  # type: ignore[operator]
        return logits


def explain_pair(
    loaded: LoadedModel, encoded: Encoded, label: str = "change", method: Method = Method.GRAD_CAM
) -> PairMaps:
    """Maps of both branches for one of the task's labels, from one run of the encoder.

    Args:
        loaded: the network with its card.
        encoded: the pair's maps, from predict.encode.
        label: among the task's.
        method: of weighting.
    """
    raw = raw_pair_maps(loaded, encoded, loaded.task.labels.index(label), method)
    positive = np.maximum(raw, 0)
    scaled = tuple(_min_max(values) for values in positive)
    return PairMaps(label, method, (scaled[0], scaled[1]), (float(positive[0].max()), float(positive[1].max())))


def raw_pair_maps(loaded: LoadedModel, encoded: Encoded, output: int, method: Method) -> NDArray[np.float32]:
    """Signed maps [2, h, w] of baseline and follow-up; the target is the output's margin over the other label."""
    network = _PairHead(loaded.model)
    with torch.inference_mode(False), torch.enable_grad():
        # Not used as a context manager: the library's __exit__ swallows IndexError.
        cam = CAMS[method](model=network, target_layers=[network.entrance])
        maps = encoded.maps[0].detach().clone().requires_grad_(True)
        logits = cam.activations_and_grads(maps)[0, : len(loaded.task.labels)]
        torch.autograd.backward(margin(logits, output, loaded.task.activation))
        activations = cam.activations_and_grads.activations[0].numpy()
        gradients = cam.activations_and_grads.gradients[0].numpy()
        raw = cam.get_cam_image(maps, network.entrance, [], activations, gradients, False)
    return np.asarray(raw * unit_of(method, raw[0].size), dtype=np.float32)


def overlays(maps: PairMaps, prepared: Prepared, overlay: Overlay) -> tuple[Heatmap, Heatmap]:
    """What lies on baseline and on follow-up, each in its own image's frame.

    Args:
        maps: of the pair, in the frame of the network's input.
        prepared: how that frame lies on the two images.
        overlay: how the two maps are joined. The signed difference has values in [-1, 1], all others in [0, 1].
    """
    joined = _join(*maps.scaled, overlay)
    strength = maps.maxima if overlay == Overlay.OWN else (_joint_strength(maps, overlay),) * 2
    baseline, follow_up = (
        Heatmap(
            label=maps.label,
            method=maps.method,
            values=placement.place(values) if strong > 0 else np.zeros_like(placement.place(values)),
            box=placement.box,
            maximum=strong,
        )
        for values, strong, placement in zip(joined, strength, prepared.placements, strict=True)
    )
    return baseline, follow_up


def _join(
    baseline: NDArray[np.float32], follow_up: NDArray[np.float32], overlay: Overlay
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    if overlay == Overlay.OWN:
        return baseline, follow_up
    if overlay == Overlay.INTERSECTION:
        both = np.minimum(baseline, follow_up)
    elif overlay == Overlay.UNION:
        both = np.maximum(baseline, follow_up)
    elif overlay == Overlay.PRODUCT:
        both = baseline * follow_up
    else:
        both = follow_up - baseline
    return both, both


def _joint_strength(maps: PairMaps, overlay: Overlay) -> float:
    """An intersection is no stronger than its weaker map, and is empty where one of the two is."""
    if overlay in (Overlay.INTERSECTION, Overlay.PRODUCT):
        return min(maps.maxima)
    return max(maps.maxima)


def _min_max(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of a map without negative values; a constant one is all one, or all zero where it is zero."""
    low, high = float(values.min()), float(values.max())
    if low == high:
        return np.full_like(values, float(high > 0))
    return np.asarray((values - low) / (high - low), dtype=np.float32)
