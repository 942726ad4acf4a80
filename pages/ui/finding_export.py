"""What can be taken away of findings: overlay as PNG, result as JSON, scores as CSV; no file name or header text."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from cxrkit.card import Card
from cxrkit.finding_reading import Finding
from cxrkit.finding_truth import labels_of_lesions
from cxrkit.image import Radiograph
from cxrkit.table import LineFeeds
from cxrkit.task import Task
from pages.ui.export import (
    LONGEST,
    blend,
    how_it_was_read,
    lines_of_doubts,
    lines_of_reading,
    software,
    take_away,
    with_legend,
)
from pages.ui.finding_view import FindingsView, Shown
from pages.ui.finding_words import called_in_words, name_of
from pages.ui.guard import doubts
from pages.ui.shell import FOOTER
from pages.ui.truth import Truth, draw_truth, truth_in_words
from pages.ui.words import edits_in_words, place, share

COLUMNS = (
    "label",
    "score",
    "interval_low",
    "interval_high",
    "threshold",
    "called",
    "remark",
    "unedited_score",
    "actual",
    "edits",
    "doubts",
    "weights",
    "note",
)


def finding_downloads(
    task: Task,
    card: Card,
    image: Radiograph,
    views: Sequence[FindingsView],
    shown: Shown,
    truth: Truth | None = None,
) -> None:
    """What can be taken away.

    Args:
        task: of the page.
        card: of the network.
        image: that was read.
        views: the unedited one, and the edited one where there are edits.
        shown: the first heatmap on the screen.
        truth: what lies where in a simulated image; None of an upload.
    """
    said = doubts(task, image)
    take_away(
        task,
        f"Overlay of {name_of(shown.heatmap.label).lower()} (PNG)",
        partial(findings_png, task, card, image, views[-1], shown, truth, said),
        partial(findings_json, task, card, views, shown, truth, said),
        partial(findings_csv, card, views, truth, said),
    )


def findings_csv(
    card: Card, views: Sequence[FindingsView], truth: Truth | None = None, said: Sequence[str] = ()
) -> str:
    """One row a label, in the order of the task's labels; what is not known is empty."""
    actual = None if truth is None else labels_of_lesions(lesion for lesion, _ in truth)[0]
    note = FOOTER if truth is None else f"Simulated image, no patient. {FOOTER}"
    text = io.StringIO()
    table = csv.DictWriter(LineFeeds(text), COLUMNS, restval="")
    table.writeheader()
    for finding, before in zip(views[-1].findings.findings, views[0].findings.findings, strict=True):
        table.writerow(
            _row(finding)
            | {
                "unedited_score": f"{before.score:.4f}",
                "actual": "" if actual is None else _flag(finding.label in actual),
                "edits": edits_in_words(views[-1].edits),
                "doubts": " ".join([*said, *views[-1].prediction.warnings]),
                "weights": card.sha256,
                "note": note,
            }
        )
    return text.getvalue()


def _row(finding: Finding) -> dict[str, str]:
    low, high = ("", "") if finding.interval is None else (f"{end:.4f}" for end in finding.interval)
    return {
        "label": finding.label,
        "score": f"{finding.score:.4f}",
        "interval_low": low,
        "interval_high": high,
        "threshold": "" if finding.threshold is None else str(finding.threshold),
        "called": _flag(finding.called),
        "remark": finding.remark,
    }


def _flag(value: bool) -> str:
    return "yes" if value else "no"


def findings_json(
    task: Task,
    card: Card,
    views: Sequence[FindingsView],
    shown: Shown,
    truth: Truth | None = None,
    said: Sequence[str] = (),
) -> str:
    """The last reading with all labels, the unedited scores beside them, and the first heatmap on the screen."""
    reading = views[-1].findings
    result: dict[str, Any] = {
        "task": task.name,
        "weights": card.sha256,
        "called": list(reading.called),
        "findings": [asdict(finding) | {"called": finding.called} for finding in reading.findings],
        "unedited_scores": dict(views[0].prediction.scores),
        **how_it_was_read(shown),
        "warnings": [*said, *views[-1].prediction.warnings],
        **software(),
    }
    if truth is not None:
        actual, without = labels_of_lesions(lesion for lesion, _ in truth)
        result["simulated"] = {"findings": sorted(actual), "lesions_without_label": list(without)}
    return json.dumps(result, indent=1) + "\n"


def findings_png(
    task: Task,
    card: Card,
    image: Radiograph,
    view: FindingsView,
    shown: Shown,
    truth: Truth | None = None,
    said: Sequence[str] = (),
) -> bytes:
    """The radiograph with the heatmap of one label and the true outlines over it and a legend below."""
    picture = blend(image, shown.heatmap)
    (finding,) = (one for one in view.findings.findings if one.label == shown.heatmap.label)
    limit = f"never called: {finding.remark}" if finding.threshold is None else place(finding.score, finding.threshold)
    lines = [
        f"{task.title}: score for {name_of(finding.label).lower()} {share(finding.score)}, {limit}",
        called_in_words(view.findings).replace("*", ""),
        *lines_of_reading(shown),
        f"Weights {card.sha256[:16]}",
        FOOTER,
        *lines_of_doubts([*said, *view.prediction.warnings]),
    ]
    if truth is not None:
        draw_truth(picture, truth, LONGEST / max(image.values.shape))
        lines.insert(0, f"Simulated image, no patient. Dashed outline, the truth: {truth_in_words(truth)}")
    return with_legend(picture, lines)
