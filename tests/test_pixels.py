import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxrkit.pixels import (
    adjust,
    crop,
    eight_bits,
    equalise,
    gray_of,
    resize,
    smooth,
    square_around,
    trim_margins,
    trim_wide_margins,
)


def picture(height: int = 60, width: int = 80, seed: int = 0) -> np.ndarray:
    """Smooth random structure in [0, 1]."""
    values = np.random.default_rng(seed).random((height, width), dtype=np.float32)
    return smooth(values, 2.0)


@pytest.mark.parametrize(
    "curve",
    [lambda v: 5 * v - 3, lambda v: v**2, np.sqrt, lambda v: np.exp(2 * v)],
    ids=["linear", "square", "root", "exponential"],
)
def test_equalising_undoes_a_monotone_tone_curve(curve) -> None:
    image = picture()
    np.testing.assert_allclose(equalise(curve(image).astype(np.float32)), equalise(image), atol=0.02)


def test_equalising_makes_every_level_equally_frequent() -> None:
    shares, _ = np.histogram(equalise(picture(200, 200) ** 3), bins=10, range=(0, 1))
    np.testing.assert_allclose(shares / 200**2, 0.1, atol=0.02)


def test_equalising_keeps_the_order_of_gray_values() -> None:
    image = picture()
    order = np.argsort(image.ravel())
    assert (np.diff(equalise(image).ravel()[order]) >= 0).all()


def test_a_constant_image_becomes_mid_gray() -> None:
    assert (equalise(np.full((20, 20), 7, dtype=np.float32)) == 0.5).all()


def test_adjusting_by_nothing_changes_nothing() -> None:
    image = picture()
    np.testing.assert_allclose(adjust(image), image, atol=1e-6)


def test_brightness_is_added_and_contrast_turns_about_mid_gray() -> None:
    image = np.array([[0.2, 0.5, 0.9]], dtype=np.float32)
    np.testing.assert_allclose(adjust(image, brightness=0.3), [[0.5, 0.8, 1.0]], atol=1e-6)
    np.testing.assert_allclose(adjust(image, contrast=2.0), [[0.0, 0.5, 1.0]], atol=1e-6)
    np.testing.assert_allclose(adjust(image, contrast=0.5), [[0.35, 0.5, 0.7]], atol=1e-6)


def test_sharpness_raises_and_lowers_local_differences() -> None:
    image = 0.25 + picture() / 2

    def detail(values: np.ndarray) -> float:
        return float(np.abs(np.diff(values, axis=1)).mean())

    assert detail(adjust(image, sharpness=1.0)) > 1.2 * detail(image)
    assert detail(adjust(image, sharpness=-1.0)) < 0.95 * detail(image)


@settings(max_examples=30, deadline=None)
@given(st.floats(-0.5, 0.5), st.floats(0.5, 2.0), st.floats(-1.0, 2.0))
def test_an_adjusted_image_stays_in_range(brightness: float, contrast: float, sharpness: float) -> None:
    found = adjust(picture(16, 16), brightness, contrast, sharpness)
    assert found.dtype == np.float32
    assert found.min() >= 0
    assert found.max() <= 1


def test_uniform_margins_are_trimmed() -> None:
    image = np.zeros((100, 120), dtype=np.float32)
    image[10:90, 15:100] = 0.2 + picture(80, 85)
    left, top, right, bottom = trim_margins(image)
    assert (left, top, right, bottom) == pytest.approx((15, 10, 100, 90), abs=1)


def test_an_image_without_margins_is_kept_whole() -> None:
    noise = np.random.default_rng(0).random((50, 70), dtype=np.float32)
    assert trim_margins(noise) == (0, 0, 70, 50)


def test_a_uniform_image_keeps_its_middle() -> None:
    """At most a quarter goes from each side, so something is left to read."""
    assert trim_margins(np.ones((100, 200), dtype=np.float32)) == (50, 25, 150, 75)


