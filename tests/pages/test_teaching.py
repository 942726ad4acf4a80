"""The Teaching page driven through AppTest: a whole quiz of every kind, links, the score."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cxrkit.explain import Heatmap, Method
from cxrkit.quiz import drawing
from cxrkit.quiz.judging import Mark
from cxrkit.quiz.question import READINGS
from cxrkit.quiz.results import results_csv
from cxrkit.quiz.settings import asked_by
from pages.ui import quiz_answer
from pages.ui.quiz_first import FIRST_QUIZ
from pages.ui.quiz_network import NetworkAnswer
from tests.pages.teaching_page import answer, calm, page, run_of, small_images, start
from tests.pages.test_app import said
from tests.pages.vq_page import vq_root

__all__ = ["page", "small_images", "vq_root"]

pytestmark = pytest.mark.usefixtures("small_images")

ANSWER = ("The truth", "Score for", "strongest point", "heatmap shows")
"""Words that are on the page only once a case is answered."""


def test_a_whole_quiz_of_chests(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    ask_network = quiz_answer.ask_network
    monkeypatch.setattr(
        quiz_answer,
        "ask_network",
        lambda question, shown: asked.append(question.number) or ask_network(question, shown),
    )
    start(page, "tuberculosis", 3)
    for number in (1, 2, 3):
        assert f"Case {number} of 3" in said(page)
        assert not [word for word in ANSWER if word in said(page)]
        assert set(asked) == set(range(1, number))
        answer(page, "abnormal")
        assert set(asked) == set(range(1, number + 1))
        assert "Score for tuberculosis" in said(page)
        truth = run_of(page).questions[number - 1].truth
        assert page.subheader[2].value == ("✓ right" if truth == "abnormal" else "✗ wrong")
        page.button(key="quiz.next").click().run()
    calm(page)
    learner, network = page.metric
    assert learner.label == "Tuberculosis: you"
    assert network.label == "Tuberculosis: the network"
    assert learner.value.endswith("of 3 right")
    assert list(page.dataframe[0].value["Who"])[:2] == ["you", "network"]
    assert len(page.dataframe[1].value) == 3
    page.button(key="quiz.leave").click().run()
    assert "Answered in this session so far: 3" in said(page)


@pytest.mark.parametrize(
    ("task", "reading", "word"),
    [("followup", "no change", "Score for change"), ("bone_age", (8, 3), " years ")],
)
def test_other_tasks_have_a_quiz(page: AppTest, task: str, reading: str | tuple[int, int], word: str) -> None:
    start(page, task)
    for _ in range(2):
        answer(page, reading)
        assert word in said(page)
        page.button(key="quiz.next").click().run()
    calm(page)
    assert page.metric[0].value.endswith("of 2 right")
    if task == "bone_age":
        assert "months" in page.dataframe[0].value["Mean error"][0]
        assert page.dataframe[0].value["Sensitivity"][0] == "–"


def test_what_has_gone_is_marked_as_what_has_come() -> None:
    values = np.zeros((4, 4), np.float32)
    values[1, 2], values[3, 0] = -0.8, 0.3
    heatmap = Heatmap("lesion", Method.GRAD_CAM, values, (0, 0, 40, 40), 0.8)
    answered = NetworkAnswer("change", "", 0.9, (heatmap, heatmap), "", "", "", signed=True)
    assert answered.point == Mark(1, 25.0, 15.0)
    nothing = NetworkAnswer("change", "", 0.9, (replace(heatmap, values=values * 0),) * 2, "", "", "", signed=True)
    assert nothing.point is None


def test_a_link_begins_its_quiz_and_stays_the_address(app: AppTest, small_weights: Path) -> None:
    app.query_params["quiz"] = "tuberculosis"
    app.query_params["seed"] = "12"
    app.query_params["cases"] = "2"
    app.query_params["level"] = "hard"
    app.switch_page("pages/teaching.py").run()
    calm(app)
    assert "Case 1 of 2" in said(app)
    assert run_of(app).questions == drawing.draw_quiz(
        asked_by({"quiz": "tuberculosis", "seed": "12", "cases": "2", "level": "hard"})  # type: ignore[arg-type]
    )
    assert app.query_params["seed"] == "12"
    app.button(key="quiz.end").click().run()
    assert "quiz" not in app.query_params
    assert "How it goes" in said(app)


def test_a_bad_link_gives_a_sentence_and_the_setup(app: AppTest, small_weights: Path) -> None:
    app.query_params["quiz"] = "astrology"
    app.switch_page("pages/teaching.py").run()
    assert not app.exception
    assert "no quiz of that name" in app.error[0].value
    assert "How it goes" in said(app)
    app.run()
    calm(app)


def test_the_quiz_goes_on_after_a_page_switch(page: AppTest) -> None:
    start(page, "tuberculosis")
    answer(page, "normal")
    page.button(key="quiz.next").click().run()
    page.switch_page("pages/start.py").run()
    page.switch_page("pages/teaching.py").run()
    assert "Case 2 of 2" in said(calm(page))


def test_a_case_is_counted_once_however_often_it_is_drawn(page: AppTest) -> None:
    start(page, "tuberculosis")
    answer(page, "normal")
    page.run()
    page.run()
    assert len(run_of(page).outcomes) == 1


def test_the_session_has_a_score_and_a_table_of_results(page: AppTest) -> None:
    page.text_input(key="quiz.nickname").set_value("=Ada").run()
    for task, reading in (("tuberculosis", "normal"), ("bone_age", (5, 0))):
        start(page, task, 1)
        answer(page, reading)  # type: ignore[arg-type]
        page.button(key="quiz.next").click().run()
        last = task == "bone_age"
        if not last:
            page.button(key="quiz.leave").click().run()
    page.segmented_control(key="quiz.scope").set_value("All of this session").run()
    calm(page)
    assert len(page.metric) == 4
    rows = list(csv.DictReader(io.StringIO(results_csv(page.session_state["_quiz.log"], "note"))))
    assert [row["task"] for row in rows] == ["tuberculosis", "bone_age"]
    assert {row["learner"] for row in rows} == {"'=Ada"}


def test_without_weights_the_page_says_so(app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pages.ui import models

    monkeypatch.setattr(models, "WEIGHTS", tmp_path)
    app.run()
    assert "Try a five-case quiz" not in "".join(str(element) for element in app.main)
    app.switch_page("pages/teaching.py").run()
    assert "No trained weights" in app.error[0].value
    assert not app.exception


def test_the_start_page_offers_a_quiz_that_there_is() -> None:
    settings = asked_by(FIRST_QUIZ)
    assert settings is not None
    assert settings.cases == 5
    assert settings.query() == FIRST_QUIZ
    assert set(READINGS) >= {settings.task}


# The fixture of this one changes the app's tasks until the module ends, so it comes last.


def _one_case(app: AppTest, task: str, reading: str) -> str:
    app.switch_page("pages/teaching.py").run()
    start(app, task, 1)
    answer(app, reading)
    text = said(app)
    calm(app.button(key="quiz.next").click().run())
    assert app.metric[0].value.endswith("of 1 right")
    return text


def test_lung_scans_have_a_quiz(app: AppTest, vq_root: Path) -> None:
    assert "erfusion" in _one_case(app, "vq", "perfusion")
