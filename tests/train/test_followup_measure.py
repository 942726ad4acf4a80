"""Figures of the follow-up network follow the answers that they are given."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from cxrkit import metrics
from cxrkit.cases import Case
from cxrkit.localisation import POINTING_TOLERANCE
from train.followup.answers import Answers
from train.followup.by_patient import auc_metric, mean_by_patient, mean_metric, share_by_patient
from train.followup.held import RealPairs, direction_of
from train.followup.losses import UNKNOWN
from train.followup.made_aside import CONTRASTS, MadePairs
from train.followup.matching import ANOTHER, SAME, Matched, matching_figures
from train.followup.measure import SPECIFICITY, threshold_for_specificity
from train.followup.measure_made import DIRECTION, MADE, change_metrics, direction_metrics
from train.followup.measure_maps import (
    BASELINE,
    CHANCE,
    INTERSECTION,
    LESION_CHANGE,
    OTHER,
    STRONGEST_LESION,
    chance,
    hits,
)
from train.followup.measure_pairs import change_of_real, direction_of_real, order_of_real
from train.followup.space import Mask

SIZE = 64


def answers(change: NDArray[np.float64], more: NDArray[np.float64] | None = None) -> Answers:
    """Answers with these logits of change and of more, everything else even."""
    logits = np.zeros((len(change), 8))
    logits[:, 1] = change
    logits[:, 7] = 0 if more is None else more
    nothing = np.zeros((len(change), 2))
    maps = nothing[..., None, None].astype(np.float32)
    return Answers(logits, np.zeros((len(change), 4)), maps[:, None], nothing[:, None], maps)


def made(
    kinds: list[str], answered: Answers, masks: tuple[tuple[Mask, Mask], ...] = (), more: list[int] | None = None
) -> MadePairs:
    count = len(kinds)
    names = np.array([f"s:{number}" for number in range(count)])
    contrasts = np.array([CONTRASTS[number % 3] for number in range(count)])
    return MadePairs(
        names, np.array(["s"] * count), np.array(kinds), contrasts, np.array(more or [0] * count), masks, answered
    )


def test_figures_of_made_pairs_follow_the_answers() -> None:
    kinds = ["nodule"] * 6 + ["effusion"] * 6
    sure, unsure = np.full(6, 4.0), np.array([-3.0, 1.0, -2.0, 3.0, -4.0, 2.0])
    calm = made([""] * 6, answers(unsure - 0.5))
    found, rows = change_metrics(made(kinds, answers(np.r_[unsure, sure])), calm, 1.0, 0.5)
    by_kind = {(row["lesion"], row["contrast"]): row for row in rows}
    wins = np.mean(unsure[:, None] > (unsure - 0.5)[None])
    assert by_kind["nodule", "any"]["AUC (95 % interval)"].startswith(f"{wins:.3f}")
    assert by_kind["effusion", "any"]["AUC (95 % interval)"].startswith("1.000")
    assert by_kind["effusion", "any"]["sensitivity (95 % interval)"].startswith("1.000")
    assert by_kind["nodule", "any"]["sensitivity (95 % interval)"].startswith("0.500")
    named = {metric.name: metric for metric in found if metric.part == MADE}
    assert named["AUC"].value == pytest.approx((wins + 1) / 2)
    assert named["sensitivity"].value == pytest.approx(9 / 12)
    assert named["specificity"].value == pytest.approx(3 / 6)
    assert sum(row["pairs with change"] for row in rows if row["lesion"] == "nodule" and row["contrast"] != "any") == 6


@pytest.mark.parametrize(("sign", "expected"), [(1, 1.0), (-1, 0.0)])
def test_direction_follows_the_answers(sign: int, expected: float) -> None:
    truth = [0, 1, 1, 0, 1, 0]
    pairs = made(["nodule"] * 6, answers(np.zeros(6), sign * np.array(truth) * 2.0), more=truth)
    (metric,) = direction_metrics(pairs)
    assert (metric.name, metric.value) == (DIRECTION, expected)


def test_maps_point_where_they_are_hot() -> None:
    corner, opposite = np.zeros((SIZE, SIZE), bool), np.zeros((SIZE, SIZE), bool)
    corner[4:12, 4:12], opposite[52:60, 52:60] = True, True
    hot = np.zeros((4, 2, 8, 8), np.float32)
    hot[0, :, 1, 1] = 1  # both on the lesion
    hot[1, 0, 1, 1], hot[1, 1, 6, 6] = 1, 1  # one map each side: they share nothing
    hot[2, :, 6, 6] = 1  # both off
    # The fourth has no evidence at all.
    maxima = hot.max(axis=(2, 3)).astype(float)
    answered = replace(answers(np.zeros(4)), maps=hot[:, None], maxima=maxima[:, None])
    found = hits(made(["nodule"] * 4, answered, ((corner, corner),) * 4))
    np.testing.assert_array_equal(found[INTERSECTION], [1, 0, 0, 0])
    np.testing.assert_array_equal(found[BASELINE], [1, 1, 0, 0])
    np.testing.assert_array_equal(found[OTHER], [0, 0, 1, 0])
    np.testing.assert_allclose(found[CHANCE], chance(corner))
    moved = hits(made(["nodule"] * 4, answered, ((corner, opposite),) * 4))
    assert moved[INTERSECTION][0] == 0.5, "on the baseline alone"
    gone = hits(made(["nodule"] * 4, answered, ((corner, np.zeros_like(corner)),) * 4))
    assert np.isnan(gone[INTERSECTION]).all(), "a lesion outside the image is nobody's miss"


def test_lesions_come_or_gone_count_whichever_way_they_went() -> None:
    corner = np.zeros((SIZE, SIZE), bool)
    corner[4:12, 4:12] = True
    seen = np.zeros((4, 2, 8, 8), np.float32)
    seen[0, 0, 1, 1] = 0.6  # gone
    seen[1, 1, 1, 1], seen[1, :, 6, 6] = 0.3, 0.9  # come, beside a stronger one that stays
    seen[2, :, 1, 1] = 0.8  # stays: nothing has changed
    seen[3, 1, 6, 6] = 0.5  # elsewhere
    nothing = np.zeros((4, 2, 8, 8), np.float32)
    found = hits(
        made(
            ["nodule"] * 4, replace(answers(np.zeros(4)), maps=nothing[:, None], lesions=seen), ((corner, corner),) * 4
        )
    )
    np.testing.assert_array_equal(found[LESION_CHANGE], [1, 1, 0, 0])
    np.testing.assert_array_equal(found[STRONGEST_LESION], [0.5, 0, 1, 0])
    without = replace(answers(np.zeros(4)), maps=nothing[:, None], lesions=np.zeros((4, 2, 0, 0), np.float32))
    assert LESION_CHANGE not in hits(made(["nodule"] * 4, without, ((corner, corner),) * 4))


def test_chance_is_the_share_of_pixels_near_the_mask() -> None:
    size = 200
    mask = np.zeros((size, size), bool)
    mask[100, 100] = True
    rows, columns = np.mgrid[:size, :size] - 100
    near = np.hypot(rows, columns) <= POINTING_TOLERANCE * size
    assert chance(mask) == pytest.approx(near.mean())
    mask[:, : size // 2] = True
    assert chance(mask) == pytest.approx(0.5 + 6 / size, abs=0.01)


def test_matching_range_is_that_of_the_pairs_that_report_nothing() -> None:
    random = np.random.default_rng(0)
    usual = Matched(np.array([f"{k}" for k in range(80)]), random.normal(0.75, 0.1, (80, 4)))
    same = Matched(np.array([f"{k // 2}" for k in range(60)]), random.normal(0.8, 0.1, (60, 4)))
    other = Matched(np.array([f"{k}" for k in range(40)]), random.normal(0.6, 0.1, (40, 4)))
    hand = Matched(np.array([f"{k}" for k in range(20)]), random.normal(-0.5, 0.1, (20, 4)))
    found, rows = matching_figures(usual, same, other, {"hand": hand})
    for stage, row in enumerate(rows):
        expected = np.percentile(usual.scores[:, stage], (2.5, 50, 97.5))
        np.testing.assert_allclose([row["low"], row["median"], row["high"]], expected, atol=1e-4)
        wins = np.mean(same.scores[:, stage, None] > other.scores[None, :, stage])
        assert row["AUC same against another patient"].startswith(f"{wins:.3f}")
        assert row["AUC against other view or body part"].startswith("1.000")
    told = {metric.part: metric for metric in found if metric.name == "told to be hardly comparable"}
    assert told["hand"].value == 1
    lows = np.array([row["low"] for row in rows])
    assert told[ANOTHER].value == pytest.approx(np.mean((other.scores < lows).any(axis=1)))
    assert told[SAME].value == pytest.approx(np.mean((same.scores < lows).any(axis=1)))
    assert "80 pairs of the training and carved parts" in told[SAME].note
    alone, table = matching_figures(usual, same, Matched(np.empty(0, str), np.empty((0, 4))), {})
    assert table[0]["AUC same against another patient"] == ""
    assert {metric.part for metric in alone} == {SAME}


def real(change: list[int], direction: list[int], there: NDArray[np.float64], back: NDArray[np.float64]) -> RealPairs:
    count = len(change)
    names = np.array([f"{k // 2}" for k in range(count)])
    sources = answers(there, more=there), answers(back)
    return RealPairs(
        "part", "", names, np.array(change), np.array(direction), np.arange(count, dtype=np.float64), *sources
    )


def test_figures_of_real_pairs_follow_the_answers() -> None:
    there = np.array([2.0, -1.0, 1.0, -2.0, 3.0, -3.0])
    pairs = real([1, 0, 1, 0, 0, 1], [1, UNKNOWN, 0, UNKNOWN, 1, 0], there, -there)
    named = {metric.name: metric for metric in change_of_real(pairs, 1.0, 0.5)}
    assert named["AUC"].value == metrics.auc(pairs.change, there)
    assert {"AUC", "sensitivity", "specificity", "accuracy"} <= named.keys()
    assert (named["sensitivity"].cases, named["specificity"].cases) == (3, 3)
    (direction,) = direction_of_real(pairs)
    assert (direction.name, direction.value, direction.cases) == (DIRECTION, 1.0, 4)
    difference, turned = order_of_real(pairs, 1.0, 0.5)
    assert turned.value == 1
    assert difference.value == pytest.approx(np.mean(np.abs(np.tanh(there / 2))))
    unlabelled = real([UNKNOWN] * 6, [UNKNOWN] * 6, there, there)
    (called,) = change_of_real(unlabelled, 1.0, 0.5)
    assert (called.value, called.cases) == (0.5, 4), "of those at most three days apart"
    assert direction_of_real(unlabelled) == []


def test_direction_is_known_where_findings_were_only_added_or_only_removed() -> None:
    def of(before: str, after: str) -> int:
        images = {name: Case((name,), "", row={"findings": text}) for name, text in (("a", before), ("b", after))}
        return direction_of(Case(("a", "b"), "1"), images)

    assert of("No Finding", "Mass") == 1
    assert of("Mass|Edema", "Mass|Edema|Effusion") == 1
    assert of("Mass|Edema", "Edema") == 0
    assert of("Mass", "Edema") == UNKNOWN
    assert of("Mass", "Mass") == UNKNOWN
    labels = {"baseline_abnormal": "1", "followup_abnormal": "0"}
    images = {name: Case((name,), "") for name in "ab"}
    assert direction_of(Case(("a", "b"), "1", row=labels), images) == 0


def test_patients_are_resampled_whole() -> None:
    score, alone = np.random.default_rng(1).normal(size=40), np.array([f"{k:02}" for k in range(40)])
    first, second = mean_by_patient(score, alone), mean_by_patient(np.tile(score, 2), np.tile(alone, 2))
    assert first is not None
    assert second is not None
    assert (first.low, first.high) == pytest.approx((second.low, second.high)), "copies of pairs add nothing"
    assert first.value == pytest.approx(score.mean())
    weighted = mean_by_patient([1.0, 1.0, 4.0], np.array(["a", "a", "b"]))
    assert weighted is not None
    assert weighted.value == 2


def test_a_mean_that_nothing_varies_has_no_interval() -> None:
    patients = np.array(["a", "a", "b"])
    assert mean_by_patient([0.0, 0.0, 0.0], patients) is None
    assert mean_by_patient([0.0, 1.0, 0.5], np.array(["a"] * 3)) is None
    (metric,) = mean_metric("difference", "part", [0.0, 0.0, 0.0], patients)
    assert (metric.value, metric.low, metric.high) == (0, None, None)
    assert "no pair differs" in metric.note


@pytest.mark.parametrize(("events", "pairs"), [(0, 130), (1, 130), (65, 130), (130, 130)])
def test_a_share_of_single_pairs_is_wilsons(events: int, pairs: int) -> None:
    found = share_by_patient(np.arange(pairs) < events, np.arange(pairs).astype(np.str_))
    expected = metrics.wilson_interval(events, pairs)
    assert (found.value, found.low, found.high) == pytest.approx((expected.value, expected.low, expected.high))


def test_pairs_of_one_patient_that_agree_count_once() -> None:
    called = np.random.default_rng(0).random(40) < 0.3
    patients = np.array([f"{k:02}" for k in range(40)])
    once, thrice = share_by_patient(called, patients), share_by_patient(np.tile(called, 3), np.tile(patients, 3))
    assert thrice.high - thrice.low == pytest.approx(once.high - once.low, rel=0.03)
    nobody = share_by_patient([False] * 9, np.array(list("abcabcabc")))
    expected = metrics.wilson_interval(0, 3)
    assert (nobody.low, nobody.high) == pytest.approx((expected.low, expected.high)), "three patients"
    one = share_by_patient([True, False, True], np.array(["a"] * 3))
    assert one.high - one.low > 0.8, "one patient says next to nothing"
    parts = np.random.default_rng(4).uniform(0.05, 0.15, 200)
    found, mean = share_by_patient(parts, np.arange(200)), mean_by_patient(parts, np.arange(200))
    assert mean is not None
    assert (found.low, found.high) == pytest.approx((mean.low, mean.high), abs=0.001), "parts vary less than 0 and 1"
    halves = share_by_patient([0.5] * 8, np.array(list("aabbccdd")))
    assert halves.value == 0.5
    assert halves.low > 0.15


def test_an_auc_of_one_patient_is_left_out() -> None:
    target, score = np.array([0, 1, 0, 1]), np.array([0.1, 0.9, 0.4, 0.3])
    assert auc_metric("AUC", "part", target, score, np.array(["a"] * 4)) == []
    (found,) = auc_metric("AUC", "part", target, score, np.array(list("abcd")))
    assert found.value == metrics.auc(target, score)
    assert "4 patients" in found.note


def test_the_threshold_keeps_its_specificity() -> None:
    score = np.random.default_rng(2).random(400)
    target = (np.arange(400) % 4 == 0).astype(np.int64)
    threshold = threshold_for_specificity(target, score)
    below = np.mean(score[target == 0] < threshold)
    assert SPECIFICITY <= below < SPECIFICITY + 0.01
    assert threshold not in score
    few, ill = np.linspace(0.1, 0.9, 9), np.full(9, 0.05)
    limit = threshold_for_specificity(np.repeat([0, 1], 9), np.concatenate([few, ill]))
    assert (few < limit).all(), "what nothing lies beyond is not called itself"
