"""The command line with two images: analyse, refusals, and a table of pairs."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cxrkit.commands import run
from cxrkit.phantoms import ChestSettings, simulate_chest
from cxrkit.tasks.followup import FOLLOW_UP
from cxrkit.weights import load_model
from tests.dicom_files import make_dicom

Capture = pytest.CaptureFixture[str]
NAME = FOLLOW_UP.name


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pairs")
    for seed in (7, 8):
        chest = simulate_chest(ChestSettings(seed=seed, size=240)).values
        Image.fromarray(np.uint8(np.round(chest * 255))).save(folder / f"{seed}.png")
    Image.fromarray(np.full((240, 240), 90, np.uint8)).save(folder / "blank.png")
    (folder / "pairs.csv").write_text("baseline,followup,change\n7.png,8.png,1\n8.png,8.png,0\n8.png,7.png,change\n")
    return folder


def test_analyse_compares_two_images(files: Path, small_weights: Path, capsys: Capture) -> None:
    pair = [str(files / name) for name in ("7.png", "8.png")]
    assert run(["analyse", NAME, *pair, "--json", "--weights", str(small_weights)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["weights"] == load_model(FOLLOW_UP, small_weights).card.sha256
    assert list(found["scores"]) == ["no change", "change"]
    assert sum(found["scores"].values()) == pytest.approx(1)
    assert {question: set(scores) for question, scores in found["further"].items()} == {
        "baseline": {"normal", "abnormal"},
        "follow-up": {"normal", "abnormal"},
    }, "this card has no figures of the direction"
    assert len(found["matching"]) == 4
    assert all(-1 <= cosine <= 1 for cosine in found["matching"])

    assert run(["analyse", NAME, *pair, "--weights", str(small_weights)]) == 0
    assert "matching by stage" in capsys.readouterr().out


def test_the_same_image_twice_is_named(files: Path, small_weights: Path, capsys: Capture) -> None:
    twice = [str(files / "7.png")] * 2
    assert run(["analyse", NAME, *twice, "--json", "--weights", str(small_weights)]) == 0
    assert "are the same image" in json.loads(capsys.readouterr().out)["warnings"][0]


def test_one_image_alone_is_refused_with_what_is_missing(files: Path, capsys: Capture) -> None:
    assert run(["analyse", NAME, str(files / "7.png")]) == 2
    assert "reads 2 file(s), baseline radiograph and follow-up radiograph; 1 were given" in capsys.readouterr().err


def test_the_image_that_is_no_chest_is_named(files: Path, small_weights: Path, capsys: Capture) -> None:
    pair = [str(files / "7.png"), str(files / "blank.png")]
    assert run(["analyse", NAME, *pair, "--weights", str(small_weights)]) == 2
    assert "Follow-up radiograph: " in capsys.readouterr().err


def test_a_size_that_the_network_cannot_read_is_refused(files: Path, small_weights: Path, capsys: Capture) -> None:
    pair = [str(files / name) for name in ("7.png", "8.png")]
    assert run(["analyse", NAME, *pair, "--size", "128", "--weights", str(small_weights)]) == 2
    assert f"{FOLLOW_UP.input_size} x {FOLLOW_UP.input_size} pixels only" in capsys.readouterr().err


def test_a_table_of_pairs_is_evaluated(files: Path, small_weights: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "predictions.csv"
    command = ["evaluate", NAME, str(files / "pairs.csv"), "--root", str(files), "--out", str(out), "--json"]
    assert run([*command, "--weights", str(small_weights)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["positive"], found["cases"], found["failed"]) == ("change", 3, 0)
    assert "AUC" in found["metrics"]
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["baseline"] for row in rows] == ["7.png", "8.png", "8.png"]
    assert all(0 <= float(row["score_change"]) <= 1 for row in rows)
    assert all(float(row["score_baseline_abnormal"]) > 0 for row in rows)
    assert "are the same image" in rows[1]["warnings"]
    warned = sum(bool(row["warnings"]) for row in rows)
    assert found["warned"] == warned
    assert run([*command[:-1], "--weights", str(small_weights)]) == 0
    assert f"{warned} of 3 cases have warnings: see the column warnings" in capsys.readouterr().out


@pytest.mark.parametrize(("dates", "days"), [(("20200101", "20200131"), 0), (("20200131", "20200101"), 30)])
def test_a_follow_up_from_before_the_baseline_is_named(
    dates: tuple[str, str], days: int, small_weights: Path, tmp_path: Path, capsys: Capture
) -> None:
    pair = [tmp_path / f"{number}.dcm" for number in range(2)]
    for path, seed, date in zip(pair, (7, 8), dates, strict=True):
        chest = np.uint16(np.round(simulate_chest(ChestSettings(seed=seed, size=240)).values * 4095))
        path.write_bytes(make_dicom(chest, StudyDate=date, PixelAspectRatio=[1 + (seed == 8), 1]))
    assert run(["analyse", NAME, *map(str, pair), "--json", "--weights", str(small_weights)]) == 0
    warnings = json.loads(capsys.readouterr().out)["warnings"]
    assert any(f"taken {days} days before the baseline" in text for text in warnings) == bool(days)
    assert [text[:36] for text in warnings if "square" in text] == ["Follow-up: The file's pixels are not"]


def test_a_table_without_pairs_is_refused(files: Path, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "cases.csv").write_text("file,target\n7.png,1\n")
    command = ["evaluate", NAME, str(tmp_path / "cases.csv"), "--root", str(files), "--out", str(tmp_path / "out.csv")]
    assert run(command) == 2
    assert "baseline" in capsys.readouterr().err
