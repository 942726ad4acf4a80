"""Whose case each row of a review is: cases of one patient are not independent, and intervals have to know it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrkit.checks import Integers
from cxrkit.review.table import ReviewSet

PATIENT = "patient_id"
"""Column that says whose image it is; see `cxrkit.cases.read_manifest`."""


def owners_of(review: ReviewSet, rows: NDArray[np.int64]) -> Integers | None:
    """[M] numbers of whose these rows are, as `owner_numbers`.

    None where the table has no column of patients and no files twice: then all cases are independent for all we know.
    """
    columns = [review.table[name].iloc[rows].astype(str) for name in review.task.file_columns]
    files: list[tuple[str, ...]] = list(zip(*columns, strict=True))
    if PATIENT in review.table:
        return owner_numbers(review.table[PATIENT].iloc[rows].astype(str).str.strip().tolist(), files)
    owners = owner_numbers([""] * len(files), files)
    return owners if share_patients(owners) else None


def owner_numbers(patients: Sequence[str], files: Sequence[tuple[str, ...]]) -> Integers:
    """[M] numbers of whose each case is, from 0 in their order: the patient's, or where none is named the files'.

    As `cxrkit.evaluate` has it: rows of the same files are one case. A case without either is its own: blank cells
    taken for one patient would be resampled as one, which leaves nothing to resample.

    Args:
        patients: "" where not known.
        files: of each case.
    """
    numbers: dict[object, int] = {}
    owners = [
        patient or (names if any(names) else row)
        for row, (patient, names) in enumerate(zip(patients, files, strict=True))
    ]
    return np.array([numbers.setdefault(owner, len(numbers)) for owner in owners], dtype=np.int64)


def share_patients(owners: NDArray[Any] | None) -> bool:
    """Whether a patient has several of the cases; [M] owners, None = each its own."""
    return owners is not None and np.unique(owners).size < owners.size
