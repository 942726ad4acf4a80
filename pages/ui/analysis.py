"""Reading an image with a network, cached by the SHA-256 of file and weights, the edits and the method."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import streamlit as st

from cxrkit.image import Radiograph
from cxrkit.task import ModelInput, Prepared

if TYPE_CHECKING:
    from cxrkit.explain import Heatmap, Method
    from cxrkit.predict import Encoded, Prediction
    from cxrkit.weights import LoadedModel


@dataclass(frozen=True, eq=False)
class Reading:
    """One image as a network read it under some edits.

    Attributes:
        edits: of the model's input.
        prepared: what the network read.
        prediction: scores, threshold, label, warnings.
        heatmap: of the label asked for.
    """

    edits: ModelInput
    prepared: Prepared
    prediction: "Prediction"
    heatmap: "Heatmap"


def methods() -> tuple["Method", ...]:
    """The class-activation maps on offer, in the order of the screen."""
    from cxrkit.explain import Method

    return tuple(Method)


def read_with(
    loaded: "LoadedModel", image: Radiograph, edits: ModelInput, threshold: float, label: str, method: "Method"
) -> Reading:
    """Read an image, or look up the same reading.

    Args:
        loaded: the network.
        image: what to read.
        edits: of the model's input.
        threshold: in [0, 1], for the positive class.
        label: the class that the heatmap explains.
        method: of the heatmap.

    Raises:
        InputError: an edit that cannot be used.
        WeightsError: the preparation lacks weights of its own.
    """
    from cxrkit.predict import predict

    weights, key = loaded.card.sha256, tuple(asdict(edits).values())
    prepared, encoded = _encode(image.sha256, weights, key, image, loaded, edits)
    heatmap = _explain(image.sha256, weights, key, label, str(method), loaded, prepared, encoded)
    return Reading(edits, prepared, predict(loaded, prepared, encoded, [image], threshold), heatmap)


@st.cache_resource(scope="session", max_entries=6, ttl=3600, show_spinner="Reading …")
def _encode(
    image_sha256: str,
    weights_sha256: str,
    edits: tuple[object, ...],
    _image: Radiograph,
    _loaded: "LoadedModel",
    _edits: ModelInput,
) -> "tuple[Prepared, Encoded]":
    from cxrkit.predict import encode

    prepared = _loaded.task.prepare([_image], {}, _edits)
    return prepared, encode(_loaded, prepared)


@st.cache_resource(scope="session", max_entries=24, ttl=3600, show_spinner="Drawing the heatmap …")
def _explain(
    image_sha256: str,
    weights_sha256: str,
    edits: tuple[object, ...],
    label: str,
    method: str,
    _loaded: "LoadedModel",
    _prepared: Prepared,
    _encoded: "Encoded",
) -> "Heatmap":
    from cxrkit.explain import Method, explain

    return explain(_loaded, _prepared, _encoded, [label], Method(method))[0]
