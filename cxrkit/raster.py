"""Decode PNG, JPEG and TIFF with Pillow. Runs in the sandbox's child process; call read_image instead."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from cxrkit.codestream import check_scans
from cxrkit.decoded import (
    COLOUR_WARNING,
    Decoded,
    check_density,
    check_size,
    choose_frame,
    leave_out_not_finite,
    to_gray,
)
from cxrkit.grayscale import invert

FORMATS = ("PNG", "JPEG", "TIFF")
TRANSPARENCY_WARNING = "The image has transparent parts; they were laid on black."
DEPTH_WARNING = "The image holds colour or transparency in 16 bits; it was read in 8 bits."
_GRAY_MODES = ("1", "L", "I", "F")
_WHITE_IS_ZERO = 0
# Tags of TIFF: bits of each sample, what 0 stands for, and how a sample is written.
_BITS_TAG, _PHOTOMETRIC_TAG, _FORMAT_TAG = 258, 262, 339
# Samples that Pillow takes for signed ones, or for unsigned ones, and what they are.
_MISTAKEN: dict[tuple[str, int | None, int | None], type[np.integer]] = {
    ("I", 32, None): np.uint32,
    ("I", 32, 1): np.uint32,
    ("L", 8, 2): np.int8,
}
_PNG_DEPTH = 24  # byte of the file, in its IHDR

# The own limit of check_size is stricter and gives a sentence; Pillow's would warn, then raise.
Image.MAX_IMAGE_PIXELS = None


def read_raster(data: bytes, frame: int | None) -> Decoded:
    """Decode one PNG, JPEG or TIFF image, upright after its EXIF orientation.

    8-bit images come out in 0-255; 16-bit gray keeps its full values and states no window.

    Raises:
        ImageError, ImageTooLarge, FrameRequired: see cxrkit.image.read_image; other exceptions of Pillow
            pass and are mapped by cxrkit.decoding.
    """
    check_scans(data)
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        width, height = image.size
        # Further images in a JPEG file are thumbnails or depth maps of phones, not frames.
        frames = 1 if image.format in ("JPEG", "MPO") else int(getattr(image, "n_frames", 1))
        bytes_per_pixel = len(image.getbands()) * (4 if image.mode in ("I", "F") else 2)
        check_size(height, width, bytes_per_pixel, frames)
        image.seek(choose_frame(frame, frames))
        # Pages of a TIFF differ in size.
        check_size(image.height, image.width, bytes_per_pixel)
        check_density(image.height, image.width, len(data))
        white_is_zero = _is_white_zero(image)
        kind = _MISTAKEN.get((image.mode, _tag(image, _BITS_TAG), _tag(image, _FORMAT_TAG)))
        deep = data[_PNG_DEPTH] == 16 if image.format == "PNG" else _tag(image, _BITS_TAG) == 16
        upright = ImageOps.exif_transpose(image)
        pixels, colours, warnings = _gray(upright)
    if kind is not None:
        pixels = pixels.view(kind)
    bits = 8 * pixels.dtype.itemsize
    if colours:
        bits = 8
    if deep and bits == 8:
        warnings.append(DEPTH_WARNING)
    values, valid, notes = leave_out_not_finite(pixels, None)
    if white_is_zero:
        # Floats have no range but that of the image.
        values = invert(values, valid, None)[0] if image.mode == "F" else np.float32(2**bits - 1) - values
    rows, columns = values.shape
    return Decoded(
        values=values,
        window=(0.0, 255.0) if bits == 8 and pixels.dtype.kind != "i" else None,
        valid=valid,
        frames=frames,
        header={"Rows x columns": f"{rows} x {columns}", "Bits stored": str(bits)}
        | ({"Colours": colours} if colours else {}),
        warnings=warnings + notes,
    )


def _gray(image: Image.Image) -> tuple[NDArray[np.generic], str, list[str]]:
    """One channel [H, W] in the depth of the file, its colours as to_gray says them, and what was lost."""
    if image.mode in _GRAY_MODES or image.mode.startswith("I;16"):
        if image.mode == "1":
            image = image.convert("L")
        return np.asarray(image), "", []
    warnings = []
    if image.has_transparency_data:
        image = image.convert("RGBA")
        if image.getchannel("A").getextrema() != (255, 255):
            warnings.append(TRANSPARENCY_WARNING)
            black = Image.new("RGBA", image.size, (0, 0, 0, 255))
            image = Image.alpha_composite(black, image)
    gray, colours = to_gray(np.asarray(image.convert("RGB")))
    if colours:
        warnings.append(COLOUR_WARNING)
    return gray, colours, warnings


def _is_white_zero(image: Image.Image) -> bool:
    """Whether a TIFF of 16 bits or of floats counts from white; Pillow turns those of 1 to 8 bits round by itself."""
    return image.mode.startswith(("I;16", "F")) and _tag(image, _PHOTOMETRIC_TAG) == _WHITE_IS_ZERO


def _tag(image: Image.Image, number: int) -> int | None:
    """The largest value of a TIFF's tag; None where it is missing, and of other files."""
    found = getattr(image, "tag_v2", {}).get(number)
    return max(found) if isinstance(found, tuple) else found
