"""What each page does, and what its weights were trained on."""

import streamlit as st

from cxrkit.card import Card
from cxrkit.errors import WeightsError
from cxrkit.task import Task
from cxrkit.tasks import TASKS
from pages.ui.models import read_task_card
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


with page("CXR Workbench", "See what a network sees in a radiograph, and whether to believe it."):
    for task in TASKS:
        introduce(task)
    st.markdown(
        "Every page works the same way: choose an image, read the score and the heatmap, then change what the network "
        "reads – crop, brightness, contrast – and see how far its answer moves. A score that jumps with a small edit "
        "deserves little trust."
    )
