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
from cxrkit.phantoms.scan import SimulatedScan, simulate_scan
from cxrkit.phantoms.scan_drawn import drawn_scan
from cxrkit.phantoms.scan_file import ScanHeader, usual_header, write_scan
from cxrkit.phantoms.scan_patient import LungPatient, PerfusionDefect, random_patient
from cxrkit.phantoms.scan_population import MIXED, REVERSED, USUAL, ScanPopulation, random_scan, random_study
from cxrkit.phantoms.scan_samples import SCAN_SAMPLES, ScanSample
from cxrkit.phantoms.scan_settings import Camera, ScanKind, ScanSettings
from cxrkit.phantoms.settings import LESIONS, ChestSettings, Lesion, random_chest

__all__ = [
    "ATLAS_AGES",
    "HAND_SAMPLES",
    "LESIONS",
    "MIXED",
    "PAIR_SAMPLES",
    "REVERSED",
    "SAMPLES",
    "SCAN_SAMPLES",
    "USUAL",
    "Camera",
    "ChestSettings",
    "HandSample",
    "HandSettings",
    "Lesion",
    "LungPatient",
    "PairSample",
    "PairSettings",
    "PerfusionDefect",
    "SampleCase",
    "ScanHeader",
    "ScanKind",
    "ScanPopulation",
    "ScanSample",
    "ScanSettings",
    "SimulatedChest",
    "SimulatedHand",
    "SimulatedPair",
    "SimulatedScan",
    "atlas",
    "drawn_scan",
    "random_chest",
    "random_hand",
    "random_pair",
    "random_patient",
    "random_scan",
    "random_study",
    "simulate_chest",
    "simulate_hand",
    "simulate_pair",
    "simulate_scan",
    "usual_header",
    "write_scan",
]
