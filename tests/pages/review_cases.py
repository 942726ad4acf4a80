"""Simulated cases with a table of predictions, for tests of the review page."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from cxrkit.predictions import prediction_columns
from cxrkit.task import Task


def write_images(folder: Path, count: int, seed: int = 0) -> list[str]:
    """Small gray pictures, no two alike: a table of predictions says what is in them."""
    generator = np.random.default_rng(seed)
    rows, columns = np.indices((96, 80))
    names = []
    for number in range(count):
        middle = generator.uniform(25, 60, 2)
        blob = 150 * np.exp(-((rows - middle[0]) ** 2 + (columns - middle[1]) ** 2) / 300)
        pixels = np.clip(50 + blob + generator.normal(0, 6, blob.shape), 0, 255).astype(np.uint8)
        names.append(f"{number:04d}.png")
        Image.fromarray(pixels).save(folder / names[-1])
    return names


def predictions(task: Task, files: Sequence[Sequence[str]], targets: Sequence[str], answers: Sequence[float]) -> bytes:
    """A table as `python -m cxrkit evaluate --out` writes it, with sex, age and site beside it.

    Args:
        task: that was predicted.
        files: of each case, as many as the task has inputs.
        targets: as a manifest writes them.
        answers: score of the positive class, of every label alike where there are several, or age in months.
    """
    text = io.StringIO()
    given = (*task.file_columns, task.target_column, "patient_id", "sex", "age_years", "site")
    table = csv.DictWriter(text, (*given, *prediction_columns(task)), restval="", lineterminator="\n")
    table.writeheader()
    for number, (names, target, answer) in enumerate(zip(files, targets, answers, strict=True)):
        row = dict(zip(task.file_columns, names, strict=True))
        row |= {"patient_id": f"p{number // 2}", "sex": "FM"[number % 2], "age_years": str(20 + number * 7 % 60)}
        row |= {task.target_column: target, "site": "ABC"[number % 3]}
        table.writerow(row | _answers(task, answer))
    return text.getvalue().encode()


def _answers(task: Task, answer: float) -> dict[str, str]:
    columns = prediction_columns(task)
    if task.values:
        return {columns[0]: str(answer)}
    scores = [answer] * len(task.labels)
    if task.called is not None:
        scores[1 - task.positive_index] = 1 - answer
    return {name: str(score) for name, score in zip(columns, scores, strict=False)}
