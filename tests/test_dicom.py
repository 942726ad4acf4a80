"""DICOM files: every syntax, the shared real files, pydicom's packaged files, damaged and hostile ones."""

import csv
import warnings
from datetime import datetime
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.pixels import apply_modality_lut, pixel_array
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from cxrkit.decoded import COLOUR_WARNING
from cxrkit.dicom import ODD_WARNING
from cxrkit.errors import CxrkitError, FrameRequired, ImageError
from cxrkit.image import Radiograph, days_between, read_image
from tests.dicom_files import make_dataset, make_dicom, to_bytes

RNG = np.random.default_rng(5)
PIXELS = {
    "u1": RNG.integers(0, 256, (19, 23), dtype=np.uint8),
    "u2": RNG.integers(0, 65536, (19, 23), dtype=np.uint16),
    "i2": RNG.integers(-32768, 32768, (19, 23), dtype=np.int16),
}
SYNTAXES = [
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
]
PACKAGED = Path(pydicom.__file__).parent / "data" / "test_files"


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda uid: uid.name)
@pytest.mark.parametrize("kind", PIXELS)
def test_every_writable_syntax_comes_out_exact(syntax: str, kind: str) -> None:
    image = read_image(make_dicom(PIXELS[kind], syntax))
    np.testing.assert_array_equal(image.values, PIXELS[kind])
    assert image.warnings == ()


def test_header_spacing_and_days() -> None:
    facts = {"StudyDate": "20240228", "PixelSpacing": ["0.2", "0.3"], "ViewPosition": "PA", "PatientSex": "F"}
    first = read_image(make_dicom(PIXELS["u2"], **facts))
    second = read_image(
        make_dicom(PIXELS["u2"], StudyDate="20240301", ImagerPixelSpacing=["0.14", "0.15"], PatientSex="O")
    )
    assert "Patient's sex" not in second.header
    assert first.spacing_mm == (0.2, 0.3)
    assert second.spacing_mm == (0.14, 0.15)
    assert days_between(first, second) == 2
    assert days_between(second, first) == -2
    assert days_between(first, read_image(make_dicom(PIXELS["u1"]))) is None
    assert dict(first.header) == {
        "Modality": "DX",
        "View position": "PA",
        "Photometric interpretation": "MONOCHROME2",
        "Bits stored": "16",
        "Patient's sex": "F",
        "Rows x columns": "19 x 23",
        "Pixel spacing (mm)": "0.2 x 0.3",
    }


DATES = {
    "AcquisitionDateTime": "20240105101112.5+0100",
    "AcquisitionDate": "20240104",
    "AcquisitionTime": "0910",
    "ContentDate": "20240103",
    "ContentTime": "081500.25",
    "StudyDate": "20240102",
    "StudyTime": "07",
}


@pytest.mark.parametrize(
    ("missing", "taken"),
    [
        (0, datetime(2024, 1, 5, 10, 11, 12)),
        (1, datetime(2024, 1, 4, 9, 10)),
        (3, datetime(2024, 1, 3, 8, 15)),
        (5, datetime(2024, 1, 2, 7)),
        (7, None),
    ],
)
def test_when_it_was_taken_is_the_nearest_date_that_is_stated(missing: int, taken: datetime | None) -> None:
    image = read_image(make_dicom(PIXELS["u1"], **dict(list(DATES.items())[missing:])))
    assert image.taken == taken
    shown = f"{dict(image.header)} {image} {image.warnings}"
    assert "2024" not in shown.replace(image.sha256, "")  # whose digits may be any


