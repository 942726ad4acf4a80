"""Presenter mode for a class: large type, fewer words, the keyboard alone; it stays on until it is left."""

import streamlit as st

PARAMETER = "present"
SHORTCUT = "Alt+P"

_ON, _DRAWN = "_presenter.on", "_presenter.drawn"

# Streamlit sizes type and distances by the root's size; the viewer, which has a style of its own, takes the variables.
# Whose an image is, what a picture or a figure means and that nothing here is for diagnosis are captions too, and stay.
_STYLE = """<style>
html { font-size: 21px !important; }
:root { --presenter-type: 20px; --presenter-target: 44px; }
[data-testid="stSidebar"], [data-testid="stExpandSidebarButton"] { display: none; }
[data-testid="stCaptionContainer"] { display: none; }
:is([class*="st-key-"][class*="attribution"], [class*="st-key-"][class*="explains"], .st-key-footer,
    [data-testid="stImageCaption"]) [data-testid="stCaptionContainer"] { display: block; }
:focus-visible { outline: 4px solid currentcolor !important; outline-offset: 2px; }
</style>"""

_KEYS = {
    "Tab, Shift+Tab": "next, previous",
    "Enter, Space": "press, choose",
    "Arrow keys": "within a list, a slider or the image",
    "I, +, −, 0, T": "in the image: invert, zoom in, zoom out, fit, truth",
    "?": "in the image: all its keys",
    SHORTCUT: "leave presenter mode",
}


def presenting() -> bool:
    """Whether presenter mode is on in this session."""
    return bool(st.session_state.get(_ON))


def keep_link() -> None:
    """Take the mode from the link that the session began with, before anything leads to another address."""
    if _ON not in st.session_state:
        st.session_state[_ON] = st.query_params.get(PARAMETER) == "1"


def start_presenting() -> None:
    """At the start of every page: keep the mode in the address, and set the type."""
    st.session_state[_DRAWN] = False
    if presenting():
        st.query_params[PARAMETER] = "1"  # a page switch takes it away
        st.html(_STYLE)


def presenter_toggle() -> None:
    """The button that turns the mode on or off, and while it is on the list of keys."""
    st.session_state[_DRAWN] = True
    on = presenting()
    st.button(
        "Leave presenter mode" if on else "Presenter mode",
        key="presenter.toggle",
        icon=":material/present_to_all:",
        shortcut=SHORTCUT,
        on_click=_turn,
        help=None if on else "Large type, fewer words, the keyboard alone: for showing in front of a class.",
    )
    if on:
        st.markdown(" · ".join(f"**{keys}** {what}" for keys, what in _KEYS.items()))


def explain(words: str, key: str) -> None:
    """A caption that stays in presenter mode: without it a picture or a figure would say something else.

    Args:
        words: Markdown.
        key: unique on the page.
    """
    with st.container(key=f"{key}.explains"):
        st.caption(words)


def offer_to_leave() -> None:
    """At the end of every page: the way out, where the page itself has not drawn it."""
    if presenting() and not st.session_state.get(_DRAWN):
        presenter_toggle()


def _turn() -> None:
    st.session_state[_ON] = not presenting()
    if not presenting():
        st.query_params.pop(PARAMETER, None)
