from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cxrkit.explain import Heatmap, Method, explain, raw_maps
from cxrkit.image import Radiograph
from cxrkit.predict import encode
from cxrkit.task import ModelInput, Prepared
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from cxrkit.weights import LoadedModel, fixed_sample
from tests.models_for_tests import small_card, small_loaded

IN_LOGITS = (Method.GRAD_CAM, Method.HIRES_CAM, Method.XGRAD_CAM)


class BrightSpots(nn.Module):
    """Evidence for class 1 is whatever is brighter than a level; kernels are symmetric, nothing is strided."""

    def __init__(self, level: float = 1.0, weight: float = 1.0) -> None:
        super().__init__()
        self.blur = nn.Conv2d(1, 2, 3, padding=1, bias=False)
        nn.init.constant_(self.blur.weight, 1 / 9)
        self.level = level
        self.classify = nn.Linear(2, 2)
        nn.init.zeros_(self.classify.bias)
        with torch.no_grad():
            self.classify.weight.copy_(weight * torch.tensor([[-0.5, -0.5], [0.5, 0.5]]))

    def features(self, x: Tensor) -> Tensor:
        return nn.functional.avg_pool2d(torch.relu(self.blur(x) - self.level), 4)

    def head(self, maps: Tensor) -> Tensor:
        logits: Tensor = self.classify(maps.mean(dim=(2, 3)))
        return logits


@pytest.fixture(scope="module")
def small() -> LoadedModel:
    return small_loaded(TUBERCULOSIS)


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    return TUBERCULOSIS.prepare([fixed_sample()], {}, ModelInput(size=96))


def stand_in(model: nn.Module) -> LoadedModel:
    return LoadedModel(TUBERCULOSIS, small_card(TUBERCULOSIS), model.eval().requires_grad_(False))


def radiograph(values: NDArray[np.float32]) -> Radiograph:
    return replace(fixed_sample(), values=values)


def noise(height: int, width: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).uniform(60, 120, (height, width)).astype(np.float32)


@pytest.mark.parametrize("output", [0, 1])
def test_grad_cam_agrees_with_plain_autograd(small: LoadedModel, prepared: Prepared, output: int) -> None:
    maps = encode(small, prepared).maps.clone().requires_grad_(True)
    logits = small.model.head(maps)[0]
    (gradient,) = torch.autograd.grad(logits[output] - logits[1 - output], maps)
    weights = gradient[0].mean(dim=(1, 2)) * maps.shape[2] * maps.shape[3]
    expected = (weights[:, None, None] * maps[0]).sum(dim=0).detach().numpy()
    (found,) = raw_maps(small, encode(small, prepared), [output], Method.GRAD_CAM)
    assert np.abs(found - expected).max() <= 1e-3 * np.abs(expected).max()


@pytest.mark.parametrize("method", IN_LOGITS)
def test_the_mean_of_the_map_and_the_biases_are_the_log_odds(
    small: LoadedModel, prepared: Prepared, method: Method
) -> None:
    encoded = encode(small, prepared)
    logits = small.model.head(encoded.maps)[0]
    bias = small.model.classify.bias
    (found,) = raw_maps(small, encoded, [1], method)
    assert float(found.mean() + bias[1] - bias[0]) == pytest.approx(float(logits[1] - logits[0]), abs=1e-4)


@pytest.mark.parametrize("method", IN_LOGITS)
def test_the_map_is_the_sum_of_the_maps_of_the_levels(small: LoadedModel, prepared: Prepared, method: Method) -> None:
    encoded = encode(small, prepared)
    (whole,) = raw_maps(small, encoded, [1], method)
    channels = encoded.maps.shape[1] // 4
    total = np.zeros_like(whole)
    for level in range(4):
        alone = torch.zeros_like(encoded.maps)
        part = slice(level * channels, (level + 1) * channels)
        alone[:, part] = encoded.maps[:, part]
        (found,) = raw_maps(small, replace(encoded, maps=alone), [1], method)
        total += found
    np.testing.assert_allclose(total, whole, atol=1e-4 * np.abs(whole).max())


@pytest.mark.parametrize("method", IN_LOGITS)
def test_the_two_labels_of_a_softmax_have_opposite_maps(small: LoadedModel, prepared: Prepared, method: Method) -> None:
    normal, tuberculosis = raw_maps(small, encode(small, prepared), [0, 1], method)
    np.testing.assert_allclose(normal, -tuberculosis, atol=1e-6)
    assert np.abs(normal).max() > 0


@pytest.mark.parametrize("method", Method)
def test_every_method_gives_maps_of_all_labels(small: LoadedModel, prepared: Prepared, method: Method) -> None:
    found = explain(small, prepared, encode(small, prepared), method=method)
    assert [heatmap.label for heatmap in found] == list(TUBERCULOSIS.labels)
    for heatmap in found:
        assert heatmap.method is method
        assert heatmap.values.dtype == np.float32
        assert heatmap.box == prepared.placements[0].box
        assert heatmap.values.min() >= 0
        assert heatmap.values.max() == pytest.approx(1.0 if not heatmap.empty else 0.0)


def test_only_the_labels_asked_for_are_explained(small: LoadedModel, prepared: Prepared) -> None:
    (heatmap,) = explain(small, prepared, encode(small, prepared), ["tuberculosis"])
    assert heatmap.label == "tuberculosis"


