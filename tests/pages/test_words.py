"""Numbers and lists in words."""

import pytest

from cxrkit.bone_age import SdScore
from cxrkit.metrics import Interval
from cxrkit.task import ModelInput
from pages.ui.words import (
    edits_in_words,
    listed,
    megabytes,
    movement,
    percent,
    percent_interval,
    place,
    points,
    sd_in_words,
    share,
    signed,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.834, "0.83"),
        (0.5, "0.50"),
        (0.004, "0.004"),
        (0.0148, "0.015"),
        (0.0704, "0.070"),
        (0.0671, "0.067"),
        (0.09999999999999998, "0.10"),
        (0.99, "0.99"),
        (0.996, "0.996"),
    ],
)
def test_share_keeps_small_and_large_scores_apart(value: float, text: str) -> None:
    assert share(value) == text


def test_place_never_calls_two_equal_numbers_different() -> None:
    assert place(0.83, 0.5) == "above the threshold 0.50"
    assert place(0.5, 0.5) == "at the threshold 0.50"
    assert place(0.5001, 0.5023) == "below the threshold 0.5023"


def test_movement_is_signed_and_in_points() -> None:
    assert movement(0.71, 0.83) == "The edits move the score by +12.0 points, from 0.71 to 0.83."
    assert movement(0.83, 0.71).startswith("The edits move the score by −12.0 points")
    assert "do not move" in movement(0.5, 0.5004)
    assert points(-0.001) == "−0.1 points"
    assert [signed(value) for value in (2.36, -0.31, -0.04)] == ["+2.4", "−0.3", "+0.0"]


def test_edits_name_only_what_differs() -> None:
    assert edits_in_words(ModelInput()) == "none"
    edits = ModelInput(crop=(1, 2, 30, 40), brightness=-0.1, contrast=1.5, sharpness=0.4, size=256)
    assert edits_in_words(edits) == "crop 1, 2, 30, 40; brightness −0.10; contrast 1.50; sharpness +0.4; size 256"
    assert edits_in_words(ModelInput(turn=3, swap=True)) == "turned by 270° clockwise; black and white swapped"
    assert edits_in_words(ModelInput(turn=0, swap=False)) == "not turned; black and white not swapped"


def test_lists_and_sizes() -> None:
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed(["a"]) == "a"
    assert listed([]) == ""
    assert megabytes(5) == "1 kB"
    assert megabytes(3 * 1024**2) == "3.0 MB"


@pytest.mark.parametrize(
    ("value", "text"), [(0.634, "63\u00a0%"), (0.996, "99.6\u00a0%"), (0.0, "0\u00a0%"), (1.0, "100\u00a0%")]
)
def test_percent_keeps_almost_all_apart_from_all(value: float, text: str) -> None:
    assert percent(value) == text


def test_interval_has_as_many_decimals_as_it_needs() -> None:
    assert percent_interval(Interval(0.789, 0.750, 0.824)) == "78.9\u00a0% (75.0 to 82.4)"
    assert percent_interval(Interval(0.9993, 0.9987, 0.99971)) == "99.93\u00a0% (99.87 to 99.97)"
    assert percent_interval(Interval(0.01018, 0.01011, 0.01024)) == "1.02\u00a0% (1.01 to 1.02)"
    assert percent_interval(Interval(1.0, 0.993, 1.0)) == "100.0\u00a0% (99.3 to 100.0)"
    assert percent_interval(Interval(0.789, 0.750, 0.824), ends=False) == "78.9\u00a0%"


@pytest.mark.parametrize(
    ("value", "text"),
    [(2.44, "+2.4"), (2.03, "+2.03"), (-2.004, "−2.004"), (1.96, "+2.0"), (-0.04, "+0.0"), (2.0, "+2.0")],
)
def test_an_sd_score_is_on_its_verdicts_side_of_two(value: float, text: str) -> None:
    assert sd_in_words(SdScore(value, "normal", 10.0, 96)) == text
