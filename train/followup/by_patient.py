"""Figures with 95 % intervals where a patient has several pairs, which are not independent of each other."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from cxrkit.card import Metric
from cxrkit.errors import InputError
from cxrkit.finding_auc import auc_by_patient
from cxrkit.metrics import Interval, bootstrap_interval

OF_AUC = "interval over patients (Obuchowski 1997)"
OF_MEAN = "interval by bootstrap over patients"
OF_SHARE = "Wilson's interval, for as many pairs as would be independent"
NONE = "no interval: there is one patient, or no pair differs"

Patients = Sequence[str] | NDArray[np.str_]


def mean_by_patient(values: ArrayLike, patients: Patients) -> Interval | None:
    """Mean over pairs, whole patients resampled; a patient with more pairs weighs more.

    Args:
        values: [N], at least one.
        patients: [N].

    Returns:
        None for one patient, and for values that are all equal: nothing varies from resample to resample then, which
        does not say how sure the mean is.
    """
    numbers = np.asarray(values, dtype=np.float64)
    rows = _rows_of(patients)
    if len(rows) < 2 or np.ptp(numbers) == 0:
        return None
    sums, counts = np.array([numbers[own].sum() for own in rows]), np.array([len(own) for own in rows])
    return bootstrap_interval(lambda total, count: float(total.sum() / count.sum()), sums, counts)


def share_by_patient(called: ArrayLike, patients: Patients) -> Interval:
    """Share of pairs with Wilson's interval for as many pairs as would be independent (L. Kish 1965, design effect).

    A bootstrap of a share near 0 or 1 has too little to vary, and promises too much.

    Args:
        called: [N] True or False, or in [0, 1] where a pair counts by parts; at least one.
        patients: [N].
    """
    numbers = np.asarray(called, dtype=np.float64)
    share, trials = float(numbers.mean()), _independent(numbers, _rows_of(patients))
    square = float(norm.ppf(0.975)) ** 2
    middle = (share + square / (2 * trials)) / (1 + square / trials)
    half = np.sqrt(square * (share * (1 - share) / trials + square / (4 * trials**2))) / (1 + square / trials)
    return Interval(share, max(0.0, float(middle - half)), min(1.0, float(middle + half)))


def _independent(numbers: NDArray[np.float64], rows: Sequence[NDArray[np.int64]]) -> float:
    """How many independent pairs of 0 or 1 would say as much; of a share of 0 or 1 as many as there are patients.

    Pairs that count by parts vary less than such do, so more of those may stand for them than there are pairs.
    """
    patients, pairs, share = len(rows), len(numbers), numbers.mean()
    whole = bool(np.isin(numbers, (0.0, 1.0)).all())
    if patients == 1 or share in (0.0, 1.0) or (whole and patients == pairs):
        return patients
    off = np.array([(numbers[own] - share).sum() for own in rows])
    variance = patients / (patients - 1) * float((off**2).sum()) / pairs**2
    if variance == 0:
        return pairs
    found = float(share * (1 - share)) / variance
    return min(pairs, found) if whole else found


def auc_metric(
    name: str,
    part: str,
    target: NDArray[np.int64],
    score: NDArray[np.float64],
    patients: NDArray[np.str_],
    note: str = "",
) -> list[Metric]:
    """One AUC for the card, with both counts in its note; none where a class has fewer than two patients."""
    try:
        interval = auc_by_patient(target, score, patients.tolist())
    except InputError:
        return []
    positive = int(target.sum())
    counted = f"{positive} against {len(target) - positive}, {_patients(patients)}; {OF_AUC}"
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
    counted += f"{_patients(patients)}; {NONE if interval is None else OF_SHARE if share else OF_MEAN}"
    note = f"{note}; {counted}" if note else counted
    if interval is None:
        return [Metric(name, part, float(numbers.mean()), None, None, len(numbers), note)]
    return [as_metric(name, part, interval, len(numbers), note)]


def as_metric(name: str, part: str, interval: Interval, cases: int, note: str = "") -> Metric:
    """A figure for the card."""
    return Metric(name, part, interval.value, interval.low, interval.high, cases, note)


def _patients(patients: NDArray[np.str_]) -> str:
    count = len(set(patients.tolist()))
    return f"{count} patient" if count == 1 else f"{count} patients"


def _rows_of(patients: Patients) -> list[NDArray[np.int64]]:
    """Positions of each patient's pairs."""
    _, inverse = np.unique(np.asarray(patients), return_inverse=True)
    return [np.flatnonzero(inverse == patient) for patient in range(int(inverse.max(initial=-1)) + 1)]
