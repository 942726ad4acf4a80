"""Figures of a label at a threshold and over all thresholds, with 95 % intervals; fast enough to follow a slider."""

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import norm, t

from cxrkit import metrics
from cxrkit.card import Metric
from cxrkit.checks import Bools, Floats, both_classes, probabilities, scored
from cxrkit.errors import InputError
from cxrkit.figures import Figure, Undefined, work_out
from cxrkit.metrics import ConfusionMatrix, Interval, ReliabilityBin, RocCurve
from cxrkit.review.figures_auc import auc_interval, auc_method

BINS = 10
"""Of the calibration plot, over [0, 1]."""

BARS = 20
"""Of the histogram of scores, over [0, 1]."""

_REPEATS = 1000
_CUTS = 200
"""Thresholds at which resamples are counted: more would not be seen."""

_GRID = np.linspace(0, 1, 101)

Known = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Band:
    """Where a curve lies in 95 % of resamples, point by point.

    Attributes:
        x: [101] from 0 to 1.
        low, high: [101] in [0, 1].
    """

    x: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, eq=False)
class PrecisionRecall:
    """One point for each distinct score, the highest first.

    Attributes:
        recall, precision: [P] in [0, 1].
        threshold: [P] falling.
    """

    recall: Floats
    precision: Floats
    threshold: Floats


@dataclass(frozen=True, eq=False)
class Curves:
    """A label over all thresholds.

    Attributes:
        roc, auc: with its interval.
        auc_method: what that interval is called, in words.
        precision_recall, average_precision: with Boyd's interval.
        roc_band, precision_band: pointwise, of the bootstrap of cases.
        prevalence: share of positive cases, which a score without any skill has as its precision.
    """

    roc: RocCurve
    auc: Interval
    auc_method: str
    precision_recall: PrecisionRecall
    average_precision: Interval
    roc_band: Band
    precision_band: Band
    prevalence: float


@dataclass(frozen=True)
class Calibration:
    """Do scores mean what they say?

    Attributes:
        bins: those that are not empty, with Wilson's intervals.
        figures, undefined: ECE, Brier score, slope and intercept.
    """

    bins: tuple[ReliabilityBin, ...]
    figures: tuple[Metric, ...]
    undefined: tuple[Undefined, ...]


def known(truth: Floats, score: Floats) -> Known:
    """Truths and scores of the cases that have both."""
    both = in_both(truth, score)
    return truth[both], score[both]


def in_both(truth: Floats, score: Floats) -> Bools:
    """[N] which cases have both."""
    return ~(np.isnan(truth) | np.isnan(score))


def counts_at(truth: Floats, score: Floats, threshold: float) -> ConfusionMatrix:
    """The confusion matrix of the cases that have both; called at score >= threshold.

    Raises:
        InputError: no case has both.
    """
    target, value = known(truth, score)
    return metrics.confusion(target, value >= threshold)


def figures_at(counts: ConfusionMatrix) -> tuple[tuple[Metric, ...], tuple[Undefined, ...]]:
    """Sensitivity, specificity, accuracy, PPV and NPV with Wilson's intervals, and those that are undefined."""
    cases = counts.tp + counts.fp + counts.tn + counts.fn
    denominators = {
        "sensitivity": counts.tp + counts.fn,
        "specificity": counts.tn + counts.fp,
        "accuracy": cases,
        "ppv": counts.tp + counts.fp,
        "npv": counts.tn + counts.fn,
    }
    figures = (
        Figure(name.upper() if len(name) == 3 else name, "", number, partial(getattr, counts, name))
        for name, number in denominators.items()
    )
    return work_out(figures, "")


def curves(truth: Floats, score: Floats, owners: NDArray[np.int64] | None = None) -> Curves:
    """ROC and precision-recall curve.

    Args:
        truth: [N] 0 or 1; cases with NaN here or there are left out.
        score: [N] in [0, 1].
        owners: [N] whose case each is, which the AUC's interval heeds; None = each its own.

    Raises:
        InputError: fewer than two cases or patients of a class.
    """
    target, value = known(truth, score)
    positive, values = scored(target, value)
    both_classes(positive, least=2)
    whose = None if owners is None else owners[in_both(truth, score)]
    sensitivity, alarms = _resampled(positive, values)
    found = precision_recall(target, value)
    return Curves(
        roc=metrics.roc_curve(target, value),
        auc=auc_interval(target, value, whose),
        auc_method=auc_method(whose),
        precision_recall=found,
        average_precision=average_precision(target, value),
        roc_band=_roc_band(sensitivity, alarms),
        precision_band=_precision_band(sensitivity, alarms, int(positive.sum()), int((~positive).sum())),
        prevalence=float(positive.mean()),
    )


def precision_recall(target: Floats, score: Floats) -> PrecisionRecall:
    """Precision (PPV) and recall (sensitivity) at every distinct score.

    Raises:
        InputError: as metrics.auc.
    """
    curve = metrics.roc_curve(target, score)
    positives = float(np.sum(target))
    hits = curve.true_positive_rate[1:] * positives
    alarms = curve.false_positive_rate[1:] * (target.size - positives)
    return PrecisionRecall(curve.true_positive_rate[1:], hits / (hits + alarms), curve.threshold[1:])


