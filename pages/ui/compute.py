"""Threads that compute for all sessions.

Streamlit runs every rerun in a thread of its own, and torch starts its helpers anew in each, which takes longer than
some of what they compute. Threads that stay keep them; and no more images are computed at once than there are cores.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P, T = ParamSpec("P"), TypeVar("T")

_THREADS = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="compute")


def computed(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What a function returns or raises, from one of the threads that stay; it must not draw on the page."""
    return _THREADS.submit(function, *args, **kwargs).result()
