"""Simulated radiographs with known answers, projected from seeded 3-D anatomy."""

from cxrkit.phantoms.chest import SimulatedChest, simulate_chest
from cxrkit.phantoms.hand import SimulatedHand, simulate_hand
from cxrkit.phantoms.hand_samples import ATLAS_AGES, HAND_SAMPLES, HandSample, atlas
from cxrkit.phantoms.hand_settings import HandSettings, random_hand
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
    "ATLAS_AGES",
    "HAND_SAMPLES",
    "LESIONS",
    "PAIR_SAMPLES",
    "SAMPLES",
    "ChestSettings",
    "HandSample",
    "HandSettings",
    "Lesion",
    "PairSample",
    "PairSettings",
    "SampleCase",
    "SimulatedChest",
    "SimulatedHand",
    "SimulatedPair",
    "atlas",
    "random_chest",
    "random_hand",
    "random_pair",
    "simulate_chest",
    "simulate_hand",
    "simulate_pair",
]
