"""Findings that are called against those that are there."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from cxrkit.finding_reading import FindingsReading

LABEL_OF_LESION = {
    "nodule": "Nodule",
    "consolidation": "Consolidation",
    "effusion": "Effusion",
    "pneumothorax": "Pneumothorax",
    "atelectasis": "Atelectasis",
    "enlarged heart": "Cardiomegaly",
}
"""Label of ChestX-ray14 for each lesion of a simulated chest; a cavity has none."""

Outcome = Literal["right", "missed", "extra", "never called"]


@dataclass(frozen=True)
class Comparison:
    """One label that is there, called, or both.

    Attributes:
        label: of the task.
        actual: whether it is there.
        called: whether it is called.
        outcome: "never called" of a label that is there and that this network may not call.
    """

    label: str
    actual: bool
    called: bool
    outcome: Outcome


def labels_of_lesions(lesions: Iterable[str]) -> tuple[frozenset[str], tuple[str, ...]]:
    """Kinds of lesions -> their labels, and the kinds that have none, in their order."""
    kinds = tuple(dict.fromkeys(lesions))
    without = tuple(kind for kind in kinds if kind not in LABEL_OF_LESION)
    return frozenset(LABEL_OF_LESION[kind] for kind in kinds if kind not in without), without


def compare_findings(actual: frozenset[str], reading: FindingsReading) -> tuple[Comparison, ...]:
    """Every label that is there or called, in the order of the task's labels."""
    found = []
    for finding in reading.findings:
        there, called = finding.label in actual, finding.called
        if there or called:
            outcome = _outcome(there, called=called, may=finding.threshold is not None)
            found.append(Comparison(finding.label, there, called, outcome))
    return tuple(found)


def _outcome(there: bool, *, called: bool, may: bool) -> Outcome:
    if called:
        return "right" if there else "extra"
    return "missed" if may else "never called"
