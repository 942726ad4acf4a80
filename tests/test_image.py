"""PNG, JPEG and TIFF files, refusals, and what Radiograph promises."""

import dataclasses
import hashlib
import io
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cxrkit.decoded import COLOUR_WARNING, MAX_FILE_BYTES, NOT_FINITE_WARNING
from cxrkit.errors import FrameRequired, ImageError, ImageTooLarge
from cxrkit.image import read_image
from cxrkit.quality import check_image
from cxrkit.raster import DEPTH_WARNING, TRANSPARENCY_WARNING
from tests.dicom_files import make_dicom

RNG = np.random.default_rng(3)
GRAY = RNG.integers(0, 256, (40, 60), dtype=np.uint8)
DEEP = RNG.integers(0, 65536, (40, 60), dtype=np.uint16)
COLOUR = RNG.integers(0, 256, (40, 60, 3), dtype=np.uint8)


def save(image: Image.Image | np.ndarray, kind: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_gray_keeps_its_values_in_both_depths(kind: str) -> None:
    shallow, deep = read_image(save(GRAY, kind)), read_image(save(DEEP, kind))
    np.testing.assert_array_equal(shallow.values, GRAY)
    np.testing.assert_array_equal(deep.values, DEEP)
    assert (shallow.window, deep.window) == ((0.0, 255.0), None)
    assert shallow.values.dtype == deep.values.dtype == np.float32
    assert (shallow.warnings, deep.warnings) == ((), ())
    assert deep.header == {"Rows x columns": "40 x 60", "Bits stored": "16"}
    np.testing.assert_allclose(shallow.windowed(), GRAY / 255, atol=1e-6)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_deflate", "packbits"])
def test_compressed_tiff(compression: str) -> None:
    np.testing.assert_array_equal(read_image(save(DEEP, "TIFF", compression=compression)).values, DEEP)


def test_tiff_that_counts_from_white() -> None:
    data = save(DEEP, "TIFF", tiffinfo={262: 0})
    np.testing.assert_array_equal(read_image(data).values, 65535 - DEEP.astype(int))


def test_float_tiff_leaves_out_what_is_no_number() -> None:
    pixels = GRAY.astype(np.float32)
    pixels[0, :3] = np.nan, np.inf, -np.inf
    image = read_image(save(Image.fromarray(pixels), "TIFF"))
    assert image.valid is not None
    assert np.argwhere(~image.valid).tolist() == [[0, 0], [0, 1], [0, 2]]
    assert image.warnings == (NOT_FINITE_WARNING,)
    assert np.isfinite(image.values).all()
    np.testing.assert_array_equal(image.values[1:], GRAY[1:])


@pytest.mark.parametrize("function", ["LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("width", ["1e-300", "1e-45", "1e-38", "3e-38"])
def test_a_window_too_narrow_to_divide_by_is_a_step(function: str, width: str) -> None:
    pixels = np.pad(np.full((70, 35), 4000, dtype=np.uint16), ((0, 0), (0, 35)))
    image = read_image(make_dicom(pixels, WindowCenter="0", WindowWidth=width, VOILUTFunction=function))
    assert image.window is not None
    low, high = image.display_range()
    assert low < high
    shown = image.windowed()
    assert (shown[:, :35] == 1).all()
    assert (shown[:, 35:] <= 0.5).all(), "no NaN"
    assert not check_image(image, "frontal chest").ok


def test_float_tiff_of_tiny_numbers_is_blank() -> None:
    for largest in (1e-41, 1e-44):
        pixels = RNG.uniform(0, largest, (80, 80)).astype(np.float32)
        image = read_image(save(Image.fromarray(pixels), "TIFF"))
        assert np.isfinite(image.windowed()).all()
        assert check_image(image, "frontal chest").found == "blank"
    pixels = RNG.uniform(0, 1e-35, (80, 80)).astype(np.float32)
    shown = read_image(save(Image.fromarray(pixels), "TIFF")).windowed()
    np.testing.assert_allclose(shown[pixels == pixels.max()], 1)
    assert shown.std() > 0.2


def test_jpeg_stays_close() -> None:
    smooth = np.add.outer(np.arange(40), np.arange(60)).astype(np.uint8)
    assert np.abs(read_image(save(smooth, "JPEG", quality=95)).values - smooth).max() <= 4


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(orientation: int) -> None:
    upright = np.zeros((24, 48), np.uint8)
    upright[:8, :16] = 255
    # Where rows and columns of the stored image lie in the upright one (EXIF 2.3, table of tag 0x0112).
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: upright.T[::-1],
        7: upright.T[::-1, ::-1],
        8: upright.T[:, ::-1],
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = read_image(save(np.ascontiguousarray(stored), "JPEG", exif=exif, quality=95))
    assert image.values.shape == upright.shape
    assert np.abs(image.values - upright).max() < 40


def test_damaged_exif_is_no_reason_to_refuse() -> None:
    assert read_image(save(GRAY, "JPEG", exif=b"Exif\0\0garbage")).values.shape == (40, 60)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG"])
def test_colour_becomes_luminance_with_a_warning(kind: str) -> None:
    image = read_image(save(COLOUR, kind))
    assert image.warnings == (COLOUR_WARNING,)
    assert image.window == (0.0, 255.0)
    if kind != "JPEG":
        np.testing.assert_allclose(image.values, COLOUR @ [0.299, 0.587, 0.114], rtol=1e-5)


def test_equal_channels_are_gray_without_a_warning() -> None:
    image = read_image(save(np.dstack([GRAY] * 3)))
    np.testing.assert_array_equal(image.values, GRAY)
    assert image.warnings == ()


def test_sixteen_bit_colour_says_that_it_loses_depth() -> None:
    size = struct.pack(">IIBBBBB", 60, 40, 16, 2, 0, 0, 0)
    rows = b"".join(b"\0" + np.repeat(row, 3).astype(">u2").tobytes() for row in DEEP)
    image = read_image(png(size, rows))
    np.testing.assert_array_equal(image.values, DEEP >> 8)
    assert image.warnings == (DEPTH_WARNING,)


def test_one_bit_and_palette() -> None:
    bits = GRAY > 127
    np.testing.assert_array_equal(read_image(save(Image.fromarray(bits))).values, bits * 255)
    palette = Image.fromarray(GRAY // 16)
    palette.putpalette([channel for index in range(16) for channel in (index * 3,) * 3])
    image = read_image(save(palette))
    np.testing.assert_array_equal(image.values, GRAY // 16 * 3)
    assert image.warnings == ()


def test_transparency_is_laid_on_black_with_a_warning() -> None:
    alpha = np.full_like(GRAY, 255)
    opaque = np.dstack([GRAY, alpha])
    assert read_image(save(opaque)).warnings == ()
    np.testing.assert_array_equal(read_image(save(opaque)).values, GRAY)
    alpha[:10] = 0
    for pixels in (np.dstack([GRAY, alpha]), np.dstack([GRAY, GRAY, GRAY, alpha])):
        image = read_image(save(pixels))
        assert image.warnings == (TRANSPARENCY_WARNING,)
        assert (image.values[:10] == 0).all()
        np.testing.assert_array_equal(image.values[10:], GRAY[10:])


def test_cmyk_jpeg() -> None:
    assert read_image(save(Image.fromarray(COLOUR).convert("CMYK"), "JPEG")).warnings == (COLOUR_WARNING,)


def test_pages_of_a_tiff() -> None:
    pages = [Image.fromarray(GRAY), Image.fromarray(DEEP)]
    data = save(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    with pytest.raises(FrameRequired) as caught:
        read_image(data)
    assert caught.value.frames == 2
    image = read_image(data, frame=2)
    np.testing.assert_array_equal(image.values, DEEP)
    assert image.sha256 == hashlib.sha256(data).hexdigest() + "-2"
    with pytest.raises(ImageError, match="from 1 to 2"):
        read_image(data, frame=3)


def test_second_image_of_a_phone_s_jpeg_is_no_frame() -> None:
    data = save(Image.fromarray(GRAY), "MPO", save_all=True, append_images=[Image.fromarray(GRAY)])
    assert read_image(data).values.shape == (40, 60)


def png(size: bytes, rows: bytes) -> bytes:
    """A PNG out of the body of its IHDR and its uncompressed rows."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    parts = chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def png_header(width: int, height: int) -> bytes:
    """A PNG that states a size and holds next to nothing."""
    return png(struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0), b"\0")


@pytest.mark.parametrize(("width", "height"), [(65_000, 65_000), (2**31 - 1, 1), (40_000_001, 1)])
def test_png_bomb_is_refused_by_its_header(width: int, height: int) -> None:
    with pytest.raises(ImageTooLarge, match="megapixels"):
        read_image(png_header(width, height))


PNG, JPEG, TIFF = save(GRAY), save(GRAY, "JPEG"), save(GRAY, "TIFF")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"just some text", "not an image"),
        (b"%PDF-1.7 ...", "a PDF"),
        (b"PK\x03\x04 ...", "ZIP"),
        (b"GIF89a", "GIF"),
        (b"\0" * 1000, "not an image"),
        (png_header(40, 40), "damaged"),
        *((data[: len(data) // 2], "damaged") for data in (PNG, JPEG, TIFF)),
        *((data[:12], "damaged") for data in (PNG, JPEG, TIFF)),
    ],
)
def test_refusals_say_what_is_wrong(data: bytes, says: str) -> None:
    with pytest.raises(ImageError, match=says) as caught:
        read_image(data, "ZZCANARY.png")
    assert "ZZCANARY" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_too_large_a_file_is_refused_unopened() -> None:
    with pytest.raises(ImageTooLarge, match="64 MB"):
        read_image(bytes(MAX_FILE_BYTES + 1))


def test_format_is_told_by_the_bytes_not_the_name() -> None:
    np.testing.assert_array_equal(read_image(save(GRAY), "scan.dcm").values, GRAY)


def test_random_damage_gives_an_image_or_an_image_error() -> None:
    for original in (PNG, JPEG, TIFF):
        for _ in range(60):
            damaged = bytearray(original)
            for position in RNG.integers(4, min(len(damaged), 400), 3):
                damaged[position] = RNG.integers(256)
            try:
                assert np.isfinite(read_image(bytes(damaged), frame=1).values).all()
            except ImageError:
                continue


def test_threads_get_identical_results() -> None:
    files = [save(GRAY), save(DEEP), save(COLOUR, "TIFF"), make_dicom(DEEP, RescaleSlope="2")] * 8
    alone = [read_image(data) for data in files[:4]]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(read_image, files))
    for index, image in enumerate(together):
        np.testing.assert_array_equal(image.values, alone[index % 4].values)
        assert (image.sha256, image.warnings) == (alone[index % 4].sha256, alone[index % 4].warnings)


def test_radiograph_is_read_only() -> None:
    image = read_image(PNG)
    assert image.sha256 == hashlib.sha256(PNG).hexdigest()
    with pytest.raises(ValueError, match="read-only"):
        image.values[0, 0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        image.window = None  # type: ignore[misc]
    with pytest.raises(TypeError):
        image.header["Modality"] = "CT"  # type: ignore[index]