def test_a_margin_wider_than_one_trimming_takes_is_trimmed_again() -> None:
    image = np.zeros((100, 200), dtype=np.float32)
    image[10:90, 140:] = 0.2 + picture(80, 60)
    assert trim_margins(image)[0] == 50
    assert trim_wide_margins(image) == pytest.approx((140, 10, 200, 90), abs=1)
    image[:, 120:] = 0.2 + picture(100, 80)
    image[:10, 170:] = 0
    narrow = image[:, 100:]
    assert trim_wide_margins(narrow) == trim_margins(narrow)


@pytest.mark.parametrize("shape", [(100, 200), (2, 3), (1, 1)])
def test_of_an_image_that_is_margin_all_over_a_quarter_stays(shape: tuple[int, int]) -> None:
    left, top, right, bottom = trim_wide_margins(np.ones(shape, dtype=np.float32))
    assert right - left >= shape[1] / 4
    assert bottom - top >= shape[0] / 4


@settings(max_examples=200, deadline=None)
@given(
    st.integers(20, 300),
    st.integers(20, 300),
    st.tuples(st.floats(0, 0.8), st.floats(0, 0.8), st.floats(0.05, 0.2), st.floats(0.05, 0.2)),
    st.floats(0, 0.3),
)
def test_a_square_stays_in_the_image_and_holds_the_box(
    height: int, width: int, place: tuple[float, float, float, float], margin: float
) -> None:
    x, y, across, down = place
    left, top = int(x * width), int(y * height)
    box = (left, top, left + max(1, int(across * width)), top + max(1, int(down * height)))
    found = square_around(box, (height, width), margin)
    assert 0 <= found[0] <= box[0] < box[2] <= found[2] <= width
    assert 0 <= found[1] <= box[1] < box[3] <= found[3] <= height
    side = round(max(box[2] - box[0], box[3] - box[1]) * (1 + 2 * margin))
    assert found[2] - found[0] == min(side, width)
    assert found[3] - found[1] == min(side, height)


def test_a_square_is_centred_where_there_is_room_and_shifted_where_not() -> None:
    assert square_around((40, 40, 60, 50), (100, 100), 0.1) == (38, 33, 62, 57)
    assert square_around((0, 40, 20, 50), (100, 100), 0.1) == (0, 33, 24, 57)


def test_resizing_averages_when_shrinking_and_keeps_the_range_when_enlarging() -> None:
    stripes = np.tile(np.array([0.0, 1.0], dtype=np.float32), (8, 8))
    np.testing.assert_allclose(resize(stripes, 8, 4), 0.5)
    large = resize(picture(10, 12), 37, 23)
    assert large.shape == (23, 37)
    assert large.min() >= picture(10, 12).min()


@pytest.mark.parametrize("shape", [(1500, 1201), (1024, 4097), (2047, 2048)])
@pytest.mark.parametrize("size", [(96, 96), (320, 300)])
def test_a_large_image_is_halved_first_and_hardly_differs(shape: tuple[int, int], size: tuple[int, int]) -> None:
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    image = (0.5 + np.sin(rows / 60) * np.cos(columns / 90) / 2).astype(np.float32)
    at_once = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(resize(image, *size), at_once, atol=0.02)
    # Every pixel counts, so noise is averaged away as it is at once; taking some of the pixels would leave it.
    noise = np.random.default_rng(0).normal(0, 1, shape).astype(np.float32)
    assert resize(noise, *size).std() < 1.1 * cv2.resize(noise, size, interpolation=cv2.INTER_AREA).std()


def test_cropping_takes_right_and_bottom_as_exclusive() -> None:
    image = np.arange(20, dtype=np.float32).reshape(4, 5)
    np.testing.assert_array_equal(crop(image, (1, 2, 3, 4)), [[11, 12], [16, 17]])


def test_eight_bits_round_cut_and_come_back() -> None:
    assert eight_bits(np.array([-0.1, 0.0, 0.49 / 255, 0.51 / 255, 1.0, 1.2])).tolist() == [0, 0, 0, 1, 255, 255]
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert gray_of(levels).dtype == np.float32
    np.testing.assert_array_equal(eight_bits(gray_of(levels)), levels)
