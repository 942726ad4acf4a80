"""Threads that compute for all sessions.

Streamlit runs every rerun in a thread of its own, and torch starts its helpers anew in each, which takes longer than
some of what they compute. Threads that stay keep them; no more is computed at once than there are cores, which
the pieces of work share.
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
"""One for each piece of work that is computed or waits for it; an image has two while guard and preparation run."""

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
    """How many pieces of work are computed at this moment or wait for it, of all sessions."""
    return len(_ASKED)


def _with_its_share(asked: object, function: Callable[[], T]) -> T:
    """Work alone has all cores; where other work waits, each gets fewer helpers, which do more in all."""
    try:
        import torch

        torch.set_num_threads(max(1, _CORES // len(_ASKED)))  # of this thread
        return function()
    finally:
        _ASKED.discard(asked)
