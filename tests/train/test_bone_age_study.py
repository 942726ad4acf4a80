"""Studies of bone age: their cells, going on after a kill, paired differences, figures, and the commands."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from cxrkit.card import WEIGHTS, read_card
from cxrkit.errors import InputError
from cxrkit.models.tjnet import TjNet
from tests.train.hand_sets import SIZE, TASK, small_material
from train.bone_age import __main__ as command_line
from train.bone_age import laboratory as laboratory_module
from train.bone_age import study_commands
from train.bone_age.__main__ import app, read_shares
from train.bone_age.figures import block_map, error_by_age, sex_weights
from train.bone_age.fit import Settings
from train.bone_age.images import Material
from train.bone_age.laboratory import Errors, Laboratory, figures
from train.bone_age.losses import LossSettings
from train.bone_age.networks import NetworkSettings, build
from train.bone_age.study import (
    BLOCKS,
    NETWORKS,
    WHOLE,
    WITHOUT_SEX,
    Cell,
    Scale,
    ablation,
    comparison,
    scale_of,
    transfer,
)
from train.studies import REFERENCE, Budget, Study
from train.trainer import FitSettings

CPU = FitSettings(accelerator="cpu", precision="32-true")
TINY = Settings(
    loss=LossSettings(),
    stages=((SIZE, 1, 8),),
    early_epochs=0,
    large=(0.1,),
    strength=None,
    batch=2,
    workers=0,
    norm_images=0,
    ema_decay=0,
)
SCALE = Scale(TINY, repeats=1)
MAD = "MAD by expectation, months"


def test_full_studies_have_the_sources_settings() -> None:
    full = scale_of(Budget.FULL, 9000)
    settings = full.settings
    assert settings.loss == LossSettings(sex=1.0, spread=0.0, expectation=0.0, balanced=False)
    assert (settings.batch, settings.learning_rate, settings.weight_decay, settings.ema_decay) == (16, 1e-3, 0, 0)
    assert settings.strength is None
    assert settings.stages == ((512, 50, 9000),)
    small = scale_of(Budget.SMALL, 9000).settings
    assert small.stages[0][0] == 192
    assert replace(small, stages=settings.stages) == settings
    medium = scale_of(Budget.MEDIUM, 9000).settings
    assert (medium.loss, medium.strength, medium.ema_decay) == (settings.loss, None, 0), "what is ours stays out"
    assert small.stages[0][1] * small.stages[0][2] < medium.stages[0][1] * medium.stages[0][2] < 50 * 9000


def test_cells_of_the_studies() -> None:
    parts = {cell.name: cell.settings for cell in ablation(SCALE).cells}
    assert parts[WHOLE].network == NetworkSettings()
    assert [name for name in parts if name != WHOLE] == ["without shortcuts", "without CBAM", WITHOUT_SEX]
    assert (parts[WITHOUT_SEX].loss.sex, parts[WITHOUT_SEX].network.sex_head) == (0, False)
    others = comparison(SCALE)
    assert [cell.name for cell in others.cells] == [WHOLE, "VGG-16", "ResNet-50", "Inception-v4", "ResNet-18"]
    started = {cell.name: cell.settings.network.pretrained for cell in comparison(SCALE, pretrained=True).cells}
    assert started == {WHOLE: False} | {f"{name}, from ImageNet": True for name in NETWORKS}
    moved = transfer(SCALE).cells
    assert [cell.settings.network.frozen for cell in moved[2:]] == list(range(BLOCKS + 1))
    assert {cell.source for cell in moved[2:]} == {moved[1].settings}
    assert moved[1].settings.large == (0.0,)
    assert all(cell.settings.large == (1.0,) for cell in moved if cell is not moved[1])


@pytest.mark.parametrize("name", NETWORKS.values())
def test_compared_networks_have_the_same_head(name: str) -> None:
    model = build(NetworkSettings(name)).eval()
    with torch.no_grad():
        image, sex = torch.zeros(1, 1, SIZE, SIZE), torch.tensor([1])
        logits = model(image, sex)
        maps = model.features(image)  # type: ignore[operator]
        torch.testing.assert_close(model.answer(model.embed(maps), sex), logits)  # type: ignore[operator]
    assert logits.shape == (1, 79)
    assert model.enter_sex.weight.shape == (64, 2)  # type: ignore[union-attr]


def test_figures_of_a_cell_against_numpy() -> None:
    random = np.random.default_rng(0)
    own = Errors(random.gamma(2, 5, (2, 80)), random.gamma(2, 6, (2, 80)), (0.75, 0.85))
    other = Errors(own.expectation - 2, own.likeliest, ())
    found = figures(own, other)
    assert found[MAD].startswith(f"{own.expectation.mean():.2f} (")
    assert found["MAD of each repeat"] == ", ".join(f"{one:.2f}" for one in own.expectation.mean(axis=1))
    assert found["MAD by arg-max, months"].startswith(f"{own.likeliest.mean():.2f} (")
    assert found["difference of MAD (paired bootstrap)"] == "2.00 (2.00 to 2.00)"
    assert found["sex read right"] == "0.800"
    alone = figures(other, None)
    assert (alone["difference of MAD (paired bootstrap)"], alone["sex read right"]) == (REFERENCE, "not read")


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    return small_material(tmp_path_factory.mktemp("bone_age"), 6, 3, 1, 5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the studies of this module, which share cells."""
    return tmp_path_factory.mktemp("study")


