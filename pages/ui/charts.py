"""Plotly figures, all drawn in one way."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui.presenter import presenting

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_CONFIG = {"displaylogo": False, "displayModeBar": False, "scrollZoom": False}

_LARGE = 20
"""Pixels of type in front of a class; Plotly draws its own text, which does not follow the page's."""


def show_figure(figure: "Figure", key: str, alt: str, on_select: Callable[[], None] | None = None) -> None:
    """Draw a figure.

    Args:
        figure: to draw; it is left as it is.
        key: of the chart.
        alt: what it shows and where its numbers stand, for those who do not see it.
        on_select: called once a point of it is clicked; None = points are not to be clicked.
    """
    if presenting():
        figure = _enlarged(figure)
    if on_select is None:
        st.plotly_chart(figure, key=key, config=_CONFIG, alt=alt)
    else:
        st.plotly_chart(figure, key=key, config=_CONFIG, alt=alt, on_select=on_select, selection_mode="points")


def _enlarged(figure: "Figure") -> "Figure":
    """A copy with large type, in a place that grows with it."""
    from plotly.graph_objects import Figure

    large = Figure(figure)
    large.update_layout(font_size=_LARGE, legend_font_size=_LARGE, hoverlabel_font_size=_LARGE)
    large.update_xaxes(tickfont_size=_LARGE, title_font_size=_LARGE)
    large.update_yaxes(tickfont_size=_LARGE, title_font_size=_LARGE)
    large.update_annotations(font_size=_LARGE)
    if figure.layout.height is not None:
        large.update_layout(height=shown_height(figure.layout.height))
    return large


def shown_height(height: int) -> int:
    """Pixels that a figure of such a height takes on the page: more in front of a class."""
    return round(1.4 * height) if presenting() else height
