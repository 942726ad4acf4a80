"""A quiz pack of simulated cases, to look at and to take apart before making one of one's own."""

import csv
import io
import zipfile
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cxrkit.quiz.archive import TABLE
from cxrkit.quiz.drawing import draw_quiz
from cxrkit.quiz.material import make_material
from cxrkit.quiz.pack_table import COLUMNS
from cxrkit.quiz.question import Question
from cxrkit.quiz.settings import QuizSettings
from cxrkit.table import LineFeeds

_SEED = 12
_HEIGHT = 512
_DAY = (2026, 1, 1, 0, 0, 0)
"""Of every file, so that the pack is the same each time."""


def example_rows() -> list[dict[str, str]]:
    """The example's table: a dictionary a row, from COLUMNS to text."""
    return [_row(question, masked=bool(question.what)) for question in _questions()]


def example_pack() -> bytes:
    """The zip file: two chests, one pair, two hands and two lung scans, each as PNG."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        rows = []
        for question in _questions():
            material = make_material(question.source)
            region = material.regions[-1]
            row = _row(question, masked=region is not None)
            rows.append(row)
            for name, image in zip((row["file"], row["file2"]), material.images, strict=False):
                _add(archive, name, _png(image.windowed()))
            if region is not None:
                _add(archive, row["mask"], _png(region.astype(np.float32)))
        _add(archive, TABLE, _csv(rows))
    return file.getvalue()


def _questions() -> list[Question]:
    drawn: list[Question] = []
    for task, cases in (("tuberculosis", 2), ("followup", 1), ("bone_age", 2), ("vq", 2)):
        drawn += draw_quiz(QuizSettings(task, _SEED, cases, "easy"), _HEIGHT)
    return drawn


def _row(question: Question, *, masked: bool) -> dict[str, str]:
    stem = f"{question.task}_{question.number}"
    two = question.task == "followup"
    row = dict.fromkeys(COLUMNS, "")
    return row | {
        "file": f"{stem}_baseline.png" if two else f"{stem}.png",
        "file2": f"{stem}_follow-up.png" if two else "",
        "task": question.task,
        "truth": question.truth if isinstance(question.truth, str) else f"{question.truth:g}",
        "mask": f"{stem}_mask.png" if masked else "",
        "level": question.level or "",
        "sex": question.sex or "",
        "note": f"Simulated: {question.what or 'no patient'}",
    }


def _csv(rows: Sequence[dict[str, str]]) -> bytes:
    text = io.StringIO()
    table = csv.DictWriter(LineFeeds(text), COLUMNS)
    table.writeheader()
    table.writerows(rows)
    return text.getvalue().encode()


def _png(gray: NDArray[np.float32]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.rint(gray * 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, _DAY), data, zipfile.ZIP_DEFLATED)
