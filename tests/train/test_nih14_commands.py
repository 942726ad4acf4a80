"""The commands hand on what a run's folder holds, and say how many patients leak where images are divided."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from typer.testing import CliRunner

from cxrkit.errors import WeightsError
from tests.train.image_sets import chest, write_set
from train.nih14 import __main__ as commands
from train.nih14.gan import TRUNK, GanSettings
from train.nih14.losses import Reading
from train.nih14.pretrain import VIT


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 drawn chests of four patients."""
    folder = tmp_path_factory.mktemp("sets") / "drawn"
    images = {f"{number:02d}.png": chest(number, 60, 50) for number in range(12)}
    rows = [(name, "Mass" if number % 2 else "No Finding", number % 4) for number, name in enumerate(images)]
    write_set(folder, images, ("file", "findings", "patient_id"), rows)
    return folder


def called(monkeypatch: pytest.MonkeyPatch, name: str) -> list[tuple[Any, ...]]:
    """What a function of the commands was given, in place of being run."""
    given: list[tuple[Any, ...]] = []
    monkeypatch.setattr(commands, name, lambda *args, **named: given.append((*args, named)))
    return given


def run(*arguments: object) -> Any:
    return CliRunner().invoke(commands.app, [str(argument) for argument in arguments], catch_exceptions=False)


def test_an_image_wise_division_prints_the_leak(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = called(monkeypatch, "make_weights")
    result = run("weights", "--data", data, "--run", tmp_path, "--by-image")
    assert result.exit_code == 0
    assert "patients are in training and among those that report" in result.output
    assert given[0][-1] == {"by_image": True}
    assert "patients" not in run("weights", "--data", data, "--run", tmp_path).output
    assert given[1][-1] == {"by_image": False}


def test_fine_tuning_starts_from_those_stages_that_are_there(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = called(monkeypatch, "make_weights")
    run("weights", "--data", data, "--run", tmp_path)
    assert given[0][3].starts() == []
    for file in (tmp_path / "gan" / TRUNK, tmp_path / "pretrain" / VIT):
        file.parent.mkdir()
        file.touch()
    run("weights", "--data", data, "--run", tmp_path)
    assert given[1][3].starts() == [tmp_path / "pretrain" / VIT, tmp_path / "gan" / TRUNK]
    assert given[1][3].gan == tmp_path / "gan"
    run("weights", "--data", data, "--run", tmp_path, "--fusion", "none")
    assert (given[2][3].starts(), given[2][3].gan) == ([tmp_path / "pretrain" / VIT], None)


def test_the_gans_command_hands_on_its_settings(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = called(monkeypatch, "train_gan")
    options = ("--size", 128, "--iterations", 7, "--batch", 5, "--regime", "wgan-gp", "--reading", "softmax")
    run("gan", "--data", data, "--run", tmp_path, *options)
    pool, settings, folder = given[0][:3]
    assert len(pool) == pool.sets["drawn"] > 0
    assert settings == GanSettings(size=128, iterations=7, batch=5, regime=settings.regime, reading=Reading.SOFTMAX)
    assert (settings.regime, folder) == ("wgan-gp", tmp_path / "gan")


def test_the_study_starts_from_the_self_supervision_that_is_there(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = called(monkeypatch, "four_models")
    checked = called(monkeypatch, "network_of")
    monkeypatch.setattr(commands.FindingsStudy, "conduct", lambda *_: None)
    monkeypatch.setattr(commands, "_TAUGHT_RUN", tmp_path / "pretrain")
    common = ("study", "--data", data, "--run", tmp_path, "--budget", "small")
    run(*common)
    (tmp_path / "pretrain").mkdir()
    (tmp_path / "pretrain" / VIT).touch()
    run(*common)
    assert [scale.settings.vit for scale, _ in given] == [None, None], "its trunk is not there yet"
    assert not checked
    (tmp_path / "pretrain" / TRUNK).touch()
    run(*common)
    run(*common, "--taught", tmp_path / "other")
    assert [scale.settings.vit for scale, _ in given[2:]] == [tmp_path / name / VIT for name in ("pretrain", "other")]
    assert [settings for settings, _ in checked] == [scale.settings for scale, _ in given[2:]]


def test_self_supervision_of_another_encoder_is_refused_before_any_training(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called(monkeypatch, "four_models")
    for name in (VIT, TRUNK):
        save_file({"vit.cls_token": torch.zeros(1, 1, 5)}, tmp_path / name)
    with pytest.raises(WeightsError, match="No tensor"):
        run("study", "--data", data, "--run", tmp_path, "--budget", "small", "--taught", tmp_path)


def test_the_study_hands_on_how_outputs_are_read_and_where_encoders_start(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = called(monkeypatch, "four_models")
    monkeypatch.setattr(commands.FindingsStudy, "conduct", lambda *_: None)
    common = ("study", "--data", data, "--run", tmp_path, "--budget", "small")
    run(*common)
    run(*common, "--reading", "softmax", "--pretrained")
    plain, other = (scale.settings for scale, _ in given)
    assert (plain.reading, plain.pretrained) == (Reading.SIGMOID, False)
    assert (other.reading, other.pretrained) == (Reading.SOFTMAX, True)
