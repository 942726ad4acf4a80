"""Model + cases -> table of predictions -> Evaluation: every figure with its 95 % interval."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrkit import metrics
from cxrkit.card import Metric
from cxrkit.errors import InputError
from cxrkit.metrics import Interval

_ECE_NOTE = "15 bins of equal width; no interval, because resampling inflates it"


@dataclass(frozen=True)
class Undefined:
    """A figure that these cases cannot give.

    Attributes:
        name: as in Metric.
        reason: a sentence for the screen.
    """

    name: str
    reason: str


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
    target: NDArray[Any], score: NDArray[Any], threshold: float, part: str, note: str = ""
) -> tuple[tuple[Metric, ...], tuple[Undefined, ...]]:
    """All figures of a binary answer, and which of them are undefined here and why.

    AUC (DeLong); sensitivity, specificity and accuracy at the threshold (Wilson); macro F1 at the threshold and Brier score
    (bootstrap within the classes, 1000 resamples, fixed seed); ECE; calibration slope and intercept (Wald) and
    in-the-large.

    Args:
        target, score, threshold, part, note: as for `binary_metrics`.
    """
    defined: list[Metric] = []
    undefined: list[Undefined] = []
    for name, own_note, figure in _figures(target, score, threshold):
        try:
            found = figure()
        except InputError as error:
            undefined.append(Undefined(name, str(error)))
            continue
        words = "; ".join(text for text in (note, own_note) if text)
        if isinstance(found, Interval):
            defined.append(Metric(name, part, found.value, found.low, found.high, len(target), words))
        else:
            defined.append(Metric(name, part, found, None, None, len(target), words))
    return tuple(defined), tuple(undefined)


Figure = Callable[[], Interval | float]


def _figures(target: NDArray[Any], score: NDArray[Any], threshold: float) -> tuple[tuple[str, str, Figure], ...]:
    """Name, note and way to compute of each figure, in the order of the table."""
    called = (np.asarray(score) >= threshold).astype(np.int64)
    at = f"called from a score of {threshold:.3f}"
    within = partial(metrics.bootstrap_interval, strata=target)
    return (
        ("AUC", "", lambda: metrics.delong_interval(target, score)),
        ("sensitivity", at, lambda: metrics.confusion(target, called).sensitivity),
        ("specificity", at, lambda: metrics.confusion(target, called).specificity),
        ("accuracy", at, lambda: metrics.confusion(target, called).accuracy),
        ("macro F1", at, lambda: within(metrics.macro_f1, target, called)),
        ("ECE", _ECE_NOTE, lambda: metrics.expected_calibration_error(target, score)),
        ("Brier score", "0 is ideal", lambda: within(metrics.brier, target, score)),
        ("calibration slope", "1 is ideal", lambda: metrics.calibration_slope_intercept(target, score).slope),
        ("calibration intercept", "0 is ideal", lambda: metrics.calibration_slope_intercept(target, score).intercept),
        (
            "calibration in the large",
            "0 is ideal; above 0 where scores are too low",
            lambda: metrics.calibration_slope_intercept(target, score).in_the_large,
        ),
    )
