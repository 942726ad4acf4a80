"""The scores that operating point and calibration are judged on, kept beside the weights as scores.csv.

One text file with two tables and an empty line between them: the parts, then one row an image. It holds no file
name and nothing of a patient, and the rows of a part are sorted, so that their order tells nothing either::

    part,optimistic,name
    0,0,"cross-family: trained on A, tested on all of B"
    1,1,"in-set test part, same sources as training"

    part,target,score
    0,0,0.00412
    0,1,0.98203
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxrkit.checks import both_classes, probabilities
from cxrkit.errors import InputError, WeightsError
from cxrkit.table import LineFeeds

FILE = "scores.csv"
CROSSED = "cross-family"
"""Begins the name of a part that networks scored which had learned from other archives."""

DECIMALS = 8
"""Of a score; two scores that differ by less become one point of the ROC curve."""

_PARTS = ["part", "optimistic", "name"]
_ROWS = ["part", "target", "score"]


@dataclass(frozen=True, eq=False)
class ScoredPart:
    """Images with known answers as a network scored them.

    Attributes:
        name: in words, one line, such as "cross-family: trained on A, tested on all of B".
        optimistic: the images come from the same archives as the training.
        targets: [N] 1 for the positive class, 0 for the others; at least two of each.
        scores: [N] temperature-scaled probability of the positive class, in [0, 1].

    Raises:
        InputError: one of these does not hold.
    """

    name: str
    optimistic: bool
    targets: NDArray[np.int64]
    scores: NDArray[np.float64]

    def __post_init__(self) -> None:
        if not self.name.strip() or len(self.name.splitlines()) != 1:
            raise InputError("A part of the scores needs a name of one line, such as what it was tested on.")
        positive, _ = probabilities(self.targets, self.scores)
        both_classes(positive, least=2)


def write_scores(parts: Sequence[ScoredPart], folder: Path) -> None:
    """Write folder/scores.csv: the parts in their order, their rows sorted; the same parts give the same bytes.

    Args:
        parts: at least one, of different names. Scores are rounded to DECIMALS decimals.
        folder: such as weights/tuberculosis; it exists.

    Raises:
        InputError: no part, or two of one name.
    """
    if not parts or len({part.name for part in parts}) < len(parts):
        raise InputError("The scores need at least one part, and every part a name of its own.")
    text = io.StringIO()
    table = csv.writer(LineFeeds(text))
    table.writerow(_PARTS)
    table.writerows([number, int(part.optimistic), part.name] for number, part in enumerate(parts))
    text.write("\n")
    table.writerow(_ROWS)
    for number, part in enumerate(parts):
        for index in np.lexsort((part.scores, part.targets)):
            table.writerow([number, int(part.targets[index]), f"{part.scores[index]:.{DECIMALS}f}"])
    (folder / FILE).write_text(text.getvalue(), encoding="utf-8", newline="")


def read_scores(folder: Path) -> tuple[ScoredPart, ...]:
    """Read folder/scores.csv.

    Args:
        folder: such as weights/tuberculosis.

    Raises:
        WeightsError: the file is missing, or is not what `write_scores` writes: its columns, a value out of range, or
            a part without images of both classes.
    """
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
    except OSError:
        raise WeightsError(f"The scores of images with known answers ({FILE}) are missing from the weights.") from None
    except UnicodeDecodeError:
        raise _damaged("it is not text in UTF-8") from None
    head, _, body = text.partition("\n\n")
    try:
        described = _table(head, _PARTS)
        columns = list(zip(*_table(body, _ROWS), strict=True))
        if [row[0] for row in described] != [str(number) for number in range(len(described))]:
            raise _damaged("its parts are not numbered from 0")
        if not set(columns[0]) <= {row[0] for row in described}:
            raise _damaged("a row belongs to no part")
        number, targets = np.array(columns[0], dtype=np.int64), np.array(columns[1], dtype=np.int64)
        scores = np.array(columns[2], dtype=np.float64)
        return tuple(
            ScoredPart(name, _flag(optimistic), targets[number == int(part)], scores[number == int(part)])
            for part, optimistic, name in described
        )
    except (csv.Error, ValueError):
        raise _damaged("a row does not have the columns or numbers that it should") from None
    except InputError as error:
        raise _damaged(f"{error}") from None


def _table(text: str, columns: list[str]) -> list[list[str]]:
    """The rows below a header of exactly these columns, at least one."""
    rows = list(csv.reader(io.StringIO(text), strict=True))
    if len(rows) < 2 or rows[0] != columns or any(len(row) != len(columns) for row in rows):
        raise _damaged(f"it needs a table with the columns {', '.join(columns)}")
    return rows[1:]


def _flag(text: str) -> bool:
    if text not in {"0", "1"}:
        raise _damaged("the column optimistic holds something else than 0 and 1")
    return text == "1"


def _damaged(reason: str) -> WeightsError:
    return WeightsError(f"The scores of images with known answers ({FILE}) are damaged: {reason.rstrip('.')}.")
