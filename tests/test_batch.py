"""`analyse` of many images and `evaluate`: stopped and gone on with, shared by processes, with files that are bad."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cxrkit import batch_workers
from cxrkit.batch import listing_of_table
from cxrkit.batch_case import answer_case
from cxrkit.batch_journal import Journal, journal_of
from cxrkit.card import write_card
from cxrkit.cases import read_manifest
from cxrkit.commands import run
from cxrkit.errors import WeightsError
from cxrkit.evaluate import analyse, predict_cases
from cxrkit.image_file import load_image
from cxrkit.phantoms import ChestSettings, simulate_chest
from cxrkit.predictions import prediction_columns, write_predictions
from cxrkit.task import Task
from cxrkit.tasks import TASKS
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from cxrkit.weights import fixed_sample, load_model, save_weights
from tests.batch_children import running
from tests.models_for_tests import small_card, small_model

Capture = pytest.CaptureFixture[str]

IMAGES = 24


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Chests, a file that is no image, and a table of them in an order of its own, with rows that cannot be used."""
    folder = tmp_path_factory.mktemp("files")
    chest = np.uint8(np.round(simulate_chest(ChestSettings(seed=7, size=240)).values * 255))
    for index in range(IMAGES):
        Image.fromarray(np.roll(chest, index - 12, axis=1)).save(folder / f"{index}.png")
    (folder / "text.png").write_text("no image")
    rows = [f"{index * 7 % IMAGES}.png,{index % 2},site {index}" for index in range(IMAGES)]
    rows[3:3] = ["text.png,1,bad", "missing.png,1,bad", "../0.png,0,bad", "0.png,perhaps,bad", "0.png,1,twice"]
    (folder / "cases.csv").write_text("\n".join(["file,target,site", *rows]) + "\n")
    return folder


