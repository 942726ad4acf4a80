"""From stored values to gray: modality LUT or rescale, VOI LUT or window, MONOCHROME1 (PS3.3 C.11).

Tables are looked up here and not by pydicom, whose VOI function wraps the index of a table with more than 256
entries of 8 bits, and whose modality function knows tables of 8 and 16 bits only.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from cxrkit.dicom_header import numbers
from cxrkit.errors import ImageError


class Voi(NamedTuple):
    """A window as (low, high) in units of the values, its function, "LINEAR", "LINEAR_EXACT" or "SIGMOID", and the
    file's own words for it, "" where it states none that can be used."""

    window: tuple[float, float] | None
    function: str = "LINEAR"
    stated: str = ""


def padding_mask(stored: NDArray[np.generic], dataset: Dataset) -> NDArray[np.bool_] | None:
    """bool [H, W], False on Pixel Padding Value up to Pixel Padding Range Limit (PS3.3 C.7.5.1.1.2).

    None where the file states no padding, or nothing but padding would be left.
    """
    first = numbers(dataset, "PixelPaddingValue")
    if len(first) != 1:
        return None
    last = numbers(dataset, "PixelPaddingRangeLimit") or first
    low, high = sorted((first[0], last[0]))
    valid = np.less(stored, low) | np.greater(stored, high)
    return valid if valid.any() and not valid.all() else None


def apply_modality(stored: NDArray[np.generic], dataset: Dataset, little_endian: bool) -> NDArray[np.generic]:
    """Modality LUT if there is one, else rescale slope and intercept (PS3.3 C.11.1).

    Raises:
        ImageError: the slope is 0.
    """
    item = _lut_item(dataset, "ModalityLUTSequence")
    if item is not None:
        table, first, _ = _table(item, little_endian, bool(stored.min() < 0))
        return _look_up(stored, table, first)
    slope, intercept = numbers(dataset, "RescaleSlope"), numbers(dataset, "RescaleIntercept")
    if not slope and not intercept:
        return stored
    if slope and slope[0] == 0:
        raise ImageError(
            "The file's rescale slope is 0, which would make every pixel equal. Export the image again from its source."
        )
    scaled = stored.astype(np.float64)
    scaled *= slope[0] if slope else 1.0
    scaled += intercept[0] if intercept else 0.0
    return scaled


def apply_voi(values: NDArray[np.generic], dataset: Dataset, little_endian: bool) -> tuple[NDArray[np.generic], Voi]:
    """VOI LUT if there is one, else values unchanged and the first window (PS3.3 C.11.2)."""
    item = _lut_item(dataset, "VOILUTSequence")
    if item is not None:
        table, first, bits = _table(item, little_endian, bool(values.min() < 0))
        return _look_up(values, table, first), Voi((0.0, float(2**bits - 1)))
    return values, _first_window(dataset)


def invert(
    values: NDArray[np.float32], valid: NDArray[np.bool_] | None, window: tuple[float, float] | None
) -> tuple[NDArray[np.float32], tuple[float, float] | None]:
    """Turn MONOCHROME1 round within the range of the valid pixels, so that higher is brighter."""
    pixels = values if valid is None else values[valid]
    turn = float(pixels.min()) + float(pixels.max())
    turned = (turn - values).astype(np.float32)
    return turned, None if window is None else (turn - window[1], turn - window[0])


def _first_window(dataset: Dataset) -> Voi:
    """The first window; (low, high) are where the linear functions reach black and white.

    LINEAR: C - 0.5 -+ (W - 1) / 2 (C.11.2.1.2.1). LINEAR_EXACT (C.11.2.1.3.2) and SIGMOID: C -+ W / 2.
    """
    centers, widths = numbers(dataset, "WindowCenter"), numbers(dataset, "WindowWidth")
    if not centers or not widths:
        return Voi(None)
    center, width = centers[0], widths[0]
    stated = f"center {center:g}, width {width:g}"
    function = str(dataset.get("VOILUTFunction") or "LINEAR").strip().upper()
    if function in ("SIGMOID", "LINEAR_EXACT"):
        if width <= 0:
            return Voi(None)
        return Voi((center - width / 2, center + width / 2), function, stated)
    if width < 1:
        return Voi(None)
    return Voi((center - 0.5 - (width - 1) / 2, center - 0.5 + (width - 1) / 2), stated=stated)


def _lut_item(dataset: Dataset, keyword: str) -> Dataset | None:
    """First item of a LUT sequence; None where there is none, or the item is an empty shell."""
    items: Sequence[Dataset] = dataset.get(keyword) or []
    if items and items[0].get("LUTDescriptor") and items[0].get("LUTData"):
        return items[0]
    return None


def _table(item: Dataset, little_endian: bool, signed_input: bool) -> tuple[NDArray[np.uint16], int, int]:
    """Entries of a LUT item, the input that its first entry stands for, and its bits (PS3.3 C.11.1.1)."""
    descriptor: Sequence[int] = item.LUTDescriptor
    # 0 stands for 65536; where pydicom took the descriptor for signed, more than 32767 reads negative.
    count = int(descriptor[0]) & 0xFFFF or 65536
    first = int(descriptor[1])
    if signed_input and first > 32767:
        first -= 65536
    data = item.LUTData
    if isinstance(data, bytes):
        # Entries of 8 bits may come one to a byte or one to a word.
        kind = np.dtype(np.uint8) if len(data) < 2 * count else np.dtype("<u2" if little_endian else ">u2")
        entries = np.frombuffer(data, dtype=kind, count=min(count, len(data) // kind.itemsize))
    else:
        entries = np.asarray(data)[:count]
    if len(entries) < count:
        raise ImageError("The file's lookup table is shorter than it says. Export the image again from its source.")
    return (entries.astype(np.int64) & 0xFFFF).astype(np.uint16), first, int(descriptor[2])


def _look_up(values: NDArray[np.generic], table: NDArray[np.uint16], first: int) -> NDArray[np.generic]:
    """Table entry of each value; values before the first or after the last entry take that one."""
    positions = np.rint(values.astype(np.float64)) - first
    return np.asarray(table[np.clip(positions, 0, len(table) - 1).astype(np.intp)])
