"""Maps of both images of a pair, and how the two are joined into one overlay (methods section 1).

The encoder is shared by the two images, so a map hooked on one of its layers would show one image's evidence for both.
Here the maps of both branches enter the head as a batch of two, each with its own gradient.

Beside these class-activation maps, the source's, stand ours: where the network's own map of lesions sees one in either
image, which the answer rests on and training compares with the lesions that it drew.
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

INTERSECTION_BY_METHOD = "Pointing game of the intersection map on pairs made of radiographs set aside, by method"
"""Table of the card, by its title."""


class Overlay(StrEnum):
    """How two maps become an overlay; the values are their names on the screen."""

    INTERSECTION = "Intersection"
    OWN = "Each image's own map"
    UNION = "Union"
    PRODUCT = "Product"
    SIGNED_DIFFERENCE = "Signed difference (follow-up − baseline)"
    LESION_CHANGE = "Lesions come or gone"
    LESIONS = "Lesions seen in each image"

    @property
    def of_lesions(self) -> bool:
        """Whether it shows the network's maps of lesions, not class-activation maps."""
        return self in (Overlay.LESION_CHANGE, Overlay.LESIONS)

    @property
    def signed(self) -> bool:
        """Whether it has values in [-1, 1], above 0 where there is more at follow-up; all others are in [0, 1]."""
        return self in (Overlay.SIGNED_DIFFERENCE, Overlay.LESION_CHANGE)


@dataclass(frozen=True, eq=False)
class PairMaps:
    """Where the evidence for a label lies in either image.

    Attributes:
        label: the class explained.
        method: how.
        scaled: baseline's and follow-up's map [h, w] over the network's square input, in [0, 1], each scaled by its own
            minimum and maximum.
        maxima: of the raw maps, in units of the logit margin; at most 0 where nothing in that image speaks for it.
        lesions: baseline's and follow-up's probability of a lesion [h, w], whatever the label; None of a network
            without such maps.
    """

    label: str
    method: Method
    scaled: tuple[NDArray[np.float32], NDArray[np.float32]]
    maxima: tuple[float, float]
    lesions: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None


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

    **Choices**: the logit of change less that of no change is explained (of another label likewise), because the score
    depends on their difference alone; the source's target is the logit of change. What speaks against the label is
    scaled too, not cut off. A lesion that has come speaks for change in the follow-up, while the baseline as a whole
    speaks against it, least where it shows no lesion. Cut off, one of the two maps was often empty and the intersection
    with it.

    Args:
        loaded: the network with its card.
        encoded: the pair's maps, from predict.encode.
        label: among the task's.
        method: of weighting.
    """
    raw = raw_pair_maps(loaded, encoded, loaded.task.labels.index(label), method)
    maxima = (float(raw[0].max()), float(raw[1].max()))
    return PairMaps(label, method, (_min_max(raw[0]), _min_max(raw[1])), maxima, _lesions_of(loaded, encoded))


def _lesions_of(loaded: LoadedModel, encoded: Encoded) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """The network's own maps of lesions in baseline and follow-up, as in PairMaps."""
    if loaded.model.lesions is None:
        return None
    with torch.inference_mode(False), torch.no_grad():
        baseline, follow_up = loaded.model.lesions_seen(encoded.maps)[0].numpy()  # type: ignore[operator]
    return baseline, follow_up


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
        overlay: how the two maps are joined.

    Raises:
        ValueError: an overlay of lesions, of a network without such maps.
    """
    shown = maps.lesions if overlay.of_lesions else maps.scaled
    if shown is None:
        raise ValueError("this network has no maps of lesions")
    joined = _join(*shown, overlay)
    strengths = _strengths(maps, joined, overlay)
    baseline, follow_up = (
        Heatmap(
            label="lesion" if overlay.of_lesions else maps.label,
            method=maps.method,
            values=placement.place(values) if strong > 0 else np.zeros_like(placement.place(values)),
            box=placement.box,
            maximum=strong,
        )
        for values, strong, placement in zip(joined, strengths, prepared.placements, strict=True)
    )
    return baseline, follow_up


def _join(
    baseline: NDArray[np.float32], follow_up: NDArray[np.float32], overlay: Overlay
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    if overlay in (Overlay.OWN, Overlay.LESIONS):
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


def _strengths(
    maps: PairMaps, joined: tuple[NDArray[np.float32], NDArray[np.float32]], overlay: Overlay
) -> tuple[float, float]:
    """Of what lies on either image. Joined maps are empty where neither image has any evidence."""
    if overlay.of_lesions:
        return float(np.abs(joined[0]).max()), float(np.abs(joined[1]).max())
    return maps.maxima if overlay == Overlay.OWN else (max(maps.maxima),) * 2


def _min_max(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scaled to [0, 1]; a constant map is all one, or all zero where nothing of it is above zero."""
    low, high = float(values.min()), float(values.max())
    if low == high:
        return np.full_like(values, float(high > 0))
    return np.asarray((values - low) / (high - low), dtype=np.float32)
