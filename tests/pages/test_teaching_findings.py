"""The quiz on findings: whose heatmap and score are the network's, and what it can never call."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cxrkit.card import read_card, write_card
from cxrkit.finding_reading import Finding
from cxrkit.quiz.question import NO_FINDING, READINGS
from cxrkit.tasks.nih14 import NIH14
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from pages.ui import quiz_answer, quiz_network
from pages.ui.quiz_network import NetworkAnswer
from pages.ui.quiz_words import never_called
from tests.models_for_tests import small_card
from tests.pages.nih14_page import nih14_root
from tests.pages.teaching_page import answer, go_on, run_of, small_images, start
from tests.pages.test_app import said

__all__ = ["nih14_root", "small_images"]

pytestmark = pytest.mark.usefixtures("small_images", "nih14_root")

FINDINGS = READINGS["nih14"][:-1]


class Asked:
    """What the network was asked for a positive case, and every drawn label's score."""

    def __init__(self) -> None:
        self.truth = ""
        self.answers: list[NetworkAnswer] = []
        self.scores: dict[str, float] = {}


def ask(app: AppTest, monkeypatch: pytest.MonkeyPatch, limits: Mapping[str, float]) -> Asked:
    """Answer quizzes until a case with a finding was read by a network that may call these labels alone."""
    asked, load, real = Asked(), quiz_network.load, quiz_answer.ask_network
    read = quiz_network.read_findings_of

    def loaded(task: object) -> object:
        found = load(task)  # type: ignore[arg-type]
        return replace(found, card=replace(found.card, thresholds=limits, support=()))

    def kept(*args: object) -> object:
        view = read(*args)  # type: ignore[arg-type]
        asked.scores = {one.label: one.score for one in view.findings.findings if one.label in FINDINGS}
        return view

    def noted(*args: object) -> NetworkAnswer:
        asked.answers.append(real(*args))  # type: ignore[arg-type]
        return asked.answers[-1]

    monkeypatch.setattr(quiz_network, "load", loaded)
    monkeypatch.setattr(quiz_network, "read_findings_of", kept)
    monkeypatch.setattr(quiz_answer, "ask_network", noted)
    app.switch_page("pages/teaching.py").run()
    start(app, "nih14", 2)
    while run_of(app).question.truth == NO_FINDING:  # type: ignore[union-attr]
        go_on(answer(app, NO_FINDING))
    asked.truth = str(run_of(app).question.truth)  # type: ignore[union-attr]
    answer(app, NO_FINDING)
    return asked


@pytest.fixture
def never(nih14_root: Path) -> Iterator[str]:
    """What the page has to say of a card that has no threshold for nodules, as long as it is there."""
    file = nih14_root / NIH14.name / "card.json"
    whole = read_card(file)
    card = replace(whole, thresholds={label: 0.5 for label in whole.thresholds if label != "Nodule"})
    write_card(card, file)
    yield never_called(card)
    write_card(whole, file)


def test_findings_have_a_quiz_that_says_what_is_never_called(app: AppTest, never: str) -> None:
    assert "never call nodule:" in never
    app.switch_page("pages/teaching.py").run()
    start(app, "nih14", 1)
    answer(app, "Effusion")
    assert "Score for" in said(app)
    go_on(app)
    assert app.metric[0].value.endswith("of 1 right")
    assert never in said(app)
    app.button(key="quiz.leave").click().run()
    assert never in said(app)


def test_map_and_score_are_of_what_the_network_calls_and_not_of_the_truth(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = {"Nodule": 0.0, "Effusion": 0.0}
    asked = ask(app, monkeypatch, called)
    given = asked.answers[-1]
    best = max(called, key=lambda label: asked.scores[label])
    assert given.reading == "Effusion, Nodule"
    assert given.heatmaps[0].label == best
    assert run_of(app).outcomes[-1].score == asked.scores[best]
    if asked.truth not in called:
        assert f"It can never call {asked.truth.lower()}" in said(app)


def test_where_nothing_is_called_map_and_score_are_of_the_highest(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ask(app, monkeypatch, dict.fromkeys(FINDINGS, 2.0))
    given = asked.answers[-1]
    best = max(asked.scores, key=lambda label: asked.scores[label])
    assert given.reading == NO_FINDING
    assert given.heatmaps[0].label == best
    assert run_of(app).outcomes[-1].score == asked.scores[best]
    assert "the highest, and not called" in said(app)


def test_the_truth_that_can_never_be_called_is_said_with_the_answer() -> None:
    found = [Finding("Effusion", 0.6, None, 0.5), Finding("Nodule", 0.7, None, None, "too few training cases")]
    words = quiz_network._found(found[0], found, "Nodule")
    assert words == "Score for effusion 0.60. It can never call nodule: too few training cases."
    assert "never" not in quiz_network._found(found[0], found, "Effusion")


def test_what_can_never_be_called_is_named() -> None:
    card = replace(small_card(NIH14), thresholds=dict.fromkeys(FINDINGS[2:], 0.5), support=())
    first, second = (label.lower() for label in FINDINGS[:2])
    assert never_called(card).startswith(f"This network can never call {first} and {second}: ")
    assert never_called(replace(card, thresholds=dict.fromkeys(FINDINGS, 0.5))) == ""
    assert never_called(small_card(TUBERCULOSIS)) == ""
