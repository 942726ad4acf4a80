import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cxrkit.commands import run
from cxrkit.evaluate import analyse
from cxrkit.image_file import load_image
from cxrkit.phantoms import ChestSettings, simulate_chest
from cxrkit.predictions import prediction_columns
from cxrkit.task import ModelInput
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from cxrkit.weights import load_model

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    chest = np.uint8(np.round(simulate_chest(ChestSettings(seed=7, size=240)).values * 255))
    for index in range(4):
        Image.fromarray(np.roll(chest, 4 * index, axis=1)).save(folder / f"{index}.png")
    Image.fromarray(np.full((240, 240), 90, np.uint8)).save(folder / "blank.png")
    pages = [Image.fromarray(chest), Image.fromarray(chest[:, ::-1].copy())]
    pages[0].save(folder / "two.tif", save_all=True, append_images=pages[1:])
    (folder / "text.png").write_text("no image")
    (folder / "cases.csv").write_text(
        "file,target,site\n0.png,0,a\n1.png,0,b\n2.png,tuberculosis,c\n3.png,1,d\ntext.png,1,e\n../0.png,1,f\n0.png,?,g\n"
    )
    return folder


def strict(text: str) -> dict[str, Any]:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    parsed: dict[str, Any] = json.loads(text, parse_constant=refuse)
    return parsed


def test_analyse_answers_in_json(files: Path, small_weights: Path, capsys: Capture) -> None:
    assert run(["analyse", "tuberculosis", str(files / "0.png"), "--json", "--weights", str(small_weights)]) == 0
    captured = capsys.readouterr()
    found = strict(captured.out)
    loaded = load_model(TUBERCULOSIS, small_weights)
    expected = analyse(loaded, [load_image(files / "0.png")])
    assert list(found) == ["task", "weights", "scores", "threshold", "label", "warnings", "seconds"]
    assert found["task"] == "tuberculosis"
    assert found["weights"] == loaded.card.sha256
    assert found["scores"] == pytest.approx(dict(expected.scores), abs=1e-6)
    assert (found["threshold"], found["label"]) == (0.5, expected.label)
    assert found["warnings"] == list(expected.warnings)
    assert found["seconds"] > 0
    assert captured.err == ""


def test_another_kind_of_image_is_stopped_unless_forced(files: Path, small_weights: Path, capsys: Capture) -> None:
    command = ["analyse", "tuberculosis", str(files / "blank.png"), "--json", "--weights", str(small_weights)]
    assert run(command) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert "blank" in captured.err
    assert "--force" in captured.err
    assert run([*command, "--force"]) == 0
    found = strict(capsys.readouterr().out)
    assert "blank" in found["warnings"][0]
    assert sum(found["scores"].values()) == pytest.approx(1)


def test_analyse_passes_every_option_on(files: Path, small_weights: Path, capsys: Capture) -> None:
    options = (
        "--crop 10,20,150,200 --brightness 0.1 --contrast 1.5 --sharpness 0.5 --size 96 --threshold 0.01 --frame 2"
    )
    command = ["analyse", "tuberculosis", str(files / "two.tif"), *options.split(), "--json"]
    assert run([*command, "--weights", str(small_weights)]) == 0
    found = strict(capsys.readouterr().out)
    edits = ModelInput(crop=(10, 20, 150, 200), brightness=0.1, contrast=1.5, sharpness=0.5, size=96)
    expected = analyse(load_model(TUBERCULOSIS, small_weights), [load_image(files / "two.tif", 2)], edits, 0.01)
    assert found["scores"] == pytest.approx(dict(expected.scores), abs=1e-6)
    assert (found["threshold"], found["label"]) == (0.01, "tuberculosis")


