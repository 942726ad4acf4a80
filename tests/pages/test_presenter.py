"""Presenter mode: by button or link, on every page until it is left."""

import json
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.ui.presenter import PARAMETER
from tests.pages.conftest import REPOSITORY

KEY = "presenter.toggle"


@pytest.fixture
def presented(small_weights: Path) -> AppTest:
    """The start page by a link that presents."""
    at = AppTest.from_file(str(REPOSITORY / "app.py"), default_timeout=30)
    at.query_params[PARAMETER] = "1"
    return at.run()


def styled(at: AppTest) -> bool:
    return any("--presenter-type" in element.proto.body for element in at.get("html"))


def test_it_is_off_unless_asked_for(app: AppTest) -> None:
    assert not styled(app)
    assert not [button for button in app.button if button.key == KEY]


def test_a_link_presents_on_every_page_until_it_is_left(presented: AppTest) -> None:
    for page in ("start", "followup", "models", "start"):
        at = presented.switch_page(f"pages/{page}.py").run()
        assert not at.exception
        assert styled(at)
        assert at.query_params[PARAMETER] == "1"
        assert any("Shift+Tab" in element.value for element in at.markdown)
    at.button(key=KEY).click().run()
    assert not styled(at)
    assert PARAMETER not in at.query_params
    at.switch_page("pages/models.py").run()
    assert not styled(at)


def lone() -> None:
    """A page as the first visitor of a new server gets it, at its own address: without app.py."""
    from pages.ui.shell import page

    with page("Title", "Many words."):
        pass


def test_the_link_outlives_the_way_through_the_start_of_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "switch_page", lambda page: st.stop())
    at = AppTest.from_function(lone)
    at.query_params[PARAMETER] = "1"
    at.run()
    assert not at.title
    at.query_params.clear()
    at.session_state["navigation"] = True
    at.run()
    assert at.title
    assert styled(at)


def teaching() -> None:
    """A page that has the button itself."""
    import streamlit as st

    from pages.ui.presenter import presenter_toggle
    from pages.ui.shell import page

    st.session_state["navigation"] = True
    with page("Title", "Many words."):
        presenter_toggle()


def test_a_page_with_the_button_has_it_once_and_the_summary_goes() -> None:
    at = AppTest.from_function(teaching).run()
    assert not at.exception
    assert "Many words." in [element.value for element in at.markdown]
    at.button(key=KEY).click().run()
    assert not at.exception
    assert styled(at)
    assert "Many words." not in [element.value for element in at.markdown]
    assert at.query_params[PARAMETER] == "1"


def drawing() -> None:
    """A page with a figure."""
    import streamlit as st
    from plotly.graph_objects import Figure, Scatter

    from pages.ui.charts import show_figure
    from pages.ui.presenter import presenter_toggle
    from pages.ui.shell import page

    st.session_state["navigation"] = True
    figure = Figure(Scatter(x=[0, 1], y=[0, 1]), {"height": 300, "xaxis_title_text": "Score"})
    with page("Title", "Words."):
        presenter_toggle()
        show_figure(figure, key="figure", alt="A line.")
    assert figure.layout.height == 300


def test_figures_have_large_type_and_more_room() -> None:
    at = AppTest.from_function(drawing).run()
    (plain,) = at.get("plotly_chart")
    assert "font" not in json.loads(plain.proto.spec)["layout"]
    at.button(key=KEY).click().run()
    assert not at.exception
    (large,) = at.get("plotly_chart")
    layout = json.loads(large.proto.spec)["layout"]
    assert layout["height"] > 300
    for size in (layout["font"]["size"], layout["xaxis"]["tickfont"]["size"], layout["xaxis"]["title"]["font"]["size"]):
        assert size >= 18
