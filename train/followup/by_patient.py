"""Figures with 95 % intervals where a patient has several pairs: whole patients are resampled, not pairs."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxrkit.card import Metric
from cxrkit.metrics import Interval, bootstrap_interval, delong_interval, wilson_interval

BY_PATIENT = "interval by bootstrap over patients"


def auc_by_patient(target: ArrayLike, score: ArrayLike, patients: Sequence[str] | NDArray[np.str_]) -> Interval:
    """AUC; patients with pairs of both classes, and of either one alone, each keep their number in every resample.

    An AUC of exactly 0 or 1 does not vary from resample to resample and gets DeLong's interval, see there.

    Args:
        target: [N] 0 or 1.
        score: [N].
        patients: [N].

    Raises:
        InputError: fewer than two pairs of a class.
    """
    truth, values = np.asarray(target, dtype=np.int64), np.asarray(score, dtype=np.float64)
    by_pair = delong_interval(truth, values)
    if by_pair.value in (0.0, 1.0):
        return by_pair
    rows = _rows_of(patients)
    wins, cases, controls = _wins(truth, values, rows)

    def statistic(drawn: NDArray[np.int64]) -> float:
        times = np.bincount(drawn, minlength=len(rows))
        return float(times @ wins @ times / ((times @ cases) * (times @ controls)))

    classes = [f"{truth[own].min()} {truth[own].max()}" for own in rows]
    return bootstrap_interval(statistic, np.arange(len(rows)), strata=classes)


def _wins(
    truth: NDArray[np.int64], values: NDArray[np.float64], rows: Sequence[NDArray[np.int64]]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """How often one patient's positive pairs score above another one's negative pairs, ties 1/2 [P, P]; pairs [P] each.

    The sum over all patients divided by the numbers of pairs is the AUC (Mann and Whitney 1947).
    """
    member = np.zeros((len(rows), len(truth)))
    for patient, own in enumerate(rows):
        member[patient, own] = 1
    case, control = truth == 1, truth == 0
    above = np.sign(values[case][:, None] - values[control][None]) / 2 + 0.5
    return member[:, case] @ above @ member[:, control].T, member[:, case].sum(axis=1), member[:, control].sum(axis=1)


def mean_by_patient(values: ArrayLike, patients: Sequence[str] | NDArray[np.str_]) -> Interval:
    """Mean over pairs; a patient with more pairs weighs more.

    Args:
        values: [N].
        patients: [N].

    Raises:
        InputError: no pair.
    """
    numbers = np.asarray(values, dtype=np.float64)
    rows = _rows_of(patients)
    sums, counts = np.array([numbers[own].sum() for own in rows]), np.array([len(own) for own in rows])
    return bootstrap_interval(lambda total, count: float(total.sum() / count.sum()), sums, counts)


def share_by_patient(called: ArrayLike, patients: Sequence[str] | NDArray[np.str_]) -> Interval:
    """Share of pairs; where it is none or all, Wilson's interval for as many trials as there are patients.

    Args:
        called: [N] True or False, or in [0, 1] where a pair counts by parts.
        patients: [N].

    Raises:
        InputError: no pair.
    """
    found = mean_by_patient(np.asarray(called, dtype=np.float64), patients)
    if found.value in (0.0, 1.0):
        trials = len(set(np.asarray(patients).tolist()))
        return wilson_interval(round(found.value * trials), trials)
    return found


def auc_metric(
    name: str,
    part: str,
    target: NDArray[np.int64],
    score: NDArray[np.float64],
    patients: NDArray[np.str_],
    note: str = "",
) -> list[Metric]:
    """One AUC for the card, with both counts in its note; none where a class has fewer than two pairs."""
    positive = int(target.sum())
    if min(positive, len(target) - positive) < 2:
        return []
    interval = auc_by_patient(target, score, patients)
    counted = f"{positive} against {len(target) - positive}, {_patients(patients)}; {BY_PATIENT}"
    return [as_metric(name, part, interval, len(target), f"{note}; {counted}" if note else counted)]


def mean_metric(
    name: str, part: str, values: ArrayLike, patients: NDArray[np.str_], note: str = "", *, share: bool = False
) -> list[Metric]:
    """One mean, or share, for the card; none where there is no pair."""
    numbers = np.asarray(values)
    if not len(numbers):
        return []
    interval = (share_by_patient if share else mean_by_patient)(numbers, patients)
    counted = f"{int(numbers.sum())} of {len(numbers)}, " if numbers.dtype == np.bool_ else ""
    counted += f"{_patients(patients)}; {BY_PATIENT}"
    return [as_metric(name, part, interval, len(numbers), f"{note}; {counted}" if note else counted)]


def as_metric(name: str, part: str, interval: Interval, cases: int, note: str = "") -> Metric:
    """A figure for the card."""
    return Metric(name, part, interval.value, interval.low, interval.high, cases, note)


def _patients(patients: NDArray[np.str_]) -> str:
    count = len(set(patients.tolist()))
    return f"{count} patient" if count == 1 else f"{count} patients"


def _rows_of(patients: Sequence[str] | NDArray[np.str_]) -> list[NDArray[np.int64]]:
    """Positions of each patient's pairs."""
    _, inverse = np.unique(np.asarray(patients), return_inverse=True)
    return [np.flatnonzero(inverse == patient) for patient in range(int(inverse.max(initial=-1)) + 1)]
