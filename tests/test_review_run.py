"""cxrkit.review.run: a table of cases as a process of its own; cancelled, gone on with, crashed, never twice."""

import csv
import errno
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

from cxrkit.batch_journal import journal_of
from cxrkit.errors import InputError, WeightsError
from cxrkit.phantoms import ChestSettings, simulate_chest
from cxrkit.review import folders, run_order
from cxrkit.review.run import Progress, Run, Runs
from cxrkit.review.run_order import Order, runs_folder, wanted
from cxrkit.review.run_process import carry_out
from cxrkit.review.table import read_predictions
from cxrkit.tasks.tuberculosis import TUBERCULOSIS

PATIENCE = 120.0
NO_ORDER = Order("tuberculosis", "none", "none", "none", "none", "0" * 64, 1, False)


@pytest.fixture
def cases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of cases with four chests and a file that is no image; runs have a folder of their own."""
    folder = tmp_path / "cases"
    folder.mkdir()
    chest = np.uint8(np.round(simulate_chest(ChestSettings(seed=7, size=240)).values * 255))
    for index in range(4):
        Image.fromarray(np.roll(chest, 3 * index, axis=1)).save(folder / f"{index}.png")
    (folder / "text.png").write_text("no image")
    monkeypatch.setenv(folders.VARIABLE, str(folder))
    monkeypatch.setenv(run_order.VARIABLE, str(tmp_path / "runs"))
    return folder


@pytest.fixture
def runs() -> Iterator[Runs]:
    """Runs that all have ended when a test has."""
    found = Runs()
    yield found
    for each in found._runs.values():
        each.cancel()


def table(count: int, *more: str) -> bytes:
    rows = [f"{index % 4}.png,{index % 2}" for index in range(count)]
    return "\n".join(["file,target", *rows, *more, ""]).encode()


def until(run: Run, *, done: int) -> Progress:
    """Wait for so many cases, or the end."""
    last = time.monotonic() + PATIENCE
    while (now := run.progress()).at_work and now.done < done:
        assert time.monotonic() < last
        time.sleep(0.01)
    return now


def group(run: Run) -> list[psutil.Process]:
    """The run's process and all that it started."""
    found = []
    for process in psutil.process_iter():
        with suppress(ProcessLookupError, psutil.Error):
            mine = os.getpgid(process.pid) == run._process.pid
            found += [process] if mine and process.status() != psutil.STATUS_ZOMBIE else []
    return found


def test_a_run_is_cancelled_at_once_and_goes_on(cases: Path, small_weights: Path, runs: Runs) -> None:
    before = sorted(cases.iterdir())
    asked = wanted(TUBERCULOSIS, cases, table(30, "text.png,1", "missing.png,0"), small_weights)
    run = runs.start(asked, workers=2)
    assert runs.start(asked) is runs.find(asked) is run
    assert run.progress().state == "starting"
    now = until(run, done=5)
    assert (now.state, now.total, now.resumed) == ("running", 32, 0)
    assert now.rate is not None
    assert now.remaining == pytest.approx((32 - now.done) / now.rate)
    assert len(group(run)) >= 3
    began = time.monotonic()
    run.cancel()
    assert time.monotonic() - began < 2
    assert run.progress().state == "cancelled"
    while group(run):  # killed, and perhaps not gone yet
        assert time.monotonic() - began < 5
    assert asked.begun
    assert not asked.out.exists()
    kept = journal_of(asked.out).read_bytes().count(b"\n") - 1
    assert 5 <= kept < 32

    reports: list[dict[str, Any]] = []
    carry_out(asked.order(1, restart=False), reports.append)
    assert reports[0] == {"total": 32, "resumed": kept}
    assert len(reports) == 1 + 32 - kept
    assert sum(bool(report.get("bad")) for report in reports) == 2
    assert not asked.begun
    with asked.out.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows[-2:]] == ["text.png", "missing.png"]
    assert [bool(row["error"]) for row in rows] == [False] * 30 + [True] * 2
    assert sorted(cases.iterdir()) == before
    found = read_predictions(asked.out.read_bytes(), "run", TUBERCULOSIS, asked.root)
    assert np.isnan(found.score(TUBERCULOSIS.positive)).sum() == 2


