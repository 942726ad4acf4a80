"""A timeline of one patient as CSV, without a file name or a date."""

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cxrkit.card import Card
from cxrkit.table import LineFeeds
from cxrkit.task import Task
from pages.ui.pair_results import ABNORMAL
from pages.ui.shell import FOOTER
from pages.ui.visits import Visit

if TYPE_CHECKING:
    from cxrkit.predict import Prediction

COLUMNS = (
    "image",
    "days_after_the_first",
    "score_abnormal",
    "threshold_abnormal",
    "score_change",
    "threshold_change",
    "against_the_one_before",
    "weights",
    "note",
)
"""Only numbers and words of ours, so no cell can start a formula in a spreadsheet."""


def timeline_csv(
    task: Task,
    card: Card,
    visits: Sequence[Visit],
    states: Sequence[float | None],
    steps: "Sequence[Prediction]",
    threshold: float,
) -> str:
    """One row an image in order; what is not known, and the first image's change, is empty.

    Args:
        task, card: what read.
        visits: two or more.
        states: score for abnormal of each, in [0, 1]; None where the network has no such answer.
        steps: of each image with the one before it.
        threshold: in [0, 1], from which change is called.
    """
    limit = card.thresholds.get(ABNORMAL)
    text = io.StringIO()
    table = csv.DictWriter(LineFeeds(text), COLUMNS)
    table.writeheader()
    for visit, state, step in zip(visits, states, (None, *steps), strict=True):
        table.writerow(
            {
                "image": visit.name,
                "days_after_the_first": "" if visit.day is None else visit.day,
                "score_abnormal": _score(state),
                "threshold_abnormal": _score(limit),
                "score_change": _score(None if step is None else step.scores[task.positive]),
                "threshold_change": _score(threshold),
                "against_the_one_before": "" if step is None else step.label,
                "weights": card.sha256,
                "note": " ".join(filter(None, (visit.attribution, FOOTER))),
            }
        )
    return text.getvalue()


def _score(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"
