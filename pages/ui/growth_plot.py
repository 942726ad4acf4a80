"""Bone age against the child's own age, with the band of two standard deviations, as a Plotly figure.

Plotly is imported when a figure is made, because that takes a while.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from cxrkit.bone_age import NORMAL_WITHIN, SD_TABLES, Sex, in_words
from pages.ui.growth_course import Visit, in_order, no_score
from pages.ui.words import interval_name, sd_in_words

if TYPE_CHECKING:
    from plotly.graph_objects import Figure, Scatter

_POINT, _OUTSIDE, _TRUTH, _EQUAL = "#0a84b5", "#d55e00", "#9a5fc0", "#7f8b95"
_BAND, _BAND_LINE = "rgba(63, 143, 63, 0.18)", "rgba(63, 143, 63, 0.6)"


def sd_band(sex: Sex | None) -> list[tuple[float, float, float]]:
    """Corners of the band in which a bone age is normal: (own age, lower end, upper end) in months.

    It has steps halfway between the tabulated ages, because an SD score takes the nearest one's deviation, and ends
    where the table does. () without a sex: the tables are by sex.
    """
    if sex is None:
        return []
    table = SD_TABLES[sex]
    ages = sorted(table)
    ends = [ages[0], *((first + second) / 2 for first, second in pairwise(ages)), ages[-1]]
    corners = []
    for age, (start, end) in zip(ages, pairwise(ends), strict=True):
        half = NORMAL_WITHIN * table[age]
        corners += [(at, at - half, at + half) for at in (float(start), float(end))]
    return corners


def growth_figure(visits: Sequence[Visit], sex: Sex | None) -> "Figure":
    """The course of one child; axes in years, as far as the visits reach.

    Args:
        visits: at least one whose own age is known; the others are left out.
        sex: as stated, for the band; None leaves it out.
    """
    from plotly.graph_objects import Figure

    placed = [visit for visit in in_order(visits) if visit.age is not None]
    figure = Figure([*_band(sex), _equal(), *_truth(placed), *_points(placed)])
    low, high = _range(placed)
    side: dict[str, Any] = {"range": [low, high], "dtick": 1 if high - low <= 10 else 2, "showgrid": True}
    side |= {"zeroline": False, "constrain": "domain"}
    figure.update_layout(
        xaxis=side | {"title": {"text": "Own (chronological) age, years"}},
        yaxis=side | {"title": {"text": "Bone age, years"}},
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0, "xref": "paper"},
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        height=520,
        dragmode=False,  # so that a finger on the figure scrolls the page
        hovermode="closest",
    )
    return figure


def _range(placed: Sequence[Visit]) -> tuple[float, float]:
    """Whole years about everything that is drawn of the visits, the same for both axes."""
    months = [
        value
        for visit in placed
        for value in (visit.age, visit.reading.expected, visit.truth, *(visit.reading.interval or ()))
        if value is not None
    ]
    low, high = math.floor(min(months) / 12), math.ceil(max(months) / 12)
    return max(low - 1, 0) - 0.2, high + 1


def _years(months: Sequence[float]) -> list[float]:
    return [value / 12 for value in months]


def _band(sex: Sex | None) -> "list[Scatter]":
    from plotly.graph_objects import Scatter

    corners = sd_band(sex)
    if not corners:
        return []
    ages, lower, upper = (_years(part) for part in zip(*corners, strict=True))
    return [
        Scatter(
            x=[*ages, *reversed(ages)],
            y=[*upper, *reversed(lower)],
            fill="toself",
            mode="lines",
            name="within ±2 SD",
            fillcolor=_BAND,
            line={"color": _BAND_LINE, "width": 1},
            hoverinfo="skip",
        )
    ]


def _equal() -> "Scatter":
    from plotly.graph_objects import Scatter

    return Scatter(
        x=[0, 120],
        y=[0, 120],
        mode="lines",
        name="bone age = own age",
        line={"color": _EQUAL, "dash": "dash", "width": 1.5},
        hoverinfo="skip",
    )


def _truth(placed: Sequence[Visit]) -> "list[Scatter]":
    from plotly.graph_objects import Scatter

    known = [(visit.age or 0.0, visit.truth, visit.number) for visit in placed if visit.truth is not None]
    if not known:
        return []
    return [
        Scatter(
            x=_years([age for age, _, _ in known]),
            y=_years([truth for _, truth, _ in known]),
            mode="markers",
            name="truth of the simulation",
            marker={"color": _TRUTH, "size": 12, "symbol": "x-thin", "line": {"color": _TRUTH, "width": 3}},
            customdata=[f"Image {number}: true bone age {in_words(truth)}" for _, truth, number in known],
            hovertemplate="%{customdata}<extra></extra>",
        )
    ]


def _points(placed: Sequence[Visit]) -> "list[Scatter]":
    from plotly.graph_objects import Scatter

    return [
        Scatter(
            x=_years([visit.age or 0.0 for visit in placed]),
            y=_years([visit.reading.expected for visit in placed]),
            error_y=_arms(placed),
            mode="lines+markers",
            name=f"bone age with its {interval_name(placed[0].reading.coverage)}",
            line={"color": _POINT, "width": 2},
            marker={
                "size": 11,
                "color": [_OUTSIDE if _outside(visit) else _POINT for visit in placed],
                "symbol": ["diamond" if _outside(visit) else "circle" for visit in placed],
            },
            customdata=[visit_in_words(visit) for visit in placed],
            hovertemplate="%{customdata}<extra></extra>",
        )
    ]


def _outside(visit: Visit) -> bool:
    sd = visit.reading.sd
    return sd is not None and sd.score is not None and sd.score.verdict != "normal"


def _arms(placed: Sequence[Visit]) -> dict[str, object] | None:
    ends = [visit.reading.interval for visit in placed]
    return {
        "type": "data",
        "symmetric": False,
        "array": [
            0 if end is None else (end[1] - v.reading.expected) / 12 for end, v in zip(ends, placed, strict=True)
        ],
        "arrayminus": [
            0 if end is None else (v.reading.expected - end[0]) / 12 for end, v in zip(ends, placed, strict=True)
        ],
        "color": _POINT,
        "thickness": 1.5,
        "width": 4,
    }


def visit_in_words(visit: Visit) -> str:
    """Lines for the pointer: own age, bone age, interval, SD score."""
    reading = visit.reading
    lines = [f"Image {visit.number}"]
    if visit.age is not None:
        lines.append(f"own age {in_words(visit.age)}")
    lines.append(f"bone age {in_words(reading.expected)}")
    if reading.interval is not None:
        low, high = reading.interval
        lines.append(f"{interval_name(reading.coverage)} {in_words(low)} to {in_words(high)}")
    score = None if reading.sd is None else reading.sd.score
    lines.append(
        f"no SD score: {no_score(reading)}" if score is None else f"SD score {sd_in_words(score)}, {score.verdict}"
    )
    return "<br>".join(lines)
