"""What the bone age network reads: the same hand whatever file it comes in, and maps that find their way back."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from cxrkit.errors import InputError
from cxrkit.hand_field import find_hand, overlap
from cxrkit.image import Radiograph
from cxrkit.phantoms import HandSettings, simulate_hand
from cxrkit.pixels import Gray
from cxrkit.task import ModelInput, Prepared
from cxrkit.tasks.bone_age import BONE_AGE, MEAN, SIZE, STD
from cxrkit.weights import fixed_sample
from tests.hands import around

PLAIN = HandSettings(seed=31, age_months=100, sex="male", size=384)


@pytest.fixture(scope="module")
def values() -> Gray:
    return simulate_hand(PLAIN).values


def radiograph(values: Gray) -> Radiograph:
    return replace(fixed_sample("hand"), values=np.ascontiguousarray(values) * np.float32(255))


def prepared(values: Gray, edits: ModelInput | None = None, **context: object) -> Prepared:
    return BONE_AGE.prepare([radiograph(values)], context, edits or ModelInput())


def alike(first: Prepared, second: Prepared) -> float:
    """Correlation of what the network reads."""
    return float(np.corrcoef(first.view[0].ravel(), second.view[0].ravel())[0, 1])


def test_the_declaration_has_an_output_for_every_three_months_and_each_sex() -> None:
    assert BONE_AGE.values == tuple(range(0, 229, 3))
    assert BONE_AGE.labels[:2] == ("0 months", "3 months")
    assert (BONE_AGE.context, BONE_AGE.beside) == (("sex",), ("age_months",))
    assert BONE_AGE.further[0].outputs == (77, 78)


def test_tones_fill_the_range_with_the_hands_median_in_the_middle(values: Gray) -> None:
    found = prepared(values)
    assert found.view[0].min() == 0
    assert found.view[0].max() > 0.97
    hand = found.hand
    assert hand is not None
    left, top, right, bottom = found.placements[0].box
    height, width = values.shape
    rows = ((top + (np.arange(SIZE) + 0.5) / SIZE * (bottom - top)) * 128 / height).astype(int)
    columns = ((left + (np.arange(SIZE) + 0.5) / SIZE * (right - left)) * 128 / width).astype(int)
    assert np.median(found.view[0][hand.mask[np.ix_(rows, columns)]]) == pytest.approx(0.45, abs=0.01)
    np.testing.assert_allclose(found.tensor[0, 0], (found.view[0] - MEAN) / STD, atol=1e-5)


@pytest.mark.parametrize("side", ["squashed to 100 pixels", "as large as a plate"])
def test_a_small_squashed_copy_and_a_large_one_look_alike(values: Gray, side: str) -> None:
    if side == "squashed to 100 pixels":
        other = cv2.resize(values, (100, 100), interpolation=cv2.INTER_AREA)
    else:
        other = cv2.resize(values, None, fx=5, fy=5, interpolation=cv2.INTER_CUBIC).clip(0, 1)
    assert alike(prepared(values), prepared(other)) > 0.97


def test_frames_labels_and_margins_go(values: Gray) -> None:
    framed, offset = around(values, margin=80, frame=8)
    plain, other = prepared(values), prepared(framed)
    moved = tuple(edge - offset for edge in other.placements[0].box)
    assert overlap(plain.placements[0].box, moved) > 0.9  # type: ignore[arg-type]
    assert alike(plain, other) > 0.85


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda image: 1 - image, "black and white were swapped"),
        (lambda image: np.rot90(image, 1), "point to the left"),
        (lambda image: np.rot90(image, 2), "point down"),
        (lambda image: np.rot90(image, 3), "point to the right"),
        (lambda image: np.rot90(1 - image, 1), "point to the left"),
        (lambda image: 0.4 + 0.1 * image, None),
        (lambda image: image**0.6, None),
    ],
    ids=["inverted", "90", "180", "270", "both", "faint", "another tone curve"],
)
def test_other_ways_to_export_the_same_hand_give_the_network_the_same(values: Gray, change: object, words: str) -> None:
    plain, other = prepared(values), prepared(np.float32(change(values)))  # type: ignore[operator]
    assert alike(plain, other) > 0.95
    assert plain.warnings == ()
    assert (words is None and other.warnings == ()) or any(words in text for text in other.warnings)


def test_the_users_turn_and_swap_come_before_the_tasks_own(values: Gray) -> None:
    turned = np.ascontiguousarray(np.rot90(values))
    left = prepared(turned, ModelInput(turn=0))
    assert left.placements[0].turn == 0
    assert left.warnings == ()
    np.testing.assert_allclose(np.rot90(prepared(turned).view[0], 1), left.view[0], atol=1e-6)
    dark = prepared(1 - values, ModelInput(swap=False))
    assert dark.warnings == ()
    assert alike(dark, prepared(values)) < 0


def test_fingers_whose_direction_cannot_be_told_are_said_to_be_so(
    values: Gray, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = find_hand(values)
    assert found is not None
    monkeypatch.setattr("cxrkit.tasks.bone_age.find_hand", lambda _: replace(found, turn=None))
    (warning,) = prepared(values).warnings
    assert warning.startswith("Which way the fingers point could not be told")
    assert prepared(values, ModelInput(turn=0)).warnings == (), "the user has said it"


def test_without_a_hand_all_is_read_and_said_so() -> None:
    square = np.pad(np.full((160, 160), 0.8, dtype=np.float32), 40)
    found = prepared(square)
    assert found.crop_sources == ("margins",)
    assert found.hand is None
    assert "No outline of a hand" in found.warnings[0]
    assert np.isfinite(found.tensor).all()


def test_a_crop_box_of_the_user_is_read_as_it_is(values: Gray) -> None:
    found = prepared(values, ModelInput(crop=(20, 30, 220, 330), size=224))
    assert found.placements[0].box == (20, 30, 220, 330)
    assert found.view[0].shape == (224, 224)
    assert found.crop_sources == ("user",)


def test_a_coarse_image_is_said_to_be_coarse(values: Gray) -> None:
    small = cv2.resize(values, (100, 100), interpolation=cv2.INTER_AREA)
    assert any("pixels long" in text for text in prepared(small).warnings)


@pytest.mark.parametrize("turns", range(4))
def test_a_map_finds_its_way_back_through_crop_squash_and_turn(values: Gray, turns: int) -> None:
    """A bright dot on the original is where the map of the prepared image has it."""
    image = np.rot90(values, turns) * np.float32(0.8)
    height, width = image.shape
    down, across = np.mgrid[0:height, 0:width]
    x, y = 0.42 * width, 0.61 * height
    dot = 0.2 * np.exp(-((across - x) ** 2 + (down - y) ** 2) / (2 * 4.0**2))
    edits = ModelInput(crop=(width // 5, height // 8, width, height * 7 // 8), turn=turns)
    before, after = (prepared(np.float32(shown), edits) for shown in (image, image + dot))
    place = after.placements[0]
    assert place.turn == turns
    found = place.place(after.view[0] - before.view[0])
    rows, columns = np.nonzero(found > 0.6 * found.max())
    left, top, right, bottom = place.box
    assert left + (columns.mean() + 0.5) * (right - left) / found.shape[1] == pytest.approx(x + 0.5, abs=3)
    assert top + (rows.mean() + 0.5) * (bottom - top) / found.shape[0] == pytest.approx(y + 0.5, abs=3)


@pytest.mark.parametrize(
    ("context", "words"),
    [
        ({"sex": "X"}, "F or M"),
        ({"age_months": -1}, "-1 months"),
        ({"age_months": 1500.0}, "not possible"),
        ({"age_months": float("nan")}, "not possible"),
    ],
)
def test_impossible_facts_are_refused(values: Gray, context: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        prepared(values, **context)


def test_a_sex_in_the_header_is_said_and_not_taken(values: Gray) -> None:
    image = replace(radiograph(values), header={"Patient's sex": "M"})
    found = BONE_AGE.prepare([image], {}, ModelInput())
    assert found.context["sex"] is None
    assert any("this is a boy. State the sex" in text for text in found.warnings)
    told = BONE_AGE.prepare([image], {"sex": "M"}, ModelInput()).warnings
    assert not any("State the sex" in text for text in told)


def test_facts_go_with_the_image(values: Gray) -> None:
    assert prepared(values).context == {"sex": None, "age_months": None}
    assert prepared(values, sex="female", age_months=99).context == {"sex": "F", "age_months": 99.0}
