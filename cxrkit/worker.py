"""The child's side of cxrkit.sandbox: answer requests one by one, within limits; and the messages of both sides."""

import fcntl
import importlib
import io
import json
import os
import resource
import select
import signal
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cxrkit.decoded import MAX_DECODED_BYTES
from cxrkit.errors import FrameRequired, ImageError

MEMORY_BYTES = 2 * 1024**3
CPU_SECONDS = 0.85
CPU_SECONDS_PER_MEGABYTE = 4.0
"""Lossy JPEG 2000, the slowest coding, takes about 1 s a megabyte of file."""
SMALL_FILE_BYTES = 480 * 1024**2
"""What a worker may hold in all while it reads a file of no size; each byte of the file adds BYTES_PER_BYTE."""
BYTES_PER_BYTE = 200

Target = Callable[[bytes, dict[str, Any]], tuple[dict[str, Any], Sequence[Any]]]

_HEAD = struct.Struct("<IQ")
_MAX_JSON_BYTES = 1024**2
_TOO_MUCH_MEMORY = "Decoding the image takes more memory than allowed. Export it at a smaller size."


def send(stream: io.FileIO, head: Mapping[str, Any], parts: Sequence[Any]) -> None:
    """Write one message: lengths, JSON, raw bytes."""
    text = json.dumps(head).encode()
    views = [memoryview(part).cast("B") for part in parts]
    lengths = _HEAD.pack(len(text), sum(view.nbytes for view in views))
    for rest in (memoryview(lengths), memoryview(text), *views):
        while rest.nbytes:
            rest = rest[stream.write(rest) :]  # noqa: PLW2901


def receive(stream: io.FileIO) -> tuple[dict[str, Any], memoryview] | None:
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


def serve(lifeline: int) -> None:
    """Answer requests until the parent closes the pipe. Runs in the child only.

    Args:
        lifeline: read end of a pipe that nothing is ever written to; its hang-up ends this process.
    """
    requests, replies = io.FileIO(os.dup(0), "r"), io.FileIO(os.dup(1), "w")
    # Codecs print to the C library's stdout, which would end up between the replies.
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Ctrl-C is the parent's to handle. The default action of the others ends the process even in native code.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    deadly = {signal.SIGALRM, signal.SIGPROF, signal.SIGIO}
    for each in deadly:
        signal.signal(each, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, deadly)
    _die_with_parent(lifeline)
    while (request := receive(requests)) is not None:
        signal.setitimer(signal.ITIMER_REAL, request[0]["seconds"])
        head, arrays = _answer(*request)
        del request
        send(replies, head, arrays)
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        if "leaving" in head:
            return


def _die_with_parent(lifeline: int) -> None:
    """From now on the lifeline's hang-up ends the process, native code or not.

    The pipe of requests would not do: the kernel may signal that it was written to after all of it has been read.
    """
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([lifeline], [], [], 0)[0]:
        os.kill(os.getpid(), signal.SIGIO)  # it happened before


def _answer(head: dict[str, Any], payload: memoryview) -> tuple[dict[str, Any], Sequence[Any]]:
    """Find the request's function and run it within the limits for its file; imports do not count."""
    module, _, name = head["target"].partition(":")
    try:
        function: Target = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        # A fault of the installation, not of the file; it must not look like a damaged image.
        return {"missing": head["target"], "usage": {"cpu": 0.0, "peak": 0}}, []
    started = time.process_time()
    _limit(payload.nbytes)
    reply, arrays = _run(function, payload, head["options"])
    return {**reply, "usage": {"cpu": time.process_time() - started, "peak": _memory().get("VmHWM", 0)}}, arrays


def _limit(size: int) -> None:
    """Limit processor time and memory for a file of so many bytes."""
    signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS + CPU_SECONDS_PER_MEGABYTE * size / 1024**2)
    memory = _memory()
    if memory:
        # The kernel limits address space, of which more is reserved than used: so what may be added is limited.
        more = SMALL_FILE_BYTES - memory["VmRSS"] + BYTES_PER_BYTE * size
        resource.setrlimit(resource.RLIMIT_AS, (min(memory["VmSize"] + more, MEMORY_BYTES), MEMORY_BYTES))


def _memory() -> dict[str, int]:
    """Bytes of this process's address space (VmSize), resident now (VmRSS) and at most (VmHWM); {} without /proc."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return {}
    lines = (line.split() for line in status.read_text(encoding="ascii", errors="replace").splitlines())
    return {words[0][:-1]: int(words[1]) * 1024 for words in lines if words[0] in ("VmSize:", "VmRSS:", "VmHWM:")}


def _run(function: Target, payload: memoryview, options: dict[str, Any]) -> tuple[dict[str, Any], Sequence[Any]]:
    """Run a request's function. Any exception but the tree's own ends the worker, which is its purpose."""
    try:
        fields, arrays = function(bytes(payload), options)
    except FrameRequired as error:
        return {"frames": error.frames}, []
    except ImageError as error:
        return {"error": type(error).__name__, "message": str(error)}, []
    except MemoryError:
        # What native code left behind after a failed allocation is unknown: start afresh.
        return {"error": "ImageTooLarge", "message": _TOO_MUCH_MEMORY, "leaving": True}, []
    return {"fields": fields, "sizes": [memoryview(array).nbytes for array in arrays]}, arrays
