"""Actions measured in turn, so that whatever slows the machine for a while slows all of them."""

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from cxrkit.speed import Measurement

FEWEST = 5
"""Runs below which a 95th percentile would say nothing that the slowest run does not."""

Actions = Mapping[str, Callable[[], object]]


def interleaved(actions: Actions, rounds: int) -> dict[str, list[float]]:
    """Seconds of each action, all of them once a round, after one round that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in actions}
    for number in range(rounds + 1):
        for name, action in actions.items():
            start = time.perf_counter()
            action()
            if number:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def measured(
    what: str,
    values: Sequence[float],
    unit: str,
    *,
    waiting: bool = False,
    goal: float | None = None,
    note: str = "",
) -> Measurement:
    """A row from the values of all runs.

    Args:
        what: was measured.
        values: one for each run, at least one, in the unit.
        unit: see Measurement.
        waiting: give the 95th percentile too, unless there are fewer than FEWEST runs.
        goal, note: see Measurement.
    """
    p95 = float(np.percentile(values, 95)) if waiting and len(values) >= FEWEST else None
    return Measurement(what, float(np.median(values)), unit, len(values), p95, goal, note)


def in_milliseconds(seconds: Mapping[str, Sequence[float]]) -> list[Measurement]:
    """One row for each action, in its order."""
    return [measured(name, [1000 * value for value in values], "ms") for name, values in seconds.items()]
