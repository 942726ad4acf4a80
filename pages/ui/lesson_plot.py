"""The curve of the deletion test. Plotly is imported when it is drawn, because that takes a while."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from pages.ui.lesson_network import Point

ORDERS = ("in the order of the map", "in random order")
_LINES = (("#d55e00", "solid"), ("#0a84b5", "dash"))
"""Contrast at least 3 : 1 on the page's white and on its dark background; told apart also without colour."""


def deletion_figure(points: "Sequence[Point]", positive: str) -> "Figure":
    """The score over the share of pixels removed, a line for each order; the axes stay while the lines grow.

    Args:
        points: so far.
        positive: the class whose score it is.
    """
    from plotly.graph_objects import Figure, Scatter

    shares = [100 * share for share, _ in points]
    figure = Figure(
        [
            Scatter(
                x=shares,
                y=[scores[number] for _, scores in points],
                name=name,
                mode="lines+markers",
                line={"color": colour, "dash": dash, "width": 2.5},
            )
            for number, (name, (colour, dash)) in enumerate(zip(ORDERS, _LINES, strict=True))
        ]
    )
    figure.update_layout(
        xaxis={"title": {"text": "Pixels removed"}, "range": [-1, 101], "ticksuffix": " %", "zeroline": False},
        yaxis={"title": {"text": f"Score for {positive}"}, "range": [0, 1], "zeroline": False},
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0, "xref": "paper"},
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        height=380,
        dragmode=False,  # so that a finger on the figure scrolls the page
    )
    return figure
