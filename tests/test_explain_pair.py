"""Maps of both branches: against plain autograd, apart from each other, swapped with the inputs, joined."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cxrkit.explain import Method
from cxrkit.explain_pair import Overlay, PairMaps, explain_pair, overlays, raw_pair_maps
from cxrkit.predict import Encoded, encode
from cxrkit.task import ModelInput, Placement, Prepared
from cxrkit.tasks.followup import FOLLOW_UP
from cxrkit.weights import LoadedModel, fixed_sample
from tests.models_for_tests import network_input, small_loaded


@pytest.fixture(scope="module")
def loaded() -> LoadedModel:
    return small_loaded(FOLLOW_UP)


@pytest.fixture(scope="module")
def encoded(loaded: LoadedModel) -> Encoded:
    with torch.no_grad():
        return Encoded(loaded.model.features(network_input(FOLLOW_UP, 1)))  # type: ignore[operator]


def naive_grad_cam(loaded: LoadedModel, encoded: Encoded, output: int) -> np.ndarray:
    """[2, h, w]: by autograd alone, each branch with its own gradient."""
    maps = encoded.maps.detach().clone().requires_grad_(True)
    logits = loaded.model.head(maps)[0, :2]  # type: ignore[operator]
    (logits[output] - logits[1 - output]).backward()
    assert maps.grad is not None
    weights = maps.grad[0].mean(dim=(2, 3))
    pixels = maps.shape[-1] * maps.shape[-2]
    return np.asarray((weights[..., None, None] * maps[0]).sum(dim=1).detach().numpy() * pixels)


@pytest.mark.parametrize("output", [0, 1])
def test_maps_of_both_branches_are_those_of_autograd(loaded: LoadedModel, encoded: Encoded, output: int) -> None:
    found = raw_pair_maps(loaded, encoded, output, Method.GRAD_CAM)
    np.testing.assert_allclose(found, naive_grad_cam(loaded, encoded, output), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("method", list(Method))
def test_the_two_maps_differ(loaded: LoadedModel, encoded: Encoded, method: Method) -> None:
    baseline, follow_up = raw_pair_maps(loaded, encoded, 1, method)
    assert np.abs(baseline - follow_up).max() > 1e-6


def test_the_maps_swap_with_the_inputs_of_a_symmetric_head(loaded: LoadedModel, encoded: Encoded) -> None:
    model = loaded.model
    half = model.change.weight.shape[1] // 3  # type: ignore[union-attr, index]
    weight = model.change.weight.detach().clone()  # type: ignore[union-attr, operator]
    symmetric = weight.clone()
    symmetric[:, half : 2 * half] = weight[:, :half]
    model.change.weight.data = symmetric  # type: ignore[union-attr]
    try:
        there = raw_pair_maps(loaded, encoded, 1, Method.GRAD_CAM)
        back = raw_pair_maps(loaded, Encoded(encoded.maps.flip(1)), 1, Method.GRAD_CAM)
    finally:
        model.change.weight.data = weight  # type: ignore[union-attr]
    np.testing.assert_allclose(there[::-1], back, rtol=1e-4, atol=1e-5)


def test_scaled_maps_and_their_maxima(loaded: LoadedModel, encoded: Encoded) -> None:
    raw = raw_pair_maps(loaded, encoded, 1, Method.GRAD_CAM)
    found = explain_pair(loaded, encoded, "change")
    for scaled, own, maximum in zip(found.scaled, raw, found.maxima, strict=True):
        assert maximum == pytest.approx(float(own.max()), rel=1e-5)
        np.testing.assert_allclose(scaled, (own - own.min()) / (own.max() - own.min()), rtol=1e-4, atol=1e-6)


def prepared() -> Prepared:
    """Two images of 60 x 40 pixels, of which the network read different boxes."""
    boxes = ((0, 10, 40, 50), (0, 0, 40, 40))
    placements = tuple(Placement((60, 40), box, 32, (0, 0, 32, 32)) for box in boxes)
    view = np.zeros((32, 32), np.float32)
    return Prepared(np.zeros((2, 1, 32, 32), np.float32), placements, (view, view))


FIRST, SECOND = np.array([[1, 0.5], [0, 0.25]], np.float32), np.array([[0.5, 1], [0.25, 0]], np.float32)


@pytest.mark.parametrize(
    ("overlay", "expected"),
    [
        (Overlay.INTERSECTION, np.minimum(FIRST, SECOND)),
        (Overlay.UNION, np.maximum(FIRST, SECOND)),
        (Overlay.PRODUCT, FIRST * SECOND),
        (Overlay.SIGNED_DIFFERENCE, SECOND - FIRST),
    ],
)
def test_joined_overlays_lie_on_both_images(overlay: Overlay, expected: np.ndarray) -> None:
    maps = PairMaps("change", Method.GRAD_CAM, (FIRST, SECOND), (2.0, 3.0))
    baseline, follow_up = overlays(maps, prepared(), overlay)
    corners = baseline.values[[0, 0, -1, -1], [0, -1, 0, -1]].reshape(2, 2)
    np.testing.assert_allclose(corners, expected, atol=1e-6)
    np.testing.assert_array_equal(baseline.values, follow_up.values)
    assert baseline.box == (0, 10, 40, 50)
    assert follow_up.box == (0, 0, 40, 40)
    assert baseline.maximum == 3.0


def test_each_image_keeps_its_own_map() -> None:
    baseline, follow_up = overlays(
        PairMaps("change", Method.GRAD_CAM, (FIRST, SECOND), (2.0, 3.0)), prepared(), Overlay.OWN
    )
    assert (baseline.maximum, follow_up.maximum) == (2.0, 3.0)
    assert baseline.values[0, 0] == pytest.approx(1)
    assert follow_up.values[0, 0] == pytest.approx(0.5)


def test_lesions_are_those_of_the_networks_own_map(loaded: LoadedModel, encoded: Encoded) -> None:
    head = loaded.model.lesions
    weight, bias = head.weight[0, :, 0, 0].numpy(), float(head.bias)  # type: ignore[union-attr, index, arg-type]
    expected = 1 / (1 + np.exp(-np.einsum("c,nchw->nhw", weight, encoded.maps[0].numpy()) - bias))
    found = explain_pair(loaded, encoded).lesions
    assert found is not None
    np.testing.assert_allclose(np.stack(found), expected, rtol=1e-4)
    assert not np.allclose(*found)


LESIONS = PairMaps("change", Method.GRAD_CAM, (FIRST, SECOND), (2.0, 3.0), (FIRST / 2, SECOND / 4))


def test_lesions_come_or_gone_are_the_difference_of_probabilities_on_both_images() -> None:
    baseline, follow_up = overlays(LESIONS, prepared(), Overlay.LESION_CHANGE)
    corners = baseline.values[[0, 0, -1, -1], [0, -1, 0, -1]].reshape(2, 2)
    np.testing.assert_allclose(corners, SECOND / 4 - FIRST / 2, atol=1e-6)
    np.testing.assert_array_equal(baseline.values, follow_up.values)
    assert baseline.maximum == follow_up.maximum == pytest.approx(0.375)
    assert baseline.label == "lesion"


def test_lesions_seen_stay_on_their_own_image_and_are_not_scaled() -> None:
    baseline, follow_up = overlays(LESIONS, prepared(), Overlay.LESIONS)
    assert (float(baseline.values.max()), float(follow_up.values.max())) == pytest.approx((0.5, 0.25))


def test_a_network_without_maps_of_lesions_has_no_such_overlay() -> None:
    with pytest.raises(ValueError, match="no maps of lesions"):
        overlays(replace(LESIONS, lesions=None), prepared(), Overlay.LESIONS)


@pytest.mark.parametrize("overlay", [one for one in Overlay if not one.of_lesions and one != Overlay.OWN])
def test_joined_maps_are_empty_only_where_neither_image_has_evidence(overlay: Overlay) -> None:
    maps = PairMaps("change", Method.GRAD_CAM, (FIRST, SECOND), (2.0, -0.5))
    assert not any(heatmap.empty for heatmap in overlays(maps, prepared(), overlay))
    assert all(heatmap.empty for heatmap in overlays(replace(maps, maxima=(0.0, -0.5)), prepared(), overlay))


def test_an_image_without_evidence_has_no_map_of_its_own() -> None:
    maps = PairMaps("change", Method.GRAD_CAM, (FIRST, SECOND), (2.0, -0.5))
    baseline, follow_up = overlays(maps, prepared(), Overlay.OWN)
    assert (baseline.empty, follow_up.empty) == (False, True)
    assert not follow_up.values.any()


def test_encoding_a_pair_gives_matching_and_maps(loaded: LoadedModel) -> None:
    sample = FOLLOW_UP.prepare([fixed_sample()] * 2, {}, ModelInput())
    found = encode(loaded, sample)
    assert found.maps.shape[:2] == (1, 2)
    assert len(found.matching) == 4
