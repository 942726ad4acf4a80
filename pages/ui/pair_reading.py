"""Reading a pair of images, cached by both files' SHA-256, the weights' and the method."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cxrkit.image import Radiograph
from cxrkit.task import ModelInput, Prepared, Task
from pages.ui.compute import computed

if TYPE_CHECKING:
    from cxrkit.explain import Heatmap, Method
    from cxrkit.explain_pair import Overlay, PairMaps
    from cxrkit.predict import Encoded, Prediction
    from cxrkit.registration import Registration
    from cxrkit.weights import LoadedModel


@dataclass(frozen=True, eq=False)
class PairReading:
    """Two images as a network compared them.

    Attributes:
        prepared: what the network read.
        prediction: scores, threshold, label, further answers, matching.
        swapped: the same with follow-up and baseline exchanged.
        maps: of both branches, before they are joined.
        overlay: how they are joined.
        heatmaps: of baseline and follow-up.
    """

    prepared: Prepared
    prediction: "Prediction"
    swapped: "Prediction"
    maps: "PairMaps"
    overlay: "Overlay"
    heatmaps: "tuple[Heatmap, Heatmap]"

    def strength(self, heatmap: "Heatmap") -> NDArray[np.float32]:
        """How strong an overlay is where: whichever way a lesion went, but of evidence only what is the follow-up's."""
        return np.abs(heatmap.values) if self.overlay.of_lesions else np.maximum(heatmap.values, 0)


def speaks_of_change(task: Task, reading: PairReading) -> bool:
    """Whether the overlay is of lesions, or of evidence for change: that for no change need lie nowhere."""
    return reading.overlay.of_lesions or reading.maps.label == task.positive


def overlay_names(loaded: "LoadedModel") -> "tuple[Overlay, ...]":
    """The overlays on offer, in the order of the screen; those of lesions if the network has maps of them."""
    from cxrkit.explain_pair import Overlay

    return tuple(overlay for overlay in Overlay if loaded.model.lesions is not None or not overlay.of_lesions)


def predict_pair(loaded: "LoadedModel", baseline: Radiograph, follow_up: Radiograph, threshold: float) -> "Prediction":
    """The answer for two images, or the same one again.

    Raises:
        WeightsError: the preparation lacks weights of its own.
    """
    from cxrkit.predict import predict

    prepared, encoded = _encode(baseline.sha256, follow_up.sha256, loaded.card.sha256, loaded, baseline, follow_up)
    return predict(loaded, prepared, encoded, [baseline, follow_up], threshold)


def read_pair(
    loaded: "LoadedModel",
    baseline: Radiograph,
    follow_up: Radiograph,
    threshold: float,
    label: str,
    method: "Method",
    overlay: "Overlay",
) -> PairReading:
    """Compare two images both ways round and explain the answer, or look the same reading up.

    Args:
        loaded: the network.
        baseline, follow_up: the images.
        threshold: in [0, 1], for the positive class.
        label: the class that the maps explain.
        method: of the maps.
        overlay: how the two maps are joined.

    Raises:
        WeightsError: the preparation lacks weights of its own.
    """
    from cxrkit.explain_pair import overlays

    weights = loaded.card.sha256
    prepared, encoded = _encode(baseline.sha256, follow_up.sha256, weights, loaded, baseline, follow_up)
    maps = _explain(baseline.sha256, follow_up.sha256, weights, label, str(method), loaded, encoded)
    return PairReading(
        prepared=prepared,
        prediction=predict_pair(loaded, baseline, follow_up, threshold),
        swapped=predict_pair(loaded, follow_up, baseline, threshold),
        maps=maps,
        overlay=overlay,
        heatmaps=overlays(maps, prepared, overlay),
    )


@st.cache_resource(scope="session", max_entries=20, ttl=3600, show_spinner=False)
def _encode(
    baseline: str,
    follow_up: str,
    weights: str,
    _loaded: "LoadedModel",
    _baseline: Radiograph,
    _follow_up: Radiograph,
) -> "tuple[Prepared, Encoded]":
    from cxrkit.predict import encode

    def read() -> "tuple[Prepared, Encoded]":
        prepared = _loaded.task.prepare([_baseline, _follow_up], {}, ModelInput())
        return prepared, encode(_loaded, prepared)

    return computed(read)


@st.cache_resource(scope="session", max_entries=24, ttl=3600, show_spinner=False)
def _explain(
    baseline: str,
    follow_up: str,
    weights: str,
    label: str,
    method: str,
    _loaded: "LoadedModel",
    _encoded: "Encoded",
) -> "PairMaps":
    from cxrkit.explain import Method
    from cxrkit.explain_pair import explain_pair

    return computed(explain_pair, _loaded, _encoded, label, Method(method))


@st.cache_resource(scope="session", max_entries=8, ttl=3600, show_spinner=False)
def registered(baseline: str, follow_up: str, _baseline: Radiograph, _follow_up: Radiograph) -> "Registration":
    """How the follow-up lies on the baseline; the first two arguments are the images' SHA-256."""
    from cxrkit.registration import register

    return computed(register, _baseline.windowed(), _follow_up.windowed())
