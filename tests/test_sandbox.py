"""The sandbox: a worker may hang, crash or eat memory, and the caller gets one ImageError."""

import fcntl
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from cxrkit import sandbox
from cxrkit.errors import ImageError, ImageTooLarge

pytestmark = pytest.mark.timed

ROOT = Path(__file__).resolve().parents[1]


def run(name: str, payload: bytes = b"", seconds: float = 20) -> sandbox.Reply:
    return sandbox.call(f"tests.sandbox_targets:{name}", {"frame": 3}, payload, seconds)


def test_call_returns_fields_and_raw_arrays() -> None:
    fields, arrays = run("echo", b"pixels")
    assert fields["options"] == {"frame": 3}
    assert bytes(arrays[0]) == b"pixels"
    np.testing.assert_array_equal(np.frombuffer(arrays[1], np.float32), np.arange(5, dtype=np.float32))


def test_function_runs_in_another_process_that_stays_warm() -> None:
    processes = {run("echo")[0]["process"] for _ in range(6)}
    assert os.getpid() not in processes
    assert len(processes) == 1


def test_no_request_of_many_kills_the_worker() -> None:
    """The kernel's signal that a request has arrived may come when all of it has been read already."""
    processes = {run("echo", b"pixels")[0]["process"] for _ in range(3000)}
    assert len(processes) == 1


def test_timeout_kills_the_worker_and_the_next_call_works() -> None:
    started = time.monotonic()
    with pytest.raises(ImageTooLarge, match="longer to decode"):
        run("sleep", seconds=0.5)
    assert time.monotonic() - started < 10
    assert run("echo")[0]["options"] == {"frame": 3}


@pytest.mark.parametrize("name", ["crash", "unexpected"])
def test_crash_is_one_image_error_and_the_next_call_works(name: str) -> None:
    with pytest.raises(ImageError, match="decoder fail") as caught:
        run(name, b"ZZCANARY")
    assert "ZZCANARY" not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert run("echo")[0]["options"] == {"frame": 3}


def test_memory_is_limited_and_the_worker_replaced() -> None:
    before = run("echo")[0]["process"]
    with pytest.raises(ImageTooLarge, match="memory"):
        run("allocate")
    assert run("echo")[0]["process"] != before


def test_processor_time_is_limited_by_the_size_of_the_file() -> None:
    run("echo")  # started and imported
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    with pytest.raises(ImageTooLarge, match="longer to decode"):
        run("spin", seconds=60)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    # The dead worker's whole life, with its start.
    assert 0.5 < used.ru_utime + used.ru_stime - spent.ru_utime - spent.ru_stime < 5
    assert run("echo")[0]["options"] == {"frame": 3}


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks memory up in /proc")
def test_memory_is_limited_by_the_size_of_the_file() -> None:
    with pytest.raises(ImageTooLarge, match="memory"):
        run("fill")
    assert run("fill", bytes(2 * 1024**2))[0]["sum"] == 9


def test_usage_is_told_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG", "cxrkit.sandbox"):
        run("echo", b"ZZCANARY")
    assert 0 <= caplog.records[-1].cpu < 1
    assert "ZZCANARY" not in caplog.text


def test_own_errors_keep_their_sentence_and_the_worker() -> None:
    before = run("echo")[0]["process"]
    with pytest.raises(ImageError, match=r"^a sentence$"):
        run("refuse")
    assert run("echo")[0]["process"] == before


def test_missing_target_is_a_fault_of_the_program_not_of_the_image() -> None:
    with pytest.raises(ImportError):
        sandbox.call("cxrkit.no_such_module:decode", {})


def test_output_of_codecs_reaches_neither_the_replies_nor_the_screen(
    capfd: pytest.CaptureFixture[str],
) -> None:
    run("chatter", b"ZZCANARY")
    assert run("echo", b"pixels")[0]["options"] == {"frame": 3}
    assert "ZZCANARY" not in "".join(capfd.readouterr())


def test_payload_larger_than_a_pipe_goes_both_ways() -> None:
    payload = os.urandom(5_000_000)
    assert bytes(run("echo", payload)[1][0]) == payload


