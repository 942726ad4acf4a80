"""Functions that misbehave, for tests to run in the sandbox."""

import ctypes
import os
import sys
import time
from typing import Any

import numpy as np

from cxrkit.errors import ImageError

Answer = tuple[dict[str, Any], list[Any]]


def echo(payload: bytes, options: dict[str, Any]) -> Answer:
    """Give everything back."""
    return {"options": options, "process": os.getpid()}, [payload, np.arange(5, dtype=np.float32)]


def sleep(payload: bytes, options: dict[str, Any]) -> Answer:
    """Hang."""
    time.sleep(60)
    return {}, []


def crash(payload: bytes, options: dict[str, Any]) -> Answer:
    """Die as a codec with a bug does."""
    os.abort()


def unexpected(payload: bytes, options: dict[str, Any]) -> Answer:
    """Raise what nobody expected, with text from the file."""
    raise KeyError(payload.decode())


def refuse(payload: bytes, options: dict[str, Any]) -> Answer:
    """Refuse politely."""
    raise ImageError("a sentence")


def allocate(payload: bytes, options: dict[str, Any]) -> Answer:
    """Ask for more memory than any image may take."""
    return {}, [np.ones(8 * 1024**3, dtype=np.uint8)]


def chatter(payload: bytes, options: dict[str, Any]) -> Answer:
    """Write to the C library's stdout and stderr as codecs do."""
    os.write(1, payload)
    os.write(2, payload)
    return {}, []


def modules(payload: bytes, options: dict[str, Any]) -> Answer:
    """Name what has been imported."""
    return {"modules": sorted(sys.modules), "main": getattr(sys.modules["__main__"], "__file__", "")}, []


def spin(payload: bytes, options: dict[str, Any]) -> Answer:
    """Use the processor for a time that no small file needs."""
    end = time.process_time() + 20
    while time.process_time() < end:
        pass
    return {}, []


def hold(payload: bytes, options: dict[str, Any]) -> Answer:
    """Hang in native code, with the interpreter locked, after saying who hangs."""
    with open(payload.decode(), "w", encoding="ascii") as file:
        file.write(f"{os.getpid()}\n")
    ctypes.PyDLL(None).sleep(60)
    return {}, []


def fill(payload: bytes, options: dict[str, Any]) -> Answer:
    """Use 600 MB."""
    return {"sum": int(np.ones(600 * 1024**2, dtype=np.uint8)[:9].sum())}, []
