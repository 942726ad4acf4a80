"""Processes for tests of cxrkit.batch_workers that load no network: they answer with the name of the case's file."""

import io
import os
import signal
import time
from contextlib import suppress

import psutil

from cxrkit.worker import receive, send


def running(function: str) -> list[psutil.Process]:
    """This process's children that run a function of cxrkit.batch_process or of this module."""
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.Error):  # it has ended meanwhile
            found += [child] if f"; {function}()" in " ".join(child.cmdline()) else []
    return found


def honest() -> None:
    """Answer every case after a moment."""
    _serve("")


def deadly() -> None:
    """Die over deadly.png, as if killed for its memory."""
    _serve("deadly.png")


def stillborn() -> None:
    """Die before anything was read."""


def refusing() -> None:
    """Say that the weights are missing."""
    receive(io.FileIO(0))
    send(io.FileIO(1, "w"), {"fatal": "No weights."}, [])


def _serve(poison: str) -> None:
    requests, replies = io.FileIO(0), io.FileIO(1, "w")
    receive(requests)
    send(replies, {"ready": True}, [])
    while (request := receive(requests)) is not None:
        (name,) = request[0]["files"]
        if name == poison:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.005)
        send(replies, {"prediction": None, "error": name, "seen": []}, [])
