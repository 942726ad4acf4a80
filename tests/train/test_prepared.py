"""Training reads what the app's own prepare makes; families are drawn equally often; borders tell no chest."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from cxrkit.cases import Case
from cxrkit.image import read_image
from cxrkit.metrics import auc
from cxrkit.task import ModelInput
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from cxrkit.weights import fixed_sample
from train.border_baseline import border_features, border_scores
from train.prepared import Augmented, WeightedDraws, even_weights, lung_maps, prepare_cases, read_each, weighted_loader


@pytest.fixture
def cases(tmp_path: Path) -> list[Case]:
    for index in range(3):
        values = np.roll(fixed_sample().values, 5 * index, axis=1)
        cv2.imwrite(str(tmp_path / f"{index}.png"), values.astype(np.uint8))
    return [Case(files=(f"{index}.png",), target="0") for index in range(3)]


def test_a_training_tensor_is_the_apps_tensor(cases: list[Case], tmp_path: Path) -> None:
    views = prepare_cases(TUBERCULOSIS, cases, tmp_path, TUBERCULOSIS.input_size, tmp_path / "cache")
    data = Augmented(views, np.zeros(3, dtype=np.int64), TUBERCULOSIS, None)
    for index in range(3):
        image = read_image((tmp_path / f"{index}.png").read_bytes())
        expected = TUBERCULOSIS.prepare([image], {}, ModelInput()).tensor[0]
        np.testing.assert_allclose(data[index][0].numpy(), expected, atol=0.51 / 255 / TUBERCULOSIS.std)


def test_the_cache_is_read_and_belongs_to_its_cases(cases: list[Case], tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = prepare_cases(TUBERCULOSIS, cases, tmp_path, 64, cache)
    (tmp_path / "0.png").write_bytes(b"gone")
    np.testing.assert_array_equal(prepare_cases(TUBERCULOSIS, cases, tmp_path, 64, cache), first)
    assert len(prepare_cases(TUBERCULOSIS, cases[1:], tmp_path, 64, cache)) == 2


def test_groups_are_drawn_equally_often_within_their_share() -> None:
    groups = ["0/large"] * 800 + ["0/small"] * 100 + ["1/one"] * 100
    targets = np.array([0] * 800 + [1] * 100 + [2] * 100)
    data = Augmented(np.zeros((1000, 4, 4), dtype=np.uint8), targets, TUBERCULOSIS)
    weights = even_weights(groups, {"0": 0.6, "1": 0.4})
    drawn = torch.cat([batch[1] for batch in weighted_loader(data, weights, 1600, 32, seed=0)])
    assert len(drawn) == 1600
    shares = torch.bincount(drawn).numpy() / 1600
    np.testing.assert_allclose(shares, [0.3, 0.3, 0.4], atol=0.05)


def test_draws_follow_seed_and_epoch_alone() -> None:
    def drawn(seed: int, epoch: int | None = None) -> list[int]:
        draws = WeightedDraws(np.arange(1.0, 51.0), 200, seed)
        if epoch is not None:
            draws.set_epoch(epoch)
        return list(draws)

    assert drawn(3) == drawn(3, 0)
    assert drawn(3, 1) not in (drawn(3, 0), drawn(4, 1))


def test_another_root_has_a_cache_of_its_own(cases: list[Case], tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    for case in cases:
        upside_down = cv2.imread(str(tmp_path / case.files[0]), cv2.IMREAD_GRAYSCALE)[::-1]
        cv2.imwrite(str(tmp_path / "other" / case.files[0]), upside_down)
    here, there = (
        prepare_cases(TUBERCULOSIS, cases, root, 64, tmp_path / "cache") for root in (tmp_path, tmp_path / "other")
    )
    assert not np.array_equal(here, there)


def test_what_is_drawn_into_a_view_changes_its_class() -> None:
    views = np.zeros((2, 4, 4), dtype=np.uint8)
    data = Augmented(views, np.array([0, 0]), TUBERCULOSIS, draw=lambda index, view: (view + index, index))
    assert [data[index][1] for index in range(2)] == [0, 1]
    assert float(data[1][0].mean()) == pytest.approx((1 - TUBERCULOSIS.mean) / TUBERCULOSIS.std, rel=1e-5)


def test_lung_maps_lie_on_the_views(tmp_path: Path) -> None:
    views = np.uint8(np.clip(fixed_sample().windowed(), 0, 1) * 255)[None]
    maps = lung_maps(views, tmp_path)
    assert maps.shape == views.shape
    assert views[maps > 128].mean() < 0.7 * views[maps < 20].mean(), "lungs are darker than the rest"
    np.testing.assert_array_equal(lung_maps(views, tmp_path), maps)


def test_borders_are_told_apart_by_borders_alone(cases: list[Case], tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    chests = random.uniform(0.3, 0.7, (80, 64, 64)).astype(np.float32)
    target = np.arange(80) % 2
    chests[target == 1, :3] = 0.0
    features = [border_features(chest) for chest in chests]
    assert features[0].shape == (96,)
    assert auc(target[40:], border_scores(features[:40], target[:40], features[40:])) > 0.95
    inside = random.uniform(0.3, 0.7, (80, 64, 64)).astype(np.float32)
    same = [border_features(image) for image in inside]
    assert auc(target[40:], border_scores(same[:40], target[:40], same[40:])) < 0.8
    stacked = read_each(lambda image: border_features(image.windowed()), cases, tmp_path, tmp_path / "cache", "borders")
    assert stacked.shape == (3, 96)
