"""The distribution over the age classes with interval, expected and chronological age, as a Plotly figure.

Plotly is imported when the figure is made, because that takes a while.
"""

from typing import TYPE_CHECKING

from cxrkit.bone_age import CLASS_AGES, STEP, in_words
from pages.ui.words import interval_name

if TYPE_CHECKING:
    from plotly.graph_objects import Figure, Scatter

    from cxrkit.age_reading import AgeReading

_BAR, _EXPECTED, _OWN, _TRUTH = "#0a84b5", "#d55e00", "#9a5fc0", "#3f8f3f"
"""Contrast at least 3 : 1 on the page's white and on its dark background."""

_BAND = "rgba(213, 94, 0, 0.22)"
_LEAST_SHOWN = 0.002
"""Probability of a class from which the axis reaches to it."""

_AROUND = 9
"""Months beyond everything marked to which the axis reaches."""


def age_figure(reading: "AgeReading", truth: float | None = None) -> "Figure":
    """Bars for the classes, a band for the interval, lines for ages; the axis in years, as far as there is something.

    Args:
        reading: of the hand.
        truth: bone age in months that a simulated hand was made with.
    """
    from plotly.graph_objects import Bar, Figure

    top = 1.08 * max(reading.probabilities)
    ages = [(reading.expected, "expected bone age", _EXPECTED, "solid")]
    if reading.age is not None:
        ages.append((reading.age, "child's own age", _OWN, "dash"))
    if truth is not None:
        ages.append((truth, "true bone age", _TRUTH, "dot"))
    bars = Bar(
        x=(CLASS_AGES / 12).tolist(),
        y=list(reading.probabilities),
        width=0.82 * STEP / 12,
        name="probability of each class",
        marker={"color": _BAR},
        customdata=[in_words(age) for age in CLASS_AGES],
        hovertemplate="%{customdata}: %{y:.3f}<extra></extra>",
    )
    figure = Figure([bars, *(_line(*age, top) for age in ages)])
    low, high = _range(reading, [age for age, *_ in ages])
    figure.update_layout(
        xaxis={
            "title": {"text": "Bone age, years"},
            "range": [low, high],
            "dtick": 1 if high - low <= 10 else 2,
            "zeroline": False,
        },
        yaxis={"title": {"text": "Probability"}, "range": [0, top], "zeroline": False},
        shapes=_band(reading, top),
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0, "xref": "paper"},
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        height=320,
        dragmode=False,  # so that a finger on the figure scrolls the page
        hovermode="closest",
        bargap=0,
    )
    return figure


def _band(reading: "AgeReading", top: float) -> list[dict[str, object]]:
    """Below the bars, whose colour it would change."""
    if reading.interval is None:
        return []
    low, high = (end / 12 for end in reading.interval)
    return [
        {
            "type": "rect",
            "layer": "below",
            "x0": low,
            "x1": high,
            "y0": 0,
            "y1": top,
            "fillcolor": _BAND,
            "line": {"width": 0},
            "name": interval_name(reading.coverage),
            "showlegend": True,
        }
    ]


def _line(months: float, name: str, colour: str, dash: str, top: float) -> "Scatter":
    from plotly.graph_objects import Scatter

    return Scatter(
        x=[months / 12, months / 12],
        y=[0, top],
        mode="lines",
        name=name,
        line={"color": colour, "width": 3, "dash": dash},
        hovertemplate=f"{name}: {in_words(months)}<extra></extra>",
    )


def _range(reading: "AgeReading", ages: list[float]) -> tuple[float, float]:
    """Ends of the axis in years."""
    shown = [float(age) for age, p in zip(CLASS_AGES, reading.probabilities, strict=True) if p >= _LEAST_SHOWN]
    marked = [*shown, *ages, *(reading.interval or ())]
    return (max(min(marked), 0) - _AROUND) / 12, (max(marked) + _AROUND) / 12
