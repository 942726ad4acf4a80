"""The answer first: what lies below it is sent once the browser has drawn it and no other session waits for one."""

import time

import streamlit as st

from pages.ui.compute import waiting

MOMENT, LONGEST = 0.25, 2.0
"""Seconds: what a browser takes to fetch and draw a radiograph, and the most that other sessions' images hold back."""

_STEP = 0.02


def answer_first(key: str, answer: str) -> None:
    """Hold back the rest of the page for a moment, the first time that an answer is shown.

    The browser would build all of it before it draws the radiograph, and where several people upload at once, the
    pages of those who have their answer would take the processor from those who wait for theirs.

    Args:
        key: of the page.
        answer: stands for what is answered; a rerun with the same one goes on at once.
    """
    place = f"_answered.{key}"
    if st.session_state.get(place) == answer:
        return
    st.session_state[place] = answer
    start = time.monotonic()
    while (passed := time.monotonic() - start) < MOMENT or (waiting() and passed < LONGEST):
        time.sleep(_STEP)
        # Looking into the session lets a new run begin, as drawing does, and sends nothing to the browser.
        st.session_state.get("navigation")
