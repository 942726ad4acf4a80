"""`analyse bone_age` and `evaluate bone_age`, with a small random network."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cxrkit.commands import run
from cxrkit.evaluate import analyse
from cxrkit.image_file import load_image
from cxrkit.phantoms import HandSettings, simulate_hand
from cxrkit.predictions import prediction_columns
from cxrkit.task import ModelInput
from cxrkit.tasks.bone_age import BONE_AGE
from cxrkit.weights import load_model

CROP = "10,20,210,220"
Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hands")
    for index, age in enumerate((60, 150)):
        shown = simulate_hand(HandSettings(seed=index, age_months=age, sex="female", size=300))
        Image.fromarray(np.uint8(np.round(shown.values * 255))).save(folder / f"{index}.png")
    (folder / "text.png").write_text("no image")
    (folder / "cases.csv").write_text(
        "file,age_months,sex,ward\n0.png,60,F,a\n1.png,150,M,b\n1.png,147.5,,c\ntext.png,60,F,d\n0.png,-3,F,e\n"
        "0.png,sixty,F,f\n0.png,60,X,g\n"
    )
    return folder


def test_analyse_answers_in_json(files: Path, small_weights: Path, capsys: Capture) -> None:
    options = [
        "--sex",
        "F",
        "--age-months",
        "120",
        "--turn",
        "1",
        "--swap",
        "--size",
        "224",
        "--crop",
        "10,20,210,220",
        "--json",
    ]
    command = ["analyse", "bone_age", str(files / "0.png"), *options, "--weights", str(small_weights)]
    assert run(command) == 0
    found = json.loads(capsys.readouterr().out)
    edits = ModelInput(crop=(10, 20, 210, 220), size=224, turn=1, swap=True)
    expected = analyse(
        load_model(BONE_AGE, small_weights),
        [load_image(files / "0.png")],
        edits,
        context={"sex": "F", "age_months": 120},
    )
    assert expected.age is not None
    assert found["threshold"] is None
    assert found["label"] == expected.label
    assert found["scores"] == pytest.approx(dict(expected.scores), abs=1e-6)
    assert found["further"]["sex"]["F"] == pytest.approx(expected.further["sex"]["F"], abs=1e-6)
    age = found["age"]
    assert age["expected_months"] == pytest.approx(expected.age.expected, abs=1e-3)
    assert age["interval_months"] == pytest.approx(expected.age.interval, abs=1e-3)
    assert (age["sex"], age["chronological_months"]) == ("F", 120)
    assert age["sd_score"]["table_age"] == 120
    assert found["warnings"] == list(expected.warnings)


def test_analyse_prints_lines_for_people(files: Path, small_weights: Path, capsys: Capture) -> None:
    command = ["analyse", "bone_age", str(files / "0.png"), "--age-months", "120", "--weights", str(small_weights)]
    assert run(command) == 0
    text = capsys.readouterr().out
    assert "score 0 months" not in text
    assert "\ninterval " in text
    assert "There is no SD score" in text
    assert "not stated" in text
    assert run([*command, "--sex", "female"]) == 0
    assert "Brush Foundation" in capsys.readouterr().out


def test_evaluate_writes_ages_and_figures(files: Path, small_weights: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "predictions.csv"
    command = ["evaluate", "bone_age", str(files / "cases.csv"), "--root", str(files), "--out", str(out)]
    assert run([*command, "--json", "--weights", str(small_weights)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["cases"], found["failed"], found["positive"], found["threshold"]) == (7, 4, None, None)
    assert {"MAD by expectation, months", "MAD by arg-max, months", "coverage of the 90% interval"} <= found[
        "metrics"
    ].keys()
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["file", "age_months", "sex", "ward", *prediction_columns(BONE_AGE)]
    assert [bool(row["predicted_age_months"]) for row in rows] == [True, True, True, False, True, True, False]
    assert [bool(row["error"]) for row in rows] == [False, False, False, True, True, True, True]
    assert "0 to 1440" in rows[4]["error"]
    assert "F or M" in rows[6]["error"]
    alone = analyse(load_model(BONE_AGE, small_weights), [load_image(files / "1.png")], context={"sex": "M"})
    assert alone.age is not None
    assert float(rows[1]["predicted_age_months"]) == pytest.approx(alone.age.expected, abs=1e-3)
    assert alone.age.interval is not None
    assert float(rows[1]["interval_low"]) == pytest.approx(alone.age.interval[0], abs=1e-3)
    assert float(rows[1]["interval_high"]) == pytest.approx(alone.age.interval[1], abs=1e-3)
    mad = np.mean([abs(float(row["predicted_age_months"]) - float(row["age_months"])) for row in rows[:3]])
    assert found["metrics"]["MAD by expectation, months"]["value"] == pytest.approx(mad, abs=1e-6)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--age-months -1", "not possible"),
        ("--age-months nan", "not possible"),
        ("--age-months ten", "--age-months"),
        ("--sex X", "F or M"),
        ("--turn 4", "0, 1, 2 or 3"),
        ("--threshold 0.5", "no threshold"),
        ("--size 160", "192 pixels"),
    ],
)
def test_what_the_user_got_wrong_is_one_line(
    options: str, words: str, files: Path, small_weights: Path, capsys: Capture
) -> None:
    command = ["analyse", "bone_age", str(files / "0.png"), "--weights", str(small_weights), *options.split()]
    assert run(command) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert words in captured.err


@pytest.mark.parametrize(
    ("options", "words"),
    [("--sex F", "--sex"), ("--age-months 3", "--age-months"), ("--turn 1", "Only a hand")],
)
def test_other_tasks_take_none_of_it(
    options: str, words: str, files: Path, small_weights: Path, capsys: Capture
) -> None:
    command = ["analyse", "tuberculosis", str(files / "0.png"), "--force", "--weights", str(small_weights)]
    assert run([*command, *options.split()]) == 2
    assert words in capsys.readouterr().err
