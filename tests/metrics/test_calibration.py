"""Calibration, against scikit-learn and known answers."""

import numpy as np
import pytest
from scipy.special import expit, log_softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

from cxrkit.errors import InputError
from cxrkit.metrics import (
    brier,
    calibration_slope_intercept,
    expected_calibration_error,
    fit_temperature,
    reliability_bins,
)


def sample(slope=1.0, intercept=0.0, size=4000, seed=0):
    """Predictions whose logits have to be multiplied by `slope` and moved by `intercept` to be true."""
    generator = np.random.default_rng(seed)
    linear = generator.normal(-0.5, 1.5, size)
    target = (generator.random(size) < expit(intercept + slope * linear)).astype(int)
    return target, expit(linear)


def test_bins_by_hand():
    first, last = reliability_bins([0, 1, 1, 0], [0.05, 0.15, 0.9, 1.0], bins=2)
    assert (first.low, first.high, first.count) == (0, 0.5, 2)
    assert (last.low, last.high, last.count) == (0.5, 1, 2)
    assert first.mean_probability == pytest.approx(0.1)
    assert (first.positive_share.value, last.positive_share.value) == (0.5, 0.5)
    assert last.mean_probability == pytest.approx(0.95)
    error = expected_calibration_error([0, 1, 1, 0], [0.05, 0.15, 0.9, 1.0], bins=2)
    assert error == pytest.approx((0.4 + 0.45) / 2)


def test_a_probability_on_an_edge_belongs_to_the_bin_above():
    assert [(row.low, row.count) for row in reliability_bins([0, 1], [0.5, 0.2], bins=2)] == [(0, 1), (0.5, 1)]


def test_bins_of_equal_count():
    target, probability = sample(size=1000)
    assert {row.count for row in reliability_bins(target, probability, 10, "count")} == {100}
    tied = reliability_bins([0, 1, 1, 1], [0.3, 0.3, 0.3, 0.9], 4, "count")
    assert sum(row.count for row in tied) == 4


def test_true_probabilities_have_little_error_and_exaggerated_ones_have_more():
    target, probability = sample()
    exaggerated = expit(3 * np.log(probability / (1 - probability)))
    assert expected_calibration_error(target, probability) < 0.03
    assert expected_calibration_error(target, exaggerated) > 0.1


def test_brier_is_scikit_learns():
    target, probability = sample()
    assert brier(target, probability) == pytest.approx(brier_score_loss(target, probability))
    assert brier([1, 1], [0.5, 0.5]) == 0.25


@pytest.mark.parametrize("factor", [0.3, 1.0, 4.0])
def test_temperature_undoes_a_scaling_of_the_logits(factor):
    generator = np.random.default_rng(5)
    logits = generator.normal(size=(4000, 3))
    chance = np.exp(log_softmax(logits, axis=1))
    target = (generator.random((4000, 1)) > chance.cumsum(axis=1)).sum(axis=1).clip(max=2)
    plain = fit_temperature(logits, target)
    assert plain == pytest.approx(1.0, abs=0.1)
    assert fit_temperature(factor * logits, target) == pytest.approx(factor * plain, rel=1e-3)


def test_temperature_is_at_the_minimum_of_the_likelihood():
    target, probability = sample(slope=0.5, size=500)
    logits = np.stack([np.zeros(500), 2 * np.log(probability / (1 - probability))], axis=1)
    best = fit_temperature(logits, target)

    def loss(temperature):
        return -log_softmax(logits / temperature, axis=1)[np.arange(500), target].mean()

    assert best > 1
    assert loss(best) < min(loss(best * 1.01), loss(best / 1.01))


def test_temperature_of_a_faultless_network_ends_at_the_documented_limit():
    assert fit_temperature([[5, 0], [0, 5]], [0, 1]) == pytest.approx(0.05, rel=0.01)


@pytest.mark.parametrize(
    ("logits", "target", "sentence"),
    [
        ([[1, 2], [2, 1]], [1, 1], "one class"),
        ([[1, 2], [2, 1]], [0, 2], "only 2 classes"),
        ([1, 2], [0, 1], "shape"),
        ([[1, 2]], [0, 1], "shape"),
        ([[1, np.inf], [0, 0]], [0, 1], "finite"),
        (np.empty((0, 2)), [], "no case"),
    ],
)
def test_temperature_refuses_what_it_cannot_fit(logits, target, sentence):
    with pytest.raises(InputError, match=sentence):
        fit_temperature(logits, target)


def test_slope_and_intercept_are_those_of_a_logistic_regression():
    target, probability = sample(slope=0.6, intercept=0.4)
    fit = calibration_slope_intercept(target, probability)
    logits = np.log(probability / (1 - probability))[:, None]
    model = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000).fit(logits, target)
    assert fit.slope.value == pytest.approx(model.coef_[0, 0], abs=1e-4)
    assert fit.intercept.value == pytest.approx(model.intercept_[0], abs=1e-4)
    assert fit.slope.low < 0.6 < fit.slope.high < 1
    assert fit.intercept.low < 0.4 < fit.intercept.high
    assert fit.intercept.low > 0


def test_calibration_in_the_large_makes_the_mean_right():
    target, probability = sample(intercept=0.8)
    fit = calibration_slope_intercept(target, probability)
    moved = expit(np.log(probability / (1 - probability)) + fit.in_the_large)
    assert moved.mean() == pytest.approx(target.mean(), abs=1e-9)
    assert fit.in_the_large == pytest.approx(0.8, abs=0.15)


def test_slope_interval_covers_the_truth_about_as_often_as_it_says():
    fits = [calibration_slope_intercept(*sample(0.7, 0.2, 300, seed)) for seed in range(200)]
    assert 0.89 <= np.mean([fit.slope.low <= 0.7 <= fit.slope.high for fit in fits]) <= 0.99


def test_probabilities_of_0_and_1_are_survived():
    target, probability = sample(size=300)
    probability[:2] = (0.0, 1.0)
    assert np.isfinite(calibration_slope_intercept(target, probability).slope.value)


@pytest.mark.parametrize(
    ("target", "probability", "sentence"),
    [
        ([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4], "separate"),
        ([0, 0, 1, 1], [0.1, 0.2, 0.2, 0.4], "separate"),
        ([1, 1, 0, 0], [0.1, 0.2, 0.2, 0.4], "separate"),
        ([0, 1, 0, 1], [0.3, 0.3, 0.3, 0.3], "all the same"),
        ([1, 1], [0.3, 0.6], "0 negative"),
        ([0, 1], [0.3, 1.2], "lie in"),
        ([], [], "no case"),
    ],
)
def test_undefined_slopes_are_a_sentence(target, probability, sentence):
    with pytest.raises(InputError, match=sentence):
        calibration_slope_intercept(target, probability)


@pytest.mark.parametrize("metric", [brier, expected_calibration_error, reliability_bins])
def test_logits_and_empty_sets_are_refused(metric):
    with pytest.raises(InputError, match="not logits"):
        metric([0, 1], [-2.0, 3.0])
    with pytest.raises(InputError, match="no case"):
        metric([], [])


def test_no_bins_are_refused():
    with pytest.raises(InputError, match="bins"):
        reliability_bins([0, 1], [0.1, 0.2], bins=0)