@pytest.mark.filterwarnings("ignore:Found .* module:UserWarning")  # frozen blocks are meant to be in eval mode
def test_a_study_goes_on_and_shares_its_cells(
    material: Material, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[Path] = []
    real = laboratory_module.train_network

    def counted(material: Material, settings: Settings, how: FitSettings, run: Path) -> object:
        trained.append(run)
        if len(trained) == 2:
            raise RuntimeError("killed")
        return real(material, settings, how, run)

    monkeypatch.setattr(laboratory_module, "train_network", counted)
    cells = transfer(SCALE).cells
    whole = ablation(SCALE).cells[0]  # is in the figures too, which then do not train it again
    study = Study("Tiny transfer", WHOLE, (whole, cells[4]))
    laboratory = Laboratory(material, folder, CPU, tmp_path)
    with pytest.raises(RuntimeError, match="killed"):
        laboratory.conduct(study, Budget.SMALL, 1, card=False)
    rows = laboratory.conduct(study, Budget.SMALL, 1, card=False)
    assert len(trained) == 4, "one cell, the killed source, the source again, and the cell with frozen blocks"
    assert trained[1] == trained[2]
    assert [row["network"] for row in rows] == [study.reference, "blocks 1 to 2 frozen"]
    assert rows[0][f"larger images: {MAD}"].count(" to ") == 1
    assert (rows[0]["size"], rows[0]["epochs"], rows[0]["images per epoch"]) == (SIZE, 1, 8)
    assert json.loads((folder / "tiny_transfer_small.json").read_text()) == rows
    assert not list((folder / "cells").glob("*/stage_*/checkpoints"))
    first, *others = material.parts.reporting
    corrected = replace(material, parts=replace(material.parts, reporting=(replace(first, months=7.0), *others)))
    settings = cells[4].settings
    assert Laboratory(corrected, folder, CPU, tmp_path).folder(settings) != laboratory.folder(settings)

    (tmp_path / "bone_age").mkdir()
    shutil.copy(WEIGHTS / "tuberculosis" / "card.json", tmp_path / "bone_age" / "card.json")
    source = Study("Another", "source", (Cell("source", cells[1].settings),))
    shared = laboratory.conduct(source, Budget.SMALL, 1, card=True)
    assert len(trained) == 4, "a cell that another study has is not trained again"
    assert read_card(tmp_path / "bone_age" / "card.json").tables["Another (small budget)"] == shared


def test_figures_are_drawn_from_the_ablation(material: Material, folder: Path) -> None:
    study_commands.draw_figures(Laboratory(material, folder, CPU), SCALE, folder / "figures")
    names = {path.name for path in (folder / "figures").iterdir()}
    assert {"maps_simulated_hands.png", "maps_of_the_data_set.png", "weights_of_the_given_sex.html"} <= names
    assert {"error_by_age_small_images.csv", "error_by_age_larger_images.html", "plotly.min.js"} <= names
    maps = cv2.imread(str(folder / "figures" / "maps_simulated_hands.png"))
    assert maps is not None
    assert maps.shape == (24 + 6 * SIZE, 3 * SIZE, 3)


class Bright(nn.Module):
    """The brighter the image the older; the second map, its negative, tells nothing."""

    def features(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, -x], dim=1)

    def embed(self, maps: torch.Tensor) -> torch.Tensor:
        return maps.mean(dim=(2, 3))

    def answer(self, embedded: torch.Tensor, sex: torch.Tensor) -> torch.Tensor:
        return embedded[:, :1] * torch.arange(77) / 10 * (1 - 2 * sex[:, None])


