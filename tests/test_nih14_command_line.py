"""`analyse nih14` and `evaluate nih14`, with a small random network."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from cxrkit import tasks
from cxrkit.card import write_card
from cxrkit.commands import run
from cxrkit.evaluate import analyse
from cxrkit.image_file import load_image
from cxrkit.phantoms import ChestSettings, Lesion, simulate_chest
from cxrkit.predictions import prediction_columns
from cxrkit.tasks.nih14 import LABELS, NIH14
from cxrkit.weights import load_model, save_weights
from tests.models_for_tests import small_card, small_model

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Small untrained weights; the commands know the task."""
    root = tmp_path_factory.mktemp("weights")
    digest = save_weights(small_model(NIH14), root / NIH14.name)
    write_card(small_card(NIH14, digest), root / NIH14.name / "card.json")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasks, "TASKS", (*(task for task in tasks.TASKS if task.name != NIH14.name), NIH14))
        yield root


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chests")
    for index in range(6):
        lesions = (Lesion("effusion", "left", "lower"),) if index % 2 else ()
        shown = simulate_chest(ChestSettings(seed=index, size=240, lesions=lesions))
        Image.fromarray(np.uint8(np.round(shown.values * 255))).save(folder / f"{index}.png")
    side = simulate_chest(ChestSettings(seed=10, view="lateral", size=300))
    Image.fromarray(np.uint8(np.round(side.values * 255))).save(folder / "lateral.png")
    (folder / "text.png").write_text("no image")
    rows = ["0.png,No Finding,x", "1.png,Effusion|Mass,y", "2.png,Mass,z", "3.png,effusion,w", "4.png,No Finding,x"]
    bad = ["5.png,,v", "5.png,Cavity,v", "5.png,No Finding|Mass,v", "text.png,Mass,v"]
    (folder / "cases.csv").write_text("\n".join(["file,findings,patient_id", *rows, *bad]) + "\n")
    return folder


def test_analyse_answers_in_json(files: Path, weights: Path, capsys: Capture) -> None:
    assert run(["analyse", "nih14", str(files / "1.png"), "--json", "--weights", str(weights)]) == 0
    found = json.loads(capsys.readouterr().out)
    expected = analyse(load_model(NIH14, weights), [load_image(files / "1.png")])
    assert expected.findings is not None
    assert found["scores"] == pytest.approx(dict(expected.scores), abs=1e-6)
    assert (found["threshold"], found["label"]) == (None, expected.label)
    assert found["called"] == list(expected.findings.called)
    assert [one["label"] for one in found["findings"]] == list(LABELS)
    for one, finding in zip(found["findings"], expected.findings.findings, strict=True):
        assert one["score"] == pytest.approx(finding.score, abs=1e-6)
        assert one["called"] == finding.called
        assert one["threshold"] == finding.threshold
    last = found["findings"][-1]
    assert (last["threshold"], last["called"], last["remark"]) == (None, False, "too few training cases")
    assert found["seconds"] > 0


def test_analyse_prints_lines_for_people(files: Path, weights: Path, capsys: Capture) -> None:
    assert run(["analyse", "nih14", str(files / "1.png"), "--weights", str(weights)]) == 0
    text = capsys.readouterr().out
    assert "too few training cases" in text
    assert "called from 0.500" in text
    assert [line.split()[1] for line in text.splitlines() if line.startswith("score ")] == list(LABELS)
    assert any(line.startswith("called ") for line in text.splitlines())


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--threshold", "0.5"], "threshold for each of its labels"),
        (["--size", "256"], "224 x 224"),
        (["--sex", "F"], "--sex"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    options: list[str], word: str, files: Path, weights: Path, capsys: Capture
) -> None:
    assert run(["analyse", "nih14", str(files / "1.png"), *options, "--weights", str(weights)]) == 2
    captured = capsys.readouterr()
    assert word in captured.err
    assert captured.out == ""


def test_a_lateral_view_is_stopped_unless_forced(files: Path, weights: Path, capsys: Capture) -> None:
    command = ["analyse", "nih14", str(files / "lateral.png"), "--json", "--weights", str(weights)]
    assert run(command) == 2
    assert "lateral" in capsys.readouterr().err
    assert run([*command, "--force"]) == 0
    assert "lateral" in json.loads(capsys.readouterr().out)["warnings"][0]


def test_evaluate_measures_each_label_and_their_mean(
    files: Path, weights: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "out.csv"
    command = ["evaluate", "nih14", str(files / "cases.csv"), "--root", str(files), "--out", str(out)]
    assert run([*command, "--weights", str(weights), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["cases"], found["failed"]) == (9, 4)
    assert (found["positive"], found["threshold"]) == (None, None)
    with out.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["file", "findings", "patient_id", *prediction_columns(NIH14)]
    assert [bool(row["error"]) for row in rows] == [False] * 5 + [True] * 4
    assert "empty" in rows[5]["error"]
    assert "no label" in rows[6]["error"]
    assert "at once" in rows[7]["error"]
    scores = [float(row["score_Effusion"]) for row in rows[:5]]
    figure = found["metrics"]["AUC, Effusion"]
    assert figure["value"] == pytest.approx(roc_auc_score([0, 1, 0, 1, 0], scores))
    assert figure["low"] <= figure["value"] <= figure["high"]
    assert figure["cases"] == 5
    # No label has five images with it here, and nobody has a hernia.
    assert found["metrics"]["macro AUC"]["value"] is None
    assert found["metrics"]["AUC, Hernia"]["reason"]
    for row in rows[:5]:
        assert set(filter(None, row["called"].split("|"))) <= set(LABELS[:-1])


def test_evaluate_prints_a_table_for_people(files: Path, weights: Path, tmp_path: Path, capsys: Capture) -> None:
    command = ["evaluate", "nih14", str(files / "cases.csv"), "--root", str(files), "--out", str(tmp_path / "o.csv")]
    assert run([*command, "--weights", str(weights)]) == 0
    text = capsys.readouterr().out
    assert "5 of 9 cases measured" in text
    assert "AUC, Effusion" in text


def test_a_table_without_findings_is_refused(files: Path, weights: Path, tmp_path: Path, capsys: Capture) -> None:
    table = tmp_path / "cases.csv"
    table.write_text("file,target\n0.png,1\n")
    command = ["evaluate", "nih14", str(table), "--root", str(files), "--out", str(tmp_path / "o.csv")]
    assert run([*command, "--weights", str(weights)]) == 2
    assert "'findings'" in capsys.readouterr().err
