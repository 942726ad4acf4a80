"""Masks of own cases: what counts as white, and which masks say nothing."""

import io

import numpy as np
import pytest
from PIL import Image

from cxrkit.quiz.material import make_material
from cxrkit.quiz.pack import read_pack
from tests.test_quiz_pack import one_row, pack, picture, refused

MASKED = one_row("a.png,,tuberculosis,abnormal,m.png,,,,,,,")
ROWS, COLUMNS = slice(13, 37), slice(21, 50)


def mask(kind: str, background: int, inside: int) -> bytes:
    """As large as the pack's image, one rectangle on a background."""
    values = np.full((48, 64), background, dtype=np.uint8)
    values[ROWS, COLUMNS] = inside
    file = io.BytesIO()
    Image.fromarray(values).save(file, kind)
    return file.getvalue()


def rectangle() -> np.ndarray:
    expected = np.zeros((48, 64), dtype=np.bool_)
    expected[ROWS, COLUMNS] = True
    return expected


@pytest.mark.parametrize(
    ("kind", "background", "inside"), [("PNG", 0, 255), ("PNG", 1, 255), ("PNG", 0, 1), ("JPEG", 0, 255)]
)
def test_what_is_white_is_the_region_and_what_is_almost_black_is_not(kind: str, background: int, inside: int) -> None:
    (question,) = read_pack(pack(MASKED, m=mask(kind, background, inside))).questions
    (region,) = make_material(question.source).regions
    assert region is not None
    assert np.array_equal(region, rectangle())


@pytest.mark.parametrize("value", [1, 255])
def test_a_mask_that_covers_everything_is_refused(value: int) -> None:
    text = refused(pack(MASKED, m=picture(value=value)))
    assert "mask of row 2" in text
    assert "covers its whole image" in text