def test_a_map_shows_what_raises_the_age() -> None:
    view = np.random.default_rng(0).random((40, 40)).astype(np.float32)
    normalised = (view - TASK.mean) / TASK.std
    np.testing.assert_allclose(
        block_map(Bright(), view, 0, TASK), np.maximum(normalised, 0) / normalised.max(), atol=1e-5
    )
    darker = block_map(Bright(), view, 1, TASK)
    np.testing.assert_allclose(darker, np.maximum(-normalised, 0) / -normalised.min(), atol=1e-5)
    assert not block_map(Bright(), np.zeros_like(view), 0, TASK).any()


def test_error_by_age_and_the_weights_of_the_sex(tmp_path: Path) -> None:
    months, errors = np.array([10.0, 20, 100, 200, 210]), np.array([1.0, 3, 5, 7, 9])
    error_by_age({"one": (months, errors)}, tmp_path / "age")
    with (tmp_path / "age.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["age group"], row["images"], float(row["MAD"])) for row in rows] == [
        ("under 4 years", "2", 2),
        ("8 to under 12 years", "1", 5),
        ("15 years and over", "2", 8),
    ]
    model = TjNet()
    sex_weights(model, tmp_path / "sex")
    with (tmp_path / "sex.csv").open(newline="") as stream:
        written = np.array([[float(row["girl"]), float(row["boy"])] for row in csv.DictReader(stream)])
    weight = model.enter_sex.weight.detach().numpy()
    order = np.argsort(weight[:, 1].astype(float) - weight[:, 0])
    np.testing.assert_allclose(written, weight[order], rtol=1e-6)
    assert "plotly" in (tmp_path / "sex.html").read_text()


def test_shares_are_read_from_text() -> None:
    assert read_shares("0.1,0.5") == (0.1, 0.5)
    for wrong in ("", "a", "2", "-1,0"):
        with pytest.raises(InputError, match="from 0 to 1"):
            read_shares(wrong)


def test_the_weights_command_passes_everything_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr(command_line, "make_weights", lambda *given: told.extend(given))
    monkeypatch.setattr(command_line, "measure_again", lambda *given: told.extend(given))
    given = ["--data", str(tmp_path), "--run", str(tmp_path / "run"), "--out", str(tmp_path)]
    options = [
        "--stages",
        "192:2:100,256:1:50",
        "--early-epochs",
        "1",
        "--large",
        "0.2,1",
        "--sex-loss",
        "0.5",
        "--spread",
        "4",
        "--balanced",
    ]
    done = CliRunner().invoke(app, ["weights", *given, *options, "--precision", "32-true", "--seed", "3"])
    assert done.exit_code == 0, done.output
    data, run, cache, settings, how, out = told
    assert (data, run, cache, out) == (tmp_path, tmp_path / "run", tmp_path / "run" / "cache", tmp_path)
    expected = Settings(
        loss=LossSettings(0.5, 4.0, Settings().loss.expectation, True),
        stages=((192, 2, 100), (256, 1, 50)),
        early_epochs=1,
        large=(0.2, 1.0),
        seed=3,
    )
    assert settings == expected
    assert isinstance(how, FitSettings)
    assert how.precision == "32-true"
    told.clear()
    done = CliRunner().invoke(app, ["measure", *given])
    assert done.exit_code == 0, done.output
    assert told == [tmp_path, tmp_path / "run" / "cache", tmp_path]


@pytest.mark.parametrize(
    ("command", "title"),
    [
        ("ablation", "Parts of TJ-Net"),
        ("compare", "TJ-Net and other networks"),
        ("transfer", "Transfer to larger images"),
    ],
)
def test_commands_conduct_their_study(
    command: str, title: str, material: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []

    class Recorded:
        def __init__(self, material: Material, run: Path, how: FitSettings) -> None:
            told.extend([material, run, how.precision])

        def conduct(self, study: Study[Cell], budget: Budget, repeats: int, *, card: bool) -> list[dict[str, str]]:
            told.extend([study.title, budget, repeats, card])
            return [{"network": study.reference}]

    monkeypatch.setattr(study_commands, "Laboratory", Recorded)
    monkeypatch.setattr(study_commands, "read_material", lambda *given, **how: material)
    given = [command, "--data", str(tmp_path), "--run", str(tmp_path), "--budget", "small", "--repeats", "2", "--card"]
    done = CliRunner().invoke(app, [*given, "--precision", "32-true"])
    assert done.exit_code == 0, done.output
    assert told == [material, tmp_path, "32-true", title, Budget.SMALL, 2, True]
    assert done.output.startswith("network: ")
