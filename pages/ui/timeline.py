"""Three and more images of one patient: each with the one before it, over time."""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import streamlit as st

from cxrkit.card import Card
from cxrkit.task import Task
from pages.ui.charts import show_figure
from pages.ui.export import file_buttons
from pages.ui.pair_reading import predict_pair
from pages.ui.pair_results import ABNORMAL, of_these
from pages.ui.presenter import explain
from pages.ui.timeline_export import timeline_csv
from pages.ui.visits import Visit
from pages.ui.words import share

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from cxrkit.predict import Prediction
    from cxrkit.weights import LoadedModel

_LINE, _BAR, _LIMIT = "#0a84b5", "#d55e00", "#7f8b95"


def timeline(
    task: Task, card: Card, loaded: "LoadedModel", visits: Sequence[Visit], threshold: float
) -> tuple[Visit, Visit]:
    """Scores of each pair of neighbours as figure and table, and the two that the user looks at.

    Args:
        task, card, loaded: what reads.
        visits: three or more, in order.
        threshold: in [0, 1], from which change is called.

    Returns:
        Baseline and follow-up of the comparison below.
    """
    st.subheader("Timeline", anchor=False)
    steps = [predict_pair(loaded, first.image, second.image, threshold) for first, second in pairwise(visits)]
    show_figure(
        timeline_figure(task, visits, steps, threshold),
        key=f"{task.name}.timeline",
        alt="Score for change from each image to the next, with the threshold; the table below holds the same numbers.",
    )
    st.dataframe(timeline_rows(task, card, visits, steps), hide_index=True, width="stretch", placeholder="–")
    explain(
        "Each image is compared with the one before it. Normal or abnormal is read within that pair, the first image "
        "in the pair with the second.",
        f"{task.name}.timeline",
    )
    made = partial(timeline_csv, task, card, visits, states(steps), steps, threshold)
    file_buttons(f"{task.name}.timeline", [("Timeline (CSV)", f"{task.name}-timeline.csv", made)])
    left, right = st.columns(2)
    names = [visit.name for visit in visits]
    first = left.selectbox("Compare", names[:-1], index=len(names) - 2, key=f"{task.name}.first.{len(names)}")
    later = names[names.index(first) + 1 :]
    second = right.selectbox("with", later, index=0, key=f"{task.name}.second.{len(names)}.{first}")
    chosen = visits[names.index(first)], visits[names.index(second)]
    for pair, step in zip(pairwise(visits), steps, strict=True):
        for warning in step.warnings if pair != chosen else ():  # what is below says those of the chosen pair
            st.warning(of_these(warning, pair), icon=":material/warning:")
    return chosen


def states(steps: "Sequence[Prediction]") -> list[float | None]:
    """Score for abnormal of each image; None where the network has no such answer."""
    first = steps[0].further.get("baseline", {}).get(ABNORMAL)
    return [first, *(step.further.get("follow-up", {}).get(ABNORMAL) for step in steps)]


def timeline_rows(
    task: Task, card: Card, visits: Sequence[Visit], steps: "Sequence[Prediction]"
) -> list[dict[str, str]]:
    """One row an image."""
    limit, rows = card.thresholds.get(ABNORMAL), []
    for index, (visit, state) in enumerate(zip(visits, states(steps), strict=True)):
        step = steps[index - 1] if index else None
        rows.append(
            {
                "Image": visit.name,
                "Day": "not known" if visit.day is None else str(visit.day),
                "Score for abnormal": "–" if state is None else share(state),
                "Reads as": "–" if state is None or limit is None else ABNORMAL if state >= limit else "normal",
                "Score for change": "–" if step is None else share(step.scores[task.positive]),
                "Against the one before": "–" if step is None else step.label,
            }
        )
    return rows


def timeline_figure(task: Task, visits: Sequence[Visit], steps: "Sequence[Prediction]", threshold: float) -> "Figure":
    """Points: abnormal, for each image; bars between them: change. By days where all are known, else by order."""
    from plotly.graph_objects import Bar, Figure, Scatter

    by_days = len({visit.day for visit in visits}) == len(visits) and all(visit.day is not None for visit in visits)
    at = [float(visit.day) if by_days and visit.day is not None else float(n) for n, visit in enumerate(visits, 1)]
    between = [(first + second) / 2 for first, second in pairwise(at)]
    widths = [abs(second - first) * 0.6 for first, second in pairwise(at)]
    spans = [f"{first.name} to {second.name}" for first, second in pairwise(visits)]
    figure = Figure(
        [
            Bar(
                x=between,
                y=[step.scores[task.positive] for step in steps],
                width=widths,
                name=f"score for {task.positive} between two images",
                customdata=spans,
                marker={"color": _BAR, "opacity": 0.55},
                hovertemplate="%{customdata}: score for change %{y:.2f}<extra></extra>",
            ),
            Scatter(
                x=at,
                y=states(steps),
                mode="lines+markers",
                name=f"score for {ABNORMAL} of each image",
                customdata=[visit.name for visit in visits],
                line={"color": _LINE, "width": 2},
                marker={"size": 11},
                hovertemplate="%{customdata}: score for abnormal %{y:.2f}<extra></extra>",
            ),
        ]
    )
    figure.add_hline(threshold, line={"color": _LIMIT, "dash": "dash"}, annotation_text="threshold for change")
    ticks = None if by_days else {"tickvals": at, "ticktext": [visit.name for visit in visits]}
    figure.update_layout(
        xaxis={"title": {"text": "Days after the baseline" if by_days else "Image"}, **(ticks or {})},
        yaxis={"title": {"text": "Score"}, "range": [0, 1.02]},
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0},
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        height=360,
        dragmode=False,
    )
    return figure
