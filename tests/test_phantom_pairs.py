"""Simulated pairs: one patient at two times, with the change, its direction and its place known."""

from dataclasses import replace

import numpy as np
import pytest

from cxrkit.errors import InputError
from cxrkit.image import days_between
from cxrkit.phantoms import (
    LESIONS,
    PAIR_SAMPLES,
    ChestSettings,
    Lesion,
    PairSettings,
    random_pair,
    simulate_chest,
    simulate_pair,
)
from cxrkit.phantoms.chest import outline
from cxrkit.phantoms.chest_anatomy import draw_anatomy
from cxrkit.phantoms.chest_vessels import grow_vessels

SIZE = 128
NODULE = Lesion("nodule", "left", "middle", size=1.6, contrast=1.5)


def pair_of(**values: object) -> PairSettings:
    return PairSettings(seed=21, size=SIZE, **values)  # type: ignore[arg-type]


def test_the_same_settings_give_the_same_pair() -> None:
    settings = pair_of(follow_up=(NODULE,))
    one, other = simulate_pair(settings), simulate_pair(settings)
    np.testing.assert_array_equal(one.baseline.values, other.baseline.values)
    np.testing.assert_array_equal(one.follow_up.values, other.follow_up.values)
    np.testing.assert_array_equal(one.masks[1], other.masks[1])


def test_another_visit_differs_in_more_than_noise() -> None:
    pair = simulate_pair(pair_of())
    assert pair.change is False
    assert pair.direction is None
    assert not any(mask.any() for mask in pair.masks)
    assert pair.baseline.spacing_mm != pair.follow_up.spacing_mm
    first, second = (image.radiograph().sha256 for image in (pair.baseline, pair.follow_up))
    assert first != second


def test_the_first_visit_at_home_breath_is_the_ordinary_chest() -> None:
    plain = ChestSettings(21, size=SIZE)
    np.testing.assert_array_equal(
        simulate_chest(replace(plain, home_breath=plain.breath)).values, simulate_chest(plain).values
    )


def test_the_patient_stays_the_same_at_another_breath() -> None:
    """The same tree of vessels, whose ends at the base rise with the diaphragm while the apex stays."""
    deep = ChestSettings(21, breath=0.9, home_breath=0.9)
    shallow = replace(deep, breath=0.3, visit=1)
    trees = [grow_vessels(settings, draw_anatomy(settings)) for settings in (deep, shallow)]
    for side in ("left", "right"):
        for before, after in zip(trees[0][side], trees[1][side], strict=True):
            np.testing.assert_array_equal(before.parents, after.parents)
            np.testing.assert_array_equal(before.radii, after.radii)
            rise = before.points[:, 1] - after.points[:, 1]
            base, apex = before.points[:, 1] > 200, before.points[:, 1] < 40
            assert (rise >= -1e-9).all()
            assert rise[base].mean() > 15
            assert rise[apex].max() < 2
    np.testing.assert_array_equal(draw_anatomy(deep).extra, draw_anatomy(shallow).extra)


def test_without_a_home_breath_another_breath_grows_other_vessels() -> None:
    """Why home_breath is there."""
    trees = [
        grow_vessels(settings, draw_anatomy(settings))
        for settings in (ChestSettings(21), ChestSettings(21, breath=0.3))
    ]
    assert not np.array_equal(trees[0]["left"][0].parents, trees[1]["left"][0].parents)


@pytest.mark.parametrize(
    ("before", "after", "direction"),
    [
        ((), (NODULE,), "more"),
        ((NODULE,), (), "less"),
        ((replace(NODULE, size=0.8),), (NODULE,), "more"),
        ((NODULE,), (replace(NODULE, contrast=0.5),), "less"),
    ],
)
def test_change_and_direction(before: tuple[Lesion, ...], after: tuple[Lesion, ...], direction: str) -> None:
    pair = simulate_pair(pair_of(baseline=before, follow_up=after, breath=(0.9, 0.7)))
    assert pair.change is True
    assert pair.direction == direction
    for mask, image in zip(pair.masks, (pair.baseline, pair.follow_up), strict=True):
        assert mask.shape == image.values.shape
        assert not mask.flags.writeable
        assert 10 < mask.sum() < mask.size / 20
        for _, shown in image.lesions:
            assert (mask & shown).sum() >= 0.9 * shown.sum()


