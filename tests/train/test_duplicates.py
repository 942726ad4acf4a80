"""Copies are found through what archives do to images; other images of the same kind are not copies."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from cxrkit.pixels import Gray, resize
from tests.train.image_sets import chest, reframed, saved_anew
from train.audit_split.duplicates import ALIKE, Pair, compare, copies_among, groups_of, small_copy

CHANGES: dict[str, Callable[[Gray], Gray]] = {
    "identical": lambda image: image,
    "saved anew": lambda image: saved_anew(image, 30),
    "resized": lambda image: resize(image, 128, 150),
    "squashed": lambda image: resize(image, 150, 150),
    "brighter": lambda image: np.clip(image * 0.7 + 0.3, 0, 1),
    "gamma": lambda image: image**1.5,
    "inverted": lambda image: 1 - image,
    "mirrored": lambda image: np.ascontiguousarray(image[:, ::-1]),
    "mirrored and inverted": lambda image: np.ascontiguousarray(1 - image[:, ::-1]),
    "cropped a little": lambda image: reframed(image, 6, 4, 8, 7),
    "cropped on one side": lambda image: reframed(image, 0, 0, 0, 20),
    "padded": lambda image: reframed(image, -12, -14, -10, -16),
    "turned": lambda image: cv2.warpAffine(image, cv2.getRotationMatrix2D((100, 120), 2, 1), (200, 240)),
    "cropped, darker, saved anew": lambda image: saved_anew(reframed(image, 8, 8, 8, 8) ** 1.3, 60),
}
OTHERS = 60


def find_copies(images: list[Gray], digests: list[str] | None = None) -> list[Pair]:
    smalls = np.stack([small_copy(image) for image in images])
    return copies_among(compare(smalls, digests or [str(index) for index in range(len(images))]))


@pytest.fixture(scope="module")
def others() -> list[Gray]:
    return [chest(seed) for seed in range(OTHERS)]


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_found_among_others_and_nothing_else(change: str, others: list[Gray]) -> None:
    images = [*others, CHANGES[change](others[7])]
    pairs = find_copies(images)
    assert [(pair.first, pair.second) for pair in pairs] == [(7, OTHERS)]
    assert ALIKE <= pairs[0].correlation <= 1


def test_equal_pixels_are_copies_whatever_they_show() -> None:
    blank = [np.full((50, 50), 0.5, dtype=np.float32)] * 2
    (pair,) = find_copies(blank, ["a", "a"])
    assert pair.correlation == 1
    assert find_copies(blank, ["a", "b"]) == [], "two blank images of different pixels have nothing in common"


def test_all_of_many_copies_are_found() -> None:
    """More than an image's nearest ones that are looked at in any case."""
    images = [saved_anew(chest(3), quality) for quality in range(40, 96, 4)]
    pairs = find_copies(images)
    assert len(pairs) == len(images) * (len(images) - 1) // 2


def test_groups_follow_chains() -> None:
    groups = groups_of([(0, 2), (2, 4), (5, 3)], 6)
    assert groups[0] == groups[2] == groups[4]
    assert groups[3] == groups[5]
    assert len({groups[0], groups[1], groups[3]}) == 3
    assert len(set(groups_of([], 3).tolist())) == 3
