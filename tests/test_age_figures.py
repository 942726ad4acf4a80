"""Figures of predicted ages against plain arithmetic."""

import numpy as np
import pytest

from cxrkit.age_figures import JudgedAge, age_figures, age_groups
from cxrkit.age_interval import COVERED_UNSTATED, IntervalRule
from cxrkit.age_reading import read_age
from cxrkit.figures import work_out

RULE = IntervalRule(0.9, False, (), (9.0,), (100,))


def judged(
    truth: float, said: int, sex: str | None = "F", owner: str = "", rule: IntervalRule | None = RULE
) -> JudgedAge:
    probabilities = np.eye(77)[said // 3]
    return JudgedAge(truth, read_age(probabilities, None, {"sex": sex}, rule), owner or f"{truth} {said} {sex}")


HANDS = [judged(30, 36), judged(50, 60, "M"), judged(100, 96), judged(150, 150, "M"), judged(200, 180, None)]


def test_distances_bias_and_coverage() -> None:
    defined, undefined = work_out(age_figures(HANDS), "part")
    found = {metric.name: metric for metric in defined}
    assert found["MAD by expectation, months"].value == pytest.approx((6 + 10 + 4 + 0 + 20) / 5)
    assert found["MAD by arg-max, months"].value == pytest.approx(8)
    assert found["bias, months"].value == pytest.approx((6 + 10 - 4 + 0 - 20) / 5)
    assert found["MAD by expectation, girls, months"].value == pytest.approx(5)
    assert found["MAD by expectation, boys, months"].value == pytest.approx(5)
    assert found["coverage of the 90% interval"].value == pytest.approx(3 / 4), "where the sex is stated"
    assert found[COVERED_UNSTATED].value == 0
    assert found["mean width of the 90% interval, months"].value == pytest.approx(18)
    of_one = ("sex not stated", *age_groups())
    assert [figure.name for figure in undefined] == [f"MAD by expectation, {name}, months" for name in of_one]
    for metric in defined:
        assert metric.part == "part"
        assert metric.low is not None
        assert metric.high is not None
        assert metric.low <= metric.value <= metric.high
    assert found["MAD by expectation, girls, months"].cases == 2


def test_an_age_on_an_edge_belongs_to_the_older_group() -> None:
    assert len(age_groups()) == 5
    names = [figure.name for figure in age_figures([judged(48, 60), judged(47.9, 60)])]
    assert "MAD by expectation, under 4 years, months" in names
    assert "MAD by expectation, 4 to under 8 years, months" in names
    assert not any("15 years" in name for name in names)


def test_hands_of_one_owner_are_resampled_together() -> None:
    said_ages = [said for said in (90, 96, 108, 120) for _ in range(5)]
    apart = [judged(100, said, owner=f"{index}") for index, said in enumerate(said_ages)]
    together = [judged(100, said, owner=f"{said}") for said in said_ages]
    widths = []
    for hands in (apart, together):
        found = {metric.name: metric for metric in work_out(age_figures(hands), "part")[0]}
        mad, bias = found["MAD by expectation, months"], found["bias, months"]
        assert mad.value == pytest.approx((10 + 4 + 8 + 20) / 4)
        assert bias.value == pytest.approx((-10 - 4 + 8 + 20) / 4)
        widths.append([float(one.high) - float(one.low) for one in (mad, bias) if one.high and one.low])
    assert widths[1][0] > 1.5 * widths[0][0]
    assert widths[1][1] > 1.5 * widths[0][1]


def test_figures_that_no_case_can_give_have_a_reason() -> None:
    defined, undefined = work_out(age_figures([]), "part")
    assert defined == ()
    assert [figure.name for figure in undefined] == [
        "MAD by expectation, months",
        "MAD by arg-max, months",
        "bias, months",
    ]
    assert all(figure.reason for figure in undefined)


def test_without_a_rule_there_is_no_coverage() -> None:
    names = [figure.name for figure in age_figures([judged(48, 60, rule=None)])]
    assert not any("interval" in name for name in names)
