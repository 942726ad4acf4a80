"""Run a function in a child process that may hang, crash or run out of memory at no harm to the caller.

A few workers are started on first use, stay warm, and are replaced when one dies. Requests and replies are
a JSON head and raw bytes over pipes: nothing that a worker sends is ever unpickled or run. A worker
(see cxrkit.worker for its side)

- ends itself by an alarm when a request takes too long (also in native code),
- gets processor time and memory after the size of the file: a small one costs under 1 s and 512 MB, whatever it says,
- cannot get more memory than MEMORY_BYTES,
- ends at once when its parent closes its lifeline, and so also when the parent dies, busy or not,
- never imports the parent's __main__, so it works under Streamlit, pytest and plain scripts alike,
- writes nothing to the parent's stdout or stderr: what codecs print may quote a header.
"""

import atexit
import fcntl
import io
import logging
import os
import queue
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Any, cast

from cxrkit.errors import FrameRequired, ImageError, ImageTooLarge
from cxrkit.worker import receive, send

SECONDS = 30.0
WORKERS = 2

_PIPE_BYTES = 2**20
"""The most that Linux gives anybody: an image is 16 MB, and each pipeful a switch."""

Reply = tuple[dict[str, Any], list[memoryview]]

_log = logging.getLogger(__name__)
_CRASHED = (
    "The file made the image decoder fail, so it is damaged or not what it claims to be. "
    "Export the image again from its source, or convert it to PNG."
)
_TOO_SLOW = (
    "The image took longer to decode than is allowed for a file of its size. "
    "Export it at a smaller size or uncompressed."
)


def call(target: str, options: Mapping[str, Any], payload: bytes = b"", seconds: float = SECONDS) -> Reply:
    """Run `module:function` on payload in a worker. Safe to call from many threads.

    Args:
        target: named by the program, never by a user; the function takes (payload, options) and returns
            (fields that JSON can hold, contiguous arrays).
        options: what JSON can hold.
        seconds: wall clock for this request, imports included.

    Returns:
        the fields and the raw bytes of each array.

    Raises:
        ImageError: what the function raised of this tree, or the worker crashed.
        ImageTooLarge: out of time or memory.
        ImportError: there is no such target, or what it imports is not installed.
    """
    return _pool.call({"target": target, "options": dict(options), "seconds": seconds}, payload)


class _Worker:
    """The parent's end of one child process."""

    def __init__(self) -> None:
        theirs, self._lifeline = os.pipe()
        with ExitStack() as on_failure:
            on_failure.callback(os.close, self._lifeline)
            try:
                self._process = self._started(theirs)
            finally:
                os.close(theirs)
            on_failure.pop_all()
        for pipe in (self._process.stdin, self._process.stdout):
            _widen(pipe)

    @staticmethod
    def _started(lifeline: int) -> "subprocess.Popen[bytes]":
        root = str(Path(__file__).resolve().parents[1])
        inherited = {name: text for name, text in os.environ.items() if name != "PYTHONWARNINGS"}
        search = os.pathsep.join(filter(None, [root, inherited.get("PYTHONPATH", "")]))
        return subprocess.Popen(
            [sys.executable, "-P", "-c", f"from cxrkit.worker import serve; serve({lifeline})"],
            pass_fds=(lifeline,),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            # One BLAS thread: each reserves address space, which counts against the memory limit.
            # So does an arena of the C library for each thread.
            env={
                **inherited,
                "PYTHONPATH": search,
                "OPENBLAS_NUM_THREADS": "1",
                "OMP_NUM_THREADS": "1",
                "MALLOC_ARENA_MAX": "1",
            },
        )

    def ask(self, head: dict[str, Any], payload: bytes) -> tuple[dict[str, Any], memoryview] | None:
        """The reply to one request, or None where the worker died over it."""
        try:
            # Unbuffered pipes of Popen are FileIO, which its annotations do not say.
            send(cast(io.FileIO, self._process.stdin), head, [payload])
            return receive(cast(io.FileIO, self._process.stdout))
        except (OSError, ValueError):
            # The pipe broke, or what came out of it is no reply.
            return None

    def stop(self) -> int:
        """End the process if it still runs; return its exit status (negative: the signal it died of)."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        os.close(self._lifeline)
        try:
            return self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


def _widen(pipe: IO[bytes] | None) -> None:
    """Let a pipe hold _PIPE_BYTES where Linux allows it: of all its pipes a user may have only so many so wide.

    A narrow one is slower and does the same.
    """
    command = getattr(fcntl, "F_SETPIPE_SZ", None)  # of Linux alone
    if pipe is not None and command is not None:
        with suppress(OSError):
            fcntl.fcntl(pipe.fileno(), command, _PIPE_BYTES)


class _Pool:
    """Up to WORKERS child processes, each answering one caller at a time."""

    def __init__(self) -> None:
        self._idle: queue.LifoQueue[_Worker | None] = queue.LifoQueue()
        for _ in range(WORKERS):
            self._idle.put(None)

    def call(self, head: dict[str, Any], payload: bytes) -> Reply:
        worker = self._idle.get()
        answer = None
        try:
            worker = worker or _Worker()
            answer = worker.ask(head, payload)
        finally:
            # Also after an exception such as KeyboardInterrupt: half a reply may be left in the pipe.
            status = 0
            if worker is not None and (answer is None or "leaving" in answer[0]):
                status = worker.stop()
                worker = None
            self._idle.put(worker)
        if answer is None:
            _log.debug("a worker died with status %d", status)
            if status in (-signal.SIGALRM, -signal.SIGPROF):
                raise ImageTooLarge(_TOO_SLOW)
            raise ImageError(_CRASHED)
        usage = answer[0]["usage"]
        _log.debug("%.3f s of processor time; %d MB at most so far", usage["cpu"], usage["peak"] >> 20, extra=usage)
        return _open(*answer)

    def close(self) -> None:
        """Stop the workers that are idle; busy ones end when this process does."""
        while not self._idle.empty():
            worker = self._idle.get_nowait()
            if worker is not None:
                worker.stop()


def _open(head: dict[str, Any], body: memoryview) -> Reply:
    """Fields and arrays of a reply, or the error that it stands for."""
    if "missing" in head:
        raise ImportError(f"the sandbox cannot import {head['missing']}")
    if "frames" in head:
        raise FrameRequired(int(head["frames"]))
    if "error" in head:
        kind = ImageTooLarge if head["error"] == "ImageTooLarge" else ImageError
        raise kind(str(head["message"]))
    arrays = []
    for size in head["sizes"]:
        arrays.append(body[:size])
        body = body[size:]
    return head["fields"], arrays


def _start_afresh() -> None:
    """Give a forked process its own workers: two processes must not talk over one pair of pipes."""
    global _pool  # noqa: PLW0603
    _inherited.append(_pool)
    _pool = _Pool()


_pool = _Pool()
_inherited: list[_Pool] = []  # kept alive: collecting them would wait for processes that are not ours
os.register_at_fork(after_in_child=_start_afresh)
atexit.register(lambda: _pool.close())  # noqa: PLW0108  # the pool of that moment
