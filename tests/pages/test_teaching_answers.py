"""What a learner typed counts for the case, the run and the name it was typed for."""

import csv
import io
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from cxrkit.errors import ImageError, InputError
from cxrkit.quiz.question import Material, Question
from cxrkit.quiz.results import MOST_LETTERS
from pages.ui import quiz_answer, quiz_case, quiz_material, quiz_score, quiz_state
from pages.ui.quiz_network import NetworkAnswer
from pages.ui.quiz_state import VIEWER
from tests.pages.teaching_page import answer, calm, fill, go_on, page, run_of, small_images, start
from tests.pages.test_app import said

__all__ = ["page", "small_images"]

pytestmark = pytest.mark.usefixtures("small_images")


def opened_by_link(app: AppTest, cases: int = 2) -> AppTest:
    for name, value in {"quiz": "tuberculosis", "seed": "12", "cases": str(cases), "level": "easy"}.items():
        app.query_params[name] = value
    return calm(app.switch_page("pages/teaching.py").run())


def mark(app: AppTest) -> None:
    """As if the first image had been marked in the browser."""
    app.session_state[f"_viewer.{VIEWER}"]["mark"] = {"pane": 0, "x": 5.0, "y": 5.0}
    app.run()


@pytest.mark.parametrize("button", ["quiz.again", "quiz.leave"])
def test_another_run_begins_with_nothing_filled_in(page: AppTest, button: str) -> None:
    start(page, "tuberculosis", 1)
    mark(page)
    assert "quiz.unmark" in [each.key for each in page.button]
    page.button(key="quiz.unmark").click().run()
    answer(page, "abnormal")
    go_on(page)
    page.button(key=button).click().run()
    if button == "quiz.leave":
        page.button(key="quiz.start").click().run()
    assert page.radio(key=f"{run_of(page).key}.reading").value is None
    assert not page.checkbox(key=f"{run_of(page).key}.nothing").value
    page.button(key="quiz.show").click().run()
    assert run_of(page).given is None


def test_another_run_begins_without_the_mark_of_the_last(page: AppTest) -> None:
    start(page, "tuberculosis", 1)
    mark(page)
    fill(page, "abnormal")
    page.button(key="quiz.show").click().run()
    go_on(page)
    page.button(key="quiz.again").click().run()
    assert "quiz.unmark" not in [each.key for each in page.button]


def test_an_age_of_another_run_is_not_filled_in(page: AppTest) -> None:
    start(page, "bone_age", 1)
    answer(page, (8, 3))
    go_on(page)
    page.button(key="quiz.again").click().run()
    key = run_of(page).key
    assert [page.number_input(key=f"{key}.{name}").value for name in ("years", "months")] == [None, 0]


def test_the_button_says_what_is_missing_instead_of_doing_nothing(page: AppTest) -> None:
    start(page, "tuberculosis", 1)
    button = page.button(key="quiz.show")
    assert not button.disabled
    assert not page.warning
    button.click().run()
    assert page.warning[0].value == "Still missing: your reading and a mark, or “Nothing to mark”."
    page.radio(key=f"{run_of(page).key}.reading").set_value("normal")
    page.button(key="quiz.show").click().run()
    assert page.warning[0].value == "Still missing: a mark, or “Nothing to mark”."
    assert run_of(page).given is None
    answer(page, "normal")
    assert run_of(page).given is not None


def test_fields_and_button_are_one_form_so_that_what_is_being_typed_counts(page: AppTest) -> None:
    """The browser sends a number only once it is left or by Enter; the button of a form takes it along."""
    start(page, "bone_age", 1)
    key = run_of(page).key
    fields = [page.number_input(key=f"{key}.{name}") for name in ("years", "months")]
    forms = {field.form_id for field in (*fields, page.button(key="quiz.show"))}
    assert forms == {f"{key}.form"}
    assert page.button(key="quiz.show").proto.shortcut.lower() == quiz_case.SHOW.lower()


def test_start_begins_what_the_form_shows_also_where_edit_and_click_come_together(page: AppTest) -> None:
    page.number_input(key="quiz.seed").set_value(41)
    page.number_input(key="quiz.cases").set_value(1)
    page.selectbox(key="quiz.task").set_value("bone_age")
    page.text_input(key="quiz.nickname").set_value("Ada")
    calm(page.button(key="quiz.start").click().run())
    run = run_of(page)
    assert run.query == {"quiz": "bone_age", "seed": "41", "cases": "1", "level": "easy"}
    assert run.nickname == "Ada"


def test_a_class_on_a_link_is_asked_for_names_with_the_first_case(app: AppTest, small_weights: object) -> None:
    opened_by_link(app)
    assert app.text_input(key="quiz.nickname").proto.max_chars == MOST_LETTERS
    app.text_input(key="quiz.nickname").set_value("Ada")
    answer(app, "normal")
    go_on(app)
    assert not app.text_input
    answer(app, "normal")
    go_on(app)
    assert {outcome.nickname for outcome in run_of(app).outcomes} == {"Ada"}
    assert "of Ada" in [text.value for text in app.text]


