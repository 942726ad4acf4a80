"""The share of heat inside the lungs, on fields made by hand; and lungs beside a wide dark margin."""

import numpy as np
import pytest
from numpy.typing import NDArray

from cxrkit.lungs import SIZE, LungField, find_lungs, heat_share
from cxrkit.phantoms import ChestSettings, simulate_chest
from cxrkit.pixels import Box

SHAPE = (300, 500)
"""Height and width of the image; not square, so that swapped axes show."""


def field_of(*lungs: Box, found: bool = True) -> LungField:
    """Lungs as boxes in pixels of the image; edges on a grid of the image's 1/100 stay sharp enough for 2 %."""
    probability = np.zeros((SIZE, SIZE), dtype=np.float32)
    for left, top, right, bottom in lungs:
        across = slice(round(left * SIZE / SHAPE[1]), round(right * SIZE / SHAPE[1]))
        probability[round(top * SIZE / SHAPE[0]) : round(bottom * SIZE / SHAPE[0]), across] = 1
    return LungField(probability, (0, 0, SHAPE[1], SHAPE[0]) if found else None)


RIGHT_LUNG, LEFT_LUNG = (50, 30, 200, 270), (300, 30, 450, 270)
FIELD = field_of(RIGHT_LUNG, LEFT_LUNG)


def blob(box: Box, centre: tuple[float, float]) -> NDArray[np.float32]:
    """A map over `box`, 240 x 160, hot within 12 pixels of the image around a point (x, y) of the image."""
    left, top, right, bottom = box
    across = left + (np.arange(160) + 0.5) * (right - left) / 160
    down = top + (np.arange(240) + 0.5) * (bottom - top) / 240
    distance = np.hypot(across[None] - centre[0], down[:, None] - centre[1])
    return (distance < 12).astype(np.float32)


BOXES = [(0, 0, 500, 300), (20, 10, 470, 290), (100, 100, 400, 290), (60, 25, 210, 299)]


@pytest.mark.parametrize("box", BOXES)
def test_ones_give_the_share_of_the_box_that_the_lungs_fill(box: Box) -> None:
    left, top, right, bottom = box
    height = min(bottom, 270) - max(top, 30)
    lungs = (RIGHT_LUNG, LEFT_LUNG)
    filled = sum(max(0, min(right, lung[2]) - max(left, lung[0])) * height for lung in lungs)
    expected = filled / ((right - left) * (bottom - top))
    share = heat_share(FIELD, np.ones((240, 160), dtype=np.float32), box, SHAPE)
    assert share == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize(("centre", "inside"), [((180, 120), 1.0), ((120, 250), 1.0), ((120, 285), 0.0)])
def test_heat_is_placed_through_the_crop_box(box: Box, centre: tuple[int, int], inside: float) -> None:
    heat = blob(box, centre)
    assert heat_share(FIELD, heat, box, SHAPE) == pytest.approx(inside, abs=0.01)


def test_heat_across_the_lungs_edge_counts_in_part_and_by_its_strength() -> None:
    box = (20, 10, 470, 290)
    assert heat_share(FIELD, blob(box, (200, 150)), box, SHAPE) == pytest.approx(0.5, abs=0.05)
    two = blob(box, (120, 150)) + 3 * blob(box, (250, 150))
    assert heat_share(FIELD, two, box, SHAPE) == pytest.approx(0.25, abs=0.01)


def test_scale_and_resolution_of_the_map_do_not_matter() -> None:
    box = (20, 10, 470, 290)
    heat = blob(box, (195, 150))
    share = heat_share(FIELD, heat, box, SHAPE)
    assert heat_share(FIELD, heat * 7, box, SHAPE) == pytest.approx(share)
    assert heat_share(FIELD, heat.repeat(2, axis=0), box, SHAPE) == pytest.approx(share, abs=0.02)


def test_a_probability_of_one_half_is_no_lung() -> None:
    half = LungField(np.full((SIZE, SIZE), 0.5, dtype=np.float32), (0, 0, 500, 300))
    assert heat_share(half, np.ones((20, 20), dtype=np.float32), (0, 0, 500, 300), SHAPE) == 0


def test_no_heat_and_no_lungs_give_no_share() -> None:
    box = (0, 0, 500, 300)
    assert heat_share(FIELD, np.zeros((20, 20), dtype=np.float32), box, SHAPE) is None
    assert heat_share(field_of(RIGHT_LUNG, found=False), np.ones((20, 20), dtype=np.float32), box, SHAPE) is None


@pytest.mark.parametrize(("left", "right"), [(0, 2.0), (2.0, 0), (2.5, 0), (2.0, 2.0)])
def test_a_wide_dark_margin_does_not_move_the_lungs(left: float, right: float) -> None:
    chest = simulate_chest(ChestSettings(seed=7, size=240)).values
    alone = find_lungs(chest).box
    assert alone is not None
    before, after = (round(share * chest.shape[1]) for share in (left, right))
    found = find_lungs(np.pad(chest, ((0, 0), (before, after)))).box
    assert found is not None
    moved = (found[0] - before, found[1], found[2] - before, found[3])
    assert moved == pytest.approx(alone, abs=6)
