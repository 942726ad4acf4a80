"""Whose case each row of a review is: cases of one patient are not independent, and intervals have to know it."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxrkit.checks import Integers
from cxrkit.review.table import ReviewSet

PATIENT = "patient_id"
"""Column that says whose image it is; see `cxrkit.cases.read_manifest`."""


def owners_of(review: ReviewSet, rows: NDArray[np.int64]) -> Integers | None:
    """[M] numbers of the patients of these rows, as `owner_numbers`; None where the table has no such column."""
    return owner_numbers(review.table[PATIENT].iloc[rows]) if PATIENT in review.table else None


def owner_numbers(names: "pd.Series[Any]") -> Integers:
    """[M] numbers of the patients, from 0 in their order; a case without a name is its own patient.

    Blank cells taken for one patient would be resampled as one, which leaves nothing to resample.
    """
    written = names.astype(str).str.strip()
    numbers = np.asarray(pd.factorize(written)[0], dtype=np.int64)
    blank = np.flatnonzero(written == "")
    numbers[blank] = len(numbers) + blank
    return np.asarray(pd.factorize(numbers)[0], dtype=np.int64)


def share_patients(owners: NDArray[Any] | None) -> bool:
    """Whether a patient has several of the cases; [M] owners, None = each its own."""
    return owners is not None and np.unique(owners).size < owners.size
