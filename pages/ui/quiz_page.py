"""The quiz: choose it, answer its questions one by one, see the score."""

import streamlit as st

from cxrkit.errors import CxrkitError
from cxrkit.quiz.pack_case import PackCase
from cxrkit.tasks import find_task
from pages.ui.errors import errors_shown
from pages.ui.quiz_answer import show_answer
from pages.ui.quiz_case import NEXT, ask
from pages.ui.quiz_material import make_soon, material_of
from pages.ui.quiz_score import running_score, show_score
from pages.ui.quiz_setup import choose_quiz
from pages.ui.quiz_state import KEY, Run, current, end, follow_link, skip
from pages.ui.quiz_words import LEVELS


def show_quiz() -> None:
    """What the session's quiz is at."""
    with st.container(), errors_shown():  # in one place: an error of one run must not move what is below
        follow_link()
    run = current()
    if run is None:
        choose_quiz()
    elif run.question is None:
        show_score(run)
    else:
        _show_question(run)


def _offer_to_skip(run: Run, error: CxrkitError) -> None:
    """This case cannot be read, by us or by the network: say why, and let the others go on."""
    st.error(f"{error} This case does not count.", icon=":material/error:")
    last = run.place + 1 == len(run.questions)
    words = "End" if last else "Next case"
    st.button(words, key=f"{KEY}.next", type="primary", shortcut=NEXT, on_click=skip, args=(run.place,))


def _show_question(run: Run) -> None:
    question = run.question
    if question is None:
        raise ValueError("the quiz is over")
    answered = run.given is not None
    # The level may say what to look for, so it comes with the answer.
    level = f", {LEVELS[question.level].lower()}" if answered and question.level else ""
    total = len(run.questions)
    with st.container(horizontal=True, vertical_alignment="center", key=f"{KEY}.head"):
        st.subheader(f"Case {question.number} of {total}: {find_task(question.task).title}{level}", anchor=False)
        st.button("End the quiz", key=f"{KEY}.end", icon=":material/close:", on_click=end)
    done = run.place + answered
    st.progress(done / total)
    try:
        material = material_of(question)
    except CxrkitError as error:
        _offer_to_skip(run, error)
        return
    if run.given is None:
        if not isinstance(question.source, PackCase):
            with st.container(key=f"{KEY}.attribution"):  # it stays where presenter mode hides captions
                st.caption(":material/science: Simulated image: no patient.")
        ask(run, question, material)
    else:
        try:
            show_answer(run, question, material, run.given)
        except CxrkitError as error:
            _offer_to_skip(run, error)
        st.caption(running_score(run))
        if run.place + 1 < total:
            make_soon(run.questions[run.place + 1])
