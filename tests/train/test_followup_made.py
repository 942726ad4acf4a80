"""Made pairs: change exactly where a lesion changes, no trace of editing, all of it from one plan."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from scipy.stats import ks_2samp

from cxrkit.phantoms import LESIONS
from cxrkit.pixels import Gray, resize
from cxrkit.tasks.chest import as_read
from tests.train.followup_sources import SIDE, Source, pairs, sources, without_lesions
from train.followup import made as made_module
from train.followup.made import draw_plan, make_pair, make_pair_of_two
from train.followup.marks import Marks, edited, visible
from train.followup.plan import FAINTEST, STRONGEST, PlannedLesion
from train.followup.pose import natural, resample
from train.followup.space import find_space
from train.followup.vary import processed

__all__ = ["sources"]


def test_images_are_what_the_network_reads(sources: list[Source]) -> None:
    for _, pair in pairs(sources, 24, 0.5):
        for image, mask in zip((pair.baseline, pair.follow_up), pair.masks, strict=True):
            assert image.shape == mask.shape == (SIDE, SIDE)
            assert (image.dtype, mask.dtype) == (np.float32, np.bool_)
            assert 0 <= image.min() < 0.1
            assert 0.9 < image.max() <= 1
            assert image.mean() == pytest.approx(0.5, abs=0.02), "equalised"
        assert np.abs(pair.baseline - pair.follow_up).max() > 0.05, "never the same image twice"


def test_the_last_step_is_that_of_uploads(sources: list[Source]) -> None:
    plan = without_lesions(draw_plan(np.random.default_rng(2), 0.0))
    pair, space = make_pair(*sources[0], plan, SIDE), find_space(*sources[0])
    seen = resample(np.rint(space.view * 4095) / np.float32(4095), natural(space, plan.poses[0], SIDE), SIDE)
    np.testing.assert_array_equal(pair.baseline, as_read(processed(seen, plan.looks[0]), SIDE))


@pytest.mark.parametrize("kind", LESIONS)
def test_a_change_has_masks_direction_kind_and_contrast(kind: str, sources: list[Source]) -> None:
    directions = set()
    for plan, pair in pairs(sources, 12, 1.0, kind=kind, contrast=0.8):
        assert pair.change is True
        assert (pair.kind, pair.direction, pair.control) == (kind, plan.direction, False)
        assert pair.contrast == pytest.approx(0.8)
        assert all(5 < mask.sum() < 0.8 * SIDE**2 for mask in pair.masks)
        more, less = (1, 0) if pair.direction == "more" else (0, 1)
        assert pair.drawn[more]
        amounts = [[one.sizes[image] * one.contrasts[image] for one in plan.lesions if one.changes] for image in (0, 1)]
        assert all(high > low for high, low in zip(amounts[more], amounts[less], strict=True))
        directions.add(pair.direction)
    assert directions == {"more", "less"}


def test_without_change_there_is_no_mask(sources: list[Source]) -> None:
    drawn, controls = 0, 0
    for plan, pair in pairs(sources, 40, 0.0):
        assert pair.change is False
        assert (pair.kind, pair.direction, pair.contrast) == (None, None, 0.0)
        assert not any(mask.any() for mask in pair.masks)
        assert pair.control == plan.control
        assert pair.drawn[0] == pair.drawn[1]
        drawn, controls = drawn + pair.drawn[0], controls + pair.control
    assert 5 < controls < 20
    assert 6 < drawn < 22, "the same lesion in both images"


@pytest.mark.parametrize("kind", [kind for kind in LESIONS if kind != "enlarged heart"])
def test_the_lesion_lies_in_its_mask_and_where_it_belongs(kind: str, sources: list[Source]) -> None:
    """Before anything varies, what differs between the two views is inside the mask, and on lungs."""
    share_inside, share_on_lungs = [], []
    for seed in range(9):
        source = sources[seed % len(sources)]
        space = find_space(*source)
        marks = Marks(space, space)
        lesion = visible(marks, PlannedLesion(kind, seed, (1.0, 1.0), (0.0, 1.0)))
        mark = marks.of(lesion, 1)
        assert mark is not None
        change = np.abs(edited(marks, [lesion], 1)[0] - edited(marks, [lesion], 0)[0])
        inside = mark.extent > 0.2 * mark.extent.max()
        assert change.max() > 0.04
        share_inside.append(change[inside].sum() / change.sum())
        near = cv2.dilate(source.lungs, np.ones((25, 25), np.uint8)) > 127
        share_on_lungs.append(change[near].sum() / change.sum())
    # The pleura's line and the denser lung beside it belong to a pneumothorax, but not to the air that is its mask.
    assert np.mean(share_inside) > (0.4 if kind == "pneumothorax" else 0.75)
    assert np.min(share_on_lungs) > 0.95


def test_dense_lesions_brighten_and_air_darkens(sources: list[Source]) -> None:
    space = find_space(*sources[0])
    for kind, sign in (("nodule", 1), ("consolidation", 1), ("cavity", 1), ("effusion", 1), ("pneumothorax", -1)):
        marks, lesion = Marks(space, space), PlannedLesion(kind, 3, (1.0, 1.0), (0.0, 1.0))
        mark = marks.of(lesion, 1)
        assert mark is not None
        gain = (edited(marks, [lesion], 1)[0] - space.view)[mark.extent > 0.5 * mark.extent.max()].mean()
        assert gain * sign > 0.02, kind


def test_the_heart_is_wider(sources: list[Source]) -> None:
    plan = draw_plan(np.random.default_rng(0), 0.0, strength=0.0)
    lesion = PlannedLesion("enlarged heart", 1, (1.0, 1.0), (0.0, 1.2))
    plan = replace(plan, lesions=(lesion,), direction="more", control=False)
    pair = make_pair(*sources[0], plan, SIDE)
    gain = (pair.follow_up - pair.baseline)[pair.masks[1]]
    assert gain.mean() > 0.02, "heart where lung was"
    outside = np.abs(pair.follow_up - pair.baseline)[: SIDE // 5].mean()
    assert np.abs(gain).mean() > 5 * outside


@pytest.mark.parametrize("kind", LESIONS)
def test_size_grows_and_contrast_strengthens_one_and_the_same_lesion(kind: str, sources: list[Source]) -> None:
    if kind == "enlarged heart":
        pytest.skip("it has no density; see test_the_heart_is_wider")
    space = find_space(*sources[1])
    marks = Marks(space, space)

    def drawn(size: float, contrast: float) -> Gray:
        mark = marks.of(PlannedLesion(kind, 11, (size, size), (contrast, contrast)), 0)
        assert mark is not None
        return mark.extent

    small, large, faint = drawn(0.7, 1.0), drawn(1.4, 1.0), drawn(0.7, 0.4)
    assert large.sum() > 1.2 * small.sum()
    assert faint.sum() == pytest.approx(0.4 * small.sum(), rel=0.02)
    assert np.corrcoef(small.ravel(), faint.ravel())[0, 1] > 0.99


def test_swapping_the_plan_swaps_the_pair(sources: list[Source]) -> None:
    for seed in range(8):
        plan = draw_plan(np.random.default_rng(seed), 0.7)
        pair, turned = (make_pair(*sources[0], one, SIDE) for one in (plan, plan.swapped()))
        np.testing.assert_array_equal(pair.baseline, turned.follow_up)
        np.testing.assert_array_equal(pair.masks[0], turned.masks[1])
        assert pair.drawn == turned.drawn[::-1]
        assert (pair.change, pair.kind, pair.contrast) == (turned.change, turned.kind, turned.contrast)
        assert {pair.direction, turned.direction} in ({"more", "less"}, {None})


def test_one_plan_one_pair(sources: list[Source]) -> None:
    plans = [draw_plan(np.random.default_rng(seed), 1.0) for seed in (4, 4, 5)]
    assert plans[0] == plans[1] != plans[2]
    first, again, other = (make_pair(*sources[0], plan, SIDE) for plan in plans)
    np.testing.assert_array_equal(first.follow_up, again.follow_up)
    np.testing.assert_array_equal(first.masks[1], again.masks[1])
    assert np.abs(first.follow_up - other.follow_up).mean() > 0.02


def test_both_images_vary_by_themselves() -> None:
    plans = [draw_plan(np.random.default_rng(seed), 0.5) for seed in range(300)]
    assert all(plan.poses[0] != plan.poses[1] and plan.looks[0] != plan.looks[1] for plan in plans)
    for of in (lambda plan: [pose.rotation for pose in plan.poses], lambda plan: [look.gamma for look in plan.looks]):
        first, second = np.array([of(plan) for plan in plans]).T
        assert abs(np.corrcoef(first, second)[0, 1]) < 0.2
    # The variation must not depend on whether there is a change, nor on which image has the lesion.
    for of in (lambda look: look.noise, lambda look: look.sharpness, lambda look: float(look.devices)):
        changed = [of(look) for plan in plans if plan.direction for look in plan.looks]
        unchanged = [of(look) for plan in plans if not plan.direction for look in plan.looks]
        assert ks_2samp(changed, unchanged).pvalue > 0.01


def test_plans_stay_in_range() -> None:
    plans = [draw_plan(np.random.default_rng(seed), 0.5) for seed in range(400)]
    assert 160 < sum(plan.direction is not None for plan in plans) < 240
    kinds = set()
    for plan in plans:
        kinds |= {lesion.kind for lesion in plan.lesions}
        changing = [lesion for lesion in plan.lesions if lesion.changes]
        assert bool(changing) == (plan.direction is not None)
        assert not (plan.control and changing)
        for lesion in plan.lesions:
            assert max(lesion.contrasts) <= STRONGEST
            assert max(lesion.contrasts) >= FAINTEST
        for pose, look in zip(plan.poses, plan.looks, strict=True):
            assert abs(pose.rotation) <= 9
            assert 0.9 < pose.zoom < 1.25
            assert look.quality == 0 or 35 <= look.quality <= 95
            assert -0.3 < look.window[0] < 0.1
            assert 0.9 < look.window[1] < 1.3
    assert kinds == set(LESIONS)
    with pytest.raises(KeyError):
        PlannedLesion("unknown", 0, (1, 1), (1, 1)).draw(None, 0)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [64, 160])
def test_any_size(size: int, sources: list[Source]) -> None:
    plan = draw_plan(np.random.default_rng(8), 1.0, contrast=1.0, strength=0.3)
    pair, usual = make_pair(*sources[0], plan, size), make_pair(*sources[0], plan, SIDE)
    assert pair.baseline.shape == pair.masks[0].shape == (size, size)
    assert pair.masks[1].mean() == pytest.approx(usual.masks[1].mean(), rel=0.15)
    assert np.corrcoef(resize(usual.baseline, size, size).ravel(), pair.baseline.ravel())[0, 1] > 0.9


def test_two_radiographs_of_one_patient(sources: list[Source]) -> None:
    two = tuple(zip(sources[0], sources[1], strict=True))
    none = make_pair_of_two(*two, draw_plan(np.random.default_rng(1), 0.0), SIDE)
    assert none.change is None, "what has happened between two real images isn't known"
    assert (none.direction, none.drawn, none.masks[0].any()) == (None, (False, False), False)
    for seed in range(14):
        kind = LESIONS[seed % len(LESIONS)]
        plan = draw_plan(np.random.default_rng(seed), 1.0, kind=kind, contrast=1.3)
        pair = make_pair_of_two(*two, plan, SIDE)
        assert (pair.change, pair.kind, pair.direction) == (True, kind, plan.direction)
        assert pair.drawn == ((False, True) if plan.direction == "more" else (True, False))
        assert all(mask.any() for mask in pair.masks)


def test_lungs_that_have_grown_together_are_parted(sources: list[Source]) -> None:
    view, lungs, frame = sources[0]
    joined = cv2.morphologyEx(lungs, cv2.MORPH_CLOSE, np.ones((1, 121), np.uint8))
    left, right = find_space(view, joined, frame).lungs
    assert left.box[2] <= right.box[0] + 1
    pair = make_pair(view, joined, frame, draw_plan(np.random.default_rng(0), 1.0), SIDE)
    assert pair.change


def test_the_module_offers_what_trainers_use() -> None:
    assert set(made_module.__all__) == {"MadePair", "Plan", "draw_plan", "make_pair", "make_pair_of_two"}
