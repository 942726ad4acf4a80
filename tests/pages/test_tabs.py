"""Tabs whose open one outlives a switch of pages."""

from streamlit.testing.v1 import AppTest

from pages.ui.review_load import KEY, SOURCES


def test_the_open_tab_is_open_again_after_another_page(app: AppTest) -> None:
    app.switch_page("pages/review.py").run()
    assert f"{KEY}.upload" in [each.key for each in app.file_uploader]
    app.session_state[f"{KEY}.source"] = SOURCES[1]
    app.run()
    app.switch_page("pages/start.py").run()
    assert f"{KEY}.source" not in app.session_state, "a switch takes a widget's state away"
    app.switch_page("pages/review.py").run()
    assert app.session_state[f"{KEY}.source"] == SOURCES[1]
    assert f"{KEY}.upload" not in [each.key for each in app.file_uploader]
    assert not app.exception
