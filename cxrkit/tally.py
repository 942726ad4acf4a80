"""What the figures need of many rows: a few numbers of each case, so that memory hardly grows with their number."""

from array import array
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cxrkit.age_figures import JudgedAge
from cxrkit.batch_case import Row
from cxrkit.checks import Floats, Integers
from cxrkit.finding_figures import JudgedFindings
from cxrkit.finding_labels import several_labels
from cxrkit.task import Task

if TYPE_CHECKING:
    from cxrkit.predict import Prediction


class Tally:
    """Cases that were predicted, counted one by one.

    Args:
        task: that was predicted.

    Attributes:
        cases: all of them.
        used: those with a prediction and a target.
        owners: of the used ones whose scores are compared: patient, or the case's files.
        ages: of tasks that predict one.
        findings: of tasks whose labels are answered each by itself.
    """

    def __init__(self, task: Task) -> None:
        self.task, self.cases, self.used = task, 0, 0
        self.owners: list[str] = []
        self.ages: list[JudgedAge] = []
        self.findings = JudgedFindings(task.labels)
        self._target, self._score = array("b"), array("d")

    def add(self, row: Row) -> None:
        """Count one case."""
        self.cases += 1
        if row.prediction is None:
            return
        owner = row.case.patient or repr(row.case.files)
        if several_labels(self.task):
            if row.findings is not None and row.prediction.findings is not None:
                self.findings.add(row.findings, row.prediction.findings, owner)
                self.used += 1
        elif row.target is not None:
            self._judge(row.target, row.prediction, owner)
            self.used += 1

    def _judge(self, target: float, prediction: "Prediction", owner: str) -> None:
        if prediction.age is not None:
            # No figure is made of the probabilities of its 77 classes.
            self.ages.append(JudgedAge(target, replace(prediction.age, probabilities=()), owner))
            return
        self._target.append(target == self.task.positive_index)
        self._score.append(prediction.scores[self.task.positive])
        self.owners.append(owner)

    @property
    def scored(self) -> tuple[Integers, Floats]:
        """[N] 1 for the positive class, and its scores [N], of tasks that call one class."""
        return np.array(self._target, dtype=np.int64), np.array(self._score, dtype=np.float64)
