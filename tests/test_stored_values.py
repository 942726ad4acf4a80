"""Stored values of DICOM files: where their bits lie, and what counts of nuclear medicine are spared."""

from typing import Any

import numpy as np
import pytest
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian

from cxrkit.decoded import COLOUR_WARNING
from cxrkit.image import read_image
from cxrkit.lung_scan import align, counts_of
from cxrkit.quality import check_image
from cxrkit.scan_facts import read_scan
from cxrkit.scan_reading import read_scan_type
from tests.dicom_files import make_dicom
from tests.scans import drawn_scan, nm_file, noisy

RNG = np.random.default_rng(9)
TWELVE = RNG.integers(0, 4096, (8, 9)).astype(np.uint16)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian], ids=["little", "big"])
@pytest.mark.parametrize(("shift", "around"), [(4, 0x000F), (2, 0xC003)])
def test_bits_are_taken_from_where_the_header_says(syntax: str, shift: int, around: int) -> None:
    words = (TWELVE << shift) | np.uint16(around)
    image = read_image(make_dicom(words, syntax, BitsStored=12, HighBit=11 + shift))
    np.testing.assert_array_equal(image.values, TWELVE)
    assert image.header["Bits stored"] == "12"


def test_signed_values_keep_their_sign_wherever_their_bits_lie() -> None:
    values = TWELVE.astype(np.int16) - 2048
    image = read_image(make_dicom(values << 4, BitsStored=12, HighBit=15))
    np.testing.assert_array_equal(image.values, values)


@pytest.mark.parametrize("high", [5, 31])
def test_a_high_bit_that_makes_no_sense_is_ignored(high: int) -> None:
    np.testing.assert_array_equal(read_image(make_dicom(TWELVE, BitsStored=12, HighBit=high)).values, TWELVE)


def palette_elements() -> dict[str, Any]:
    """A palette of 256 colours, from blue to red."""
    ramp = (np.arange(256, dtype=np.uint16) * 257).astype("<u2")
    tables = {"Red": ramp, "Green": np.minimum(ramp, ramp[::-1]), "Blue": ramp[::-1]}
    elements: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for name, table in tables.items():
        elements[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        elements[f"{name}PaletteColorLookupTableData"] = table.tobytes()
    return elements


def test_counts_under_a_palette_stay_counts() -> None:
    counts = noisy(drawn_scan())
    image = read_scan(nm_file(counts, **palette_elements()))
    np.testing.assert_array_equal(image.values, counts)
    assert image.warnings == ()
    assert check_image(image, "planar lung scan").ok
    photograph = read_image(make_dicom(counts.astype(np.uint8), **palette_elements()))
    assert COLOUR_WARNING in photograph.warnings


def test_counts_that_are_shown_dark_stay_counts() -> None:
    counts = noisy(drawn_scan())
    image = read_scan(nm_file(counts, PhotometricInterpretation="MONOCHROME1", WindowCenter="50", WindowWidth="101"))
    np.testing.assert_array_equal(image.values, counts)
    assert image.window == (-0.5, 99.5)
    found = read_scan_type(image, align(counts_of(image)), 0.9, 0.5, None)
    assert found.counts == int(counts.sum())
