"""The quiz driven through AppTest: begin it, answer its cases."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from cxrkit.quiz import drawing
from pages.ui import quiz_state

Opened = Callable[[str], AppTest]


@pytest.fixture
def small_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulated images of 200 pixels."""
    for task in drawing.HEIGHT:
        monkeypatch.setitem(drawing.HEIGHT, task, 200)


@pytest.fixture
def page(opened: Opened, small_images: None) -> AppTest:
    """The page, no quiz begun."""
    return opened("teaching")


def calm(app: AppTest) -> AppTest:
    assert not app.exception
    assert not app.error
    return app


def start(app: AppTest, task: str, cases: int = 2) -> AppTest:
    app.selectbox(key="quiz.task").set_value(task).run()
    app.number_input(key="quiz.cases").set_value(cases).run()
    return calm(app.button(key="quiz.start").click().run())


def run_of(app: AppTest) -> quiz_state.Run:
    run: quiz_state.Run = app.session_state["_quiz.run"]
    return run


def fill(app: AppTest, reading: str | tuple[int, int]) -> AppTest:
    """Give a reading and mark nothing, without pressing anything."""
    key = run_of(app).key
    if isinstance(reading, str):
        app.radio(key=f"{key}.reading").set_value(reading)
    else:
        for name, value in zip(("years", "months"), reading, strict=True):
            app.number_input(key=f"{key}.{name}").set_value(value)
    for box in app.checkbox:
        box.check()
    return app


def answer(app: AppTest, reading: str | tuple[int, int]) -> AppTest:
    """Give a reading, mark nothing, and have the answer shown."""
    fill(app, reading)
    return calm(app.button(key="quiz.show").click().run())


def go_on(app: AppTest) -> AppTest:
    return calm(app.button(key="quiz.next").click().run())
