"""Stored values to gray: exact arithmetic of LUT, rescale, window and inversion against plain NumPy."""

from typing import Any

import numpy as np
import pytest

from cxrkit.errors import ImageError
from cxrkit.image import read_image
from tests.dicom_files import lut, make_dicom

RAMP = np.arange(4096, dtype=np.uint16).reshape(64, 64)
SIGNED = np.arange(-2048, 2048, dtype=np.int16).reshape(64, 64)


def linear(values: np.ndarray, center: float, width: float) -> np.ndarray:
    """PS3.3 C.11.2.1.2.1, word for word, with an output range of 0 to 1."""
    shown = (values - (center - 0.5)) / (width - 1) + 0.5 if width > 1 else np.zeros_like(values)
    shown = np.where(values <= center - 0.5 - (width - 1) / 2, 0.0, shown)
    return np.where(values > center - 0.5 + (width - 1) / 2, 1.0, shown)


def exact(values: np.ndarray, center: float, width: float) -> np.ndarray:
    """PS3.3 C.11.2.1.3.2."""
    shown = (values - center) / width + 0.5
    shown = np.where(values <= center - width / 2, 0.0, shown)
    return np.where(values > center + width / 2, 1.0, shown)


def sigmoid(values: np.ndarray, center: float, width: float) -> np.ndarray:
    """PS3.3 C.11.2.1.3.1."""
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-4 * (values - center) / width))


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("window", [(300.0, 700.0), (1000.5, 123.25), (-50.0, 1.0), (5000.0, 20000.0)])
@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_rescale_window_inversion(photometric: str, window: tuple[float, float], function: str) -> None:
    data = make_dicom(
        SIGNED,
        PhotometricInterpretation=photometric,
        RescaleSlope="0.5",
        RescaleIntercept="-100",
        WindowCenter=str(window[0]),
        WindowWidth=str(window[1]),
        VOILUTFunction=function,
    )
    image = read_image(data)
    rescaled = SIGNED * 0.5 - 100.0
    shown = {"LINEAR": linear, "LINEAR_EXACT": exact, "SIGMOID": sigmoid}[function](rescaled, *window)
    if photometric == "MONOCHROME1":
        turn = rescaled.min() + rescaled.max()
        np.testing.assert_array_equal(image.values, turn - rescaled)
        shown = 1 - shown
    else:
        np.testing.assert_array_equal(image.values, rescaled)
        assert image.window is not None
        (low, high), step = image.window, image.window_step
        assert ((low + high + step) / 2, high - low + step) == pytest.approx(window), "what the viewer tells of it"
    steps = image.values == np.float32(image.display_range()[0])  # where a window of width 1 may go either way
    np.testing.assert_allclose(image.windowed()[~steps], shown[~steps], atol=2e-6)
    assert image.windowed().dtype == np.float32
    assert image.display_range()[0] < image.display_range()[1]


def test_first_of_several_windows_counts() -> None:
    image = read_image(make_dicom(RAMP, WindowCenter=["100", "2000"], WindowWidth=["51", "4096"]))
    assert image.window == (100 - 0.5 - 25, 100 - 0.5 + 25)
    assert image.header["Window"] == "center 100, width 51"


@pytest.mark.parametrize("width", ["0", "-5"])
def test_impossible_window_is_left_out(width: str) -> None:
    image = read_image(make_dicom(RAMP, WindowCenter="100", WindowWidth=width))
    assert image.window is None
    assert "Window" not in image.header


def test_without_window_the_robust_percentiles_count() -> None:
    image = read_image(make_dicom(RAMP))
    assert image.window is None
    np.testing.assert_allclose(image.display_range(), np.percentile(RAMP, (0.5, 99.5)))


def test_constant_image_has_a_display_range() -> None:
    image = read_image(make_dicom(np.full((8, 8), 7, np.uint16)))
    low, high = image.display_range()
    assert low < high
    assert np.isfinite(image.windowed()).all()


def test_only_slope_or_only_intercept() -> None:
    np.testing.assert_array_equal(read_image(make_dicom(RAMP, RescaleSlope="2")).values, RAMP * 2.0)
    np.testing.assert_array_equal(read_image(make_dicom(RAMP, RescaleIntercept="-5")).values, RAMP - 5.0)


def test_slope_of_zero_is_refused() -> None:
    with pytest.raises(ImageError, match="slope is 0"):
        read_image(make_dicom(RAMP, RescaleSlope="0", RescaleIntercept="3"))


@pytest.mark.parametrize(("bits", "count", "first"), [(8, 4096, 0), (12, 1000, 500), (16, 256, 3000), (10, 7, 4)])
def test_voi_lut_clamps_at_both_ends_and_spans_its_output_range(bits: int, count: int, first: int) -> None:
    table = np.linspace(2**bits - 1, 0, count).astype(np.uint16)
    image = read_image(make_dicom(RAMP, VOILUTSequence=[lut(table, first, bits)], WindowCenter="9", WindowWidth="9"))
    np.testing.assert_array_equal(image.values, table[np.clip(RAMP.astype(int) - first, 0, count - 1)])
    assert image.window == (0, 2**bits - 1)
    assert "Window" not in image.header


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_modality_lut_takes_signed_values_and_goes_before_the_voi_lut(bits: int) -> None:
    modality = np.linspace(0, 2**bits - 1, 3000).astype(np.uint16)
    voi = (np.arange(2**bits) % 251).astype(np.uint16)
    elements: dict[str, Any] = {
        "ModalityLUTSequence": [lut(modality, -1500, bits)],
        "VOILUTSequence": [lut(voi if bits < 16 else voi[:-1], 0, 8)],
    }
    expected = modality[np.clip(SIGNED.astype(int) + 1500, 0, 2999)]
    expected = voi[np.clip(expected, 0, len(voi) - (1 if bits < 16 else 2))]
    np.testing.assert_array_equal(read_image(make_dicom(SIGNED, **elements)).values, expected)


def test_short_lookup_table_is_refused() -> None:
    item = lut(np.arange(100), 0, 16)
    item.LUTDescriptor = [4096, 0, 16]
    with pytest.raises(ImageError, match="lookup table"):
        read_image(make_dicom(RAMP, ModalityLUTSequence=[item]))


def test_padding_range_is_invalid_black_and_out_of_the_inversion() -> None:
    pixels = RAMP.copy()
    pixels[:8] = 60000
    pixels[8:10] = 59990
    data = make_dicom(
        pixels,
        PhotometricInterpretation="MONOCHROME1",
        PixelPaddingValue=60000,
        PixelPaddingRangeLimit=59990,
    )
    image = read_image(data)
    assert image.valid is not None
    np.testing.assert_array_equal(image.valid, np.arange(64)[:, None].repeat(64, 1) >= 10)
    kept = pixels[10:].astype(np.float32)
    np.testing.assert_array_equal(image.values[10:], kept.min() + kept.max() - kept)
    assert (image.windowed()[:10] == 0).all()
    np.testing.assert_allclose(image.display_range(), np.percentile(image.values[10:], (0.5, 99.5)))


def test_signed_padding_value() -> None:
    image = read_image(make_dicom(SIGNED, PixelPaddingValue=-2000, PixelPaddingRangeLimit=-2048))
    assert image.valid is not None
    np.testing.assert_array_equal(image.valid, SIGNED > -2000)


def test_padding_everywhere_is_no_padding() -> None:
    assert read_image(make_dicom(np.zeros((8, 8), np.uint16), PixelPaddingValue=0)).valid is None
