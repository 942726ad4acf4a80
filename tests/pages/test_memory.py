"""Freed memory goes back to the system, also from between blocks that are in use."""

import platform
import subprocess
import sys

import pytest

BLOCK, COUNT = 100_000, 1000
PROGRAM = f"""
import ctypes, psutil
from pages.ui.memory import give_crumbs_back
library = ctypes.CDLL(None)
library.malloc.restype, library.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
blocks = [library.malloc({BLOCK}) for _ in range({COUNT})]
for block in blocks:
    ctypes.memset(block, 1, {BLOCK})
for block in blocks[::2]:
    library.free(block)
before = psutil.Process().memory_info().rss
give_crumbs_back()
print(before - psutil.Process().memory_info().rss)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only the GNU C library keeps it")
def test_what_lies_free_between_blocks_goes_back() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 0.8 * BLOCK * COUNT / 2
