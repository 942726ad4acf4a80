"""Choosing a quiz: the task, how hard, how many cases, which ones; or a pack of own cases."""

from urllib.parse import urlencode, urlsplit

import streamlit as st

from cxrkit import tasks
from cxrkit.errors import WeightsError
from cxrkit.quiz.question import READINGS
from cxrkit.quiz.settings import LAST_SEED, MOST_CASES, QUIZ_LEVELS, USUAL_CASES, QuizSettings
from cxrkit.task import Task
from cxrkit.tasks import find_task
from pages.ui.models import read_task_card
from pages.ui.presenter import explain
from pages.ui.quiz_nickname import ask_nickname
from pages.ui.quiz_pack import own_cases
from pages.ui.quiz_state import KEY, log, start_simulated
from pages.ui.quiz_words import HONEST, LEVEL_MEANS, LEVELS, never_called

_FIRST = "tuberculosis"

HOW = (
    "**How it goes.** Look at a case, mark the place, give your reading. Only then the network reads it too, and the "
    "page shows truth, network and you side by side. At the end there is a score, yours and the network's on the same "
    "cases."
)


def quiz_tasks() -> list[Task]:
    """Tasks that a quiz can be made of: those that have weights."""
    found = []
    for task in tasks.TASKS:
        try:
            read_task_card(task)
        except WeightsError:
            continue
        if task.name in READINGS:
            found.append(task)
    return found


def choose_quiz() -> None:
    """What is wanted, with the button that begins it.

    Raises:
        WeightsError: there is no task with weights.
    """
    known = quiz_tasks()
    if not known:
        raise WeightsError(
            "No trained weights were found, so there is no network to be asked. README says the commands."
        )
    st.markdown(HOW)
    with st.container(border=True, key=f"{KEY}.setup"):
        settings = _ask_settings(known)
        ask_nickname()
        st.button(
            f"Start: {settings.cases} case{'s' if settings.cases > 1 else ''}",
            key=f"{KEY}.start",
            type="primary",
            icon=":material/play_arrow:",
            on_click=_start,
        )
        st.caption(
            f"Link to exactly this quiz, for a class: `{link_to(settings)}`. Everybody who opens it gets the same "
            "cases."
        )
    if log():
        st.caption(f"Answered in this session so far: {len(log())}. The score is shown at the end of each quiz.")
    own_cases()


def link_to(settings: QuizSettings) -> str:
    """The address that begins this quiz."""
    parts = urlsplit(st.context.url or "")
    host = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}" if parts.netloc else "/teaching"
    return f"{host}?{urlencode(settings.query())}"


def _ask_settings(known: list[Task]) -> QuizSettings:
    names = [task.name for task in known]
    titles = {task.name: task.title for task in known}
    start = {"task": _FIRST if _FIRST in names else names[0], "level": "easy", "cases": USUAL_CASES, "seed": 1}
    for name, value in start.items():
        st.session_state.setdefault(f"{KEY}.{name}", value)
    if st.session_state[f"{KEY}.task"] not in names:
        st.session_state[f"{KEY}.task"] = start["task"]
    task = st.selectbox(
        "What to read", names, format_func=titles.__getitem__, key=f"{KEY}.task", persist_state="session"
    )
    explain(f"{HONEST[task]} {never_called(read_task_card(find_task(task)))}".strip(), f"{KEY}.honest")
    level = st.segmented_control(
        "How hard",
        QUIZ_LEVELS,
        required=True,
        format_func=LEVELS.__getitem__,
        key=f"{KEY}.level",
        persist_state="session",
    )
    st.caption(LEVEL_MEANS[task])
    cases, seed, another = st.columns(3, vertical_alignment="bottom")
    count = cases.number_input("Cases", 1, MOST_CASES, step=1, key=f"{KEY}.cases", persist_state="session")
    number = seed.number_input(
        "Which cases (seed)",
        0,
        LAST_SEED,
        step=1,
        key=f"{KEY}.seed",
        help="The same number gives the same cases, on any machine.",
        persist_state="session",
    )
    another.button(
        "Other cases", key=f"{KEY}.another", icon=":material/casino:", on_click=_other_cases, width="stretch"
    )
    return QuizSettings(task, int(number), int(count), level or QUIZ_LEVELS[0])


def _start() -> None:
    """Begin what the form shows now: a click may come with an edit that the page was not drawn with."""
    task, seed, cases, level = (st.session_state[f"{KEY}.{name}"] for name in ("task", "seed", "cases", "level"))
    start_simulated(QuizSettings(task, int(seed), int(cases), level or QUIZ_LEVELS[0]))


def _other_cases() -> None:
    key = f"{KEY}.seed"
    st.session_state[key] = (st.session_state[key] + 1) % (LAST_SEED + 1)
