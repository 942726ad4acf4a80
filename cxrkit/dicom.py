"""Decode one frame of a DICOM file. Runs in the sandbox's child process; call cxrkit.image.read_image instead.

Order of steps (PS3.3 C.11, PS3.4 N.2): pixels of the frame, modality LUT or rescale, VOI LUT or first window,
MONOCHROME1 inversion. Stored values of nuclear medicine are counts and stay so: neither its palettes, which are for the
eye, nor MONOCHROME1 change them.
"""

import io
import warnings
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.dataelem import RawDataElement
from pydicom.encaps import get_frame
from pydicom.filereader import read_dataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import pixel_array
from pydicom.tag import BaseTag
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGExtended12Bit,
    RLELossless,
)

from cxrkit.codestream import Layout, check_frame
from cxrkit.decoded import (
    COLOUR_WARNING,
    MAX_DECODED_BYTES,
    SMALL_PIXELS,
    Decoded,
    check_density,
    check_size,
    choose_frame,
    leave_out_not_finite,
    to_gray,
)
from cxrkit.dicom_doubts import odd_shape, odd_window
from cxrkit.dicom_header import describe, numbers, spacing_mm, taken, text_of, view_position
from cxrkit.errors import ImageError, ImageTooLarge
from cxrkit.grayscale import Voi, apply_modality, apply_voi, invert, padding_mask

ODD_WARNING = "The file departs from the DICOM standard; it was read all the same."
# (implicit VR, little endian) -> transfer syntax
_SYNTAX_OF_ENCODING = {
    (True, True): ImplicitVRLittleEndian,
    (False, True): ExplicitVRLittleEndian,
    (False, False): ExplicitVRBigEndian,
}
_META_START = 132
# Radiographs deflate to a fifth at best, unless they are nearly empty.
_MOST_INFLATION = 100
_SHAPE_KEYWORDS = ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated", "PhotometricInterpretation")
get_decoder(JPEGExtended12Bit).add_plugin("cxrkit", ("cxrkit.jpeg12", "decode_frame"))
_GRAY = ("MONOCHROME1", "MONOCHROME2")
_PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


