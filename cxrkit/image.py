"""Read a radiograph: bytes of a DICOM, PNG, JPEG or TIFF file -> Radiograph.

All parsing and decoding happens in a child process (cxrkit.sandbox), so that a hostile or damaged file costs
one upload and gives one ImageError. Of a DICOM header only an allowlist is kept.
"""

import datetime
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cxrkit import sandbox
from cxrkit.decoded import MAX_DECODED_BYTES, MAX_FILE_BYTES, MAX_PIXELS
from cxrkit.errors import ImageError, ImageTooLarge
from cxrkit.sandbox import SECONDS
from cxrkit.worker import MEMORY_BYTES

if TYPE_CHECKING:
    from cxrkit.scan_facts import ScanFacts

__all__ = [
    "MAX_DECODED_BYTES",
    "MAX_FILE_BYTES",
    "MAX_PIXELS",
    "MEMORY_BYTES",
    "SECONDS",
    "Radiograph",
    "assemble",
    "days_between",
    "read_image",
]

ROBUST_PERCENTILES = (0.5, 99.5)

_NARROWEST = 2 * float(np.finfo(np.float32).tiny)
"""Range, in units of values, from which 4 / range is a number in float32; narrower ones are shown as a step."""


@dataclass(frozen=True, eq=False)
class Radiograph:
    """One gray image, oriented and scaled as its file says, with nothing that names a person.

    Args:
        values: float32 [H, W], read-only. After modality LUT or rescale, after the VOI LUT where the file
            has one as a table, and inverted for MONOCHROME1 (PS3.3 C.7.6.3.1.2) in the range of its valid
            pixels: higher is always brighter. Counts of nuclear medicine are never inverted.
        window: (low, high) in units of values: the file's own first window; (0, 255) for 8-bit raster
            images; the full output range after a VOI LUT; None if the file states none.
        valid: bool [H, W], False on padding pixels (PS3.3 C.7.5.1.1.2); None if all are valid.
        sha256: hex digest of the file's bytes, followed by "-<frame>" for a frame of a multi-frame file.
        spacing_mm: (row, column) distance between pixel centres in mm, or None.
        header: readable label -> text, allowlist only.
        warnings: sentences about what was changed or odd, for the screen.
        voi_function: "LINEAR", "LINEAR_EXACT" or "SIGMOID" (PS3.3 C.11.2.1.3), how windowed() maps window to gray.
        taken: local date and time of the image, at midnight where the file states the date alone; None where it states
            neither. Never shown as such; see days_between.
        view: the view position as the file states it, for instance "PA" (PS3.3 C.8.11.5), or None.
        scan: what the header says of a lung scan; only of images read by cxrkit.scan_facts.read_scan.
    """

    values: NDArray[np.float32] = field(repr=False)
    window: tuple[float, float] | None
    valid: NDArray[np.bool_] | None = field(repr=False)
    sha256: str
    spacing_mm: tuple[float, float] | None
    header: Mapping[str, str]
    warnings: tuple[str, ...]
    voi_function: str = "LINEAR"
    taken: datetime.datetime | None = field(default=None, repr=False)
    view: str | None = None
    scan: "ScanFacts | None" = None

    def display_range(self) -> tuple[float, float]:
        """(low, high) in units of values to show as black and white, low < high.

        The file's own window, else the 0.5 and 99.5 percentiles of the valid pixels; high - low can be divided by in
        float32, whatever the file says.
        """
        low, high = self._robust_range if self.window is None else self.window
        if high - low >= _NARROWEST:
            return low, high
        # A window of width 1 is a step; one float32 unit keeps it one without dividing by zero.
        step = float(np.spacing(np.float32(max(abs(low), 1.0))))
        return low, low + step

    @property
    def window_step(self) -> float:
        """By how much the file's window width is more than from black to white: 1 for LINEAR (PS3.3 C.11.2.1.2.1)."""
        return 1.0 if self.window is not None and self.voi_function == "LINEAR" else 0.0

    @cached_property
    def _robust_range(self) -> tuple[float, float]:
        pixels = self.values if self.valid is None else self.values[self.valid]
        low, high = np.percentile(pixels, ROBUST_PERCENTILES)
        return float(low), float(high)

    def windowed(self) -> NDArray[np.float32]:
        """float32 [H, W] in [0, 1]: values through display_range, padding 0.

        Linear as PS3.3 C.11.2.1.2 (LINEAR and LINEAR_EXACT differ in the window alone), or the sigmoid of
        C.11.2.1.3.1 where the file asks for it.
        """
        low, high = self.display_range()
        with np.errstate(over="ignore"):  # far outside of a narrow window values become infinite, and are clipped
            shown = self._toned(low, high)
        if self.valid is not None:
            shown[~self.valid] = 0.0
        return shown

    def _toned(self, low: float, high: float) -> NDArray[np.float32]:
        """float32 [H, W] in [0, 1]: values from low to high, padding too."""
        # In place: each array as large as the image costs more than the arithmetic on it.
        if self.voi_function == "SIGMOID" and self.window is not None:
            shown = self.values - np.float32((low + high) / 2)
            shown *= np.float32(-4.0 / (high - low))
            # The exponent is cut where the result is 0 or 1 in float32 anyway: exp must not overflow.
            np.exp(np.clip(shown, -80.0, 80.0, out=shown), out=shown)
            np.reciprocal(np.add(shown, 1.0, out=shown), out=shown)
        else:
            shown = self.values - np.float32(low)
            shown *= np.float32(1.0 / (high - low))
            np.clip(shown, 0.0, 1.0, out=shown)
        return shown


