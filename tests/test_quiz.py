"""Quizzes: links, drawn cases, marks and readings against the truth, the score, the table of results."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from cxrkit.errors import InputError
from cxrkit.image import Radiograph
from cxrkit.phantoms import ChestSettings, HandSettings, PairSettings, ScanSettings
from cxrkit.phantoms.as_file import as_file
from cxrkit.quiz.drawing import CONTRAST, GRAY_RANGE, draw_quiz
from cxrkit.quiz.judging import Mark, MarkFound, Outcome, Read, hotter_than, judge, strongest_point
from cxrkit.quiz.material import make_material
from cxrkit.quiz.question import LEVELS, NO_FINDING, READINGS, Level, Material, Question, is_positive
from cxrkit.quiz.results import COLUMNS, MOST_LETTERS, clean_nickname, results_csv
from cxrkit.quiz.score import first_answers, score, tally
from cxrkit.quiz.settings import QUIZ_LEVELS, QuizSettings, asked_by
from pages.ui.quiz_first import FIRST_QUIZ


@pytest.mark.parametrize("task", READINGS)
@pytest.mark.parametrize("level", QUIZ_LEVELS)
def test_a_link_stands_for_its_quiz(task: str, level: str) -> None:
    settings = QuizSettings(task, 12, 5, level)  # type: ignore[arg-type]
    assert asked_by(settings.query()) == settings


def test_what_a_link_leaves_out_is_as_usual() -> None:
    assert asked_by({"quiz": "vq"}) == QuizSettings("vq", 1, 5, "mixed")
    assert asked_by({"seed": "3"}) is None


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ({"quiz": "<script>"}, "no quiz of that name"),
        ({"quiz": "vq", "seed": "-1"}, "seed is no whole number"),
        ({"quiz": "vq", "seed": "٣"}, "seed is no whole number"),
        ({"quiz": "vq", "cases": "9" * 30}, "cases is no whole number"),
        ({"quiz": "vq", "cases": "0"}, "1 to 30 cases"),
        ({"quiz": "vq", "cases": "31"}, "1 to 30 cases"),
        ({"quiz": "vq", "level": "brutal"}, "level of a quiz"),
    ],
)
def test_a_bad_link_is_refused_with_a_sentence(query: dict[str, str], word: str) -> None:
    with pytest.raises(InputError, match=word) as error:
        asked_by(query)
    assert "<script>" not in str(error.value)


def test_the_start_pages_link_is_a_quiz_of_five() -> None:
    assert asked_by(FIRST_QUIZ) == QuizSettings("tuberculosis", 1, 5, "easy")


@pytest.mark.parametrize("task", READINGS)
def test_the_same_settings_give_the_same_cases(task: str) -> None:
    settings = QuizSettings(task, 4, 6, "mixed")
    first = draw_quiz(settings)
    assert first == draw_quiz(settings)
    assert first != draw_quiz(replace(settings, seed=5))
    assert [question.number for question in first] == [1, 2, 3, 4, 5, 6]
    assert len({question.key for question in first}) == 6


def test_cases_of_a_seed_stay_what_they_are() -> None:
    """Links that teachers have given out go on showing the same cases, on any machine."""
    chests = draw_quiz(QuizSettings("tuberculosis", 12, 4, "mixed"))
    assert [(each.level, each.what) for each in chests] == [
        ("medium", "effusion, left"),
        ("medium", ""),
        ("hard", ""),
        ("easy", ""),
    ]
    assert [each.truth for each in draw_quiz(QuizSettings("bone_age", 12, 4))] == [152.0, 177.0, 171.0, 76.0]


@pytest.mark.parametrize("task", [task for task in READINGS if READINGS[task]])
def test_both_kinds_occur_and_truths_are_readings(task: str) -> None:
    for seed in range(20):
        truths = [str(question.truth) for question in draw_quiz(QuizSettings(task, seed, 2))]
        assert {is_positive(task, truth) for truth in truths} == {True, False}
        assert set(truths) <= set(READINGS[task])


@pytest.mark.parametrize("level", LEVELS)
def test_the_level_is_the_contrast(level: Level) -> None:
    low, high = CONTRAST[level]
    for question in draw_quiz(QuizSettings("tuberculosis", 2, 12, level)):
        assert isinstance(question.source, ChestSettings)
        assert all(low <= lesion.contrast <= high for lesion in question.source.lesions)
        assert bool(question.source.lesions) == (question.truth == "abnormal") == bool(question.what)
    for question in draw_quiz(QuizSettings("followup", 2, 12, level)):
        assert isinstance(question.source, PairSettings)
        found = question.source.baseline + question.source.follow_up
        assert all(low <= lesion.contrast <= high for lesion in found)
        assert any(question.source.ways()) == (question.truth == "change")
    low, high = GRAY_RANGE[level]
    for question in draw_quiz(QuizSettings("bone_age", 2, 12, level)):
        assert isinstance(question.source, HandSettings)
        assert low <= question.source.contrast <= high
        assert question.truth == question.source.age_months


def test_another_level_shows_the_same_patients() -> None:
    easy, hard = (draw_quiz(QuizSettings("tuberculosis", 3, 5, level)) for level in ("easy", "hard"))  # type: ignore[arg-type]
    for one, other in zip(easy, hard, strict=True):
        assert isinstance(one.source, ChestSettings)
        assert isinstance(other.source, ChestSettings)
        assert one.source.seed == other.source.seed
        assert one.what == other.what


@pytest.mark.parametrize(("task", "images"), [("tuberculosis", 1), ("followup", 2), ("bone_age", 1), ("vq", 1)])
def test_images_are_the_same_each_time(task: str, images: int) -> None:
    question = draw_quiz(QuizSettings(task, 1, 2), height=128)[1]
    first, second = make_material(question.source), make_material(question.source)
    assert [image.sha256 for image in first.images] == [image.sha256 for image in second.images]
    assert len(first.images) == len(first.regions) == images
    known = [region is not None for region in first.regions]
    assert all(known) if question.what else not any(known)


def test_scans_are_of_the_kind_asked_for() -> None:
    for question in draw_quiz(QuizSettings("vq", 6, 8)):
        assert isinstance(question.source, ScanSettings)
        assert question.source.kind == question.truth


def gray() -> Radiograph:
    return as_file(np.zeros((50, 100), dtype=np.float32), (1.0, 1.0), {})


def region() -> np.ndarray:
    mask = np.zeros((50, 100), dtype=np.bool_)
    mask[10:20, 30:40] = True
    return mask


def chest(truth: str = "abnormal") -> Question:
    return Question("k", "tuberculosis", 1, "easy", truth, "cavity", ChestSettings(1))


@pytest.mark.parametrize(
    ("mark", "found"),
    [
        (Mark(0, 30.0, 10.0), MarkFound(True, 0.0)),
        (Mark(0, 39.9, 19.9), MarkFound(True, 0.0)),
        (Mark(0, 59.5, 15.5), MarkFound(False, 0.2)),
        (Mark(0, 100.0, 50.0), MarkFound(False, pytest.approx(0.6769, abs=1e-3))),
    ],
)
def test_a_mark_is_inside_or_so_far_away(mark: Mark, found: MarkFound) -> None:
    read = judge(chest(), Material((gray(),), (region(),)), "abnormal", mark)
    assert read == Read("abnormal", True, None, True, found)


def test_nothing_marked_and_nothing_known() -> None:
    assert judge(chest(), Material((gray(),), (None,)), "normal", None) == Read("normal", False, None, False, None)
    assert judge(chest("normal"), Material((gray(),), (None,)), "normal", Mark(0, 1, 1)).mark is None


@pytest.mark.parametrize(("months", "right"), [(100.0, True), (112.0, True), (112.5, False), (87.9, False)])
def test_an_age_is_right_within_a_year(months: float, right: bool) -> None:
    question = Question("k", "bone_age", 1, "easy", 100.0, "", HandSettings(1, 100, "male"), "M")
    read = judge(question, Material((gray(),), (None,)), months, None)
    assert read.right is right
    assert read.error == pytest.approx(months - 100)


def test_heat_has_a_strongest_point_and_is_compared_at_a_mark() -> None:
    heat = np.zeros((10, 10), dtype=np.float32)
    heat[2, 7] = 1.0
    assert strongest_point(heat, (20, 0, 70, 50)) == Mark(0, 57.5, 12.5)
    assert strongest_point(np.zeros_like(heat), (20, 0, 70, 50)) is None
    at = hotter_than(heat, (20, 0, 70, 50), (50, 100), Mark(0, 57.5, 12.5))
    assert at is not None
    assert at > 0.95
    assert hotter_than(heat, (20, 0, 70, 50), (50, 100), Mark(0, 5.0, 12.5)) is None


def outcome(number: int, truth: str, learner: str, level: Level = "easy", *, inside: bool | None = None) -> Outcome:
    there = truth == "abnormal"
    found = None if inside is None or not there else MarkFound(inside, 0.0 if inside else 0.25)
    return Outcome(
        question=f"q{number}",
        quiz="a quiz",
        task="tuberculosis",
        number=number,
        level=level,
        truth=truth,
        region=there,
        score=0.7,
        learner=Read(learner, learner == truth, None, inside is not None, found),
        network=Read("abnormal", there, None, True, MarkFound(False, 0.1) if there else None),
        nickname="",
        weights="0" * 64,
    )


OUTCOMES = (
    outcome(1, "abnormal", "abnormal", inside=True),
    outcome(2, "abnormal", "normal"),
    outcome(3, "normal", "normal", "hard"),
    outcome(4, "normal", "abnormal", "hard", inside=False),
)


def test_the_score_counts_readings_and_marks() -> None:
    learner, network = tally(OUTCOMES, "learner"), tally(OUTCOMES, "network")
    assert (learner.right.value, learner.cases) == (0.5, 4)
    assert learner.right.low == pytest.approx(0.150, abs=1e-3)
    assert learner.inside is not None
    assert (learner.inside.value, learner.regions, learner.beside) == (0.5, 2, 1)
    assert learner.sensitivity is not None
    assert learner.specificity is not None
    assert (learner.sensitivity.value, learner.specificity.value) == (0.5, 0.5)
    assert network.sensitivity is not None
    assert network.specificity is not None
    assert (network.sensitivity.value, network.specificity.value) == (1.0, 0.0)
    assert network.beside is None


def test_the_score_is_also_by_level() -> None:
    rows = score(OUTCOMES)
    assert [row.level for row in rows] == [None, "easy", "hard"]
    assert rows[2].learner.sensitivity is None
    assert rows[2].learner.specificity is not None
    assert [row.level for row in score(OUTCOMES[:2])] == [None]


def test_ages_have_a_mean_error() -> None:
    ages = [
        replace(OUTCOMES[0], task="bone_age", truth=100.0, learner=Read(90.0, True, -10.0, False, None)),
        replace(OUTCOMES[0], task="bone_age", truth=100.0, learner=Read(130.0, False, 30.0, False, None)),
    ]
    found = tally(ages, "learner")
    assert found.error == 20.0
    assert found.sensitivity is None


def test_a_case_answered_again_counts_once() -> None:
    again = outcome(1, "abnormal", "normal")
    other = replace(again, nickname="Ada")
    assert first_answers([*OUTCOMES, again, other]) == (*OUTCOMES, other)


@pytest.mark.parametrize(
    "typed", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", "\r\n=1+1", " =1", "=1", "\u200e=1", "\x00=1", "\uff0d1"]
)
def test_a_nickname_starts_no_formula(typed: str) -> None:
    clean = clean_nickname(typed)
    assert clean.startswith("'")
    (row,) = csv.DictReader(io.StringIO(results_csv([replace(OUTCOMES[0], nickname=typed)], "note")))
    assert row["learner"] == clean


def test_a_nickname_is_short_and_one_line() -> None:
    assert clean_nickname("  Ada \n Lovelace ") == "Ada Lovelace"
    assert len(clean_nickname("x" * 500)) == MOST_LETTERS
    assert clean_nickname("") == ""


def test_results_are_a_row_a_case() -> None:
    rows = list(csv.DictReader(io.StringIO(results_csv(OUTCOMES, "Not for diagnosis."))))
    assert tuple(rows[0]) == COLUMNS
    assert [row["learner_right"] for row in rows] == ["yes", "no", "yes", "no"]
    assert [row["learner_mark_inside"] for row in rows] == ["yes", "", "", ""]
    assert rows[0]["network_point_distance_percent_of_width"] == "10.0"
    assert rows[0]["note"] == "Not for diagnosis."


def test_none_of_the_findings_is_a_reading_and_no_finding() -> None:
    assert not is_positive("nih14", NO_FINDING)
    assert is_positive("nih14", "Nodule")
