"""Simulated lung scintigrams: pure noise, the published proportions, and shortcuts as often as a population says."""

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest

from cxrkit.errors import InputError
from cxrkit.phantoms import (
    MIXED,
    REVERSED,
    SCAN_SAMPLES,
    USUAL,
    Camera,
    LungPatient,
    ScanKind,
    ScanPopulation,
    ScanSettings,
    random_patient,
    random_scan,
    random_study,
    scan_activity,
    simulate_scan,
)
from cxrkit.phantoms.scan import SimulatedScan
from cxrkit.phantoms.scan_camera import measured_counts
from cxrkit.phantoms.scan_frame import Frame
from cxrkit.phantoms.scan_lungs import lungs
from cxrkit.phantoms.scan_settings import Tracer

PLAIN = ScanSettings("perfusion", LungPatient(3), camera=Camera(matrix=128, pixel_mm=4.8))


@cache
def plain(**values: object) -> SimulatedScan:
    return simulate_scan(replace(PLAIN, **values))  # type: ignore[arg-type]


@cache
def healthy() -> tuple[SimulatedScan, ...]:
    """Perfusion of 25 patients without disease, all on one camera."""
    camera = Camera(matrix=128, pixel_mm=4.8, field_mm=(560.0, 560.0))
    return tuple(
        simulate_scan(ScanSettings("perfusion", random_patient(seed, disease=0.0), seed, camera=camera))
        for seed in range(25)
    )


def around(mask: np.ndarray) -> np.ndarray:
    """A lung's mask with what is blurred out of it."""
    return cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)


def counts_of(scan: SimulatedScan, side: str) -> float:
    return float(scan.expected["anterior"][around(scan.masks[f"{side} lung"])].sum())


def test_the_same_settings_give_the_same_counts() -> None:
    one, other = simulate_scan(PLAIN), simulate_scan(PLAIN)
    for view in ("anterior", "posterior"):
        np.testing.assert_array_equal(one.views[view], other.views[view])
        assert one.views[view].dtype == np.uint16
        assert not one.views[view].flags.writeable
    assert random_scan(5) == random_scan(5)
    assert random_study(5) == random_study(5)


def test_the_noise_is_pure_poisson_noise() -> None:
    scan = plain()
    drawn = [measured_counts(replace(PLAIN, noise=number), dict(scan.expected))["anterior"] for number in range(30)]
    values = np.stack(drawn).astype(np.float64)
    bright = scan.expected["anterior"] > 5
    ratio = values.var(axis=0, ddof=1)[bright] / values.mean(axis=0)[bright]
    assert abs(ratio.mean() - 1.0) < 0.05
    np.testing.assert_array_equal(drawn[0], scan.views["anterior"])
    assert not np.array_equal(drawn[0], drawn[1])


def test_outside_the_field_there_is_exactly_nothing() -> None:
    scan = plain()
    places = np.abs(np.arange(128) - 63.5) * 4.8
    inside = (places <= 200)[:, None] & (places <= 270)[None, :]
    for view in ("anterior", "posterior"):
        assert not scan.expected[view][~inside].any()
        assert (scan.expected[view][inside] > 0).all()


@pytest.mark.parametrize("seed", range(4))
def test_a_view_has_as_many_counts_as_in_clinics(seed: int) -> None:
    usual = replace(USUAL, matrices=(0.0, 0.0, 1.0, 0.0), outside=0.0)
    for view in simulate_scan(random_scan(seed, population=usual)).views.values():
        assert view.shape == (256, 256)
        assert 1.9e5 < int(view.sum()) < 1.01e6


def test_the_right_lung_has_a_little_more_than_half_of_the_perfusion() -> None:
    shares = [counts_of(scan, "right") / (counts_of(scan, "right") + counts_of(scan, "left")) for scan in healthy()]
    assert 0.510 < np.mean(shares) < 0.540
    assert 0.012 < np.std(shares) < 0.032


