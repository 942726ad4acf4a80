"""One scan read again for a closer look: what the network read, its map, and its answer without the neck."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from cxrkit.image import Radiograph
from cxrkit.task import ModelInput, Prepared
from cxrkit.tasks.vq import heat_above_the_lungs, without_neck
from pages.ui.analysis import encode_once, explain_once
from pages.ui.compute import computed

if TYPE_CHECKING:
    from cxrkit.explain import Heatmap, Method
    from cxrkit.predict import Prediction
    from cxrkit.weights import LoadedModel


@dataclass(frozen=True, eq=False)
class ScanView:
    """A scan as the network read it under some edits, with a map.

    Attributes:
        edits: of the model's input.
        prepared: what the network read.
        prediction: its answer.
        heatmap: of the label asked for.
        above: share of the heat above the lungs, in [0, 1]; None for a map without heat.
        even: the share that heat spread evenly would have there.
    """

    edits: ModelInput
    prepared: Prepared
    prediction: "Prediction"
    heatmap: "Heatmap"
    above: float | None
    even: float


def read_again(loaded: "LoadedModel", image: Radiograph) -> Prepared:
    """How a scan was prepared, or look it up."""
    return encode_once(image, loaded, ModelInput())[0]


def view_scan(
    loaded: "LoadedModel", image: Radiograph, edits: ModelInput, label: str | None, method: "Method"
) -> ScanView:
    """Read and explain a scan, or look up the same reading.

    Args:
        loaded: the network.
        image: what to read.
        edits: of the model's input.
        label: the type that the map explains; None = the likelier one.
        method: of the map.

    Raises:
        InputError: an edit that cannot be used.
    """
    from cxrkit.predict import predict

    prepared, encoded = encode_once(image, loaded, edits)
    prediction = computed(predict, loaded, prepared, encoded, [image])
    target = label or max(prediction.scores, key=lambda name: prediction.scores[name])
    heatmap = explain_once(image, loaded, edits, target, method, prepared, encoded)
    above = heat_above_the_lungs(prepared, heatmap.values)
    even = heat_above_the_lungs(prepared, np.ones_like(heatmap.values))
    return ScanView(edits, prepared, prediction, heatmap, above, even or 0.0)


def second_opinion(loaded: "LoadedModel", image: Radiograph, view: ScanView) -> "tuple[Prepared, Prediction]":
    """The scan under the same edits without anything above the lungs, and the answer to that."""
    edited = tuple(asdict(view.edits).values())
    return _without_neck(image.sha256, loaded.card.sha256, edited, image, loaded, view)


@st.cache_resource(scope="session", max_entries=4, ttl=3600, show_spinner=False)
def _without_neck(
    image_sha256: str,
    weights_sha256: str,
    edits: tuple[object, ...],
    _image: Radiograph,
    _loaded: "LoadedModel",
    _view: ScanView,
) -> "tuple[Prepared, Prediction]":
    from cxrkit.predict import encode, predict

    masked = without_neck(_view.prepared, _view.edits)

    def answer() -> "Prediction":
        return predict(_loaded, masked, encode(_loaded, masked), [_image])

    return masked, computed(answer)
