"""Figures of the findings' page: scores as bars, and AUC of each epoch of training.

Plotly is imported when a figure is made, because that takes a while.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cxrkit.finding_reading import Finding, FindingsReading
from pages.ui.finding_words import interval_in_words, name_of
from pages.ui.words import share

if TYPE_CHECKING:
    from plotly.graph_objects import Bar, Figure, Scatter

    from cxrkit.finding_training import Epoch

_CALLED, _BELOW, _NEVER, _LIMIT, _UNEDITED = "#d55e00", "#0a84b5", "#7f8b95", "#3f8f3f", "#9a5fc0"
"""Contrast at least 3 : 1 on the page's white and on its dark background."""

_ALL_ALIKE = {"marker": {"opacity": 1}}
"""A click on a bar opens its label; the others stay as they are."""

_LEGEND = {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0, "xref": "paper"}
_MARGIN = {"l": 10, "r": 10, "t": 10, "b": 10}


def score_figure(reading: FindingsReading, unedited: FindingsReading | None = None) -> "Figure":
    """A bar for each label, the furthest above its threshold on top, with thresholds and intervals.

    Args:
        reading: of the image.
        unedited: the answers without edits, marked beside; None where there are no edits.
    """
    from plotly.graph_objects import Figure

    order = reading.by_excess()
    kinds = (
        ("called", _CALLED, [finding for finding in order if finding.called]),
        ("below its threshold", _BELOW, [f for f in order if f.threshold is not None and not f.called]),
        ("never called", _NEVER, [finding for finding in order if finding.threshold is None]),
    )
    traces: list[Bar | Scatter] = [_bars(*kind) for kind in kinds if kind[2]]
    limits = [(finding.label, finding.threshold) for finding in order if finding.threshold is not None]
    if limits:
        traces.append(_marks("threshold", _LIMIT, "line-ns", limits))
    if unedited is not None:
        traces.append(_marks("unedited", _UNEDITED, "diamond", [(f.label, f.score) for f in unedited.findings]))
    figure = Figure(traces)
    figure.update_layout(
        xaxis={"title": {"text": "Score"}, "range": [0, 1], "dtick": 0.2, "zeroline": False},
        yaxis={"categoryorder": "array", "categoryarray": [name_of(f.label) for f in reversed(order)]},
        barmode="overlay",
        bargap=0.35,
        legend=_LEGEND,
        margin=_MARGIN,
        height=score_height(reading),
        dragmode=False,  # so that a finger on the figure scrolls the page
        hovermode="closest",
    )
    return figure


def score_height(reading: FindingsReading) -> int:
    """Height of `score_figure` in pixels."""
    return 80 + 30 * len(reading.findings)


def _bars(name: str, colour: str, findings: Sequence[Finding]) -> "Bar":
    from plotly.graph_objects import Bar

    ends = [finding.interval or (finding.score, finding.score) for finding in findings]
    return Bar(
        x=[finding.score for finding in findings],
        y=[name_of(finding.label) for finding in findings],
        orientation="h",
        name=name,
        # Light inside, so that the whiskers are seen there too.
        marker={"color": _light(colour), "line": {"color": colour, "width": 1.5}},
        unselected=_ALL_ALIKE,
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [max(high - f.score, 0) for (_, high), f in zip(ends, findings, strict=True)],
            "arrayminus": [max(f.score - low, 0) for (low, _), f in zip(ends, findings, strict=True)],
            "thickness": 2,
            "width": 4,
            "color": colour,
        },
        customdata=[[share(f.score), interval_in_words(f), _limit(f)] for f in findings],
        hovertemplate="%{y}: %{customdata[0]} (%{customdata[1]})<br>%{customdata[2]}<extra></extra>",
    )


def _light(colour: str) -> str:
    """#rrggbb -> the same, mostly transparent."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, 0.35)"


def _limit(finding: Finding) -> str:
    return finding.remark if finding.threshold is None else f"called from {share(finding.threshold)}"


def _marks(name: str, colour: str, symbol: str, values: Sequence[tuple[str, float]]) -> "Scatter":
    from plotly.graph_objects import Scatter

    return Scatter(
        x=[value for _, value in values],
        y=[name_of(label) for label, _ in values],
        mode="markers",
        name=name,
        marker={"symbol": symbol, "size": 16 if symbol == "line-ns" else 9, "color": colour}
        | ({"line": {"width": 3, "color": colour}} if symbol == "line-ns" else {}),
        unselected=_ALL_ALIKE,
        hovertemplate=f"%{{y}}: {name} %{{x:.3f}}<extra></extra>",
        cliponaxis=False,
    )


def epochs_figure(epochs: "Sequence[Epoch]") -> "Figure":
    """Macro AUC on the images learned from and on those that chose the epoch, over the epochs."""
    from plotly.graph_objects import Figure, Scatter

    numbers = [epoch.number + 1 for epoch in epochs]
    curves = (
        ("training", _BELOW, [epoch.training for epoch in epochs]),
        ("validation", _CALLED, [epoch.validation for epoch in epochs]),
    )
    figure = Figure(
        [
            Scatter(
                x=numbers,
                y=values,
                mode="lines+markers",
                name=name,
                line={"color": colour, "width": 2},
                hovertemplate=f"epoch %{{x}}: {name} %{{y:.3f}}<extra></extra>",
            )
            for name, colour, values in curves
        ]
    )
    figure.add_hline(0.5, line={"color": _NEVER, "dash": "dot"}, annotation_text="chance")
    figure.update_layout(
        xaxis={"title": {"text": "Epoch"}},
        yaxis={"title": {"text": "Macro AUC"}},
        legend=_LEGEND,
        margin=_MARGIN,
        height=340,
        dragmode=False,
    )
    return figure
