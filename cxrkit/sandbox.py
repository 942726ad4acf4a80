"""Run a function in a child process that may hang, crash or run out of memory at no harm to the caller.

A few workers are started on first use, stay warm, and are replaced when one dies. Requests and replies are
a JSON head and raw bytes over pipes: nothing that a worker sends is ever unpickled or run. A worker

- ends itself by an alarm when a request takes too long (also in native code, also without a parent),
- cannot get more memory than MEMORY_BYTES,
- ends when its parent closes the pipe, and so also when the parent dies,
- never imports the parent's __main__, so it works under Streamlit, pytest and plain scripts alike,
- writes nothing to the parent's stdout or stderr: what codecs print may quote a header.
"""

import atexit
import importlib
import io
import json
import os
import queue
import resource
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from cxrkit.decoded import MAX_DECODED_BYTES
from cxrkit.errors import FrameRequired, ImageError, ImageTooLarge

SECONDS = 30.0
MEMORY_BYTES = 2 * 1024**3
WORKERS = 2

Reply = tuple[dict[str, Any], list[memoryview]]
Target = Callable[[bytes, dict[str, Any]], tuple[dict[str, Any], Sequence[Any]]]

_HEAD = struct.Struct("<IQ")
_MAX_JSON_BYTES = 1024**2
_CRASHED = (
    "The file made the image decoder fail, so it is damaged or not what it claims to be. "
    "Export the image again from its source, or convert it to PNG."
)
_TOO_SLOW = (
    "The image took longer to decode than the {seconds:g} seconds allowed. Export it at a smaller size or uncompressed."
)
_TOO_MUCH_MEMORY = "Decoding the image takes more memory than allowed. Export it at a smaller size."


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
        root = str(Path(__file__).resolve().parents[1])
        inherited = {name: text for name, text in os.environ.items() if name != "PYTHONWARNINGS"}
        search = os.pathsep.join(filter(None, [root, inherited.get("PYTHONPATH", "")]))
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", "from cxrkit.sandbox import serve; serve()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            # One BLAS thread: each reserves address space, which counts against the memory limit.
            env={**inherited, "PYTHONPATH": search, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )

    def ask(self, head: dict[str, Any], payload: bytes) -> tuple[dict[str, Any], memoryview] | None:
        """The reply to one request, or None where the worker died over it."""
        try:
            # Unbuffered pipes of Popen are FileIO, which its annotations do not say.
            _send(cast(io.FileIO, self._process.stdin), head, [payload])
            return _receive(cast(io.FileIO, self._process.stdout))
        except (OSError, ValueError):
            # The pipe broke, or what came out of it is no reply.
            return None

    def stop(self) -> int:
        """End the process if it still runs; return its exit status (negative: the signal it died of)."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            return self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


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
            if status == -signal.SIGALRM:
                raise ImageTooLarge(_TOO_SLOW.format(seconds=head["seconds"]))
            raise ImageError(_CRASHED)
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


def _send(stream: io.FileIO, head: Mapping[str, Any], parts: Sequence[Any]) -> None:
    """Write one message: lengths, JSON, raw bytes."""
    text = json.dumps(head).encode()
    views = [memoryview(part).cast("B") for part in parts]
    lengths = _HEAD.pack(len(text), sum(view.nbytes for view in views))
    for rest in (memoryview(lengths), memoryview(text), *views):
        while rest.nbytes:
            rest = rest[stream.write(rest) :]  # noqa: PLW2901


def _receive(stream: io.FileIO) -> tuple[dict[str, Any], memoryview] | None:
    """Read one message, or None at the end of the stream or where it is malformed."""
    lengths = _read_exactly(stream, _HEAD.size)
    if lengths is None:
        return None
    json_size, body_size = _HEAD.unpack(lengths)
    if json_size > _MAX_JSON_BYTES or body_size > MAX_DECODED_BYTES:
        return None
    text = _read_exactly(stream, json_size)
    body = _read_exactly(stream, body_size)
    if text is None or body is None:
        return None
    return json.loads(bytes(text)), body


def _read_exactly(stream: io.FileIO, size: int) -> memoryview | None:
    """The next size bytes, or None where the stream ends before."""
    buffer = memoryview(bytearray(size))
    filled = 0
    while filled < size:
        count = stream.readinto(buffer[filled:])
        if not count:
            return None
        filled += count
    return buffer


def serve() -> None:
    """Answer requests until the parent closes the pipe. Runs in the child only."""
    requests, replies = io.FileIO(os.dup(0), "r"), io.FileIO(os.dup(1), "w")
    # Codecs print to the C library's stdout, which would end up between the replies.
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Ctrl-C is the parent's to handle. The alarm's default action ends the process even in native code.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
    while (request := _receive(requests)) is not None:
        signal.setitimer(signal.ITIMER_REAL, request[0]["seconds"])
        head, arrays = _answer(*request)
        del request
        _send(replies, head, arrays)
        signal.setitimer(signal.ITIMER_REAL, 0)
        if "leaving" in head:
            return


def _answer(head: dict[str, Any], payload: memoryview) -> tuple[dict[str, Any], Sequence[Any]]:
    """Run the request's function. Any exception but the tree's own ends the worker, which is its purpose."""
    module, _, name = head["target"].partition(":")
    try:
        function: Target = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        # A fault of the installation, not of the file; it must not look like a damaged image.
        return {"missing": head["target"]}, []
    try:
        fields, arrays = function(bytes(payload), head["options"])
    except FrameRequired as error:
        return {"frames": error.frames}, []
    except ImageError as error:
        return {"error": type(error).__name__, "message": str(error)}, []
    except MemoryError:
        # What native code left behind after a failed allocation is unknown: start afresh.
        return {"error": "ImageTooLarge", "message": _TOO_MUCH_MEMORY, "leaving": True}, []
    return {"fields": fields, "sizes": [memoryview(array).nbytes for array in arrays]}, arrays


def _start_afresh() -> None:
    """Give a forked process its own workers: two processes must not talk over one pair of pipes."""
    global _pool  # noqa: PLW0603
    _inherited.append(_pool)
    _pool = _Pool()


_pool = _Pool()
_inherited: list[_Pool] = []  # kept alive: collecting them would wait for processes that are not ours
os.register_at_fork(after_in_child=_start_afresh)
atexit.register(lambda: _pool.close())  # noqa: PLW0108  # the pool of that moment
