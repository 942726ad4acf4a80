"""What can be taken away of a comparison: both overlays side by side as PNG, the result as JSON."""

import json
from collections.abc import Sequence
from functools import partial
from textwrap import wrap
from typing import Any

import numpy as np

from cxrkit.card import Card
from cxrkit.localisation import localise
from cxrkit.registration import Registration
from cxrkit.task import Task
from pages.ui.export import FAINTEST, LINE, LONGEST, blend, lines_of_doubts, software, take_away, with_legend
from pages.ui.guard import doubts
from pages.ui.pair_checks import MATCHING_TABLE, usual_ranges, warnings_of_checks
from pages.ui.pair_reading import PairReading
from pages.ui.pair_results import ABNORMAL, direction_in_words, of_these, overlay_label, reading_in_words
from pages.ui.shell import FOOTER
from pages.ui.truth import draw_truth
from pages.ui.visits import Visit
from pages.ui.words import place, share

_GAP = 12
"""Pixels between the two images."""


def pair_downloads(
    task: Task, card: Card, visits: tuple[Visit, Visit], reading: PairReading, fit: Registration
) -> None:
    """What can be taken away of a comparison."""
    said = [f"{visit.name}: {text}" for visit in visits for text in doubts(task, visit.image)]
    said += [of_these(warning, visits) for warning in reading.prediction.warnings]
    said += warnings_of_checks(task, card, reading, fit)
    take_away(
        task,
        "Both overlays (PNG)",
        partial(pair_png, task, card, visits, reading, said),
        partial(pair_json, task, card, visits, reading, fit, said),
    )


def pair_json(
    task: Task,
    card: Card,
    visits: tuple[Visit, Visit],
    reading: PairReading,
    fit: Registration,
    said: Sequence[str] = (),
) -> str:
    """Everything that the page says of the pair, and with which software; `said` are all its doubts."""
    prediction = reading.prediction
    result: dict[str, Any] = {
        "task": task.name,
        "weights": card.sha256,
        "scores": dict(prediction.scores),
        "threshold": prediction.threshold,
        "label": prediction.label,
        "reading": _plain(f"{reading_in_words(card, reading, visits)} {direction_in_words(task, reading)}"),
        "threshold_abnormal": card.thresholds.get(ABNORMAL),
        "further": {name: dict(answer) for name, answer in prediction.further.items()},
        "compared": [visit.name for visit in visits],
        "days_apart": _days_apart(visits),
        "order_swapped": dict(reading.swapped.scores),
        "order_swapped_label": reading.swapped.label,
        "matching": list(prediction.matching),
        "matching_usual": usual_ranges(card.tables.get(MATCHING_TABLE, []), len(prediction.matching)),
        "registration": {
            "converged": fit.converged,
            "residual": fit.residual,
            "shift_share": list(fit.shift_share),
            "rotation_degrees": fit.rotation_degrees,
            "scale": fit.scale,
        },
        "crops": [
            dict(zip(("left", "top", "right", "bottom"), placement.box, strict=True)) | {"chosen_by": source}
            for placement, source in zip(reading.prepared.placements, reading.prepared.crop_sources, strict=True)
        ],
        "heatmap": {"overlay": str(reading.overlay)} | _evidence(reading),
        "warnings": [*said],
        **software(),
    }
    if visits[0].attribution:
        result["attribution"] = visits[0].attribution
    if visits[0].truth is not None:
        result["simulated"] = _figures(visits, reading)
    return json.dumps(result, indent=1) + "\n"


def _plain(markdown: str) -> str:
    return markdown.replace("**", "")


def _evidence(reading: PairReading) -> dict[str, Any]:
    """What the overlay is made of: maps of lesions have neither a label that they explain nor a method."""
    if reading.overlay.of_lesions:
        return {"strongest_probability": [heatmap.maximum for heatmap in reading.heatmaps]}
    maps = reading.maps
    return {"label": maps.label, "method": str(maps.method), "raw_maxima": list(maps.maxima)}


def _days_apart(visits: tuple[Visit, Visit]) -> int | None:
    first, second = (visit.day for visit in visits)
    return None if first is None or second is None else second - first


def _figures(visits: tuple[Visit, Visit], reading: PairReading) -> list[dict[str, Any]]:
    """Of each simulated image the heat inside what has changed; none where nothing has, or where there is no heat."""
    found = []
    for visit, heatmap in zip(visits, reading.heatmaps, strict=True):
        for name, mask in visit.truth or ():
            if not heatmap.empty:
                figures = localise(reading.strength(heatmap), heatmap.box, mask)
                found.append({"image": visit.name, "region": name, "share": figures.share, "hit": figures.hit})
    return found


def pair_png(
    task: Task, card: Card, visits: tuple[Visit, Visit], reading: PairReading, said: Sequence[str] = ()
) -> bytes:
    """Baseline and follow-up at their display windows, equally high, with overlay, true outlines and a legend."""
    import cv2

    signed = reading.overlay.signed
    pictures = []
    for visit, heatmap in zip(visits, reading.heatmaps, strict=True):
        picture = blend(visit.image, heatmap, signed=signed)
        if visit.truth:
            draw_truth(picture, visit.truth, LONGEST / max(visit.image.values.shape))
        pictures.append(picture)
    height = min(picture.shape[0] for picture in pictures)
    gap = np.zeros((height, _GAP, 3), dtype=np.uint8)
    level = [cv2.resize(p, (round(p.shape[1] * height / p.shape[0]), height)) for p in pictures]
    return with_legend(
        np.hstack([level[0], gap, level[1]]),
        [*_legend(task, card, visits, reading), *lines_of_doubts(said)],
        signed=signed,
    )


def _legend(task: Task, card: Card, visits: tuple[Visit, Visit], reading: PairReading) -> list[str]:
    prediction, (first, second) = reading.prediction, reading.maps.maxima
    score, days = prediction.scores[task.positive], _days_apart(visits)
    raw = "" if reading.overlay.of_lesions else f"; raw maxima {first:.3g} and {second:.3g}"
    lines = [
        f"{task.title}: left {visits[0].name.lower()}, right {visits[1].name.lower()}"
        + ("" if days is None else f", {abs(days)} {'day' if abs(days) == 1 else 'days'} apart"),
        f"Score for {task.positive} {share(score)}, {place(score, prediction.threshold)}. "
        + _plain(reading_in_words(card, reading, visits)),
        f"Heatmap: {overlay_label(reading)}{raw}, colours from {FAINTEST:g}",
        f"Weights {card.sha256[:16]}, threshold of the card {share(card.thresholds[task.positive])}",
        FOOTER,
    ]
    if visits[0].truth is not None:
        two = "Simulated images of two people, no patients: neither answer is right"
        truth = "Simulated images, no patient. Dashed outline, the truth: what has changed"
        lines.insert(0, two if visits[0].of_another else truth)
    return [*lines, *wrap(visits[0].attribution, LINE)]
