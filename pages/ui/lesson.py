"""The lesson "Is the heatmap right?": four steps, each of which asks before it tells."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from cxrkit.lesson_cases import MISLEADING, ON_TARGET, LessonCase
from cxrkit.tasks.tuberculosis import TUBERCULOSIS as TASK
from pages.ui.lesson_deletion import deletion_step
from pages.ui.lesson_steps import labels_step, lesion_step, random_step
from pages.ui.models import load, load_libraries

if TYPE_CHECKING:
    from cxrkit.weights import LoadedModel

KEY = "lesson"
_CASES = {case.title: case for case in (*MISLEADING, ON_TARGET)}
_STEPS: "dict[str, Callable[[LoadedModel, LessonCase, str], None]]" = {
    "1. On the lesion?": lesion_step,
    "2. Random weights": random_step,
    "3. Two labels": labels_step,
    "4. Taking pixels away": deletion_step,
}


def show_lesson() -> None:
    """Draw the lesson.

    Raises:
        WeightsError: there are no weights for tuberculosis, or they do not fit.
    """
    st.subheader("Is the heatmap right?", anchor=False)
    st.markdown(
        "A heatmap looks convincing whatever it shows. Here are simulated chests whose lesion is known, the network "
        "for tuberculosis, and four ways to find out whether its map deserves belief. Each step asks you first."
    )
    load_libraries()
    loaded = load(TASK)
    case = _CASES[
        st.selectbox("Simulated patient", list(_CASES), key=f"{KEY}.case", persist_state="session", width=480)
    ]
    step = st.segmented_control(
        "Step", list(_STEPS), default=next(iter(_STEPS)), required=True, key=f"{KEY}.step", persist_state="session"
    )
    _STEPS[step](loaded, case, KEY)
