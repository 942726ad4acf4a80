"""Headers of compressed frames: what they say, and frames that are refused before a decoder sees them."""

import io
import struct

import numpy as np
import pytest
from PIL import Image
from pydicom.encaps import get_frame
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit

from cxrkit.codestream import MAX_SCANS, Layout, check_frame, check_scans, frame_layout
from cxrkit.errors import ImageError, ImageTooLarge
from cxrkit.image import read_image
from tests.dicom_files import encapsulated, make_dataset, to_bytes

GRAY = np.random.default_rng(8).integers(0, 256, (40, 50), dtype=np.uint8)
DEEP = GRAY.astype(np.uint16) * 16


def jpeg(pixels: np.ndarray = GRAY, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", **options)
    return stream.getvalue()


def jpeg_2000() -> bytes:
    dataset = make_dataset(DEEP, BitsStored=12, HighBit=11)
    dataset.compress(JPEG2000Lossless, encoding_plugin="pylibjpeg", generate_instance_uid=False)
    return get_frame(dataset.PixelData, 0, number_of_frames=1)


def test_layout_of_jpeg_and_jpeg_2000() -> None:
    assert frame_layout(jpeg()) == Layout(40, 50, 1, 8)
    assert frame_layout(jpeg(np.stack([GRAY] * 3, axis=2), progressive=True)) == Layout(40, 50, 3, 8)
    assert frame_layout(jpeg_2000()) == Layout(40, 50, 1, 12)
    box = b"\0\0\0\x0cjP  \r\n\x87\n"
    assert frame_layout(box + jpeg_2000()) == Layout(40, 50, 1, 12)


@pytest.mark.parametrize("stream", [b"", b"\xff\xd8", GRAY.tobytes(), b"\0\0\0\x0cjP  nothing", b"\xff\x4f\xff\x51\0"])
def test_no_header_has_no_layout(stream: bytes) -> None:
    assert frame_layout(stream) is None


def test_every_cut_of_a_header_has_no_layout_or_the_right_one() -> None:
    for stream in (jpeg(), jpeg_2000()):
        layouts = {frame_layout(stream[:end]) for end in range(len(stream))}
        assert layouts == {None, frame_layout(stream)}


def test_markers_that_decoders_skip_differently_end_the_search() -> None:
    """A decoder would skip two bytes, and take the size from inside what seems to be a segment."""
    hidden = b"\xff\xd8\xff\x01\x00\x20" + bytes(30) + jpeg()[2:]
    assert frame_layout(hidden) is None


def test_absurd_tiles_have_no_layout() -> None:
    stream = bytearray(jpeg_2000())
    struct.pack_into(">II", stream, 8, 5000, 5000)
    struct.pack_into(">II", stream, 24, 1, 1)
    assert frame_layout(bytes(stream)) is None


def test_frame_has_to_be_laid_out_as_the_header_says() -> None:
    check_frame(jpeg(), Layout(40, 50, 1, 8))
    check_frame(jpeg_2000(), Layout(40, 50, 1, 16))
    wrong = [Layout(41, 50, 1, 8), Layout(40, 49, 1, 8), Layout(40, 50, 3, 8), Layout(40, 50, 1, 32)]
    for stated in wrong:
        with pytest.raises(ImageError, match="another size or depth"):
            check_frame(jpeg(), stated)
    with pytest.raises(ImageError, match="another size or depth"):
        check_frame(jpeg_2000(), Layout(40, 50, 1, 8))


def test_many_passes_are_refused() -> None:
    check_scans(jpeg(progressive=True))
    bomb = jpeg(progressive=True)[:-2] + b"\xff\xda" * MAX_SCANS + b"\xff\xd9"
    with pytest.raises(ImageTooLarge, match="passes"):
        check_scans(bomb)
    with pytest.raises(ImageTooLarge, match="passes"):
        read_image(bomb)


def test_dicom_frame_of_another_size_never_reaches_the_decoder() -> None:
    """JPEG 2000 of 6000 x 6000 under an honest header took 5 s and 1.5 GB; JPEG-LS of another size aborted."""
    stream = bytearray(jpeg_2000())
    struct.pack_into(">II", stream, 8, 6000, 6000)
    for data in (
        encapsulated(bytes(stream), JPEG2000Lossless, DEEP),
        encapsulated(jpeg(), JPEGBaseline8Bit, GRAY[:-2]),
        encapsulated(jpeg(), JPEGBaseline8Bit, GRAY.astype(np.uint32)),
    ):
        with pytest.raises(ImageError, match="another size or depth"):
            read_image(data)


def test_extended_offsets_choose_the_frame_that_is_checked() -> None:
    """pydicom reads the frame that this table names, wherever it lies."""
    dataset = make_dataset(GRAY)
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    items = [stream + b"\0" * (len(stream) % 2) for stream in (jpeg(), jpeg(GRAY[:8]))]
    first, second = (struct.pack("<HHI", 0xFFFE, 0xE000, len(item)) + item for item in items)
    table = struct.pack("<HHI", 0xFFFE, 0xE000, 0)
    dataset.PixelData = table + first + second
    dataset["PixelData"].is_undefined_length = True
    dataset.ExtendedOffsetTable = struct.pack("<Q", len(first))
    dataset.ExtendedOffsetTableLengths = struct.pack("<Q", len(items[1]))
    with pytest.raises(ImageError, match="another size or depth"):
        read_image(to_bytes(dataset))
