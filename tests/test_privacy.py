"""A canary in every text tag off the allowlist, and in what codecs and pydicom raise, turns up nowhere."""

import io
import logging
import traceback
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.datadict import DicomDictionary, keyword_dict

from cxrkit.dicom_header import ALLOWLIST
from cxrkit.errors import ImageError
from cxrkit.image import Radiograph, read_image
from tests.dicom_files import make_dataset, to_bytes

CANARY = "ZZCANARYZZ"
PIXELS = np.arange(1024, dtype=np.uint16).reshape(32, 32)
TEXT_VRS = {"AE", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT", "CS"}
# Text that steers the decoding; each has a test of its own below.
STEERING = {"PhotometricInterpretation", "SpecificCharacterSet"}


def canary_dataset() -> tuple[pydicom.FileDataset, int]:
    """An image with the canary in every text element off the allowlist, nested and private ones included."""
    dataset = make_dataset(PIXELS)
    count = 0
    for tag, (vr, _, _, _, keyword) in DicomDictionary.items():
        group = tag >> 16
        if vr not in TEXT_VRS or group < 8 or keyword in STEERING or keyword in ALLOWLIST.values():
            continue
        dataset.add_new(tag, vr, CANARY)
        count += 1
    nested = pydicom.Dataset()
    nested.PatientName = nested.CodeMeaning = nested.CodeValue = CANARY
    dataset.RequestAttributesSequence = [nested]
    dataset.RadiopharmaceuticalInformationSequence = [nested]
    block = dataset.private_block(0x0011, CANARY, create=True)
    block.add_new(1, "LO", CANARY)
    return dataset, count


def everything(image: Radiograph) -> str:
    """All text that can be got out of a Radiograph."""
    fields: list[Any] = [getattr(image, name) for name in image.__dataclass_fields__ if name != "values"]
    return repr([repr(image), str(image), fields, dict(image.header), vars(image)])


def test_allowlist_is_the_agreed_one() -> None:
    assert set(ALLOWLIST.values()) == {
        "Modality",
        "ViewPosition",
        "BodyPartExamined",
        "SeriesDescription",
        "Radiopharmaceutical",
        "PhotometricInterpretation",
        "BitsStored",
        "ManufacturerModelName",
    }
    assert set(ALLOWLIST.values()) <= set(keyword_dict)


def test_canary_is_nowhere_in_an_image_that_is_read(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    dataset, count = canary_dataset()
    data = to_bytes(dataset)
    assert count > 500
    assert data.count(CANARY.encode()) > count
    with caplog.at_level(logging.DEBUG):
        image = read_image(data, f"{CANARY}.dcm")
    np.testing.assert_array_equal(image.values, PIXELS)
    assert set(image.header) <= {*ALLOWLIST, "Rows x columns", "Window", "Pixel spacing (mm)"}
    out, err = capfd.readouterr()
    assert CANARY not in everything(image) + caplog.text + out + err


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("Rows", CANARY.encode()),
        ("NumberOfFrames", CANARY.encode()),
        ("BitsAllocated", CANARY.encode()),
        ("WindowCenter", CANARY.encode()),
        ("RescaleSlope", CANARY.encode()),
        ("PixelSpacing", CANARY.encode()),
        ("StudyDate", CANARY.encode()),
        ("PhotometricInterpretation", CANARY.encode()),
        ("SpecificCharacterSet", CANARY.encode()),
        ("VOILUTFunction", CANARY.encode()),
        ("TransferSyntaxUID", CANARY.encode()),
    ],
)
def test_canary_in_a_broken_value_is_in_no_message(
    keyword: str, value: bytes, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """pydicom quotes such values in its exceptions, warnings and logs."""
    data = _with_raw_value(keyword, value)
    assert data.count(CANARY.encode()) > 500
    with caplog.at_level(logging.DEBUG):
        try:
            shown = everything(read_image(data, f"{CANARY}.dcm"))
        except ImageError as error:
            shown = told(error)
    out, err = capfd.readouterr()
    assert CANARY not in shown + caplog.text + out + err


def test_pydicom_itself_would_have_told() -> None:
    """Else the test above shows nothing."""
    dataset = pydicom.dcmread(io.BytesIO(_with_raw_value("PhotometricInterpretation", CANARY.encode())))
    with pytest.raises(ValueError, match=CANARY):
        dataset.convert_pixel_data()
    data = _with_raw_value("SpecificCharacterSet", CANARY.encode())
    with pytest.warns(UserWarning, match=CANARY):
        pydicom.dcmread(io.BytesIO(data))


def told(error: ImageError) -> str:
    """All that a handler or a traceback shows of an error, without the lines of this test's own source."""
    chain = "".join(traceback.format_exception(error, chain=True))
    lines = [line for line in chain.splitlines() if not line.startswith("    ")]
    return repr([str(error), repr(error), error.args, error.__cause__, error.__dict__, *lines])


RAW_VRS = {"NumberOfFrames": "IS", "Rows": "US", "BitsAllocated": "US", "StudyDate": "DA", "TransferSyntaxUID": "UI"}
RAW_VRS |= {"RescaleSlope": "DS", "WindowCenter": "DS", "PixelSpacing": "DS"}


def _with_raw_value(keyword: str, value: bytes) -> bytes:
    """canary_dataset as a file with the bytes of one element exchanged, which pydicom would refuse to write."""
    dataset, _ = canary_dataset()
    dataset.WindowWidth = dataset.WindowCenter = 100
    if keyword == "SpecificCharacterSet":
        dataset.SpecificCharacterSet = "ISO_IR 100"
        return to_bytes(dataset).replace(b"ISO_IR 100", value)
    raw = b"1.2.3.4.5.6.7.8.9\0"
    tag = keyword_dict[keyword]
    if tag >> 16 == 2:
        data = _with_meta(dataset, raw)
    else:
        dataset.add_new(tag, "UI", raw[:-1].decode())
        data = to_bytes(dataset)
    start = data.index(raw)
    vr = RAW_VRS.get(keyword, "CS").encode()
    return data[: start - 4] + vr + data[start - 2 : start] + value.ljust(len(raw)) + data[start + len(raw) :]


def _with_meta(dataset: pydicom.FileDataset, raw: bytes) -> bytes:
    """The file with raw, of the same length as a standard UID, as its transfer syntax."""
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
    data = to_bytes(dataset)
    standard = b"1.2.840.10008.1.2\0"
    start = data.index(standard, data.index(b"\x02\0\x10\0UI"))
    return data[:start] + raw + data[start + len(standard) :]
