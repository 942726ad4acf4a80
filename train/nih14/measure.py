"""What a network of findings is worth: carved images calibrate it and set thresholds, others give the figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from cxrkit.card import Card, Metric
from cxrkit.errors import InputError
from cxrkit.figures import Figure, work_out
from cxrkit.finding_auc import auc_by_patient, macro_auc
from cxrkit.finding_figures import LEAST, TRAINED, JudgedFindings, findings_figures
from cxrkit.finding_reading import read_findings
from cxrkit.finding_support import TOO_FEW, Calibration, LabelSupport, fit_calibration
from cxrkit.metrics import Interval, auc, bootstrap_interval, expected_calibration_error, youden_threshold
from cxrkit.scores import ScoredPart
from cxrkit.tasks.nih14 import LABELS

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

TESTED = LEAST
"""Least positive images of those that report, as TRAINED of the training part, for a label to be called."""

CALIBRATING = 3
"""Least positive carved images that a label is calibrated on; with so few the interval of a score is wide."""

TOO_FEW_TESTED = "too few cases to measure it on"
UNTOLD = "not told from other images where its threshold was to be set"

MACRO = "macro AUC"


@dataclass(frozen=True)
class Chosen:
    """What the carved images chose for one label.

    Attributes:
        calibration: None = the scores are as the network gives them.
        threshold: score from which it is called; None = it cannot be set.
    """

    calibration: Calibration | None
    threshold: float | None

    def called(self, logits: Floats) -> NDArray[np.bool_]:
        """[N] whether images of these logits [N] are called; never without a threshold."""
        if self.threshold is None:
            return np.zeros(len(logits), dtype=np.bool_)
        return _scores(logits, self.calibration) >= self.threshold


@dataclass(frozen=True, eq=False)
class Reported:
    """The part that reports.

    Attributes:
        logits, target: [N, 14].
        patients: [N].
        part: in words.
        leaks: some of its patients were trained on.
    """

    logits: Floats
    target: Integers
    patients: NDArray[np.str_]
    part: str
    leaks: bool = False


def choose(logits: Floats, target: Integers) -> list[Chosen]:
    """Calibration and threshold (highest sensitivity + specificity) of each label, of carved images.

    Args:
        logits: [N, K].
        target: [N, K] 0 or 1.
    """
    return [_choose(one, truth) for one, truth in zip(logits.T, target.T, strict=True)]


def _choose(logits: Floats, truth: Integers) -> Chosen:
    if min(truth.sum(), len(truth) - truth.sum()) < CALIBRATING or auc(truth, logits) <= 0.5:
        return Chosen(None, None)
    try:
        calibration = fit_calibration(logits, truth)
    except InputError:  # every positive image above every other one, or no rise: nothing can be fitted
        calibration = None
    return Chosen(calibration, youden_threshold(truth, _scores(logits, calibration)))


def _scores(logits: Floats, calibration: Calibration | None) -> Floats:
    if calibration is None:
        return np.asarray(expit(logits))
    return np.asarray(expit(calibration.intercept + calibration.slope * logits))


def support_of(training: Integers, chosen: Sequence[Chosen], reported: Reported) -> tuple[LabelSupport, ...]:
    """What each label rests on.

    Args:
        training: [14] positive images of the training part, learned from and carved.
        chosen: of each label.
        reported: the part that reports.
    """
    found = []
    for k, label in enumerate(LABELS):
        trained, tested = int(training[k]), int(reported.target[:, k].sum())
        remark = _remark(trained, tested, chosen[k])
        found.append(LabelSupport(label, trained, remark, chosen[k].calibration, tested, *_auc(reported, k)))
    return tuple(found)


def _remark(trained: int, tested: int, chosen: Chosen) -> str:
    if trained < TRAINED:
        return TOO_FEW
    if tested < TESTED:
        return TOO_FEW_TESTED
    return UNTOLD if chosen.threshold is None else ""


def _auc(reported: Reported, k: int) -> tuple[float | None, float | None, float | None]:
    try:
        found = auc_by_patient(reported.target[:, k], reported.logits[:, k], list(reported.patients))
    except InputError:
        return None, None, None
    return found.value, found.low, found.high


def measured_labels(training: Integers, target: Integers) -> list[int]:
    """Positions of the labels that the macro AUC is over: TRAINED and TESTED positive images at least.

    Args:
        training: [14] positive images of the training part.
        target: [N, 14] of those that report.
    """
    positive = target.sum(axis=0)
    rarer = np.minimum(positive, len(target) - positive)
    return [k for k in range(len(LABELS)) if training[k] >= TRAINED and rarer[k] >= TESTED]


def measure(card: Card, training: Integers, reported: Reported) -> list[Metric]:
    """All figures for the card: those of an evaluation, but the macro AUC over `measured_labels`, called or not.

    Args:
        card: with support and thresholds.
        training: [14] positive images of the training part.
        reported: the part that reports.
    """
    counted = measured_labels(training, reported.target)
    judged = JudgedFindings(LABELS)
    for truth, logits, patient in zip(reported.target, reported.logits, reported.patients, strict=True):
        judged.add(_labels(truth), read_findings(logits.tolist(), card), str(patient))
    over = (
        f"mean over {len(counted)} labels with {TRAINED} positive training images and {TESTED} here: "
        f"{', '.join(LABELS[k] for k in counted)}; interval over patients"
    )
    macro = Figure(MACRO, over, len(judged.owners), partial(macro_of, reported, counted))
    rest = [figure for figure in findings_figures(judged, training.tolist()) if figure.name != MACRO]
    defined, _ = work_out([macro, *rest, *_calibration_figure(card, reported)], reported.part)
    return list(defined)


def macro_of(reported: Reported, labels: Sequence[int]) -> Interval:
    """Mean AUC of some labels, with an interval over patients.

    Raises:
        InputError: as cxrkit.finding_auc.macro_auc.
    """
    targets, logits = (list(table[:, list(labels)].T) for table in (reported.target, reported.logits))
    return macro_auc(targets, logits, list(reported.patients))


def _labels(truth: Integers) -> frozenset[str]:
    return frozenset(label for label, there in zip(LABELS, truth, strict=True) if there)


def scored_parts(support: Sequence[LabelSupport], reported: Reported) -> list[ScoredPart]:
    """Scores of each label that is called and calibrated, for its calibration plot.

    Args:
        support: of each label.
        reported: the part that reports.
    """
    return [
        ScoredPart(
            f"{one.label}: {reported.part}",
            reported.leaks,
            reported.target[:, k],
            _scores(reported.logits[:, k], one.calibration),
        )
        for k, one in enumerate(support)
        if one.calibration is not None and not one.remark
    ]


def _calibration_figure(card: Card, reported: Reported) -> list[Figure]:
    """Mean over the labels that are called and calibrated."""
    fitted = scored_parts(card.support, reported)
    if not fitted:
        return []
    note = f"mean over {len(fitted)} labels; 10 bins of equal width; no interval, because resampling inflates it"
    return [Figure("ECE", note, len(reported.target), partial(_mean_ece, fitted))]


def _mean_ece(fitted: Sequence[ScoredPart]) -> float:
    return float(np.mean([expected_calibration_error(part.targets, part.scores, 10) for part in fitted]))


def macro_difference(own: Reported, other: Floats, labels: Sequence[int]) -> Interval:
    """Macro AUC less that of another network on the same images: bootstrap over patients, in pairs.

    Patients are resampled within those whose rarest label is the same, so that no resample is without it.

    Args:
        own: with the network's logits.
        other: [N, 14] the other one's.
        labels: positions of those that count.

    Raises:
        InputError: a label without positive or without other images.
    """
    target, logits, than = (table[:, list(labels)] for table in (own.target, own.logits, other))
    owner = np.unique(own.patients, return_inverse=True)[1]
    rows = [np.flatnonzero(owner == number) for number in range(int(owner.max()) + 1)]
    rarest = np.argsort(target.sum(axis=0), kind="stable")
    carried = np.array([target[one].max(axis=0)[rarest] for one in rows])
    strata = np.where(carried.any(axis=1), carried.argmax(axis=1), len(rarest))

    def statistic(drawn: Integers) -> float:
        where = np.concatenate([rows[number] for number in drawn])
        return _macro(target[where], logits[where]) - _macro(target[where], than[where])

    return bootstrap_interval(statistic, np.arange(len(rows)), strata=strata)


def _macro(target: Integers, logits: Floats) -> float:
    return float(np.mean([auc(truth, score) for truth, score in zip(target.T, logits.T, strict=True)]))


def weighted_f1(target: Integers, called: NDArray[np.bool_]) -> float:
    """Mean of the labels' F1, each weighted by its positive images; [N, K] either."""
    hits, held = (called & (target == 1)).sum(axis=0), target.sum(axis=0)
    f1 = 2 * hits / np.maximum(called.sum(axis=0) + held, 1)
    return float(np.average(f1, weights=held))


def labels_table(carved: Integers, support: Sequence[LabelSupport], card: Card) -> list[dict[str, object]]:
    """A row for each label, for the card.

    Args:
        carved: [14] positive carved images, which are some of the training part's.
        support: of each label.
        card: with thresholds.
    """
    return [
        {
            "label": one.label,
            "positive in training": one.positives,
            "of them carved": int(carved[k]),
            "positive that report": one.tested,
            "AUC (95 % interval)": "undefined"
            if one.auc is None
            else f"{one.auc:.3f} ({one.low:.3f} to {one.high:.3f})",
            "calibrated": "no" if one.calibration is None else "yes",
            "called from": f"{card.thresholds[one.label]:.3f}" if one.label in card.thresholds else "never",
            "remark": one.remark,
        }
        for k, one in enumerate(support)
    ]
