"""Flat simulated lung scans: facts shared with the projected ones, and styles that do not tell the kind."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from unittest.mock import Mock

import cv2
import numpy as np
import pytest

from cxrkit.lung_scan import align
from cxrkit.phantoms import MIXED, USUAL, ScanKind, ScanPopulation, drawn_scan, scan_drawn
from train.vq.sketch import sketched_scan

Make = Callable[[int, ScanKind, ScanPopulation], np.ndarray]
KINDS: tuple[ScanKind, ...] = ("perfusion", "ventilation")
COUNT = 40


@cache
def scans(make: Make, kind: ScanKind, population: ScanPopulation) -> tuple[np.ndarray, ...]:
    return tuple(make(seed, kind, population) for seed in range(COUNT))


def above_lungs(scan: np.ndarray) -> bool:
    """Whether the middle above the lungs is brighter than what lies beside it."""
    aligned = align(scan.astype(np.float32), np.zeros((224, 224), dtype=np.float32))
    smooth = cv2.GaussianBlur(aligned.image, (0, 0), 2)
    neck = smooth[: max(aligned.top - 4, 1)]
    return bool(neck[:, 92:132].max() > neck[:, :60].max() + 12)


@pytest.mark.parametrize("make", [drawn_scan, sketched_scan])
def test_the_same_seed_gives_the_same_counts(make: Make) -> None:
    one, same, other = make(3, "perfusion", USUAL), make(3, "perfusion", USUAL), make(4, "perfusion", USUAL)
    np.testing.assert_array_equal(one, same)
    assert one.dtype == np.uint16
    assert one.shape != other.shape or (one != other).any()


@pytest.mark.parametrize("make", [drawn_scan, sketched_scan])
def test_most_show_two_lungs_side_by_side(make: Make) -> None:
    found = [
        align(scan.astype(np.float32), np.zeros((224, 224), np.float32)).method
        for scan in scans(make, "perfusion", USUAL)
    ]
    assert found.count("two lungs") > 0.7 * COUNT


@pytest.mark.parametrize("make", [drawn_scan, sketched_scan])
def test_activity_above_the_lungs_is_as_frequent_as_the_population_says(make: Make) -> None:
    seen = {kind: np.mean([above_lungs(scan) for scan in scans(make, kind, USUAL)]) for kind in KINDS}
    assert seen["ventilation"] > seen["perfusion"] + 0.3
    alike = [np.mean([above_lungs(scan) for scan in scans(make, kind, MIXED)]) for kind in KINDS]
    assert abs(alike[0] - alike[1]) < 0.25


def test_counts_are_those_of_the_population() -> None:
    for kind in KINDS:
        low, high = USUAL.of(kind).counts
        totals = [int(scan.sum()) for scan in scans(drawn_scan, kind, USUAL)]
        assert min(totals) > 0.9 * min(low, 2.6e5)
        assert max(totals) < 1.1 * max(high, 1.0e6)


def test_styles_do_not_tell_the_kind() -> None:
    """The two kinds of one seed have the same lungs: where both are bright, they are in the same place."""
    alike = []
    for one, other in zip(scans(drawn_scan, "perfusion", MIXED), scans(drawn_scan, "ventilation", MIXED), strict=True):
        small = [cv2.resize(scan.astype(np.float32), (64, 64), interpolation=cv2.INTER_AREA) for scan in (one, other)]
        masks = [image > 0.3 * np.percentile(image, 99) for image in small]
        alike.append((masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum())
    assert np.median(alike) > 0.5


def test_what_disease_takes_from_a_lung_that_lung_lacks() -> None:
    shares: dict[float, list[float]] = {0.0: [], 1.0: []}
    for disease, found in shares.items():
        for seed in range(COUNT):
            scan = drawn_scan(seed, "perfusion", replace(USUAL, residual=0.0, disease=disease)).astype(np.float64)
            found.append(scan[:, : len(scan) // 2].sum() / scan.sum())
    assert np.std(shares[1.0]) > 1.25 * np.std(shares[0.0])


def test_a_patient_has_one_heart_also_over_residual_ventilation(monkeypatch: pytest.MonkeyPatch) -> None:
    hearts = Mock(side_effect=scan_drawn._heart)
    monkeypatch.setattr(scan_drawn, "_heart", hearts)
    drawn_scan(0, "perfusion", replace(USUAL, residual=1.0))
    assert hearts.call_count == 1


def test_outside_a_rectangle_there_is_exactly_nothing() -> None:
    for scan in scans(drawn_scan, "perfusion", USUAL):
        if len(scan) < 256:
            continue  # a pixel of a small matrix may reach from outside the field into it
        for edge in (scan[0], scan[-1], scan[:, 0], scan[:, -1]):
            assert not edge.any()


def test_thirds_of_healthy_lungs_have_about_the_published_shares() -> None:
    plain = replace(USUAL, disease=0.0, residual=0.0)
    found = []
    for seed in range(COUNT):
        rows = drawn_scan(seed, "perfusion", plain).sum(axis=1).astype(np.float64)
        lungs = rows[rows > 0.12 * rows.max()]  # the trunk around them has less
        found.append([part.sum() / lungs.sum() for part in np.array_split(lungs, 3)])
    np.testing.assert_allclose(np.mean(found, axis=0), (0.3, 0.5, 0.2), atol=0.05)
