"""Tabs whose open one outlives a switch of pages."""

from streamlit.testing.v1 import AppTest


def _two_pages() -> None:
    import streamlit as st

    from pages.ui.tabs import kept_tabs

    if st.session_state.get("away"):
        st.markdown("another page")
        return
    for name, tab in zip(("First", "Second"), kept_tabs(("First", "Second"), "kept"), strict=True):
        if tab.open:
            st.markdown(f"{name} is open")


def test_the_open_tab_is_open_again_after_another_page() -> None:
    app = AppTest.from_function(_two_pages).run()
    assert app.markdown[0].value == "First is open"
    app.session_state["kept"] = "Second"
    assert app.run().markdown[0].value == "Second is open"
    app.session_state["away"] = True
    assert app.run().markdown[0].value == "another page"
    app.session_state["away"] = False
    assert app.run().markdown[0].value == "Second is open"
    assert not app.exception
