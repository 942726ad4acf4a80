"""How good several labels' answers are on a set of cases: AUC of each and their mean, and what is called."""

from array import array
from collections.abc import Collection, Iterator, Sequence
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

TRAINED, LEAST = 10, 5
"""Training images with a label, and images with and without it here, from which it counts for the mean of AUCs: an AUC
of fewer says next to nothing."""


class JudgedFindings:
    """Images whose findings are known, a few numbers of each, so that a hundred thousand take little memory.

    Args:
        labels: all K of the task's.

    Attributes:
        owners: of the N images, such as the patient; images of one owner are not independent.
        limits: score from which each label is called; None = never. Empty where there is no image.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)
        self.owners: list[str] = []
        self.limits: tuple[float | None, ...] = ()
        self._truth, self._called, self._scores = array("b"), array("b"), array("d")

    def add(self, truth: Collection[str], reading: FindingsReading, owner: str) -> None:
        """One image: its labels, what was said of it, whose it is."""
        self._truth.extend(label in truth for label in self.labels)
        self._called.extend(finding.called for finding in reading.findings)
        self._scores.extend(finding.score for finding in reading.findings)
        self.limits = tuple(finding.threshold for finding in reading.findings)
        self.owners.append(owner)

    @property
    def truth(self) -> Integers:
        """[N, K] 0 or 1."""
        return np.array(self._truth, dtype=np.int64).reshape(self._shape)

    @property
    def called(self) -> Integers:
        """[N, K] 0 or 1."""
        return np.array(self._called, dtype=np.int64).reshape(self._shape)

    @property
    def scores(self) -> Floats:
        """[N, K] in [0, 1]."""
        return np.array(self._scores, dtype=np.float64).reshape(self._shape)

    @property
    def _shape(self) -> tuple[int, int]:
        return len(self.owners), len(self.labels)


def findings_figures(judged: JudgedFindings, training: Sequence[int] = ()) -> Iterator[Figure]:
    """The figures in the order of the table: both means, then AUC, sensitivity and specificity of each label.

    The macro AUC is over labels with enough training images and images here, called or not; the weighted F1 over those
    of them that may be called.

    AUCs have intervals over patients (cxrkit.finding_auc), the weighted F1 a bootstrap interval that resamples them,
    sensitivity and specificity Wilson's over images.

    Args:
        judged: the images.
        training: of each label the training images with it, by the card; () where the card says nothing, and then only
            labels that may be called count.
    """
    target, score, called, owners = judged.truth, judged.scores, judged.called, judged.owners
    labels, images = judged.labels, len(owners)
    callable_ = [k for k, limit in enumerate(judged.limits) if limit is not None]
    taught = [k for k, count in enumerate(training) if count >= TRAINED] if training else callable_
    counted = [k for k in taught if _counts(target[:, k], owners)]
    truths, scores = (list(table[:, counted].T) for table in (target, score))
    over = _over(counted, labels, f"{TRAINED} training images" if training else "a threshold")
    yield Figure("macro AUC", over, images, partial(macro_auc, truths, scores, owners))
    both = [k for k in counted if k in callable_]
    over = _over(both, labels, "a threshold")
    yield Figure("weighted F1", over, images, partial(_weighted_f1, target[:, both], called[:, both], owners))
    for k, label in enumerate(labels):
        carry = f"{int(target[:, k].sum())} images with it"
        yield Figure(f"AUC, {label}", carry, images, partial(auc_by_patient, target[:, k], score[:, k], owners))
        limit = judged.limits[k] if judged.limits else None
        if limit is not None:
            yield from _called_figures(label, limit, target[:, k], called[:, k], owners)


def _over(counted: Sequence[int], labels: Sequence[str], having: str) -> str:
    names = ", ".join(labels[k] for k in counted)
    return f"over {len(counted)} labels that have {having}, and {LEAST} images with and without them here: {names}"


def _counts(target: Integers, owners: Sequence[str]) -> bool:
    """Whether a label counts for the means: LEAST images with and without it, of two patients at least."""
    whose = [{owner for owner, there in zip(owners, target, strict=True) if there == side} for side in (0, 1)]
    return LEAST <= target.sum() <= len(target) - LEAST and min(map(len, whose)) >= 2


def _called_figures(
    label: str, limit: float, target: Integers, called: Integers, owners: Sequence[str]
) -> Iterator[Figure]:
    at = f"called from a score of {limit:.3f}"
    for name, own, share in (
        ("sensitivity", target == 1, lambda: confusion(target, called).sensitivity),
        ("specificity", target == 0, lambda: confusion(target, called).specificity),
    ):
        whose = [owner for owner, counts in zip(owners, own, strict=True) if counts]
        note = f"{at}; {TOO_NARROW}" if len(set(whose)) < len(whose) else at
        yield Figure(f"{name}, {label}", note, len(whose), share)


def _weighted_f1(target: Integers, called: Integers, owners: Sequence[str]) -> Interval:
    """Mean of the labels' F1, each weighted by its positive images; truth and what is called are [N, K]."""
    names, patient = np.unique(owners, return_inverse=True)
    counts = np.zeros((len(names), target.shape[1], 3))
    np.add.at(counts, patient, np.stack([target & called, called & ~target, target & ~called], axis=2))
    return bootstrap_interval(_f1_of_counts, counts)


def _f1_of_counts(counts: NDArray[np.float64]) -> float:
    """True positives, false positives, false negatives [P, K, 3] -> weighted F1."""
    right, wrong, missed = counts.sum(axis=0).T
    if not (right + missed).sum():
        raise InputError("No image has any of these labels, so this figure is undefined.")
    f1 = 2 * right / np.maximum(2 * right + wrong + missed, 1)
    return float(np.average(f1, weights=right + missed))
