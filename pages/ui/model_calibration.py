"""Does a score mean what it says? A reliability diagram of the scores beside the weights, or the card's fitted curve.

Plotly is imported when a figure is made, because that takes a while.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import TYPE_CHECKING

import streamlit as st

from cxrkit.card import Card
from cxrkit.errors import WeightsError
from cxrkit.finding_support import sigmoid
from cxrkit.metrics import ReliabilityBin, reliability_bins
from cxrkit.scores import CROSSED, FILE, ScoredPart, read_scores
from pages.ui import models
from pages.ui.charts import show_figure
from pages.ui.model_choice import Shown
from pages.ui.presenter import explain
from pages.ui.words import percent_interval, share

if TYPE_CHECKING:
    from plotly.graph_objects import Figure, Scatter

_COLOURS = ("#0a84b5", "#d55e00", "#9a5fc0", "#3f8f3f")
_OPTIMISTIC = "#7f8b95"
"""Contrast at least 3 : 1 on the page's white and on its dark background."""

_DASHES = ("solid", "dot", "longdash", "dashdot")

_FEW, _A_BIN = 200, 18
"""A part of fewer images is drawn in bins of equal count, of about so many."""

_NARROW = 0.6
"""Where no point and no whisker reaches this, the axes end before 1."""

_READ = (
    "On the diagonal a score means what it says; below it scores are too high for these images, above it too low. "
    "Scores are calibrated to the mix of the carved part, so that another share of positive images alone moves the "
    "whole curve."
)


@dataclass(frozen=True)
class Fit:
    """Logistic recalibration on one part: P(positive) = sigmoid(intercept + slope * logit(score)).

    Attributes:
        name: of the part.
        slope, intercept: 1 and 0 are ideal.
        images: that they were fitted on.
    """

    name: str
    slope: float
    intercept: float
    images: int

    def share(self, score: float) -> float:
        """Share of positive images expected at a score in (0, 1)."""
        return sigmoid(self.intercept + self.slope * math.log(score / (1 - score)))


def fits_of(card: Card) -> list[Fit]:
    """The parts of which the card holds both slope and intercept."""
    slopes, intercepts = (
        {metric.part: metric for metric in card.metrics if metric.name == f"calibration {name}"}
        for name in ("slope", "intercept")
    )
    return [
        Fit(part, slope.value, intercepts[part].value, slope.cases)
        for part, slope in slopes.items()
        if part in intercepts
    ]


def calibration(shown: Shown, card: Card) -> None:
    """The diagram of the scores; without scores the curve that the card's slope and intercept stand for."""
    if (models.WEIGHTS / shown.name / FILE).is_file():
        try:
            parts = sorted(read_scores(models.WEIGHTS / shown.name), key=lambda part: part.optimistic)
        except WeightsError as error:
            st.info(f"{error} Make them with: `{shown.train_command}`", icon=":material/help:")
            return
        drawn = _chosen(shown, parts)
        how = f"{binned_in_words(drawn)} Whiskers: Wilson's 95 % interval."
        if any(part.name.startswith(CROSSED) for part in drawn):
            how += " Cross-family parts were scored by other networks of the same recipe."
        _show(shown, reliability_figure(drawn), [part.name for part in drawn], how)
    elif fits := fits_of(card):
        how = "No scores of single images are kept here: drawn are the card's slope and intercept as curves."
        _show(shown, fitted_figure(fits), [fit.name for fit in fits], how)
    elif any(metric.name == "ECE" for metric in card.metrics):
        st.markdown("Neither scores of single images nor a slope are kept; the table above has the calibration error.")
    elif card.interval is not None:
        st.markdown(
            "An age has no score to calibrate. Its interval takes that place: how often it holds the reference age "
            "stands in the table above, and by sex and age among the tables below."
        )
    else:
        st.markdown("Calibration was not measured.")


def _chosen(shown: Shown, parts: Sequence[ScoredPart]) -> Sequence[ScoredPart]:
    """All of a few parts; of more than can be told apart in one figure the one that is asked for."""
    if len(parts) <= len(_COLOURS):
        return parts
    names = [part.name for part in parts]
    asked = st.selectbox("Calibration of", names, key=f"models.{shown.name}.calibration.part")
    return [part for part in parts if part.name == asked]


def _show(shown: Shown, figure: "Figure", names: Sequence[str], how: str) -> None:
    show_figure(
        figure,
        key=f"models.{shown.name}.calibration",
        alt="Share of positive images against their score, for each part, with the diagonal; the figures of "
        "calibration stand in the table above.",
    )
    if len(names) > 1:
        st.markdown("\n".join(f"- **{letter}.** {name}" for letter, name in zip(ascii_uppercase, names, strict=False)))
    explain(f"{how} {_READ}", f"models.{shown.name}.calibration")


