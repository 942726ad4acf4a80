"""Simulated radiographs with known answers, projected from seeded 3-D anatomy."""

from cxrkit.phantoms.chest import SimulatedChest, simulate_chest
from cxrkit.phantoms.pairs import (
    PAIR_SAMPLES,
    PairSample,
    PairSettings,
    SimulatedPair,
    random_pair,
    simulate_pair,
)
from cxrkit.phantoms.samples import SAMPLES, SampleCase
from cxrkit.phantoms.settings import LESIONS, ChestSettings, Lesion, random_chest

__all__ = [
    "LESIONS",
    "PAIR_SAMPLES",
    "SAMPLES",
    "ChestSettings",
    "Lesion",
    "PairSample",
    "PairSettings",
    "SampleCase",
    "SimulatedChest",
    "SimulatedPair",
    "random_chest",
    "random_pair",
    "simulate_chest",
    "simulate_pair",
]
