"""V/Q scan type: preparation, placement of maps, the second opinion, the networks, and what is said of a scan."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from cxrkit.errors import InputError, WeightsError
from cxrkit.evaluate import analyse
from cxrkit.explain import explain
from cxrkit.image import Radiograph
from cxrkit.lung_scan import mean_image as read_mean_image
from cxrkit.predict import Prediction, encode, predict
from cxrkit.scan_facts import ScanFacts
from cxrkit.scan_reading import CANNOT_TELL, FROM, TO, read_scan_type
from cxrkit.task import ModelInput
from cxrkit.tasks.vq import ONE_LUNG, SIZE, SWAPPED, VQ, heat_above_the_lungs, without_neck
from cxrkit.weights import fixed_sample, load_model, preparation_record
from tests.models_for_tests import small_loaded
from tests.scans import drawn_scan, mean_image, noisy, scan_of
from tests.small_weights import write_small_weights

__all__ = ["mean_image"]

NONE = ModelInput()


def prepared(image: Radiograph, edits: ModelInput = NONE) -> Any:
    return VQ.prepare([image], {}, edits)


def test_the_network_reads_the_aligned_scan() -> None:
    found = prepared(scan_of(drawn_scan(move=(12, -9), neck=True)))
    assert found.tensor.shape == (1, 1, SIZE, SIZE)
    assert (found.scan.method, found.scan.shift) == ("two lungs", (1 - 12, 9 + 9))
    assert found.warnings == ()
    assert found.crop_sources == ("image",)
    np.testing.assert_allclose(
        found.view[0], found.scan.image.reshape(SIZE, 2, SIZE, 2).mean(axis=(1, 3)) / 255, atol=1e-5
    )
    again = prepared(scan_of(drawn_scan(move=(-5, 4), neck=True)))
    np.testing.assert_allclose(again.view[0][10:100], found.view[0][10:100], atol=1e-5)


def test_values_are_read_and_not_the_window() -> None:
    image = scan_of(drawn_scan())
    np.testing.assert_array_equal(prepared(replace(image, window=(0.0, 30.0))).tensor, prepared(image).tensor)
    valid = np.ones(image.values.shape, np.bool_)
    valid[:, :3] = False
    padded = image.values.copy()
    padded[:, :3] = 5000
    np.testing.assert_array_equal(prepared(replace(image, values=padded, valid=valid)).tensor, prepared(image).tensor)


def test_one_lung_is_read_with_a_warning(mean_image: Any) -> None:
    found = prepared(scan_of(drawn_scan(left=False)))
    assert found.scan.method == "mutual information"
    assert found.warnings == (ONE_LUNG,)


def test_black_and_white_are_swapped_back() -> None:
    image = scan_of(drawn_scan())
    swapped = scan_of(255 - drawn_scan())
    found = prepared(swapped)
    np.testing.assert_allclose(found.tensor, prepared(image).tensor, atol=1e-5)
    assert found.warnings == (SWAPPED,)
    assert prepared(swapped, ModelInput(swap=True)).warnings == ()


def test_a_scan_is_not_turned() -> None:
    with pytest.raises(InputError, match="cannot be turned"):
        prepared(scan_of(drawn_scan()), ModelInput(turn=1))


@pytest.mark.parametrize("crop", [None, (20, 10, 212, 190)], ids=["whole", "crop"])
@pytest.mark.parametrize("shape", ["square", "narrow", "wide"])
def test_a_point_of_the_map_lands_on_its_pixel(shape: str, crop: Any) -> None:
    """A bright point of the image, found in the input, is placed back where it came from."""
    counts = np.kron(drawn_scan(move=(-18, 25)), np.ones((2, 2), np.uint16))
    counts = {"square": counts, "narrow": counts[:, 10:400], "wide": counts[30:420]}[shape]
    counts = np.ascontiguousarray(counts).astype(np.float32)
    box = None if crop is None else tuple(2 * edge for edge in crop)
    if box is not None:
        box = (box[0], box[1], min(box[2], counts.shape[1]), min(box[3], counts.shape[0]))
    for x, y in ((110, 210), (290, 300)):
        scan = counts.copy()
        scan[y - 4 : y + 4, x - 4 : x + 4] = 130
        found = prepared(scan_of(scan), ModelInput(crop=box))
        place = found.placements[0]
        left, top, right, bottom = place.box
        assert 0 <= left < right <= scan.shape[1]
        assert 0 <= top < bottom <= scan.shape[0]
        placed = place.place(np.maximum(found.view[0] - 0.9, 0))
        row, column = np.unravel_index(placed.argmax(), placed.shape)
        assert left + (column + 0.5) * (right - left) / placed.shape[1] == pytest.approx(x, abs=5)
        assert top + (row + 0.5) * (bottom - top) / placed.shape[0] == pytest.approx(y, abs=5)


def test_the_second_opinion_reads_no_neck() -> None:
    image = scan_of(drawn_scan(neck=True))
    edits = ModelInput(contrast=1.2)
    found = prepared(image, edits)
    masked = without_neck(found, edits)
    assert masked.scan is found.scan
    above = found.scan.top // 2
    np.testing.assert_array_equal(masked.view[0][:above], masked.view[0][0, 0])
    np.testing.assert_array_equal(masked.view[0][above + 1 :], found.view[0][above + 1 :])
    np.testing.assert_allclose(masked.tensor[0, 0], (masked.view[0] - VQ.mean) / VQ.std, atol=1e-5)
    assert not np.array_equal(found.view[0], masked.view[0])


def test_heat_above_the_lungs_of_a_map_in_the_images_frame() -> None:
    found = prepared(scan_of(drawn_scan(move=(0, 25), neck=True)))
    place = found.placements[0]
    heat = np.zeros((SIZE, SIZE), np.float32)
    heat[5:8, 50:60] = 1
    assert heat_above_the_lungs(found, place.place(heat)) == pytest.approx(1)
    heat[50:53, 50:60] = 1
    assert heat_above_the_lungs(found, place.place(heat)) == pytest.approx(0.5, abs=0.03)
    assert heat_above_the_lungs(found, place.place(heat * 0)) is None


@pytest.mark.parametrize("encoder", ["vgg16", "vgg16_bn", "resnet18", "inception_resnet_v2", "seresnext101_32x4d"])
def test_the_sources_networks_read_96_and_112_pixels(encoder: str) -> None:
    with torch.device("meta"):
        model: Any = VQ.build_model({"encoder": encoder, "image_size": SIZE}).eval()
        for size in (96, SIZE):
            maps = model.features(torch.zeros(1, 1, size, size))
            assert maps.shape[:2] == (1, model.encoder.channels)
            assert maps.shape[2] == maps.shape[3] >= 1
            assert model.head(maps).shape == (1, 2)


def test_the_head_is_linear_in_the_pooled_maps() -> None:
    loaded = _loaded()
    found = prepared(scan_of(drawn_scan()))
    encoded = encode(loaded, found)
    (heatmap,) = explain(loaded, found, encoded, ["perfusion"])
    assert heatmap.box == found.placements[0].box
    model: Any = loaded.model
    assert model.head(encoded.maps) == pytest.approx(model.classify(encoded.maps.mean(dim=(2, 3))))


@pytest.mark.usefixtures("mean_image")
def test_weights_need_the_mean_image_that_their_preparation_was_recorded_with(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_small_weights(VQ, tmp_path)
    assert load_model(VQ, tmp_path).card.labels == VQ.labels
    record = preparation_record(VQ)
    monkeypatch.setattr("cxrkit.lung_scan.mean_image", lambda: np.roll(read_mean_image(), 20, axis=0))
    assert not np.allclose(record, preparation_record(VQ), atol=0.06)
    with pytest.raises(WeightsError, match="preparation of images has changed"):
        load_model(VQ, tmp_path)


def test_the_fixed_sample_has_two_lungs() -> None:
    assert prepared(fixed_sample("planar lung scan")).scan.method == "two lungs"


def _loaded() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.models_for_tests.preparation_record", lambda task: ())
        return small_loaded(VQ)


@pytest.fixture(scope="module")
def answer() -> Callable[..., Prediction]:
    """A small network's answer about a scan, with a card whose band or threshold may be given."""
    loaded = _loaded()

    def ask(image: Radiograph, threshold: float | None = None, **thresholds: float) -> Prediction:
        names = {"low": FROM, "high": TO, "perfusion": "perfusion"}
        card = replace(loaded.card, thresholds={names[key]: value for key, value in thresholds.items()})
        return analyse(replace(loaded, card=card), [image], threshold=threshold)

    return ask


