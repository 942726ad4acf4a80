"""`analyse vq` and `evaluate vq`, with a small random network."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cxrkit.commands import run
from cxrkit.predictions import prediction_columns
from cxrkit.tasks.vq import VQ
from tests.scans import ANTERIOR, POSTERIOR, code, drawn_scan, mean_image, nm_file, noisy, views_file
from tests.small_weights import write_small_weights

__all__ = ["mean_image"]

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, mean_image: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Scans, a table of them, and weights; the task is known whether or not its weights are shipped."""
    monkeypatch.setattr("cxrkit.tasks.TASKS", (VQ,))
    write_small_weights(VQ, tmp_path / "weights", threshold=0.3)
    scan = noisy(drawn_scan(neck=True))
    Image.fromarray(scan.astype(np.uint8)).save(tmp_path / "scan.png")
    Image.fromarray(np.zeros((224, 224), np.uint8)).save(tmp_path / "empty.png")
    header = {"SeriesDescription": "LUNG PERF", "CountsAccumulated": 500_000, "StudyInstanceUID": "1.2.3"}
    (tmp_path / "views.dcm").write_bytes(views_file([POSTERIOR, ANTERIOR], np.stack([scan // 2, scan]), **header))
    (tmp_path / "two.dcm").write_bytes(views_file([POSTERIOR, POSTERIOR]))
    (tmp_path / "one.dcm").write_bytes(nm_file(noisy(drawn_scan(left=False)), SeriesDescription="VENT ANT"))
    (tmp_path / "cases.csv").write_text(
        "file,target\nscan.png,perfusion\nviews.dcm,ventilation\none.dcm,perfusion\ntwo.dcm,ventilation\n"
        "scan.png,ventilation\n"
    )
    return tmp_path


def asked(folder: Path, capsys: Capture, *arguments: str) -> dict[str, Any]:
    assert run(["analyse", "vq", *arguments, "--json", "--weights", str(folder / "weights")]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_analyse_chooses_the_anterior_view_and_compares_with_the_header(folder: Path, capsys: Capture) -> None:
    found = asked(folder, capsys, str(folder / "views.dcm"))
    assert set(found["scores"]) == {"perfusion", "ventilation"}
    assert found["label"] in {"perfusion", "ventilation", "cannot tell"}
    scan = found["scan"]
    assert scan["claim"] == {"kind": "perfusion", "words": ["perf"], "conflict": False, "reason": ""}
    expected = {"perfusion": "agree", "ventilation": "mismatch", "cannot tell": "cannot tell"}
    assert scan["agreement"] == expected[found["label"]]
    assert (scan["view"], scan["stated_counts"]) == ("anterior", 500_000)
    assert scan["counts"] == int(noisy(drawn_scan(neck=True)).sum())
    assert scan["cannot_tell_between"] == pytest.approx([0.2, 0.4])
    assert scan["alignment"]["method"] == "two lungs"
    assert np.abs(np.subtract(scan["alignment"]["shift"], (1, 9))).max() <= 1
    assert asked(folder, capsys, str(folder / "scan.png"))["scores"] == pytest.approx(found["scores"], abs=1e-6)

    posterior = asked(folder, capsys, str(folder / "views.dcm"), "--frame", "1")
    assert (posterior["label"], posterior["scan"]["view"]) == ("cannot tell", "posterior")


def test_analyse_prints_lines_for_people(folder: Path, capsys: Capture) -> None:
    assert run(["analyse", "vq", str(folder / "one.dcm"), "--weights", str(folder / "weights")]) == 0
    printed = capsys.readouterr().out
    for words in ("score perfusion", "header's claim", "ventilation", "mutual information", "Two lungs side by side"):
        assert words in printed


@pytest.mark.parametrize(
    ("file", "words"), [("two.dcm", "none of them the anterior view"), ("empty.png", "image is empty")]
)
def test_what_cannot_be_told_is_one_sentence(file: str, words: str, folder: Path, capsys: Capture) -> None:
    assert run(["analyse", "vq", str(folder / file), "--weights", str(folder / "weights")]) == 2
    assert words in capsys.readouterr().err


def test_evaluate_reads_pictures_and_nuclear_medicine_files(folder: Path, capsys: Capture) -> None:
    out = folder / "predictions.csv"
    command = ["evaluate", "vq", str(folder / "cases.csv"), "--root", str(folder), "--out", str(out), "--json"]
    assert run([*command, "--weights", str(folder / "weights")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["positive"], found["cases"], found["failed"]) == ("perfusion", 5, 1)
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {"score_perfusion", "score_ventilation"} <= set(prediction_columns(VQ)) <= set(rows[0])
    assert [bool(row["score_perfusion"]) for row in rows] == [True, True, True, False, True]
    assert "anterior" in rows[3]["error"]
    assert "Two lungs" in rows[2]["warnings"]
    assert float(rows[0]["score_perfusion"]) == pytest.approx(float(rows[1]["score_perfusion"]), abs=1e-6)


def test_a_table_says_why_a_scan_cannot_be_told(folder: Path, capsys: Capture) -> None:
    (folder / "back.dcm").write_bytes(nm_file(noisy(drawn_scan()), ViewCodeSequence=[code(*POSTERIOR)]))
    out = folder / "table.csv"
    command = ["analyse", "vq", str(folder / "back.dcm"), "--out", str(out), "--weights", str(folder / "weights")]
    assert run(command) == 0
    assert "1 of 1 cases have warnings" in capsys.readouterr().out
    with out.open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert row["warnings"].startswith("Cannot tell: The header calls this another view than the anterior one")
