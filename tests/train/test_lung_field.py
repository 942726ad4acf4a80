"""The lung field learns from masks, and the shipped one finds real lungs."""

from pathlib import Path

import numpy as np
import pytest
import torch

from cxrkit.image import read_image
from cxrkit.lungs import SIZE, find_lungs
from cxrkit.models.unet import UNet
from cxrkit.weights import fixed_sample
from train.augment import with_mask
from train.lung_field import dice, limits_of, loss


def test_dice() -> None:
    left, right = np.zeros((4, 4), dtype=bool), np.zeros((4, 4), dtype=bool)
    left[:2], right[1:3] = True, True
    assert dice(left, right) == pytest.approx(0.5)
    assert dice(left, left) == 1
    assert dice(~left & left, right & ~right) == 1


def test_the_loss_falls_towards_the_truth() -> None:
    masks = torch.zeros(2, 1, 8, 8)
    masks[:, :, 2:6, 2:6] = 1
    right, wrong = (2 * masks - 1) * 8, (1 - 2 * masks) * 8
    identity = torch.nn.Identity()
    assert float(loss(identity, (right, masks))) < 0.05
    assert float(loss(identity, (wrong, masks))) > 5


def test_image_and_mask_are_moved_together() -> None:
    image = np.zeros((SIZE, SIZE), dtype=np.float32)
    image[30:90, 20:60] = 1
    augment = with_mask()
    overlaps = []
    for _ in range(20):
        moved, mask = augment(image, image.copy())
        overlaps.append(np.corrcoef(moved.ravel(), mask.ravel())[0, 1])
    assert np.median(overlaps) > 0.6


def test_a_card_says_where_its_commit_is_not_all_of_the_code() -> None:
    assert len(limits_of("0123abc")) == 1
    assert "not all committed: 0123abc is the commit before it" in limits_of("0123abc+changes")[1]


def test_shapes() -> None:
    with torch.no_grad():
        assert UNet((4, 8, 16))(torch.zeros(2, 1, 32, 32)).shape == (2, 1, 32, 32)


def test_two_lungs_are_found_in_the_drawing() -> None:
    lungs = find_lungs(fixed_sample().values)
    assert lungs.box is not None
    left, top, right, bottom = lungs.box
    assert (left + right) / 2 == pytest.approx(200, abs=25)
    assert top < 120
    assert bottom > 260


def test_the_shipped_lung_field_finds_lungs_in_other_hospitals_images(shared_data: Path) -> None:
    files = sorted((shared_data / "nih" / "images").glob("*.jpg"))[::40]
    found = [find_lungs(read_image(file.read_bytes()).windowed()).box is not None for file in files]
    assert len(found) >= 15
    assert np.mean(found) >= 0.9
