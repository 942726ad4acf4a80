"""Figures on pairs made of radiographs set aside: change by lesion and contrast, direction, variation, control."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrkit.card import Metric
from cxrkit.phantoms.settings import LESIONS
from cxrkit.report import figure
from train.followup.by_patient import as_metric, auc_metric, mean_metric, share_by_patient
from train.followup.held import Held
from train.followup.made_aside import CONTRASTS, EDGES, MadePairs

LESION_TABLE = "Change in pairs made of radiographs set aside, by lesion and contrast"
MADE = "pairs made of radiographs set aside"
DIRECTION = "direction AUC"
"""The page gives a direction only while every figure of this name beats chance."""


def change_metrics(
    changed: MadePairs, unchanged: MadePairs, temperature: float, threshold: float
) -> tuple[list[Metric], list[dict[str, Any]]]:
    """AUC, sensitivity and specificity over all made pairs and by set; and the table by lesion and contrast."""
    score, calm = changed.answers.change(temperature), unchanged.answers.change(temperature)
    at = f"called from a score of {threshold:.3f}"
    mix = "every lesion and contrast as often"
    metrics = _auc_of(MADE, score, calm, changed.patients, unchanged.patients, mix)
    metrics += mean_metric("sensitivity", MADE, score >= threshold, changed.patients, f"{mix}; {at}", share=True)
    metrics += mean_metric("specificity", MADE, calm < threshold, unchanged.patients, at, share=True)
    for name in dict.fromkeys(changed.sets.tolist()):
        own, other = changed.sets == name, unchanged.sets == name
        part = f"{MADE}, {name} alone"
        metrics += _auc_of(part, score[own], calm[other], changed.patients[own], unchanged.patients[other])
    rows = []
    for kind in ("any", *LESIONS):
        for contrast in ("any", *CONTRASTS):
            own = np.isin(changed.kinds, LESIONS if kind == "any" else (kind,))
            own &= np.isin(changed.contrasts, CONTRASTS if contrast == "any" else (contrast,))
            if own.any():
                called = share_by_patient(score[own] >= threshold, changed.patients[own])
                auc = _auc_of("", score[own], calm, changed.patients[own], unchanged.patients)
                rows.append(
                    {
                        "lesion": kind,
                        "contrast": _contrast_words(contrast),
                        "pairs with change": int(own.sum()),
                        "without": len(calm),
                        "AUC (95 % interval)": figure(auc[0]) if auc else "",
                        "sensitivity (95 % interval)": figure(as_metric("", "", called, int(own.sum()))),
                    }
                )
    return metrics, rows


def _auc_of(
    part: str,
    changed: NDArray[np.float64],
    calm: NDArray[np.float64],
    patients: NDArray[np.str_],
    calm_patients: NDArray[np.str_],
    note: str = "",
) -> list[Metric]:
    target = np.repeat([1, 0], [len(changed), len(calm)])
    both = np.concatenate([patients, calm_patients])
    return auc_metric("AUC", part, target, np.concatenate([changed, calm]), both, note)


def _contrast_words(contrast: str) -> str:
    if contrast == "any":
        return contrast
    number = CONTRASTS.index(contrast)
    return f"{contrast}, {EDGES[number]:.2f} to {EDGES[number + 1]:.2f}"


def direction_metrics(changed: MadePairs) -> list[Metric]:
    """Whether there is less or more at follow-up, over all made pairs with change."""
    score = changed.answers.further("direction")
    if score is None:
        return []
    return auc_metric(DIRECTION, f"{MADE}, with change", changed.more, score, changed.patients, "more against less")


def natural_metrics(
    held: Held, untouched: MadePairs, restored: MadePairs, temperature: float, threshold: float
) -> list[Metric]:
    """How often one radiograph under natural variation is called change; and whether editing has left a trace."""
    before, after = untouched.answers.change(temperature), restored.answers.change(temperature)
    patients = untouched.patients
    natural = f"{held.aside}: one radiograph twice under natural variation"
    control = f"{held.aside}: the same pairs, a lesion drawn and taken away again"
    at = f"called from a score of {threshold:.3f}"
    called = (before >= threshold, after >= threshold)
    difference = called[1].astype(np.float64) - called[0]
    metrics = mean_metric("false-change rate", natural, called[0], patients, at, share=True)
    metrics += mean_metric("false-change rate", control, called[1], patients, at, share=True)
    metrics += mean_metric(
        "false-change rate, less that of the untouched pairs", control, difference, patients, "0 is ideal"
    )
    metrics += mean_metric("score, less that of the untouched pairs", control, after - before, patients, "0 is ideal")
    target = np.repeat([1, 0], [len(after), len(before)])
    note = "0.5 where nothing of the editing is seen"
    metrics += auc_metric(
        "AUC, edited and restored against untouched",
        control,
        target,
        np.concatenate([after, before]),
        np.concatenate([patients, patients]),
        note,
    )
    return metrics
