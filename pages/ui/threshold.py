"""The way back to the threshold of the card."""

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui.words import share

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator


def set_threshold(key: str, value: float) -> None:
    """Before the slider of this key is drawn: as it is, not rounded to the slider's step.

    Rounded up, the card's own threshold would call other images than the card measured.
    """
    st.session_state[key] = value


def threshold_reset(key: str, given: float, asked: float, place: "DeltaGenerator | None" = None) -> None:
    """Button that sets a slider to the card's threshold.

    Args:
        key: of the slider.
        given: on the card, in [0, 1].
        asked: by the slider now.
        place: where the button stands; None = below what was drawn last.
    """
    (st if place is None else place).button(
        f"Card's threshold, {share(given)}",
        key=f"{key}_reset",
        icon=":material/restart_alt:",
        on_click=set_threshold,
        args=(key, given),
        disabled=asked == given,
        width="stretch",
    )
