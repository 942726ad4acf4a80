"""Operating points: against scikit-learn, formulas by hand, simulation."""

import math

import numpy as np
import pytest
from sklearn import metrics as reference

from cxrkit.errors import InputError
from cxrkit.metrics import ConfusionMatrix, Interval
from cxrkit.operating_point import (
    WHO_TRIAGE,
    OperatingPoint,
    carries_over,
    crowds,
    differ_widely,
    operating_point,
    part_curve,
    screening,
)
from cxrkit.scores import ScoredPart


def drawn(seed: int, positives: int = 60, negatives: int = 140) -> ScoredPart:
    """Scores with ties."""
    generator = np.random.default_rng(seed)
    targets = np.r_[np.ones(positives), np.zeros(negatives)].astype(np.int64)
    return ScoredPart("drawn", False, targets, np.round(generator.beta(1 + 1.5 * targets, 2), 2))


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Wilson 1927, equation as in the textbooks, with z = 1.959964."""
    share, z = successes / trials, 1.959963984540054
    middle = share + z * z / (2 * trials)
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials**2))
    return (middle - half) / (1 + z * z / trials), (middle + half) / (1 + z * z / trials)


def point(tp: int, fn: int, tn: int, fp: int) -> OperatingPoint:
    return OperatingPoint(0.5, ConfusionMatrix(tp=tp, fp=fp, tn=tn, fn=fn))


@pytest.mark.parametrize("threshold", [0.0, 0.21, 0.5, 0.87, 1.0])
def test_counts_agree_with_scikit_learn_and_intervals_with_wilson(threshold: float) -> None:
    part = drawn(1)
    found = operating_point(part, threshold)
    called = (part.scores >= threshold).astype(int)
    tn, fp, fn, tp = reference.confusion_matrix(part.targets, called).ravel()
    assert (found.counts.tn, found.counts.fp, found.counts.fn, found.counts.tp) == (tn, fp, fn, tp)
    for share, hits, trials in ((found.sensitivity, tp, 60), (found.specificity, tn, 140)):
        assert share.value == pytest.approx(hits / trials)
        assert (share.low, share.high) == pytest.approx(wilson(hits, trials), abs=1e-12)


def test_a_score_at_the_threshold_is_called() -> None:
    part = ScoredPart("four", False, np.array([0, 0, 1, 1]), np.array([0.2, 0.5, 0.5, 0.9]))
    assert operating_point(part, 0.5).counts == ConfusionMatrix(tp=2, fp=1, tn=1, fn=0)


def test_curve_passes_all_thresholds_of_scikit_learn() -> None:
    part = drawn(2)
    curve = part_curve(part)
    alarms, hits, thresholds = reference.roc_curve(part.targets, part.scores, drop_intermediate=False)
    np.testing.assert_allclose(curve.roc.false_positive_rate, alarms)
    np.testing.assert_allclose(curve.roc.true_positive_rate, hits)
    np.testing.assert_allclose(curve.roc.threshold[1:], thresholds[1:])
    assert curve.auc.value == pytest.approx(reference.roc_auc_score(part.targets, part.scores))
    assert curve.auc.low < curve.auc.value < curve.auc.high


def test_points_lie_on_the_curve() -> None:
    part = drawn(3)
    roc = part_curve(part).roc
    for threshold, alarm, hit in zip(
        roc.threshold[1:], roc.false_positive_rate[1:], roc.true_positive_rate[1:], strict=True
    ):
        found = operating_point(part, threshold)
        assert (1 - found.specificity.value, found.sensitivity.value) == pytest.approx((alarm, hit))


def test_target_by_value_by_interval_and_on_the_curve() -> None:
    assert point(90, 10, 70, 30).meets(WHO_TRIAGE), "0.9 of 100 is exactly enough"
    assert not point(90, 10, 70, 30).surely_meets(WHO_TRIAGE)
    assert point(970, 30, 800, 200).surely_meets(WHO_TRIAGE)
    assert not point(89, 11, 99, 1).meets(WHO_TRIAGE)
    assert not point(99, 1, 69, 31).meets(WHO_TRIAGE)
    targets = np.repeat([0, 1], 10)
    reaching = ScoredPart("7 of 10 below 9 of 10", False, targets, np.r_[np.full(7, 0.1), [0.9] * 3, 0.2, [0.8] * 9])
    assert part_curve(reaching).reaches(WHO_TRIAGE)
    assert not operating_point(reaching, 0.95).meets(WHO_TRIAGE)
    short = ScoredPart("6 of 10 below 9 of 10", False, targets, np.r_[np.full(6, 0.1), [0.9] * 4, 0.2, [0.8] * 9])
    assert not part_curve(short).reaches(WHO_TRIAGE)


def test_predictive_values_by_hand() -> None:
    """Sensitivity 0.9, specificity 0.7, prevalence 1 %: of 1,000 people 10 are ill, 9 found, 297 called in vain."""
    found = screening(point(90, 10, 70, 30), 0.01)
    assert found.ppv is not None
    assert found.npv is not None
    assert found.tests_per_case is not None
    assert found.screened_per_case is not None
    assert found.ppv.value == pytest.approx(9 / 306)
    assert found.npv.value == pytest.approx(693 / 694)
    assert found.tests_per_case.value == pytest.approx(34)
    assert found.screened_per_case.value == pytest.approx(1000 / 9)
    assert (found.tests_per_case.low, found.tests_per_case.high) == pytest.approx(
        (1 / found.ppv.high, 1 / found.ppv.low)
    )
    low, high = wilson(90, 100)
    assert (found.screened_per_case.low, found.screened_per_case.high) == pytest.approx((100 / high, 100 / low))


def test_at_the_sets_own_prevalence_they_are_the_sets_own() -> None:
    of_set = ConfusionMatrix(tp=80, fp=30, tn=170, fn=20)
    found = screening(OperatingPoint(0.5, of_set), 100 / 300)
    assert found.ppv is not None
    assert found.npv is not None
    assert found.ppv.value == pytest.approx(of_set.ppv.value)
    assert found.npv.value == pytest.approx(of_set.npv.value)


@pytest.mark.parametrize(
    ("sensitivity", "specificity", "least"),
    [(0.9, 0.7, 0.95), (0.97, 0.98, 0.95), pytest.param(0.5, 0.999, 0.94, id="where Wilson's own falls short")],
)
def test_intervals_hold_the_truth_as_often_as_they_say(sensitivity: float, specificity: float, least: float) -> None:
    prevalence, rounds = 0.02, 400
    truth = prevalence * sensitivity / (prevalence * sensitivity + (1 - prevalence) * (1 - specificity))
    generator = np.random.default_rng(5)
    hits, held = generator.binomial(80, sensitivity, rounds), generator.binomial(300, specificity, rounds)
    inside = 0
    for tp, tn in zip(hits.tolist(), held.tolist(), strict=True):
        ppv = screening(point(tp, 80 - tp, tn, 300 - tn), prevalence).ppv
        assert ppv is not None
        inside += ppv.low <= truth <= ppv.high
    assert inside / rounds >= least


def test_nobody_called_everybody_called_and_nobody_found() -> None:
    silent = screening(point(0, 50, 200, 0), 0.01)
    assert silent.ppv is None
    assert silent.tests_per_case is None
    assert silent.screened_per_case is None
    assert silent.npv is not None
    assert silent.npv.value == pytest.approx(0.99)
    loud = screening(point(50, 0, 0, 200), 0.01)
    assert loud.npv is None
    assert loud.ppv is not None
    assert loud.ppv.value == pytest.approx(0.01)
    wrong = screening(point(0, 50, 100, 100), 0.01)
    assert wrong.ppv is not None
    assert wrong.ppv.value == 0
    assert wrong.ppv.high > 0
    assert wrong.tests_per_case is None


def test_perfect_counts_still_leave_doubt() -> None:
    found = screening(point(50, 0, 200, 0), 0.01)
    assert found.ppv is not None
    assert found.npv is not None
    assert found.ppv.value == found.ppv.high == found.npv.value == found.npv.high == 1
    assert found.ppv.low < 0.5, "200 normals cannot rule out that 2 % are called, which is twice the prevalence"


@pytest.mark.parametrize(
    ("prevalence", "people", "diseased"), [(0.5, 1000, 500), (0.01, 1000, 10), (0.005, 10000, 50), (0.001, 10000, 10)]
)
def test_crowd_is_large_enough_for_ten_cases(prevalence: float, people: int, diseased: int) -> None:
    (found,) = crowds([point(80, 20, 90, 10)], prevalence)
    assert (found.people, found.diseased) == (people, diseased)
    assert found.found == round(0.8 * diseased)
    assert found.found + found.missed == diseased
    assert found.called == found.found + round(0.1 * (people - diseased))


def test_nobody_who_is_missed_is_rounded_away() -> None:
    """Sensitivity 0.97: of ten cases all would be found, and yet three of a hundred were missed."""
    found, other = crowds([point(97, 3, 90, 10), point(80, 20, 90, 10)], 0.01)
    assert (found.people, found.diseased, found.missed) == (10_000, 100, 3)
    assert (other.people, other.missed) == (10_000, 20), "what is compared is on equally many people"
    (seldom,) = crowds([point(2, 98, 90, 10)], 0.01)
    assert (seldom.diseased, seldom.found) == (100, 2)
    (perfect,) = crowds([point(100, 0, 90, 10)], 0.01)
    assert (perfect.people, perfect.missed) == (1000, 0)


def test_wide_differences_need_distance_and_certainty() -> None:
    assert differ_widely(Interval(0.9, 0.85, 0.93), Interval(0.6, 0.5, 0.7))
    assert not differ_widely(Interval(0.9, 0.6, 0.99), Interval(0.6, 0.3, 0.8)), "intervals touch"
    assert not differ_widely(Interval(0.95, 0.94, 0.96), Interval(0.9, 0.89, 0.91)), "only 5 points apart"
    same, other = point(90, 10, 180, 20), point(98, 2, 20, 180)
    assert carries_over([same, same])
    assert carries_over([same])
    assert not carries_over([same, same, other])


def test_values_out_of_range_are_refused() -> None:
    with pytest.raises(InputError, match="threshold"):
        operating_point(drawn(4), 1.2)
    for prevalence in (0.0, 1.0, math.nan):
        with pytest.raises(InputError, match="prevalence"):
            screening(point(9, 1, 9, 1), prevalence)
        with pytest.raises(InputError, match="prevalence"):
            crowds([point(9, 1, 9, 1)], prevalence)
