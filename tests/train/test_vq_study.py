"""Studies, card and figures of lung scans' types: what carved scans choose, what tables say, what maps show."""

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score
from torch import nn
from typer.testing import CliRunner

from cxrkit import lung_scan
from cxrkit.card import read_card
from cxrkit.colours import diverging
from cxrkit.errors import InputError, WeightsError
from cxrkit.group_maps import compare_groups
from cxrkit.phantoms import USUAL
from cxrkit.scan_reading import band_of
from cxrkit.scores import read_scores
from cxrkit.tasks.vq import VQ
from cxrkit.weights import load_model
from tests.train.test_vq_training import CPU, TINY, drawn
from train.studies import MEASURED_ON, Budget
from train.vq import card as card_module
from train.vq import laboratory as laboratory_module
from train.vq import measure as measure_module
from train.vq import scans as scans_module
from train.vq.__main__ import app
from train.vq.answers import scores
from train.vq.card import SHIPPED, make_weights, measure_again
from train.vq.groups import pictures
from train.vq.laboratory import Laboratory, figures, target_of
from train.vq.measure import CARVED, ELSEWHERE, SURE, choose_point
from train.vq.networks import build
from train.vq.scans import Recipe, Scans, mean_of, read_scans, simulated
from train.vq.study import NETWORKS, NO_NECKS, TESTS, WITHOUT_NECKS, Cell, published, scale_of, shortcuts

FEW = Recipe("few", 3, 2, seed=1)


def logits(perfusion: list[float]) -> np.ndarray:
    """[N, 2] whose softmax gives these scores of perfusion."""
    scores = np.array(perfusion)
    return np.stack([np.zeros_like(scores), np.log(scores / (1 - scores))], axis=1)


def test_band_is_as_wide_as_the_wrong_ones_ask_for() -> None:
    sure = [0.999] * 100 + [0.001] * 100
    wrong = [0.99 - 0.0001 * number for number in range(11)]  # the eleventh one makes more than one in twenty
    point = choose_point(logits([*sure, *wrong]), np.array([1] * 100 + [0] * 100 + [0] * 11))
    tenth, eleventh = scores(logits(wrong[9:]), point.temperature)
    assert eleventh < point.high == pytest.approx(tenth)
    assert point.low == pytest.approx(1 - point.high)


def test_band_leaves_out_sure_and_wrong_ones_too() -> None:
    """Right ones within the band are no excuse for wrong ones outside."""
    told = [0.999] * 206 + [0.97] * 14
    point = choose_point(logits([*told, *[0.8] * 60]), np.array([1] * 206 + [0] * 14 + [1] * 60))
    assert point.high > scores(logits([0.97]), point.temperature)[0]
    outside = scores(logits(told), point.temperature) >= point.high
    assert outside.sum() == 206


def test_band_of_easy_scans_is_not_empty() -> None:
    point = choose_point(logits([0.999, 0.98, 0.02, 0.001]), np.array([1, 1, 0, 0]))
    assert (point.low, point.high) == pytest.approx((1 - SURE, SURE))
    assert point.temperature == 1
    assert band_of(point.thresholds) == (point.low, point.high)
    assert point.thresholds[VQ.positive] == 0.5


def test_no_patient_is_in_two_parts() -> None:
    studied = scale_of(Budget.FULL).settings
    parts = [*TESTS, *ELSEWHERE, *CARVED, *SHIPPED.learned, *SHIPPED.chooses, *studied.learned, *studied.chooses]
    ranges = sorted((part.seed, part.seed + part.perfusion + part.ventilation) for part in parts)
    assert all(stop <= start for (_, stop), (start, _) in itertools.pairwise(ranges))


