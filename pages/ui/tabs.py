"""Tabs whose open one outlives a switch of pages, which takes a widget's state away."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.elements.lib.mutable_tab_container import TabContainer


def kept_tabs(names: Sequence[str], key: str) -> "Sequence[TabContainer]":
    """Tabs that run the page when another one is opened; fill those that are `open`.

    Args:
        names: of the tabs, the first one open at first.
        key: unique in the app.
    """
    kept = f"_tabs.{key}"
    if key not in st.session_state and st.session_state.get(kept) in names:
        st.session_state[key] = st.session_state[kept]
    tabs = st.tabs(names, key=key, on_change="rerun")
    st.session_state[kept] = st.session_state[key]
    return tabs
