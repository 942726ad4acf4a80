"""Drawn signs of tuberculosis lie in the lungs, brighten them, and are the same for the same seed."""

import numpy as np
import pytest

from cxrkit.pixels import Gray
from train.tuberculosis.lesions import _SIGNS, draw_lesions

SIDE = 96


@pytest.fixture
def chest() -> tuple[Gray, Gray]:
    """A gray view and two lungs, left and right of the middle."""
    view = np.full((SIDE, SIDE), 0.4, dtype=np.float32)
    lungs = np.zeros((SIDE, SIDE), dtype=np.float32)
    lungs[15:75, 12:42] = 1
    lungs[15:75, 54:84] = 1
    return view, lungs


def test_lesions_brighten_the_lungs_and_leave_the_rest(chest: tuple[Gray, Gray]) -> None:
    view, lungs = chest
    inside, outside = np.zeros(2), np.zeros(2)
    for seed in range(30):
        drawn = draw_lesions(view, lungs, np.random.default_rng(seed))
        assert drawn.dtype == np.float32
        assert 0 <= drawn.min() <= drawn.max() <= 1
        gain = drawn - view
        inside += (gain[lungs > 0].max() > 0.02, gain[lungs > 0].sum())
        outside += (gain[lungs == 0].max() > 0.05, np.abs(gain[lungs == 0]).sum())
    assert inside[0] >= 28, "nearly every draw can be seen"
    assert inside[1] > 10 * outside[1]


@pytest.mark.parametrize("sign", _SIGNS, ids=lambda sign: sign.__name__.strip("_"))
def test_every_sign_adds_density_at_every_seed(sign: object, chest: tuple[Gray, Gray]) -> None:
    assert callable(sign)
    _, lungs = chest
    densities = [sign(lungs > 0.5, np.random.default_rng(seed)) for seed in range(10)]
    assert all(np.isfinite(density).all() and density.shape == lungs.shape for density in densities)
    assert sum(float(density[lungs > 0.5].max()) > 0.03 for density in densities) >= 8


def test_same_seed_same_lesion(chest: tuple[Gray, Gray]) -> None:
    first, again, other = (draw_lesions(*chest, np.random.default_rng(seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.02


def test_a_view_without_lungs_stays_as_it_is(chest: tuple[Gray, Gray]) -> None:
    view, lungs = chest
    np.testing.assert_array_equal(draw_lesions(view, lungs * 0, np.random.default_rng(0)), view)
