"""Wilson's interval and the bootstrap."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import bootstrap, norm

from cxrkit.errors import InputError
from cxrkit.metrics import auc, bootstrap_interval, macro_f1, wilson_interval


@given(st.integers(1, 500), st.data())
def test_wilson_is_its_formula(trials, data):
    successes = data.draw(st.integers(0, trials))
    z, share = norm.ppf(0.975), successes / trials
    centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * np.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    result = wilson_interval(successes, trials)
    assert result.value == share
    assert result.low == pytest.approx(max(0, centre - half), abs=1e-9)
    assert result.high == pytest.approx(min(1, centre + half), abs=1e-9)


def test_wilson_known_values():
    # Newcombe, Statistics in Medicine 17, 857 (1998), table I, method 3.
    assert (wilson_interval(81, 263).low, wilson_interval(81, 263).high) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert (wilson_interval(0, 20).low, wilson_interval(0, 20).high) == pytest.approx((0, 0.1611), abs=5e-5)


@pytest.mark.parametrize(("successes", "trials"), [(0, 0), (3, 2), (-1, 5)])
def test_impossible_shares_are_refused(successes, trials):
    with pytest.raises(InputError):
        wilson_interval(successes, trials)


def mean(row):
    return float(np.mean(row))


def test_bootstrap_agrees_with_scipy():
    values = np.random.default_rng(0).exponential(size=300)
    ours = bootstrap_interval(mean, values, repeats=3000)
    theirs = bootstrap((values,), np.mean, n_resamples=3000, method="percentile", rng=1).confidence_interval
    assert ours.value == values.mean()
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.015)


def test_bootstrap_is_repeatable_and_depends_on_the_seed():
    values = np.random.default_rng(0).normal(size=50)
    assert bootstrap_interval(mean, values, seed=3) == bootstrap_interval(mean, values, seed=3)
    assert bootstrap_interval(mean, values, seed=3) != bootstrap_interval(mean, values, seed=4)


def test_arrays_are_resampled_together():
    values = np.arange(40)
    result = bootstrap_interval(lambda one, two: float(np.abs(one - two).max()), values, values.copy())
    assert (result.value, result.low, result.high) == (0, 0, 0)


def test_strata_keep_their_sizes():
    target = np.r_[np.ones(3, int), np.zeros(60, int)]
    share = bootstrap_interval(mean, target, strata=target)
    assert share.low == share.high == pytest.approx(3 / 63)
    score = np.r_[[10, 40, 55], np.arange(60)]
    within = bootstrap_interval(auc, target, score, strata=target)
    assert within.low < within.value == auc(target, score) < within.high


def test_an_undefined_resample_is_said_and_not_skipped():
    target = np.r_[1, np.zeros(30, int)]
    with pytest.raises(InputError, match="undefined on a resample"):
        bootstrap_interval(macro_f1, target, target)
    assert bootstrap_interval(macro_f1, target, target, strata=target).value == 1.0


def test_bad_bootstraps_are_refused():
    with pytest.raises(InputError, match="no case"):
        bootstrap_interval(mean, [])
    with pytest.raises(InputError, match="differ in length"):
        bootstrap_interval(mean, [1, 2], [1, 2, 3])
    with pytest.raises(InputError, match="differ in length"):
        bootstrap_interval(mean, [1, 2], strata=[1])
    with pytest.raises(InputError, match="too few"):
        bootstrap_interval(mean, [1, 2], repeats=10)
    with pytest.raises(InputError, match="level"):
        bootstrap_interval(mean, [1, 2], level=95)
