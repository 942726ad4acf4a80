"""The AUC of a label, over patients where some have several cases."""

import numpy as np
from numpy.typing import NDArray

from cxrkit.checks import Floats
from cxrkit.finding_auc import auc_by_patient
from cxrkit.metrics import Interval, delong_interval
from cxrkit.review.compare_tests import BY_PATIENT, DELONG
from cxrkit.review.owners import share_patients


def auc_interval(target: Floats, score: Floats, owners: NDArray[np.int64] | None) -> Interval:
    """The AUC with DeLong's interval, or Obuchowski's over patients, as the cards of the tasks have it.

    Args:
        target: [M] 0 or 1.
        score: [M] higher means more likely positive.
        owners: [M] whose case each is; None = each its own.

    Raises:
        InputError: fewer than two cases of a class, or fewer than two patients with cases of a class.
    """
    if owners is None or not share_patients(owners):
        return delong_interval(target, score)
    return auc_by_patient(target, score, [str(owner) for owner in owners.tolist()])


def auc_method(owners: NDArray[np.int64] | None) -> str:
    """What the interval of `auc_interval` is called."""
    return BY_PATIENT if share_patients(owners) else DELONG
