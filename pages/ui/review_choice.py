"""Which cases the gallery shows, as the last click on a figure says; kept across page switches."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import streamlit as st

from cxrkit.review.figures import BARS, bar_of
from cxrkit.review.figures_choice import Bin, Cases, Choice
from pages.ui.threshold import set_threshold

_CHOICE, _PAGE, _OPEN = "_review.choice", "_review.page", "_review.open"
_CHART, _CLICKED = "_review.chart", "_review.clicked"
"""Which chart the choice was made in, and the points last clicked in each."""


def choice() -> Choice | None:
    """What was clicked last; None = all cases."""
    made: Choice | None = st.session_state.get(_CHOICE)
    return made


def choose(made: Choice | None) -> None:
    """Show these cases, from the first page; in a callback."""
    st.session_state[_CHOICE] = made
    st.session_state[_PAGE] = 0
    st.session_state[_CHART] = None


def forget_choice() -> None:
    """All cases, none of them open."""
    choose(None)
    open_row(None)
    st.session_state[_CLICKED] = {}


def page_number() -> int:
    """Of the gallery, from 0."""
    return int(st.session_state.get(_PAGE, 0))


def turn_to(page: int) -> None:
    """Another page of the gallery; in a callback."""
    st.session_state[_PAGE] = page


def opened_row() -> int | None:
    """Row of the case that is open."""
    row: int | None = st.session_state.get(_OPEN)
    return row


def open_row(row: int | None) -> None:
    """Open a case, or close the one that is; in a callback."""
    st.session_state[_OPEN] = row


def choose_clicked(chart: str, meant: Callable[[Sequence[Any]], Choice]) -> None:
    """Callback of a chart: show the cases of the clicked point, all of them where the click took a choice back.

    Args:
        chart: its key.
        meant: the point's customdata -> choice.
    """
    points = _clicked(chart)
    choose(meant(points[0]["customdata"]) if points else None)
    st.session_state[_CHART] = chart


def choose_threshold(chart: str, slider: str) -> None:
    """Callback of a chart whose points have their threshold first in their customdata: the slider moves there.

    The cases shown are those whose scores share the histogram's bar with it.

    Args:
        chart, slider: their keys.
    """
    points = _clicked(chart)
    if points:
        threshold = float(points[0]["customdata"][0])
        set_threshold(slider, threshold)
        choose(Bin(int(bar_of(np.array([threshold]), BARS)[0]), BARS))
        st.session_state[_CHART] = chart


def choose_points(chart: str) -> None:
    """Callback of a chart whose points are cases, with the row as the first of their customdata."""
    points = _clicked(chart)
    choose(Cases(tuple(int(point["customdata"][0]) for point in points)) if points else None)
    st.session_state[_CHART] = chart


def _clicked(chart: str) -> Sequence[Any]:
    """Points of a chart; none where the click took back what the chart itself had chosen.

    The browser keeps a point marked while something else is chosen elsewhere. A click on it then comes as a release,
    but means that point.
    """
    clicked: dict[str, Sequence[Any]] = st.session_state.setdefault(_CLICKED, {})
    points: Sequence[Any] = st.session_state[chart]["selection"]["points"]
    if not points and st.session_state.get(_CHART) != chart:
        return clicked.get(chart, ())
    clicked[chart] = points
    return points
