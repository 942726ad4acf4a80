"""Simulated pairs in place of two uploads: ready ones, whose change is known."""

import streamlit as st

from cxrkit.image import Radiograph
from cxrkit.phantoms.pairs import PAIR_SAMPLES, PairSample, PairSettings, simulate_pair
from pages.ui.truth import Truth

_SAMPLES = {sample.name: sample for sample in PAIR_SAMPLES}
_FIRST = PAIR_SAMPLES[0]


def pair_chooser(key: str) -> None:
    """The list of simulated pairs; what it holds is in use."""
    st.selectbox(
        "or a simulated pair",
        list(_SAMPLES),
        index=None,
        format_func=lambda name: _SAMPLES[name].title,
        placeholder="Choose a simulated pair",
        key=_widget(key),
        help="Two computed radiographs that show no patient. What has changed between them is known.",
        persist_state="session",
        width=360,
    )


def chosen_pair(key: str) -> str | None:
    """Name of the simulated pair in use; None where the user's own images are."""
    name: str | None = st.session_state.get(_widget(key))
    return name


def use_first_pair(key: str) -> None:
    """A button for a person who has no images."""
    st.button(
        f"Open a simulated pair: {_FIRST.title}",
        key=f"{key}.first_sample",
        icon=":material/science:",
        on_click=_use,
        args=(key, _FIRST.name),
    )


def simulated_visits(key: str) -> tuple[Radiograph, Radiograph, tuple[Truth, Truth], PairSettings]:
    """Baseline, follow-up, what has changed in each, and how they were made; the page says that they are simulated."""
    sample = _SAMPLES[str(chosen_pair(key))]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f":material/science: **Simulated images: no patient.** {sample.description} {_answer(sample)}",
            width="stretch",
        )
        st.button("Remove", key=f"{key}.leave_sample", icon=":material/close:", on_click=_use, args=(key, None))
    baseline, follow_up, truths = _simulate(sample.settings)
    return baseline, follow_up, truths, sample.settings


def _answer(sample: PairSample) -> str:
    settings = sample.settings
    if settings.other_seed is not None:
        return ""
    changed = any(before != after for before, after in settings.findings())
    return f"The truth: **{'change' if changed else 'no change'}**."


@st.cache_resource(max_entries=4, ttl=3600, show_spinner="Simulating two radiographs …")
def _simulate(settings: PairSettings) -> tuple[Radiograph, Radiograph, tuple[Truth, Truth]]:
    """Shared by all sessions: it holds nothing of a person, and nobody changes it."""
    pair = simulate_pair(settings)
    baseline, follow_up = pair.radiographs()
    name = "what has changed"
    first, second = (((name, mask),) if mask.any() else () for mask in pair.masks)
    return baseline, follow_up, (first, second)


def _use(key: str, name: str | None) -> None:
    st.session_state[_widget(key)] = name


def _widget(key: str) -> str:
    return f"{key}.sample"
