"""The preparation of lung scans, against images made by hand whose centroids are known."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import entropy

from cxrkit import lung_scan
from cxrkit.errors import WeightsError
from cxrkit.lung_scan import (
    BINS,
    LEVEL,
    above_the_lungs,
    align,
    bright_ground,
    heat_above,
    joint_counts,
    mask_neck,
    moved,
    normalised_mutual_information,
    padded,
)
from tests.scans import LEFT, RIGHT, drawn_scan, ellipse, mean_image, noisy

__all__ = ["mean_image"]


def gray(counts: Any) -> Any:
    return counts.astype(np.float32)


@pytest.mark.parametrize("move", [(0, 0), (-20, 31), (14, -30)])
def test_the_midpoint_of_both_centroids_comes_to_the_middle(move: tuple[int, int]) -> None:
    found = align(gray(drawn_scan(move=move)))
    assert found.method == "two lungs"
    assert found.information is None
    assert found.centroids is not None
    expected = [(x + move[0], y + move[1]) for x, y in (RIGHT, LEFT)]
    np.testing.assert_allclose(found.centroids, expected, atol=1e-6)
    assert found.midpoint == pytest.approx((110.5 + move[0], 102.5 + move[1]))
    assert found.shift == (1 - move[0], 9 - move[1])
    np.testing.assert_array_equal(found.image, moved(found.resampled, found.shift))


def test_every_step_is_kept() -> None:
    found = align(gray(drawn_scan(neck=True)) + 7)
    assert found.resampled.min() == 0
    assert found.resampled.max() == 255
    np.testing.assert_array_equal(found.binary, found.resampled >= LEVEL)
    np.testing.assert_array_equal(found.components > 0, found.binary)
    areas = np.bincount(found.components.ravel())[1:]
    assert list(areas) == sorted(areas, reverse=True)
    assert len(areas) == 3


def test_the_level_is_a_share_of_the_brightest_pixel() -> None:
    scan = gray(drawn_scan())
    scan[0, 0] = scan.max() * 255 / 29
    assert not align(scan, np.zeros((224, 224), np.float32)).binary[100, 70]
    scan[0, 0] = scan[100, 70] * 255 / 30.5
    assert align(scan, np.zeros((224, 224), np.float32)).binary[100, 70]


def test_matrices_and_shapes_are_brought_to_the_frame() -> None:
    scan = gray(drawn_scan(move=(10, 6)))
    finer = np.kron(scan, np.ones((2, 2), np.float32))
    np.testing.assert_allclose(align(finer).image, align(scan).image, atol=1e-3)
    narrow = scan[:, 30:200]
    assert align(narrow).resampled.shape == (224, 224)
    square, corner = padded(narrow)
    assert square.shape == (224, 224)
    assert corner == (27, 0)
    assert align(narrow).shift == (align(scan).shift[0] + 3, align(scan).shift[1])


def test_the_noise_of_counting_moves_the_lungs_by_a_pixel_at_most() -> None:
    still = align(gray(drawn_scan())).shift
    for seed in range(3):
        found = align(gray(noisy(drawn_scan(), seed)))
        assert found.method == "two lungs"
        assert np.abs(np.subtract(found.shift, still)).max() <= 1


@pytest.mark.parametrize("move", [(0, 0), (17, -21), (-33, 12)])
def test_one_lung_is_moved_to_where_the_mean_image_has_it(move: tuple[int, int], mean_image: Any) -> None:
    found = align(gray(drawn_scan(left=False, move=move)))
    assert found.method == "mutual information"
    assert found.centroids is None
    assert found.midpoint is None
    assert found.information is not None
    assert 1 < found.information <= 2
    places = [(x + found.shift[0], y + found.shift[1]) for x, y in [(RIGHT[0] + move[0], RIGHT[1] + move[1])]]
    whole = align(gray(drawn_scan())).shift
    lungs = [(x + whole[0], y + whole[1]) for x, y in (RIGHT, LEFT)]
    assert min(np.abs(np.subtract(places[0], lung)).max() for lung in lungs) <= 3


def test_components_above_each_other_or_tiny_are_no_lungs(mean_image: Any) -> None:
    stacked = np.zeros((224, 224), np.float32)
    stacked[ellipse((110, 50), (30, 30))] = stacked[ellipse((112, 160), (30, 30))] = 100
    assert align(stacked).method == "mutual information"
    tiny = gray(drawn_scan(left=False))
    tiny[ellipse((150, 104), (5, 20))] = 100
    assert align(tiny).method == "mutual information"


def test_an_empty_image_stays_where_it_is(mean_image: Any) -> None:
    found = align(np.full((100, 140), 3, np.float32))
    assert found.shift == (0, 0)
    assert found.information == pytest.approx(1)
    assert not found.image.any()


def test_mutual_information_is_that_of_its_definition() -> None:
    generator = np.random.default_rng(0)
    first = generator.integers(0, BINS, (40, 40), dtype=np.int64)
    second = (first // 2 + generator.integers(0, 3, first.shape)) % BINS
    joint = np.histogram2d(first.ravel(), second.ravel(), bins=BINS, range=[[0, BINS]] * 2)[0]
    expected = (entropy(joint.sum(axis=1)) + entropy(joint.sum(axis=0))) / entropy(joint.ravel())
    for other, found in ((second, expected), (first, 2)):
        assert normalised_mutual_information(joint_counts(first, other, [(0, 0)])) == pytest.approx([found])
    assert normalised_mutual_information(joint_counts(first * 0, first * 0, [(0, 0)])) == [1]


def test_pairs_are_counted_where_the_first_image_has_moved() -> None:
    first, second = np.random.default_rng(0).integers(0, BINS, (2, 9, 12), dtype=np.int64)
    shifts = [(0, 0), (3, -2), (-5, 4)]
    for shift, joint in zip(shifts, joint_counts(first, second, shifts), strict=True):
        naive = np.zeros((BINS, BINS), dtype=np.int64)
        np.add.at(naive, (moved(first.astype(np.int32), shift), second), 1)
        np.testing.assert_array_equal(joint, naive)


def test_zeros_come_in_where_an_image_moves() -> None:
    image = np.arange(1, 13, dtype=np.float32).reshape(3, 4)
    np.testing.assert_array_equal(moved(image, (1, -1)), [[0, 5, 6, 7], [0, 9, 10, 11], [0, 0, 0, 0]])


def test_what_is_above_the_lungs_is_the_neck_also_where_the_windpipe_is_joined_to_one() -> None:
    scan = gray(drawn_scan(neck=True))
    scan[20:80, 90:97] = 60
    scan[74:80, 90:100] = 60
    found = align(scan)
    above = above_the_lungs(found)
    assert found.method == "two lungs"
    top = RIGHT[1] - 55 + found.shift[1]
    assert top <= above[:, 0].sum() <= top + 8
    without = mask_neck(found)
    assert not without[above].any()
    np.testing.assert_array_equal(without[~above], found.image[~above])
    assert found.image[above].any()


def test_heat_above_the_lungs_is_counted_by_rows() -> None:
    found = align(gray(drawn_scan()))
    heat = np.zeros((56, 40), np.float32)
    heat[: found.top // 4] = 1
    heat[40] = 1
    share = heat_above(found, heat, (0, 224))
    assert share == pytest.approx((found.top // 4) / (found.top // 4 + 1))
    assert heat_above(found, heat * 0, (0, 224)) is None


def test_a_bright_ground_is_told() -> None:
    scan = gray(drawn_scan())
    assert not bright_ground(scan)
    assert bright_ground(255 - scan)


def test_a_missing_or_damaged_mean_image_says_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "mean_image.png"
    monkeypatch.setattr(lung_scan, "MEAN_IMAGE", file)
    assert align(gray(drawn_scan())).method == "two lungs"
    with pytest.raises(WeightsError, match=r"missing.*python -m train\.vq"):
        align(gray(drawn_scan(left=False)))
    file.write_bytes(b"no image")
    with pytest.raises(WeightsError, match=r"damaged.*python -m train\.vq"):
        align(gray(drawn_scan(left=False)))
