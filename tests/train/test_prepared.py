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
from train.prepared import Augmented, balanced_loader, prepare_cases, read_each


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


def test_families_are_drawn_equally_often() -> None:
    groups = ["large"] * 900 + ["small"] * 100
    targets = np.array([0] * 900 + [1] * 100)
    data = Augmented(np.zeros((1000, 4, 4), dtype=np.uint8), targets, TUBERCULOSIS, None)
    drawn = torch.cat([batch[1] for batch in balanced_loader(data, groups, 800, 32, seed=0)])
    assert len(drawn) == 800
    assert 0.44 < float(drawn.float().mean()) < 0.56


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
