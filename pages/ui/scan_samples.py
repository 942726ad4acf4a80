"""A simulated day of lung scans in place of uploads: files as cameras write them, some of them wrong on purpose."""

from dataclasses import dataclass, field, replace
from functools import cache

import streamlit as st

from cxrkit.phantoms import SCAN_SAMPLES, ScanHeader, ScanKind, ScanSettings, random_study, simulate_scan, write_scan

IN_WORDS = (
    "A day at a made-up department: computed scans, written as nuclear medicine DICOM files with two views each and "
    "read like any other file. Some headers are wrong on purpose, and the true types are known."
)

_SWAPPED, _SILENT, _UNCODED = 20, 41, 33
"""Seeds of drawn patients."""


@dataclass(frozen=True)
class SimulatedFile:
    """One file of the day.

    Attributes:
        name: of the file.
        data: its bytes.
        truth: what it shows.
    """

    name: str
    data: bytes = field(repr=False)
    truth: ScanKind


def simulated_day() -> list[SimulatedFile]:
    """All files of the day; they are the same on every day, and say how far they are while they are made."""
    place, total = st.empty(), len(_asked())
    files = []
    for index in range(total):
        files.append(_file(index))
        place.progress((index + 1) / total, f"Simulating scan {index + 1} of {total} …")
    place.empty()
    return files


@st.cache_resource(max_entries=32, show_spinner=False)
def _file(index: int) -> SimulatedFile:
    """Shared by all sessions: it holds nothing of a person, and nobody changes it."""
    settings, header = _asked()[index]
    data = write_scan(simulate_scan(settings), header)
    return SimulatedFile(f"scan_{index + 1:02d}.dcm", data, settings.kind)


@cache
def _asked() -> tuple[tuple[ScanSettings, ScanHeader], ...]:
    """What is scanned, and what its file says."""
    samples = {sample.name: sample for sample in SCAN_SAMPLES}
    first, wrong = samples["perfusion"], samples["mismatch"]
    perfusion, ventilation = random_study(_SWAPPED)
    return (
        *((sample.settings, sample.header) for sample in SCAN_SAMPLES),
        # The other scan of the study whose ventilation is missing: both are perfusion scans.
        (replace(wrong.settings, noise=1), replace(wrong.header, series_description="LUNG PERF ANT/POST")),
        (perfusion, ScanHeader("Lung Ventilation Static", "Technegas", study=907)),
        (ventilation, ScanHeader("Lung Perfusion Static", "MAA", study=907)),
        (random_study(_SILENT)[0], ScanHeader("NM Lung V/Q", study=908)),
        (first.settings, replace(first.header, study_description="Sent again")),
        (random_study(_UNCODED)[1], ScanHeader("Ventilation statisch", "Technegas", study=909, coding="none")),
    )
