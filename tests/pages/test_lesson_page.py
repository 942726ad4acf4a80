"""The lesson on heatmaps: every step asks before it tells."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cxrkit.lesson_cases import MISLEADING
from pages.ui import lesson_network
from tests.pages.test_followup import texts

STEPS = ("1. On the lesion?", "2. Random weights", "3. Two labels", "4. Taking pixels away")
SEED = MISLEADING[0].seed


def lesson() -> None:
    import streamlit as st

    from pages.ui.errors import errors_shown
    from pages.ui.lesson import show_lesson

    with errors_shown():
        show_lesson()
    st.caption("end")


@pytest.fixture
def page(small_weights: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setattr(lesson_network, "STEPS", 3)
    return AppTest.from_function(lesson, default_timeout=60).run()


def step(page: AppTest, number: int) -> AppTest:
    page.segmented_control(key="lesson.step").set_value(STEPS[number]).run()
    assert not page.exception
    return page


def answer(page: AppTest, key: str) -> str:
    """What the page says once the first answer is given."""
    radio = page.radio(key=key)
    assert radio.value is None
    before = texts(page)
    radio.set_value(radio.options[0]).run()
    assert not page.exception
    assert not page.error
    return texts(page).removeprefix(before)


def test_the_lesion_is_shown_after_the_answer(page: AppTest) -> None:
    assert not page.exception
    assert "The test that settles it" not in texts(page)
    assert "The test that settles it" in answer(page, f"lesson.where.{SEED}")


def test_the_trained_network_is_named_after_the_answer_and_again_for_other_weights(page: AppTest) -> None:
    step(page, 1)
    assert "trained" not in [option.lower() for option in page.radio(key=f"lesson.trained.{SEED}.0").options]
    assert not page.dataframe
    said = answer(page, f"lesson.trained.{SEED}.0")
    assert "It is **" in said
    assert page.dataframe[0].value["Network"].iloc[0] == "trained"
    page.button(key="lesson.another").click().run()
    assert not page.exception
    assert page.radio(key=f"lesson.trained.{SEED}.1").value is None
    assert not page.dataframe


def test_two_labels_are_one_map(page: AppTest) -> None:
    step(page, 2)
    said = answer(page, f"lesson.stronger.{SEED}")
    assert "The colours do not tell." in said
    assert "**−1.00**" in said
    assert "one map with its sign turned" in said
    page.selectbox(key="lesson.method").set_value(page.selectbox(key="lesson.method").options[1]).run()
    assert not page.exception


def test_the_deletion_test_is_drawn_with_both_areas_and_its_limits(page: AppTest) -> None:
    step(page, 3)
    assert not page.metric
    said = answer(page, f"lesson.falls.{SEED}")
    assert [metric.label for metric in page.metric] == [
        "Area under the curve, order of the map",
        "Area under the curve, random order",
    ]
    assert "Its own limits" in said
    assert "Step 3 of 3: 100" in texts(page)
    areas = [metric.value for metric in page.metric]
    page.run()
    assert [metric.value for metric in page.metric] == areas


def test_without_weights_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from pages.ui import models

    monkeypatch.setattr(models, "WEIGHTS", tmp_path)
    at = AppTest.from_function(lesson, default_timeout=60).run()
    assert not at.exception
    assert "No trained weights" in at.error[0].value
