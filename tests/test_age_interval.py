"""Conformal intervals: the rank by hand, coverage on drawn cases, groups, cards, refusals."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from cxrkit.age_interval import IntervalRule, conformal_quantile, fit_interval, interval_coverage
from cxrkit.errors import InputError, WeightsError
from cxrkit.metrics import wilson_interval


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_the_rank_by_hand() -> None:
    assert conformal_quantile(range(1, 10), 0.9) == 9  # ceil(10 * 0.9) = 9th of 9
    assert conformal_quantile(range(1, 20), 0.9) == 18  # ceil(20 * 0.9) = 18th of 19
    assert conformal_quantile(range(1, 22), 0.9) == 20  # ceil(22 * 0.9 = 19.8) = 20th of 21
    assert conformal_quantile([5, 1, 3], 0.5) == 3  # ceil(4 * 0.5) = 2nd of 3
    # (n + 1) * coverage is a whole number that floating point misses from above: 0.07 * 100 > 7.
    assert conformal_quantile(range(1, 100), 0.07) == 7
    with pytest.raises(InputError, match="at least 9"):
        conformal_quantile(range(8), 0.9)


@pytest.mark.parametrize("count", range(9, 200, 13))
def test_one_more_case_is_covered_with_at_least_the_chance(count: int) -> None:
    """Of n + 1 exchangeable cases each is the new one with the same chance; so count over which one it is."""
    values = np.random.default_rng(count).exponential(size=count + 1)
    held = [values[i] <= conformal_quantile(np.delete(values, i), 0.9) for i in range(count + 1)]
    assert 0.9 <= np.mean(held) < 0.9 + 1 / (count + 1)


def test_plain_intervals(rng: np.random.Generator) -> None:
    truth = rng.uniform(0, 228, 600)
    predicted = truth + rng.normal(0, 8, 600)
    rule = fit_interval(truth, predicted)
    half = sorted(abs(truth - predicted))[541 - 1]  # ceil(601 * 0.9) = 541
    assert rule == IntervalRule(0.9, False, (), (half,), (600,))
    low, high = rule.ends([100.0, 3.0, 226.0])
    np.testing.assert_allclose(low, [100 - half, 0, 226 - half])
    np.testing.assert_allclose(high, [100 + half, 3 + half, 228])


def test_coverage_on_new_cases(rng: np.random.Generator) -> None:
    truth = rng.uniform(0, 228, 30_000)
    spread = rng.uniform(2, 20, truth.size)
    predicted = truth + rng.normal(size=truth.size) * spread
    fitted, new = slice(0, 3000), slice(3000, None)
    plain = fit_interval(truth[fitted], predicted[fitted])
    scaled = fit_interval(truth[fitted], predicted[fitted], spread[fitted])
    narrow = spread[new] < 5
    shares = {}
    for rule in (plain, scaled):
        low, high = rule.ends(predicted[new], spread[new])
        assert interval_coverage(truth[new], low, high).value == pytest.approx(0.9, abs=0.015)
        shares[rule.scaled] = np.mean((high - low)[narrow])
    assert shares[True] < shares[False] / 2


def test_groups_hold_the_coverage_that_one_rule_for_all_misses(rng: np.random.Generator) -> None:
    truth = rng.uniform(0, 228, 20_000)
    predicted = np.clip(truth + rng.normal(size=truth.size) * np.where(truth < 100, 3, 15), 0, 228)
    fitted, new = slice(0, 4000), slice(4000, None)
    edges = (60.0, 150.0)
    one = fit_interval(truth[fitted], predicted[fitted])
    grouped = fit_interval(truth[fitted], predicted[fitted], edges=edges)
    assert sum(grouped.counts) == 4000
    old, young = predicted[new] >= 150, predicted[new] < 60

    def share(rule: IntervalRule, chosen: np.ndarray) -> float:
        low, high = rule.ends(predicted[new][chosen])
        return interval_coverage(truth[new][chosen], low, high).value

    assert share(one, young) > 0.97
    assert share(one, old) < 0.87
    assert share(grouped, young) == pytest.approx(0.9, abs=0.02)
    assert share(grouped, old) == pytest.approx(0.9, abs=0.02)


def test_a_small_group_takes_the_factor_of_all() -> None:
    predicted = np.array([10.0] * 20 + [60.0] * 5 + [100.0] * 20)
    truth = predicted + np.array([*np.arange(20), *[50.0] * 5, *np.arange(20) / 10])
    rule = fit_interval(truth, predicted, edges=(60.0, 100.0), least=20)
    overall = conformal_quantile(abs(truth - predicted), 0.9)
    assert rule.counts == (20, 5, 20)
    assert rule.factors == pytest.approx((18, overall, 1.8))
    np.testing.assert_allclose(
        rule.ends([59.9, 60.0, 100.0])[1], [59.9 + 18, 60 + overall, 101.8]
    )  # an age on an edge belongs to the older group


def test_a_scaled_interval_never_has_no_width() -> None:
    rule = IntervalRule(0.9, True, (), (2.0,), (50,))
    low, high = rule.ends([100.0, 100.0], [0.0, 4.0])
    np.testing.assert_allclose(high - low, [12, 28])
    with pytest.raises(InputError, match="spread"):
        rule.ends([100.0])
    with pytest.raises(InputError, match="negative"):
        rule.ends([100.0], [-1.0])


def test_a_rule_comes_back_from_the_card(rng: np.random.Generator) -> None:
    truth = rng.uniform(0, 228, 400)
    rule = fit_interval(truth, truth + rng.normal(size=400), rng.uniform(1, 5, 400), edges=(60.0, 120.0))
    assert IntervalRule.from_card(json.loads(json.dumps(asdict(rule)))) == rule


@pytest.mark.parametrize(
    "change",
    [
        {"coverage": 1.5},
        {"coverage": "high"},
        {"scaled": "no"},
        {"edges": [10]},
        {"edges": [20, 10], "factors": [1, 1, 1], "counts": [1, 1, 1]},
        {"edges": [float("nan")], "factors": [1, 1], "counts": [1, 1]},
        {"factors": [-1]},
        {"factors": [float("inf")]},
        {"factors": None},
        {"counts": []},
    ],
)
def test_a_damaged_rule_is_refused(change: dict[str, object]) -> None:
    good = asdict(IntervalRule(0.9, False, (), (12.0,), (500,)))
    assert IntervalRule.from_card(good).factors == (12.0,)
    with pytest.raises(WeightsError, match="damaged"):
        IntervalRule.from_card(good | change)
    with pytest.raises(WeightsError, match="damaged"):
        IntervalRule.from_card({key: value for key, value in good.items() if key not in change})


def test_bad_calibration_cases_are_refused() -> None:
    ages = np.arange(20.0)
    with pytest.raises(InputError, match="20 reference ages and 19 predicted ages"):
        fit_interval(ages, ages[1:])
    with pytest.raises(InputError, match="not numbers"):
        fit_interval(ages, np.where(ages == 3, np.nan, ages))
    with pytest.raises(InputError, match="too few"):
        fit_interval(ages[:8], ages[:8])
    with pytest.raises(InputError, match="rise"):
        fit_interval(ages, ages, edges=(50.0, 50.0))
    with pytest.raises(InputError, match="level"):
        fit_interval(ages, ages, coverage=1.0)
    with pytest.raises(InputError, match="20 predicted ages and 3 spreads"):
        fit_interval(ages, ages, [1.0, 2.0, 3.0])


def test_coverage_counts_both_ends() -> None:
    found = interval_coverage([10, 20, 30, 40], [10, 21, 25, 0], [12, 25, 30, 39])
    assert found == wilson_interval(2, 4)
    with pytest.raises(InputError, match="4 reference ages and 3 lower ends"):
        interval_coverage([1, 2, 3, 4], [1, 2, 3], [1, 2, 3, 4])
    with pytest.raises(InputError, match="no case"):
        interval_coverage([], [], [])