def read_image(data: bytes, name: str = "", frame: int | None = None) -> Radiograph:
    """Read one radiograph.

    Args:
        data: a DICOM Part 10, PNG, JPEG or TIFF file. The format is told by its bytes.
        name: the file's name; only its suffix is used, and only to word a refusal.
        frame: which frame of a multi-frame file or page of a TIFF, from 1.

    Raises:
        FrameRequired: several frames and none chosen.
        ImageTooLarge: over MAX_FILE_BYTES, MAX_PIXELS, MAX_DECODED_BYTES, SECONDS or MEMORY_BYTES.
        ImageError: anything else that keeps the file from being read.
    """
    if not data:
        raise ImageError("The file is empty. Choose a DICOM, PNG, JPEG or TIFF file with a radiograph.")
    if len(data) > MAX_FILE_BYTES:
        raise ImageTooLarge(
            f"The file has {len(data) / 1024**2:,.0f} MB; at most {MAX_FILE_BYTES // 1024**2} MB are read. "
            "Export the image alone, or at a smaller size."
        )
    options = {"frame": frame, "suffix": PurePath(name).suffix.lower()}
    return assemble(*sandbox.call("cxrkit.decoding:decode", options, data), data, frame)


def assemble(fields: dict[str, Any], arrays: list[memoryview], data: bytes, frame: int | None) -> Radiograph:
    """The Radiograph out of the child's reply; its arrays are read-only views of the reply.

    Args:
        fields, arrays: as cxrkit.decoding.decode gives them.
        data, frame: what was decoded.
    """
    digest = hashlib.sha256(data).hexdigest()
    shape = (fields["rows"], fields["columns"])
    values = np.frombuffer(arrays[0].toreadonly(), dtype=np.float32).reshape(shape)
    valid = None
    if len(arrays) > 1:
        valid = np.frombuffer(arrays[1].toreadonly(), dtype=np.bool_).reshape(shape)
    window, spacing, taken = fields["window"], fields["spacing_mm"], fields["taken"]
    return Radiograph(
        values=values,
        window=(window[0], window[1]) if window else None,
        valid=valid,
        sha256=digest if fields["frames"] == 1 else f"{digest}-{frame}",
        spacing_mm=(spacing[0], spacing[1]) if spacing else None,
        header=MappingProxyType(fields["header"]),
        warnings=tuple(fields["warnings"]),
        voi_function=fields["voi_function"],
        taken=datetime.datetime.fromisoformat(taken) if taken else None,
        view=fields["view"] or None,
    )


def days_between(first: Radiograph, second: Radiograph) -> int | None:
    """Days from the first image's date to the second's; None where either file states none."""
    if first.taken is None or second.taken is None:
        return None
    return (second.taken.date() - first.taken.date()).days
