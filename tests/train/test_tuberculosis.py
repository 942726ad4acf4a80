"""The whole of training on a tiny drawn data set: cross-family runs, weights and card, in one process and in two."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from cxrkit.card import Card, read_card
from cxrkit.errors import InputError
from cxrkit.image import read_image
from cxrkit.metrics import auc
from cxrkit.predict import encode, predict
from cxrkit.scores import read_scores, write_scores
from cxrkit.task import ModelInput
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from cxrkit.weights import fixed_sample, load_model
from tests.conftest import REPOSITORY
from tests.train.screening_set import HOW, PER_PART, SETTINGS, drawn
from train.tuberculosis.card import IN_SET, make_weights, measure_again
from train.tuberculosis.fit import TrainingPart, with_lesions
from train.tuberculosis.heat import heat_in_lungs
from train.tuberculosis.images import load_images

__all__ = ["drawn"]


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three chests of another hospital, one of them not in its training part."""
    root = tmp_path_factory.mktemp("elsewhere")
    for number in range(3):
        values = np.roll(fixed_sample().values, number, axis=0)
        cv2.imwrite(str(root / f"{number}.png"), np.clip(values, 0, 255).astype(np.uint8))
    (root / "labels.csv").write_text("file,split\n0.png,train\n1.png,train\n2.png,val\n")
    return root


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the run of this module, whose prepared images others may read."""
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def trained(drawn: Path, elsewhere: Path, run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights folder made from the drawn set."""
    out = tmp_path_factory.mktemp("weights")
    make_weights(drawn, [elsewhere], run, SETTINGS, HOW, out)
    return out


def test_the_app_can_load_and_use_what_training_wrote(trained: Path, drawn: Path) -> None:
    loaded = load_model(TUBERCULOSIS, trained)
    image = read_image((drawn / "mendeley_tb_0.png").read_bytes())
    prepared = TUBERCULOSIS.prepare([image], {}, ModelInput())
    prediction = predict(loaded, prepared, encode(loaded, prepared), [image])
    assert set(prediction.scores) == set(TUBERCULOSIS.labels)
    assert sum(prediction.scores.values()) == pytest.approx(1)
    assert prediction.threshold == loaded.card.thresholds["tuberculosis"]


def test_the_card_holds_every_figure_that_the_issue_of_confounding_needs(trained: Path) -> None:
    card = read_card(trained / "tuberculosis" / "card.json")
    parts = {metric.part for metric in card.metrics if metric.name == "AUC"}
    assert IN_SET in parts
    assert sum(part.startswith("cross-family") for part in parts) == 2, "one pair held out, each way round"
    baselines = [metric for metric in card.metrics if metric.name == "AUC, border-only baseline"]
    assert len(baselines) == 3
    assert {source.name: source.images for source in card.data}.values()
    assert card.initialisation == "random (from scratch)"
    assert card.settings["encoder"] == "resnet10t"


def test_figures_are_on_the_images_they_name(trained: Path) -> None:
    card: Card = read_card(trained / "tuberculosis" / "card.json")
    assert card.metric("AUC", IN_SET).cases == 4 * PER_PART
    held = [m.cases for m in card.metrics if m.name == "AUC" and m.part.startswith("cross-family")]
    assert held == [2 * (2 * PER_PART + 4)] * 2


def test_scores_beside_the_weights_are_those_of_the_card(trained: Path) -> None:
    card = read_card(trained / "tuberculosis" / "card.json")
    parts = read_scores(trained / "tuberculosis")
    assert [part.optimistic for part in parts] == [False, False, True]
    for part in parts:
        assert auc(part.targets, part.scores) == pytest.approx(card.metric("AUC", part.name).value, abs=1e-3)


def test_the_card_says_where_the_network_looks(trained: Path) -> None:
    card = read_card(trained / "tuberculosis" / "card.json")
    inside = card.metric("share of heat inside the lungs", f"tuberculosis images of the {IN_SET}")
    assert 0 <= inside.low <= inside.value <= inside.high <= 1  # type: ignore[operator]
    assert inside.cases <= 2 * PER_PART
    simulated = [metric for metric in card.metrics if metric.part.startswith("simulated chests")]
    assert {"AUC", "score higher with the lesion"} <= {metric.name for metric in simulated}
    assert next(metric for metric in simulated if metric.name == "AUC").cases == 2 * SETTINGS.simulated_pairs


