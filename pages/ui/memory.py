"""Uploads stay in memory, and what a visitor no longer needs of it goes back to the system."""

import ctypes
import functools
import gc
import platform
import threading
import time
import weakref
from queue import SimpleQueue

from starlette.formparsers import MultiPartParser

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_BYTES = 4 * 2**20
"""Less would also take what a network computes to the system and back at every layer, one page of 4 KiB at a time."""

_REST_SECONDS = 0.3
"""A session falls apart piece by piece, and several go at once."""

_gone: SimpleQueue[None] = SimpleQueue()
"""Takes a word from a finalizer in any thread, also from within a collection, as other queues do not."""


class Stay:
    """Put one into a session's state: soon after the server has dropped that session, what lies free goes back.

    Streamlit tells nobody when it drops a session that has expired.
    """

    def __init__(self) -> None:
        _tidier()
        weakref.finalize(self, _gone.put, None).atexit = False


def give_images_back() -> None:
    """Let the GNU C library return every freed block of four mebibytes and more to the system at once.

    It would raise both limits to the size of an image by itself, and keep some more after every upload.
    """
    if platform.libc_ver()[0] == "glibc":
        for limit in (_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD):
            ctypes.CDLL(None).mallopt(limit, _BYTES)


def keep_uploads_in_memory(most: int) -> None:
    """Let no upload of up to `most` bytes touch a disk: the server would write what is above 1 MiB to a nameless file
    first, one small piece after the other."""
    MultiPartParser.spool_max_size = most


def give_crumbs_back() -> None:
    """Return what lies free between blocks that are in use; takes some 20 to 70 ms."""
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


@functools.cache
def _tidier() -> threading.Thread:
    """The one thread of this process that waits for sessions to go."""
    thread = threading.Thread(target=_tidy, name="tidier", daemon=True)
    thread.start()
    return thread


def _tidy() -> None:
    while True:
        _gone.get()
        time.sleep(_REST_SECONDS)
        while not _gone.empty():
            _gone.get()
        give_crumbs_back()


def keep_for_good() -> None:
    """Take everything alive now out of later collections: call it after large libraries and networks are loaded.

    Streamlit collects after every run of a script. With torch loaded that would halt all sessions for a quarter of a
    second; so it takes a millisecond.
    """
    gc.collect()
    gc.freeze()
