"""ROC curves of several parts with the present threshold on each, as a Plotly figure.

Plotly is imported when a figure is made, because that takes a while.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cxrkit.metrics import Interval, RocCurve
from cxrkit.operating_point import OperatingPoint, PartCurve, Target
from pages.ui.words import percent, percent_interval, share

if TYPE_CHECKING:
    from plotly.graph_objects import Figure, Scatter

_COLOURS = ("#0a84b5", "#d55e00", "#9a5fc0", "#3f8f3f")
"""For each part in turn; contrast at least 3 : 1 on the page's white and on its dark background."""

_MARKS = ("circle", "square", "triangle-up", "star")
_OPTIMISTIC = "#7f8b95"
_TARGET = "#3f8f3f"


@dataclass(frozen=True, eq=False)
class Plotted:
    """One curve of the figure.

    Attributes:
        letter: its name in the legend.
        optimistic: drawn dashed and gray.
        curve: all thresholds.
        point: the present one.
    """

    letter: str
    optimistic: bool
    curve: PartCurve
    point: OperatingPoint


def roc_figure(plotted: Sequence[Plotted], target: Target, positive: str) -> "Figure":
    """Curves, points with their intervals as crosses, and the target's corner; axes in percent, equally long.

    Args:
        plotted: in the order of the legend.
        target: drawn as a region and named.
        positive: the class that is called, for the axes.
    """
    from plotly.graph_objects import Figure

    figure = Figure([_region(target), *_traces(plotted)])
    side = {
        "range": [-1, 101],
        "dtick": 20,
        "ticksuffix": " %",
        "constrain": "domain",
        "zeroline": False,
        "showgrid": True,
    }
    figure.update_layout(
        xaxis=side | {"title": {"text": f"1 − specificity: others called {positive}"}},
        yaxis=side | {"title": {"text": f"Sensitivity: {positive} called"}, "scaleanchor": "x"},
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0, "xref": "paper"},
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        height=540,
        dragmode=False,  # so that a finger on the figure scrolls the page
        hovermode="closest",
    )
    return figure


def _traces(plotted: Sequence[Plotted]) -> "list[Scatter]":
    traces = []
    for index, part in enumerate(plotted):
        colour = _OPTIMISTIC if part.optimistic else _COLOURS[index % len(_COLOURS)]
        traces += [_line(part, colour), _cross(part, colour, _MARKS[index % len(_MARKS)])]
    return traces


def _line(part: Plotted, colour: str) -> "Scatter":
    from plotly.graph_objects import Scatter

    roc = part.curve.roc
    kept = corners(roc)
    thresholds = [share(value) if np.isfinite(value) else "above every score" for value in roc.threshold[kept]]
    return Scatter(
        x=100 * roc.false_positive_rate[kept],
        y=100 * roc.true_positive_rate[kept],
        customdata=thresholds,
        mode="lines",
        name=f"{part.letter}{', optimistic' if part.optimistic else ''}: area {part.curve.auc.value:.3f}",
        legendgroup=part.letter,
        line={"color": colour, "width": 2, "dash": "dash" if part.optimistic else "solid"},
        hovertemplate=f"{part.letter}, threshold %{{customdata}}<br>sensitivity %{{y:.1f}} %"
        "<br>1 − specificity %{x:.1f} %<extra></extra>",
    )


def _cross(part: Plotted, colour: str, mark: str) -> "Scatter":
    """The present threshold with the two intervals."""
    from plotly.graph_objects import Scatter

    sensitivity, specificity = part.point.sensitivity, part.point.specificity
    alarm = Interval(1 - specificity.value, 1 - specificity.high, 1 - specificity.low)
    return Scatter(
        x=[100 * alarm.value],
        y=[100 * sensitivity.value],
        error_x=_arms(alarm, colour),
        error_y=_arms(sensitivity, colour),
        mode="markers",
        name=f"{part.letter} at {share(part.point.threshold)}",
        legendgroup=part.letter,
        marker={"color": colour, "size": 11, "symbol": mark},
        cliponaxis=False,
        hovertemplate=f"{part.letter} at threshold {share(part.point.threshold)}"
        f"<br>sensitivity {percent_interval(sensitivity)}<br>specificity {percent_interval(specificity)}"
        "<extra></extra>",
    )


def _arms(share_: Interval, colour: str) -> dict[str, object]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [100 * (share_.high - share_.value)],
        "arrayminus": [100 * (share_.value - share_.low)],
        "color": colour,
        "thickness": 2,
        "width": 5,
    }


def _region(target: Target) -> "Scatter":
    """Everything that meets the target."""
    from plotly.graph_objects import Scatter

    right, bottom = 100 * (1 - target.specificity), 100 * target.sensitivity
    return Scatter(
        x=[0, right, right, 0, 0],
        y=[bottom, bottom, 100, 100, bottom],
        fill="toself",
        mode="lines",
        name=f"{target.name}: {percent(target.sensitivity)} / {percent(target.specificity)}",
        fillcolor="rgba(63, 143, 63, 0.22)",
        line={"color": _TARGET, "width": 1},
        hoverinfo="name",
    )


def corners(roc: RocCurve) -> "np.ndarray":
    """Positions of the points at which a curve turns; the line through them is the whole curve."""
    across, up = np.diff(roc.false_positive_rate), np.diff(roc.true_positive_rate)
    straight = np.isclose(across[:-1] * up[1:], across[1:] * up[:-1], rtol=0, atol=1e-15)
    return np.concatenate([[0], 1 + np.flatnonzero(~straight), [across.size]])
