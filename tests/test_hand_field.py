"""The hand is found where it is known to be: in simulated hands, and in two copies of the same real ones."""

import csv
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from cxrkit import hand_field
from cxrkit.hand_field import SIDE, HandField, find_hand, overlap
from cxrkit.phantoms import HAND_SAMPLES, HandSettings, SimulatedHand, simulate_hand
from cxrkit.pixels import Box, Gray
from tests.hands import around

PLAIN = HandSettings(seed=31, age_months=100, sex="male", size=256)


def found_in(image: Gray) -> HandField:
    hand = find_hand(image)
    assert hand is not None
    return hand


def box_of_bones(shown: SimulatedHand) -> Box:
    rows, columns = np.nonzero(shown.bones)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def cover(inner: Box, outer: Box) -> float:
    """Share of the inner box that lies in the outer one."""
    width = max(0, min(inner[2], outer[2]) - max(inner[0], outer[0]))
    height = max(0, min(inner[3], outer[3]) - max(inner[1], outer[1]))
    return width * height / ((inner[2] - inner[0]) * (inner[3] - inner[1]))


@pytest.mark.parametrize("sample", HAND_SAMPLES, ids=lambda sample: sample.name)
def test_the_box_holds_all_bones_of_a_simulated_hand_and_little_else(sample: object) -> None:
    settings: HandSettings = replace(sample.settings, size=256)  # type: ignore[attr-defined]
    shown = simulate_hand(settings)
    hand = found_in(shown.values)
    assert cover(box_of_bones(shown), hand.box) > 0.93
    assert overlap(box_of_bones(shown), hand.box) > 0.75
    assert hand.swapped == settings.inverted
    assert hand.turn == (-settings.turn // 90) % 4
    assert hand.mask.shape == (SIDE, SIDE)
    inside = cv2.resize(hand.mask.astype(np.uint8), shown.bones.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
    assert inside[shown.bones].mean() > 0.93


def test_a_frame_a_label_and_wide_margins_are_no_hand() -> None:
    shown = simulate_hand(PLAIN)
    alone = found_in(shown.values).box
    framed, offset = around(shown.values, margin=60, frame=6)
    found = found_in(framed).box
    moved = tuple(edge + offset for edge in alone)
    assert overlap(found, moved) > 0.85  # type: ignore[arg-type]


def test_the_same_hand_is_found_at_any_resolution_and_aspect() -> None:
    shown = simulate_hand(replace(PLAIN, size=512))
    height, width = shown.values.shape
    large = np.array(found_in(shown.values).box) / (width, height, width, height)
    squashed = cv2.resize(shown.values, (100, 100), interpolation=cv2.INTER_AREA)
    small = np.array(found_in(squashed).box) / 100
    assert overlap(tuple(large), tuple(small)) > 0.93


def test_a_faint_hand_is_found_as_the_plain_one_is() -> None:
    shown = simulate_hand(PLAIN)
    plain, faint = found_in(shown.values), found_in(np.float32(0.3) + np.float32(0.1) * shown.values)
    assert overlap(plain.box, faint.box) > 0.95
    assert (faint.swapped, faint.turn) == (False, 0)


@pytest.mark.parametrize("swapped", [False, True])
def test_swapping_black_and_white_is_noticed_and_moves_nothing(swapped: bool) -> None:
    values = simulate_hand(PLAIN).values
    hand = found_in(np.float32(1) - values if swapped else values)
    assert hand.swapped == swapped
    assert overlap(hand.box, found_in(values).box) > 0.9


@pytest.mark.parametrize("turns", range(4))
def test_the_fingers_are_turned_up(turns: int) -> None:
    values = simulate_hand(PLAIN).values
    hand = found_in(np.ascontiguousarray(np.rot90(values, turns)))
    assert hand.turn == turns


@pytest.mark.parametrize(
    "image",
    [
        np.full((90, 70), 0.4, dtype=np.float32),
        np.tile(np.linspace(0, 1, 200, dtype=np.float32), (150, 1)),
        np.pad(np.ones((60, 60), dtype=np.float32), 30),
    ],
    ids=["blank", "ramp", "square"],
)
def test_what_is_no_hand_is_not_found(image: Gray) -> None:
    assert find_hand(image) is None


def test_boxes_overlap() -> None:
    assert overlap((0, 0, 10, 10), (0, 0, 10, 10)) == 1
    assert overlap((0, 0, 10, 10), (5, 0, 15, 10)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 10, 10), (10, 0, 20, 10)) == 0


def test_real_hands_are_found_alike_in_both_copies_and_stay_upright(shared_data: Path) -> None:
    with (shared_data / "boneage" / "labels.csv").open(newline="", encoding="utf-8") as file:
        both = [row for row in csv.DictReader(file) if row["file_512"]][::90]
    agreement, turns = [], []
    for row in both:
        boxes = []
        for column in ("file_100", "file_512"):
            image = cv2.imread(str(shared_data / "boneage" / row[column]), cv2.IMREAD_GRAYSCALE)
            assert image is not None
            height, width = image.shape
            hand = find_hand(image.astype(np.float32) / 255)
            if hand is not None:
                boxes.append(tuple(np.array(hand.box) / (width, height, width, height)))
                turns.append(hand.turn)
                assert not hand.swapped
        agreement.append(overlap(*boxes) if len(boxes) == 2 else 0.0)
    assert len(both) == 12
    assert np.mean(agreement) > 0.9
    assert np.mean(np.array(agreement) > 0.8) >= 0.9
    assert np.mean([turn == 0 for turn in turns]) > 0.85
    assert set(turns) <= {0, None}


def test_the_same_pixels_at_another_size_give_the_box_of_that_size() -> None:
    """The search is remembered by the small image alone."""
    small = cv2.resize(simulate_hand(HandSettings(seed=5, age_months=90, sex="female", size=512)).values, (128, 128))
    large = cv2.resize(small, (512, 256), interpolation=cv2.INTER_NEAREST)
    one, other = find_hand(small), find_hand(large)
    assert one is not None
    assert other is not None
    assert other.box == tuple(round(end * factor) for end, factor in zip(one.box, (4, 2, 4, 2), strict=True))
    assert not one.mask.flags.writeable


def test_who_asks_for_the_same_hand_at_the_same_time_gets_the_same_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    shown, looked = simulate_hand(replace(PLAIN, seed=32)), []
    best = hand_field._best
    monkeypatch.setattr(hand_field, "_best", lambda *given: (looked.append(given[1]), best(*given))[1])
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(find_hand, [shown.values] * 4))
    assert len(looked) == len(set(looked))
    assert all(hand is not None and hand.mask is found[0].mask for hand in found)  # type: ignore[union-attr]
