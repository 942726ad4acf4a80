"""What is said of a child's age, against values worked by hand."""

import numpy as np
import pytest

from cxrkit.age_interval import IntervalRule
from cxrkit.age_reading import read_age
from cxrkit.bone_age import SdScore
from cxrkit.checks import Floats

RULE = IntervalRule(0.9, True, (60.0,), (1.0, 2.0), (120, 240))
GIRL = {"F": 0.97, "M": 0.03}


def at(*months: int) -> Floats:
    """Equal probability on these ages."""
    probabilities = np.zeros(77)
    probabilities[[month // 3 for month in months]] = 1 / len(months)
    return probabilities


def test_the_age_its_interval_and_its_sd_score() -> None:
    found = read_age(at(114, 126), GIRL, {"sex": "F", "age_months": 96.0}, RULE, 0.99)
    assert (found.expected, found.likeliest, found.spread) == (pytest.approx(120), 114, pytest.approx(6))
    assert found.interval == pytest.approx((120 - 2 * 9, 120 + 2 * 9))
    assert found.coverage == 0.9
    assert found.sd is not None
    assert found.sd.score == SdScore(pytest.approx(24 / 10.23), "advanced", 10.23, 96)
    assert (found.sex, found.female, found.age) == ("F", 0.97, 96.0)
    assert sum(found.probabilities) == pytest.approx(1)
    assert found.warnings == ()


def test_a_child_below_the_edge_has_the_factor_of_its_group() -> None:
    found = read_age(at(24), GIRL, {"sex": "F"}, RULE)
    assert found.interval == (21, 27)
    assert found.sd is None


def test_without_a_rule_there_is_no_interval() -> None:
    found = read_age(at(24), None, {})
    assert (found.interval, found.coverage, found.female, found.sex, found.warnings) == (None, None, None, None, ())


def test_an_unstated_sex_is_said_and_leaves_no_sd_score() -> None:
    found = read_age(at(120), GIRL, {"sex": None, "age_months": 120.0}, RULE, 0.9)
    assert found.sd is not None
    assert found.sd.score is None
    assert found.sd.reason
    (warning,) = found.warnings
    assert "girl 97 %" in warning
    assert "boy 3 %" in warning


@pytest.mark.parametrize(
    ("sex", "limit", "said"), [("M", 0.97, True), ("M", 0.98, False), ("F", 0.5, False), ("M", None, False)]
)
def test_a_contradicted_sex_is_said_from_the_cards_confidence_on(sex: str, limit: float | None, said: bool) -> None:
    found = read_age(at(120), GIRL, {"sex": sex}, RULE, limit)
    assert bool(found.warnings) == said
    if said:
        assert "A boy was stated" in found.warnings[0]
        assert "girl's (probability 97 %)" in found.warnings[0]


def test_adult_hands_are_flagged() -> None:
    found = read_age(at(216), GIRL, {"sex": "F", "age_months": 240.0}, RULE)
    assert len(found.warnings) == 2
    assert "adult range" in found.warnings[0]
