"""Memory that a visitor no longer needs goes back to the system."""

import ctypes
import gc
import platform

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_BYTES = 2**20


def give_images_back() -> None:
    """Let the GNU C library return every freed block of a mebibyte and more to the system at once.

    It would raise both limits to the size of an image by itself, and keep some more after every upload.
    """
    if platform.libc_ver()[0] == "glibc":
        for limit in (_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD):
            ctypes.CDLL(None).mallopt(limit, _BYTES)


def give_crumbs_back() -> None:
    """Return what lies free between blocks that are in use, of sessions that have gone; takes some 20 to 70 ms."""
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


def keep_for_good() -> None:
    """Take everything alive now out of later collections: call it after large libraries and networks are loaded.

    Streamlit collects after every run of a script. With torch loaded that would halt all sessions for a quarter of a
    second; so it takes a millisecond.
    """
    gc.collect()
    gc.freeze()
