"""Reading an image with a network, cached by the SHA-256 of file and weights, the edits and the method."""

from concurrent.futures import Future
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import streamlit as st

from cxrkit.image import Radiograph
from cxrkit.lungs import LungField, find_lungs, heat_share
from cxrkit.task import ModelInput, Prepared, Task
from pages.ui.compute import begun, computed, settled
from pages.ui.models import begin_to_load_libraries

if TYPE_CHECKING:
    from cxrkit.explain import Heatmap, Method
    from cxrkit.predict import Encoded, Prediction
    from cxrkit.weights import LoadedModel


class Explained(Protocol):
    """An image as a network read it under some edits, with a heatmap, whatever it answered."""

    @property
    def edits(self) -> ModelInput: ...
    @property
    def prepared(self) -> Prepared: ...
    @property
    def heatmap(self) -> "Heatmap": ...


@dataclass(frozen=True, eq=False)
class Reading:
    """One image as a network read it under some edits.

    Attributes:
        edits: of the model's input.
        prepared: what the network read.
        prediction: scores, threshold, label, warnings.
        heatmap: of the label asked for.
        heat_in_lungs: share of the heatmap that lies inside the lungs, in [0, 1]; None for an empty heatmap and where
            two lungs were not found.
        lungs_fill: share of what the network read that the lungs fill: what a heatmap without a preference has.
    """

    edits: ModelInput
    prepared: Prepared
    prediction: "Prediction"
    heatmap: "Heatmap"
    heat_in_lungs: float | None = None
    lungs_fill: float | None = None


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

    prepared, encoded = encode_once(image, loaded, edits)
    heatmap = explain_once(image, loaded, edits, label, method, prepared, encoded)
    prediction = predict(loaded, prepared, encoded, [image], threshold)
    return Reading(edits, prepared, prediction, heatmap, *_lung_shares(image, prepared, heatmap))


def begin_to_prepare(task: Task, image: Radiograph) -> None:
    """Let the task's preparation begin, without edits, if the libraries are there; `encode_once` waits for it."""
    if begin_to_load_libraries().done():
        _prepare(*_question(task, image, ModelInput()))


def encode_once(image: Radiograph, loaded: "LoadedModel", edits: ModelInput) -> "tuple[Prepared, Encoded]":
    """What a network reads of an image and its maps, or the same ones again; nothing is known of the patient.

    Raises:
        InputError: an edit that cannot be used.
        WeightsError: the preparation lacks weights of its own.
    """
    prepared = settled(_prepare, *_question(loaded.task, image, edits))
    edited = tuple(asdict(edits).values())
    return prepared, _encode(image.sha256, loaded.card.sha256, edited, loaded, prepared)


def explain_once(
    image: Radiograph,
    loaded: "LoadedModel",
    edits: ModelInput,
    label: str,
    method: "Method",
    prepared: Prepared,
    encoded: "Encoded",
) -> "Heatmap":
    """The heatmap of a label, or the same one again; `encoded` says what the network is told of the patient.

    Raises:
        InputError: the network has to be told something that is not known.
    """
    told = tuple(encoded.context.get(name) for name in loaded.task.context)
    edited = tuple(asdict(edits).values())
    return _explain(image.sha256, loaded.card.sha256, edited, told, label, str(method), loaded, prepared, encoded)


def _lung_shares(image: Radiograph, prepared: Prepared, heatmap: "Heatmap") -> tuple[float | None, float | None]:
    """Of the heat and of the area of a heatmap's box, how much lies inside the lungs."""
    field, shape = prepared.lungs[0] or _lungs(image.sha256, image), (image.values.shape[0], image.values.shape[1])
    everywhere = np.ones_like(heatmap.values)
    return heat_share(field, heatmap.values, heatmap.box, shape), heat_share(field, everywhere, heatmap.box, shape)


@st.cache_resource(scope="session", max_entries=2, ttl=3600, show_spinner=False)
def _lungs(image_sha256: str, _image: Radiograph) -> LungField:
    return computed(find_lungs, _image.windowed())


Question = tuple[str, str, tuple[object, ...], Task, Radiograph, ModelInput]


def _question(task: Task, image: Radiograph, edits: ModelInput) -> Question:
    return image.sha256, task.name, tuple(asdict(edits).values()), task, image, edits


@st.cache_resource(scope="session", max_entries=6, ttl=3600, show_spinner=False)
def _prepare(
    image_sha256: str,
    name: str,
    edits: tuple[object, ...],
    _task: Task,
    _image: Radiograph,
    _edits: ModelInput,
) -> "Future[Prepared]":
    return begun(_task.prepare, [_image], {}, _edits)


@st.cache_resource(scope="session", max_entries=6, ttl=3600, show_spinner=False)
def _encode(
    image_sha256: str,
    weights_sha256: str,
    edits: tuple[object, ...],
    _loaded: "LoadedModel",
    _prepared: Prepared,
) -> "Encoded":
    from cxrkit.predict import encode

    return computed(encode, _loaded, _prepared)


@st.cache_resource(scope="session", max_entries=24, ttl=3600, show_spinner=False)
def _explain(
    image_sha256: str,
    weights_sha256: str,
    edits: tuple[object, ...],
    told: tuple[object, ...],
    label: str,
    method: str,
    _loaded: "LoadedModel",
    _prepared: Prepared,
    _encoded: "Encoded",
) -> "Heatmap":
    from cxrkit.explain import Method, explain

    return computed(explain, _loaded, _prepared, _encoded, [label], Method(method))[0]
