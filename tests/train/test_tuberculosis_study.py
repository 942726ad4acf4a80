"""The study of tuberculosis: it goes on, its table goes to the card, and its figures are those of the scores."""

from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from typer.testing import CliRunner

from cxrkit.card import read_card, write_card
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from tests.models_for_tests import small_card
from tests.train.screening_set import HOW, SETTINGS, drawn
from train.studies import Budget, Study
from train.tuberculosis import laboratory
from train.tuberculosis.__main__ import app
from train.tuberculosis.images import Images, load_images
from train.tuberculosis.laboratory import Laboratory
from train.tuberculosis.study import INVERTED, PREPROCESSINGS, TITLE, Cell, published, scale_of

__all__ = ["drawn"]

STUDIED = replace(SETTINGS, encoder="resnet10t", size=64, early_epochs=0, epochs=1, images_per_epoch=32)


@pytest.fixture(scope="module")
def images(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Images:
    return load_images(drawn, (), STUDIED, tmp_path_factory.mktemp("cache"))


def test_a_study_goes_on_and_its_table_goes_to_the_card(
    images: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tuberculosis").mkdir()
    card = small_card(TUBERCULOSIS)
    write_card(card, tmp_path / "tuberculosis" / "card.json")
    conducted = Laboratory(images, tmp_path / "run", HOW, tmp_path)
    cells = (Cell(replace(STUDIED, augmentation=())), Cell(replace(STUDIED, augmentation=("erase",))))
    study = Study(TITLE, cells[0].name, cells)
    rows = conducted.conduct(study, Budget.SMALL, 1, card=True)
    (title,) = read_card(tmp_path / "tuberculosis" / "card.json").tables
    assert title == f"{TITLE} (small budget; trained on radiography_normal + rahman_tb alone)"
    assert [(row["network"], row["preprocessing"]) for row in rows] == [("resnet10t", "none"), ("resnet10t", "erase")]
    assert all(" to " in row[name] for row in rows for name in ("accuracy", "AUC", "AUC, other families"))
    assert rows[0]["accuracy of calling all normal"] == "0.500"
    assert [rows[0][name] for name in ("channels", "batch", "learning rate", "repeats")] == [8, 8, 1e-3, 1]
    assert rows[0]["difference of accuracy (paired bootstrap)"] == "reference"
    assert " to " in rows[1]["difference of accuracy (paired bootstrap)"]
    monkeypatch.setattr(laboratory, "train_model", Mock(side_effect=AssertionError("trained again")))
    again = Laboratory(images, tmp_path / "run", HOW, tmp_path)
    assert again.conduct(study, Budget.SMALL, 1, card=False) == rows


def test_figures_of_repeats_are_means_and_auc_is_of_the_mean_score(images: Images, tmp_path: Path) -> None:
    conducted = Laboratory(images, tmp_path, HOW)
    conducted.others = np.array([], dtype=np.int64)
    target = images.targets[conducted.aside].astype(float)
    perfect, nothing = {"aside": target.tolist(), "others": []}, {"aside": (0 * target).tolist(), "others": []}
    figures = conducted._figures([perfect, nothing])
    assert figures["accuracy"].startswith("0.750")
    assert figures["AUC"].startswith("1.000")
    assert figures["macro precision"] == "undefined", "a network that calls nothing has no precision"
    assert "AUC, other families" not in figures


def test_the_command_conducts_the_study_that_was_asked_for(
    images: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conduct = Mock(return_value=[])
    monkeypatch.setattr(Laboratory, "conduct", conduct)
    monkeypatch.setattr("train.tuberculosis.__main__.load_images", lambda *_: images)
    command = ["study", "--data", str(tmp_path), "--run", str(tmp_path), "--budget", "small", "--invert"]
    options = ["--pretrained", "--repeats", "2", "--without", "efficientnet_b0, none"]
    done = CliRunner().invoke(app, [*command, *options])
    assert done.exit_code == 0, done.output
    (study, budget, repeats), others = conduct.call_args
    assert (budget, repeats, others) == (Budget.SMALL, 2, {"card": False})
    assert len(study.cells) == 2 * (len(PREPROCESSINGS) + len(INVERTED)) - 1
    assert study.missing == ("efficientnet_b0, none",)
    assert all(cell.settings.pretrained for cell in study.cells)


def test_the_full_study_has_the_sources_settings() -> None:
    scale = scale_of(Budget.FULL, images=3920)
    full = scale.settings
    assert (full.size, full.epochs, full.batch, full.channels) == (512, 10, 32, 256)
    assert (full.learning_rate, full.weight_decay, full.images_per_epoch) == (1e-3, 0.05, 3920)
    assert (full.negatives, full.lesions) == (0.5, 0)
    assert len(published(scale).cells) == 2 * len(PREPROCESSINGS) == 8
    small, medium = (scale_of(budget, images=3920).settings for budget in (Budget.SMALL, Budget.MEDIUM))
    assert small.size < medium.size < 512
