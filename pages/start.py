"""What each page does, and what its weights were trained on."""

import streamlit as st

from cxrkit.card import Card
from cxrkit.errors import WeightsError
from cxrkit.task import Task
from cxrkit.tasks import TASKS
from pages.ui.models import read_task_card
from pages.ui.quiz_first import FIRST_QUIZ
from pages.ui.shell import page
from pages.ui.words import listed


def training_in_words(card: Card) -> str:
    """What the weights were trained on: "8,000 images, all real: A, B"."""
    total = sum(source.images for source in card.data)
    real = sum(source.images for source in card.data if source.real)
    kind = "all real" if real == total else "all simulated" if real == 0 else f"{real:,} of them real"
    return f"{total:,} images, {kind}: {listed([source.name for source in card.data])}."


def introduce(task: Task) -> None:
    """One card for one task."""
    with st.container(border=True):
        st.subheader(f"{task.icon} {task.title}", anchor=False)
        st.markdown(task.summary)
        st.markdown(f"**Reads:** {listed(task.inputs)}.")
        try:
            st.markdown(f"**Trained and measured on:** {training_in_words(read_task_card(task))}")
        except WeightsError as error:
            st.warning(str(error))
        st.page_link(f"pages/{task.name}.py", label=f"Open {task.title}", icon=":material/arrow_forward:")


def offer_quiz() -> None:
    """The way into a quiz for a person who is here for the first time, where its network has weights."""
    task = next((task for task in TASKS if task.name == FIRST_QUIZ["quiz"]), None)
    if task is None:
        return
    try:
        read_task_card(task)
    except WeightsError:
        return
    with st.container(border=True):
        st.markdown(
            "**New here?** Read five simulated chests and mark what you find. After each you see the truth, and what a "
            "network made of it."
        )
        st.page_link(
            "pages/teaching.py", label="Try a five-case quiz", icon=":material/school:", query_params=FIRST_QUIZ
        )


with page("CXR Workbench", "See what a network sees in a radiograph, and whether to believe it.", networks=False):
    offer_quiz()
    for task in TASKS:
        introduce(task)
    with st.container(border=True):
        st.subheader(":material/rate_review: Review", anchor=False)
        st.markdown("Many cases at once: how often a network is right, which cases it gets wrong, and why.")
        st.markdown("**Reads:** a table of predictions, or a table of cases that is run here.")
        st.page_link("pages/review.py", label="Open Review", icon=":material/arrow_forward:")
    with st.container(border=True):
        st.subheader(":material/fact_check: Models", anchor=False)
        st.markdown("What was measured of each network, with its limits, and what its source claims.")
        st.page_link("pages/models.py", label="Open Models", icon=":material/arrow_forward:")
    st.markdown(
        "Every page that reads one image works the same way: choose an image, read the score and the heatmap, then "
        "change what the network reads – crop, brightness, contrast – and see how far its answer moves. A score that "
        "jumps with a small edit deserves little trust."
    )
