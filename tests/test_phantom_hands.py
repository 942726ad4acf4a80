"""Simulated hand radiographs: reproducible, mature in the published order, with masks and landmarks that are true."""

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from cxrkit.errors import InputError
from cxrkit.phantoms import HAND_SAMPLES, HandSettings, SimulatedHand, random_hand, simulate_hand
from cxrkit.phantoms.hand_growth import CARPALS, TUBULAR, appearance, fusion, hand_length
from cxrkit.phantoms.settings import Sex
from cxrkit.quality import check_image

SIZE = 192
SEXES: tuple[Sex, ...] = ("female", "male")
PLAIN = HandSettings(seed=21, age_months=84, sex="female", size=SIZE, tilt=0.0, marker=False)


@cache
def hand(**values: object) -> SimulatedHand:
    return simulate_hand(replace(PLAIN, **values))  # type: ignore[arg-type]


def area_mm2(mask: np.ndarray, shown: SimulatedHand) -> float:
    return float(mask.sum()) * shown.spacing_mm[0] * shown.spacing_mm[1]


def test_the_same_settings_give_the_same_image() -> None:
    one, other = simulate_hand(PLAIN), simulate_hand(PLAIN)
    np.testing.assert_array_equal(one.values, other.values)
    np.testing.assert_array_equal(one.bones, other.bones)
    assert one.landmarks == other.landmarks
    assert one.radiograph().sha256 == other.radiograph().sha256


def test_seeds_differ_in_proportions_and_pose_and_not_in_age() -> None:
    one, other = hand(), hand(seed=22)
    assert one.radiograph().sha256 != other.radiograph().sha256
    assert one.centres == other.centres
    steps = [np.subtract(shown.landmarks["tip 2"], shown.landmarks["tip 5"]) for shown in (one, other)]
    assert np.abs(steps[0] - steps[1]).max() > 1


@pytest.mark.parametrize("age", [1, 9, 60, 150, 240])
@pytest.mark.parametrize("sex", SEXES)
def test_values_and_masks_have_the_promised_form(sex: Sex, age: float) -> None:
    shown = hand(sex=sex, age_months=age)
    rows, columns = shown.values.shape
    assert rows == SIZE
    assert 0.69 <= columns / rows <= 1.0
    assert shown.values.dtype == np.float32
    assert shown.values.min() >= 0
    assert shown.values.max() <= 1
    np.testing.assert_allclose(shown.values * 255, np.rint(shown.values * 255), atol=1e-4)
    for mask in (shown.bones, shown.epiphyses, shown.carpals):
        assert mask.dtype == np.bool_
        assert mask.shape == shown.values.shape
        assert not mask.flags.writeable
    assert not shown.values.flags.writeable
    assert not (shown.epiphyses & ~shown.bones).any()
    assert not (shown.carpals & ~shown.bones).any()


@pytest.mark.parametrize("seed", range(6))
def test_the_whole_hand_lies_inside_the_image(seed: int) -> None:
    """All but the forearm, which the lower edge cuts; whatever tilt and spread of the fingers."""
    for tilt in (-25.0, 0.0, 25.0):
        shown = hand(seed=seed, tilt=tilt, spread=1.5, age_months=130)
        rows, columns = shown.values.shape
        for name, (row, column) in shown.landmarks.items():
            if name not in ("radius", "ulna"):
                assert 0 < row < rows - 1, (name, tilt)
                assert 0 < column < columns - 1, (name, tilt)
        for edge in (shown.bones[0], shown.bones[:, 0], shown.bones[:, -1]):
            assert tilt != 0 or not edge.any()