def test_the_maximum_says_how_strong_a_map_is() -> None:
    prepared = TUBERCULOSIS.prepare([radiograph(noise(160, 160))], {}, ModelInput(crop=(0, 0, 160, 160), size=64))
    weak, strong = (_of_class_1(stand_in(BrightSpots(weight=weight)), prepared) for weight in (0.1, 1.0))
    np.testing.assert_allclose(weak.values, strong.values, atol=1e-5)
    assert strong.maximum == pytest.approx(10 * weak.maximum, rel=1e-4)


@pytest.mark.parametrize(
    ("level", "weight"), [(99.0, 1.0), (1.0, -1.0)], ids=["nothing found", "all speaks against it"]
)
@pytest.mark.parametrize("method", [Method.GRAD_CAM, Method.GRAD_CAM_PLUS_PLUS, Method.HIRES_CAM, Method.LAYER_CAM])
def test_a_map_without_positive_evidence_is_reported_as_empty(method: Method, level: float, weight: float) -> None:
    prepared = TUBERCULOSIS.prepare([radiograph(noise(160, 160))], {}, ModelInput(crop=(0, 0, 160, 160), size=64))
    loaded = stand_in(BrightSpots(level, weight))
    (heatmap,) = explain(loaded, prepared, encode(loaded, prepared), ["tuberculosis"], method)
    assert heatmap.empty
    assert heatmap.maximum == 0
    assert not heatmap.values.any()


def test_a_flipped_image_flips_the_map() -> None:
    loaded, edits = stand_in(BrightSpots()), ModelInput(crop=(40, 20, 280, 260), size=64)
    values = noise(280, 320)
    values[60:120, 70:110] = 250
    straight, flipped = (
        _of_class_1(loaded, TUBERCULOSIS.prepare([radiograph(np.ascontiguousarray(image))], {}, edits))
        for image in (values, values[:, ::-1])
    )
    np.testing.assert_allclose(flipped.values, straight.values[:, ::-1], atol=2e-3)
    assert np.abs(straight.values - straight.values[:, ::-1]).max() > 0.5


@pytest.mark.parametrize("crop", [(0, 0, 500, 400), (60, 100, 460, 250), (200, 40, 330, 390), (97, 31, 411, 345)])
@pytest.mark.parametrize("spot", [(230, 130), (310, 210)], ids=["upper left", "lower right"])
@pytest.mark.parametrize("method", [Method.GRAD_CAM, Method.LAYER_CAM])
def test_the_map_lands_on_the_right_pixels_after_crop_and_padding(
    crop: tuple[int, int, int, int], spot: tuple[int, int], method: Method
) -> None:
    x, y = spot
    down, across = np.mgrid[0:400, 0:500]
    values = (100 + 140 * np.exp(-((across - x) ** 2 + (down - y) ** 2) / (2 * 9**2))).astype(np.float32)
    prepared = TUBERCULOSIS.prepare([radiograph(values)], {}, ModelInput(crop=crop))
    loaded = stand_in(BrightSpots(level=1.5))
    (heatmap,) = explain(loaded, prepared, encode(loaded, prepared), ["tuberculosis"], method)
    assert heatmap.box == crop
    left, top, right, bottom = crop
    row, column = np.unravel_index(heatmap.values.argmax(), heatmap.values.shape)
    found_x = left + (column + 0.5) * (right - left) / heatmap.values.shape[1]
    found_y = top + (row + 0.5) * (bottom - top) / heatmap.values.shape[0]
    cell = 4 * max(right - left, bottom - top) / TUBERCULOSIS.input_size
    assert (found_x, found_y) == (pytest.approx(x, abs=cell), pytest.approx(y, abs=cell))


def test_threads_that_share_a_model_do_not_disturb_each_other(small: LoadedModel) -> None:
    """4 threads x 50 calls on different images: every map is that of a lone call, but for what vector units round."""
    cases = [
        TUBERCULOSIS.prepare([radiograph(noise(96, 96, seed))], {}, ModelInput(crop=(0, 0, 96, 96), size=64))
        for seed in range(4)
    ]

    def run(index: int) -> list[NDArray[np.float32]]:
        encoded = encode(small, cases[index])
        return [heatmap.values for heatmap in explain(small, cases[index], encoded)]

    alone = [run(index) for index in range(4)]
    assert np.abs(alone[0][1] - alone[1][1]).max() > 0.01

    def differences(index: int) -> int:
        return sum(
            not np.allclose(found, expected, rtol=0, atol=1e-4)
            for _ in range(50)
            for found, expected in zip(run(index), alone[index], strict=True)
        )

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(differences, range(4))) == [0, 0, 0, 0]


def test_explaining_leaves_the_shared_model_as_it_was(small: LoadedModel, prepared: Prepared) -> None:
    explain(small, prepared, encode(small, prepared))
    for module in small.model.modules():
        assert not module._forward_hooks
        assert not module.training
    for parameter in small.model.parameters():
        assert parameter.grad is None
        assert not parameter.requires_grad


def _of_class_1(loaded: LoadedModel, prepared: Prepared) -> Heatmap:
    (heatmap,) = explain(loaded, prepared, encode(loaded, prepared), ["tuberculosis"])
    return heatmap
