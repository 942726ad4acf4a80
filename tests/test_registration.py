"""Registration: known transforms come back, exposure doesn't matter, and what doesn't fit is not said to fit."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from cxrkit.image import read_image
from cxrkit.phantoms import PAIR_SAMPLES, ChestSettings, SimulatedPair, random_chest, simulate_chest, simulate_pair
from cxrkit.pixels import Gray
from cxrkit.registration import LARGEST_RESIDUAL, Registration, difference, register, warp

SAMPLES = {sample.name: sample.settings for sample in PAIR_SAMPLES}


@cache
def chest(seed: int, height: int = 320) -> Gray:
    return simulate_chest(random_chest(seed, (), "PA", height)).values


@cache
def sample(name: str) -> SimulatedPair:
    return simulate_pair(replace(SAMPLES[name], size=300))


def moved(image: Gray, degrees: float, scale: float, shift: tuple[float, float], size: tuple[int, int]) -> np.ndarray:
    """Matrix from the image to one of another size (columns, rows), shift in shares of its longer side."""
    angle = np.radians(degrees)
    factor = scale * max(size) / max(image.shape)
    turn = factor * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = (np.array(image.shape[::-1]) - 1) / 2
    target = (np.array(size) - 1) / 2 + max(size) * np.array(shift)
    return np.column_stack([turn, target - turn @ middle])


def exposed(image: Gray, seed: int) -> Gray:
    """Another tone curve, range and noise."""
    noise = np.random.default_rng(seed).normal(0, 0.015, image.shape)
    return np.clip(0.1 + 0.8 * image**1.7 + noise, 0, 1).astype(np.float32)


def far(found: Registration, matrix: np.ndarray, shape: tuple[int, ...]) -> float:
    """Largest distance of the image's middle and corners from where they belong, in pixels of the follow-up."""
    rows, columns = shape
    points = np.array([[0, 0, 1], [columns, 0, 1], [0, rows, 1], [columns, rows, 1], [columns / 2, rows / 2, 1]]).T
    return float(np.abs(found.matrix @ points - matrix @ points).max())


@pytest.mark.parametrize("border", [cv2.BORDER_CONSTANT, cv2.BORDER_REPLICATE])
@pytest.mark.parametrize(
    ("seed", "degrees", "scale", "shift"),
    [(1, 0.0, 1.0, (0.0, 0.0)), (2, 6.0, 0.9, (0.05, -0.04)), (3, -7.0, 1.12, (-0.06, 0.05)), (4, 3.0, 0.82, (0, 0.1))],
)
def test_a_known_transform_comes_back(
    seed: int, degrees: float, scale: float, shift: tuple[float, float], border: int
) -> None:
    baseline = chest(seed)
    size = (baseline.shape[1], baseline.shape[0])
    matrix = moved(baseline, degrees, scale, shift, size)
    follow_up = exposed(np.asarray(cv2.warpAffine(baseline, matrix, size, borderMode=border)), seed)
    found = register(baseline, follow_up)
    assert found.converged
    assert found.residual < 0.15
    assert found.rotation_degrees == pytest.approx(degrees, abs=0.7)
    assert found.scale == pytest.approx(scale, rel=0.02)
    np.testing.assert_allclose(found.shift_share, shift, atol=0.01)
    assert far(found, matrix, baseline.shape) < 0.02 * max(size)


def test_the_images_may_have_any_sizes() -> None:
    """4 megapixels against a sixth of that, sides that no shrinking divides: the matrix is one of pixels."""
    large = cv2.resize(chest(5), (1877, 2039), interpolation=cv2.INTER_LINEAR)
    baseline, size = np.asarray(large, dtype=np.float32), (760, 811)
    matrix = moved(baseline, 2.0, 1.0, (0.02, 0.03), size)
    follow_up = np.asarray(cv2.warpAffine(cv2.GaussianBlur(baseline, (0, 0), 1.2), matrix, size))
    found = register(baseline, follow_up)
    assert found.converged
    assert found.scale == pytest.approx(1.0, rel=0.005)
    assert far(found, matrix, baseline.shape) < 0.005 * max(size)


def test_equal_images_fit_exactly() -> None:
    found = register(chest(1), chest(1))
    assert found.converged
    assert found.residual == pytest.approx(0, abs=1e-4)
    assert found.overlap > 0.99
    np.testing.assert_allclose(found.matrix, [[1, 0, 0], [0, 1, 0]], atol=0.02)
    assert not found.matrix.flags.writeable


def test_exchanging_the_images_gives_the_inverse() -> None:
    baseline, follow_up = images_of(sample("new_nodule"))
    one, other = register(baseline, follow_up), register(follow_up, baseline)
    assert one.scale == pytest.approx(1 / other.scale, rel=0.02)
    assert one.rotation_degrees == pytest.approx(-other.rotation_degrees, abs=0.5)


def images_of(pair: SimulatedPair) -> tuple[Gray, Gray]:
    return pair.baseline.values, pair.follow_up.values


@pytest.mark.parametrize("name", ["new_nodule", "effusion_resolved", "consolidation_growing", "other_breath"])
def test_one_patient_at_two_times_fits(name: str) -> None:
    assert register(*images_of(sample(name))).converged


def test_another_patient_fits_less_well_than_any_change() -> None:
    residuals = {name: register(*images_of(sample(name))).residual for name in SAMPLES}
    other = residuals.pop("another_patient")
    assert other > max(residuals.values())


