"""The deletion test against a loop that removes one pixel after the other, on a toy network."""

import numpy as np
import pytest
from numpy.typing import NDArray

from cxrkit.deletion import area, deletion, map_order, random_order, without_pixels

SIZE = 6
WEIGHTS = np.random.default_rng(3).normal(size=(SIZE, SIZE))
IMAGE = np.random.default_rng(4).normal(size=(SIZE, SIZE)).astype(np.float32)


def score(images: NDArray[np.float32]) -> NDArray[np.float64]:
    """A toy network: one weight a pixel."""
    return 1 / (1 + np.exp(-(images * WEIGHTS).sum(axis=(1, 2))))


def naive(order: NDArray[np.intp], steps: int, fill: float) -> list[float]:
    """The score after each step, one pixel at a time."""
    pixels, scores, taken = IMAGE.astype(np.float64), [], 0
    for step in range(steps + 1):
        while taken < round(step / steps * pixels.size):
            pixels[order[taken] // SIZE, order[taken] % SIZE] = fill
            taken += 1
        scores.append(1 / (1 + np.exp(-(pixels * WEIGHTS).sum())))
    return scores


@pytest.mark.parametrize("steps", [1, 5, 12, 36])
def test_the_curve_is_that_of_a_loop_over_pixels(steps: int) -> None:
    orders = (map_order(np.abs(WEIGHTS), SIZE), random_order(SIZE, 1))
    found = list(deletion(score, IMAGE, orders, steps, 0.25))
    assert [share for share, _ in found] == pytest.approx(np.arange(steps + 1) / steps)
    for number, order in enumerate(orders):
        assert [scores[number] for _, scores in found] == pytest.approx(naive(order, steps, 0.25), abs=1e-6)


def test_the_image_stays_and_ends_empty() -> None:
    before = IMAGE.copy()
    order = random_order(SIZE)
    assert np.all(without_pixels(IMAGE, order, 1.0, 0.5) == 0.5)
    np.testing.assert_array_equal(without_pixels(IMAGE, order, 0.0, 0.5), IMAGE)
    half = without_pixels(IMAGE, order, 0.5, 9.0)
    assert (half == 9.0).sum() == SIZE * SIZE // 2
    np.testing.assert_array_equal(IMAGE, before)


def test_a_map_of_what_counts_falls_sooner_than_chance() -> None:
    gains = np.maximum(IMAGE * WEIGHTS, 0)
    found = list(deletion(score, IMAGE, (map_order(gains, SIZE), random_order(SIZE)), 12, 0.0))
    shares = [share for share, _ in found]
    by_map, by_chance = (area(shares, [scores[number] for _, scores in found]) for number in (0, 1))
    assert by_map < by_chance


def test_the_order_is_by_heat_and_ties_do_not_go_from_the_top() -> None:
    heat = np.zeros((SIZE, SIZE), np.float32)
    heat[4, 1], heat[2, 5] = 1.0, 0.5
    order = map_order(heat, SIZE)
    assert list(order[:2]) == [4 * SIZE + 1, 2 * SIZE + 5]
    assert sorted(order) == list(range(SIZE * SIZE))
    assert list(order[2:]) != sorted(order[2:])
    coarse = np.array([[0.0, 1.0], [0.0, 0.0]], np.float32)
    assert {(at // SIZE < 3, at % SIZE >= 3) for at in map_order(coarse, SIZE)[:4]} == {(True, True)}


def test_areas_by_hand() -> None:
    assert area([0.0, 0.5, 1.0], [1.0, 1.0, 0.0]) == pytest.approx(0.75)
    assert area([0.0, 1.0], [1.0, 0.0]) == pytest.approx(0.5)