def test_figures_of_a_cell() -> None:
    truth = np.array([1, 1, 1, 0, 0, 0])
    own = np.array([[0.9, 0.8, 0.4, 0.1, 0.2, 0.3], [0.9, 0.8, 0.7, 0.1, 0.2, 0.6]])
    found = figures(own, None, truth)
    assert found["accuracy"].startswith("0.833")
    assert found["accuracy of each repeat"] == "0.833, 0.833"
    assert found["difference of accuracy (paired bootstrap)"] == "reference"
    assert found["sensitivity for perfusion"] == "0.833"
    assert found["AUC"] == "1.000, 1.000"
    calls = (own >= 0.5).astype(int)
    for name, how in (("F1 for perfusion", {"pos_label": 1}), ("macro F1", {"average": "macro"})):
        assert found[name] == ", ".join(f"{f1_score(truth, called, **how):.3f}" for called in calls)
    other = figures(1 - own, own, truth)
    assert other["difference of accuracy (paired bootstrap)"].startswith("-0.667")


def test_studies_have_the_stated_cells() -> None:
    assert [cell.name for cell in published(scale_of(Budget.SMALL)).cells] == list(NETWORKS)
    full, small = scale_of(Budget.FULL), scale_of(Budget.SMALL)
    assert (full.settings.size, full.settings.epochs, full.repeats) == (224, 100, 5)
    assert 96 <= small.settings.size <= 112
    assert small.settings.epochs <= 10
    assert small.repeats == 2
    medium = scale_of(Budget.MEDIUM)
    assert small.settings.size < medium.settings.size < full.settings.size
    assert small.settings.epochs < medium.settings.epochs < full.settings.epochs
    cells = {cell.name: cell.settings for cell in shortcuts(small).cells}
    assert cells[NO_NECKS].necks_hidden == 1
    numbers = {sum(recipe.perfusion + recipe.ventilation for recipe in one.learned) for one in cells.values()}
    assert numbers == {450}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn scans in place of simulated ones."""

    def read(recipe: Recipe, *_: object) -> Scans:
        return drawn(recipe.perfusion, recipe.ventilation, recipe.seed % 1000)

    for module in (laboratory_module, card_module):
        monkeypatch.setattr(module, "read_scans", read)
    monkeypatch.setattr(scans_module, "simulated", read)


TEST = Recipe("test", 4, 4, seed=77)


def test_a_study_trains_measures_and_goes_on(quick: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alike = tuple(Cell(name, TINY) for name in ("one", "same"))
    study = replace(published(scale_of(Budget.SMALL)), reference="one", cells=alike)
    trained = []

    def train(*given: Any) -> nn.Module:
        trained.append(given)
        given[-1].mkdir(parents=True)
        return build(TINY.network, TINY.size)

    monkeypatch.setattr(laboratory_module, "train_network", train)
    laboratory = Laboratory(tmp_path, tmp_path / "cache", CPU, tmp_path, tests=(TEST,))
    rows = laboratory.conduct(study, Budget.SMALL, 1, card=False)
    assert len(trained) == 1, "cells that are equal are trained once"
    parts = ("test", "test" + WITHOUT_NECKS)
    assert [(row["network"], row[MEASURED_ON]) for row in rows] == [
        (name, part) for part in parts for name in ("one", "same")
    ]
    assert rows[1]["difference of accuracy (paired bootstrap)"].startswith("0.000")
    (recipe,) = TINY.learned
    parity = 2 * max(recipe.perfusion, recipe.ventilation)
    assert (rows[0]["scans to draw from"], rows[0]["scans per epoch"]) == (len(recipe.kinds), parity)
    laboratory.conduct(study, Budget.SMALL, 1, card=False)
    assert len(trained) == 1


def test_another_simulator_makes_another_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    laboratory = Laboratory(tmp_path, tmp_path / "cache", CPU, tmp_path, tests=(TEST,))
    before = laboratory.folder(TINY)
    assert laboratory.folder(TINY) == before
    monkeypatch.setitem(scans_module.POPULATIONS, "usual", replace(USUAL, disease=0.1))
    assert laboratory.folder(TINY) != before


def test_weights_card_and_mean_image_are_written(quick: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = replace(TINY, size=VQ.input_size, learned=(FEW,), chooses=(FEW,), epochs=1)
    monkeypatch.setattr(card_module, "train_network", lambda *_: build(settings.network, settings.size).eval())
    monkeypatch.setattr(card_module, "CARVED", (Recipe("carved", 6, 6, seed=5),))
    monkeypatch.setattr(measure_module, "TESTS", (TEST,))
    monkeypatch.setattr(measure_module, "ELSEWHERE", ())
    card = make_weights(tmp_path, tmp_path, settings, CPU, tmp_path)
    with pytest.raises(WeightsError, match="preparation"):  # the shipped mean image is another
        load_model(VQ, tmp_path)
    monkeypatch.setattr(lung_scan, "MEAN_IMAGE", tmp_path / "vq" / "mean_image.png")
    stored = read_card(tmp_path / "vq" / "card.json")
    assert (card.metrics, card.thresholds) == (stored.metrics, stored.thresholds)
    assert (tmp_path / "vq" / "mean_image.png").is_file()
    assert card.limits[0].startswith("Simulated")
    assert not any(source.real for source in card.data)
    assert {metric.part for metric in card.metrics} == {"simulated: test", "simulated: test" + WITHOUT_NECKS}
    assert "accuracy" in {metric.name for metric in card.metrics}
    assert "cannot tell" in {metric.name for metric in card.metrics}
    assert load_model(VQ, tmp_path).card.sha256 == card.sha256
    (scored,) = read_scores(tmp_path / "vq")
    assert (scored.name, len(scored.targets)) == ("simulated: test", TEST.perfusion + TEST.ventilation)
    measure_again(tmp_path, tmp_path)
    assert read_card(tmp_path / "vq" / "card.json") == stored


def test_simulated_scans_are_kept_and_read_again(tmp_path: Path) -> None:
    simulated(FEW, tmp_path, workers=0)
    mean = mean_of([FEW], tmp_path)
    scans = read_scans(FEW, mean, tmp_path)
    assert scans.views.shape == scans.without_neck.shape == (5, 224, 224)
    assert scans.target.tolist() == [1, 1, 1, 0, 0]
    files = {file.name: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    again = read_scans(FEW, mean, tmp_path)
    np.testing.assert_array_equal(again.views, scans.views)
    assert files == {file.name: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    found = scans.views[scans.two_lungs]
    assert found.size
    assert (scans.without_neck <= scans.views).all()


def test_targets_follow_the_recipe() -> None:
    assert target_of(FEW).tolist() == [1, 1, 1, 0, 0]


def test_red_is_where_perfusion_is_higher_and_blue_where_ventilation_is() -> None:
    random = np.random.default_rng(0)
    first, second = random.uniform(0, 0.1, (9, 8, 8)), random.uniform(0, 0.1, (9, 8, 8))
    first[:, 0] += 0.8
    second[:, 7] += 0.8
    drawn_maps = pictures(compare_groups(first, second))
    for name, picture in drawn_maps.items():
        if name.startswith("mean"):
            continue
        red, blue = picture[0, 4].astype(int), picture[7, 4].astype(int)
        assert red[0] > red[2] + 80, name
        assert blue[2] > blue[0] + 80, name
    assert (drawn_maps["significant_fdr_0.05"][3:5] == 255).mean() > 0.8
    assert (diverging(np.zeros((2, 2))) == 255).all()


def test_a_training_that_never_reads_the_apps_size_is_refused(tmp_path: Path) -> None:
    options = ["--run", str(tmp_path), "--out", str(tmp_path), "--epochs", "10"]
    result = CliRunner().invoke(app, ["weights", *options])
    assert isinstance(result.exception, InputError)
    assert "none at the app's size" in str(result.exception)
    assert not list(tmp_path.iterdir())