def test_thirds_of_the_lungs_have_the_published_shares() -> None:
    found = []
    for scan in healthy():
        lungs = scan.masks["right lung"] | scan.masks["left lung"]
        rows = np.flatnonzero(lungs.any(axis=1))
        along = np.where(around(lungs), scan.expected["anterior"], 0).sum(axis=1)
        edges = np.linspace(rows[0], rows[-1] + 1, 4).astype(int)
        thirds = [along[: edges[1]].sum(), along[edges[1] : edges[2]].sum(), along[edges[2] :].sum()]
        found.append(np.array(thirds) / along.sum())
    np.testing.assert_allclose(np.mean(found, axis=0), (0.3, 0.5, 0.2), atol=0.05)


def test_the_mediastinum_is_nearly_empty() -> None:
    shares = []
    for scan in healthy():
        image, right, left = scan.expected["anterior"], scan.masks["right lung"], scan.masks["left lung"]
        rows = np.flatnonzero(right.any(axis=1) & left.any(axis=1))
        row = int(rows[0] + 0.25 * (rows[-1] - rows[0]))
        middle = (np.flatnonzero(right[row]).max() + np.flatnonzero(left[row]).min()) // 2
        shares.append(image[row, middle] / np.percentile(image[right | left], 99))
    assert 0.02 < np.mean(shares) < 0.1


def test_the_heart_takes_its_notch_on_the_patients_left() -> None:
    scan = plain(camera=Camera(matrix=128, pixel_mm=4.8, field_mm=(560.0, 560.0)))
    rows = np.flatnonzero(scan.masks["left lung"].any(axis=1))
    low = slice(int(rows[0] + 0.55 * len(rows)), int(rows[0] + 0.75 * len(rows)))
    anterior, posterior = scan.expected["anterior"], scan.expected["posterior"]
    assert anterior[low, 68:78].sum() < 0.75 * anterior[low, 50:60].sum()
    # From behind, the patient's left is on the image's left, and less of it is hidden.
    assert posterior[low, 50:60].sum() < 0.95 * posterior[low, 68:78].sum()
    across = [np.flatnonzero(masks["left lung"].any(axis=0)).mean() for masks in (scan.masks, scan.posterior_masks)]
    assert across[0] > 63.5 > across[1]


def neck_shares(population: ScanPopulation) -> list[float]:
    kinds: tuple[ScanKind, ...] = ("perfusion", "ventilation")
    return [float(np.mean([random_scan(seed, kind, population).neck > 0 for seed in range(400)])) for kind in kinds]


def thyroids(population: ScanPopulation) -> list[float]:
    kinds: tuple[ScanKind, ...] = ("perfusion", "ventilation")
    return [
        float(np.mean([random_scan(seed, kind, population).neck_source == "thyroid" for seed in range(400)]))
        for kind in kinds
    ]


def test_a_thyroid_tells_the_kind_only_where_shortcuts_may() -> None:
    perfusion, ventilation = thyroids(USUAL)
    assert perfusion > 0.3
    assert ventilation == 0
    alike = thyroids(MIXED)
    assert min(alike) > 0.1
    assert abs(alike[0] - alike[1]) < 0.06
    assert thyroids(REVERSED) == [ventilation, pytest.approx(perfusion, abs=0.06)]


def test_activity_in_the_neck_is_as_frequent_as_the_population_says() -> None:
    np.testing.assert_allclose(neck_shares(USUAL), (0.12, 0.8), atol=0.05)
    np.testing.assert_allclose(neck_shares(MIXED), (0.5, 0.5), atol=0.06)
    np.testing.assert_allclose(neck_shares(REVERSED), (0.8, 0.12), atol=0.05)


