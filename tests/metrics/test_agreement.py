"""Agreement of two measurements."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from cxrkit.errors import InputError
from cxrkit.metrics import bland_altman, mean_absolute_difference


def test_limits_by_hand_and_bias_as_scipys():
    generator = np.random.default_rng(0)
    a, b = generator.normal(100, 10, 60), generator.normal(98, 10, 60)
    result = bland_altman(a, b)
    difference = a - b
    spread = difference.std(ddof=1)
    assert result.count == 60
    assert result.standard_deviation == pytest.approx(spread)
    assert result.bias.value == pytest.approx(difference.mean())
    ends = ttest_1samp(difference, 0).confidence_interval(0.95)
    assert (result.bias.low, result.bias.high) == pytest.approx((ends.low, ends.high))
    assert result.upper.value == pytest.approx(difference.mean() + 1.959964 * spread, abs=1e-5)
    assert result.lower.value == pytest.approx(difference.mean() - 1.959964 * spread, abs=1e-5)


def test_a_limits_interval_covers_the_true_limit_about_as_often_as_it_says():
    generator = np.random.default_rng(1)
    covered = []
    for _ in range(600):
        result = bland_altman(generator.normal(1.0, 2.0, 40), np.zeros(40))
        covered.append(result.upper.low <= 1.0 + 1.959964 * 2.0 <= result.upper.high)
    assert 0.92 <= np.mean(covered) <= 0.98


def test_swapping_the_measurements_mirrors():
    a, b = np.array([1.0, 4, 2, 8]), np.array([2.0, 3, 2, 5])
    one, two = bland_altman(a, b), bland_altman(b, a)
    assert one.bias.value == -two.bias.value
    assert one.upper.high == pytest.approx(-two.lower.low)


def test_mean_absolute_difference():
    result = mean_absolute_difference([10, 20, 30, 40], [12, 19, 33, 40])
    assert result.value == pytest.approx(1.5)
    assert 0 <= result.low < 1.5 < result.high <= 3
    assert result == mean_absolute_difference([12, 19, 33, 40], [10, 20, 30, 40])


@pytest.mark.parametrize("metric", [bland_altman, mean_absolute_difference])
@pytest.mark.parametrize(
    ("a", "b", "sentence"),
    [
        ([], [], "no case"),
        ([1, 2], [1], "2 first measurements and 1 second"),
        ([1, np.nan], [1, 2], "not numbers"),
        ([1, np.inf], [1, np.inf], "infinite"),
    ],
)
def test_what_is_undefined_is_a_sentence(metric, a, b, sentence):
    with pytest.raises(InputError, match=sentence):
        metric(a, b)


def test_one_pair_has_no_limits():
    with pytest.raises(InputError, match="at least two"):
        bland_altman([1], [2])


def test_cases_of_one_group_are_resampled_together() -> None:
    first, second = np.array([1.0, 1.0, 5.0, 5.0]), np.zeros(4)
    alone = mean_absolute_difference(first, second)
    same = mean_absolute_difference(first, second, groups=["a", "b", "c", "d"])
    pairs = mean_absolute_difference(first, second, groups=["a", "a", "b", "b"])
    assert same == alone
    assert pairs.value == alone.value == pytest.approx(3)
    assert (pairs.low, pairs.high) == (1, 5)
    with pytest.raises(InputError, match="groups"):
        mean_absolute_difference(first, second, groups=["a"])


def test_one_case_or_one_group_has_no_interval() -> None:
    with pytest.raises(InputError, match="at least two cases"):
        mean_absolute_difference([3], [1], groups=["a"])
    for metric in (mean_absolute_difference, bland_altman):
        with pytest.raises(InputError, match="at least two patients"):
            metric([3, 4, 5], [1, 1, 2], groups=["a", "a", "a"])


def test_limits_of_groups_are_a_bootstrap_of_groups() -> None:
    generator = np.random.default_rng(3)
    of_group = generator.normal(2, 6, 300)
    groups = np.repeat(np.arange(300), 3)
    # Every case three times: nothing more is known than of the 300 cases, though there are 900.
    alone, copied = bland_altman(of_group, np.zeros(300)), bland_altman(of_group[groups], np.zeros(900), groups=groups)
    for name in ("bias", "lower", "upper"):
        one, other = getattr(alone, name), getattr(copied, name)
        assert other.value == pytest.approx(one.value, abs=0.05)
        assert (other.low, other.high) == pytest.approx((one.low, one.high), abs=0.35)
    assert bland_altman(of_group, np.zeros(300), groups=np.arange(300)) == alone
    naive = bland_altman(of_group[groups], np.zeros(900)).bias
    assert copied.bias.high - copied.bias.low > 1.5 * (naive.high - naive.low)
    far = bland_altman(of_group[groups] + 1e9, np.full(900, 1e9), groups=groups)
    assert far.upper.high == pytest.approx(copied.upper.high, abs=1e-4), "no digits are lost in squares"
