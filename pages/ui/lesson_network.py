"""What the lesson's network makes of its cases, once for all sessions: the images are simulated and show nobody."""

from typing import TYPE_CHECKING

import streamlit as st

from cxrkit.lesson_cases import LessonCase
from pages.ui.compute import computed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cxrkit.explain import Heatmap
    from cxrkit.lesson import LessonReading, Stage
    from cxrkit.weights import LoadedModel

STEPS = 20
"""Of the deletion test."""

Point = tuple[float, tuple[float, ...]]
"""(share removed, score in the order of the map and in random order)."""


def lesson_reading(loaded: "LoadedModel", case: LessonCase) -> "LessonReading":
    """A case, read with and without its lesion."""
    return _reading(loaded.card.sha256, case, loaded)


def lesson_stages(loaded: "LoadedModel", case: LessonCase, draw: int) -> "list[Stage]":
    """The case's map by the trained network and with more and more random layers; `draw` is their seed."""
    return _stages(loaded.card.sha256, case, draw, loaded)


def lesson_labels(loaded: "LoadedModel", case: LessonCase, method: str) -> "tuple[tuple[Heatmap, ...], float]":
    """The maps of both labels and the correlation of the signed ones."""
    return _labels(loaded.card.sha256, case, method, loaded)


def lesson_deletion(loaded: "LoadedModel", case: LessonCase) -> "Iterator[list[Point]]":
    """The points of the deletion test so far, after each new one; once they are known all of them at once."""
    known = _points(loaded.card.sha256, case)
    if len(known) > STEPS:
        yield known
        return
    from cxrkit.deletion import deletion
    from cxrkit.lesson import deletion_orders, removed_value, scorer

    reading = lesson_reading(loaded, case)
    points = deletion(
        scorer(loaded),
        reading.prepared.tensor[0, 0],
        deletion_orders(loaded, reading),
        STEPS,
        removed_value(loaded),
    )
    fresh: list[Point] = []
    while (point := computed(next, points, None)) is not None:
        fresh.append(point)
        yield fresh
    known[:] = fresh


@st.cache_resource(max_entries=8, ttl=3600, show_spinner="Simulating two radiographs and reading them …")
def _reading(weights_sha256: str, case: LessonCase, _loaded: "LoadedModel") -> "LessonReading":
    from cxrkit.lesson import read_case

    return computed(read_case, _loaded, case)


@st.cache_resource(max_entries=12, ttl=3600, show_spinner="Drawing random weights and reading with them …")
def _stages(weights_sha256: str, case: LessonCase, draw: int, _loaded: "LoadedModel") -> "list[Stage]":
    from cxrkit.lesson import stages

    return computed(stages, _loaded, lesson_reading(_loaded, case), seed=draw)


@st.cache_resource(max_entries=24, ttl=3600, show_spinner=False)
def _labels(
    weights_sha256: str, case: LessonCase, method: str, _loaded: "LoadedModel"
) -> "tuple[tuple[Heatmap, ...], float]":
    from cxrkit.explain import Method
    from cxrkit.lesson import label_maps

    return computed(label_maps, _loaded, lesson_reading(_loaded, case), Method(method))


@st.cache_resource(max_entries=8, ttl=3600, show_spinner=False)
def _points(weights_sha256: str, case: LessonCase) -> list[Point]:
    """A place for the points of a test that has run to its end."""
    return []
