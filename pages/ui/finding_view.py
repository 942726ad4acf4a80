"""An image read for all findings at once: scores, a heatmap of each label, and the attention rollout."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cxrkit.finding_reading import FindingsReading
from cxrkit.image import Radiograph
from cxrkit.task import ModelInput, Prepared
from pages.ui.analysis import encode_once
from pages.ui.compute import computed

if TYPE_CHECKING:
    from cxrkit.explain import Heatmap, Method
    from cxrkit.predict import Encoded, Prediction
    from cxrkit.rollout import Rollout
    from cxrkit.weights import LoadedModel

_RAW_MAPS = 168
"""Twelve sets of all labels, of a kilobyte each map."""


@dataclass(frozen=True, eq=False)
class FindingsView:
    """One image as the network read it under some edits.

    Attributes:
        edits: of the model's input.
        prepared: what the network read.
        prediction: its answer, with `findings`.
    """

    edits: ModelInput
    prepared: Prepared
    prediction: "Prediction"

    @property
    def findings(self) -> FindingsReading:
        """All labels' answers."""
        if self.prediction.findings is None:
            raise ValueError("this prediction is not of several labels")
        return self.prediction.findings


@dataclass(frozen=True, eq=False)
class Shown:
    """A view with the heatmap of one label."""

    edits: ModelInput
    prepared: Prepared
    heatmap: "Heatmap"


def read_findings_of(loaded: "LoadedModel", image: Radiograph, edits: ModelInput) -> FindingsView:
    """Read an image, or look up the same reading.

    Args:
        loaded: the network.
        image: what to read.
        edits: of the model's input.

    Raises:
        InputError: an edit that cannot be used.
        WeightsError: the preparation lacks weights of its own.
    """
    from cxrkit.predict import predict

    prepared, encoded = encode_once(image, loaded, edits)
    return FindingsView(edits, prepared, computed(predict, loaded, prepared, encoded, [image]))


def show_label(loaded: "LoadedModel", image: Radiograph, view: FindingsView, label: str, method: "Method") -> Shown:
    """A view with the heatmap of a label; its raw map is made the first time that it is asked for."""
    from cxrkit.explain import heatmap_of

    prepared, encoded = encode_once(image, loaded, view.edits)
    raw = _raw_map(image.sha256, loaded.card.sha256, _key(view.edits), label, str(method), loaded, encoded)
    return Shown(view.edits, prepared, heatmap_of(label, method, raw, prepared.placements[0]))


def rollout_of(loaded: "LoadedModel", image: Radiograph, view: FindingsView) -> "Rollout":
    """Its attention rollout, or the same one again.

    Raises:
        InputError: the network is no transformer.
    """
    return _rollout(image.sha256, loaded.card.sha256, _key(view.edits), loaded, view.prepared)


def _key(edits: ModelInput) -> tuple[object, ...]:
    return tuple(asdict(edits).values())


@st.cache_resource(scope="session", max_entries=_RAW_MAPS, ttl=3600, show_spinner=False)
def _raw_map(
    image_sha256: str,
    weights_sha256: str,
    edits: tuple[object, ...],
    label: str,
    method: str,
    _loaded: "LoadedModel",
    _encoded: "Encoded",
) -> "NDArray[np.float32]":
    from cxrkit.explain import Method, raw_maps

    return computed(raw_maps, _loaded, _encoded, [_loaded.task.labels.index(label)], Method(method))[0]


@st.cache_resource(scope="session", max_entries=6, ttl=3600, show_spinner=False)
def _rollout(
    image_sha256: str,
    weights_sha256: str,
    edits: tuple[object, ...],
    _loaded: "LoadedModel",
    _prepared: Prepared,
) -> "Rollout":
    from cxrkit.rollout import attention_rollout

    return computed(attention_rollout, _loaded, _prepared)
