"""Simulated images in place of an upload: the list of them, the one in use, and the way back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st

from cxrkit.image import Radiograph
from pages.ui.truth import Truth


@dataclass(frozen=True)
class Samples:
    """Simulated images of one kind, as a page offers them.

    Attributes:
        titles: for people, by name, in the order of the list.
        first: name of the one that a person without an image is offered.
        known: one sentence: what is known of them, and what it is good for.
        make: (key of the page, name) -> the image, what lies where in it, what it is in words; it may draw controls.
    """

    titles: Mapping[str, str]
    first: str
    known: str
    make: Callable[[str, str], tuple[Radiograph, Truth, str]]


def sample_chooser(key: str, samples: Samples) -> None:
    """The list of simulated cases; what it holds is in use."""
    st.selectbox(
        "or a simulated case",
        list(samples.titles),
        index=None,
        format_func=samples.titles.__getitem__,
        placeholder="Choose a simulated case",
        key=_widget(key),
        help=f"A computed radiograph that shows no patient. {samples.known}",
        persist_state="session",
    )


def first_sample(key: str, samples: Samples) -> None:
    """What a person who has no image is offered."""
    st.markdown(
        f"**No image at hand?** Take a simulated case: a computed radiograph that shows no patient. {samples.known}"
    )
    st.button(
        f"Open a simulated case: {samples.titles[samples.first]}",
        key=f"{key}.first_sample",
        icon=":material/science:",
        on_click=use_sample,
        args=(key, samples.first),
    )


def chosen_sample(key: str) -> str | None:
    """Name of the simulated case in use, also before its chooser is drawn; None where the user's own image is."""
    name: str | None = st.session_state.get(_widget(key))
    return name


def use_sample(key: str, name: str | None) -> None:
    """Take a simulated case, or none; only in a callback."""
    st.session_state[_widget(key)] = name


def simulated(key: str, samples: Samples, name: str, leave: str) -> tuple[Radiograph, Truth]:
    """A simulated image and what lies where in it; the page is told that it is one.

    Args:
        key: of the page.
        samples: that it offers.
        name: of the one in use.
        leave: what the button says that ends it.
    """
    image, truth, words = samples.make(key, name)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/science: **Simulated image: no patient.** {words}", width="stretch")
        st.button(leave, key=f"{key}.leave_sample", icon=":material/close:", on_click=use_sample, args=(key, None))
    return image, truth


def _widget(key: str) -> str:
    return f"{key}.sample"
