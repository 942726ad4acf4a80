"""Augmentations keep shape and range, and do what they are for."""

import albumentations
import cv2
import lightning
import numpy as np
import pytest

from cxrkit.pixels import Gray, equalise, resize
from cxrkit.weights import fixed_sample
from train.augment import Augment, across_hospitals, alike, published


@pytest.fixture(scope="module")
def view() -> Gray:
    return equalise(resize(fixed_sample().values, 96, 96))


@pytest.mark.parametrize(
    "augment",
    [
        published(erase=False, augment=False, flip=False),
        published(erase=True, augment=True, flip=True, invert=True),
        across_hospitals(),
    ],
)
def test_shape_range_and_input_are_kept(augment: Augment, view: Gray) -> None:
    before = view.copy()
    for _ in range(20):
        drawn = augment(view)
        assert drawn.shape == view.shape
        assert drawn.dtype == np.float32
        assert 0 <= drawn.min() <= drawn.max() <= 1
    np.testing.assert_array_equal(view, before)


@pytest.mark.parametrize("augment", [published(erase=True, augment=True, flip=True), across_hospitals()])
def test_what_is_drawn_follows_the_runs_seed(augment: Augment, view: Gray) -> None:
    def drawn(seed: int) -> Gray:
        lightning.seed_everything(seed, verbose=False)
        return augment(view)

    np.testing.assert_array_equal(drawn(1), drawn(1))
    assert not np.array_equal(drawn(1), drawn(2))


def test_steps_do_not_all_draw_alike(view: Gray) -> None:
    """From streams of one seed, one image in ten would pass all steps unchanged."""
    augment = across_hospitals()
    assert len({augment(view).tobytes() for _ in range(150)}) == 150


def test_none_changes_nothing(view: Gray) -> None:
    np.testing.assert_array_equal(published(erase=False, augment=False, flip=False)(view), view)


def test_flip_is_horizontal_and_happens_half_of_the_time(view: Gray) -> None:
    flip = published(erase=False, augment=False, flip=True)
    lopsided = view.copy()
    lopsided[:, :10] = 1
    drawn = [flip(lopsided) for _ in range(200)]
    flipped = sum(np.array_equal(image, lopsided[:, ::-1]) for image in drawn)
    assert sum(np.array_equal(image, lopsided) for image in drawn) + flipped == 200
    assert 65 <= flipped <= 135


def test_erasing_has_the_sources_area(view: Gray) -> None:
    erase = published(erase=True, augment=False, flip=False)
    shares = [float(np.mean(erase(view) != view)) for _ in range(300)]
    touched = [share for share in shares if share > 0]
    assert 0.35 <= len(touched) / 300 <= 0.65, "p 0.5"
    assert max(touched) <= 0.42, "area at most 0.4, up to rounding"
    assert min(touched) >= 0.015, "area at least 0.02, up to rounding and equal pixels"


def test_augmented_images_differ_and_stay_the_same_chest(view: Gray) -> None:
    augment = across_hospitals()
    drawn = [augment(view) for _ in range(30)]
    assert len({image.tobytes() for image in drawn}) == 30
    alike = [np.corrcoef(image.ravel(), view.ravel())[0, 1] for image in drawn]
    flipped = [np.corrcoef(image.ravel(), view[:, ::-1].ravel())[0, 1] for image in drawn]
    assert np.median(np.maximum(alike, flipped)) > 0.5


def test_a_pair_is_moved_alike_and_keeps_its_proportions() -> None:
    disc = np.zeros((128, 128), dtype=np.float32)
    cv2.circle(disc, (64, 64), 16, 1.0, -1)
    moved, widths = alike(), []
    for seed in range(60):
        first, second = moved(disc, disc, seed)
        np.testing.assert_array_equal(first, second)
        sides = [np.ptp(np.flatnonzero((first > 0.5).any(axis=axis))) + 1 for axis in (0, 1)]
        assert max(sides) / min(sides) < 1.15
        widths.append(sides[0])
    assert min(widths) < 30, "smaller than the disc's 33 pixels"
    assert max(widths) > 36, "and larger"


def test_albumentations_does_not_ask_the_network_for_its_version() -> None:
    from os import environ

    assert environ["NO_ALBUMENTATIONS_UPDATE"] == "1"
    assert albumentations.__version__ == "2.0.8"
