"""What a stopped run has left is not always to be gone on from: another card, or rows of another version."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cxrkit.batch import Batch, staffed
from cxrkit.batch_case import Asked
from cxrkit.batch_journal import journal_of
from cxrkit.cases import Case
from cxrkit.commands import run
from cxrkit.errors import WeightsError
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from cxrkit.weights import fixed_sample
from tests.test_batch import stop_after, table

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    values = np.clip(fixed_sample().values[::4, ::4], 0, 255).astype(np.uint8)
    for index in range(4):
        Image.fromarray(np.roll(values, index, axis=1)).save(folder / f"{index}.png")
    return folder


@pytest.fixture
def weights(small_weights: Path, tmp_path: Path) -> Path:
    """Weights whose card a test may change."""
    return shutil.copytree(small_weights / "tuberculosis", tmp_path / "weights" / "tuberculosis").parent


@pytest.fixture
def arguments(files: Path, weights: Path, tmp_path: Path) -> list[str]:
    """A run over the files, whatever the image guard says of them."""
    out = ["--out", str(tmp_path / "out.csv"), "--weights", str(weights)]
    return ["analyse", "tuberculosis", str(files), *out, "--force", "--json"]


@pytest.fixture
def journal(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Path:
    """What a run has left that was stopped after three cases."""
    with monkeypatch.context() as patch:
        stop_after(3, patch)
        assert run(arguments) == 2
    capsys.readouterr()
    return journal_of(tmp_path / "out.csv")


def change_card(weights: Path, **fields: Any) -> None:
    file = weights / "tuberculosis" / "card.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | fields))


@pytest.mark.parametrize("fields", [{"temperature": 1.25}, {"thresholds": {"tuberculosis": 0.125}}], ids=str)
def test_one_table_holds_the_answers_of_one_card(
    arguments: list[str], weights: Path, journal: Path, fields: dict[str, Any], capsys: Capture
) -> None:
    begun = journal.read_bytes()
    change_card(weights, **fields)
    assert run(arguments) == 2
    message = capsys.readouterr().err
    assert "with another card" in message
    assert message.count("\n") == 1
    assert journal.read_bytes() == begun
    assert run([*arguments, "--restart"]) == 0
    assert json.loads(capsys.readouterr().out)["resumed"] == 0


def test_processes_do_not_answer_by_a_card_that_was_exchanged(files: Path, weights: Path, tmp_path: Path) -> None:
    cases = [Case(("0.png",), "")]
    batch = Batch(TUBERCULOSIS, cases, files, "", tmp_path / "out.csv", Asked(), judged=False)
    _, executor = staffed(batch, weights, 2)
    change_card(weights, temperature=1.25)
    with pytest.raises(WeightsError, match="their card were exchanged"):
        list(executor(enumerate(cases)))


def without(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda row: row.pop(name)


@pytest.mark.parametrize(
    "harm",
    [
        without("key"),
        without("seen"),
        without("prediction"),
        lambda row: row["prediction"].pop("label"),
        lambda row: row.update(prediction="another form"),
        lambda row: row.update(key=[[1], {}]),
    ],
    ids=["key", "seen", "prediction", "label", "form", "unhashable key"],
)
def test_rows_that_another_version_wrote_are_done_again(
    arguments: list[str], journal: Path, harm: Callable[[dict[str, Any]], object], capsys: Capture
) -> None:
    head, first, *rest = journal.read_bytes().splitlines(keepends=True)
    row = json.loads(first)
    harm(row)
    journal.write_bytes(b"".join([head, json.dumps(row).encode() + b"\n", *rest]))
    assert run(arguments) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["cases"], found["resumed"], found["failed"]) == (4, 2, 0)
    rows = table(journal.with_name("out.csv"))
    assert [row["file"] for row in rows] == [f"{index}.png" for index in range(4)]
    assert all(row["score_tuberculosis"] for row in rows)