def test_bone_is_brighter_than_flesh_and_flesh_than_air() -> None:
    shown = hand(age_months=150, sharpness=0.0)
    air = np.concatenate([shown.values[:4, :4].ravel(), shown.values[:4, -4:].ravel()])
    web = np.mean([shown.landmarks["metacarpal 1"], shown.landmarks["metacarpal 2"]], axis=0).astype(int)
    flesh = shown.values[web[0] - 1 : web[0] + 2, web[1] - 1 : web[1] + 2]
    assert not shown.bones[web[0], web[1]]
    assert air.mean() + 0.1 < flesh.mean()
    assert flesh.mean() + 0.1 < shown.values[shown.bones].mean()


def test_landmarks_lie_on_their_bones() -> None:
    shown = hand(age_months=150)
    for name in (*TUBULAR, *CARPALS):
        row, column = np.round(shown.landmarks[name]).astype(int)
        if name not in ("radius", "ulna"):
            assert shown.bones[row, column], name
    for name in CARPALS:
        row, column = np.round(shown.landmarks[name]).astype(int)
        assert shown.carpals[row, column], name


def test_the_cortex_of_a_shaft_is_brighter_than_its_marrow() -> None:
    shown = hand(age_months=200, sex="male", size=768, sharpness=0.0)
    row, column = np.round(shown.landmarks["metacarpal 3"]).astype(int)
    profile = shown.values[row - 6 : row + 7].mean(axis=0)
    inside = np.flatnonzero(shown.bones[row])
    run = inside[np.abs(inside - column) < 40]
    left, right = profile[run[0] : column].max(), profile[column : run[-1]].max()
    assert min(left, right) > profile[column - 1 : column + 2].mean() + 0.03


@pytest.mark.parametrize("sex", SEXES)
def test_carpals_appear_in_the_published_order(sex: Sex) -> None:
    ages = [appearance(name, sex) for name in CARPALS]
    assert ages == sorted(ages)
    for name, age in zip(CARPALS, ages, strict=True):
        assert name not in hand(sex=sex, age_months=max(age - 1, 1)).landmarks or age < 2
        assert name in hand(sex=sex, age_months=age + 1).landmarks
    assert appearance("capitate", sex) < appearance("radius", sex) < appearance("triquetrum", sex)
    assert appearance("trapezoid", sex) < appearance("ulna", sex) < appearance("pisiform", sex)


@pytest.mark.parametrize("sex", SEXES)
def test_the_plate_of_the_radius_is_the_last_to_close(sex: Sex) -> None:
    assert not hand(sex=sex, age_months=fusion("radius", sex) + 1).epiphyses.any()
    open_at_the_wrist = hand(sex=sex, age_months=fusion("radius", sex) - 1)
    assert open_at_the_wrist.epiphyses.any()
    # Only the radius is left: nothing above its epiphysis.
    rows = np.flatnonzero(open_at_the_wrist.epiphyses.any(axis=1))
    assert rows[0] > open_at_the_wrist.landmarks["capitate"][0]


@pytest.mark.parametrize("sex", SEXES)
def test_ossified_carpal_area_grows_in_the_image(sex: Sex) -> None:
    shown = [hand(sex=sex, age_months=age) for age in (6, 18, 30, 48, 66, 84, 102, 120, 144, 168)]
    areas = [area_mm2(one.carpals, one) for one in shown]
    assert all(after > 1.03 * before for before, after in pairwise(areas))
    assert 700 < areas[-1] < 2200


def test_girls_are_ahead_of_boys_in_the_image() -> None:
    for age in (12, 36, 60, 96, 132):
        girl, boy = hand(sex="female", age_months=age), hand(sex="male", age_months=age)
        shares = [area_mm2(one.carpals, one) / hand_length(one.settings.sex, age) ** 2 for one in (girl, boy)]
        assert shares[0] > shares[1]
        assert set(boy.centres) <= set(girl.centres)
    assert hand(age_months=190).epiphyses.sum() < hand(age_months=190, sex="male").epiphyses.sum() / 2


