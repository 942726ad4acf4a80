"""Damaged and hostile DICOM files: one sentence each, at once, and within the limits."""

import io
import struct
import time
import zlib

import numpy as np
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit, generate_uid

from cxrkit.decoded import MAX_DECODED_BYTES
from cxrkit.errors import ImageError, ImageTooLarge
from cxrkit.image import read_image
from tests.dicom_files import encapsulated, make_dataset, make_dicom, to_bytes

PIXELS = np.random.default_rng(6).integers(0, 65536, (32, 32), dtype=np.uint16)


def test_deflate_bomb_is_stopped_while_inflating() -> None:
    data = make_dicom(PIXELS, DeflatedExplicitVRLittleEndian)
    head = data[: 132 + 12 + struct.unpack("<I", data[140:144])[0]]
    deflater = zlib.compressobj(1, wbits=-15)
    # One private element of zeros, just over the limit.
    size = MAX_DECODED_BYTES + 2
    parts = [head, deflater.compress(struct.pack("<HH2s2xI", 9, 0x1010, b"OB", size))]
    parts += [deflater.compress(bytes(2**20)) for _ in range(size // 2**20 + 1)]
    bomb = b"".join([*parts, deflater.flush()])
    assert len(bomb) < 2**22
    started = time.monotonic()
    with pytest.raises(ImageTooLarge, match="inflates"):
        read_image(bomb)
    assert time.monotonic() - started < 20


def test_transfer_syntax_text_elsewhere_does_not_fool_the_inflater() -> None:
    dataset = make_dataset(PIXELS, DeflatedExplicitVRLittleEndian)
    dataset.preamble = DeflatedExplicitVRLittleEndian.encode().ljust(128, b"\0")
    dataset.file_meta.ImplementationVersionName = "1.2"
    np.testing.assert_array_equal(read_image(to_bytes(dataset)).values, PIXELS)


@pytest.mark.parametrize(
    ("elements", "kind"),
    [
        ({"Rows": 65535, "Columns": 65535}, ImageTooLarge),
        ({"Rows": 6400, "Columns": 6400}, ImageTooLarge),
        ({"Rows": 6000, "Columns": 6000, "NumberOfFrames": 8}, ImageTooLarge),
        ({"NumberOfFrames": 2**31 - 1}, ImageTooLarge),
        ({"Rows": 0}, ImageError),
        ({"NumberOfFrames": -3}, ImageError),
        ({"BitsAllocated": 7}, ImageError),
        ({"SamplesPerPixel": 2}, ImageError),
        ({"PhotometricInterpretation": "CMYK"}, ImageError),
        ({"Columns": 64}, ImageError),
        ({"PixelRepresentation": 9}, ImageError),
    ],
)
def test_header_that_asks_too_much_or_makes_no_sense(elements: dict[str, int], kind: type[ImageError]) -> None:
    dataset = make_dataset(PIXELS)
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    with pytest.raises(ImageError) as caught:
        read_image(to_bytes(dataset))
    assert type(caught.value) is kind


def test_truncated_anywhere_is_one_image_error() -> None:
    data = make_dicom(PIXELS, PatientName="ZZCANARY")
    for end in [*range(1, 700, 23), len(data) - 1]:
        with pytest.raises(ImageError) as caught:
            read_image(data[:end])
        assert "ZZCANARY" not in repr(caught.value)


def test_random_damage_gives_an_image_or_an_image_error() -> None:
    data = make_dicom(PIXELS, PatientName="ZZCANARY", WindowCenter="5", WindowWidth="9", RescaleSlope="1")
    generator = np.random.default_rng(7)
    for _ in range(200):
        damaged = bytearray(data)
        for position in generator.integers(132, len(data) - PIXELS.nbytes, 4):
            damaged[position] = generator.integers(256)
        try:
            image = read_image(bytes(damaged))
        except ImageError:
            continue
        assert np.isfinite(image.windowed()).all()


def test_missing_preamble_is_refused() -> None:
    with pytest.raises(ImageError, match="DICM mark"):
        read_image(make_dicom(PIXELS)[132:], "scan.DCM")


def test_no_pixels_is_refused() -> None:
    dataset = make_dataset(PIXELS)
    del dataset.PixelData
    with pytest.raises(ImageError, match="holds no image"):
        read_image(to_bytes(dataset))


def test_unknown_transfer_syntax_is_named_as_the_reason() -> None:
    dataset = make_dataset(PIXELS)
    dataset.file_meta.TransferSyntaxUID = generate_uid()
    stream = io.BytesIO()
    dataset.save_as(stream, implicit_vr=False, little_endian=True)
    with pytest.raises(ImageError, match="not supported"):
        read_image(stream.getvalue())


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGBaseline8Bit])
def test_garbage_codestream(syntax: str) -> None:
    for frame in (b"\xff\xd8\xff\xd9", b"\xff\x4f\xff\x51" + bytes(500), PIXELS.tobytes()):
        with pytest.raises(ImageError):
            read_image(encapsulated(frame, syntax, PIXELS))


def test_codestream_larger_than_its_header_says() -> None:
    """A JPEG 2000 header of 60,000 x 60,000 under a DICOM header of 32 x 32."""
    size = struct.pack(">HHIIIIIIIIH3B", 41, 0, *[60000, 60000, 0, 0] * 2, 1, 15, 1, 1)
    coding = b"\xff\x52\x00\x0c\x00\x00\x00\x01\x00\x00\x04\x04\x00\x01"
    stream = b"\xff\x4f\xff\x51" + size + coding + b"\xff\x5c\x00\x04\x40\x40" + b"\xff\x90\x00\x0a" + bytes(4)
    stream += b"\0\0\0\x0e\0\x01\xff\x93\xff\xd9"
    started = time.monotonic()
    with pytest.raises(ImageError):
        read_image(encapsulated(stream, JPEG2000Lossless, PIXELS))
    assert time.monotonic() - started < 20
