"""Memory that a visitor no longer needs goes back to the system."""

import ctypes
import gc
import platform


def keep_for_good() -> None:
    """Take everything alive now out of later collections: call it after large libraries and networks are loaded.

    Streamlit collects after every run of a script. With torch loaded that would halt all sessions for a quarter of a
    second; so it takes a millisecond.
    """
    gc.collect()
    gc.freeze()


def give_back() -> None:
    """Return free memory to the system; the GNU C library keeps it otherwise, some more after every image."""
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)