@pytest.mark.parametrize(
    ("elements", "taken"),
    [
        ({"StudyDate": "20240230"}, None),
        ({"StudyDate": "yesterday"}, None),
        ({"StudyDate": "00000000"}, None),
        ({"StudyDate": "2024022"}, None),
        ({"StudyDate": ["20240228", "20240229"]}, None),
        ({"StudyDate": "2024.02.28"}, datetime(2024, 2, 28)),
        ({"StudyDate": "20240228", "StudyTime": "256199"}, datetime(2024, 2, 28)),
        ({"StudyDate": "20240228", "StudyTime": "noon"}, datetime(2024, 2, 28)),
        ({"StudyDate": "20240228", "StudyTime": "12:30:60"}, datetime(2024, 2, 28, 12, 30, 59)),
        ({"StudyDate": "20240228", "AcquisitionDateTime": "2024"}, datetime(2024, 2, 28)),
        ({"StudyDate": "20240228", "AcquisitionDateTime": "20241399"}, datetime(2024, 2, 28)),
        ({"AcquisitionDateTime": "20240228"}, datetime(2024, 2, 28)),
    ],
)
def test_odd_dates_are_no_dates_and_no_errors(elements: dict[str, str], taken: datetime | None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # pydicom's, about the values that are wrong on purpose
        data = make_dicom(PIXELS["u1"], **elements)
    assert read_image(data).taken == taken


@pytest.mark.parametrize(("stated", "view"), [("LL", "LL"), ("", None), (None, None)])
def test_the_view_is_as_stated(stated: str | None, view: str | None) -> None:
    elements = {} if stated is None else {"ViewPosition": stated}
    assert read_image(make_dicom(PIXELS["u1"], **elements)).view == view


def test_unused_high_bits_are_ignored() -> None:
    pixels = np.arange(64, dtype=np.uint16).reshape(8, 8)
    image = read_image(make_dicom(pixels | 0xF000, BitsStored=12, HighBit=11))
    np.testing.assert_array_equal(image.values, pixels)


def test_frames() -> None:
    frames = RNG.integers(0, 256, (3, 8, 9), dtype=np.uint8)
    data = make_dicom(frames)
    with pytest.raises(FrameRequired, match="3 frames") as caught:
        read_image(data)
    assert caught.value.frames == 3
    images = [read_image(data, frame=number) for number in (1, 2, 3)]
    for image, frame in zip(images, frames, strict=True):
        np.testing.assert_array_equal(image.values, frame)
    assert len({image.sha256 for image in images}) == 3
    assert images[1].sha256 == images[0].sha256.removesuffix("-1") + "-2"
    for number in (0, 4, -1):
        with pytest.raises(ImageError, match="from 1 to 3"):
            read_image(data, frame=number)


def test_enhanced_multi_frame_takes_the_frame_s_own_groups() -> None:
    def group(center: int, slope: int) -> pydicom.Dataset:
        item, window, rescale = pydicom.Dataset(), pydicom.Dataset(), pydicom.Dataset()
        window.WindowCenter, window.WindowWidth = center, 101
        rescale.RescaleSlope, rescale.RescaleIntercept = slope, 0
        item.FrameVOILUTSequence, item.PixelValueTransformationSequence = [window], [rescale]
        return item

    shared, measures = pydicom.Dataset(), pydicom.Dataset()
    measures.PixelSpacing = [0.5, 0.5]
    shared.PixelMeasuresSequence = [measures]
    frames = RNG.integers(0, 256, (2, 8, 8), dtype=np.uint8)
    data = make_dicom(
        frames,
        SharedFunctionalGroupsSequence=[shared],
        PerFrameFunctionalGroupsSequence=[group(50, 1), group(70, 3)],
    )
    image = read_image(data, frame=2)
    np.testing.assert_array_equal(image.values, frames[1] * 3.0)
    assert image.window == (70 - 0.5 - 50, 70 - 0.5 + 50)
    assert image.spacing_mm == (0.5, 0.5)


def test_colour_becomes_luminance_with_a_warning_and_equal_channels_do_not() -> None:
    colour = RNG.integers(0, 256, (8, 9, 3), dtype=np.uint8)
    image = read_image(make_dicom(colour))
    np.testing.assert_allclose(image.values, colour @ [0.299, 0.587, 0.114], rtol=1e-6)
    assert image.warnings == (COLOUR_WARNING,)
    assert image.window == (0, 255)
    gray = read_image(make_dicom(np.dstack([colour[..., 0]] * 3)))
    np.testing.assert_array_equal(gray.values, colour[..., 0])
    assert gray.warnings == ()


def rows_of_expected(folder: Path) -> list[dict[str, str]]:
    with (folder / "dicom" / "expected.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def read_frames(data: bytes) -> list[Radiograph]:
    """All frames of a file."""
    try:
        return [read_image(data)]
    except FrameRequired as error:
        return [read_image(data, frame=number) for number in range(1, error.frames + 1)]


@pytest.mark.data
@pytest.mark.parametrize("index", range(23))
def test_shared_files_come_out_as_listed(shared_data: Path, index: int) -> None:
    rows = rows_of_expected(shared_data)
    assert len(rows) == 23
    row = rows[index]
    path = shared_data / "dicom" / row["file"]
    if row["outcome"] == "refuse":
        with pytest.raises(ImageError) as caught:
            read_image(path.read_bytes(), path.name)
        assert path.stem not in str(caught.value)
        return
    images = read_frames(path.read_bytes())
    assert len(images) == int(row["frames"])
    assert {image.values.shape for image in images} == {(int(row["rows"]), int(row["columns"]))}
    assert images[0].header["Modality"] == row["modality"]
    assert images[0].header["Photometric interpretation"] == row["photometric"]
    found = (min(image.values.min() for image in images), max(image.values.max() for image in images))
    if row["photometric"] == "RGB":
        # The listed range is that of the three channels.
        assert int(row["stored_min"]) <= found[0] < found[1] <= int(row["stored_max"])
        assert COLOUR_WARNING in images[0].warnings
        return
    # Listed are stored values: put through the file's own modality LUT they are what has to come out.
    # An inversion keeps the range.
    dataset = pydicom.dcmread(path)
    if row["file"] == "photo_flowers_rle.dcm":
        del dataset.ModalityLUTSequence, dataset.RescaleSlope  # both are there, without a value
    if row["file"] == "voi_lut.dcm":
        expected = np.asarray([0, 65535])
    else:
        expected = apply_modality_lut(np.asarray([int(row["stored_min"]), int(row["stored_max"])]), dataset)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.data
def test_ct_in_four_lossless_syntaxes_is_one_image(shared_data: Path) -> None:
    names = ("implicit_little_endian", "explicit_big_endian", "rle", "jpeg_ls", "jpeg_lossless")
    images = [read_image((shared_data / "dicom" / f"ct_{name}.dcm").read_bytes()) for name in names]
    for image in images[1:]:
        np.testing.assert_array_equal(image.values, images[0].values)


def test_packaged_files_agree_with_pydicom_or_are_refused() -> None:
    """Only files in the wheel; nothing is downloaded."""
    read = 0
    for path in sorted(PACKAGED.glob("*.dcm")):
        try:
            images = read_frames(path.read_bytes())
        except CxrkitError:
            continue
        read += 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pydicom about files that are odd on purpose
            dataset = pydicom.dcmread(path)
            if dataset.SamplesPerPixel == 3 or "Palette" in dataset.PhotometricInterpretation.title():
                assert COLOUR_WARNING in images[0].warnings, path.name
                continue
            if path.name in ("JPEG-lossy.dcm", "JPGExtended.dcm"):
                continue  # pydicom alone cannot; the next test
            expected = apply_modality_lut(pixel_array(dataset, index=0), dataset)
        np.testing.assert_allclose(images[0].values, expected, rtol=1e-6, err_msg=path.name)
    assert read >= 55


@pytest.mark.parametrize("name", ["JPEG-lossy.dcm", "JPGExtended.dcm"])
def test_twelve_bit_jpeg_has_the_values_of_pydicom_s_reference(name: str) -> None:
    image = read_image((PACKAGED / name).read_bytes())
    assert image.values[420, 140] == 244
    assert image.values[230, 120] == 95


def test_odd_file_is_read_with_one_neutral_warning() -> None:
    pixels = PIXELS["u1"][:18]
    dataset = make_dataset(pixels)
    dataset.PixelData += b"ZZCANARY"
    image = read_image(to_bytes(dataset))
    np.testing.assert_array_equal(image.values, pixels)
    assert image.warnings == (ODD_WARNING,)
