"""Bland and Altman's plot of predicted and reference ages, as a Plotly figure; each point is a case."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cxrkit.bone_age import in_words
from cxrkit.review.figures_age import Agreement
from pages.ui.review_plots import ALL_ALIKE, NEUTRAL, NOT_THERE, THERE, layout
from pages.ui.words import signed

if TYPE_CHECKING:
    from plotly.graph_objects import Figure, Scatter

    from cxrkit.metrics import Interval

MOST_POINTS = 2500
"""Points that a browser draws at ease."""


def drawn_points(found: Agreement) -> NDArray[np.int64]:
    """Positions of the points that are drawn: all, or the most distant ones and an even choice of the others."""
    count = found.rows.size
    if count <= MOST_POINTS:
        return np.arange(count)
    order = np.argsort(-np.abs(found.difference - found.limits.bias.value), kind="stable")
    far, near = order[: MOST_POINTS // 2], np.sort(order[MOST_POINTS // 2 :])
    even = np.round(np.linspace(0, near.size - 1, MOST_POINTS - far.size)).astype(np.int64)
    return np.concatenate([far, near[even]])


def bland_altman_plot(found: Agreement) -> "Figure":
    """Difference over mean in years and months, bias and limits of agreement with their intervals as bands.

    Each point's customdata is (row of the table, words).
    """
    from plotly.graph_objects import Figure, Scatter

    drawn = drawn_points(found)
    mean, difference = found.mean[drawn], found.difference[drawn]
    words = [
        f"read as {in_words(middle + gap / 2)}, reference {in_words(max(middle - gap / 2, 0))}: {signed(gap)} months"
        for middle, gap in zip(mean, difference, strict=True)
    ]
    points = Scatter(
        x=mean / 12,
        y=difference,
        customdata=[[int(row), text] for row, text in zip(found.rows[drawn], words, strict=True)],
        mode="markers",
        name="a case",
        marker={"color": NOT_THERE, "size": 8, "opacity": 0.65},
        unselected=ALL_ALIKE | {"marker": {"opacity": 0.65}},
        hovertemplate="%{customdata[1]}<extra></extra>",
    )
    limits = found.limits
    ends = [float(found.mean.min()) / 12, float(found.mean.max()) / 12]
    lines = [
        _line(ends, limits.bias, "bias", "solid"),
        _line(ends, limits.upper, "limits of agreement", "dash"),
        _line(ends, limits.lower, "", "dash"),
    ]
    figure = Figure([points, *lines])
    for interval, colour in ((limits.bias, THERE), (limits.upper, NEUTRAL), (limits.lower, NEUTRAL)):
        figure.add_hrect(interval.low, interval.high, fillcolor=colour, opacity=0.2, line_width=0, layer="below")
    return layout(
        figure,
        {"title": {"text": "Mean of predicted and reference age, years"}},
        {"title": {"text": "Predicted − reference, months"}},
        460,
    )


def _line(ends: list[float], interval: "Interval", name: str, dash: str) -> "Scatter":
    from plotly.graph_objects import Scatter

    return Scatter(
        x=ends,
        y=[interval.value, interval.value],
        mode="lines",
        name=name,
        showlegend=bool(name),
        line={"color": THERE, "width": 2, "dash": dash},
        hoverinfo="skip",
    )
