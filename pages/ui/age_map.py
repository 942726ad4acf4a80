"""What the heatmap of a bone age explains, and how."""

from typing import TYPE_CHECKING

import streamlit as st

from cxrkit.bone_age import in_words
from cxrkit.task import Task
from pages.ui.analysis import methods

if TYPE_CHECKING:
    from cxrkit.explain import Method

LIKELIEST = "The likeliest class"


def ask_map(task: Task) -> "tuple[str | None, Method]":
    """Controls of the heatmap.

    Returns:
        What it explains, None for the likeliest class, whichever it is; and the method.
    """
    from cxrkit.explain import EXPECTED

    names = {EXPECTED: "A higher age: what raises the mean"}
    names |= {label: in_words(months) for label, months in zip(task.labels, task.values, strict=True)}
    with st.container(border=True, key=f"{task.name}.question"):
        st.subheader("Heatmap", anchor=False)
        label = st.selectbox(
            "Evidence for",
            (LIKELIEST, *names),
            format_func=lambda name: names.get(name, name),
            key=f"{task.name}.label",
            help="The likeliest class follows the answer: it may be another one for a girl than for a boy.",
            persist_state="session",
        )
        method = st.selectbox("Method", methods(), key=f"{task.name}.method", persist_state="session")
    return (None if label == LIKELIEST else label), method
