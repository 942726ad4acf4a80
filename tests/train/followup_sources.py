"""Simulated chests as the generator of made pairs takes them."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from cxrkit.lungs import LungField
from cxrkit.phantoms import ChestSettings, simulate_chest
from cxrkit.pixels import resize
from train.followup.made import MadePair, Plan, draw_plan, make_pair
from train.followup.sources import wide_view
from train.followup.space import Frame

SIDE = 128


class Source(NamedTuple):
    """One radiograph as make_pair takes it."""

    view: NDArray[np.uint8]
    lungs: NDArray[np.uint8]
    frame: Frame


@cache
def _simulated(seed: int) -> Source:
    chest = simulate_chest(ChestSettings(seed, size=360, marker=False))
    lungs = chest.lungs.astype(np.float32)
    rows, columns = np.flatnonzero(lungs.any(axis=1)), np.flatnonzero(lungs.any(axis=0))
    box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    return Source(*wide_view(chest.values, LungField(resize(lungs, 128, 128), box)))


@pytest.fixture(scope="module")
def sources() -> list[Source]:
    """Simulated chests without findings; their lungs are known."""
    return [_simulated(seed) for seed in range(3)]


def pairs(sources: Sequence[Source], count: int, share: float, **wanted: object) -> list[tuple[Plan, MadePair]]:
    """Pairs of all sources in turn."""
    made = []
    for seed in range(count):
        plan = draw_plan(np.random.default_rng(seed), share, **wanted)  # type: ignore[arg-type]
        made.append((plan, make_pair(*sources[seed % len(sources)], plan, SIDE)))
    return made


def without_lesions(plan: Plan) -> Plan:
    return replace(plan, lesions=(), direction=None, control=False)
