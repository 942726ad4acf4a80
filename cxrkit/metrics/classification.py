"""Figures of yes-or-no answers and of classes, from counts."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cxrkit.checks import Integers, binary, classes, same_length
from cxrkit.errors import InputError
from cxrkit.metrics.interval import Interval, wilson_interval


@dataclass(frozen=True)
class ConfusionMatrix:
    """Counts of a binary answer; every share comes with Wilson's 95 % interval.

    A share without a denominator (specificity without negative cases, PPV where nobody was called positive) raises
    InputError when it is asked for.

    Attributes:
        tp, fp, tn, fn: true and false positives, true and false negatives.
    """

    tp: int
    fp: int
    tn: int
    fn: int

    @property
    def sensitivity(self) -> Interval:
        """Share of the positive cases that were called positive; also called recall."""
        return wilson_interval(self.tp, self.tp + self.fn)

    @property
    def specificity(self) -> Interval:
        """Share of the negative cases that were called negative."""
        return wilson_interval(self.tn, self.tn + self.fp)

    @property
    def ppv(self) -> Interval:
        """Share of true ones among those called positive; also called precision. It depends on prevalence."""
        return wilson_interval(self.tp, self.tp + self.fp)

    @property
    def npv(self) -> Interval:
        """Share of true ones among those called negative. It depends on prevalence."""
        return wilson_interval(self.tn, self.tn + self.fn)

    @property
    def accuracy(self) -> Interval:
        """Share of right answers. It depends on prevalence."""
        return wilson_interval(self.tp + self.tn, self.tp + self.fp + self.tn + self.fn)


@dataclass(frozen=True)
class ClassScores:
    """Counts of one class against all others. A share without a denominator raises InputError when asked for.

    Attributes:
        tp, fp, fn: cases of the class that were named so, of others that were, and of the class that were not.
    """

    tp: int
    fp: int
    fn: int

    @property
    def support(self) -> int:
        """How many cases truly belong to the class."""
        return self.tp + self.fn

    @property
    def precision(self) -> float:
        """In [0, 1]."""
        return wilson_interval(self.tp, self.tp + self.fp).value

    @property
    def recall(self) -> float:
        """In [0, 1]."""
        return wilson_interval(self.tp, self.tp + self.fn).value

    @property
    def f1(self) -> float:
        """2 tp / (2 tp + fp + fn), in [0, 1]."""
        return 2 * self.tp / (2 * self.tp + self.fp + self.fn)


def confusion(target: ArrayLike, predicted: ArrayLike) -> ConfusionMatrix:
    """Count the answers.

    Args:
        target: [N] 0 or 1; one class alone is allowed, and leaves some shares undefined.
        predicted: [N] 0 or 1.

    Raises:
        InputError: no case, another value, or lengths that differ.
    """
    truth, answer = binary(target), binary(predicted, "predictions")
    same_length(truth.size, answer.size, ("targets", "predictions"))
    return ConfusionMatrix(
        tp=int((truth & answer).sum()),
        fp=int((~truth & answer).sum()),
        tn=int((~truth & ~answer).sum()),
        fn=int((truth & ~answer).sum()),
    )


def precision_recall_f1(target: ArrayLike, predicted: ArrayLike) -> Mapping[int, ClassScores]:
    """Scores of every class that occurs among targets or predictions, by class index.

    Args:
        target: [N] class indices from 0.
        predicted: [N] class indices from 0.

    Raises:
        InputError: no case, a value that is no class index, or lengths that differ.
    """
    truth, answer = classes(target, "targets"), classes(predicted, "predictions")
    present, true_count, named, right = _counts(truth, answer)
    return {
        int(label): ClassScores(int(hits), int(called - hits), int(held - hits))
        for label, held, called, hits in zip(present, true_count, named, right, strict=True)
    }


def macro_f1(target: ArrayLike, predicted: ArrayLike) -> float:
    """Mean of the F1 scores of all classes that occur among targets or predictions, each class weighing the same.

    Args:
        target: [N] class indices from 0, at least two classes.
        predicted: [N] class indices from 0.

    Raises:
        InputError: as `precision_recall_f1`, or the targets hold one class only.
    """
    truth, answer = classes(target, "targets"), classes(predicted, "predictions")
    if truth.min() == truth.max():
        raise InputError(
            "All cases belong to one class, so a mean over the classes is undefined. Add cases of another."
        )
    _, true_count, named, right = _counts(truth, answer)
    return float(np.mean(2 * right / (true_count + named)))


def _counts(truth: Integers, answer: Integers) -> tuple[Integers, Integers, Integers, Integers]:
    """Of each class present: its index, true cases, cases named so, and cases named so rightly."""
    same_length(truth.size, answer.size, ("targets", "predictions"))
    length = int(max(truth.max(), answer.max())) + 1
    true_count = np.bincount(truth, minlength=length)
    named = np.bincount(answer, minlength=length)
    right = np.bincount(truth[truth == answer], minlength=length)
    present = np.flatnonzero(true_count + named)
    return present, true_count[present], named[present], right[present]
