"""What is measured of a hand's shape, against the same by NumPy and by hand."""

import numpy as np
import pytest

from cxrkit.hand_shapes import filled_in, largest, outline_of, quantile, sides_touched, texture_of, without_threads


def square(top: int, left: int, side: int) -> np.ndarray:
    mask = np.zeros((64, 64), np.uint8)
    mask[top : top + side, left : left + side] = 1
    return mask


@pytest.mark.parametrize("count", [1, 2, 7, 500])
@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.95, 1.0])
def test_quantiles_are_numpys(count: int, share: float) -> None:
    values = np.sort(np.random.default_rng(count).random(count).astype(np.float32))
    assert quantile(values, share) == pytest.approx(float(np.quantile(values, share)), abs=1e-6)


def test_the_largest_part_is_taken_by_its_pixels_and_corners_do_not_join() -> None:
    small, large = square(0, 0, 10), square(10, 10, 12)  # they touch at a corner
    found = largest(small | large)
    assert found is not None
    assert np.array_equal(found[0], large)
    assert found[1] == (10, 10, 12, 12)
    alone = largest(small)
    assert alone is not None
    assert np.array_equal(alone[0], small)
    assert alone[1] == (0, 0, 10, 10)
    assert largest(np.zeros((64, 64), np.uint8)) is None


def test_an_outline_encloses_holes_and_threads_go() -> None:
    ring = square(10, 10, 30) - square(20, 20, 10)
    assert np.array_equal(filled_in(ring, outline_of(ring)), square(10, 10, 30))
    assert np.array_equal(filled_in(ring, outline_of(ring)) - ring, square(20, 20, 10))
    threaded = square(10, 10, 30)
    threaded[25, 40:] = 1
    assert not without_threads(threaded)[:, 42:].any()
    assert without_threads(threaded)[12:38, 12:38].all()


def test_sides_touched_counts_each_border() -> None:
    assert sides_touched(square(5, 5, 20)) == 0
    assert sides_touched(square(0, 20, 16)) == 16 / 64
    assert sides_touched(square(1, 1, 16)) == 32 / 64  # the second row and column count too
    assert sides_touched(np.ones((64, 64), np.uint8)) == 4


def test_texture_is_the_mean_within_and_close_by() -> None:
    shape = square(20, 20, 20)
    slope = np.where(shape > 0, np.float32(0.5), np.float32(0.1))
    assert texture_of(shape, slope) == pytest.approx((0.5, 0.1))
    assert texture_of(np.zeros((64, 64), np.uint8), slope) == (0.0, 1.0)
