"""How good several labels' answers are on a set of cases: AUC of each and their mean, and what is called."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from cxrkit.checks import Floats, Integers
from cxrkit.errors import InputError
from cxrkit.figures import Figure
from cxrkit.finding_auc import auc_by_patient, macro_auc
from cxrkit.finding_reading import FindingsReading
from cxrkit.metrics import Interval, bootstrap_interval, confusion

TOO_NARROW = "interval over cases, several of one patient: too narrow"

LEAST = 5
"""Images with and without a label from which it counts for the means: an AUC of fewer says next to nothing."""


@dataclass(frozen=True)
class JudgedFindings:
    """One image whose findings are known.

    Attributes:
        truth: its labels.
        reading: what was said of it.
        owner: whose image it is, such as the patient; images of one owner are not independent.
    """

    truth: frozenset[str]
    reading: FindingsReading
    owner: str


def findings_figures(judged: Sequence[JudgedFindings], labels: Sequence[str]) -> Iterator[Figure]:
    """The figures in the order of the table: both means, then AUC, sensitivity and specificity of each label.

    AUCs have intervals over patients (cxrkit.finding_auc), the weighted F1 a bootstrap interval that resamples them,
    sensitivity and specificity Wilson's over images.

    Args:
        judged: one for each image.
        labels: all of the task's.
    """
    target, score = _table(judged, labels)
    owners = [one.owner for one in judged]
    callable_ = _callable(judged, labels)
    counted = [k for k in callable_ if _counts(target[:, k], owners)]
    names = ", ".join(labels[k] for k in counted)
    over = f"over {len(counted)} labels that are called and have {LEAST} images with and without them here: {names}"
    truths, scores = (list(table[:, counted].T) for table in (target, score))
    yield Figure("macro AUC", over, len(judged), partial(macro_auc, truths, scores, owners))
    yield Figure("weighted F1", over, len(judged), partial(_weighted_f1, judged, [labels[k] for k in counted]))
    for k, label in enumerate(labels):
        own, positives = (target[:, k], score[:, k]), int(target[:, k].sum())
        carry = f"{positives} images with it"
        yield Figure(f"AUC, {label}", carry, len(judged), partial(auc_by_patient, *own, owners))
        if k in callable_:
            yield from _called_figures(judged, label, own[0])


def _counts(target: Integers, owners: Sequence[str]) -> bool:
    """Whether a label counts for the means: LEAST images with and without it, of two patients at least."""
    whose = [{owner for owner, there in zip(owners, target, strict=True) if there == side} for side in (0, 1)]
    return LEAST <= target.sum() <= len(target) - LEAST and min(map(len, whose)) >= 2


def _called_figures(judged: Sequence[JudgedFindings], label: str, target: Integers) -> Iterator[Figure]:
    called = np.array([label in one.reading.called for one in judged], dtype=np.int64)
    (limit,) = {finding.threshold for finding in judged[0].reading.findings if finding.label == label}
    at, owners = f"called from a score of {limit:.3f}", [one.owner for one in judged]
    for name, own, share in (
        ("sensitivity", target == 1, lambda: confusion(target, called).sensitivity),
        ("specificity", target == 0, lambda: confusion(target, called).specificity),
    ):
        whose = [owner for owner, counts in zip(owners, own, strict=True) if counts]
        note = f"{at}; {TOO_NARROW}" if len(set(whose)) < len(whose) else at
        yield Figure(f"{name}, {label}", note, len(whose), share)


def _table(judged: Sequence[JudgedFindings], labels: Sequence[str]) -> tuple[Integers, Floats]:
    """Truth 0 or 1 and score, each [N, K]."""
    truth = [[int(label in one.truth) for label in labels] for one in judged]
    scores = [[finding.score for finding in one.reading.findings] for one in judged]
    shape = (len(judged), len(labels))
    return np.array(truth, dtype=np.int64).reshape(shape), np.array(scores, dtype=np.float64).reshape(shape)


def _callable(judged: Sequence[JudgedFindings], labels: Sequence[str]) -> list[int]:
    """Positions of labels that may be called."""
    if not judged:
        return []
    return [labels.index(f.label) for f in judged[0].reading.findings if f.threshold is not None]


def _weighted_f1(judged: Sequence[JudgedFindings], labels: Sequence[str]) -> Interval:
    """Mean of the labels' F1, each weighted by its positive images."""
    names, patient = np.unique([one.owner for one in judged], return_inverse=True)
    counts = np.zeros((len(names), len(labels), 3))
    for own, one in zip(patient, judged, strict=True):
        called = set(one.reading.called)
        for k, label in enumerate(labels):
            there, said = label in one.truth, label in called
            counts[own, k] += (there and said, said and not there, there and not said)
    return bootstrap_interval(_f1_of_counts, counts)


def _f1_of_counts(counts: NDArray[np.float64]) -> float:
    """True positives, false positives, false negatives [P, K, 3] -> weighted F1."""
    right, wrong, missed = counts.sum(axis=0).T
    if not (right + missed).sum():
        raise InputError("No image has any of these labels, so this figure is undefined.")
    f1 = 2 * right / np.maximum(2 * right + wrong + missed, 1)
    return float(np.average(f1, weights=right + missed))
