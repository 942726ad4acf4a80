"""Figures on real pairs: change, direction, the order of the two images; and normal or abnormal single radiographs."""

from dataclasses import replace

import numpy as np

from cxrkit.card import Metric
from cxrkit.evaluate import measure
from train.followup.by_patient import auc_metric, mean_metric
from train.followup.held import RealPairs, Singles
from train.followup.kinds import SHORT
from train.followup.losses import UNKNOWN
from train.followup.measure_made import DIRECTION

_OF_SINGLES = ("AUC", "sensitivity", "specificity")


def change_of_real(pairs: RealPairs, temperature: float, threshold: float) -> list[Metric]:
    """All figures of change where labels are known; elsewhere, how often successive images are called change."""
    score = pairs.there.change(temperature)
    known = pairs.change != UNKNOWN
    if known.any():
        target, patients = pairs.change[known], pairs.patients[known]
        return list(measure(target, score[known], threshold, pairs.part, pairs.note, patients.tolist())[0])
    near = pairs.days <= SHORT
    part = f"{pairs.part}, at most {SHORT:.0f} days apart"
    note = "no label, so neither right nor wrong: within so few days little changes on most patients"
    return mean_metric("called change", part, score[near] >= threshold, pairs.patients[near], note, share=True)


def direction_of_real(pairs: RealPairs) -> list[Metric]:
    """Less or more at follow-up, on changed pairs whose direction is known."""
    score = pairs.there.further("direction")
    known = pairs.direction != UNKNOWN
    if score is None or not known.any():
        return []
    note = "findings only added against only removed" + (f"; {pairs.note}" if pairs.note else "")
    return auc_metric(DIRECTION, pairs.part, pairs.direction[known], score[known], pairs.patients[known], note)


def order_of_real(pairs: RealPairs, temperature: float, threshold: float) -> list[Metric]:
    """What swapping baseline and follow-up does to the answer."""
    there, back = pairs.there.change(temperature), pairs.back.change(temperature)
    turned = (there >= threshold) != (back >= threshold)
    return [
        *mean_metric(
            "order swapped: mean absolute difference of the score",
            pairs.part,
            np.abs(there - back),
            pairs.patients,
            "0 is ideal",
        ),
        *mean_metric("order swapped: label turns", pairs.part, turned, pairs.patients, "0 is ideal", share=True),
    ]


def abnormal_of_singles(singles: Singles, threshold: float) -> list[Metric]:
    """Normal or abnormal, each radiograph read as both images of a pair."""
    score = singles.answers.further("baseline")
    if score is None:
        return []
    note, owners = "one radiograph as both images", singles.patients.tolist()
    found = measure(singles.abnormal, score, threshold, singles.part, note, owners)[0]
    return [replace(metric, name=f"abnormal: {metric.name}") for metric in found if metric.name in _OF_SINGLES]
