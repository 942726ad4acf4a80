"""Model + cases -> table of predictions -> Evaluation: every figure with its 95 % interval."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrkit import metrics
from cxrkit.age_figures import age_figures
from cxrkit.batch_case import Asked, Row, analyse, answer_case, open_case, row_of
from cxrkit.card import Metric
from cxrkit.cases import Case, check_root
from cxrkit.figures import Figure, Undefined, work_out
from cxrkit.finding_auc import auc_by_patient
from cxrkit.finding_figures import TOO_NARROW, findings_figures
from cxrkit.finding_labels import several_labels
from cxrkit.metrics import Interval
from cxrkit.tally import Tally
from cxrkit.task import Task
from cxrkit.weights import LoadedModel

__all__ = [
    "Evaluation",
    "Row",
    "analyse",
    "binary_metrics",
    "evaluate",
    "figures_of",
    "measure",
    "predict_cases",
]

_ECE_NOTE = "15 bins of equal width; no interval, because resampling inflates it"


@dataclass(frozen=True)
class Evaluation:
    """How well the positive class, a number such as an age, or each of several labels is told on a set of cases.

    Attributes:
        task: identifier of the task.
        positive: the positive class; None where the task calls no class.
        threshold: score from which it is called; None as for `positive`.
        cases: rows of the manifest.
        failed: how many of them were left out, for their image or their target.
        metrics: the figures that are defined, with 95 % intervals.
        undefined: the others, with the reason.
    """

    task: str
    positive: str | None
    threshold: float | None
    cases: int
    failed: int
    metrics: tuple[Metric, ...]
    undefined: tuple[Undefined, ...]


def predict_cases(loaded: LoadedModel, cases: Sequence[Case], root: Path) -> list[Row]:
    """Predict every case, one at a time, so that memory does not grow with their number of pixels.

    A case that cannot be read gives a row with an error and does not stop the others. `cxrkit.batch` does the same with
    several processes, and goes on after it was stopped.

    Args:
        loaded: the network with its card.
        cases: with files below root.
        root: folder; nothing outside it is read.

    Raises:
        InputError: root is no folder.
        WeightsError: weights that the preparation needs are missing.
    """
    check_root(root)
    return [_predict_case(loaded, case, root) for case in cases]


def _predict_case(loaded: LoadedModel, case: Case, root: Path) -> Row:
    asked = Asked()
    return row_of(loaded.task, case, answer_case(loaded, case, open_case(loaded.task, case, root, asked), asked))


def evaluate(
    task: Task, rows: Iterable[Row], threshold: float | None, part: str = "manifest", training: Sequence[int] = ()
) -> Evaluation:
    """Compare predictions with targets: the positive class against all others, numbers with numbers, labels one by one.

    Args:
        task: that was predicted.
        rows: of its cases; those without prediction or target are left out and counted.
        threshold, part, training: as for `figures_of`.
    """
    tally = Tally(task)
    for row in rows:
        tally.add(row)
    return figures_of(tally, threshold, part, training)


def figures_of(
    tally: Tally, threshold: float | None, part: str = "manifest", training: Sequence[int] = ()
) -> Evaluation:
    """All figures of the cases that were counted.

    Args:
        tally: of the cases.
        threshold: positive class is called at score >= threshold; None of a task that calls no class or several labels.
        part: the data and split, in words.
        training: of several labels the training images with each, by the card; see `findings_figures`.
    """
    task = tally.task
    if several_labels(task):
        defined, undefined = work_out(findings_figures(tally.findings, training), part)
    elif threshold is None:
        defined, undefined = work_out(age_figures(tally.ages), part)
    else:
        defined, undefined = measure(*tally.scored, threshold, part, owners=tally.owners)
    called = None if several_labels(task) else task.called
    return Evaluation(task.name, called, threshold, tally.cases, tally.cases - tally.used, defined, undefined)


def binary_metrics(
    target: NDArray[Any], score: NDArray[Any], threshold: float, part: str, note: str = ""
) -> tuple[Metric, ...]:
    """The figures of a binary answer that are defined on these cases; see `measure`, which also says what is not.

    Args:
        target: [N] 0 or 1, 1 for the positive class.
        score: [N] probability of the positive class.
        threshold: called positive at score >= threshold.
        part: the data and split, in words.
        note: put on every figure, before the figure's own.
    """
    return measure(target, score, threshold, part, note)[0]


def measure(
    target: NDArray[Any],
    score: NDArray[Any],
    threshold: float,
    part: str,
    note: str = "",
    owners: Sequence[str] = (),
) -> tuple[tuple[Metric, ...], tuple[Undefined, ...]]:
    """All figures of a binary answer, and which of them are undefined here and why.

    AUC (DeLong); sensitivity, specificity and accuracy at the threshold (Wilson); macro F1 at the threshold and Brier
    score (bootstrap within the classes, 1000 resamples, fixed seed); ECE; calibration slope and intercept (Wald) and
    in-the-large.

    Args:
        target, score, threshold, part, note: as for `binary_metrics`.
        owners: [N] whose case each is. Where somebody has several the AUC's interval is over patients (Obuchowski
            1997); those of the other figures stay over cases, and say so.
    """
    positives = int(np.sum(target))
    cases = {"sensitivity": positives, "specificity": len(target) - positives}  # what they are shares of
    figures = (
        Figure(name, "; ".join(text for text in (note, own_note) if text), cases.get(name, len(target)), figure)
        for name, own_note, figure in _figures(target, score, threshold, owners)
    )
    return work_out(figures, part)


def _figures(
    target: NDArray[Any], score: NDArray[Any], threshold: float, owners: Sequence[str]
) -> tuple[tuple[str, str, Callable[[], Interval | float]], ...]:
    """Name, note and way to compute of each figure, in the order of the table."""
    called = (np.asarray(score) >= threshold).astype(np.int64)
    several = len(set(owners)) < len(owners)
    each = f"; {TOO_NARROW}" if several else ""
    at = f"called from a score of {threshold:.3f}{each}"
    within = partial(metrics.bootstrap_interval, strata=target)
    recalibrated = partial(metrics.calibration_slope_intercept, target, score)
    return (
        ("AUC", "interval over patients", lambda: auc_by_patient(target, score, owners))
        if several
        else ("AUC", "", lambda: metrics.delong_interval(target, score)),
        ("sensitivity", at, lambda: metrics.confusion(target, called).sensitivity),
        ("specificity", at, lambda: metrics.confusion(target, called).specificity),
        ("accuracy", at, lambda: metrics.confusion(target, called).accuracy),
        ("macro F1", at, lambda: within(metrics.macro_f1, target, called)),
        ("ECE", _ECE_NOTE, lambda: metrics.expected_calibration_error(target, score)),
        ("Brier score", f"0 is ideal{each}", lambda: within(metrics.brier, target, score)),
        ("calibration slope", f"1 is ideal{each}", lambda: recalibrated().slope),
        (
            "calibration intercept",
            f"0 is ideal{each}",
            lambda: recalibrated().intercept,
        ),
        (
            "calibration in the large",
            "0 is ideal; above 0 where scores are too low",
            lambda: recalibrated().in_the_large,
        ),
    )