def average_precision(target: Floats, score: Floats, level: float = 0.95) -> Interval:
    """Mean of precision over the recall gained at each score, with the interval on the logit scale.

    K. Boyd, K. H. Eng and C. D. Page, ECML PKDD 2013, section 3.1: the variance is that of a share of the positive
    cases. At 0 and 1 it has none, and Wilson's ends of that share stand in for it.

    Raises:
        InputError: as metrics.auc.
    """
    found = precision_recall(target, score)
    value = float(np.sum(np.diff(found.recall, prepend=0.0) * found.precision))
    positives = int(np.sum(target))
    if not 1e-12 < value < 1 - 1e-12:
        ends = metrics.wilson_interval(round(value) * positives, positives, level)
        return Interval(value, ends.low, ends.high, level)
    half = float(norm.ppf((1 + level) / 2)) / math.sqrt(positives * value * (1 - value))
    return Interval(value, float(expit(logit(value) - half)), float(expit(logit(value) + half)), level)


def calibration(truth: Floats, score: Floats, bins: int = BINS) -> Calibration:
    """Shares of positives against mean scores, and the figures of calibration.

    Raises:
        InputError: no case has both truth and score.
    """
    target, value = known(truth, score)
    rows = metrics.reliability_bins(target, value, bins)
    fit = partial(metrics.calibration_slope_intercept, target, value)
    number = target.size
    figures = (
        Figure(
            "ECE", f"{bins} bins; no interval", number, partial(metrics.expected_calibration_error, target, value, bins)
        ),
        Figure("Brier score", "0 is ideal", number, partial(_brier, target, value)),
        Figure("calibration slope", "1 is ideal; below it overconfident", number, lambda: fit().slope),
        Figure("calibration intercept", "0 is ideal", number, lambda: fit().intercept),
    )
    return Calibration(rows, *work_out(figures, ""))


def histogram(truth: Floats, score: Floats, bars: int = BARS) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many cases each bar has: ([bars] negative, [bars] positive); the last one also holds 1."""
    target, value = known(truth, score)
    index = bar_of(value, bars)
    negative, positive = (np.bincount(index[target == each], minlength=bars) for each in (0, 1))
    return negative, positive


def bar_of(score: Floats, bars: int) -> NDArray[np.int64]:
    """[N] which of so many bins of equal width over [0, 1] holds each score, as `metrics.reliability_bins` has it."""
    edges = np.linspace(0, 1, bars + 1)
    return np.clip(np.searchsorted(edges, score, side="right") - 1, 0, bars - 1).astype(np.int64)


def mean_interval(values: Floats, level: float = 0.95) -> Interval:
    """The mean of independent values with Student's interval.

    Raises:
        InputError: fewer than two values.
    """
    if values.size < 2:
        raise InputError("The interval of a mean needs at least two cases.")
    mean = float(values.mean())
    half = float(t.ppf((1 + level) / 2, values.size - 1) * values.std(ddof=1)) / math.sqrt(values.size)
    return Interval(mean, mean - half, mean + half, level)


def _brier(target: Floats, score: Floats) -> Interval:
    """A mean over thousands of cases, for which Student's interval is as good as a thousand resamples."""
    positive, values = probabilities(target, score)
    found = mean_interval((values - positive) ** 2)
    return Interval(found.value, max(found.low, 0.0), min(found.high, 1.0), found.level)


def _resampled(positive: Bools, values: Floats) -> tuple[Floats, Floats]:
    """[repeats, cuts] sensitivities and false alarms of resamples within the classes, at falling thresholds.

    Cases between two thresholds count alike, so their numbers are drawn (a multinomial draw) and not the cases.
    """
    cuts = np.unique(values)
    if cuts.size > _CUTS:
        # Of each class as many: where one is rare, nearly all cuts would else lie among the other's scores.
        each = [_spread(np.unique(own), _CUTS // 2) for own in (values[positive], values[~positive])]
        cuts = np.unique(np.r_[cuts[0], *each])
    cuts = cuts[::-1]
    index = np.searchsorted(-cuts, -values)
    generator = np.random.default_rng(0)
    rates = []
    for members in (index[positive], index[~positive]):
        shares = np.bincount(members, minlength=cuts.size) / members.size
        rates.append(generator.multinomial(members.size, shares, size=_REPEATS).cumsum(axis=1) / members.size)
    return rates[0], rates[1]


def _spread(distinct: Floats, count: int) -> Floats:
    """So many of rising values, or all of fewer; the highest and the lowest among them."""
    places = np.linspace(0, distinct.size - 1, min(count, distinct.size))
    return np.asarray(distinct[np.round(places).astype(np.int64)])


def _roc_band(sensitivity: Floats, alarms: Floats) -> Band:
    heights = [np.interp(_GRID, np.r_[0, x], np.r_[0, y]) for x, y in zip(alarms, sensitivity, strict=True)]
    return _band(np.array(heights))


def _precision_band(sensitivity: Floats, alarms: Floats, positives: int, negatives: int) -> Band:
    hits, false = sensitivity * positives, alarms * negatives
    # A resample may have nobody above the highest thresholds; nothing was called wrongly there.
    precision = np.divide(hits, hits + false, out=np.ones_like(hits), where=hits + false > 0)
    reached = [np.searchsorted(row, _GRID - 1e-12) for row in sensitivity]
    return _band(np.array([row[at] for row, at in zip(precision, reached, strict=True)]))


def _band(heights: Floats) -> Band:
    low, high = np.percentile(heights, (2.5, 97.5), axis=0)
    return Band(_GRID, low, high)