@pytest.mark.parametrize("seed", range(3))
def test_unrelated_images_are_not_said_to_fit(seed: int) -> None:
    random = np.random.default_rng(seed)
    noise = cv2.GaussianBlur(random.normal(size=(300, 280)), (0, 0), 1 + 4 * seed)
    unrelated = [
        ((noise - noise.min()) / np.ptp(noise)).astype(np.float32),
        simulate_chest(ChestSettings(seed, view="lateral", size=300)).values,
        chest(seed)[::-1],
        np.full((200, 240), 0.5, np.float32),
    ]
    for image in unrelated:
        found = register(chest(seed), np.ascontiguousarray(image))
        assert not found.converged
        assert 0 <= found.residual <= 2


@pytest.mark.parametrize("shape", [(1, 1), (10, 300), (17, 3000), (17, 4608), (4608, 17), (16, 16)])
def test_odd_shapes_do_not_fit_and_do_not_fail(shape: tuple[int, int]) -> None:
    odd = np.random.default_rng(0).random(shape, dtype=np.float32)
    for images in ((odd, chest(1)), (chest(1), odd)):
        found = register(*images)
        assert not found.converged
        assert np.isfinite(found.matrix).all()
        warp(images[1], found, images[0].shape)


def test_warping_brings_the_follow_up_to_the_baseline() -> None:
    baseline = chest(6)
    size = (700, 640)
    matrix = moved(baseline, 5.0, 0.9, (0.06, 0.0), size)
    enlarged = np.asarray(cv2.warpAffine(baseline, matrix, size), dtype=np.float32)
    found = register(baseline, enlarged)
    warped, valid = warp(enlarged, found, baseline.shape)
    assert warped.shape == valid.shape == baseline.shape
    assert warped.dtype == np.float32
    assert valid.dtype == np.bool_
    assert (warped[~valid] == 0).all()
    assert 0.8 < valid.mean() <= 1
    assert np.abs(warped - baseline)[valid].mean() < 0.015


def test_the_difference_ignores_exposure() -> None:
    baseline = chest(7)
    valid = np.ones(baseline.shape, dtype=np.bool_)
    brighter = (0.25 + 0.7 * baseline**0.5).astype(np.float32)
    assert np.abs(brighter - baseline).mean() > 0.1
    assert np.abs(difference(baseline, brighter, valid)).mean() < 0.005


@pytest.mark.parametrize(
    ("name", "sign"), [("consolidation_growing", 1), ("effusion_resolved", -1), ("cavity_shrinking", -1)]
)
def test_the_difference_shows_what_has_changed(name: str, sign: int) -> None:
    """More tissue is brighter, less is darker, in the region that has changed; not so elsewhere in the lungs."""
    pair = sample(name)
    baseline, follow_up = images_of(pair)
    found = register(baseline, follow_up)
    warped, valid = warp(follow_up, found, baseline.shape)
    signed = difference(baseline, warped, valid)
    assert signed.min() >= -1
    assert signed.max() <= 1
    region = pair.masks[0] & pair.baseline.lungs & valid
    elsewhere = pair.baseline.lungs & ~pair.masks[0] & valid
    assert sign * signed[region].mean() > 0.05
    assert sign * signed[region].mean() > sign * signed[elsewhere].mean() + 0.05


def test_nothing_known_gives_no_difference() -> None:
    nothing = np.zeros((20, 30), dtype=np.bool_)
    image = np.random.default_rng(0).random((20, 30), dtype=np.float32)
    assert not difference(image, image, nothing).any()


@pytest.fixture(scope="module")
def hannover(shared_data: Path) -> pd.DataFrame:
    table = pd.read_csv(shared_data / "hannover" / "labels.csv")
    table["path"] = [str(shared_data / "hannover" / file) for file in table.file]
    return table.sort_values(["patient_id", "offset_days", "file"])


def read(path: str) -> Gray:
    return read_image(Path(path).read_bytes()).windowed()


def test_images_of_one_patient_fit_better_than_those_of_two(hannover: pd.DataFrame) -> None:
    """Each patient's two last images, against the last one of the next patient in the table."""
    several = [list(group.path)[-2:] for _, group in hannover.groupby("patient_id") if len(group) > 1][:20]
    patients = [(read(first), read(second)) for first, second in several]
    strangers = [second for _, second in patients[1:] + patients[:1]]
    same = [register(*images) for images in patients]
    others = [register(first, stranger) for (first, _), stranger in zip(patients, strangers, strict=True)]
    better = np.mean([one.residual < two.residual for one, two in zip(same, others, strict=True)])
    print(
        f"{len(several)} patients: better fit for the same patient in {better:.0%}; "
        f"converged {np.mean([each.converged for each in same]):.0%} (same), "
        f"{np.mean([each.converged for each in others]):.0%} (another)"
    )
    assert better >= 0.75
    assert np.mean([each.converged for each in same]) >= 0.65


def test_other_body_parts_do_not_fit(hannover: pd.DataFrame, shared_data: Path) -> None:
    folder = shared_data / "body_parts"
    parts = pd.read_csv(folder / "labels.csv")
    parts = parts[~parts.body_part.isin(["Chest", "Thoracic Spine"])].groupby("body_part").tail(1)
    chests = list(hannover.path)[:: len(hannover) // len(parts)]
    fits = [register(read(path), read(str(folder / file))) for path, file in zip(chests, parts.file, strict=False)]
    print(f"{sum(fit.converged for fit in fits)} of {len(fits)} fit")
    assert len(fits) >= 15
    assert sum(fit.converged for fit in fits) <= 1
    assert np.median([fit.residual for fit in fits]) > LARGEST_RESIDUAL
