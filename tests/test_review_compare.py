"""cxrkit.review.compare: pairing, order, patients; figures against SciPy, scikit-learn and naive loops."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from numpy.typing import NDArray
from sklearn.metrics import recall_score, roc_auc_score

from cxrkit.errors import InputError
from cxrkit.finding_auc import auc_by_patient
from cxrkit.metrics import delong_test
from cxrkit.review.compare import Compared, compare, differences, most_different
from cxrkit.review.compare_pairs import joint_truth, pair_cases
from cxrkit.review.compare_tests import (
    BY_PATIENT,
    MCNEMAR,
    auc_difference,
)
from cxrkit.review.table import AGE_LABEL, ReviewSet
from cxrkit.task import Task
from cxrkit.tasks.bone_age import BONE_AGE
from cxrkit.tasks.followup import FOLLOW_UP
from cxrkit.tasks.nih14 import LABELS, NIH14
from cxrkit.tasks.tuberculosis import TUBERCULOSIS

LABEL = TUBERCULOSIS.positive
SCORE = "score_tuberculosis"


def review(task: Task = TUBERCULOSIS, **columns: object) -> ReviewSet:
    return ReviewSet(task, "run", pd.DataFrame(columns), None)


def run(files: list[str], target: list[str], score: list[float], **more: object) -> ReviewSet:
    return review(file=files, target=target, score_tuberculosis=score, **more)


def drawn(seed: int, count: int = 60, patients: int | None = None) -> tuple[ReviewSet, ReviewSet]:
    """Two runs of the same cases that both know something, with ties."""
    random = np.random.default_rng(seed)
    truth = np.r_[0, 0, 1, 1, random.integers(0, 2, count - 4)]
    scores = [np.round(np.clip(0.3 + 0.3 * truth + random.normal(0, 0.25, count), 0, 1), 1) for _ in range(2)]
    owners = {} if patients is None else {"patient_id": random.integers(0, patients, count).astype(str)}
    names = [f"{index}.png" for index in range(count)]
    first, second = (run(names, list(truth.astype(str)), list(score), **owners) for score in scores)
    return first, second


def shuffled(given: ReviewSet, seed: int) -> ReviewSet:
    return ReviewSet(given.task, given.name, given.table.sample(frac=1, random_state=seed, ignore_index=True), None)


def compared(first: ReviewSet, second: ReviewSet, thresholds: tuple[float, float] | None = (0.5, 0.4)) -> Compared:
    return compare(first, second, pair_cases(first, second), first.labels()[0], thresholds)


def test_cases_are_matched_by_file_whatever_their_order_and_the_rest_is_counted() -> None:
    first = run(["a", "b", "c", "d", "a", "g"], ["1", "0", "1", "", "1", "0"], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    second = run(["d", "c", "a ", "e", "b", "f"], ["1", "0", "1", "1", "0", "0"], [0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    pairs = pair_cases(first, second)
    assert list(zip(pairs.first, pairs.second, strict=True)) == [(0, 2), (1, 4), (3, 0)]  # c has two truths
    assert (pairs.only_first, pairs.only_second, pairs.repeated, pairs.other_truth) == (1, 2, 1, 1)
    assert not pairs.by_patient
    assert joint_truth(first, second, pairs, LABEL).tolist() == [1, 0, 1]
    filtered = pair_cases(first, second, np.array([1, 5]))
    assert (filtered.first.tolist(), filtered.only_first, filtered.only_second) == ([1], 1, 2)


def test_two_rows_of_one_case_with_two_truths_are_left_out() -> None:
    first = run(["a", "a", "b"], ["1", "0", "0"], [0.1, 0.2, 0.3])
    pairs = pair_cases(first, run(["a", "b"], ["1", "0"], [0.5, 0.6]))
    assert (pairs.first.tolist(), pairs.other_truth) == ([2], 1)


def test_both_files_of_a_pair_and_what_was_told_of_the_child_count() -> None:
    def followed(*pairs: tuple[str, str]) -> ReviewSet:
        baseline, followup = zip(*pairs, strict=True)
        scores = {f"score_{label.replace(' ', '_')}": [0.5] * len(pairs) for label in FOLLOW_UP.labels}
        return review(FOLLOW_UP, baseline=baseline, followup=followup, change=["0"] * len(pairs), **scores)

    pairs = pair_cases(followed(("a", "b"), ("b", "a")), followed(("b", "a"), ("a", "c")))
    assert (pairs.first.tolist(), pairs.second.tolist(), pairs.only_first, pairs.only_second) == ([1], [0], 1, 1)

    def hands(sexes: list[str], ages: list[float]) -> ReviewSet:
        return review(BONE_AGE, file=["a"] * 2, sex=sexes, age_months=["90"] * 2, predicted_age_months=ages)

    pairs = pair_cases(hands(["F", "M"], [80, 90]), hands(["M", "F"], [91, 81]))
    assert (pairs.second.tolist(), pairs.repeated) == ([1, 0], 0)


def test_what_cannot_be_compared_is_refused() -> None:
    first, _ = drawn(0)
    with pytest.raises(InputError, match="No case is in both tables"):
        pair_cases(first, run(["x"], ["1"], [0.5]))
    with pytest.raises(InputError, match="compared on one task"):
        pair_cases(first, review(BONE_AGE, file=["1.png"], age_months=["90"], predicted_age_months=[80.0]))
    with pytest.raises(InputError, match="no threshold"):
        most_different(compared(first, first, None), calls_only=True)


@settings(max_examples=25, deadline=None)
@given(seed=some.integers(0, 10**6), patients=some.sampled_from([None, 25]))
def test_a_run_against_itself_differs_by_nothing_in_any_order(seed: int, patients: int | None) -> None:
    first, _ = drawn(seed, patients=patients)
    for figure in differences(compared(first, shuffled(first, 1), (0.5, 0.5)), ages=False):
        found = figure.found
        if found is None:
            assert patients is not None
            assert "not at all" in figure.reason
            continue
        assert found.first == pytest.approx(found.second)
        assert (found.difference.value, found.p) == (0, 1)
        assert found.difference.low == pytest.approx(-found.difference.high)
    assert most_different(compared(first, shuffled(first, 2))).size == 0


@pytest.mark.parametrize("patients", [None, 25])
def test_the_order_of_rows_changes_nothing_and_that_of_runs_the_sign(patients: int | None) -> None:
    first, second = drawn(3, patients=patients)
    plain = differences(compared(first, second), ages=False)
    assert plain == differences(compared(first, shuffled(second, 5)), ages=False)
    names = ["AUC", "sensitivity", "specificity", "accuracy", "share called"]
    assert [figure.name for figure in plain] == names
    for one, other in zip(plain, differences(compared(second, first, (0.4, 0.5)), ages=False), strict=True):
        assert one.found is not None
        assert other.found is not None
        assert other.found.difference.value == pytest.approx(-one.found.difference.value)
        assert other.found.difference.low == pytest.approx(-one.found.difference.high, abs=0.02)
        assert other.found.p == pytest.approx(one.found.p, abs=0.03)


def test_figures_are_those_of_scikit_learn_at_each_runs_own_threshold() -> None:
    first, second = drawn(4)
    truth = first.truth(LABEL)
    found = {figure.name: figure.found for figure in differences(compared(first, second), ages=False)}
    for which, scores, threshold in (("first", first.score(LABEL), 0.5), ("second", second.score(LABEL), 0.4)):
        called = scores >= threshold
        expected = {
            "AUC": roc_auc_score(truth, scores),
            "sensitivity": recall_score(truth, called),
            "specificity": recall_score(truth, called, pos_label=0),
            "accuracy": np.mean(called == truth),
            "share called": called.mean(),
        }
        assert {name: getattr(one, which) for name, one in found.items()} == pytest.approx(expected)
    auc = found["AUC"]
    test = delong_test(truth, first.score(LABEL), second.score(LABEL))
    assert auc is not None
    assert (auc.p, auc.difference, auc.test) == (test.p, test.difference, "DeLong")
    assert found["accuracy"] is not None
    assert (found["accuracy"].test, found["accuracy"].cases) == (MCNEMAR, 60)


def naive_error(truth: NDArray[np.int64], first: NDArray[np.float64], second: NDArray[np.float64], owners: list[int]):
    """Standard error of the difference of two AUCs by patient: Obuchowski 1997, section 2, pair by pair."""
    positive, negative = np.flatnonzero(truth == 1), np.flatnonzero(truth == 0)

    def wins(score: NDArray[np.float64], i: int, j: int) -> float:
        return float(score[i] > score[j]) + 0.5 * float(score[i] == score[j])

    apart = {(i, j): wins(first, i, j) - wins(second, i, j) for i, j in product(positive, negative)}
    gap = np.mean(list(apart.values()))
    ten = {i: np.mean([apart[i, j] for j in negative]) - gap for i in positive}
    one = {j: np.mean([apart[i, j] for i in positive]) - gap for j in negative}
    names = sorted(set(owners))
    tens = np.array([sum(ten[i] for i in positive if owners[i] == name) for name in names])
    ones = np.array([sum(one[j] for j in negative if owners[j] == name) for name in names])
    m, n = len(positive), len(negative)
    m_owners, n_owners = len({owners[i] for i in positive}), len({owners[j] for j in negative})
    s10 = m_owners / ((m_owners - 1) * m) * (tens**2).sum()
    s01 = n_owners / ((n_owners - 1) * n) * (ones**2).sum()
    both = np.sqrt(m_owners * n_owners / ((m_owners - 1) * (n_owners - 1)))
    return np.sqrt(s10 / m + s01 / n + 2 * both / (m * n) * (tens * ones).sum())


@pytest.mark.parametrize("seed", range(4))
def test_aucs_of_patients_with_several_cases_against_a_double_loop(seed: int) -> None:
    first, second = drawn(seed, count=40, patients=15)
    truth = first.truth(LABEL).astype(np.int64)
    owners = [int(name) for name in first.table["patient_id"]]
    found = auc_difference(truth, first.score(LABEL), second.score(LABEL), owners)
    error = naive_error(truth, first.score(LABEL), second.score(LABEL), owners)
    assert found.test == BY_PATIENT
    assert found.difference.high - found.difference.low == pytest.approx(2 * 1.959964 * error, rel=1e-6)
    assert found.first == auc_by_patient(truth, first.score(LABEL), [str(owner) for owner in owners]).value
    assert found.p < 1


def test_patients_who_nearly_all_have_one_case_come_close_to_delong() -> None:
    """One patient has two images."""
    first, second = drawn(7, count=300)
    arguments = first.truth(LABEL), first.score(LABEL), second.score(LABEL)
    owners = np.arange(300)
    owners[3] = owners[2]
    nearly, plain = auc_difference(*arguments, owners), auc_difference(*arguments, np.arange(300))
    assert nearly.p == pytest.approx(plain.p, abs=0.02)
    assert nearly.difference.low == pytest.approx(plain.difference.low, abs=0.002)


def test_two_patients_of_either_class_are_needed() -> None:
    with pytest.raises(InputError, match="two patients of either class"):
        auc_difference([1, 1, 0, 0], [0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1], [0, 0, 1, 2])


def test_ages_are_compared_by_mad() -> None:
    random = np.random.default_rng(0)
    truth = np.round(random.uniform(20, 200, 80))
    names = [f"{index}.png" for index in range(80)]
    runs = [
        review(BONE_AGE, file=names, age_months=truth.astype(int).astype(str), predicted_age_months=truth + error)
        for error in (random.normal(0, 6, 80), random.normal(3, 12, 80))
    ]
    found = compare(*runs, pair_cases(*runs), AGE_LABEL, None)
    (mad,) = differences(found, ages=True)
    assert mad.found is not None
    expected = [np.abs(each.score(AGE_LABEL) - truth).mean() for each in runs]
    assert [mad.found.first, mad.found.second] == pytest.approx(expected)
    assert mad.found.difference.high < 0
    assert mad.found.p == 1 / 2000
    order = most_different(found)
    gaps = np.abs(runs[0].score(AGE_LABEL) - runs[1].score(AGE_LABEL))
    assert order.tolist() == np.argsort(-gaps, kind="stable").tolist()


def test_findings_are_compared_label_by_label_and_without_a_threshold_by_auc_alone() -> None:
    random = np.random.default_rng(2)
    names, targets = [f"{index}.png" for index in range(30)], ["Mass", "No Finding", "Mass|Edema"] * 10
    runs = [
        review(NIH14, file=names, findings=targets, **{f"score_{label}": random.uniform(0, 1, 30) for label in LABELS})
        for _ in range(2)
    ]
    pairs = pair_cases(*runs)
    mass = differences(compare(*runs, pairs, "Mass", (0.5, 0.5)), ages=False)
    assert mass[0].found is not None
    truth = [int("Mass" in target) for target in targets]
    assert mass[0].found.first == pytest.approx(roc_auc_score(truth, runs[0].score("Mass")))
    assert len(differences(compare(*runs, pairs, "Edema", None), ages=False)) == 1
    hernia = differences(compare(*runs, pairs, "Hernia", (0.5, 0.5)), ages=False)
    assert [figure.name for figure in hernia if figure.found is None] == ["AUC", "sensitivity"]
    assert all(figure.reason for figure in hernia if figure.found is None)


def test_cases_that_one_run_failed_on_or_whose_truth_is_not_known_count_where_they_can() -> None:
    first = run(["a", "b", "c", "d", "e", "f"], ["1", "0", "1", "0", "", "1"], [0.9, 0.1, 0.8, 0.2, 0.9, np.nan])
    second = run(["a", "b", "c", "d", "e", "f"], ["1", "0", "1", "0", "", "1"], [0.7, 0.6, 0.2, 0.2, 0.1, 0.3])
    found = compared(first, second, (0.5, 0.5))
    assert found.both.tolist() == [True] * 5 + [False]
    cases = {figure.name: figure.found.cases for figure in differences(found, ages=False) if figure.found}
    assert cases == {"AUC": 4, "sensitivity": 2, "specificity": 2, "accuracy": 4, "share called": 5}
    assert most_different(found).tolist() == [4, 2, 1, 0]
    assert most_different(found, calls_only=True).tolist() == [4, 2, 1]