def bins_of(part: ScoredPart) -> tuple[ReliabilityBin, ...]:
    """15 bins of equal width; of few images, which would be thinly spread over them, bins of about _A_BIN each."""
    count = len(part.targets)
    if count >= _FEW:
        return reliability_bins(part.targets, part.scores)
    return reliability_bins(part.targets, part.scores, max(3, count // _A_BIN), "count")


def binned_in_words(parts: Sequence[ScoredPart]) -> str:
    """How the images of these parts were put together."""
    few = [len(part.targets) < _FEW for part in parts]
    if all(few):
        return "Images in order of their score, equally many to a point as far as scores differ."
    alike = "Images in 15 bins of equal width by their score, empty ones left out"
    return f"{alike}; of parts with fewer than {_FEW} images in bins of equal count." if any(few) else f"{alike}."


def reliability_figure(parts: Sequence[ScoredPart]) -> "Figure":
    """Share of positives against the mean score of each bin, with the diagonal; equal axes from 0, as far as it takes.

    Args:
        parts: named A, B, ... in the legend.
    """
    bins = [bins_of(part) for part in parts]
    most = max(max(one.mean_probability, one.positive_share.high) for found in bins for one in found)
    curves = [_curve(index, part, found) for index, (part, found) in enumerate(zip(parts, bins, strict=True))]
    return _on_the_diagonal(curves, most)


def fitted_figure(fits: Sequence[Fit]) -> "Figure":
    """Curves of slope and intercept with the diagonal; equal axes from 0 to 1.

    Args:
        fits: named A, B, ... in the legend.
    """
    from plotly.graph_objects import Scatter

    scores = [number / 100 for number in range(1, 100)]
    traces = [
        Scatter(
            x=scores,
            y=[fit.share(score) for score in scores],
            mode="lines",
            name=f"{ascii_uppercase[index]}: {fit.images:,} images",
            line=_line(index, _COLOURS[index % len(_COLOURS)]),
            hovertemplate="score %{x:.2f}: share %{y:.2f}",
        )
        for index, fit in enumerate(fits)
    ]
    return _on_the_diagonal(traces)


def _line(index: int, colour: str) -> dict[str, object]:
    return {"color": colour, "width": 2, "dash": _DASHES[index % len(_DASHES)]}


def _on_the_diagonal(traces: "Sequence[Scatter]", most: float = 1.0) -> "Figure":
    """The curves, none of which goes beyond `most`."""
    from plotly.graph_objects import Figure, Scatter

    ideal = Scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        name="ideal",
        line={"color": _OPTIMISTIC, "width": 1, "dash": "dash"},
        hoverinfo="skip",
    )
    figure = Figure([ideal, *traces])
    end = math.ceil(10 * min(most, 1.0) + 0.2) / 10 if most < _NARROW else 1.02
    axis = {
        "range": [-0.02, end],
        "dtick": 0.1 if most < _NARROW else 0.2,
        "constrain": "domain",
        "zeroline": False,
        "showgrid": True,
    }
    figure.update_layout(
        xaxis=axis | {"title": {"text": "Score"}},
        yaxis=axis | {"title": {"text": "Share of positive images"}, "scaleanchor": "x"},
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0, "xref": "paper"},
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        height=480,
        dragmode=False,  # so that a finger on the figure scrolls the page
        hovermode="closest",
    )
    return figure


def _curve(index: int, part: ScoredPart, bins: Sequence[ReliabilityBin]) -> "Scatter":
    from plotly.graph_objects import Scatter

    colour = _OPTIMISTIC if part.optimistic else _COLOURS[index % len(_COLOURS)]
    letter = ascii_uppercase[index]
    shares = [one.positive_share for one in bins]
    return Scatter(
        x=[one.mean_probability for one in bins],
        y=[one.value for one in shares],
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [one.high - one.value for one in shares],
            "arrayminus": [one.value - one.low for one in shares],
        },
        mode="lines+markers",
        name=f"{letter}{', optimistic' if part.optimistic else ''}: {len(part.targets):,} images",
        line=_line(index, colour),
        customdata=[_in_words(one) for one in bins],
        hovertemplate=f"{letter}: %{{customdata}}<extra></extra>",
    )


def _in_words(one: ReliabilityBin) -> str:
    return (
        f"{one.count:,} images scored {share(one.low)} to {share(one.high)}, mean {share(one.mean_probability)}"
        f"<br>{percent_interval(one.positive_share)} positive"
    )