def test_what_stays_is_no_change_and_what_goes_both_ways_has_no_direction() -> None:
    effusion = Lesion("effusion", "right")
    assert simulate_pair(pair_of(baseline=(NODULE,), follow_up=(NODULE,))).change is False
    both = simulate_pair(pair_of(baseline=(effusion,), follow_up=(NODULE,)))
    assert both.change is True
    assert both.direction is None
    mixed = simulate_pair(pair_of(baseline=(effusion,), follow_up=(effusion, NODULE)))
    assert mixed.direction == "more"
    assert mixed.masks[0].sum() < mixed.masks[0].size / 20


def test_a_grown_lesion_keeps_its_place() -> None:
    settings = pair_of(baseline=(replace(NODULE, size=0.6),), follow_up=(NODULE,))
    first, _ = settings.chests()
    small, large = (outline(first, replace(NODULE, size=size, first_size=1.6)) for size in (0.6, 1.6))
    assert (small & large).sum() >= 0.95 * small.sum()
    middles = [np.argwhere(mask).mean(axis=0) for mask in (small, large)]
    np.testing.assert_allclose(middles[0], middles[1], atol=0.02 * SIZE)


@pytest.mark.parametrize("kind", LESIONS)
def test_the_outline_is_the_mask_of_the_image(kind: str) -> None:
    settings = ChestSettings(21, size=SIZE, visit=2, lesions=(Lesion(kind),))
    np.testing.assert_array_equal(outline(settings, settings.lesions[0]), simulate_chest(settings).lesions[0][1])
    np.testing.assert_array_equal(
        outline(replace(settings, lesions=()), settings.lesions[0]), simulate_chest(settings).lesions[0][1]
    )


def test_another_patient_has_no_answer() -> None:
    pair = simulate_pair(replace(pair_of(follow_up=(NODULE,)), other_seed=5))
    assert pair.change is None
    assert pair.direction is None
    assert not any(mask.any() for mask in pair.masks)


def test_the_radiographs_are_as_far_apart_as_stated() -> None:
    assert days_between(*simulate_pair(pair_of(days=121)).radiographs()) == 121


def test_drawn_pairs_are_reproducible_and_varied() -> None:
    drawn = [random_pair(seed, size=SIZE) for seed in range(80)]
    assert drawn == [random_pair(seed, size=SIZE) for seed in range(80)]
    changed = [settings for settings in drawn if settings.baseline != settings.follow_up]
    assert 0.3 < len(changed) / len(drawn) < 0.7
    grown = [settings for settings in changed if len(settings.baseline) == len(settings.follow_up)]
    assert 0.25 < len(grown) / len(changed) < 0.75
    assert {lesion.kind for settings in changed for pair in settings.findings() for lesion in pair if lesion} == set(
        LESIONS
    )
    assert all(settings.baseline == settings.follow_up for settings in (random_pair(s, 0.0) for s in range(10)))


@pytest.mark.parametrize("seed", range(4))
def test_any_drawn_pair_can_be_simulated(seed: int) -> None:
    pair = simulate_pair(random_pair(seed, share_changed=1.0, size=96))
    assert pair.change
    assert pair.direction in ("less", "more")
    assert all(mask.any() for mask in pair.masks)


@pytest.mark.parametrize(
    ("name", "change", "direction"),
    [
        ("new_nodule", True, "more"),
        ("effusion_resolved", True, "less"),
        ("consolidation_growing", True, "more"),
        ("other_breath", False, None),
        ("new_pneumothorax", True, "more"),
        ("cavity_shrinking", True, "less"),
        ("another_patient", None, None),
    ],
)
def test_every_sample_says_what_it_shows(name: str, change: bool | None, direction: str | None) -> None:
    (sample,) = [sample for sample in PAIR_SAMPLES if sample.name == name]
    pair = simulate_pair(replace(sample.settings, size=SIZE))
    assert (pair.change, pair.direction) == (change, direction)
    assert name.isidentifier()
    assert sample.description.endswith(".")


def test_the_samples_differ_by_name_and_title() -> None:
    assert len({sample.name for sample in PAIR_SAMPLES}) == len({sample.title for sample in PAIR_SAMPLES}) == 7


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: pair_of(days=-1),
        lambda: pair_of(breath=(0.5, 1.5)),
        lambda: pair_of(baseline=(NODULE,), follow_up=(replace(NODULE, zone="upper"),)),
        lambda: pair_of(follow_up=(NODULE, NODULE)),
        lambda: Lesion("nodule", first_size=9.0),
        lambda: ChestSettings(1, visit=-1),
        lambda: ChestSettings(1, home_breath=2.0),
    ],
)
def test_wrong_settings_are_refused(wrong) -> None:
    with pytest.raises(InputError, match="choose"):
        wrong()
