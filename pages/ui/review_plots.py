"""Plotly figures of a review of scores: ROC, precision-recall, calibration and the histogram of scores.

Plotly is imported when a figure is made, because that takes a while.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cxrkit.metrics import ConfusionMatrix, Interval, ReliabilityBin
from cxrkit.review.figures import BINS, Band, Calibration, Curves, bar_of
from pages.ui.roc_plot import corners
from pages.ui.words import percent_interval, share

if TYPE_CHECKING:
    from plotly.graph_objects import Figure, Scatter

THERE, NOT_THERE, NEUTRAL = "#d55e00", "#0a84b5", "#7f8b95"
"""Contrast at least 3 : 1 on the page's white and on its dark background."""

BAND = "rgba(10, 132, 181, 0.2)"
ALL_ALIKE = {"marker": {"opacity": 1}}
"""A click chooses cases; what was not clicked stays as it is."""

LEGEND = {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0, "xref": "paper"}
HEIGHT = 420
_MOST_POINTS = 1500


def layout(figure: "Figure", x: dict[str, Any], y: dict[str, Any], height: int = HEIGHT) -> "Figure":
    """The same frame around every figure of the page."""
    figure.update_layout(
        xaxis={"zeroline": False} | x,
        yaxis={"zeroline": False} | y,
        legend=LEGEND,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        height=height,
        dragmode=False,  # so that a finger on the figure scrolls the page
        hovermode="closest",
    )
    return figure


def _percent(title: str) -> dict[str, Any]:
    return {"title": {"text": title}, "range": [-1, 101], "dtick": 20, "ticksuffix": " %"}


def roc_plot(curves: Curves, counts: ConfusionMatrix, threshold: float, label: str) -> "Figure":
    """The curve, its pointwise band, and the present threshold with both intervals; a click chooses a threshold.

    Each point's customdata begins with its threshold, at most 1.

    Args:
        curves: over all thresholds.
        counts: at the present one.
        threshold: the present one.
        label: what is called, for the axes.
    """
    from plotly.graph_objects import Figure

    roc = curves.roc
    kept = thinned(corners(roc))
    rates = roc.false_positive_rate[kept], roc.true_positive_rate[kept]
    traces = [
        *band_traces(curves.roc_band),
        _curve(*rates, roc.threshold[kept], f"ROC, area {curves.auc.value:.3f}"),
        _diagonal("no skill", [0, 100]),
    ]
    if counts.tp + counts.fn and counts.tn + counts.fp:
        alarm = counts.specificity
        around = Interval(1 - alarm.value, 1 - alarm.high, 1 - alarm.low)
        traces.append(_present(around, counts.sensitivity, threshold, ("1 − specificity", "sensitivity")))
    return layout(Figure(traces), _percent(f"1 − specificity: others called {label}"), _percent("Sensitivity"))


def precision_recall_plot(curves: Curves, counts: ConfusionMatrix, threshold: float, label: str) -> "Figure":
    """Precision over recall with its pointwise band and the present threshold; arguments as for `roc_plot`."""
    from plotly.graph_objects import Figure

    found = curves.precision_recall
    # Of equal recalls the first has the highest precision, and is the one that the average counts.
    kept = thinned(np.flatnonzero(np.diff(found.recall, prepend=0.0) > 0))
    name = f"precision–recall, average {curves.average_precision.value:.3f}"
    traces = [
        *band_traces(curves.precision_band),
        _curve(found.recall[kept], found.precision[kept], found.threshold[kept], name, stepped=True),
        _line([0, 100], [100 * curves.prevalence] * 2, "no skill: the prevalence"),
    ]
    if counts.tp + counts.fn and counts.tp + counts.fp:
        traces.append(_present(counts.sensitivity, counts.ppv, threshold, ("recall", "precision")))
    return layout(Figure(traces), _percent(f"Recall: {label} called"), _percent("Precision (PPV)"))


def calibration_plot(found: Calibration, label: str) -> "Figure":
    """Share of positives in each bin with Wilson's interval over the mean score; a click chooses the bin.

    Each point's customdata is (bin, bins, words).
    """
    from plotly.graph_objects import Figure, Scatter

    rows = found.bins
    numbers = bar_of(np.array([(row.low + row.high) / 2 for row in rows]), BINS)
    points = Scatter(
        x=[100 * row.mean_probability for row in rows],
        y=[100 * row.positive_share.value for row in rows],
        error_y=arms([row.positive_share for row in rows], NOT_THERE),
        customdata=[[int(number), BINS, text] for number, text in zip(numbers, bins_in_words(rows), strict=True)],
        mode="markers",
        name=f"cases in a bin of {1 / BINS:g} of the score",
        marker={"color": NOT_THERE, "size": 13},
        unselected=ALL_ALIKE,
        cliponaxis=False,
        hovertemplate="%{customdata[2]}<extra></extra>",
    )
    figure = Figure([_diagonal("ideal", [0, 100]), points])
    return layout(figure, _percent("Mean score"), _percent(f"Share with {label}"))


