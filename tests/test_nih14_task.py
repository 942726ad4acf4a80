"""How the findings' task prepares an image, answers, and explains all labels in one pass."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from cxrkit.errors import InputError
from cxrkit.explain import Method, explain, raw_maps
from cxrkit.image import Radiograph
from cxrkit.models.ssgan_vit import RANGE
from cxrkit.phantoms import ChestSettings, simulate_chest
from cxrkit.predict import encode, predict
from cxrkit.quality import check_image
from cxrkit.task import ModelInput, Prepared
from cxrkit.tasks.nih14 import LABELS, MEAN, NIH14, SIZE, STD, as_read
from cxrkit.weights import LoadedModel, fixed_sample
from tests.models_for_tests import small_loaded


@pytest.fixture(scope="module")
def loaded() -> LoadedModel:
    return small_loaded(NIH14)


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    return NIH14.prepare([fixed_sample()], {}, ModelInput())


def noise(height: int, width: int, seed: int = 0) -> NDArray[np.float32]:
    smooth = cv2.GaussianBlur(np.random.default_rng(seed).random((height, width)).astype(np.float32), (0, 0), 3)
    return (smooth - smooth.min()) / np.ptp(smooth)


def test_the_labels_are_those_of_chestxray14() -> None:
    assert len(LABELS) == len(set(LABELS)) == 14
    assert (LABELS[0], LABELS[6], LABELS[12], LABELS[13]) == (
        "Atelectasis",
        "Pneumonia",
        "Pleural_Thickening",
        "Hernia",
    )
    assert NIH14.activation == "sigmoid"
    assert NIH14.called is None


def test_an_image_is_read_with_zero_mean_and_unit_variance(prepared: Prepared) -> None:
    left, top, right, bottom = prepared.placements[0].inner
    inner = prepared.tensor[0, 0, top:bottom, left:right]
    assert inner.mean() == pytest.approx(0, abs=0.02)
    assert inner.std() == pytest.approx(1, abs=0.02)
    assert np.abs(prepared.tensor).max() <= RANGE + 1e-5
    assert pytest.approx((1 - MEAN) / STD) == RANGE


def test_it_is_resampled_clahe_blurred_and_standardised() -> None:
    crop = noise(448, 336)
    small = cv2.resize(crop, (168, 224), interpolation=cv2.INTER_AREA)
    levels = np.round((small - small.min()) / np.ptp(small) * 255).astype(np.uint8)
    even = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(8, 8)).apply(levels).astype(np.float32)
    blurred = cv2.GaussianBlur(even, (5, 5), 0)
    expected = (blurred - blurred.mean()) / blurred.std() * STD + MEAN
    np.testing.assert_allclose(as_read(crop, SIZE), np.clip(expected, 0, 1), atol=0.02)


def test_what_a_window_stretches_is_read_alike() -> None:
    crop = noise(300, 300)
    np.testing.assert_allclose(as_read(crop * 0.4 + 0.3, SIZE), as_read(crop, SIZE), atol=0.03)


def test_padding_is_the_mean() -> None:
    found = NIH14.prepare([fixed_sample()], {}, ModelInput(crop=(0, 0, 400, 200)))
    assert found.placements[0].inner == (0, 56, 224, 168)
    assert not found.tensor[0, 0, :56].any()
    assert not found.tensor[0, 0, 168:].any()


@pytest.mark.parametrize("shape", [(16, 3000), (3000, 16), (16, 16)])
def test_odd_crops_are_read(shape: tuple[int, int]) -> None:
    found = as_read(noise(*shape), SIZE)
    assert max(found.shape) == SIZE
    assert np.isfinite(found).all()
    assert not np.ptp(as_read(np.full(shape, 0.3, dtype=np.float32), SIZE))


def test_edits_come_after_the_normalisation_that_would_undo_them(prepared: Prepared) -> None:
    brighter = NIH14.prepare([fixed_sample()], {}, ModelInput(brightness=0.1))
    moved = brighter.view[0] - prepared.view[0]
    assert np.median(moved) == pytest.approx(0.1, abs=1e-5)


def test_turns_are_refused() -> None:
    with pytest.raises(InputError):
        NIH14.prepare([fixed_sample()], {}, ModelInput(turn=1))


def test_scores_and_calls_come_with_the_prediction(loaded: LoadedModel, prepared: Prepared) -> None:
    encoded = encode(loaded, prepared)
    found = predict(loaded, prepared, encoded)
    assert found.findings is not None
    assert list(found.scores) == list(LABELS)
    assert found.scores == {finding.label: finding.score for finding in found.findings.findings}
    assert (found.called_from, found.label) == (None, found.findings.label)
    logit = float(loaded.model.head(encoded.maps)[0, 1])
    assert found.scores[LABELS[1]] == pytest.approx(1 / (1 + np.exp(-logit / loaded.card.temperature)))
    with pytest.raises(InputError, match="threshold for each of its labels"):
        predict(loaded, prepared, encoded, threshold=0.5)


@pytest.mark.parametrize("method", Method)
def test_all_maps_in_one_pass_are_those_made_one_by_one(
    loaded: LoadedModel, prepared: Prepared, method: Method
) -> None:
    encoded = encode(loaded, prepared)
    together = raw_maps(loaded, encoded, range(len(LABELS)), method)
    for output, found in enumerate(together):
        (alone,) = raw_maps(loaded, encoded, [output], method)
        np.testing.assert_allclose(found, alone, atol=1e-3 * np.abs(alone).max())
        assert np.abs(found).max() > 0


def test_grad_cam_of_a_label_agrees_with_plain_autograd(loaded: LoadedModel, prepared: Prepared) -> None:
    encoded = encode(loaded, prepared)
    maps = encoded.maps.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(loaded.model.head(maps)[0, 4], maps)
    expected = torch.einsum("c,chw->hw", gradient[0].sum(dim=(1, 2)), maps[0]).detach().numpy()
    found = raw_maps(loaded, encoded, range(len(LABELS)), Method.GRAD_CAM)[4]
    assert np.abs(found - expected).max() <= 1e-3 * np.abs(expected).max()


def test_heatmaps_cover_what_was_read(loaded: LoadedModel) -> None:
    prepared = NIH14.prepare([fixed_sample()], {}, ModelInput(crop=(0, 0, 400, 200)))
    found = explain(loaded, prepared, encode(loaded, prepared))
    assert [heatmap.label for heatmap in found] == list(LABELS)
    assert {heatmap.values.shape for heatmap in found} == {(256, 512)}
    assert {heatmap.box for heatmap in found} == {(0, 0, 400, 200)}
    assert any(not heatmap.empty for heatmap in found)


def radiograph(settings: ChestSettings) -> Radiograph:
    return simulate_chest(settings).radiograph()


def test_a_lateral_view_is_flagged_by_its_pixels_and_by_its_header() -> None:
    side = check_image(radiograph(ChestSettings(seed=10, view="lateral", size=400)), NIH14.reads)
    assert not side.ok
    assert side.found == "lateral chest"
    front = radiograph(ChestSettings(seed=7, size=400))
    assert check_image(front, NIH14.reads).ok
    stated = check_image(replace(front, header={"View position": "LL"}), NIH14.reads)
    assert not stated.ok
    assert "lateral" in stated.reasons[0]