def test_ventilation_is_left_under_most_perfusion_scans() -> None:
    ratios = [random_scan(seed, "perfusion").qv_ratio for seed in range(1500)]
    left = [ratio for ratio in ratios if ratio is not None]
    assert abs(len(left) / len(ratios) - USUAL.residual) < 0.05
    assert abs(np.mean(left) - 2.4) < 0.25
    assert abs(np.std(left) - 1.9) < 0.35
    assert all(random_scan(seed, "ventilation").qv_ratio is None for seed in range(20))


def test_both_scans_of_a_study_show_one_patient_on_one_camera() -> None:
    perfusion, ventilation = random_study(4)
    assert (perfusion.kind, ventilation.kind) == ("perfusion", "ventilation")
    assert perfusion.patient == ventilation.patient
    assert perfusion.camera.pixel_mm == ventilation.camera.pixel_mm


def test_the_two_ways_of_making_lungs_differ() -> None:
    one, other = plain(), plain(patient=LungPatient(3, outlines="superellipse"))
    for side in ("right lung", "left lung"):
        shared = (one.masks[side] & other.masks[side]).sum() / (one.masks[side] | other.masks[side]).sum()
        assert 0.6 < shared < 0.96


def test_only_obstruction_keeps_what_is_inhaled_near_the_hila_and_never_a_gas() -> None:
    drawn = [random_scan(seed, "ventilation") for seed in range(80)]
    healthy = [scan for scan in drawn if scan.patient.obstruction == 0]
    assert {scan.central for scan in healthy} == {0.0}
    assert len(healthy) < len(drawn)
    assert all(scan.central > 0 for scan in drawn if scan.patient.obstruction)

    def gathered(obstruction: float, tracer: Tracer) -> float:
        """Most that the airways add, as a factor."""
        shown = replace(PLAIN, kind="ventilation", tracer=tracer, patient=LungPatient(3, obstruction=obstruction))
        right, _ = lungs(Frame(shown.patient))
        return float(scan_activity._central(shown, right).max())

    assert gathered(0.6, "Tc-99m DTPA aerosol") > 2
    assert gathered(0.0, "Tc-99m DTPA aerosol") == 1
    assert gathered(0.6, "Kr-81m") == gathered(0.6, "Xe-133") == 1


def test_activity_is_where_it_is_said_to_be() -> None:
    camera = Camera(matrix=128, pixel_mm=4.8, field_mm=(600.0, 600.0))
    without, neck = plain(camera=camera), plain(camera=camera, neck=0.1)
    above = without.masks["neck"]
    assert neck.expected["anterior"][above].sum() > 4 * without.expected["anterior"][above].sum()
    stomach = plain(camera=camera, stomach=0.1).masks["stomach"]
    assert np.flatnonzero(stomach.any(axis=0)).mean() > 63.5
    assert np.flatnonzero(stomach.any(axis=1)).mean() > np.flatnonzero(without.masks["left lung"].any(axis=1)).mean()


@pytest.mark.parametrize("sample", SCAN_SAMPLES, ids=lambda sample: sample.name)
def test_samples_are_named_and_of_their_kind(sample) -> None:  # type: ignore[no-untyped-def]
    scan = simulate_scan(sample.settings)
    assert scan.masks["right lung"].any()
    assert scan.masks["left lung"].any() == (sample.settings.patient.missing != "left")
    assert scan.masks["defects"].any() == bool(sample.settings.patient.defects)
    image = scan.radiograph("posterior")
    assert image.header["Modality"] == "NM"
    assert image.view == "posterior"
    np.testing.assert_array_equal(image.values, scan.views["posterior"])
    assert "emboli" not in f"{sample.title} {sample.description} {sample.header}".lower()


def test_settings_outside_their_range_are_refused() -> None:
    with pytest.raises(InputError, match="matrix is 100"):
        Camera(matrix=100)
    with pytest.raises(InputError, match="amount of neck"):
        replace(PLAIN, neck=2.0)
    with pytest.raises(InputError, match="kind of scan"):
        replace(PLAIN, kind="perfused")
    with pytest.raises(InputError, match="right lung's share"):
        LungPatient(0, right_share=(0.9, 0.5))
