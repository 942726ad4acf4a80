"""quiz.csv of a quiz pack: which file is which case, and what is true of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from cxrkit.bone_age import SEXES, Sex
from cxrkit.errors import ManifestError
from cxrkit.quiz.archive import TABLE
from cxrkit.quiz.pack_case import Box
from cxrkit.quiz.question import LEVELS, LOCATED, READINGS, Level
from cxrkit.quiz.settings import MOST_CASES
from cxrkit.table import cells_by_name, columns_in_words, parse_table
from cxrkit.tasks import find_task

NEEDED = ("file", "task", "truth")
EDGES = ("x0", "y0", "x1", "y1")
COLUMNS = ("file", "file2", "task", "truth", "mask", *EDGES, "level", "sex", "note")
OLDEST = 228
"""Months of the last class of a bone age."""
MOST_NOTE = 300

_OTHER_WORDS = {
    "tuberculosis": {"tuberculosis": "abnormal", "lesion": "abnormal", "no lesion": "normal"},
    "nih14": {"no finding": READINGS["nih14"][-1]},
}
"""What else a truth may be called."""


@dataclass(frozen=True)
class PackRow:
    """One row of the table, checked as far as that is possible without the files.

    Attributes:
        number: as a spreadsheet counts it; the header is row 1.
        task, truth, level, sex: as in Question.
        files: names in the archive, in the order of the task's inputs.
        mask: name in the archive; "" = none.
        box: as in PackCase.
        note: for the learner, once the answer is shown.
    """

    number: int
    task: str
    files: tuple[str, ...]
    truth: str | float
    mask: str
    box: Box | None
    level: Level | None
    sex: Sex | None
    note: str


def read_pack_table(data: bytes) -> tuple[PackRow, ...]:
    """Read quiz.csv.

    Args:
        data: of the file: UTF-8, separated by commas, semicolons or tabs; its first row names COLUMNS, of which NEEDED
            have to be there.

    Raises:
        ManifestError: it cannot be used; the sentence says the row.
    """
    written, rows = parse_table(data, (), TABLE)
    header = [name.casefold() for name in written]
    lacking = [name for name in NEEDED if name not in header]
    if lacking:
        raise ManifestError(f"{TABLE} lacks the {columns_in_words(lacking)}. Its first row has to name the columns.")
    strange = len([name for name in header if name not in COLUMNS])
    if strange or len(set(header)) < len(header):
        raise ManifestError(f"{TABLE} has a column that is not known, or one twice. Known are: {', '.join(COLUMNS)}.")
    if len(rows) > MOST_CASES:
        raise ManifestError(f"{TABLE} has {len(rows)} cases; a pack holds 1 to {MOST_CASES}.")
    return tuple(_row(number, cells_by_name(header, cells, f"Row {number} of {TABLE}")) for number, cells in rows)


def _row(number: int, cells: Mapping[str, str]) -> PackRow:
    where = f"Row {number} of {TABLE}"
    task = cells.get("task", "")
    if task not in READINGS:
        raise ManifestError(f"{where} names no task. Write one of: {', '.join(READINGS)}.")
    level, note = cells.get("level", "").casefold(), cells.get("note", "")
    if level not in ("", *LEVELS):
        raise ManifestError(f"{where} has a level that is not known. Write {', '.join(LEVELS)}, or leave it empty.")
    sex = cells.get("sex", "").upper()
    if sex not in ("", *SEXES):
        raise ManifestError(f"{where} has a sex that is not known. Write F or M, or leave it empty.")
    if len(note) > MOST_NOTE:
        raise ManifestError(f"The note in row {number} of {TABLE} is longer than {MOST_NOTE} letters. Shorten it.")
    return PackRow(
        number=number,
        task=task,
        files=_files(where, task, cells),
        truth=_truth(where, task, cells.get("truth", "")),
        mask=cells.get("mask", ""),
        box=_box(where, task, cells),
        level=next((known for known in LEVELS if known == level), None),
        sex=next((known for known in SEXES if known == sex), None),
        note=note,
    )


def _files(where: str, task: str, cells: Mapping[str, str]) -> tuple[str, ...]:
    names = tuple(name for name in (cells.get("file", ""), cells.get("file2", "")) if name)
    wanted = len(find_task(task).inputs)
    if len(names) != wanted:
        columns = "file and file2" if wanted == 2 else "file alone"
        raise ManifestError(f"{where} names {len(names)} images; this task reads {wanted}. Fill {columns}.")
    return names


def _truth(where: str, task: str, text: str) -> str | float:
    known = READINGS[task]
    if not known:
        return _months(where, text)
    wanted = _OTHER_WORDS.get(task, {}).get(text.casefold(), text).casefold().replace("_", " ")
    for reading in known:
        if reading.casefold() == wanted:
            return reading
    raise ManifestError(f"{where} has a truth that is not known. Write one of: {', '.join(known)}.")


def _months(where: str, text: str) -> float:
    try:
        months = float(text)
    except ValueError:
        months = -1.0
    if not 0 <= months <= OLDEST:
        raise ManifestError(f"{where} has no bone age as its truth. Write months, 0 to {OLDEST}, such as 94.")
    return months


def _box(where: str, task: str, cells: Mapping[str, str]) -> Box | None:
    texts = [cells.get(edge, "") for edge in EDGES]
    if not any(texts) and not cells.get("mask"):
        return None
    if task not in LOCATED:
        raise ManifestError(f"{where} has a mask or a box, but this task asks for no place. Leave these cells empty.")
    if not any(texts):
        return None
    if cells.get("mask"):
        raise ManifestError(f"{where} has a mask and a box. Leave one of them empty.")
    if not all(text.isascii() and text.isdigit() and len(text) < 6 for text in texts):
        raise ManifestError(f"{where} has a box that is not four whole numbers. Fill x0, y0, x1 and y1 in pixels.")
    x0, y0, x1, y1 = (int(text) for text in texts)
    if x0 >= x1 or y0 >= y1:
        raise ManifestError(f"{where} has a box without an area. Write x0 < x1 and y0 < y1.")
    return x0, y0, x1, y1