def read_dicom(data: bytes, frame: int | None) -> Decoded:
    """Decode one frame of a DICOM Part 10 file.

    Args:
        data: the file, with its preamble.
        frame: from 1, or None for a file with one frame.

    Raises:
        ImageError, ImageTooLarge, FrameRequired: see cxrkit.image.read_image; other exceptions of pydicom
            and its codecs pass and are mapped by cxrkit.decoding.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        dataset = dcmread(io.BytesIO(inflated(data)))
        frames = _check_image(dataset)
        check_density(int(dataset.Rows), int(dataset.Columns), len(data))
        index = choose_frame(frame, frames)
        _check_codestream(dataset, index, frames)
        image = _read_frame(dataset, index, frames)
    if any(issubclass(warning.category, UserWarning) for warning in caught):
        # pydicom's own text may quote the header.
        image.warnings.append(ODD_WARNING)
    return image


def _read_frame(dataset: Dataset, index: int, frames: int) -> Decoded:
    """All steps from the stored pixels of one frame to gray."""
    little_endian = bool(dataset.file_meta.TransferSyntaxUID.is_little_endian)
    pixels, colours = _gray_pixels(dataset, index)
    measures = _of_frame(dataset, index, "PixelMeasuresSequence")
    spacing = spacing_mm(measures, dataset)
    header = describe(dataset, spacing) | ({"Colours": colours} if colours else {})
    if _is_gray(dataset):
        rescale = _of_frame(dataset, index, "PixelValueTransformationSequence")
        windows = _of_frame(dataset, index, "FrameVOILUTSequence")
        valid = padding_mask(pixels, dataset)
        scaled = apply_modality(pixels, rescale, little_endian)
        gray, voi = apply_voi(scaled, windows, little_endian)
        header |= {"Window": voi.stated} if voi.stated else {}
    else:
        gray, valid, voi = pixels, None, Voi((0.0, float(2 ** _bits_of_colour(dataset, pixels) - 1)))
    values, valid, notes = leave_out_not_finite(gray, valid)
    window = voi.window
    doubts = [*([COLOUR_WARNING] if colours else []), *odd_shape(dataset, spacing)]
    if dataset.PhotometricInterpretation == "MONOCHROME1" and not _holds_counts(dataset):
        values, window = invert(values, valid, window)
    if not _holds_counts(dataset):
        doubts += odd_window(values, valid, window)
    return Decoded(
        values=values,
        window=window,
        voi_function=voi.function,
        valid=valid,
        frames=frames,
        spacing_mm=spacing,
        header=header,
        warnings=[*notes, *doubts],
        taken=taken(dataset),
        view=view_position(dataset),
    )


def inflated(data: bytes) -> bytes:
    """The file with its dataset inflated, where it is deflated (PS3.5 A.5); else the file as it is.

    pydicom would inflate without a limit.

    Raises:
        ImageTooLarge: it inflates to more than a radiograph in a file of its size does.
    """
    stream = io.BytesIO(data)
    stream.seek(_META_START)
    meta = read_dataset(stream, False, True, stop_when=_after_meta)
    syntax = meta.get_item("TransferSyntaxUID")
    deflated = DeflatedExplicitVRLittleEndian.encode()
    if not isinstance(syntax, RawDataElement) or (syntax.value or b"").rstrip(b"\0 ") != deflated:
        return data
    start = stream.tell()
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    limit = min(MAX_DECODED_BYTES, max(4 * SMALL_PIXELS, _MOST_INFLATION * len(data)))
    dataset = inflater.decompress(data[start:], limit)
    if inflater.unconsumed_tail:
        raise ImageTooLarge(
            f"The file inflates to more than the {limit // 1024**2} MB that are read from a file of its size. "
            "Export the image alone."
        )
    # The same length keeps the length fields of the file meta information right.
    plain = ExplicitVRLittleEndian.encode().ljust(len(deflated), b"\0")
    after = syntax.value_tell + len(deflated)
    return data[: syntax.value_tell] + plain + data[after:start] + dataset


def _after_meta(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    """Whether the file meta information (group 2) has ended."""
    return tag.group != 2


def _check_image(dataset: Dataset) -> int:
    """Number of frames, after the header alone shows that there is an image that can and may be decoded."""
    if not any(keyword in dataset for keyword in _PIXEL_KEYWORDS):
        raise ImageError(
            "The DICOM file holds no image (it may be a report, a directory or a presentation state). "
            "Choose the file of the image itself."
        )
    if not all(dataset.get(keyword) for keyword in _SHAPE_KEYWORDS):
        raise ImageError(
            "The DICOM header leaves out how the pixels are laid out (rows, columns, samples or bits). "
            "Export the image again from its source."
        )
    frames = int(dataset.get("NumberOfFrames") or 1)
    bytes_per_pixel = int(dataset.SamplesPerPixel) * int(dataset.BitsAllocated) / 8
    check_size(int(dataset.Rows), int(dataset.Columns), bytes_per_pixel, frames)
    _state_transfer_syntax(dataset)
    try:
        get_decoder(dataset.file_meta.TransferSyntaxUID)
    except NotImplementedError:
        raise ImageError(
            "The image is compressed in a way that is not supported (a retired or private transfer syntax). "
            "Export it again uncompressed, or as JPEG 2000, JPEG-LS, lossless JPEG or RLE."
        ) from None
    return frames


def _check_codestream(dataset: Dataset, index: int, frames: int) -> None:
    """Refuse a compressed frame of another size than the header states; RLE has no header of its own."""
    syntax = dataset.file_meta.TransferSyntaxUID
    if not syntax.is_encapsulated or syntax == RLELossless:
        return
    offsets = None
    if "ExtendedOffsetTable" in dataset and "ExtendedOffsetTableLengths" in dataset:
        offsets = (dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths)
    if offsets and len(offsets[0]) != len(offsets[1]):
        offsets = None  # as pydicom does when it decodes
    stream = get_frame(dataset.PixelData, index, number_of_frames=frames, extended_offsets=offsets)
    stated = (dataset.Rows, dataset.Columns, dataset.SamplesPerPixel, dataset.BitsAllocated)
    check_frame(stream, Layout(*(int(number) for number in stated)))


def _state_transfer_syntax(dataset: Dataset) -> None:
    """Give a file without a transfer syntax the one that pydicom found its elements written in."""
    if "TransferSyntaxUID" not in dataset.file_meta:
        warnings.warn("no transfer syntax", stacklevel=2)
        implicit, little_endian = dataset.original_encoding
        dataset.file_meta.TransferSyntaxUID = _SYNTAX_OF_ENCODING[bool(implicit), bool(little_endian)]


def _gray_pixels(dataset: Dataset, index: int) -> tuple[NDArray[np.generic], str]:
    """Stored values [H, W] of one frame, or the luminance of a colour image; and its colours as to_gray says them."""
    pixels = _stored_pixels(dataset, index)
    if pixels.ndim == 2 and _is_gray(dataset):
        return pixels, ""
    if _is_palette(dataset):
        pixels = apply_color_lut(pixels, dataset)[..., :3]
    if pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ImageError("The image is neither gray nor in three colour channels. Export it as a gray image.")
    return to_gray(pixels)


def _stored_pixels(dataset: Dataset, index: int) -> NDArray[np.generic]:
    """Pixels of one frame [H, W] or [H, W, 3], of uncompressed files wherever their bits lie (PS3.5 8.1.1)."""
    below = _bits_below(dataset)
    if not below:
        pixels: NDArray[np.generic] = pixel_array(dataset, index=index)
        return pixels
    # pydicom takes the bits from the lowest one on.
    whole: NDArray[np.integer] = pixel_array(dataset, index=index, bits_stored=below + int(dataset.BitsStored))
    return np.asarray(np.right_shift(whole, below))


def _bits_below(dataset: Dataset) -> int:
    """How many bits of a stored word lie below its value, and may be anything; 0 where the header makes no sense."""
    stated = [numbers(dataset, keyword)[:1] for keyword in ("BitsAllocated", "BitsStored", "HighBit")]
    if not all(stated) or "PixelData" not in dataset or dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        return 0
    allocated, stored, high = (int(one) for (one,) in stated)
    return max(high + 1 - stored, 0) if high < allocated else 0


def _is_gray(dataset: Dataset) -> bool:
    """Whether the stored values are gray values themselves."""
    gray = dataset.PhotometricInterpretation in _GRAY
    return gray or (_is_palette(dataset) and _holds_counts(dataset))


def _holds_counts(dataset: Dataset) -> bool:
    return text_of(dataset, "Modality").upper() == "NM"


def _is_palette(dataset: Dataset) -> bool:
    return bool(dataset.PhotometricInterpretation == "PALETTE COLOR")


def _bits_of_colour(dataset: Dataset, pixels: NDArray[np.generic]) -> int:
    """Depth of a colour image: that of its palette, or of its samples."""
    if _is_palette(dataset):
        return int(dataset.RedPaletteColorLookupTableDescriptor[2])
    return int(dataset.get("BitsStored") or 8 * pixels.dtype.itemsize)


def _of_frame(dataset: Dataset, index: int, macro: str) -> Dataset:
    """Where an attribute of one frame is stated: its own or the shared functional group, else the dataset.

    Enhanced multi-frame objects, PS3.3 C.7.6.16.
    """
    own = dataset.get("PerFrameFunctionalGroupsSequence") or []
    shared = dataset.get("SharedFunctionalGroupsSequence") or []
    for group in [*own[index : index + 1], *shared[:1]]:
        items: Sequence[Dataset] | None = group.get(macro)
        if items:
            return items[0]
    return dataset
