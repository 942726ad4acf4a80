"""AUC, ROC curve and thresholds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from sklearn.metrics import roc_curve as sklearn_curve

from cxrkit.errors import InputError
from cxrkit.metrics import auc, roc_curve, threshold_for_sensitivity, youden_threshold

# Few distinct scores, so that ties within and between the classes are the rule.
labelled = st.lists(
    st.tuples(st.integers(0, 1), st.integers(-8, 8).map(lambda value: value / 8)), min_size=2, max_size=60
).filter(lambda rows: len({label for label, _ in rows}) == 2)


def arrays(rows):
    target, score = zip(*rows, strict=True)
    return np.array(target), np.array(score)


def sample(seed, size=200, ties=True):
    generator = np.random.default_rng(seed)
    target = generator.integers(0, 2, size)
    score = generator.normal(target, 1.0)
    return target, np.round(score, 1) if ties else score


@settings(deadline=None)
@given(labelled)
def test_auc_is_the_share_of_pairs_won_with_ties_half(rows):
    target, score = arrays(rows)
    gap = score[target == 1][:, None] - score[target == 0][None, :]
    assert auc(target, score) == pytest.approx(np.mean((gap > 0) + 0.5 * (gap == 0)), abs=1e-12)
    assert auc(target, score) == pytest.approx(roc_auc_score(target, score), abs=1e-12)


@settings(deadline=None)
@given(labelled)
def test_a_monotone_transformation_changes_nothing_and_a_reversal_mirrors(rows):
    target, score = arrays(rows)
    assert auc(target, np.exp(3 * score) + 5) == auc(target, score)
    assert auc(target, -score) == pytest.approx(1 - auc(target, score), abs=1e-12)
    assert auc(1 - target, -score) == auc(target, score)


def test_perfect_reversed_and_constant_scores():
    target = [0, 0, 1, 1]
    assert auc(target, [1, 2, 3, 4]) == 1.0
    assert auc(target, [4, 3, 2, 1]) == 0.0
    assert auc(target, [7, 7, 7, 7]) == 0.5


@pytest.mark.parametrize("seed", range(3))
def test_curve_is_the_one_of_scikit_learn(seed):
    target, score = sample(seed)
    curve = roc_curve(target, score)
    false, true, threshold = sklearn_curve(target, score, drop_intermediate=False)
    np.testing.assert_allclose(curve.false_positive_rate, false)
    np.testing.assert_allclose(curve.true_positive_rate, true)
    np.testing.assert_array_equal(curve.threshold, threshold)
    area = np.trapezoid(curve.true_positive_rate, curve.false_positive_rate)
    assert area == pytest.approx(auc(target, score))


@settings(deadline=None)
@given(labelled, st.floats(0.01, 1.0))
def test_threshold_reaches_the_sensitivity_and_the_next_higher_one_does_not(rows, wanted):
    target, score = arrays(rows)
    threshold = threshold_for_sensitivity(target, score, wanted)
    assert np.mean(score[target == 1] >= threshold) >= wanted - 1e-12
    higher = score[score >= threshold].min()
    assert np.mean(score[target == 1] > higher) < wanted


def test_nine_of_ten_is_a_sensitivity_of_0_9():
    score = np.arange(20) / 20
    target = np.r_[np.zeros(10, int), np.ones(10, int)]
    threshold = threshold_for_sensitivity(target, score, 0.9)
    assert (score[10:] >= threshold).sum() == 9
    assert threshold == pytest.approx((score[10] + score[11]) / 2)


@settings(deadline=None)
@given(labelled)
def test_youden_is_the_best_of_all_thresholds_and_is_finite(rows):
    target, score = arrays(rows)

    def height(threshold):
        return np.mean(score[target == 1] >= threshold) - np.mean(score[target == 0] >= threshold)

    threshold = youden_threshold(target, score)
    assert np.isfinite(threshold)
    assert height(threshold) == pytest.approx(max(height(value) for value in score), abs=1e-9)


def test_threshold_between_neighbouring_floats_keeps_them_apart():
    low = 0.5
    high = np.nextafter(low, 1.0)
    threshold = youden_threshold([0, 1], [low, high])
    assert low < threshold <= high


@pytest.mark.parametrize("metric", [auc, roc_curve, youden_threshold])
@pytest.mark.parametrize(
    ("target", "score", "sentence"),
    [
        ([], [], "no case"),
        ([1, 1], [0.1, 0.2], "2 positive and 0 negative"),
        ([0, 0], [0.1, 0.2], "0 positive and 2 negative"),
        ([0, 1], [0.1], "2 targets and 1 scores"),
        ([0, 1], [0.1, np.nan], "not numbers"),
        ([0, 2], [0.1, 0.2], "0 .negative. or 1 .positive."),
        ([[0, 1]], [[0.1, 0.2]], "dimensions"),
    ],
)
def test_what_is_undefined_is_a_sentence(metric, target, score, sentence):
    with pytest.raises(InputError, match=sentence):
        metric(target, score)


@pytest.mark.parametrize("wanted", [0, -0.1, 1.1, np.nan])
def test_impossible_sensitivity_is_refused(wanted):
    with pytest.raises(InputError, match="sensitivity"):
        threshold_for_sensitivity([0, 1], [0, 1], wanted)
