"""The nickname's field: before a quiz, with the first case of a link, or at the score."""

from collections.abc import Callable

import streamlit as st

from cxrkit.quiz.results import MOST_LETTERS
from pages.ui.quiz_state import NICKNAME


def ask_nickname(on_change: Callable[[], None] | None = None) -> None:
    """One field wherever it stands, so that a name once typed is there for the next quiz.

    Args:
        on_change: what is to be done with another name at once; None within a form, or where a button reads it.
    """
    st.text_input(
        "Nickname (optional)",
        max_chars=MOST_LETTERS,
        key=NICKNAME,
        help="For the table of results alone. Leave it empty, or take a name that only you know as yours.",
        on_change=on_change or "rerun",
        persist_state="session",
        width=320,
    )