def test_scores_inside_the_band_are_called_neither_way(answer: Callable[..., Prediction]) -> None:
    image = scan_of(noisy(drawn_scan()), Modality="NM", Series_description="LUNG VENT")
    found = answer(image, perfusion=0.0, low=0.0, high=1.0)
    assert found.scan is not None
    assert (found.label, found.scan.kind, found.scan.verdict) == (CANNOT_TELL, None, "cannot tell")
    assert "lies between 0.000 and 1.000" in found.scan.reason
    sure = answer(image, perfusion=0.0)
    assert sure.scan is not None
    assert (sure.label, sure.scan.kind, sure.scan.verdict, sure.scan.reason) == (
        "perfusion",
        "perfusion",
        "mismatch",
        "",
    )
    assert sure.scan.counts == int(image.values.sum())
    given = answer(image, 1.0, perfusion=0.0, low=0.0, high=1.0)
    assert (given.label, given.called_from) == ("ventilation", 1.0)


def test_the_view_and_the_header_are_believed(answer: Callable[..., Prediction]) -> None:
    image = scan_of(drawn_scan())
    for view in ("posterior", "lateral", "oblique"):
        other = answer(replace(image, view=view), perfusion=0.0)
        assert other.label == CANNOT_TELL
        assert other.scan is not None
        assert "another view" in other.scan.reason
    facts = ScanFacts(("anterior",), "NM", series_description="PERF", radiopharmaceutical="MAA", stated_counts=5)
    stated = answer(replace(image, view="anterior", scan=facts), perfusion=0.0).scan
    assert stated is not None
    assert (stated.verdict, stated.series, stated.tracer, stated.stated_counts) == ("agree", "PERF", "MAA", 5)
    assert stated.counts is None
    assert stated.view == "anterior"
    assert answer(replace(image, view="PA"), perfusion=0.0).label == "perfusion"


def test_without_the_image_nothing_is_said_beside_the_score() -> None:
    loaded = _loaded()
    found = prepared(scan_of(drawn_scan()))
    assert predict(loaded, found, encode(loaded, found)).scan is None


def test_ends_of_the_band_are_called() -> None:
    image = scan_of(drawn_scan())
    aligned = prepared(image).scan
    kinds = [read_scan_type(image, aligned, score, 0.5, (0.3, 0.7)).kind for score in (0.3, 0.31, 0.69, 0.7)]
    assert kinds == ["ventilation", None, None, "perfusion"]
