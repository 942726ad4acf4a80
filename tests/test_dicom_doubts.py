"""What a header says that makes an answer doubtful is said."""

from typing import Any

import numpy as np
import pytest

from cxrkit.image import read_image
from tests.dicom_files import make_dicom

RAMP = np.tile(np.arange(4096, dtype=np.uint16), (64, 1))


@pytest.mark.parametrize("kind", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize(("width", "told"), [(4096, False), (3000, False), (1000, True), (200, True)])
def test_a_window_that_cuts_both_ends_off(width: int, told: bool, kind: str) -> None:
    file = make_dicom(RAMP, WindowCenter=2048, WindowWidth=width, PhotometricInterpretation=kind)
    warnings = read_image(file).warnings
    assert any("own window shows only a part" in text for text in warnings) == told
    if width == 1000:
        assert "38% of the pixels are fully black and 38% fully white" in warnings[-1]


def test_air_that_is_black_and_a_file_without_a_window_are_no_doubt() -> None:
    assert not read_image(make_dicom(RAMP, WindowCenter=3096, WindowWidth=2000)).warnings
    assert not read_image(make_dicom(RAMP)).warnings
    (turned,) = read_image(
        make_dicom(RAMP, WindowCenter=1500, WindowWidth=1000, PhotometricInterpretation="MONOCHROME1")
    ).warnings
    assert "51% of the pixels are fully black and 25% fully white" in turned
    counts = make_dicom(RAMP, WindowCenter=2048, WindowWidth=200, Modality="NM")
    assert not read_image(counts).warnings


@pytest.mark.parametrize(
    ("elements", "told"),
    [
        ({"PixelAspectRatio": [2, 1]}, "2 : 1"),
        ({"PixelSpacing": [0.4, 0.2]}, "0.4 : 0.2"),
        ({"PixelSpacing": [0.2, 0.2], "PixelAspectRatio": [2, 1]}, ""),
        ({"PixelAspectRatio": [1, 1]}, ""),
        ({"ImagerPixelSpacing": [0.148, 0.15]}, ""),
    ],
)
def test_pixels_that_are_not_square(elements: dict[str, Any], told: str) -> None:
    warnings = read_image(make_dicom(RAMP[:, ::64], **elements)).warnings
    assert len(warnings) == bool(told)
    assert all(f"height to width {told}" in text for text in warnings)
