"""TIFF files whose samples Pillow does not take for what they are."""

import struct
from typing import Any

import numpy as np
import pytest

from cxrkit.decoded import COLOUR_WARNING
from cxrkit.image import read_image
from cxrkit.raster import DEPTH_WARNING

RNG = np.random.default_rng(6)
UNSIGNED, SIGNED, FLOAT = 1, 2, 3
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB = 0, 1, 2


def tiff(pixels: np.ndarray[Any, Any], photometric: int, kind: int | None) -> bytes:
    """A little-endian TIFF of one strip, [H, W] or [H, W, 3]; `kind` is its SampleFormat, None = no such tag."""
    samples = 1 if pixels.ndim == 2 else pixels.shape[2]
    raw, bits = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes(), 8 * pixels.dtype.itemsize
    tags = [
        *((256, pixels.shape[1]), (257, pixels.shape[0]), (258, bits), (259, 1), (262, photometric), (273, 0)),
        *((277, samples), (278, pixels.shape[0]), (279, len(raw))),
        *([] if kind is None else [(339, kind)]),
    ]
    end = 8 + 2 + 12 * len(tags) + 4
    many = b"" if samples == 1 else struct.pack("<3H", *[bits] * 3) + struct.pack("<3H", *[kind or UNSIGNED] * 3)
    body = b""
    for tag, value in tags:
        if samples > 1 and tag in {258, 339}:
            body += struct.pack("<HHII", tag, 3, samples, end + (6 if tag == 339 else 0))
        else:
            body += struct.pack("<HHII", tag, 4, 1, end + len(many) if tag == 273 else value)
    return struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + body + bytes(4) + many + raw


def test_floats_that_count_from_white_are_turned_within_their_range() -> None:
    pixels = RNG.random((5, 6)).astype(np.float32) * 7 - 2
    np.testing.assert_array_equal(read_image(tiff(pixels, BLACK_IS_ZERO, FLOAT)).values, pixels)
    pixels[0, 0] = np.nan
    image = read_image(tiff(pixels, WHITE_IS_ZERO, FLOAT))
    assert image.valid is not None
    turned = np.nanmin(pixels) + np.nanmax(pixels) - pixels
    np.testing.assert_allclose(image.values[image.valid], turned[image.valid], atol=1e-6)
    assert np.count_nonzero(~image.valid) == 1


@pytest.mark.parametrize("kind", [UNSIGNED, None])
def test_large_unsigned_values_stay_large(kind: int | None) -> None:
    pixels = RNG.integers(0, 2**32, (5, 6), dtype=np.uint32)
    np.testing.assert_array_equal(read_image(tiff(pixels, BLACK_IS_ZERO, kind)).values, pixels.astype(np.float32))


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32])
def test_signed_values_keep_their_sign(dtype: type[np.signedinteger[Any]]) -> None:
    limits = np.iinfo(dtype)
    pixels = RNG.integers(limits.min, limits.max, (5, 6), dtype=dtype)
    image = read_image(tiff(pixels, BLACK_IS_ZERO, SIGNED))
    np.testing.assert_array_equal(image.values, pixels.astype(np.float32))
    assert image.window is None


def test_colour_in_sixteen_bits_says_that_it_loses_depth() -> None:
    pixels = RNG.integers(0, 65536, (5, 6, 3), dtype=np.uint16)
    assert read_image(tiff(pixels, RGB, UNSIGNED)).warnings == (COLOUR_WARNING, DEPTH_WARNING)
    assert read_image(tiff((pixels >> 8).astype(np.uint8), RGB, UNSIGNED)).warnings == (COLOUR_WARNING,)
    assert read_image(tiff(pixels[..., 0], BLACK_IS_ZERO, UNSIGNED)).warnings == ()
