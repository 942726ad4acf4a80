"""The images of a quiz: made once, in a thread of their own, the next ones while the learner looks at the last."""

from concurrent.futures import Future, ThreadPoolExecutor

import streamlit as st

from cxrkit.quiz.material import make_material
from cxrkit.quiz.pack_case import PackCase
from cxrkit.quiz.question import Material, Question
from pages.ui.compute import settled

_THREAD = ThreadPoolExecutor(1, thread_name_prefix="quiz")


def material_of(question: Question) -> Material:
    """Images and regions of a question.

    Raises:
        ImageError, InputError: of a pack's files, as make_material.
    """
    if _making(question).done():
        return _made(question)
    what = "Reading the images …" if isinstance(question.source, PackCase) else "Simulating a case …"
    with st.spinner(what):
        return _made(question)


def make_soon(question: Question) -> None:
    """Begin to make what will be shown next; nothing waits for it."""
    _making(question)


def _made(question: Question) -> Material:
    """Once it is; an error is not kept."""
    return settled(_own if isinstance(question.source, PackCase) else _shared, question.key, question)


def _making(question: Question) -> "Future[Material]":
    return _own(question.key, question) if isinstance(question.source, PackCase) else _shared(question.key, question)


@st.cache_resource(max_entries=10, ttl=3600, show_spinner=False)
def _shared(key: str, _question: Question) -> "Future[Material]":
    """Shared by all sessions, a whole class on one link: it holds nothing of a person, and nobody changes it."""
    return _THREAD.submit(make_material, _question.source)


@st.cache_resource(scope="session", max_entries=3, ttl=3600, show_spinner=False)
def _own(key: str, _question: Question) -> "Future[Material]":
    return _THREAD.submit(make_material, _question.source)
