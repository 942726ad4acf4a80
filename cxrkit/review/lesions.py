"""Where a finding is known to lie in a case's image: a mask's file or boxes, out of the table."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxrkit.drawn_mask import inside
from cxrkit.errors import InputError
from cxrkit.image_file import load_image
from cxrkit.review.table import BOXES, ReviewSet

SIDE = "boxes_side"
"""Column with the side in pixels of the square that the boxes were written for, such as 1024 of ChestX-ray14's; without
it they are in pixels of the file."""

_LARGEST = 1e6
"""In pixels, of a number of a box: larger ones lie in no image, and beyond 1e308 their sums are no numbers."""

MOST_BOXES = 100
"""Of a cell. **Choice**: readers draw a few; each is an outline on the image, and thousands would stall the page."""

_HOW = "Write label, left, top, width and height with blanks between them, and join several boxes by the bar |."


@dataclass(frozen=True)
class LesionBox:
    """A box that a reader drew, in pixels: left, top, width and height."""

    label: str
    left: float
    top: float
    width: float
    height: float


def read_boxes(text: str) -> tuple[LesionBox, ...]:
    """Boxes of a cell, such as "Mass 120 200 64 80 | Effusion 10.5 300 90 120"; () of an empty one.

    Raises:
        InputError: it is written otherwise, a box has no area, a number is above a million, or there are more than
            MOST_BOXES.
    """
    parts = [part for part in text.split("|") if part.strip()]
    if len(parts) > MOST_BOXES:
        raise InputError(
            f"This case has {len(parts):,} boxes; at most {MOST_BOXES} are drawn. Keep the ones that matter, or give a "
            "mask in their place."
        )
    return tuple(_box(part.split()) for part in parts)


def _box(words: list[str]) -> LesionBox:
    try:
        left, top, width, height = (_pixels(word) for word in words[-4:])
    except ValueError:
        raise InputError(f"A box of this case cannot be read. {_HOW}") from None
    if len(words) < 5 or width <= 0 or height <= 0:
        raise InputError(f"A box of this case has no label or no area. {_HOW}")
    return LesionBox(" ".join(words[:-4]), left, top, width, height)


def _pixels(word: str) -> float:
    """A number of a box; ValueError where it is none that an image may have."""
    value = float(word)
    if not abs(value) <= _LARGEST:
        raise ValueError("not a number, or too large")
    return value


def known_lesions(
    review: ReviewSet, row: int, shape: tuple[int, int], of: str = ""
) -> tuple[tuple[str, NDArray[np.bool_]], ...]:
    """What is known to lie where in a case's image; of a pair in the follow-up, or in the baseline.

    Args:
        review: its table may have the columns `mask`, `boxes` and SIDE.
        row: of it.
        shape: (height, width) of the image.
        of: what the columns' names begin with, table.OF_BASELINE for a pair's first image.

    Returns:
        (what it is, [H, W] True inside) for each; none of them empty.

    Raises:
        InputError, ImageError: the mask cannot be found or read, covers everything, or has other
            proportions; boxes that cannot be read, or too many.
    """
    found = []
    path, boxes = review.mask_path(row, of), f"{of}{BOXES}"
    if path is not None:
        found.append(("mask", _fitted(load_image(path).values, shape)))
    if boxes in review.table:
        side = _side(review.table[SIDE].iat[row]) if SIDE in review.table else None
        found += [(box.label, _filled(box, shape, side)) for box in read_boxes(str(review.table[boxes].iat[row]))]
    return tuple((name, mask) for name, mask in found if mask.any())


def _side(cell: object) -> float | None:
    """In pixels; None where none is written that a square may have."""
    side = float(pd.to_numeric(str(cell), errors="coerce"))
    return side if 1 <= side < np.inf else None


def _fitted(values: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """What a mask shows, at the image's size, where it only has another resolution."""
    height, width = values.shape
    if abs(height * shape[1] - width * shape[0]) > 0.02 * height * shape[1]:
        raise InputError(
            f"The mask has {width} x {height} pixels and the image {shape[1]} x {shape[0]}: they do not show the same "
            "part. Give a mask of the image's own size."
        )
    mask = inside(values, "The mask of this case")
    rows = (np.arange(shape[0]) + 0.5) * height / shape[0]
    columns = (np.arange(shape[1]) + 0.5) * width / shape[1]
    return np.ascontiguousarray(mask[np.ix_(rows.astype(np.int64), columns.astype(np.int64))])


def _filled(box: LesionBox, shape: tuple[int, int], side: float | None) -> NDArray[np.bool_]:
    across, down = (1.0, 1.0) if side is None else (shape[1] / side, shape[0] / side)
    mask = np.zeros(shape, dtype=bool)
    rows = slice(max(round(box.top * down), 0), max(round((box.top + box.height) * down), 0))
    columns = slice(max(round(box.left * across), 0), max(round((box.left + box.width) * across), 0))
    mask[rows, columns] = True
    return mask