def test_runs_that_cannot_be_made_say_why(cases: Path, small_weights: Path, runs: Runs) -> None:
    asked = wanted(TUBERCULOSIS, cases, b"file,label\n0.png,1\n", small_weights)
    run = runs.start(asked)
    assert run.wait(PATIENCE)
    assert run.progress().state == "failed"
    assert "lacks the column 'target'" in run.progress().problem
    order = asked.order(1, restart=False)
    with pytest.raises(WeightsError, match="exchanged meanwhile"):
        carry_out(replace(asked, table=table(2), identity="0" * 64).order(1, False), print)
    with (Path(order.out).parent / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(InputError, match="Another server"):
            carry_out(order, print)


@pytest.mark.parametrize(
    ("child", "sentence"), [("stillborn", "for want of memory"), ("refusing", "No weights."), ("hanging", "")]
)
def test_a_run_that_dies_is_told_and_one_that_hangs_is_ended(child: str, sentence: str) -> None:
    run = Run(NO_ORDER, "time:sleep" if child == "hanging" else f"tests.batch_children:{child}")
    if child == "hanging":
        run._process.send_signal(signal.SIGSTOP)
        run.cancel()
    assert run.wait(PATIENCE)
    assert run.progress().state == ("cancelled" if child == "hanging" else "failed")
    assert sentence in run.progress().problem


def test_who_asks_for_the_same_finds_the_same_run_and_nobody_another(cases: Path, small_weights: Path) -> None:
    asked = wanted(TUBERCULOSIS, cases, table(4), small_weights)
    same = wanted(TUBERCULOSIS, str(cases), table(4), small_weights)
    assert (asked.key, asked.out) == (same.key, same.out)
    (cases / "sub").mkdir()
    others = [
        wanted(TUBERCULOSIS, cases, table(5), small_weights),
        wanted(TUBERCULOSIS, cases / "sub", table(4), small_weights),
        replace(asked, identity="0" * 64),
    ]
    assert len({each.key for each in (asked, *others)}) == 4
    assert Runs().find(asked) is None


def test_another_card_of_the_same_weights_is_another_run(cases: Path, small_weights: Path, tmp_path: Path) -> None:
    weights = shutil.copytree(small_weights / "tuberculosis", tmp_path / "weights" / "tuberculosis").parent
    former = wanted(TUBERCULOSIS, cases, table(2), weights)
    card = json.loads((weights / "tuberculosis" / "card.json").read_text())
    (weights / "tuberculosis" / "card.json").write_text(json.dumps(card | {"temperature": 1.25}))
    now = wanted(TUBERCULOSIS, cases, table(2), weights)
    assert now.sha256 == former.sha256
    assert now.key != former.key
    with pytest.raises(WeightsError, match="exchanged meanwhile"):
        carry_out(former.order(1, restart=False), print)
    carry_out(now.order(1, restart=False), lambda report: None)
    assert now.out.is_file()


def test_folders_that_cannot_be_locked_are_not_called_busy(
    cases: Path, small_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unable(file: object, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("cxrkit.review.run_process.fcntl.flock", unable)
    order = wanted(TUBERCULOSIS, cases, table(2), small_weights).order(1, restart=False)
    with pytest.raises(InputError, match=r"cannot lock files\. Set CXRKIT_RUNS"):
        carry_out(order, print)


def test_limits(cases: Path, small_weights: Path, runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = wanted(TUBERCULOSIS, cases, table(4), small_weights)
    with pytest.raises(InputError, match="3 workers"):
        runs.start(asked, workers=3)
    monkeypatch.setattr("cxrkit.review.run.MOST_AT_ONCE", 0)
    with pytest.raises(InputError, match="other runs are at work"):
        runs.start(asked)
    with pytest.raises(InputError, match="outside"):
        wanted(TUBERCULOSIS, cases.parent, table(4), small_weights)
    monkeypatch.setenv(run_order.VARIABLE, str(cases / "runs"))
    with pytest.raises(InputError, match="never written to a folder of cases"):
        runs_folder()
    monkeypatch.setenv(run_order.VARIABLE, "/proc/nowhere")
    with pytest.raises(InputError, match="cannot be written to"):
        asked.order(1, restart=False)
    monkeypatch.delenv(run_order.VARIABLE)
    monkeypatch.setenv("XDG_DATA_HOME", str(cases.parent / "data"))
    assert runs_folder() == cases.parent / "data" / "cxrkit" / "runs"


def test_a_run_ends_with_its_server(cases: Path, small_weights: Path) -> None:
    asked = wanted(TUBERCULOSIS, cases, table(4000), small_weights)
    script = (
        "import sys; from pathlib import Path; from cxrkit.tasks import find_task; from cxrkit.review.run import Runs\n"
        "from cxrkit.review.run_order import wanted\n"
        "asked = wanted(find_task('tuberculosis'), sys.argv[1], sys.stdin.buffer.read(), Path(sys.argv[2]))\n"
        "run = Runs().start(asked)\n"
        "while run.progress().done < 2: pass\n"
        "print(run._process.pid, flush=True)\n"
    )
    server = subprocess.run(
        [sys.executable, "-c", script, str(cases), str(small_weights)],
        input=asked.table,
        stdout=subprocess.PIPE,
        check=True,
        timeout=PATIENCE,
    )
    last = time.monotonic() + PATIENCE
    while psutil.pid_exists(int(server.stdout)) and psutil.Process(int(server.stdout)).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < last
        time.sleep(0.05)
    assert asked.begun


def test_rate_and_remaining_time_are_of_this_run_alone() -> None:
    assert (Progress().rate, Progress().remaining) == (None, None)
    now = Progress("running", total=100, resumed=40, done=60, seconds=10)
    assert (now.rate, now.remaining) == (2, 20)
