"""A question of the quiz before it is answered: the image, a mark, a reading. Truth and network are not on the page."""

from collections.abc import Sequence

import streamlit as st

from cxrkit.quiz.judging import Mark
from cxrkit.quiz.question import READINGS, Material, Question
from pages.ui.quiz_nickname import ask_nickname
from pages.ui.quiz_state import KEY, VIEWER, Given, Run, take_nickname
from pages.ui.quiz_words import MARK_WHERE, QUESTIONS, reading_name
from pages.ui.results import display_pixels
from pages.ui.viewer import Pane, clear_mark, viewer
from pages.ui.words import listed

SHOW, NEXT = "Alt+A", "Alt+N"
"""Keys of the buttons: a letter alone would do nothing while a choice has the focus; browsers' menus use neither."""

_OLDEST_YEARS = 19


def ask(run: Run, question: Question, material: Material) -> None:
    """Show the images and take the learner's answer; it is final once the button is pressed with nothing missing."""
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
        _say_place(question, marked=mark is not None)
        with st.form(f"{run.key}.form", enter_to_submit=False, border=False):
            _take(run, question, mark)


def _take(run: Run, question: Question, mark: Mark | None) -> None:
    """The fields and the button. In a form, because a number that is being typed counts there when Alt+A is pressed."""
    reading = _ask_reading(run, question)
    placed = mark is not None or not question.located
    if not placed:
        placed = st.checkbox("Nothing to mark", key=f"{run.key}.nothing", persist_state="session")
    nameless = run.place == 0 and not run.nickname  # a class that came by a link has not been asked
    if nameless:
        ask_nickname()
    st.markdown("The network reads the image after you.")
    pressed = st.form_submit_button(
        "Show the answer",
        key=f"{KEY}.show",
        type="primary",
        icon=":material/visibility:",
        shortcut=SHOW,
        width="stretch",
    )
    missing = _missing(reading, placed=placed)
    if pressed and missing:
        st.warning(f"Still missing: {listed(missing)}.", icon=":material/pending:")
    elif pressed and reading is not None:
        if nameless:
            take_nickname()
        run.given = Given(reading, mark)
        st.rerun()


def plain_panes(material: Material) -> list[Pane]:
    """The images with nothing on them."""
    names = ("Baseline", "Follow-up") if len(material.images) == 2 else ("Image",)
    panes = []
    for name, image in zip(names, material.images, strict=True):
        pixels, window = display_pixels(image)
        panes.append(Pane(name, pixels, window, image.spacing_mm, digest=image.sha256, window_step=image.window_step))
    return panes


def _known(question: Question) -> str:
    """What the learner is told, as the network is."""
    return {"F": "The child is a girl.", "M": "The child is a boy."}.get(question.sex or "", "")


def _ask_reading(run: Run, question: Question) -> str | float | None:
    """The reading so far; None while there is none."""
    choices = READINGS[question.task]
    if choices:
        chosen: str | None = st.radio(
            "Your reading",
            choices,
            index=None,
            format_func=reading_name,
            key=f"{run.key}.reading",
            persist_state="session",
        )
        return chosen
    years, months = st.columns(2)
    whole = years.number_input(
        "Years", 0, _OLDEST_YEARS, value=None, step=1, key=f"{run.key}.years", persist_state="session"
    )
    rest = months.number_input("Months", 0, 11, value=0, step=1, key=f"{run.key}.months", persist_state="session")
    return None if whole is None else float(12 * whole + rest)


def _say_place(question: Question, *, marked: bool) -> None:
    """What there is to do about the place.

    The button has a container that is always there: one element more above the form would have the browser build the
    form anew, and what is being typed into it just then would be lost.
    """
    st.markdown(f"**{MARK_WHERE[question.task]}**")
    place = st.container()
    if marked:
        place.button(
            "Remove the mark", key=f"{KEY}.unmark", icon=":material/close:", on_click=clear_mark, args=(VIEWER,)
        )


def _missing(reading: str | float | None, *, placed: bool) -> Sequence[str]:
    parts = []
    if reading is None:
        parts.append("your reading")
    if not placed:
        parts.append("a mark, or “Nothing to mark”")
    return parts
