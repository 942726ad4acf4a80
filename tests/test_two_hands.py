"""Two hands in one image are told from one."""

import csv
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from cxrkit.image import read_image
from cxrkit.phantoms import HandSettings, simulate_hand
from cxrkit.pixels import Gray
from cxrkit.quality import check_image
from cxrkit.two_hands import two_hands
from cxrkit.weights import fixed_sample

PLAIN = HandSettings(seed=31, age_months=100, sex="male", size=256)


def both(values: Gray) -> Gray:
    return np.hstack([values, values[:, ::-1]])


def touching(values: Gray) -> Gray:
    """Two hands in one image whose wrists or thumbs overlap."""
    width = values.shape[1]
    gap = width - width // 8
    ground = float(np.median(values[:, :4]))
    left = np.pad(values, ((0, 0), (0, gap)), constant_values=ground)
    return np.maximum(left, np.pad(values[:, ::-1], ((0, 0), (gap, 0)), constant_values=ground))


@pytest.mark.parametrize("turns", [0, 1])
def test_hands_that_touch_are_two(turns: int) -> None:
    values = touching(simulate_hand(PLAIN).values)
    assert two_hands(np.ascontiguousarray(np.rot90(values, turns)))


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("turns", [0, 1])
def test_a_pair_of_hands_is_two_and_a_hand_is_one(inverted: bool, turns: int) -> None:
    values = simulate_hand(replace(PLAIN, inverted=inverted)).values
    assert two_hands(np.ascontiguousarray(np.rot90(both(values), turns)))
    assert not two_hands(np.ascontiguousarray(np.rot90(values, turns)))


def test_the_guard_stops_two_hands_with_a_sentence() -> None:
    values = simulate_hand(PLAIN).values * np.float32(255)
    alone, pair = (check_image(replace(fixed_sample("hand"), values=shown), "hand") for shown in (values, both(values)))
    assert alone.ok
    assert not pair.ok
    assert len(pair.reasons) == 1


def test_real_pages_of_several_views_are_told_as_such(shared_data: Path) -> None:
    for name in ("0347", "0382", "0406"):
        verdict = check_image(read_image((shared_data / f"body_parts/images/{name}.jpg").read_bytes()), "hand")
        assert not verdict.ok
        assert "several hands or views side by side" in verdict.reasons[0], name


def test_real_single_hands_are_one_and_pairs_of_them_two(shared_data: Path) -> None:
    with (shared_data / "boneage" / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["file_512"]][::240]
    for row in rows:
        image = cv2.imread(str(shared_data / "boneage" / row["file_512"]), cv2.IMREAD_GRAYSCALE)
        assert image is not None
        values = image.astype(np.float32) / 255
        assert not two_hands(values), row["id"]
        assert two_hands(both(values)), row["id"]
        assert two_hands(touching(values)), row["id"]
