"""Figures of a review against scikit-learn and SciPy, and how fast they are."""

import time

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    confusion_matrix,
    precision_recall_curve,
    roc_auc_score,
)

from cxrkit.errors import InputError
from cxrkit.review.figures import (
    average_precision,
    bar_of,
    calibration,
    counts_at,
    curves,
    figures_at,
    histogram,
    mean_interval,
    precision_recall,
)
from cxrkit.review.figures_age import agreement
from cxrkit.review.figures_choice import CELLS, Bin, Cases, Cell, chosen, in_words, worst_first
from cxrkit.review.figures_cohorts import side_by_side
from cxrkit.review.filters import EMPTY, Between, Holds, OneOf, cohorts, kept, offers


def drawn(count: int, seed: int = 0, digits: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Truths and rounded scores with ties, both classes in them."""
    generator = np.random.default_rng(seed)
    truth = (generator.random(count) < 0.3).astype(np.float64)
    score = np.round(np.clip(generator.normal(0.4 + 0.25 * truth, 0.2), 0, 1), digits)
    return truth, score


@pytest.mark.parametrize("threshold", [0.0, 0.31, 0.5, 1.0])
def test_counts_and_shares_are_scikit_learns(threshold: float) -> None:
    truth, score = drawn(300)
    counts = counts_at(truth, score, threshold)
    (tn, fp), (fn, tp) = confusion_matrix(truth, score >= threshold, labels=[0, 1])
    assert (counts.tn, counts.fp, counts.fn, counts.tp) == (tn, fp, fn, tp)
    defined, undefined = figures_at(counts)
    shares = {metric.name: metric for metric in defined}
    assert {*shares, *(each.name for each in undefined)} == {"sensitivity", "specificity", "accuracy", "PPV", "NPV"}
    assert shares["sensitivity"].value == pytest.approx(tp / (tp + fn))
    wilson = stats.binomtest(int(tp), int(tp + fn)).proportion_ci(method="wilson")
    assert (shares["sensitivity"].low, shares["sensitivity"].high) == pytest.approx((wilson.low, wilson.high))
    assert ("NPV" in shares) == bool(tn + fn)


def test_cases_without_truth_or_score_are_left_out() -> None:
    truth, score = np.array([1, 0, np.nan, 1]), np.array([0.9, 0.2, 0.5, np.nan])
    counts = counts_at(truth, score, 0.5)
    assert (counts.tp, counts.tn, counts.fp, counts.fn) == (1, 1, 0, 0)


def test_bands_hold_their_curve_where_one_class_is_rare() -> None:
    random = np.random.default_rng(3)
    truth = np.arange(20_000) < 60
    score = expit(random.normal(np.where(truth, 3.0, 0.0)) - 3)
    found = curves(truth.astype(np.float64), score)
    reached = np.searchsorted(found.precision_recall.recall, found.precision_band.x[5:] - 1e-12)
    own = found.precision_recall.precision[np.minimum(reached, len(found.precision_recall.precision) - 1)]
    low, high = found.precision_band.low[5:], found.precision_band.high[5:]
    assert np.mean((low - 0.02 <= own) & (own <= high + 0.02)) > 0.95
    rate = np.interp(found.roc_band.x, found.roc.false_positive_rate, found.roc.true_positive_rate)
    assert np.mean((found.roc_band.low - 1e-9 <= rate) & (rate <= found.roc_band.high + 1e-9)) > 0.95


def test_precision_and_recall_are_scikit_learns() -> None:
    truth, score = drawn(400)
    found = precision_recall(truth, score)
    precision, recall, thresholds = precision_recall_curve(truth, score)
    assert found.threshold == pytest.approx(thresholds[::-1])
    assert found.recall == pytest.approx(recall[:-1][::-1])
    assert found.precision == pytest.approx(precision[:-1][::-1])
    assert average_precision(truth, score).value == pytest.approx(average_precision_score(truth, score))


def test_the_interval_of_average_precision_holds_the_bootstraps_middle() -> None:
    truth, score = drawn(400)
    found = average_precision(truth, score)
    generator = np.random.default_rng(1)
    draws = []
    for _ in range(300):
        rows = generator.integers(400, size=400)
        draws.append(average_precision_score(truth[rows], score[rows]))
    low, high = np.percentile(draws, (2.5, 97.5))
    assert found.low == pytest.approx(low, abs=0.03)
    assert found.high == pytest.approx(high, abs=0.03)
    perfect = average_precision(np.array([0.0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 0.9]))
    assert (perfect.value, perfect.high) == (1.0, 1.0)
    assert 0 < perfect.low < 1


def test_bands_hold_their_curve_and_are_those_of_a_bootstrap_of_cases() -> None:
    truth, score = drawn(300)
    found = curves(truth, score)
    assert found.auc.value == pytest.approx(roc_auc_score(truth, score))
    assert found.prevalence == truth.mean()
    own = np.interp(found.roc_band.x, found.roc.false_positive_rate, found.roc.true_positive_rate)
    inside = (found.roc_band.low <= own + 1e-9) & (own <= found.roc_band.high + 1e-9)
    assert inside[5:-5].all()
    generator, heights = np.random.default_rng(2), []
    groups = [np.flatnonzero(truth == each) for each in (0, 1)]
    for _ in range(400):
        rows = np.concatenate([generator.choice(group, group.size) for group in groups])
        again = curves_roc(truth[rows], score[rows])
        heights.append(np.interp([0.1, 0.3], *again))
    low, high = np.percentile(heights, (2.5, 97.5), axis=0)
    assert found.roc_band.low[[10, 30]] == pytest.approx(low, abs=0.05)
    assert found.roc_band.high[[10, 30]] == pytest.approx(high, abs=0.05)
    assert np.all(found.precision_band.low <= found.precision_band.high)
    with pytest.raises(InputError, match="0 positive"):
        curves(np.zeros(5), score[:5])


def curves_roc(truth: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.metrics import roc_curve

    across, up, _ = roc_curve(truth, score, drop_intermediate=False)
    return across, up


def test_calibration_and_brier_score_are_scikit_learns() -> None:
    truth, score = drawn(500, digits=6)
    found = calibration(truth, score)
    shares, means = calibration_curve(truth, score, n_bins=10)
    assert [row.positive_share.value for row in found.bins] == pytest.approx(shares)
    assert [row.mean_probability for row in found.bins] == pytest.approx(means)
    figures = {metric.name: metric for metric in found.figures}
    assert figures["Brier score"].value == pytest.approx(brier_score_loss(truth, score))
    assert figures["Brier score"].low < figures["Brier score"].value < figures["Brier score"].high
    assert set(figures) == {"ECE", "Brier score", "calibration slope", "calibration intercept"}


def test_the_histogram_counts_every_case_once_also_a_score_of_1() -> None:
    truth, score = drawn(200)
    score[0] = 1.0
    negative, positive = histogram(truth, score)
    assert negative.sum() + positive.sum() == 200
    assert list(negative + positive) == list(np.histogram(score, 20, (0, 1))[0])


def test_agreement_is_scipys() -> None:
    generator = np.random.default_rng(3)
    truth = generator.uniform(12, 200, 80)
    age = truth + generator.normal(2, 8, 80)
    truth[3], age[5] = np.nan, np.nan
    found = agreement(truth, age)
    assert found.rows.size == 78
    difference = (age - truth)[found.rows]
    limits = stats.t.interval(0.95, 77, difference.mean(), stats.sem(difference))
    assert (found.limits.bias.low, found.limits.bias.high) == pytest.approx(limits)
    assert found.limits.upper.value == pytest.approx(difference.mean() + 1.959964 * difference.std(ddof=1))
    figures = {metric.name: metric.value for metric in found.figures}
    assert figures["mean absolute difference"] == pytest.approx(np.abs(difference).mean())
    owners = np.repeat(np.arange(40), 2)
    grouped = agreement(truth, age, owners).figures[0]
    assert (grouped.low, grouped.high) != (found.figures[0].low, found.figures[0].high)


def test_a_means_interval_is_scipys() -> None:
    values = np.random.default_rng(0).random(50)
    found = mean_interval(values)
    assert (found.low, found.high) == pytest.approx(stats.t.interval(0.95, 49, values.mean(), stats.sem(values)))
    with pytest.raises(InputError, match="two cases"):
        mean_interval(values[:1])


def test_a_cell_a_bin_and_points_mean_their_cases() -> None:
    truth, score = drawn(200)
    truth[0], score[1] = np.nan, np.nan
    rows = np.arange(0, 200, 2)
    cells = {name: chosen(Cell(name), rows, truth, score, 0.5) for name in CELLS}
    counts = counts_at(truth[rows], score[rows], 0.5)
    assert {name: found.size for name, found in cells.items()} == {
        "true positive": counts.tp,
        "false positive": counts.fp,
        "false negative": counts.fn,
        "true negative": counts.tn,
    }
    assert all(truth[row] == 0 and score[row] >= 0.5 for row in cells["false positive"])
    negative, positive = histogram(truth[rows], score[rows])
    for number in range(20):
        assert chosen(Bin(number, 20, 1), rows, truth, score, None).size == positive[number]
        assert chosen(Bin(number, 20), rows, truth, score, None).size == positive[number] + negative[number]
    assert list(chosen(Cases((4, 5, 6)), rows, truth, score, None)) == [4, 6]
    assert chosen(None, rows, truth, score, 0.5) is rows
    assert in_words(Bin(3, 10, 1)) == "score 0.30 to 0.40, label there"
    assert in_words(Cell("false negative")) == "false negative"
    assert list(bar_of(np.array([0.0, 0.31, 0.999, 1.0]), 10)) == [0, 3, 9, 9]


def test_the_worst_come_first_and_unknown_ones_last() -> None:
    error = np.array([0.1, np.nan, 0.9, 0.9, 0.5])
    assert list(worst_first(np.arange(5), error)) == [2, 3, 4, 0, 1]
    assert list(worst_first(np.array([4, 1, 0]), error)) == [4, 0, 1]


TABLE = pd.DataFrame(
    {
        "file": [f"{number:03d}.png" for number in range(100)],
        "sex": (["F", "M", ""] * 34)[:100],
        "age": [float(number) if number % 10 else np.nan for number in range(100)],
        "target": [number % 2 for number in range(100)],
        "same": ["x"] * 100,
    }
)


def test_every_column_that_tells_cases_apart_is_offered() -> None:
    found = {offer.name: offer for offer in offers(TABLE)}
    assert set(found) == {"file", "sex", "age", "target"}
    assert found["sex"].values == ("F", "M", EMPTY)
    assert (found["age"].low, found["age"].high, found["age"].empty) == (1, 99, True)
    assert found["target"].values == ("0", "1")
    assert (found["file"].values, found["file"].low) == ((), None)


def test_conditions_hold_all_at_once() -> None:
    rows = kept(
        TABLE, {"sex": OneOf(("F", EMPTY)), "age": Between(20, 60), "target": OneOf(("1",)), "gone": Holds("x")}
    )
    assert list(rows) == [row for row in range(100) if row % 3 != 1 and 20 <= row <= 60 and row % 10 and row % 2 == 1]
    assert list(kept(TABLE, {"age": Between(0, 5, empty=True)})) == [0, 1, 2, 3, 4, 5, *range(10, 100, 10)]
    assert list(kept(TABLE, {"file": Holds("00"), "sex": OneOf(())})) == list(range(10))
    assert list(kept(TABLE, {"file": Holds("[")})) == []


def test_cohorts_divide_the_cases() -> None:
    assert [(name, rows.size) for name, rows in cohorts(TABLE["sex"])] == [("F", 34), ("M", 33), (EMPTY, 33)]
    assert [name for name, _ in cohorts(TABLE["target"])] == ["0", "1"]
    quarters = cohorts(TABLE["age"])
    assert [name for name, _ in quarters][-1] == EMPTY
    assert sum(rows.size for _, rows in quarters) == 100
    assert [name for name, _ in cohorts(TABLE["file"], most=3)] == ["000.png", "001.png", "all others"]


def test_each_cohort_has_its_own_figures() -> None:
    truth, score = drawn(100)
    groups = cohorts(TABLE["sex"])
    found = side_by_side(groups, truth, score, 0.5)
    for cohort, (_, rows) in zip(found, groups, strict=True):
        assert cohort.figure("AUC").value == pytest.approx(roc_auc_score(truth[rows], score[rows]))
        assert (cohort.cases, cohort.positives) == (rows.size, truth[rows].sum())
    (alone,) = side_by_side([("one", np.flatnonzero(truth == 1))], truth, score, 0.5)
    assert alone.figure("AUC") is None
    assert "AUC" in [each.name for each in alone.undefined]
    (nobody,) = side_by_side([("nobody", np.array([], dtype=np.int64))], truth, score, 0.5)
    assert nobody.figures == ()
    ages = side_by_side(groups, truth * 100, score * 100, None)
    assert ages[0].figure("bias") is not None


@pytest.mark.timed
def test_ten_thousand_cases_are_filtered_and_measured_in_half_a_second() -> None:
    truth, score = drawn(10_000, digits=8)
    table = pd.concat([TABLE] * 100, ignore_index=True)
    conditions = {"sex": OneOf(("F", "M")), "age": Between(0, 95, empty=True)}
    spent = []
    for _ in range(3):
        start = time.perf_counter()
        rows = kept(table, conditions)
        figures_at(counts_at(truth[rows], score[rows], 0.5))
        curves(truth[rows], score[rows])
        calibration(truth[rows], score[rows])
        histogram(truth[rows], score[rows])
        worst_first(rows, np.abs(truth - score))
        spent.append(time.perf_counter() - start)
    assert min(spent) < 0.5


@pytest.mark.timed
def test_ten_thousand_ages_are_measured_in_half_a_second() -> None:
    truth = np.random.default_rng(0).uniform(12, 200, 10_000)
    spent = []
    for _ in range(3):
        start = time.perf_counter()
        agreement(truth, truth + 5)
        spent.append(time.perf_counter() - start)
    assert min(spent) < 0.5
