"""Simulated radiographs with known answers, projected from seeded 3-D anatomy."""

from cxrkit.phantoms.chest import SimulatedChest, simulate_chest
from cxrkit.phantoms.samples import SAMPLES, SampleCase
from cxrkit.phantoms.settings import LESIONS, ChestSettings, Lesion, random_chest

__all__ = [
    "LESIONS",
    "SAMPLES",
    "ChestSettings",
    "Lesion",
    "SampleCase",
    "SimulatedChest",
    "random_chest",
    "simulate_chest",
]
