"""From a folder of images to weights, card, boxes and study of findings; every number on the card is measured."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cxrkit.card import WEIGHTS, Metric, read_card
from cxrkit.errors import InputError, ManifestError, WeightsError
from cxrkit.finding_support import TOO_FEW
from cxrkit.finding_training import read_epochs, read_stages
from cxrkit.metrics import auc
from cxrkit.pixels import Gray
from cxrkit.tasks.nih14 import LABELS, NIH14
from cxrkit.weights import load_model
from tests.train.image_sets import chest, write_set
from train.nih14 import fit, measure
from train.nih14.boxes import Seen, figures, folds, mask_of, measure_boxes, read_boxes
from train.nih14.card import BOXED, BOXES, CHANCE, HITS, LABELS_TABLE, limits, make_weights, measure_again
from train.nih14.data import Material, read_material, read_pool
from train.nih14.fit import Settings, logits_of
from train.nih14.gan import GanSettings, train_gan
from train.nih14.laboratory import Laboratory
from train.nih14.losses import Reading
from train.nih14.measure import (
    TOO_FEW_TESTED,
    UNTOLD,
    Chosen,
    Reported,
    choose,
    macro_difference,
    macro_of,
    support_of,
    weighted_f1,
)
from train.nih14.parts import divide
from train.nih14.sources import labelled_cases
from train.nih14.study import Cell
from train.studies import Budget, Study
from train.trainer import FitSettings

CPU = FitSettings(accelerator="cpu", precision="32-true")
NETWORK = {"encoder": "test_vit", "fusion": "concat", "trunk_size": 64}
TINY = Settings(NETWORK, 224, epochs=1, batch=8, learning_rate=1e-3, workers=0, judged=8)
GAN = GanSettings(size=64, iterations=1, batch=4, every=1, grids=1)


@pytest.fixture(autouse=True, scope="module")
def few_images() -> Iterator[None]:
    """Bars that a few drawn images can pass."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("TRAINED", 4), ("TESTED", 3), ("CALIBRATING", 2)):
            patch.setattr(measure, name, value)
        patch.setattr(fit, "CHOOSING", 2)
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 drawn chests of 30 patients: 20 to learn from, 10 that report; every other one has a bright field."""
    folder, images, rows = tmp_path_factory.mktemp("sets") / "drawn", {}, []
    for number in range(30):
        image: Gray = chest(number, 120, 100)
        if number % 2:
            image[60:80, 20:40] = 1
        images[f"{number:02d}.png"] = image
        findings = "Pneumonia|Effusion" if number % 2 else "No Finding"
        rows.append((f"{number:02d}.png", findings, number, "train" if number < 20 else "val"))
    write_set(folder, images, ("file", "findings", "patient_id", "split"), rows)
    lines = [f"{number:02d}.png,Pneumonia,205,512,205,171" for number in range(1, 20, 2)]
    (folder / "boxes.csv").write_text("\n".join(["image,finding,x,y,width,height", *lines]), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def gan(data: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("gan")
    train_gan(read_pool(read_material(data, cache, 224), [], cache, 224), GAN, run, "cpu", lambda _: None)
    return run


@pytest.fixture(scope="module")
def weights(data: Path, cache: Path, gan: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    make_weights(data, folder / "run", cache, replace(TINY, gan=gan), CPU, folder)
    return folder


def material(data: Path, cache: Path) -> Material:
    return read_material(data, cache, 224)


def test_the_card_says_what_the_stored_network_does(weights: Path, data: Path, cache: Path) -> None:
    loaded, given = load_model(NIH14, weights), material(data, cache)
    assert (len(given.learned), len(given.carved), len(given.reporting)) == (16, 4, 10)
    logits = logits_of(loaded.model, given.reporting.views, 224)
    measured = [LABELS.index(label) for label in ("Effusion", "Pneumonia")]
    expected = np.mean([auc(given.reporting.target[:, k], logits[:, k]) for k in measured])
    (macro,) = [one for one in loaded.card.metrics if one.name == "macro AUC"]
    assert macro.value == pytest.approx(expected)
    assert macro.cases == 10
    assert "Effusion, Pneumonia" in macro.note
    support = {one.label: one for one in loaded.card.support}
    assert (support["Pneumonia"].positives, support["Pneumonia"].tested) == (10, 5)
    assert support["Pneumonia"].auc == pytest.approx(
        auc(given.reporting.target[:, measured[1]], logits[:, measured[1]])
    )
    assert support["Hernia"].remark == TOO_FEW
    assert support["Hernia"].auc is None
    assert set(loaded.card.thresholds) == {one.label for one in loaded.card.support if not one.remark}
    assert {row["label"] for row in loaded.card.tables[LABELS_TABLE]} == set(LABELS)
    assert "SS-GAN (1 x 4 at 64 px" in loaded.card.initialisation
    assert "16 images trained; 4 (20%" in loaded.card.split
    assert loaded.card.settings["gan"] == "given", "that there was one, and no path of this machine"


def test_curves_and_generated_images_lie_beside_the_weights(weights: Path) -> None:
    folder = weights / NIH14.name
    assert [epoch.number for epoch in read_epochs(folder)] == [0]
    assert read_stages(folder).images.shape == (1, 8, 64, 64)
    assert any("stages.npz" in limit and "no patient" in limit for limit in read_card(folder / "card.json").limits)


def test_boxes_are_measured_by_networks_that_never_saw_the_patient_and_stay_on_the_card(
    weights: Path, data: Path, cache: Path, tmp_path: Path
) -> None:
    before = read_card(weights / NIH14.name / "card.json")
    metrics = measure_boxes(data, data / "boxes.csv", tmp_path, cache, TINY, CPU, weights, count=2)
    assert [one.name for one in metrics] == [
        "pointing game, hits",
        "pointing game, another image's map",
        "pointing game, by chance",
    ]
    assert all(one.cases == 10 and 0 <= one.value <= 1 for one in metrics)
    again = measure_again(data, cache, weights)
    assert [one for one in again.metrics if one.part == BOXES] == metrics
    assert [one for one in again.metrics if one.part != BOXES] == list(before.metrics)
    assert again.support == before.support
    assert any("not measured" in limit and "heatmaps" in limit for limit in before.limits)
    assert any(BOXED in limit and "than chance" in limit for limit in again.limits)


@pytest.mark.parametrize(("low", "words"), [(0.3, "were better than chance"), (0.1, "no better than chance")])
def test_what_the_card_says_of_heatmaps_follows_from_its_figures(tmp_path: Path, low: float, words: str) -> None:
    figures = [Metric(HITS, BOXES, 0.4, low, 0.5, 30), Metric(CHANCE, BOXES, 0.15, 0.1, 0.2, 30)]
    (said,) = [limit for limit in limits(figures, tmp_path) if "heatmaps" in limit]
    assert words in said


def test_the_shipped_card_says_what_its_figures_say() -> None:
    folder = WEIGHTS / NIH14.name
    card = read_card(folder / "card.json")
    assert limits(card.metrics, folder) == card.limits


def test_every_fold_leaves_its_patients_out(data: Path) -> None:
    parts = divide(labelled_cases(data))
    divided = folds(parts, 3, seed=0)
    held = [case for one in divided for case in one.reporting]
    assert sorted(case.files for case in held) == sorted(case.files for case in parts.training)
    for one in divided:
        assert not {case.patient for case in one.training} & {case.patient for case in one.reporting}


def test_boxes_are_read_from_the_published_table_too(tmp_path: Path) -> None:
    table = tmp_path / "BBox_List_2017.csv"
    rows = ("Image Index,Finding Label,Bbox [x,y,w,h],,,", "a.png,Pneumonia,512,256,128,64,,,", "a.png,Mass,1,2,3,4,,,")
    table.write_text("\n".join(rows), encoding="utf-8")
    assert read_boxes(table) == {"a": [(0.5, 0.25, 0.125, 0.0625)]}
    mask = mask_of([(0.5, 0.25, 0.125, 0.0625)], (160, 80))
    assert mask[40:50, 40:50].all()
    assert mask.sum() == 100
    table.write_text("image,finding\na.png,Pneumonia,here,2,3,4", encoding="utf-8")
    with pytest.raises(ManifestError, match="Row 2"):
        read_boxes(table)
    with pytest.raises(ManifestError, match="is not there"):
        read_boxes(tmp_path / "none.csv")


def test_hits_of_other_maps_and_of_chance_are_what_counting_says() -> None:
    seen = []
    for number, place in enumerate((10, 80)):
        values = np.zeros((100, 100), dtype=np.float32)
        values[place, place] = 1
        mask = np.zeros((100, 100), dtype=np.bool_)
        mask[8:13, 8:13] = True
        seen.append(Seen(f"p{number}", values, (0, 0, 100, 100), mask))
    own, other, chance = figures(seen, 2)
    assert (own.value, other.value) == (0.5, 0.5)
    assert 25 / 1e4 < chance.value < 121 / 1e4, "25 pixels, and those within 3 of them"
    blank = replace(seen[0], values=np.zeros((100, 100), dtype=np.float32))
    assert not blank.hit()


def test_the_study_compares_each_network_on_the_same_images(data: Path, cache: Path, gan: Path, tmp_path: Path) -> None:
    alone = replace(TINY, network={**NETWORK, "fusion": "none"})
    study = Study("Two", "alone", (Cell("alone", alone), Cell("both", replace(TINY, gan=gan))))
    laboratory = Laboratory(material(data, cache), tmp_path, CPU, tmp_path)
    rows = laboratory.conduct(study, Budget.SMALL, 1, card=False)
    assert [row["network"] for row in rows] == ["alone", "both"]
    assert rows[0]["difference of macro AUC (paired bootstrap)"] == "reference"
    assert "to" in rows[1]["difference of macro AUC (paired bootstrap)"]
    assert rows[0]["started from"] == "random (from scratch)"
    assert [(row["encoder"], row["trunk size"]) for row in rows] == [("test_vit", ""), ("test_vit", 64)]
    assert all(row["division"] == "by patient" and row["labels"] == "2" for row in rows)
    stored = sorted((tmp_path / "cells").glob("*/answers.json"))
    times = [file.stat().st_mtime_ns for file in stored]
    assert laboratory.conduct(study, Budget.SMALL, 1, card=False) == rows
    assert [file.stat().st_mtime_ns for file in stored] == times, "finished cells are not trained again"
    first, *others = laboratory.material.parts.reporting
    relabelled = (replace(first, row={**first.row, "findings": "Hernia"}), *others)
    corrected = replace(laboratory.material, parts=replace(laboratory.material.parts, reporting=relabelled))
    assert Laboratory(corrected, tmp_path, CPU, tmp_path).folder(alone) != laboratory.folder(alone)


@pytest.mark.parametrize(("change", "words"), [({"size": 64}, "224"), ({"reading": Reading.SOFTMAX}, "sigmoid")])
def test_weights_that_the_app_could_not_use_are_not_made(
    change: dict[str, object], words: str, data: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=words):
        make_weights(data, tmp_path, tmp_path, replace(TINY, **change), CPU, tmp_path)  # type: ignore[arg-type]
    with pytest.raises(WeightsError):
        measure_again(data, tmp_path, tmp_path)


def test_the_labelled_set_is_not_given_again_as_unlabelled(data: Path, cache: Path) -> None:
    with pytest.raises(InputError, match="--unlabelled"):
        read_pool(material(data, cache), [data], cache, 224)


def reported(count: int = 40) -> Reported:
    random = np.random.default_rng(0)
    target = np.zeros((count, len(LABELS)), dtype=np.int64)
    target[::2, 0], target[::4, 1] = 1, 1
    logits = random.normal(size=(count, len(LABELS))) + 2 * target
    return Reported(logits, target, np.array([f"p{number // 2}" for number in range(count)]), "part")


def test_carved_images_calibrate_and_set_thresholds_where_the_label_is_told() -> None:
    given = reported(80)
    logits = given.logits.copy()
    logits[:, 1] *= -1
    chosen = choose(logits, given.target)
    assert chosen[0].calibration is not None
    assert chosen[0].threshold is not None
    assert 0.6 < np.mean(chosen[0].called(logits[:, 0]) == (given.target[:, 0] == 1)) <= 1
    assert chosen[1] == Chosen(None, None), "scores that fall with the label"
    assert not chosen[1].called(logits[:, 1]).any()
    training = np.array([20, 20, 3] + [20] * 11)
    remarks = [one.remark for one in support_of(training, chosen, given)]
    assert remarks[:4] == ["", UNTOLD, TOO_FEW, TOO_FEW_TESTED]


def test_a_label_that_is_told_completely_is_called_without_calibration() -> None:
    target = np.repeat([[0], [1]], 5, axis=0)
    (chosen,) = choose(np.arange(10.0)[:, None], target)
    assert chosen.calibration is None
    assert chosen.called(np.arange(10.0)).tolist() == [False] * 5 + [True] * 5


def test_differences_are_paired_and_their_own_value_is_the_plain_one() -> None:
    given = reported()
    other = given.logits + np.random.default_rng(1).normal(size=given.logits.shape)
    found = macro_difference(given, other, [0, 1])
    plain = macro_of(given, [0, 1]).value - macro_of(replace(given, logits=other), [0, 1]).value
    assert found.value == pytest.approx(plain)
    assert found.low < found.value < found.high
    nothing = macro_difference(given, given.logits, [0, 1])
    assert (nothing.low, nothing.high) == (0, 0)


def test_f1_is_weighted_by_positive_images() -> None:
    target = np.array([[1, 1], [1, 0], [1, 0], [0, 0]])
    called = np.array([[1, 0], [1, 0], [0, 0], [1, 1]], dtype=np.bool_)
    assert weighted_f1(target, called) == pytest.approx((3 * (2 * 2 / 6) + 1 * 0) / 4)
