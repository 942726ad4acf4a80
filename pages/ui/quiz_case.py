"""A question of the quiz before it is answered: the image, a mark, a reading. Truth and network are not on the page."""

from collections.abc import Sequence

import streamlit as st

from cxrkit.quiz.judging import Mark
from cxrkit.quiz.question import READINGS, Material, Question
from pages.ui.quiz_state import KEY, VIEWER, Given, Run
from pages.ui.quiz_words import MARK_WHERE, QUESTIONS, reading_name
from pages.ui.results import display_pixels
from pages.ui.viewer import Pane, ViewerState, clear_mark, viewer
from pages.ui.words import listed

SHOW, NEXT = "Alt+A", "Alt+N"
"""Keys of the buttons: a letter alone would do nothing while a choice has the focus; browsers' menus use neither."""

_OLDEST_YEARS = 19


def ask(run: Run, question: Question, material: Material) -> None:
    """Show the images and take the learner's answer; it is final once the button is pressed."""
    pair = len(material.images) == 2
    # Two images are compared side by side, which takes the whole width.
    left, right = (st.container(), st.container()) if pair else st.columns([2, 1], gap="medium")
    with left:
        state = viewer(plain_panes(material), key=VIEWER, mark_enabled=True, compare=pair)
    mark = None if state.mark is None else Mark(*state.mark)
    with right, st.container(border=True, key=f"{KEY}.answer"):
        st.subheader(QUESTIONS[question.task], anchor=False)
        if known := _known(question):
            st.markdown(known)
        reading = _ask_reading(question)
        nothing = _ask_place(question, state)
        missing = _missing(question, reading, placed=mark is not None or nothing)
        pressed = st.button(
            "Show the answer",
            key=f"{KEY}.show",
            type="primary",
            icon=":material/visibility:",
            shortcut=SHOW,
            disabled=bool(missing),
            width="stretch",
        )
        if missing:
            st.markdown(f"Still missing: {listed(missing)}. The network reads the image after you.")
    if pressed and reading is not None:
        run.given = Given(reading, mark)
        st.rerun()


def plain_panes(material: Material) -> list[Pane]:
    """The images with nothing on them."""
    names = ("Baseline", "Follow-up") if len(material.images) == 2 else ("Image",)
    panes = []
    for name, image in zip(names, material.images, strict=True):
        pixels, window = display_pixels(image)
        panes.append(Pane(name, pixels, window, image.spacing_mm, digest=image.sha256))
    return panes


def _known(question: Question) -> str:
    """What the learner is told, as the network is."""
    return {"F": "The child is a girl.", "M": "The child is a boy."}.get(question.sex or "", "")


def _ask_reading(question: Question) -> str | float | None:
    """The reading so far; None while there is none."""
    key = f"{KEY}.{question.number}"
    choices = READINGS[question.task]
    if choices:
        chosen: str | None = st.radio(
            "Your reading",
            choices,
            index=None,
            format_func=reading_name,
            key=f"{key}.reading",
            persist_state="session",
        )
        return chosen
    years, months = st.columns(2)
    whole = years.number_input(
        "Years", 0, _OLDEST_YEARS, value=None, step=1, key=f"{key}.years", persist_state="session"
    )
    rest = months.number_input("Months", 0, 11, value=0, step=1, key=f"{key}.months", persist_state="session")
    return None if whole is None else float(12 * whole + rest)


def _ask_place(question: Question, state: ViewerState) -> bool:
    """What there is to do about the place; whether the learner says that there is nothing to mark."""
    st.markdown(f"**{MARK_WHERE[question.task]}**")
    if state.mark is not None:
        st.button("Remove the mark", key=f"{KEY}.unmark", icon=":material/close:", on_click=clear_mark, args=(VIEWER,))
        return False
    if not question.located:
        return True
    return st.checkbox("Nothing to mark", key=f"{KEY}.{question.number}.nothing", persist_state="session")


def _missing(question: Question, reading: str | float | None, *, placed: bool) -> Sequence[str]:
    parts = []
    if reading is None:
        parts.append("your reading")
    if question.located and not placed:
        parts.append("a mark, or “Nothing to mark”")
    return parts
