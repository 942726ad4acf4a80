"""Controls of what is asked of a reading: threshold, label to explain, method of the heatmap."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from cxrkit.card import Card
from cxrkit.task import Task
from pages.ui.analysis import methods
from pages.ui.threshold import set_threshold, threshold_reset

if TYPE_CHECKING:
    from cxrkit.explain import Method


@dataclass(frozen=True)
class Question:
    """What is asked.

    Attributes:
        threshold: in [0, 1], score of the positive class from which it is called.
        label: the class that the heatmap explains.
        method: of the heatmap.
    """

    threshold: float
    label: str
    method: "Method"


def ask(task: Task, card: Card) -> Question:
    """Show the controls; they start with the card's threshold, the positive class and the first method."""
    key, given = task.name, card.thresholds[task.positive]
    if st.session_state.get(f"_threshold_of.{key}") != card.sha256:
        st.session_state[f"_threshold_of.{key}"] = card.sha256
        set_threshold(f"{key}.threshold", given)
    with st.container(border=True, key=f"{key}.question"):
        st.subheader("Reading", anchor=False)
        threshold = st.slider(
            f"Threshold for “{task.positive}”",
            0.0,
            1.0,
            step=0.01,
            key=f"{key}.threshold",
            help="Changes the label, not the score.",
            persist_state="session",
        )
        threshold_reset(f"{key}.threshold", given, threshold)
        label = st.selectbox(
            "Heatmap of the evidence for",
            task.labels,
            index=task.positive_index,
            key=f"{key}.label",
            persist_state="session",
        )
        method = st.selectbox("Heatmap method", methods(), key=f"{key}.method", persist_state="session")
    return Question(threshold, label, method)
