"""A scan in the viewer with its map, the maps of both types beside it, and how much rests on the neck."""

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from cxrkit.card import Card
from cxrkit.colours import turbo
from cxrkit.errors import WeightsError
from cxrkit.image import Radiograph
from cxrkit.pixels import resize
from cxrkit.scan_reading import CANNOT_TELL
from cxrkit.task import ModelInput, Prepared, Task
from pages.ui.analysis import methods
from pages.ui.model_input import model_input
from pages.ui.models import load
from pages.ui.results import images, what_was_read
from pages.ui.scan_groups import picture_row, read_group_maps
from pages.ui.scan_rows import Row
from pages.ui.scan_view import ScanView, second_opinion, view_scan
from pages.ui.words import edits_in_words, movement, percent, points, share

if TYPE_CHECKING:
    from cxrkit.explain import Method
    from cxrkit.predict import Prediction

_LIKELIER = "The likelier type"


def scan_with_map(task: Task, row: Row, image: Radiograph) -> None:
    """The scan's first tab.

    Args:
        task: of the page.
        row: the scan, read.
        image: of it.

    Raises:
        WeightsError: weights are missing, altered or do not fit.
    """
    loaded, shown = load(task), f"{task.name}.viewer"
    above = st.container()
    left, right = st.columns([2, 1], gap="medium")
    with right:
        asked = _ask_map(task)
        views = [view_scan(loaded, image, ModelInput(), *asked)]
        edits = model_input(task, image, views[0].prepared.placements[0].box, shown)
    if edits != ModelInput():
        views.append(view_scan(loaded, image, edits, *asked))
        with above:
            _say_movement(*views)
    with right:
        _second_opinion(views[-1], *second_opinion(loaded, image, views[-1]))
    with left:
        truth = None if row.asked.file.truth is None else ()
        images(image, views, views[-1].prepared.placements[0].box, shown, truth)
        what_was_read(views, _where_the_heat_lies)
        _beside_the_groups(task, loaded.card, views[-1])


def _ask_map(task: Task) -> "tuple[str | None, Method]":
    """Controls of the map: the type that it explains, None for the likelier one, and how."""
    with st.container(border=True, key=f"{task.name}.question"):
        label = st.selectbox(
            "Heatmap of the evidence for",
            (_LIKELIER, *task.labels),
            key=f"{task.name}.label",
            persist_state="session",
        )
        method = st.selectbox("Heatmap method", methods(), key=f"{task.name}.method", persist_state="session")
    return (None if label == _LIKELIER else label), method


def _say_movement(before: ScanView, after: ScanView) -> None:
    """How far the edits moved the score."""
    scores = [view.prediction.scores["perfusion"] for view in (before, after)]
    st.markdown(f"{movement(*scores)} With them the scan is read as **{after.prediction.label}**.")
    st.caption(f"Edits: {edits_in_words(after.edits)}. The table holds the unedited answer.")


def _where_the_heat_lies(view: ScanView) -> None:
    if view.above is None:
        return
    st.markdown(
        f"Share of this heat above the lungs, where neck and throat are: **{percent(view.above)}**. Heat spread evenly "
        f"would give {percent(view.even)}."
    )


def _second_opinion(view: ScanView, masked: Prepared, other: "Prediction") -> None:
    """The answer with everything above the lungs set to zero."""
    before, after = (each.scores["perfusion"] for each in (view.prediction, other))
    st.markdown("**Second opinion, without the neck**")
    st.image(
        np.round(masked.view[0] * 255).astype(np.uint8),
        width=200,
        output_format="PNG",
        alt="What the network reads, without what lies above the lungs",
    )
    st.markdown(
        f"Everything above the lungs set to zero: score for perfusion {share(after)} instead of {share(before)} "
        f"({points(after - before)})."
    )
    answers = {other.label, view.prediction.label}
    if len(answers) == 1:
        st.markdown(f"The answer stays: **{other.label}**.")
    elif CANNOT_TELL in answers:
        st.markdown(
            f"Without the neck the score crosses an end of the band in which neither type is called: "
            f"**{other.label}** instead of {view.prediction.label}."
        )
    else:
        st.warning(
            f"Without the neck the answer is **{other.label}** instead of {view.prediction.label}: it rests on "
            "activity above the lungs.",
            icon=":material/warning:",
        )


def _beside_the_groups(task: Task, card: Card, view: ScanView) -> None:
    """This scan's map and the mean maps of both types, all in the frame that the network reads."""
    try:
        groups = read_group_maps(task, card)
    except WeightsError as error:
        st.caption(str(error))
        return
    st.markdown("**This map beside the mean maps of both types**, lungs in the middle")
    pictures = (
        (f"This scan, for {view.heatmap.label}", turbo(_in_frame(view))),
        (f"Mean of {groups.counts[0]} perfusion scans", turbo(groups.first)),
        (f"Mean of {groups.counts[1]} ventilation scans", turbo(groups.second)),
    )
    picture_row(pictures)


def _in_frame(view: ScanView) -> np.ndarray:
    """The map [S, S] over the whole of what the network read; zero where nothing of the image lay."""
    placement = view.prepared.placements[0]
    left, top, right, bottom = placement.inner
    frame = np.zeros((placement.size, placement.size), dtype=np.float32)
    frame[top:bottom, left:right] = resize(view.heatmap.values, right - left, bottom - top)
    return frame