def test_analyse_prints_lines_for_people(files: Path, small_weights: Path, capsys: Capture) -> None:
    assert run(["analyse", "tuberculosis", str(files / "0.png"), "--weights", str(small_weights)]) == 0
    lines = dict(line.rsplit(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert {"task", "score normal", "score tuberculosis", "threshold", "label", "seconds"} <= lines.keys()


def test_evaluate_needs_no_more_than_the_table(files: Path, small_weights: Path, capsys: Capture) -> None:
    table, beside = files / "cases.csv", files / "cases.predictions.csv"
    assert run(["evaluate", "tuberculosis", str(table), "--json", "--weights", str(small_weights)]) == 0
    assert strict(capsys.readouterr().out)["cases"] == 7
    with beside.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    beside.unlink()
    assert {row["weights"] for row in rows} == {load_model(TUBERCULOSIS, small_weights).card.sha256}


def test_evaluate_writes_predictions_and_figures(
    files: Path, small_weights: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "predictions.csv"
    command = ["evaluate", "tuberculosis", str(files / "cases.csv"), "--root", str(files), "--out", str(out)]
    assert run([*command, "--json", "--weights", str(small_weights)]) == 0
    captured = capsys.readouterr()
    found = strict(captured.out)
    assert captured.err == ""
    assert (found["task"], found["cases"], found["failed"], found["threshold"]) == ("tuberculosis", 7, 3, 0.5)
    assert {"AUC", "sensitivity", "specificity", "accuracy", "macro F1", "ECE", "Brier score"} <= found[
        "metrics"
    ].keys()
    for figure in found["metrics"].values():
        assert (figure["value"] is None) == ("reason" in figure)
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["file", "target", "site", *prediction_columns(TUBERCULOSIS)]
    assert [row["site"] for row in rows] == list("abcdefg")
    assert [bool(row["score_tuberculosis"]) for row in rows] == [True] * 4 + [False, False, True]
    assert [bool(row["error"]) for row in rows] == [False] * 4 + [True] * 3
    alone = analyse(load_model(TUBERCULOSIS, small_weights), [load_image(files / "2.png")])
    assert float(rows[2]["score_tuberculosis"]) == pytest.approx(alone.scores["tuberculosis"], abs=1e-6)

    assert run([*command, "--weights", str(small_weights)]) == 0
    table = capsys.readouterr().out
    assert "4 of 7 cases measured" in table
    assert "95 % interval" in table


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("", "Missing command"),
        ("nothing", "No such command"),
        ("analyse", "Missing argument"),
        ("analyse nothing FILES/0.png", "no task"),
        ("analyse tuberculosis", "Missing argument"),
        ("analyse tuberculosis FILES/0.png --bogus", "No such option"),
        ("analyse tuberculosis FILES/missing.png", "no such file"),
        ("analyse tuberculosis FILES", "--out"),
        ("analyse tuberculosis FILES/cases.csv", "--out"),
        ("analyse tuberculosis FILES/0.png --workers 2", "--out"),
        ("analyse tuberculosis FILES/0.png --restart", "--out"),
        ("analyse tuberculosis FILES/missing --out OUT", "no such file or folder"),
        ("analyse tuberculosis FILES --out OUT --threshold 0.5", "--threshold"),
        ("analyse tuberculosis FILES --out FILES", "--out"),
        ("analyse tuberculosis FILES --out FILES/0.png", "replace an image"),
        ("analyse tuberculosis FILES/0.png --out FILES/0.png", "replace"),
        ("analyse tuberculosis FILES/cases.csv FILES --root FILES --out OUT", "at a time"),
        ("analyse tuberculosis FILES/cases.csv --root FILES/none --out OUT", "root folder"),
        ("analyse tuberculosis FILES --out OUT --workers 0", "1 or more"),
        ("analyse tuberculosis FILES --out OUT --workers 2 --weights FILES", "python -m train.tuberculosis"),
        ("analyse followup FILES --out OUT", "baseline and followup"),
        ("analyse tuberculosis FILES/0.png FILES/1.png", "1 file"),
        ("analyse tuberculosis FILES/0.png --threshold 1.5", "threshold"),
        ("analyse tuberculosis FILES/0.png --threshold nan", "threshold"),
        ("analyse tuberculosis FILES/0.png --threshold half", "threshold"),
        ("analyse tuberculosis FILES/0.png --crop 1,2,3", "four whole numbers"),
        ("analyse tuberculosis FILES/0.png --crop 0,0,900,900 --weights WEIGHTS", "crop box"),
        ("analyse tuberculosis FILES/0.png --size 100", "multiple of 32"),
        ("analyse tuberculosis FILES/0.png --brightness nan", "brightness"),
        ("analyse tuberculosis FILES/0.png --weights FILES", "python -m train.tuberculosis"),
        ("analyse tuberculosis FILES/text.png --weights WEIGHTS", ""),
        ("analyse tuberculosis FILES/two.tif --weights WEIGHTS", "2 frames"),
        ("analyse tuberculosis FILES/two.tif --frame 3 --weights WEIGHTS", "frame"),
        ("evaluate tuberculosis FILES/missing.csv --root FILES --out OUT", "table of cases"),
        ("evaluate tuberculosis .", "table of cases"),
        ("evaluate tuberculosis FILES", "table of cases"),
        ("evaluate tuberculosis FILES/0.png --root FILES --out OUT", "table of cases"),
        ("evaluate tuberculosis FILES/cases.csv --root FILES/none --out OUT --weights WEIGHTS", "root folder"),
        ("evaluate tuberculosis FILES/cases.csv --root FILES --out OUT --workers 0", "1 or more"),
        ("evaluate tuberculosis FILES/cases.csv --root FILES --out FILES", "--out"),
        ("evaluate tuberculosis FILES/cases.csv --root FILES --out FILES/none/x.csv", "--out"),
        ("evaluate tuberculosis FILES/cases.csv --root FILES --out FILES/cases.csv", "replace the table"),
    ],
)
def test_what_the_user_got_wrong_is_one_line(
    command: str, words: str, files: Path, small_weights: Path, tmp_path: Path, capsys: Capture
) -> None:
    before = (files / "cases.csv").read_bytes()
    places = {"FILES": str(files), "WEIGHTS": str(small_weights), "OUT": str(tmp_path / "out.csv")}
    arguments = []
    for argument in command.split():
        for place, path in places.items():
            argument = argument.replace(place, path)  # noqa: PLW2901
        arguments.append(argument)
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("Error: ")
    assert words in captured.err
    assert not list(tmp_path.iterdir())
    assert (files / "cases.csv").read_bytes() == before


def test_a_table_with_our_columns_is_refused_before_the_run(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "cases.csv").write_text("file,target,error\n0.png,1,none\n")
    command = ["evaluate", "tuberculosis", str(tmp_path / "cases.csv"), "--root", str(tmp_path)]
    assert run([*command, "--out", str(tmp_path / "out.csv")]) == 2
    assert "error" in capsys.readouterr().err


def test_the_process_exits_as_it_should(tmp_path: Path) -> None:
    def status(*arguments: str) -> tuple[int, str, str]:
        done = subprocess.run([sys.executable, "-m", "cxrkit", *arguments], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    code, out, err = status("analyse", "tuberculosis", str(tmp_path / "missing.png"))
    assert (code, out, err.count("\n"), "Traceback" in err) == (2, "", 1, False)
    code, out, err = status("--help")
    assert (code, err) == (0, "")
    assert "analyse" in out
    assert "evaluate" in out
