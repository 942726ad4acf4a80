"""Intervals of a review know whose case each is: on the page, in its groups and in its report."""

import datetime

import numpy as np
import pandas as pd
import pytest

from cxrkit.errors import InputError
from cxrkit.finding_auc import auc_by_patient
from cxrkit.metrics import delong_interval
from cxrkit.review.compare_pairs import pair_cases
from cxrkit.review.compare_tests import BY_PATIENT, DELONG, mean_difference
from cxrkit.review.export import Export
from cxrkit.review.export_report import Report, review_html
from cxrkit.review.figures import curves
from cxrkit.review.figures_age import agreement
from cxrkit.review.figures_cohorts import side_by_side
from cxrkit.review.owners import owner_numbers, owners_of, share_patients
from cxrkit.review.table import ReviewSet, read_predictions
from cxrkit.tasks.bone_age import BONE_AGE

PATIENTS = 50
OWNERS = np.repeat(np.arange(PATIENTS), 4)
NOW = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)


def ages(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """References and predictions of four hands a patient, which err alike."""
    generator = np.random.default_rng(seed)
    truth = generator.uniform(30, 200, OWNERS.size).round()
    error = np.repeat(generator.normal(3, 9, PATIENTS), 4) + generator.normal(0, 1, OWNERS.size)
    return truth, np.clip(truth + error, 0, 228).round(1)


def reviewed(names: list[str]) -> ReviewSet:
    truth, age = ages()
    table = pd.DataFrame({"file": [f"{row}.png" for row in range(truth.size)], "age_months": truth.astype(int)})
    table["predicted_age_months"], table["patient_id"] = age, names
    return read_predictions(table.to_csv(index=False).encode(), "run", BONE_AGE, None)


def width(interval: object) -> float:
    return interval.high - interval.low


def test_a_blank_cell_is_a_patient_of_its_own() -> None:
    names, files = ["b", "", "a", "", "b", "a"], [(f"{row}.png",) for row in range(6)]
    assert owner_numbers(names, files).tolist() == [0, 1, 2, 3, 0, 2]
    assert owner_numbers(names, [("",)] * 6).tolist() == [0, 1, 2, 3, 0, 2]
    blank = reviewed([""] * OWNERS.size)
    owners = owners_of(blank, np.arange(OWNERS.size))
    assert owners is not None
    assert not share_patients(owners)
    mad = agreement(*ages(), owners).figures[0]
    assert mad == agreement(*ages()).figures[0]
    assert width(mad) > 0.5, "all blank cells were one patient, and resampling one gives a width of 0"


def test_a_table_without_patients_has_no_owners() -> None:
    review = reviewed([""] * OWNERS.size)
    without = ReviewSet(review.task, "run", review.table.drop(columns="patient_id"), None)
    assert owners_of(without, np.arange(3)) is None
    assert not share_patients(None)


def test_rows_of_one_file_are_one_owners_as_evaluation_has_it() -> None:
    review = reviewed(["a", "a ", "", " ", "b", ""] + [""] * (OWNERS.size - 6))
    review.table["file"] = [f"{row // 2 % 2}.png" for row in range(OWNERS.size)]
    rows = np.array([0, 1, 2, 3, 4, 5, 6, 7])
    named = owners_of(review, rows)
    assert named is not None
    assert named.tolist() == [0, 0, 1, 1, 2, 3, 1, 1]
    without = ReviewSet(review.task, "run", review.table.drop(columns="patient_id"), None)
    files = owners_of(without, rows)
    assert files is not None
    assert files.tolist() == [0, 0, 1, 1, 0, 0, 1, 1]
    assert owners_of(without, np.array([0, 2])) is None


def test_the_other_table_may_say_whose_cases_they_are() -> None:
    review = reviewed([f"p{owner}" for owner in OWNERS])
    without = ReviewSet(review.task, "run", review.table.drop(columns="patient_id"), None)
    # One hand read as a boy's and as a girl's: two cases of one child.
    for table in (review.table, without.table):
        table["sex"] = ["M", "F", *["M"] * (OWNERS.size - 2)]
        table.loc[1, "file"] = "0.png"
    assert pair_cases(without, review).owners.tolist() == OWNERS.tolist()
    alone = pair_cases(without, without)
    assert alone.owners.tolist() == [0, *range(OWNERS.size - 1)]
    assert alone.by_patient


def test_page_groups_and_report_give_one_interval_over_patients() -> None:
    truth, age = ages()
    page = agreement(truth, age, OWNERS)
    (cohort,) = side_by_side([("all", np.arange(truth.size))], truth, age, None, OWNERS)
    assert cohort.figures == page.figures
    assert page.by_patient
    review = reviewed([f"p{owner}" for owner in OWNERS])
    html = review_html(
        Export(review, np.arange(truth.size), "bone age", None, {}, {}), None, Report(0, {}, False, "No device.", NOW)
    )
    for figure in page.figures:
        assert f"<td>{figure.low:.3f} to {figure.high:.3f}</td>" in html
        assert "bootstrap over patients" in figure.note


def test_bias_and_limits_of_patients_with_several_hands_are_less_sure() -> None:
    plain, grouped = agreement(*ages()), agreement(*ages(), OWNERS)
    for name in ("bias", "lower", "upper"):
        one, other = getattr(plain.limits, name), getattr(grouped.limits, name)
        assert other.value == pytest.approx(one.value)
        assert 1.4 < width(other) / width(one) < 2.6, "four hands that err alike count about as one: twice as wide"
    assert not plain.by_patient


def scores(seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    truth = np.repeat(np.arange(PATIENTS) % 2, 4).astype(np.float64)
    score = np.clip(0.35 + 0.3 * truth + np.repeat(generator.normal(0, 0.2, PATIENTS), 4), 0, 1)
    return truth, np.clip(score + generator.normal(0, 0.02, truth.size), 0, 1)


def test_aucs_are_the_cards_where_patients_have_several_cases() -> None:
    truth, score = scores()
    expected = auc_by_patient(truth, score, [str(owner) for owner in OWNERS])
    found = curves(truth, score, OWNERS)
    assert (found.auc, found.auc_method) == (expected, BY_PATIENT)
    (cohort,) = side_by_side([("all", np.arange(truth.size))], truth, score, 0.5, OWNERS)
    auc = cohort.figure("AUC")
    assert auc is not None
    assert (auc.low, auc.high, auc.note) == (expected.low, expected.high, BY_PATIENT)
    assert width(expected) > 1.5 * width(delong_interval(truth, score))
    for owners in (None, np.arange(truth.size)):
        alone = curves(truth, score, owners)
        assert (alone.auc, alone.auc_method) == (delong_interval(truth, score), DELONG)


def test_cases_without_truth_or_score_take_their_owners_with_them() -> None:
    truth, score = scores()
    truth[0], score[9] = np.nan, np.nan
    known = np.setdiff1d(np.arange(truth.size), [0, 9])
    expected = auc_by_patient(truth[known], score[known], [str(owner) for owner in OWNERS[known]])
    assert curves(truth, score, OWNERS).auc == expected
    groups = [("first half", np.arange(100)), ("second half", np.arange(100, 200))]
    half = side_by_side(groups, truth, score, 0.5, OWNERS)[0]
    known = known[known < 100]
    expected = auc_by_patient(truth[known], score[known], [str(owner) for owner in OWNERS[known]])
    assert half.figure("AUC").low == expected.low


def test_one_patient_has_no_interval() -> None:
    truth, age = ages()
    (cohort,) = side_by_side([("one", np.arange(4))], truth, age, None, OWNERS)
    assert cohort.figures == ()
    assert {each.name for each in cohort.undefined} >= {"mean absolute difference", "bias"}
    (alone,) = side_by_side([("one case", np.arange(1))], truth, age, None)
    assert alone.figures == (), "one case whose patient is not known"
    with pytest.raises(InputError, match="at least two patients"):
        agreement(truth[:4], age[:4], OWNERS[:4])
    with pytest.raises(InputError, match="at least two patients"):
        mean_difference([1.0, 2.0], [0.0, 5.0], [7, 7])
    with pytest.raises(InputError, match="at least two cases"):
        mean_difference([1.0], [0.0], [0])
