"""`--dask`: a scheduler and two workers of this machine, one killed midway, the run stopped, the scheduler lost."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cxrkit import batch_dask
from cxrkit.batch_case import Answer, Asked
from cxrkit.batch_dask import AHEAD, Cluster, answer_posted, check_address
from cxrkit.batch_journal import Journal, journal_of
from cxrkit.batch_json import plain
from cxrkit.batch_process import Post
from cxrkit.cases import Case, read_manifest
from cxrkit.commands import run
from cxrkit.errors import InputError
from cxrkit.evaluate import predict_cases
from cxrkit.predictions import write_predictions
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from cxrkit.weights import fixed_sample, load_model
from tests.conftest import REPOSITORY
from tests.test_batch import assert_same, command, table
from tests.test_batch_workers import Watched

IMAGES = 16


@dataclass(frozen=True)
class Running:
    """A cluster of this machine: one process for the scheduler, one for each worker with one thread."""

    address: str
    scheduler: "subprocess.Popen[bytes]"
    workers: tuple["subprocess.Popen[bytes]", ...]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Two workers at first; tests kill what they need to, the last one the scheduler."""
    folder = tmp_path_factory.mktemp("cluster")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"

    def start(part: str, *options: str) -> "subprocess.Popen[bytes]":
        arguments = [sys.executable, "-m", f"distributed.cli.dask_{part}", *options, "--no-dashboard"]
        return subprocess.Popen(arguments, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    scheduler = start("scheduler", "--host", "127.0.0.1", "--port", address.rpartition(":")[2])
    options = ("--no-nanny", "--nthreads", "1", "--host", "127.0.0.1", "--local-directory", str(folder))
    workers = tuple(start("worker", address, *options) for _ in range(2))
    try:
        yield Running(address, scheduler, workers)
    finally:
        for process in (*workers, scheduler):
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images, no chests, one of them damaged, and a table of them that also names one that is missing."""
    folder = tmp_path_factory.mktemp("files")
    values = np.clip(fixed_sample().values[::4, ::4], 0, 255).astype(np.uint8)
    for index in range(IMAGES):
        Image.fromarray(np.roll(values, index, axis=1)).save(folder / f"{index}.png")
    (folder / "5.png").write_text("no image")
    rows = [f"{index}.png,{index % 2}" for index in range(IMAGES)]
    (folder / "cases.csv").write_text("\n".join(["file,target", *rows, "missing.png,1"]) + "\n")
    return folder


@pytest.fixture(scope="module")
def unbroken(files: Path, small_weights: Path) -> Path:
    """What one process writes that nothing disturbs."""
    out = files / "unbroken.csv"
    loaded = load_model(TUBERCULOSIS, small_weights)
    rows = predict_cases(loaded, read_manifest(files / "cases.csv"), files)
    write_predictions(TUBERCULOSIS, rows, out, loaded.card.sha256)
    return out


def after(count: int, patch: pytest.MonkeyPatch, act: Any) -> list[Any]:
    """Do something once, when so many rows are in the journal; returns the keys of all rows that are written."""
    keys: list[Any] = []
    append = Journal.append

    def counted(journal: Journal, row: Any) -> int:
        place = append(journal, row)
        if "key" in row:
            keys.append(row["key"])
            if len(keys) == count:
                act()
        return place

    patch.setattr(Journal, "append", counted)
    return keys


def test_every_case_is_in_the_table_once_though_a_worker_is_killed(
    cluster: Running, files: Path, small_weights: Path, unbroken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def when_both_are_there() -> None:
        from distributed import Client

        with Client(cluster.address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)

    when_both_are_there()
    out = tmp_path / "predictions.csv"
    keys = after(4, monkeypatch, cluster.workers[0].kill)
    assert run(command(files, small_weights, out, "--dask", cluster.address)) == 0
    assert cluster.workers[0].wait(10) == -signal.SIGKILL
    assert cluster.workers[1].poll() is None
    assert len(keys) == len({tuple(key) for key in keys}) == IMAGES + 1
    assert_same(out, unbroken)
    assert [row["file"] for row in table(out) if row["error"]] == ["5.png", "missing.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["predictions.csv"]


def test_few_cases_are_handed_out_ahead(cluster: Running, small_weights: Path, tmp_path: Path) -> None:
    card = load_model(TUBERCULOSIS, small_weights).card
    post = Post("tuberculosis", str(small_weights), card.identity, str(tmp_path), Asked(), 1)
    jobs = Watched([f"{index}.png" for index in range(30)])
    for place, answer in Cluster(post, cluster.address)(jobs):
        jobs.keep(place, answer)
    assert jobs.most <= AHEAD * 2
    assert all(jobs.errors)  # as there are no such files


def test_of_a_case_only_what_its_answer_needs_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []

    def submit(function: Any, post: Any, case: Any, **options: Any) -> Any:
        sent.append(case)
        return SimpleNamespace(key=len(sent), result=lambda: plain(Answer(None, "None.")))

    client = SimpleNamespace(status="running", nthreads=lambda: {"worker": 1}, submit=submit)
    monkeypatch.setattr(batch_dask, "_joined", lambda address: nullcontext(client))
    monkeypatch.setattr(batch_dask, "_finished", lambda client, futures: [future.key for future in futures])
    case = Case(("0.png",), "94", row={"file": "0.png", "sex": "F", "report": "x" * 2**21}, number=2)
    cluster = Cluster(Post("bone_age", "", "", "", Asked(), 1), "tcp://127.0.0.1:1")
    assert list(cluster([(0, case)])) == [(0, Answer(None, "None."))]
    assert sent == [plain(Case(("0.png",), "", row={"sex": "F"}, number=2))]


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Ctrl-C interrupts, also where whoever started the tests has it ignored, as a shell does in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_a_run_that_is_interrupted_is_gone_on_with(
    cluster: Running, files: Path, small_weights: Path, unbroken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "predictions.csv"
    arguments = command(files, small_weights, out, "--dask", cluster.address)
    with monkeypatch.context() as patch:
        after(3, patch, lambda: os.kill(os.getpid(), signal.SIGINT))
        assert run(arguments) == 130
    assert not out.exists()
    assert journal_of(out).read_bytes().count(b"\n") == 1 + 3
    keys = after(0, monkeypatch, None)
    assert run(arguments) == 0
    assert len(keys) == IMAGES + 1 - 3
    assert_same(out, unbroken)


def test_a_worker_without_the_weights_that_were_asked_for_says_so(small_weights: Path, tmp_path: Path) -> None:
    post = Post("tuberculosis", str(small_weights), "0" * 64, str(tmp_path), Asked(), 1)
    case = plain(Case(("0.png",), "1", row={"file": "0.png"}, number=2))
    assert "other weights" in answer_posted(plain(post), case)["fatal"]


@pytest.mark.parametrize(
    "address", ["here", "http://127.0.0.1:8786", "tcp://127.0.0.1", "tcp://:8786", "tcp://a:99999", "tcp://a:1/b"]
)
def test_an_address_that_cannot_be_one_is_refused(address: str) -> None:
    with pytest.raises(InputError, match="HOST:PORT"):
        check_address(address)


def test_options_that_do_not_fit_are_refused(
    files: Path,
    small_weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(batch_dask, "_SECONDS_TO_JOIN", 1.0)
    address = "tcp://127.0.0.1:1"
    whole = command(files, small_weights, tmp_path / "out.csv", "--dask", address)
    for arguments, words in (
        ([*whole, "--workers", "2"], "leave out --workers"),
        (whole, "No Dask scheduler answers"),
        (["analyse", "tuberculosis", str(files / "0.png"), "--dask", address], "--out"),
    ):
        assert run(arguments) == 2
        message = capsys.readouterr().err
        assert words in message
        assert message.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_dask_is_not_loaded_before_it_is_needed() -> None:
    code = "import sys; import cxrkit.batch_dask, cxrkit.commands; sys.exit('distributed' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=False).returncode == 0


def test_rows_are_kept_when_the_scheduler_is_lost(
    cluster: Running,
    files: Path,
    small_weights: Path,
    unbroken: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "predictions.csv"
    with monkeypatch.context() as patch:
        after(3, patch, cluster.scheduler.kill)
        start = time.monotonic()
        assert run(command(files, small_weights, out, "--dask", cluster.address)) == 2
    assert time.monotonic() - start < 30
    message = capsys.readouterr().err
    assert "connection to the Dask scheduler was lost" in message
    assert message.count("\n") == 1
    kept = journal_of(out).read_bytes().count(b"\n") - 1
    assert 3 <= kept < IMAGES + 1
    # This machine alone may finish what a cluster began.
    keys = after(0, monkeypatch, None)
    assert run(command(files, small_weights, out)) == 0
    assert len(keys) == IMAGES + 1 - kept
    assert_same(out, unbroken)
