"""Made pairs: nothing but the lesion itself tells an edited image."""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.stats import ks_2samp

from cxrkit.phantoms import LESIONS
from cxrkit.pixels import Gray
from cxrkit.tasks.chest import as_read
from tests.train.followup_sources import SIDE, Source, pairs, sources, without_lesions
from train.followup.made import draw_plan, make_pair
from train.followup.marks import Marks, edited
from train.followup.plan import STRONGEST, PlannedLesion
from train.followup.pose import draw_pose, natural, resample
from train.followup.space import find_space
from train.followup.vary import draw_look, processed

__all__ = ["sources"]


def test_a_restored_image_equals_the_untouched_one(sources: list[Source]) -> None:
    """Up to the rounding to 12 bits before, and so hardly ever to one step of the 8 bits after."""
    for _, pair in pairs(sources, 14, 0.0, control=True):
        assert pair.control
        assert pair.drawn == (False, False)
    for seed, kind in enumerate(LESIONS):
        space = find_space(*sources[seed % 3])
        marks = Marks(space, space)
        lesion = PlannedLesion(kind, seed, (1.0, 1.0), (1.5, 0.0), (True, False))
        restored, bumps = edited(marks, [lesion], 0)
        untouched, _ = edited(marks, [lesion], 1)
        assert not bumps
        assert np.abs(restored - untouched).max() <= 1.01 / 4095


def test_controls_cannot_be_told_from_untouched_pairs(sources: list[Source]) -> None:
    """Every pixel of the control, and the fine structure where the lesion was, against the pair without any lesion."""
    differences, fine_restored, fine_untouched = [], [], []
    for seed in range(36):
        source = sources[seed % len(sources)]
        plan = draw_plan(np.random.default_rng(seed), 0.0, control=True, contrast=STRONGEST)
        control, untouched = make_pair(*source, plan, SIDE), make_pair(*source, without_lesions(plan), SIDE)
        image = 0 if plan.lesions[0].restored[0] else 1
        one, other = ((pair.baseline, pair.follow_up)[image] for pair in (control, untouched))
        differences.append(float(np.abs(one - other).mean()))
        changing = replace(plan.lesions[0], restored=(False, False), contrasts=(STRONGEST, 0.0))
        lesion = replace(plan, lesions=(changing,), direction="less", control=False)
        where = make_pair(*source, lesion, SIDE).masks[image]
        fine_restored.append(_fine(one, where))
        fine_untouched.append(_fine(other, where))
    assert np.mean(differences) < 0.003
    assert max(differences) < 0.01
    assert ks_2samp(fine_restored, fine_untouched).pvalue > 0.9
    assert np.abs(np.subtract(fine_restored, fine_untouched)).mean() < 0.02 * np.mean(fine_untouched)


def _fine(image: Gray, where: NDArray[np.bool_]) -> float:
    """Strength of structure of a pixel's size within a region."""
    return float(np.abs(image - cv2.GaussianBlur(image, (0, 0), 1.5))[where].mean())


def test_that_comparison_would_notice_an_editing_that_leaves_a_trace(sources: list[Source]) -> None:
    """A second resampling, the commonest trace, is told at once by the same measure."""
    space = find_space(*sources[0])
    whole = np.ones((SIDE, SIDE), dtype=bool)
    pose = draw_pose(np.random.default_rng(0), 0.0)
    lattice = natural(space, pose, SIDE)
    look = draw_look(np.random.default_rng(0), 0.0)
    once = _fine(as_read(processed(resample(space.view, lattice, SIDE), look), SIDE), whole)
    shifted = cv2.warpAffine(space.view, np.array([[1, 0, 0.5], [0, 1, 0.5]]), space.view.shape[::-1])
    twice = _fine(as_read(processed(resample(shifted, lattice, SIDE), look), SIDE), whole)
    assert twice < 0.97 * once


def test_at_strength_0_a_look_leaves_an_image_as_it_is() -> None:
    plain, strong = ([draw_look(np.random.default_rng(seed), strength) for seed in range(40)] for strength in (0, 0.35))
    assert {(look.quality, look.noise, look.local, look.gamma, look.devices) for look in plain} == {(0, 0, 0, 1, 0)}
    assert 0.3 < np.mean([look.quality > 0 for look in strong]) < 0.9


def test_where_no_lesion_is_the_edited_view_is_untouched(sources: list[Source]) -> None:
    space = find_space(*sources[2])
    marks, lesion = Marks(space, space), PlannedLesion("nodule", 5, (1.0, 1.0), (0.0, 1.0))
    mark = marks.of(lesion, 1)
    assert mark is not None
    far = mark.density < 1e-5
    assert far.mean() > 0.5
    np.testing.assert_array_equal(edited(marks, [lesion], 1)[0][far], edited(marks, [lesion], 0)[0][far])
