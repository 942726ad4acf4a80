"""The heatmap of a case of any task, as the task's own page makes it, and the answer that goes with it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import streamlit as st

from cxrkit.finding_labels import several_labels
from cxrkit.image import Radiograph
from cxrkit.review.table import ReviewSet
from cxrkit.task import ModelInput
from pages.ui.age_reading import read_hand
from pages.ui.analysis import Explained, encode_once, explain_once, methods
from pages.ui.compute import computed
from pages.ui.finding_view import Shown, read_findings_of, show_label
from pages.ui.models import load
from pages.ui.pair_reading import PairReading, overlay_names, read_pair
from pages.ui.pair_results import overlay_label, overlay_meaning
from pages.ui.results import pane
from pages.ui.review_load import KEY
from pages.ui.truth import Truth
from pages.ui.viewer import Pane

if TYPE_CHECKING:
    from cxrkit.explain import Method
    from cxrkit.weights import LoadedModel


@dataclass(frozen=True, eq=False)
class Explanation:
    """What the network of this server says of a case.

    Attributes:
        views: one for each image, with its heatmap.
        answer: score of the label in [0, 1], or expected age in months.
        overlay: of a pair, what lies on both images; None of a single image.
    """

    views: tuple[Explained, ...]
    answer: float
    overlay: PairReading | None = None

    def pane(self, image: Radiograph, number: int, name: str, masks: Truth) -> Pane:
        """One of the case's images with what lies on it."""
        drawn = pane(image, self.views[number], name, masks=masks)
        if self.overlay is None:
            return drawn
        return replace(drawn, heatmap_label=overlay_label(self.overlay), heatmap_signed=self.overlay.overlay.signed)

    @property
    def meaning(self) -> str:
        """What the colours are, in words."""
        if self.overlay is not None:
            return f"{overlay_label(self.overlay)}. {overlay_meaning(self.overlay.overlay)}"
        return f"{self.views[0].heatmap.method} for {self.views[0].heatmap.label}."


def explain_case(
    review: ReviewSet, row: int, label: str, threshold: float | None, images: Sequence[Radiograph]
) -> Explanation:
    """Ask for the method, then explain.

    Args:
        review: whose case.
        row: of its table.
        label: that is reviewed.
        threshold: of it; None of ages.
        images: of the case.

    Raises:
        InputError: the network has to be told something that the table does not say.
        WeightsError: weights are missing, altered or do not fit.
    """
    loaded = load(review.task)
    choices = st.container(horizontal=True)
    method = choices.selectbox("Heatmap method", methods(), key=f"{KEY}.method", persist_state="session", width=320)
    if len(images) > 1:
        overlay = choices.selectbox(
            "Overlay", overlay_names(loaded), key=f"{KEY}.overlay", persist_state="session", width=320
        )
        limit = 0.5 if threshold is None else threshold
        reading = read_pair(loaded, images[0], images[1], limit, label, method, overlay)
        shown = tuple(Shown(ModelInput(), reading.prepared, heatmap) for heatmap in reading.heatmaps)
        return Explanation(shown, reading.prediction.scores[label], reading)
    (image,) = images
    if review.task.values:
        hand = read_hand(loaded, image, ModelInput(), review.context(row), method=method)
        return Explanation((hand,), hand.age.expected)
    if several_labels(review.task):
        view = read_findings_of(loaded, image, ModelInput())
        return Explanation((show_label(loaded, image, view, label, method),), view.prediction.scores[label])
    return _single(loaded, image, label, method)


def _single(loaded: "LoadedModel", image: Radiograph, label: str, method: "Method") -> Explanation:
    from cxrkit.predict import predict

    prepared, encoded = encode_once(image, loaded, ModelInput())
    heatmap = explain_once(image, loaded, ModelInput(), label, method, prepared, encoded)
    answer = computed(predict, loaded, prepared, encoded, [image]).scores[label]
    return Explanation((Shown(ModelInput(), prepared, heatmap),), answer)
