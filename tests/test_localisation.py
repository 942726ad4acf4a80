"""Heatmaps against masks: placing in the image's frame, and figures that can be worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrkit.localisation import POINTING_TOLERANCE, localise, place_heat
from cxrkit.pixels import Box
from cxrkit.task import Placement

SHAPE = (120, 200)


def square(left: int, top: int, right: int, bottom: int, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    mask = np.zeros(shape, dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


def heat_on(mask: np.ndarray, box: Box) -> np.ndarray:
    """A map over the box that is 1 on the mask and 0 elsewhere, at the image's own resolution."""
    left, top, right, bottom = box
    return np.asarray(mask[top:bottom, left:right], dtype=np.float32)


def test_heat_lies_in_its_box_and_nowhere_else() -> None:
    placed = place_heat(np.full((7, 5), 0.5, np.float32), (20, 30, 60, 110), SHAPE)
    assert placed.shape == SHAPE
    assert (placed[30:110, 20:60] == 0.5).all()
    placed[30:110, 20:60] = 0
    assert not placed.any()


@pytest.mark.parametrize("box", [(0, 0, 201, 120), (-1, 0, 50, 50), (50, 0, 50, 50), (0, 60, 50, 20)])
def test_a_box_outside_the_image_is_refused(box: Box) -> None:
    with pytest.raises(ValueError, match="box must lie in the image"):
        place_heat(np.ones((4, 4), np.float32), box, SHAPE)


def test_heat_exactly_on_the_lesion() -> None:
    box, mask = (40, 20, 140, 120), square(60, 40, 80, 60)
    found = localise(heat_on(mask, box), box, mask)
    assert (found.share, found.dice, found.iou, found.read, found.distance) == (1, 1, 1, 1, 0)
    assert found.chance == 400 / 10_000
    assert found.hit


def test_even_heat_gives_exactly_the_chance_level() -> None:
    box, mask = (40, 20, 140, 120), square(120, 100, 160, 120)  # half of it was read
    found = localise(np.ones((9, 9), np.float32), box, mask)
    assert found.read == 0.5
    assert found.chance == 400 / 10_000
    assert found.share == pytest.approx(found.chance)
    assert found.dice == pytest.approx(2 * 400 / (10_000 + 800))
    assert found.iou == pytest.approx(400 / 10_400)


def test_half_of_the_heat_and_half_of_the_region() -> None:
    box = (0, 0, 200, 120)
    lesion, elsewhere = square(10, 10, 30, 30), square(100, 10, 120, 30)
    found = localise(heat_on(lesion | elsewhere, box), box, lesion)
    assert found.share == pytest.approx(0.5)
    assert found.dice == pytest.approx(2 / 3)
    assert found.iou == pytest.approx(0.5)


def test_weak_heat_counts_for_the_share_but_not_for_the_region() -> None:
    box, lesion, elsewhere = (0, 0, 200, 120), square(10, 10, 30, 30), square(100, 10, 120, 30)
    found = localise(heat_on(lesion, box) + 0.49 * heat_on(elsewhere, box), box, lesion)
    assert found.share == pytest.approx(1 / 1.49)
    assert found.dice == 1


def test_a_lesion_outside_the_crop_is_missed() -> None:
    box = (0, 0, 50, 50)
    found = localise(np.ones((5, 5), np.float32), box, square(100, 60, 120, 80))
    assert (found.share, found.chance, found.read, found.dice, found.iou) == (0, 0, 0, 0, 0)
    assert not found.hit


@pytest.mark.parametrize(("gap", "hit"), [(0, True), (5, True), (6, True), (7, False)])
def test_the_pointing_game_has_its_tolerance(gap: int, hit: bool) -> None:
    """3 % of the longer side of 200 pixels are 6 pixels."""
    heat = np.zeros(SHAPE, np.float32)
    heat[50, 30 - gap] = 1
    found = localise(heat, (0, 0, 200, 120), square(30, 40, 50, 60))
    assert found.distance == gap
    assert found.tolerance == POINTING_TOLERANCE * 200 == 6
    assert found.hit is hit
    assert localise(heat, (0, 0, 200, 120), square(30, 40, 50, 60), tolerance=0).hit is (gap == 0)


@given(st.data())
def test_a_point_of_the_networks_input_returns_to_its_place(data: st.DataObject) -> None:
    """Through crop, scale and padding: a hot cell of the map over a padded square input lies where it was read."""
    width, height = data.draw(st.integers(40, 160)), data.draw(st.integers(40, 110))
    left, top = data.draw(st.integers(0, 200 - width)), data.draw(st.integers(0, 120 - height))
    size, box = 96, (left, top, left + width, top + height)
    scale = size / max(width, height)
    wide, high = round(width * scale), round(height * scale)
    inner_left, inner_top = (size - wide) // 2, (size - high) // 2
    placement = Placement(SHAPE, box, size, (inner_left, inner_top, inner_left + wide, inner_top + high))
    row, column = data.draw(st.integers(2, high // 2 - 3)) * 2, data.draw(st.integers(2, wide // 2 - 3)) * 2
    maps = np.zeros((size // 2, size // 2), np.float32)
    cell = ((inner_top + row) // 2, (inner_left + column) // 2)
    maps[cell] = 1
    x = left + (2 * cell[1] + 1 - inner_left) * width / wide  # centre of the cell in the image
    y = top + (2 * cell[0] + 1 - inner_top) * height / high
    heat = place_heat(placement.place(maps), box, SHAPE)
    centre = np.average(np.indices(SHAPE) + 0.5, axis=(1, 2), weights=heat)
    assert centre == pytest.approx([y, x], abs=0.6)
    point = square(int(x), int(y), int(x) + 1, int(y) + 1)
    assert localise(placement.place(maps), box, point, tolerance=2.5 / scale).hit


def test_nothing_to_compare_is_an_error() -> None:
    box = (0, 0, 200, 120)
    with pytest.raises(ValueError, match="some heat"):
        localise(np.zeros((4, 4), np.float32), box, square(0, 0, 9, 9))
    with pytest.raises(ValueError, match="mask must not be empty"):
        localise(np.ones((4, 4), np.float32), box, np.zeros(SHAPE, dtype=bool))