@pytest.fixture(scope="module")
def unbroken(files: Path, small_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an evaluation writes that nothing disturbs: case after case, at once."""
    out = tmp_path_factory.mktemp("unbroken") / "predictions.csv"
    loaded = load_model(TUBERCULOSIS, small_weights)
    rows = predict_cases(loaded, read_manifest(files / "cases.csv"), files)
    write_predictions(TUBERCULOSIS, rows, out, loaded.card.sha256)
    return out


def command(files: Path, weights: Path, out: Path, *more: str) -> list[str]:
    table = ["evaluate", "tuberculosis", str(files / "cases.csv"), "--root", str(files), "--out", str(out)]
    return [*table, "--weights", str(weights), "--json", *more]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def assert_same(found: Path, expected: Path) -> None:
    """The same rows in the same order; scores may differ by rounding between processes."""
    rows, wanted = table(found), table(expected)
    assert [list(row) for row in rows] == [list(row) for row in wanted]
    for row, other in zip(rows, wanted, strict=True):
        for name, cell in other.items():
            if name.startswith("score_") and cell:
                assert float(row[name]) == pytest.approx(float(cell), abs=1e-6)
            else:
                assert row[name] == cell


def stop_after(count: int, patch: pytest.MonkeyPatch) -> list[str]:
    """Let a run end with an error after so many cases; returns the list of files that it works on."""
    worked: list[str] = []

    def counted(loaded: Any, case: Any, *rest: Any) -> Any:
        if len(worked) == count:
            raise WeightsError("Stopped.")
        worked.append(case.files[0])
        return answer_case(loaded, case, *rest)

    patch.setattr(batch_workers, "answer_case", counted)
    return worked


def test_a_killed_run_is_gone_on_with(
    files: Path, small_weights: Path, unbroken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    out = tmp_path / "predictions.csv"
    arguments = command(files, small_weights, out)
    process = subprocess.Popen([sys.executable, "-m", "cxrkit", *arguments], stdout=subprocess.DEVNULL)
    until = time.monotonic() + 120
    while not journal_of(out).exists() or journal_of(out).read_bytes().count(b"\n") < 5:
        assert time.monotonic() < until
        assert process.poll() is None
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not out.exists()
    done = journal_of(out).read_bytes().splitlines(keepends=True)[1:]
    # As if the kill had come in the middle of a row, whenever it came.
    journal_of(out).write_bytes(journal_of(out).read_bytes()[:-20])
    kept = len(done) - 1

    worked = stop_after(10**6, monkeypatch)
    assert run(arguments) == 0
    found = json.loads(capsys.readouterr().out)
    # A row whose file was not found is looked at again: it may be there now.
    again = sum(json.loads(line)["seen"] == [] for line in done[:kept])
    assert found["resumed"] == kept - again >= 1
    assert len(worked) == len(table(unbroken)) - found["resumed"]
    assert_same(out, unbroken)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["predictions.csv"]


def test_processes_write_the_same_table_though_one_is_killed(
    files: Path, small_weights: Path, unbroken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    killed: list[int] = []
    append = Journal.append

    def killing(journal: Journal, row: Any) -> int:
        if not killed and "key" in row:
            victim = running("serve")[0]
            victim.kill()
            killed.append(victim.pid)
        return append(journal, row)

    monkeypatch.setattr(Journal, "append", killing)
    out = tmp_path / "predictions.csv"
    assert run(command(files, small_weights, out, "--workers", "2")) == 0
    assert killed
    assert_same(out, unbroken)
    found = json.loads(capsys.readouterr().out)
    assert (found["cases"], found["failed"], len(found["left_out"])) == (IMAGES + 5, 4, 4)


def test_only_what_changed_since_is_done_again(
    files: Path, small_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("a", "b", "c", "d", "e"):
        shutil.copy(files / "12.png", folder / f"{name}.png")
    out = tmp_path / "out.csv"
    arguments = ["analyse", "tuberculosis", str(folder), "--out", str(out), "--weights", str(small_weights), "--json"]
    with monkeypatch.context() as patch:
        assert stop_after(4, patch) == []
        assert run(arguments) == 2
    assert not out.exists()
    os.utime(folder / "a.png", (1, 1))
    shutil.copy(files / "3.png", folder / "b.png")
    (folder / "c.png").unlink()
    shutil.copy(files / "4.png", folder / "aa.png")
    capsys.readouterr()
    with monkeypatch.context() as patch:
        worked = stop_after(99, patch)
        assert run(arguments) == 0
    assert worked == ["aa.png", "b.png", "e.png"]
    assert json.loads(capsys.readouterr().out)["resumed"] == 2
    assert [row["file"] for row in table(out)] == ["a.png", "aa.png", "b.png", "d.png", "e.png"]
    alone = analyse(load_model(TUBERCULOSIS, small_weights), [load_image(files / "3.png")])
    assert float(table(out)[2]["score_tuberculosis"]) == pytest.approx(alone.scores["tuberculosis"], abs=1e-6)


def test_two_models_or_two_manifests_do_not_share_a_table(
    files: Path, small_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    out = tmp_path / "out.csv"
    with monkeypatch.context() as patch:
        stop_after(3, patch)
        assert run(command(files, small_weights, out)) == 2
    begun = journal_of(out).read_bytes()
    digest = save_weights(small_model(TUBERCULOSIS, seed=1), tmp_path / "other" / "tuberculosis")
    write_card(small_card(TUBERCULOSIS, digest), tmp_path / "other" / "tuberculosis" / "card.json")
    (tmp_path / "short").mkdir()
    (tmp_path / "short" / "cases.csv").write_text("file,target\n0.png,1\n1.png,0\n")
    short = ["evaluate", "tuberculosis", str(tmp_path / "short" / "cases.csv"), "--root", str(files), "--out", str(out)]
    short += ["--weights", str(small_weights)]
    for arguments, words in ((command(files, tmp_path / "other", out), "other weights"), (short, "another manifest")):
        capsys.readouterr()
        assert run(arguments) == 2
        message = capsys.readouterr().err
        assert words in message
        assert "--restart" in message
        assert message.count("\n") == 1
        assert journal_of(out).read_bytes() == begun
    assert run([*short, "--restart"]) == 0
    assert [row["file"] for row in table(out)] == ["0.png", "1.png"]
    assert not journal_of(out).exists()


@pytest.fixture
def archive(files: Path, tmp_path: Path) -> Path:
    """A folder as people have it."""
    folder = tmp_path / "archive"
    (folder / "2024" / "may").mkdir(parents=True)
    shutil.copy(files / "1.png", folder / "z.png")
    shutil.copy(files / "2.png", folder / "2024" / "may" / "a.png")
    shutil.copy(files / "text.png", folder / "2024" / "text.png")
    (folder / "notes.txt").write_text("no image")
    Image.fromarray(np.full((240, 240), 90, np.uint8)).save(folder / "blank.png")
    return folder


def test_a_folder_is_analysed_with_what_is_bad_listed(archive: Path, small_weights: Path, capsys: Capture) -> None:
    out = archive / "out.csv"
    arguments = ["analyse", "tuberculosis", str(archive), "--out", str(out), "--weights", str(small_weights)]
    assert run([*arguments, "--json"]) == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert captured.err == ""
    assert (found["cases"], found["failed"], found["no_image"], found["resumed"]) == (4, 2, ["notes.txt"], 0)
    assert [case["files"] for case in found["left_out"]] == [["2024/text.png"], ["blank.png"]]
    rows = table(out)
    assert list(rows[0]) == ["file", *prediction_columns(TUBERCULOSIS)]
    assert [row["file"] for row in rows] == ["2024/may/a.png", "2024/text.png", "blank.png", "z.png"]
    assert [bool(row["score_tuberculosis"]) for row in rows] == [True, False, False, True]
    assert "--force" in rows[2]["error"]
    alone = analyse(load_model(TUBERCULOSIS, small_weights), [load_image(archive / "z.png")])
    assert float(rows[3]["score_tuberculosis"]) == pytest.approx(alone.scores["tuberculosis"], abs=1e-6)

    assert run([*arguments, "--force"]) == 0
    printed = capsys.readouterr().out
    assert "left out: 2024/text.png: " in printed
    assert "no image: notes.txt" in printed
    assert "cases a second" in printed
    assert "blank" in table(out)[2]["warnings"]


def test_a_folder_of_nothing_but_bad_files_is_a_failure(archive: Path, small_weights: Path, capsys: Capture) -> None:
    out = archive / "out.csv"
    arguments = ["analyse", "tuberculosis", str(archive / "2024" / "text.png"), "--out", str(out)]
    assert run([*arguments, "--weights", str(small_weights)]) == 2
    captured = capsys.readouterr()
    assert "None of the cases" in captured.err
    assert "left out: text.png" in captured.out
    assert table(out)[0]["error"]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_manifest_of_any_task_is_analysed(
    task: Task, small_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = load_model(task, small_weights)
    monkeypatch.setattr("cxrkit.batch.load_model", lambda *asked: loaded)
    drawn = fixed_sample(task.reads).values.astype(np.uint8)
    for name, image in (("one", drawn), ("two", drawn[:, ::-1])):
        Image.fromarray(np.ascontiguousarray(image)).save(tmp_path / f"{name}.png")
    cells = [["one.png", "two.png"], ["two.png", "one.png"]]
    lines = [",".join([*pair[: len(task.inputs)], sex]) for pair, sex in zip(cells, ("F", ""), strict=True)]
    (tmp_path / "cases.csv").write_text("\n".join([",".join([*task.file_columns, "sex"]), *lines]) + "\n")
    out = tmp_path / "out.csv"
    arguments = ["analyse", task.name, str(tmp_path / "cases.csv"), "--out", str(out), "--force"]
    assert run([*arguments, "--weights", str(small_weights)]) == 0
    for row, pair, sex in zip(table(out), cells, ({"sex": "F"}, {}), strict=True):
        images = [load_image(tmp_path / name, read=task.read_file) for name in pair[: len(task.inputs)]]
        expected = analyse(loaded, images, context=sex if "sex" in task.context else {})
        assert row["error"] == ""
        assert all(warning in row["warnings"] for warning in expected.warnings)
        if expected.age is None:
            column, value = prediction_columns(task)[0], expected.scores[task.labels[0]]
        else:
            column, value = "predicted_age_months", expected.age.expected
        assert float(row[column]) == pytest.approx(value, abs=1e-4)


def test_a_table_is_another_one_below_another_folder(tmp_path: Path) -> None:
    table = tmp_path / "cases.csv"
    table.write_text("file,target\na.png,1\n", encoding="utf-8")
    (tmp_path / "other").mkdir()
    first = listing_of_table(table, tmp_path)
    assert first == listing_of_table(table, tmp_path / "other" / "..")
    assert first != listing_of_table(table, tmp_path / "other")