def test_epiphyses_widen_in_the_image() -> None:
    """The middle finger's epiphyses relative to the metacarpal's shaft, before they cap it."""
    areas = []
    for age in (20, 40, 60, 90, 120):
        shown = hand(sex="male", age_months=age)
        areas.append(area_mm2(shown.epiphyses, shown) / hand_length("male", age) ** 2)
    assert all(after > 1.1 * before for before, after in pairwise(areas))


def test_a_right_hand_is_the_mirror_image() -> None:
    left, right = hand(), hand(side="right")
    np.testing.assert_array_equal(right.bones, left.bones[:, ::-1])
    assert left.landmarks["tip 1"][1] > left.landmarks["tip 5"][1]
    assert right.landmarks["tip 1"][1] < right.landmarks["tip 5"][1]


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_turned_hand_is_turned_clockwise_with_its_truth(turn: int) -> None:
    upright, turned = hand(), hand(turn=turn)
    np.testing.assert_array_equal(turned.values, np.rot90(upright.values, -turn // 90))
    np.testing.assert_array_equal(turned.carpals, np.rot90(upright.carpals, -turn // 90))
    for name in CARPALS[:7]:
        row, column = np.round(turned.landmarks[name]).astype(int)
        assert turned.carpals[row, column], name


def test_inverted_bright_and_faint_films() -> None:
    plain = hand()
    np.testing.assert_allclose(hand(inverted=True).values, 1 - plain.values, atol=1e-6)
    bright, faint = hand(background="bright"), hand(contrast=0.2)
    assert bright.values.min() >= 0.44
    assert 0.15 < np.ptp(faint.values) / np.ptp(plain.values) < 0.25
    # Below, the collimator's blades may hide the forearm; they are white on a bright film.
    seen = plain.bones.copy()
    seen[int(plain.landmarks["capitate"][0]) :] = False
    for other in (bright, faint):
        assert np.corrcoef(other.values[seen], plain.values[seen])[0, 1] > 0.98
        np.testing.assert_array_equal(other.bones, plain.bones)


def test_the_marker_hides_no_bone_of_the_hand() -> None:
    for seed in range(8):
        without, marked = (hand(seed=seed, age_months=120, marker=shown) for shown in (False, True))
        lead = marked.values > without.values + 0.3
        assert lead.sum() > 20
        assert (lead & without.bones).sum() < 0.15 * lead.sum()


def test_the_size_of_the_image_changes_no_anatomy() -> None:
    small, large = hand(age_months=100), hand(age_months=100, size=2 * SIZE)
    assert small.spacing_mm[0] == pytest.approx(2 * large.spacing_mm[0])
    assert area_mm2(small.bones, small) == pytest.approx(area_mm2(large.bones, large), rel=0.05)


def test_every_sample_is_named_and_passes_the_guard() -> None:
    assert len({sample.name for sample in HAND_SAMPLES}) == len({sample.title for sample in HAND_SAMPLES})
    for sample in HAND_SAMPLES:
        assert sample.name.isidentifier()
        shown = simulate_hand(replace(sample.settings, size=384))
        assert check_image(shown.radiograph(), "hand").ok, sample.name


def test_the_guard_that_learned_from_real_hands_takes_simulated_ones_for_hands() -> None:
    drawn = [random_hand(seed, 256) for seed in range(24)]
    assert drawn == [random_hand(seed, 256) for seed in range(24)]
    passed = [check_image(simulate_hand(settings).radiograph(), "hand").ok for settings in drawn]
    assert np.mean(passed) >= 0.9


@pytest.mark.parametrize(
    "wrong",
    [
        {"seed": -1},
        {"age_months": 0},
        {"age_months": 500},
        {"age_months": float("nan")},
        {"sex": "unknown"},
        {"side": "both"},
        {"background": "green"},
        {"turn": 45},
        {"contrast": 0.0},
        {"size": 8},
        {"tilt": 60.0},
        {"spread": -1.0},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError, match="choose"):
        replace(PLAIN, **wrong)  # type: ignore[arg-type]
