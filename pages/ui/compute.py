"""Threads that compute for all sessions.

Streamlit runs every rerun in a thread of its own, and torch starts its helpers anew in each, which takes longer than
some of what they compute. Threads that stay keep them; no more images are computed at once than there are cores, and
those that are share the cores.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from cxrkit.helper_threads import calm_helpers

P = ParamSpec("P")
T = TypeVar("T")

_CORES = os.cpu_count() or 1
_THREADS = ThreadPoolExecutor(_CORES, thread_name_prefix="compute")
_ASKED: set[object] = set()
"""One for each image that is computed or waits for it."""

calm_helpers()


def computed(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What a function returns or raises, from one of the threads that stay; it must not draw on the page."""
    asked = object()
    _ASKED.add(asked)
    try:
        return _THREADS.submit(_with_its_share, partial(function, *args, **kwargs)).result()
    finally:
        _ASKED.discard(asked)


def waiting() -> int:
    """How many sessions' images are computed at this moment or wait for it."""
    return len(_ASKED)


def _with_its_share(function: Callable[[], T]) -> T:
    """One image alone has all cores; where others wait, each gets fewer helpers, which do more in all."""
    import torch

    torch.set_num_threads(max(1, _CORES // len(_ASKED)))  # of this thread
    return function()
