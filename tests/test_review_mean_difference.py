"""Differences of two paired means: intervals and tests against exact ones and published examples."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import permutation_test

from cxrkit.errors import InputError
from cxrkit.review.compare_tests import FLIPS_BY_PATIENT, MCNEMAR, NEWCOMBE, mcnemar, mean_difference


@pytest.mark.parametrize("seed", range(4))
def test_mcnemar_and_flipped_signs_against_all_permutations(seed: int) -> None:
    random = np.random.default_rng(seed)

    def exact(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
        def mean(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
            return float(np.mean(a - b))

        return float(permutation_test((one, other), mean, permutation_type="samples", n_resamples=10**5).pvalue)

    answers = random.integers(0, 2, (2, 11)).astype(np.float64)
    assert mcnemar(answers[0] > answers[1], answers[1] > answers[0]) == pytest.approx(exact(*answers))
    distances = random.gamma(2, 4, (2, 11))
    distances[0] -= 1.5 * seed
    assert mean_difference(*distances, np.arange(11)).p == pytest.approx(exact(*distances), abs=0.03)


def test_cases_of_one_patient_are_resampled_and_flipped_together() -> None:
    random = np.random.default_rng(1)
    one, other = random.integers(0, 3, (2, 50)).astype(np.float64)
    alone = mean_difference(one, other, np.arange(50))
    # Every case four times, as of patients with four images: nothing more is known than before.
    copied = mean_difference(np.repeat(one, 4), np.repeat(other, 4), np.repeat(np.arange(50), 4))
    assert (copied.first, copied.difference.value) == pytest.approx((alone.first, alone.difference.value))
    assert (copied.difference.low, copied.difference.high) == pytest.approx(
        (alone.difference.low, alone.difference.high)
    )
    assert copied.test == FLIPS_BY_PATIENT
    assert copied.p == pytest.approx(alone.p, abs=0.03)
    assert mean_difference(np.repeat(one, 4), np.repeat(other, 4), np.arange(200)).p < copied.p


def test_paired_shares_have_newcombes_interval() -> None:
    """Newcombe's own example, method 10: 36 hold in both, 12 and 2 in one of them, none in neither."""
    first = np.repeat([1.0, 1.0, 0.0, 0.0], [36, 12, 2, 0])
    second = np.repeat([1.0, 0.0, 1.0, 0.0], [36, 12, 2, 0])
    found = mean_difference(first, second, np.arange(50))
    assert (found.interval, found.test) == (NEWCOMBE, MCNEMAR)
    assert (found.difference.value, found.difference.low, found.difference.high) == pytest.approx(
        (0.2, 0.0569, 0.3404), abs=5e-5
    )


def test_a_difference_that_never_varies_is_not_certain() -> None:
    five, none = np.ones(5), np.zeros(5)
    all_or_nobody = mean_difference(five, none, np.arange(5))
    assert all_or_nobody.difference.value == 1
    assert all_or_nobody.difference.low < 0.6
    equal = mean_difference(five, five, np.arange(5))
    assert equal.difference.low < -0.3
    assert equal.difference.high > 0.3
    with pytest.raises(InputError, match="by the same"):
        mean_difference(five * 3, five * 2.5, np.arange(5))
