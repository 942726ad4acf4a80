"""DeLong's interval and test, against the double loop of the 1988 paper."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, norm

from cxrkit.errors import InputError
from cxrkit.metrics import auc, delong_interval, delong_test


def paper(target, *scores):
    """Areas and covariance matrix by equations 3 to 6 of the paper: every pair is compared."""
    target = np.asarray(target)
    v10, v01 = [], []
    for score in map(np.asarray, scores):
        positive, negative = score[target == 1], score[target == 0]
        psi = np.zeros((positive.size, negative.size))
        for i, x in enumerate(positive):
            for j, y in enumerate(negative):
                psi[i, j] = 1.0 if y < x else 0.5 if y == x else 0.0
        v10.append(psi.mean(axis=1))
        v01.append(psi.mean(axis=0))
    covariance = np.cov(v10) / len(v10[0]) + np.cov(v01) / len(v01[0])
    return np.mean(v10, axis=1), np.atleast_2d(covariance)


def sample(seed, size=80):
    generator = np.random.default_rng(seed)
    target = (generator.random(size) < 0.4).astype(int)
    shared = generator.normal(size=size)
    first = np.round(target + shared + generator.normal(size=size), 1)
    second = np.round(0.5 * target + shared + generator.normal(size=size), 0)
    return target, first, second


@pytest.mark.parametrize("seed", range(5))
def test_interval_is_the_papers_variance_on_the_logit_scale(seed):
    target, score, _ = sample(seed)
    (area,), covariance = paper(target, score)
    result = delong_interval(target, score, 0.9)
    half = norm.ppf(0.95) * np.sqrt(covariance[0, 0]) / (area * (1 - area))
    centre = np.log(area / (1 - area))
    assert result.value == pytest.approx(area, abs=1e-12)
    assert result.low == pytest.approx(1 / (1 + np.exp(-(centre - half))), abs=1e-10)
    assert result.high == pytest.approx(1 / (1 + np.exp(-(centre + half))), abs=1e-10)
    assert result.level == 0.9


@pytest.mark.parametrize("seed", range(5))
def test_paired_test_is_the_papers(seed):
    target, first, second = sample(seed)
    areas, covariance = paper(target, first, second)
    error = np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    z = (areas[0] - areas[1]) / error
    result = delong_test(target, first, second)
    assert (result.auc_a, result.auc_b) == pytest.approx(tuple(areas), abs=1e-12)
    assert result.z == pytest.approx(z, abs=1e-9)
    assert result.p == pytest.approx(2 * norm.sf(abs(z)), abs=1e-9)
    assert result.difference.value == pytest.approx(areas[0] - areas[1], abs=1e-12)
    assert result.difference.high - result.difference.low == pytest.approx(2 * 1.959964 * error, abs=1e-5)


def test_two_scores_worked_by_hand():
    """The paper's structural components of three positive and two negative cases.

    First score, positives 2, 4, 5 and negatives 1, 3: V10 = 1/2, 1, 1 and V01 = 1, 2/3, so the area is 5/6, S10 = 1/12,
    S01 = 1/18, and the variance S10/3 + S01/2 = 1/36 + 1/36 = 1/18.
    Second score, positives 3, 1, 5 and negatives 2, 4: V10 = 1/2, 0, 1 and V01 = 2/3, 1/3, so the area is 1/2. The
    components differ by 0, 1, 0 and 1/3, 1/3: the variance of the difference is (1/3)/3 + 0 = 1/9.
    """
    target, first, second = [1, 1, 1, 0, 0], [2, 4, 5, 1, 3], [3, 1, 5, 2, 4]
    alone, both = delong_interval(target, first), delong_test(target, first, second)
    assert alone.value == pytest.approx(5 / 6)
    half = norm.ppf(0.975) * np.sqrt(1 / 18) / (5 / 6 * 1 / 6)
    assert alone.high == pytest.approx(1 / (1 + np.exp(-np.log(5) - half)))
    assert (both.auc_b, both.difference.value, both.z) == pytest.approx((1 / 2, 1 / 3, 1.0))
    assert both.p == pytest.approx(0.3173, abs=5e-5)


# The 43 complete cases of DeLong's 49 patients with ovarian cancer: albumin, total protein, K-G score, benefit of
# surgery; as in the example "Comparing Receiver Operating Characteristic Curves" of SAS/STAT's LOGISTIC procedure.
OVARIAN = """
3.0 5.8 10 0|3.2 6.3 5 1|3.9 6.8 3 1|2.8 4.8 6 0|3.2 5.8 3 1|0.9 4.0 5 0|2.5 5.7 8 0|1.6 5.6 5 1|3.8 5.7 5 1
3.7 6.7 6 1|3.2 5.4 4 1|3.8 6.6 6 1|4.1 6.6 5 1|3.6 5.7 5 1|4.3 7.0 4 1|3.6 6.7 4 0|2.3 4.4 6 1|4.2 7.6 4 0
4.0 6.6 6 0|3.5 5.8 6 1|3.8 6.8 7 1|3.0 4.7 8 0|4.5 7.4 5 1|3.7 7.4 5 1|3.1 6.6 6 1|4.1 8.2 6 1|4.3 7.0 5 1
4.3 6.5 4 1|3.2 5.1 5 1|2.6 4.7 6 1|3.3 6.8 6 0|1.7 4.0 7 0|3.7 6.1 5 1|3.3 6.3 7 1|4.2 7.7 6 1|3.5 6.2 5 1
2.9 5.7 9 0|2.1 4.8 7 1|2.8 6.2 8 0|4.0 7.0 7 1|3.3 5.7 6 1|3.7 6.9 5 1|3.6 6.6 5 1
"""


def test_the_papers_own_patients_as_sas_has_them():
    """Areas with standard errors: albumin 0.7366 (0.0927), protein 0.6478 (0.1000), K-G 0.7258 (0.1028)."""
    cases = np.array([line.split() for line in OVARIAN.strip().replace("\n", "|").split("|")], dtype=float)
    target = cases[:, 3]
    for score, area, error in (
        (cases[:, 0], 0.7366, 0.0927),
        (cases[:, 1], 0.6478, 0.1),
        (-cases[:, 2], 0.7258, 0.1028),
    ):
        found = delong_interval(target, score)
        assert found.value == pytest.approx(area, abs=5e-5)
        # On the logit scale, where the interval is symmetrical, errors are larger by 1 / (A (1 - A)).
        half = (np.log(found.high / (1 - found.high)) - np.log(found.low / (1 - found.low))) / 2
        assert half / norm.ppf(0.975) * found.value * (1 - found.value) == pytest.approx(error, abs=5e-5)


rows = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6), st.integers(0, 6)), min_size=4, max_size=40).filter(
    lambda cases: 2 <= sum(case[0] for case in cases) <= len(cases) - 2
)


@settings(deadline=None)
@given(rows)
def test_interval_holds_the_area_stays_in_0_1_and_ignores_monotone_changes(cases):
    target, score, _ = (np.array(column) for column in zip(*cases, strict=True))
    result = delong_interval(target, score)
    assert result.value == pytest.approx(auc(target, score), abs=1e-12)
    assert 0 <= result.low <= result.value + 1e-12
    assert result.value - 1e-12 <= result.high <= 1
    assert delong_interval(target, np.exp(score) - 3) == result


@settings(deadline=None)
@given(rows)
def test_swapping_the_scores_swaps_the_sign(cases):
    target, first, second = (np.array(column) for column in zip(*cases, strict=True))
    try:
        forward = delong_test(target, first, second)
    except InputError:
        with pytest.raises(InputError, match="variance"):
            delong_test(target, second, first)
        return
    backward = delong_test(target, second, first)
    assert backward.z == pytest.approx(-forward.z)
    assert backward.p == pytest.approx(forward.p)
    assert backward.difference.low == pytest.approx(-forward.difference.high)
    assert -1 <= forward.difference.low <= forward.difference.high <= 1


def test_equal_scores_do_not_differ():
    target, score, _ = sample(0)
    result = delong_test(target, score, 2 * score + 1)
    assert (result.z, result.p) == (0.0, 1.0)
    assert (result.difference.low, result.difference.high) == (0.0, 0.0)


def test_a_difference_without_variance_cannot_be_tested():
    with pytest.raises(InputError, match="no variance"):
        delong_test([0, 0, 1, 1], [1, 2, 3, 4], [5, 5, 5, 5])


@pytest.mark.parametrize("count", [2, 10, 50])
def test_a_perfect_area_has_the_exact_binomial_lower_end(count):
    target = np.r_[np.zeros(200, int), np.ones(count, int)]
    score = np.arange(target.size)
    result = delong_interval(target, score)
    exact = binomtest(count, count).proportion_ci(0.95, method="exact")
    assert (result.value, result.high) == (1.0, 1.0)
    assert result.low == pytest.approx(exact.low)
    mirrored = delong_interval(target, -score)
    assert (mirrored.value, mirrored.low) == (0.0, 0.0)
    assert mirrored.high == pytest.approx(1 - exact.low)


def test_the_interval_covers_the_true_area_about_as_often_as_it_says():
    generator = np.random.default_rng(1)
    true_area = norm.cdf(1.5 / np.sqrt(2))
    target = np.r_[np.zeros(60, int), np.ones(40, int)]
    covered = [
        interval.low <= true_area <= interval.high
        for interval in (delong_interval(target, generator.normal(1.5 * target)) for _ in range(500))
    ]
    # 95 % of 500, plus or minus three standard errors.
    assert 0.92 <= np.mean(covered) <= 0.98


def test_the_test_rejects_a_true_null_about_as_often_as_it_says():
    generator = np.random.default_rng(2)
    target = np.r_[np.zeros(60, int), np.ones(60, int)]
    rejected = []
    for _ in range(400):
        shared = generator.normal(target)
        pair = (shared + generator.normal(size=target.size) for _ in range(2))
        rejected.append(delong_test(target, *pair).p < 0.05)
    assert 0.015 <= np.mean(rejected) <= 0.09


def test_too_few_cases_and_a_strange_level_are_refused():
    with pytest.raises(InputError, match="at least 2 of each"):
        delong_interval([0, 0, 1], [1, 2, 3])
    with pytest.raises(InputError, match="at least 2 of each"):
        delong_test([0, 1, 1], [1, 2, 3], [1, 2, 3])
    with pytest.raises(InputError, match="level"):
        delong_interval([0, 0, 1, 1], [1, 2, 3, 4], level=95)
