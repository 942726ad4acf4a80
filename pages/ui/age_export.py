"""What can be taken away of a bone age: the overlay as PNG, the result as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from cxrkit.bone_age import SD_SOURCE, in_words
from cxrkit.card import Card
from cxrkit.image import Radiograph
from cxrkit.phantoms import HandSettings
from cxrkit.task import Task
from pages.ui.age_question import sex_in_words
from pages.ui.age_reading import HandReading
from pages.ui.export import blend, how_it_was_read, lines_of_doubts, lines_of_reading, software, take_away, with_legend
from pages.ui.guard import doubts
from pages.ui.shell import FOOTER
from pages.ui.words import interval_name, sd_in_words


def age_downloads(
    task: Task,
    card: Card,
    image: Radiograph,
    readings: Sequence[HandReading],
    settings: HandSettings | None = None,
) -> None:
    """What can be taken away. `settings` are known of simulated hands only."""
    said = doubts(task, image)
    take_away(
        task,
        "Overlay (PNG)",
        partial(age_png, task, card, image, readings[-1], settings, said),
        partial(age_json, task, card, readings, settings, said),
    )


def age_json(
    task: Task,
    card: Card,
    readings: Sequence[HandReading],
    settings: HandSettings | None = None,
    said: Sequence[str] = (),
) -> str:
    """The last reading, with the unedited bone age beside it. Ages are in months."""
    reading = readings[-1]
    age = reading.age
    score = None if age.sd is None else age.sd.score
    result: dict[str, Any] = {
        "task": task.name,
        "weights": card.sha256,
        "bone_age_months": age.expected,
        "likeliest_class_months": age.likeliest,
        "interval_months": None if age.interval is None else list(age.interval),
        "interval_coverage": age.coverage,
        "spread_months": age.spread,
        "probabilities": dict(reading.prediction.scores),
        "sex_stated": age.sex,
        "sex_read": dict(reading.prediction.further.get("sex", {})),
        "chronological_age_months": age.age,
        "sd_score": None if score is None else asdict(score) | {"table": SD_SOURCE},
        "sd_score_reason": "the child's own age was not stated" if age.sd is None else age.sd.reason,
        "unedited_bone_age_months": readings[0].age.expected,
        **how_it_was_read(reading),
        "turned_quarters_clockwise": reading.prepared.placements[0].turn,
        "warnings": [*said, *reading.prediction.warnings],
        **software(),
    }
    if settings is not None:
        result["simulated"] = {"bone_age_months": settings.age_months, "sex": settings.sex}
    return json.dumps(result, indent=1) + "\n"


def age_png(
    task: Task,
    card: Card,
    image: Radiograph,
    reading: HandReading,
    settings: HandSettings | None = None,
    said: Sequence[str] = (),
) -> bytes:
    """The radiograph at its display window with the heatmap over it and a legend below."""
    lines = [_answer(task, reading), *lines_of_reading(reading), f"Weights {card.sha256[:16]}", FOOTER]
    lines += lines_of_doubts([*said, *reading.prediction.warnings])
    if settings is not None:
        lines.insert(0, f"Simulated hand, no patient. True bone age: {in_words(settings.age_months)}")
    return with_legend(blend(image, reading.heatmap), lines)


def _answer(task: Task, reading: HandReading) -> str:
    """Bone age, interval, sex and SD score in one line."""
    age = reading.age
    parts = [f"{task.title}: {in_words(age.expected)}"]
    if age.interval is not None:
        parts.append(f"{interval_name(age.coverage)} {' to '.join(in_words(end) for end in age.interval)}")
    parts.append("sex not stated" if age.sex is None else sex_in_words(age.sex))
    if age.sd is not None and age.sd.score is not None:
        parts.append(f"SD score {sd_in_words(age.sd.score)}, {age.sd.score.verdict}")
    return ", ".join(parts)
