"""Freed memory goes back to the system, also from between blocks that are in use, once a session has gone."""

import asyncio
import platform
import subprocess
import sys
from typing import Any

import pytest
from starlette.datastructures import UploadFile
from starlette.requests import Request
from streamlit.testing.v1 import AppTest

from pages.ui.memory import Stay

BLOCK, COUNT = 100_000, 1000
PROGRAM = f"""
import ctypes, gc, psutil, time
from pages.ui.memory import Stay
library = ctypes.CDLL(None)
library.malloc.restype, library.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
sessions = [{{"stay": Stay()}} for _ in range(3)]
for session in sessions:
    session["itself"] = session  # as Streamlit's sessions, only a collection ends it
blocks = [library.malloc({BLOCK}) for _ in range({COUNT})]
for block in blocks:
    ctypes.memset(block, 1, {BLOCK})
for block in blocks[::2]:
    library.free(block)
resident = psutil.Process().memory_info
before = resident().rss
time.sleep(1)
while_there = before - resident().rss
del session, sessions
gc.collect()
until = time.monotonic() + 10
while before - resident().rss < {BLOCK * COUNT // 3} and time.monotonic() < until:
    time.sleep(0.05)
print(while_there, before - resident().rss)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only the GNU C library keeps it")
def test_what_lies_free_between_blocks_goes_back_once_a_session_has_gone() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    kept, returned = map(int, done.stdout.split())
    assert kept < 0.1 * BLOCK * COUNT / 2
    assert returned > 0.6 * BLOCK * COUNT / 2


def test_a_session_has_one_stay(app: AppTest) -> None:
    stay = app.session_state["stay"]
    assert isinstance(stay, Stay)
    app.button(key="acknowledge").click().run()
    assert app.session_state["stay"] is stay


async def _sent(size: int) -> tuple[int | None, bool]:
    """Send an upload of this many bytes as to the server: its size, and whether it is in memory."""
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.dcm"\r\n\r\n'
    body = [head, *[bytes(65_536)] * (size // 65_536), b"\r\n--x--\r\n"]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body.pop(0), "more_body": bool(body)}

    kind = (b"content-type", b"multipart/form-data; boundary=x")
    scope = {"type": "http", "method": "PUT", "path": "/", "query_string": b"", "headers": [kind]}
    async with Request(scope, receive).form() as form:
        file = form["file"]
        assert isinstance(file, UploadFile)
        return file.size, file._in_memory


def test_no_upload_touches_a_disk(app: AppTest) -> None:
    """README says so; by itself the server writes whatever is above 1 MiB to a nameless file."""
    app.run()
    for megabytes in (2, 64):
        assert asyncio.run(_sent(megabytes << 20)) == (megabytes << 20, True)
