"""Threads that compute for all sessions.

Streamlit runs every rerun in a thread of its own, and torch starts its helpers anew in each, which takes longer than
some of what they compute. Threads that stay keep them; no more images are computed at once than there are cores, and
those that are share the cores.
"""

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from cxrkit.helper_threads import calm_helpers

if TYPE_CHECKING:
    from streamlit.runtime.caching.cache_utils import CachedFunc

P = ParamSpec("P")
T = TypeVar("T")

_CORES = os.cpu_count() or 1
_THREADS = ThreadPoolExecutor(_CORES, thread_name_prefix="compute")
_ASKED: set[object] = set()
"""One for each image that is computed or waits for it."""

calm_helpers()


def computed(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What a function returns or raises, from one of the threads that stay; it must not draw on the page."""
    return begun(function, *args, **kwargs).result()


def begun(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
    """As `computed`, for whoever has something to do meanwhile."""
    asked = object()
    _ASKED.add(asked)
    return _THREADS.submit(_with_its_share, asked, partial(function, *args, **kwargs))


def settled(cached: "CachedFunc[P, Future[T]]", *args: P.args, **kwargs: P.kwargs) -> T:
    """What a cached beginning has come to; an error is not kept, as what is missing may be there the next time.

    Args:
        cached: returns what `begun` returns.
        args, kwargs: its own.
    """
    future = cached(*args, **kwargs)
    if future.exception() is not None:
        cached.clear(*args, **kwargs)
    return future.result()


def waiting() -> int:
    """How many sessions' images are computed at this moment or wait for it."""
    return len(_ASKED)


def _with_its_share(asked: object, function: Callable[[], T]) -> T:
    """One image alone has all cores; where others wait, each gets fewer helpers, which do more in all."""
    import torch

    try:
        torch.set_num_threads(max(1, _CORES // len(_ASKED)))  # of this thread
        return function()
    finally:
        _ASKED.discard(asked)
