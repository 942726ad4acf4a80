"""What a decoder hands back, and the limits that it keeps; shared by the raster and the DICOM reader."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cxrkit.errors import FrameRequired, ImageError, ImageTooLarge

MAX_FILE_BYTES = 64 * 1024**2
MAX_PIXELS = 40_000_000
MAX_DECODED_BYTES = 512 * 1024**2
PIXELS_PER_BYTE = 200
"""Most pixels for a byte of the file; radiographs have at most about 50, even under lossy compression."""
SMALL_PIXELS = 4_000_000
"""Up to here an image may be as empty as it likes."""

COLOUR_WARNING = "The image is in colour; it was turned into shades of gray (luminance, Rec. 601)."
NOT_FINITE_WARNING = "The image holds values that are not numbers; they are left out."
SEVERAL_COLOURS = "several"
"""Of an image as photographs are; see to_gray."""

# Differences and sums of values up to here stay finite in float32.
_LARGEST = 1e30
REC_601 = (0.299, 0.587, 0.114)


@dataclass(frozen=True, eq=False)
class Decoded:
    """One gray image with all that is kept of its file.

    Args:
        values: float32 [H, W]; higher is brighter.
        window: (low, high) of the display in units of values, or None.
        voi_function: "LINEAR", "LINEAR_EXACT" or "SIGMOID", how window maps to gray (PS3.3 C.11.2.1.2 and C.11.2.1.3).
        valid: bool [H, W], False on padding; None where every pixel counts.
        frames: how many frames the file holds.
        spacing_mm: (row, column) distance of pixel centres in mm, or None.
        header: label -> text, allowlist only.
        warnings: sentences for the screen.
        taken: ISO date and time when the image was taken, or "".
        view: the view position that the file states, or "".
    """

    values: NDArray[np.float32]
    window: tuple[float, float] | None
    voi_function: str = "LINEAR"
    valid: NDArray[np.bool_] | None = None
    frames: int = 1
    spacing_mm: tuple[float, float] | None = None
    header: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    taken: str = ""
    view: str = ""


def check_size(rows: int, columns: int, bytes_per_pixel: float, frames: int = 1) -> None:
    """Refuse a size stated by a header before anything is decoded.

    Raises:
        ImageError: there are no rows, columns or frames.
        ImageTooLarge: more than MAX_PIXELS, or more than MAX_DECODED_BYTES over all frames.
    """
    if min(rows, columns, frames) < 1:
        raise ImageError(
            "The file's header gives the image no rows or no columns. Export the image again from its source."
        )
    if rows * columns > MAX_PIXELS:
        raise ImageTooLarge(
            f"The image has {rows * columns / 1e6:,.0f} megapixels; at most {MAX_PIXELS / 1e6:.0f} are read. "
            "Export it at a smaller size."
        )
    decoded = rows * columns * bytes_per_pixel * frames
    if decoded > MAX_DECODED_BYTES:
        raise ImageTooLarge(
            f"The file would take {decoded / 1024**2:,.0f} MB once decoded; at most "
            f"{MAX_DECODED_BYTES // 1024**2} MB are read. Export fewer frames or a smaller size."
        )


def check_density(rows: int, columns: int, file_bytes: int) -> None:
    """Refuse a size that no radiograph in so small a file has, so that the work is bounded by the file's size.

    Raises:
        ImageTooLarge: above SMALL_PIXELS and more than PIXELS_PER_BYTE.
    """
    if rows * columns > max(SMALL_PIXELS, PIXELS_PER_BYTE * file_bytes):
        raise ImageTooLarge(
            f"The file states {rows * columns / 1e6:,.0f} megapixels but is too small to hold a radiograph of that "
            "size. Export the image again from its source, or at a smaller size."
        )


def choose_frame(frame: int | None, frames: int) -> int:
    """Index from 0 of the frame to read, out of a 1-based choice.

    Raises:
        FrameRequired: there are several frames and frame is None.
        ImageError: there is no such frame.
    """
    if frame is None:
        if frames > 1:
            raise FrameRequired(frames)
        return 0
    if not 1 <= frame <= frames:
        raise ImageError(f"There is no frame {frame}: choose a frame from 1 to {frames}.")
    return frame - 1


def to_gray(colour: NDArray[np.generic]) -> tuple[NDArray[np.generic], str]:
    """Luminance [H, W] of an [H, W, 3] image (Rec. 601), and its colours: "" (none), "one tint" or "several".

    Three equal channels are returned as they are stored, without rounding.
    """
    red, green, blue = colour[..., 0], colour[..., 1], colour[..., 2]
    if np.array_equal(red, green) and np.array_equal(red, blue):
        return red, ""
    gray = np.zeros(red.shape, dtype=np.float32)
    for weight, channel in zip(REC_601, (red, green, blue), strict=True):
        gray += weight * channel.astype(np.float32, copy=False)
    return gray, SEVERAL_COLOURS if _has_several_colours(colour) else "one tint"


def _has_several_colours(colour: NDArray[np.generic]) -> bool:
    """Whether colour follows from brightness nowhere near as in a tinted film or a scan with a cast.

    Red and blue, relative to green, are fitted by a line in green; more than a tenth of the pixels off that line by
    more than a tenth of the range means several colours. Marks in colour cover less.
    """
    rows, columns = (max(1, length // 128) for length in colour.shape[:2])
    red, green, blue = np.moveaxis(colour[::rows, ::columns].astype(np.float32), 2, 0).reshape(3, -1)
    spread = max(float(np.ptp(green)), float(np.ptp(red)), float(np.ptp(blue)))
    line = np.stack([green, np.ones_like(green)], axis=1)
    off = [channel - line @ np.linalg.lstsq(line, channel, rcond=None)[0] for channel in (red, blue)]
    return bool(np.mean(np.abs(off).max(axis=0) > 0.1 * spread) > 0.1)


def leave_out_not_finite(
    pixels: NDArray[np.generic], valid: NDArray[np.bool_] | None
) -> tuple[NDArray[np.float32], NDArray[np.bool_] | None, list[str]]:
    """float32 values; NaN, infinity and the like become invalid, set to the lowest number, with a warning.

    Raises:
        ImageError: no number is left.
    """
    with np.errstate(over="ignore"):
        values = pixels.astype(np.float32)
    # Comparisons with NaN are false; no mask is made where none is needed.
    if values.min() > -_LARGEST and values.max() < _LARGEST:
        return values, valid, []
    finite = np.abs(values) < _LARGEST
    if not finite.any():
        raise ImageError("The image holds no numbers. Export it again from its source.")
    values[~finite] = values[finite].min()
    left = finite if valid is None else finite & valid
    return values, left, [NOT_FINITE_WARNING]