def test_heat_in_the_lungs_is_their_share_for_even_heat(trained: Path) -> None:
    loaded = load_model(TUBERCULOSIS, trained)
    views = np.full((1, 96, 96), 128, dtype=np.uint8)
    everywhere, nowhere = np.full_like(views, 255), np.zeros_like(views)
    shares = [heat_in_lungs(loaded, views, lungs) for lungs in (everywhere, nowhere)]
    assert shares[1] == [], "no lungs, no share"
    assert all(share == pytest.approx(1) and fill == 1 for share, fill in shares[0])


@pytest.mark.parametrize("kept", [True, False], ids=["answers in the run's folder", "scores beside the weights"])
def test_measuring_again_finds_the_same_and_trains_nothing(
    kept: bool, trained: Path, drawn: Path, elsewhere: Path, run: Path, tmp_path: Path
) -> None:
    shutil.copytree(trained, tmp_path / "weights")
    before = read_card(trained / "tuberculosis" / "card.json")
    with pytest.raises(InputError, match="learned from"):
        measure_again(drawn, [], run, tmp_path / "weights")
    measure_again(drawn, [elsewhere], run if kept else tmp_path / "gone", tmp_path / "weights")
    after = read_card(tmp_path / "weights" / "tuberculosis" / "card.json")
    assert [(m.name, m.part, m.cases) for m in after.metrics] == [(m.name, m.part, m.cases) for m in before.metrics]
    assert [m.value for m in after.metrics] == pytest.approx([m.value for m in before.metrics], abs=1e-4)
    assert (after.initialisation, after.settings, after.data) == (before.initialisation, before.settings, before.data)


def test_without_any_answers_nothing_is_measured(trained: Path, drawn: Path, elsewhere: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "weights")
    write_scores(read_scores(trained / "tuberculosis")[2:], tmp_path / "weights" / "tuberculosis")
    with pytest.raises(InputError, match="answers of a network trained without"):
        measure_again(drawn, [elsewhere], tmp_path, tmp_path / "weights")


def test_further_negatives_train_and_never_report(drawn: Path, elsewhere: Path, run: Path) -> None:
    images = load_images(drawn, [elsewhere], SETTINGS, run / "cache")
    assert images.further.sum() == 2, "the val part of the other hospital stays out"
    assert not (images.further & images.test).any()
    training, carved = images.divide(seed=0)
    assert set(np.flatnonzero(images.further)) <= set(training.tolist())
    assert not images.further[carved].any()
    assert not images.test[np.concatenate([training, carved])].any()


def test_lesions_make_positives_of_the_share_asked_for() -> None:
    views = np.full((1, 96, 96), 100, dtype=np.uint8)
    lungs = np.zeros_like(views)
    lungs[0, 15:75, 12:84] = 255
    part = TrainingPart(views, lungs, np.array([0]), np.array(["a"]))
    view = views[0].astype(np.float32) / 255
    drawn = [with_lesions(part, 0.5)(0, view) for _ in range(60)]
    positive = [target for _, target in drawn]
    assert 15 < sum(positive) < 45
    assert all(np.array_equal(shown, view) for shown, target in drawn if target == 0)
    assert sum(not np.array_equal(shown, view) for shown, target in drawn if target == 1) == sum(positive)
    without = TrainingPart(views, np.zeros_like(views), np.array([0]), np.array(["a"]))
    assert {with_lesions(without, 1.0)(0, view)[1] for _ in range(5)} == {0}, "where no lung is, nothing can be drawn"
    ill = TrainingPart(views, lungs, np.array([1]), np.array(["a"]))
    assert all(np.array_equal(with_lesions(ill, 1.0)(0, view)[0], view) for _ in range(5)), "real disease stays"


@pytest.mark.usefixtures("trained")
def test_two_processes_train_together(drawn: Path, run: Path, tmp_path: Path) -> None:
    shutil.copytree(run / "cache", tmp_path / "run" / "cache")
    command = [
        *(sys.executable, "-m", "train.tuberculosis", "weights", "--data", str(drawn)),
        *("--run", str(tmp_path / "run"), "--out", str(tmp_path / "out"), "--encoder", "resnet10t"),
        *("--epochs", "1", "--early-epochs", "1", "--images-per-epoch", "64", "--simulated-pairs", "2"),
        *("--precision", "32-true"),
        *("--accelerator", "cpu", "--devices", "2", "--strategy", "ddp"),
    ]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "MEMBER: 2/2" in done.stdout + done.stderr
    kept = torch.load(tmp_path / "run" / "final" / "checkpoints" / "last.ckpt", weights_only=False)
    assert kept["global_step"] == 1, "of 64 images a batch of 32 in either process"
    card = json.loads((tmp_path / "out" / "tuberculosis" / "card.json").read_text())
    assert card["task"] == "tuberculosis"
    assert load_model(TUBERCULOSIS, tmp_path / "out").card.sha256 == card["sha256"]
