"""What is said of a pair, on answers made up here: the reading, the direction and the three checks."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cxrkit.card import Metric
from cxrkit.image import Radiograph
from cxrkit.predict import Prediction
from cxrkit.registration import LARGEST_RESIDUAL, Registration
from cxrkit.tasks.followup import FOLLOW_UP as TASK
from pages.ui.pair_checks import (
    ANOTHER,
    HARDLY_COMPARABLE,
    MATCHING_TABLE,
    SAME,
    matching_warning,
    order_warning,
    registration_warning,
    warnings_of_checks,
)
from pages.ui.pair_results import direction_in_words, of_these, reading_in_words
from pages.ui.visits import Visit
from tests.models_for_tests import small_card

CARD = replace(
    small_card(TASK),
    thresholds={"change": 0.5, "abnormal": 0.4},
    tables={MATCHING_TABLE: [{"stage": stage, "low": 0.6, "high": 0.9} for stage in (1, 2)]},
)
FITS = Registration(
    matrix=np.eye(2, 3),
    shift_share=(0.0, 0.0),
    rotation_degrees=0.0,
    scale=1.0,
    residual=0.2,
    overlap=0.9,
    round_trip=0.0,
    converged=True,
)


def answer(change: float, before: float = 0.1, after: float = 0.1, **more: Any) -> Prediction:
    further = {"baseline": {"abnormal": before}, "follow-up": {"abnormal": after}} | more.pop("further", {})
    label = "change" if change >= 0.5 else "no change"
    return Prediction({"no change": 1 - change, "change": change}, 0.5, label, (), further, **more)


def reading(prediction: Prediction, swapped: float | None = None) -> Any:
    back = prediction.scores["change"] if swapped is None else swapped
    return SimpleNamespace(prediction=prediction, swapped=answer(back))


def visits(*names: str) -> Any:
    image = Radiograph(np.zeros((8, 8), np.float32), None, None, "0" * 64, None, {}, ())
    return tuple(Visit(name, image, None) for name in names)


PAIR = visits("Baseline", "Follow-up")


@pytest.mark.parametrize(
    ("change", "before", "after", "words"),
    [
        (0.2, 0.1, 0.1, "Both images read as normal, **without change**."),
        (0.9, 0.1, 0.1, "Both images read as normal, **with change** between them."),
        (0.2, 0.8, 0.8, "Both images read as abnormal, **without change**."),
        (0.9, 0.8, 0.4, "Both images read as abnormal, **with change** between them."),
        (0.9, 0.1, 0.8, "Baseline reads as normal, follow-up as abnormal: **change**."),
        (0.9, 0.8, 0.1, "Baseline reads as abnormal, follow-up as normal: **change**."),
        (0.2, 0.8, 0.39, "yet **no change** is called: the two answers contradict each other"),
    ],
)
def test_the_four_classes_in_words(change: float, before: float, after: float, words: str) -> None:
    assert words in reading_in_words(CARD, reading(answer(change, before, after)), PAIR)


def test_the_reading_names_the_images_of_a_timeline() -> None:
    said = reading_in_words(CARD, reading(answer(0.9, 0.1, 0.8)), visits("Image 2", "Image 3"))
    assert said == "Image 2 reads as normal, image 3 as abnormal: **change**."
    renamed = of_these("Baseline and follow-up are alike.", visits("Image 2", "Image 3"))
    assert renamed == "Image 2 and image 3 are alike."


@pytest.mark.parametrize(
    ("change", "more", "words"),
    [
        (0.9, 0.8, "Direction: **more abnormality** at follow-up (score 0.80)."),
        (0.9, 0.3, "Direction: **less abnormality** at follow-up (score 0.70)."),
        (0.9, None, "is not given: by its card"),
        (0.2, 0.8, "A direction is not given, because no change is called."),
    ],
)
def test_the_direction_in_words(change: float, more: float | None, words: str) -> None:
    further = {} if more is None else {"direction": {"less": 1 - more, "more": more}}
    said = direction_in_words(TASK, reading(answer(change, further=further)))
    assert words in said


@pytest.mark.parametrize(
    ("there", "back", "words"),
    [
        (0.9, 0.85, ""),
        (0.55, 0.45, "the label turns into “no change”"),
        (0.9, 0.75, "moves the score by more than 10 points"),
        (0.75, 0.9, "moves the score by more than 10 points"),
    ],
)
def test_an_answer_that_depends_on_the_order_is_doubted(there: float, back: float, words: str) -> None:
    said = order_warning(TASK, reading(answer(there), back))
    assert words in said
    assert bool(said) == bool(words)


def test_two_that_match_less_than_usual_may_not_be_comparable() -> None:
    assert matching_warning(CARD, reading(answer(0.9, matching=(0.6, 0.95)))) == "", "too alike is not odd"
    said = matching_warning(CARD, reading(answer(0.9, matching=(0.7, 0.59))))
    assert said.startswith("These two may not be comparable: they match less than usual in stage 2.")
    both = matching_warning(CARD, reading(answer(0.9, matching=(0.1, 0.1))))
    assert "in stages 1 and 2." in both
    assert matching_warning(replace(CARD, tables={}), reading(answer(0.9, matching=(0.1, 0.1)))) == "", "not measured"
    assert matching_warning(CARD, reading(answer(0.9))) == "", "a network without matching"


def test_how_often_others_match_as_little_is_the_cards() -> None:
    told = {SAME: 0.05, ANOTHER: 0.3}
    metrics = [Metric(HARDLY_COMPARABLE, part, value, None, None, 50, "") for part, value in told.items()]
    known = replace(CARD, metrics=tuple(metrics))
    said = matching_warning(known, reading(answer(0.9, matching=(0.1, 0.9))))
    assert "So do 5" in said
    assert "and 30" in said


def test_what_does_not_fit_is_said_with_what_its_residual_means() -> None:
    assert registration_warning(FITS) == ""
    said = registration_warning(replace(FITS, converged=False, residual=0.81))
    assert "residual 0.81" in said
    assert f"above {LARGEST_RESIDUAL:.2f} nothing is said to fit" in said


def test_all_that_the_checks_say_is_taken_away() -> None:
    doubtful = reading(answer(0.55, matching=(0.1, 0.9)), 0.45)
    found = warnings_of_checks(TASK, CARD, doubtful, replace(FITS, converged=False))
    assert len(found) == 3
    assert warnings_of_checks(TASK, CARD, reading(answer(0.9, matching=(0.7, 0.7))), FITS) == []
