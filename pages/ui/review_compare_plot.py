"""Scores of two runs against each other, as a Plotly figure; each point is a case."""

from typing import TYPE_CHECKING

import numpy as np

from cxrkit.review.compare import Compared, most_different
from pages.ui.review_plots import NEUTRAL, NOT_THERE, THERE, layout

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from plotly.graph_objects import Figure, Scatter

MOST_POINTS = 2500
"""Points that a browser draws at ease: the most different ones of more."""

_MARKS = ((0.0, "truth: not there", NOT_THERE, "circle"), (1.0, "truth: there", THERE, "diamond"))


def scatter(compared: Compared, names: "NDArray[np.str_]", *, ages: bool) -> "Figure":
    """A's score across, B's up; the diagonal is agreement, the lines are both thresholds.

    Args:
        compared: the cases.
        names: [M] what each is called, such as its row.
        ages: whether scores are months, which have one colour.
    """
    from plotly.graph_objects import Figure

    drawn = _drawn(compared)
    if ages:
        traces = [_points(compared, drawn, names, "a case", NOT_THERE, "circle")]
    else:
        truth = compared.truth[drawn]
        traces = [
            _points(compared, drawn[truth == value], names, name, colour, mark) for value, name, colour, mark in _MARKS
        ]
        if np.isnan(truth).any():
            traces.append(_points(compared, drawn[np.isnan(truth)], names, "truth not known", NEUTRAL, "x"))
    ends = _ends(compared, ages)
    figure = Figure([_diagonal(ends), *traces])
    if compared.thresholds is not None:
        line = {"color": NEUTRAL, "width": 2, "dash": "dash"}
        figure.add_vline(compared.thresholds[0], line=line)
        figure.add_hline(compared.thresholds[1], line=line)
    what = "Age, months" if ages else "Score"
    side = {"range": ends, "constrain": "domain"}
    return layout(
        figure,
        side | {"title": {"text": f"{what}, by run A"}},
        side | {"title": {"text": f"{what}, by run B"}, "scaleanchor": "x"},
        480,
    )


def _drawn(compared: Compared) -> "NDArray[np.int64]":
    """Positions of the points: all that both runs answered, or of many the most different ones."""
    both = np.flatnonzero(compared.both)
    return both if both.size <= MOST_POINTS else most_different(compared)[:MOST_POINTS]


def _ends(compared: Compared, ages: bool) -> list[float]:
    if not ages:
        return [-0.02, 1.02]
    values = np.concatenate([compared.first[compared.both], compared.second[compared.both], [0.0]])
    return [float(values.min()) - 3, float(values.max()) + 3]


def _diagonal(ends: list[float]) -> "Scatter":
    from plotly.graph_objects import Scatter

    return Scatter(
        x=ends, y=ends, mode="lines", name="A = B", line={"color": NEUTRAL, "width": 1, "dash": "dot"}, hoverinfo="skip"
    )


def _points(
    compared: Compared, which: "NDArray[np.int64]", names: "NDArray[np.str_]", name: str, colour: str, mark: str
) -> "Scatter":
    from plotly.graph_objects import Scatter

    return Scatter(
        x=compared.first[which],
        y=compared.second[which],
        customdata=names[which],
        mode="markers",
        name=name,
        marker={"color": colour, "size": 8, "opacity": 0.65, "symbol": mark},
        hovertemplate="%{customdata}<br>A %{x:.3g}, B %{y:.3g}<extra></extra>",
    )