def histogram_plot(counts: tuple[NDArray[np.int64], NDArray[np.int64]], threshold: float, label: str) -> "Figure":
    """Cases with and without the label by score, with the threshold; a click chooses a bar.

    Each bar's customdata is (bar, bars, truth).
    """
    from plotly.graph_objects import Bar, Figure

    bars = counts[0].size
    figure = Figure(
        [
            Bar(
                x=(np.arange(bars) + 0.5) / bars,
                y=counts[truth],
                width=0.96 / bars,
                name=name,
                marker={"color": colour},
                customdata=[[number, bars, truth] for number in range(bars)],
                unselected=ALL_ALIKE,
                hovertemplate=f"{name}: %{{y:,}} cases<extra></extra>",
            )
            for truth, name, colour in ((0, "label not there", NOT_THERE), (1, "label there", THERE))
        ]
    )
    figure.add_vline(threshold, line={"color": NEUTRAL, "width": 3, "dash": "dash"})
    figure.update_layout(barmode="stack", bargap=0)
    score = {"title": {"text": f"Score for {label}"}, "range": [0, 1], "dtick": 0.2}
    return layout(figure, score, {"title": {"text": "Cases"}}, 330)


def bins_in_words(rows: Sequence[ReliabilityBin]) -> list[str]:
    """Each bin: scores, cases, and the share of positives with its interval."""
    return [
        f"Score {row.low:.1f} to {row.high:.1f}: {row.count:,} cases, {percent_interval(row.positive_share)} with it"
        for row in rows
    ]


def thinned(positions: NDArray[np.int64]) -> NDArray[np.int64]:
    """At most _MOST_POINTS of them, evenly, with both ends: more would not be seen."""
    if positions.size <= _MOST_POINTS:
        return positions
    return positions[np.round(np.linspace(0, positions.size - 1, _MOST_POINTS)).astype(np.int64)]


def band_traces(band: Band) -> "list[Scatter]":
    """Lower and upper edge, filled in between; in percent."""
    from plotly.graph_objects import Scatter

    edge = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    return [
        Scatter(x=100 * band.x, y=100 * band.low, showlegend=False, **edge),
        Scatter(x=100 * band.x, y=100 * band.high, fill="tonexty", fillcolor=BAND, name="95 % band", **edge),
    ]


def _curve(
    x: NDArray[np.float64], y: NDArray[np.float64], thresholds: NDArray[np.float64], name: str, stepped: bool = False
) -> "Scatter":
    from plotly.graph_objects import Scatter

    return Scatter(
        x=100 * x,
        y=100 * y,
        customdata=[
            [min(float(value), 1.0), share(value) if np.isfinite(value) else "above every score"]
            for value in thresholds
        ],
        mode="lines+markers",
        name=name,
        line={"color": NOT_THERE, "width": 2, "shape": "vh" if stepped else "linear"},
        # Plotly lets points be clicked, and not lines: these are there and not seen.
        marker={"size": 14, "opacity": 0},
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        hovertemplate="threshold %{customdata[1]}<br>%{y:.1f} % at %{x:.1f} %<extra></extra>",
    )


def _diagonal(name: str, ends: list[float]) -> "Scatter":
    return _line(ends, ends, name)


def _line(x: list[float], y: list[float], name: str) -> "Scatter":
    from plotly.graph_objects import Scatter

    return Scatter(
        x=x, y=y, mode="lines", name=name, line={"color": NEUTRAL, "width": 1, "dash": "dot"}, hoverinfo="skip"
    )


def _present(x: Interval, y: Interval, threshold: float, names: tuple[str, str]) -> "Scatter":
    from plotly.graph_objects import Scatter

    return Scatter(
        x=[100 * x.value],
        y=[100 * y.value],
        error_x=arms([x], THERE),
        error_y=arms([y], THERE),
        mode="markers",
        name=f"threshold {share(threshold)}",
        customdata=[[threshold]],
        marker={"color": THERE, "size": 11},
        unselected=ALL_ALIKE,
        cliponaxis=False,
        hovertemplate=f"{names[1]} {percent_interval(y)}<br>{names[0]} {percent_interval(x)}<extra></extra>",
    )


def arms(intervals: Sequence[Interval], colour: str, scale: float = 100) -> dict[str, Any]:
    """Error bars from values to the ends of their intervals."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [scale * max(each.high - each.value, 0) for each in intervals],
        "arrayminus": [scale * max(each.value - each.low, 0) for each in intervals],
        "color": colour,
        "thickness": 2,
        "width": 4,
    }