def test_threads_share_the_workers_without_mixing_replies() -> None:
    payloads = [bytes([index]) * 100_000 for index in range(64)]
    with ThreadPoolExecutor(8) as threads:
        replies = list(threads.map(lambda payload: bytes(run("echo", payload)[1][0]), payloads))
    assert replies == payloads


def test_crashes_in_threads_hurt_nobody_else() -> None:
    def attempt(index: int) -> bool:
        if index % 4 == 0:
            with pytest.raises(ImageError):
                run("crash")
            return True
        return bytes(run("echo", b"%d" % index)[1][0]) == b"%d" % index

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(attempt, range(12)))


def _ask(queue: "multiprocessing.SimpleQueue[object]") -> None:
    queue.put(run("echo")[0]["process"])


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_forked_process_gets_workers_of_its_own() -> None:
    mine = run("echo")[0]["process"]
    fork = multiprocessing.get_context("fork")
    queue = fork.SimpleQueue()
    child = fork.Process(target=_ask, args=(queue,))
    child.start()
    child.join(30)
    assert child.exitcode == 0
    assert queue.get() != mine
    assert run("echo")[0]["process"] == mine


def test_pipes_that_linux_does_not_widen_still_carry_an_image(monkeypatch: pytest.MonkeyPatch) -> None:
    """To a user with many wide pipes it grants no more: fs.pipe-user-pages-soft."""
    asked = []

    def refuse(*arguments: object) -> None:
        asked.append(arguments)
        raise PermissionError

    monkeypatch.setattr(fcntl, "fcntl", refuse)
    pool = sandbox._Pool()
    try:
        payload = os.urandom(3_000_000)
        head = {"target": "tests.sandbox_targets:echo", "options": {}, "seconds": 20.0}
        assert bytes(pool.call(head, payload)[1][0]) == payload
    finally:
        pool.close()
    assert len(asked) == (2 if hasattr(fcntl, "F_SETPIPE_SZ") else 0)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="counts open files in /proc")
def test_a_worker_that_cannot_start_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    before = os.listdir("/proc/self/fd")
    for _ in range(3):
        with pytest.raises(BlockingIOError):
            sandbox._Worker()
    assert len(os.listdir("/proc/self/fd")) == len(before)


def _alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def _within(seconds: float, condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks processes up in /proc")
def test_worker_dies_with_a_killed_parent() -> None:
    script = (
        "from cxrkit import sandbox; import sys, time\n"
        "print(sandbox.call('tests.sandbox_targets:echo', {})[0]['process'], flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        assert _alive(worker)
        parent.send_signal(signal.SIGKILL)
    assert _within(10, lambda: not _alive(worker))


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks processes up in /proc")
def test_busy_worker_dies_at_once_with_a_killed_parent(tmp_path: Path) -> None:
    """It could neither look at the pipe nor run Python."""
    said = tmp_path / "process"
    script = f"from cxrkit import sandbox; sandbox.call('tests.sandbox_targets:hold', {{}}, {str(said).encode()!r})"
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT) as parent:
        assert _within(30, lambda: said.exists() and said.read_text().endswith("\n"))
        worker = int(said.read_text())
        assert _alive(worker)
        parent.send_signal(signal.SIGKILL)
    assert _within(5, lambda: not _alive(worker))


def test_script_without_main_guard_works_and_leaves_nothing_behind(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "print('started')\nfrom cxrkit import sandbox\n"
        "fields = sandbox.call('tests.sandbox_targets:modules', {})[0]\n"
        "assert fields['main'] == '', fields['main']\nassert 'torch' not in fields['modules']\n",
        encoding="utf-8",
    )
    # PYTHONWARNINGS must not reach the worker, where pydicom warns about odd files.
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        [sys.executable, str(script)], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "started\n", "")


def test_decoder_does_not_import_torch() -> None:
    sandbox.call("cxrkit.decoding:decode", {"frame": None, "suffix": ""}, _tiny_png())
    assert not {"torch", "cv2"} & set(run("modules")[0]["modules"])


def _tiny_png() -> bytes:
    import io

    from PIL import Image

    stream = io.BytesIO()
    Image.new("L", (2, 2)).save(stream, "PNG")
    return stream.getvalue()
