"""Controls of what is shown of a reading with several labels: whose heatmaps, how, and the attention rollout."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from cxrkit.finding_reading import FindingsReading
from cxrkit.task import Task
from pages.ui.analysis import methods
from pages.ui.finding_words import name_of

if TYPE_CHECKING:
    from cxrkit.explain import Method

MOST = 4
"""Images side by side that can still be looked at."""


@dataclass(frozen=True)
class Question:
    """What is to be shown.

    Attributes:
        labels: whose heatmaps, at least one, in the order chosen.
        method: of the heatmaps.
        rollout: whether the attention rollout is shown beside them.
    """

    labels: tuple[str, ...]
    method: "Method"
    rollout: bool


def ask_findings(task: Task, image_sha256: str, reading: FindingsReading, *, attention: bool) -> Question:
    """Show the controls. Until the user has chosen labels, each image opens the one furthest above its threshold.

    Args:
        task: of the page.
        image_sha256: of the image.
        reading: its unedited answers.
        attention: whether the network has a rollout to show.
    """
    key, first = task.name, reading.by_excess()[0].label
    if not st.session_state.get(_by_hand(key)) and st.session_state.get(f"_labels_of.{key}") != image_sha256:
        st.session_state[f"_labels_of.{key}"] = image_sha256
        st.session_state[_chosen(key)] = [first]
    with st.container(border=True, key=f"{key}.question"):
        st.subheader("Heatmaps", anchor=False)
        labels: Sequence[str] = st.multiselect(
            "Heatmaps of the evidence for",
            task.labels,
            format_func=name_of,
            max_selections=MOST,
            key=_chosen(key),
            on_change=_keep_choice,
            args=(key,),
            placeholder=f"{name_of(first)}, the first of the bars",
            help=f"Up to {MOST} labels side by side. A click on a bar shows its label alone.",
            persist_state="session",
        )
        method = st.selectbox("Heatmap method", methods(), key=f"{key}.method", persist_state="session")
        rollout = attention and st.toggle(
            "Attention rollout beside them",
            key=f"{key}.rollout",
            help="Where the transformer gathers what it answers with, through all its blocks. It is the same for all "
            "labels and says nothing for or against any.",
            persist_state="session",
        )
    return Question(tuple(labels) or (first,), method, rollout)


def open_label(task: Task, chart: str) -> None:
    """Show the heatmap of a clicked bar alone; only in the callback of the chart of this key."""
    event: Any = st.session_state.get(chart)
    labels = {name_of(label): label for label in task.labels}
    clicked = [labels[point["y"]] for point in event["selection"]["points"]] if event else []
    if clicked:
        st.session_state[_chosen(task.name)] = [clicked[0]]
        _keep_choice(task.name)


def _keep_choice(key: str) -> None:
    st.session_state[_by_hand(key)] = True


def _chosen(key: str) -> str:
    return f"{key}.labels"


def _by_hand(key: str) -> str:
    return f"_labels_by_hand.{key}"