def test_who_gave_no_name_is_asked_at_the_score(app: AppTest, small_weights: object) -> None:
    opened_by_link(app, 1)
    answer(app, "normal")
    go_on(app)
    name = "![x](https://e.example/p.png)"
    app.text_input(key="quiz.nickname").set_value(name).run()
    assert [outcome.nickname for outcome in app.session_state["_quiz.log"]] == [name]
    assert run_of(app).outcomes == app.session_state["_quiz.log"]
    assert f"of {name}" in [text.value for text in calm(app).text]
    assert app.subheader[0].value == "Score"
    app.button(key="quiz.leave").click().run()
    assert app.text_input(key="quiz.nickname").value == name, "the next quiz is taken under it, too"


def test_the_score_of_one_learner_does_not_count_the_others(page: AppTest) -> None:
    for name, task in (("Bob", "bone_age"), ("Ada", "bone_age"), ("Ada", "tuberculosis")):
        page.text_input(key="quiz.nickname").set_value(name).run()
        start(page, task, 1)
        answer(page, (5, 0) if task == "bone_age" else "normal")
        go_on(page)
        if task == "bone_age":
            assert not page.segmented_control, "neither has anything but this quiz"
            page.button(key="quiz.leave").click().run()
    page.segmented_control(key="quiz.scope").set_value("All of this session").run()
    calm(page)
    assert [metric.value.partition(" ")[2] for metric in page.metric] == ["of 1 right"] * 4
    assert len(page.dataframe[1].value) == 2


def test_a_quiz_that_is_ended_early_has_a_score(page: AppTest) -> None:
    start(page, "tuberculosis", 3)
    answer(page, "normal")
    go_on(page)
    page.button(key="quiz.end").click().run()
    assert "Scored: 1 of 3 cases." in said(calm(page))
    assert page.metric[0].value.endswith("of 1 right")
    assert page.get("download_button")
    assert page.session_state["_quiz.log"] == run_of(page).outcomes


def test_a_quiz_that_is_ended_before_an_answer_leads_to_the_setup(page: AppTest) -> None:
    start(page, "tuberculosis", 3)
    page.button(key="quiz.end").click().run()
    assert "How it goes" in said(calm(page))


def test_everybody_who_was_asked_is_in_one_table(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    made: dict[str, str] = {}

    def download(label: str, data: Callable[[], str], **_: object) -> None:
        if label.endswith("(CSV)"):  # the example pack takes its time, and is another test's
            made[label] = data()

    monkeypatch.setattr(quiz_score.st, "download_button", download)
    for name in ("Bob", "Ada"):
        page.text_input(key="quiz.nickname").set_value(name).run()
        start(page, "tuberculosis", 1)
        answer(page, "normal")
        made.clear()
        go_on(page)
        if name == "Bob":
            assert set(made) == {"Results (CSV)"}, "all that was answered"
            page.button(key="quiz.leave").click().run()
    tables = {label: list(csv.DictReader(io.StringIO(text))) for label, text in made.items()}
    assert [row["learner"] for row in tables["All learners (CSV)"]] == ["Bob", "Ada"]
    assert [row["learner"] for row in tables["Results (CSV)"]] == ["Ada"]


def test_a_case_that_the_network_cannot_read_does_not_count_and_the_others_go_on(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = quiz_answer.ask_network

    def failing(question: Question, material: Material) -> NetworkAnswer:
        if question.number == 1:
            raise InputError("This cannot be read.")
        return asked(question, material)

    monkeypatch.setattr(quiz_answer, "ask_network", failing)
    start(page, "tuberculosis", 2)
    fill(page, "normal")
    page.button(key="quiz.show").click().run()
    assert not page.exception
    assert "This cannot be read. This case does not count." in page.error[0].value
    go_on(page)
    answer(page, "normal")
    go_on(page)
    assert "Scored: 1 of 2 cases." in said(page)
    assert [outcome.number for outcome in run_of(page).outcomes] == [2]


def test_a_case_whose_images_cannot_be_made_is_tried_again_or_skipped(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def failing(source: object) -> Material:
        asked.append(source)
        raise ImageError("This image took too long.")

    with monkeypatch.context() as patch:
        patch.setattr(quiz_material, "make_material", failing)
        quiz_material._shared.clear()  # other tests have had these cases
        page.selectbox(key="quiz.task").set_value("tuberculosis").run()
        page.number_input(key="quiz.cases").set_value(2).run()
        page.button(key="quiz.start").click().run()
        assert not page.exception
        assert "This image took too long. This case does not count." in page.error[0].value
        page.run()
        assert len(asked) == 2, "an error is not kept"
    page.button(key="quiz.next").click().run()
    assert not page.error
    assert "Case 2 of 2" in page.subheader[0].value
    with monkeypatch.context() as patch:
        patch.setattr(quiz_state, "current", lambda: run_of(page))
        quiz_state.skip(0)  # a second click on the button of before
    assert run_of(page).place == 1


def test_a_quiz_of_which_nothing_can_be_read_leads_back_to_the_setup(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(question: Question, material: Material) -> NetworkAnswer:
        raise InputError("This cannot be read.")

    monkeypatch.setattr(quiz_answer, "ask_network", failing)
    start(page, "tuberculosis", 1)
    fill(page, "normal")
    page.button(key="quiz.show").click().run()
    assert "How it goes" in said(go_on(page))


def test_a_mark_does_not_stay_for_the_next_case(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    cleared: list[str] = []
    monkeypatch.setattr(quiz_state, "clear_mark", cleared.append)
    start(page, "tuberculosis", 2)
    cleared.clear()
    answer(page, "normal")
    assert cleared == []
    go_on(page)
    assert cleared == ["quiz.viewer"]
