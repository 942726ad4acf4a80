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

FORMATS = ("PNG", "JPEG", "TIFF")
TRANSPARENCY_WARNING = "The image has transparent parts; they were laid on black."
DEPTH_WARNING = "The image holds colour or transparency in 16 bits; it was read in 8 bits."
_GRAY_MODES = ("1", "L", "I", "F")
_WHITE_IS_ZERO = 0
_PHOTOMETRIC_TAG = 262
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
        deep = image.format == "PNG" and data[_PNG_DEPTH] == 16
        upright = ImageOps.exif_transpose(image)
        pixels, colours, warnings = _gray(upright)
    bits = 8 * pixels.dtype.itemsize
    if colours:
        bits = 8
    if deep and bits == 8:
        warnings.append(DEPTH_WARNING)
    values, valid, notes = leave_out_not_finite(pixels, None)
    if white_is_zero:
        values = np.float32(2**bits - 1) - values
    rows, columns = values.shape
    return Decoded(
        values=values,
        window=(0.0, 255.0) if bits == 8 else None,
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
    """Whether a 16-bit TIFF counts from white; Pillow turns the 1- and 8-bit ones round by itself."""
    tags = getattr(image, "tag_v2", {})
    return image.mode.startswith("I;16") and tags.get(_PHOTOMETRIC_TAG) == _WHITE_IS_ZERO
