"""The last step of the lesson on heatmaps: the deletion test, drawn while it is computed."""

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from cxrkit.lesson_cases import LessonCase
from pages.ui import lesson_network
from pages.ui.charts import show_figure
from pages.ui.lesson_network import Point, lesson_deletion, lesson_reading
from pages.ui.lesson_plot import ORDERS, deletion_figure
from pages.ui.lesson_steps import answered
from pages.ui.words import percent, share

if TYPE_CHECKING:
    from cxrkit.lesson import LessonReading
    from cxrkit.weights import LoadedModel

_SHOWN = 0.2
"""Share removed in the two pictures."""


def deletion_step(loaded: "LoadedModel", case: LessonCase, key: str) -> None:
    """Remove pixels in the order of the map and in random order, and see how soon the score falls."""
    positive, reading = loaded.task.positive, lesson_reading(loaded, case)
    st.markdown(
        "**Look at** the two pictures: what the network reads, after the first pixels were taken away, once those that "
        "the map marks most, once at random. Then all the others follow, and the network reads each picture anew."
    )
    _pictures(loaded, reading)
    told = answered(
        f"{key}.falls.{case.seed}",
        f"If the map names what the score for {positive} rests on, in which order does the score fall first?",
        (ORDERS[0].capitalize(), ORDERS[1].capitalize(), "In both alike"),
    )
    if told is None:
        return
    points = _drawn(loaded, case, key)
    _say(points, positive)


def _pictures(loaded: "LoadedModel", reading: "LessonReading") -> None:
    from cxrkit.deletion import without_pixels
    from cxrkit.lesson import deletion_orders

    view = reading.prepared.view[0]
    for column, order, name in zip(st.columns(2), deletion_orders(loaded, reading), ORDERS, strict=True):
        picture = without_pixels(view, order, _SHOWN, 0.5)
        told = f"{percent(_SHOWN)} removed {name}"
        column.image(np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8), told, width=280, alt=told)


def _drawn(loaded: "LoadedModel", case: LessonCase, key: str) -> "list[Point]":
    """All points; the figure grows with each."""
    points: list[Point] = []
    figure, words = st.empty(), st.empty()
    for points in lesson_deletion(loaded, case):
        with figure:
            show_figure(
                deletion_figure(points, loaded.task.positive),
                key=f"{key}.curve.{len(points)}",
                alt="Score over the share of pixels removed, in the order of the map and in random order; the areas "
                "under both stand below.",
            )
        words.caption(
            f"Step {len(points) - 1} of {lesson_network.STEPS}: {percent(points[-1][0])} of the pixels removed."
        )
    return points


def _say(points: "list[Point]", positive: str) -> None:
    from cxrkit.deletion import area

    shares = [removed for removed, _ in points]
    by_map, by_chance = (area(shares, [scores[number] for _, scores in points]) for number in range(len(ORDERS)))
    columns = st.columns(2)
    columns[0].metric("Area under the curve, order of the map", f"{by_map:.2f}", border=True)
    columns[1].metric("Area under the curve, random order", f"{by_chance:.2f}", border=True)
    st.markdown(
        "**What it means.** "
        + (
            "The score falls sooner in the order of the map: the map names what this score rests on. That is all it "
            "says. Where step 1 found it off the lesion, the network rests on something other than the lesion, and the "
            "map is right about the network, not about the patient."
            if by_map < by_chance
            else "The score does not fall sooner in the order of the map than at random: the map does not name what "
            "this score rests on."
        )
    )
    st.markdown(
        f"**Its own limits.** An image with holes is unlike anything that the network was trained on. Of the picture "
        f"without any pixel left it still says {share(points[-1][1][0])} for {positive}, with nothing left to see. A "
        "curve that rises again, or falls while pixels are removed at random, shows the holes and not the lesion. "
        "Another gray in place of the pixels gives other areas, so compare areas of one image only."
    )
