"""Small valid files of every format and coding that is read: what the fuzzer damages.

The same bytes each time with the same libraries, so that a mutant is known by its seed and number.
"""

import io
import struct
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pydicom import Dataset
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
)

from tests.dicom_files import lut, make_dataset, to_bytes

CANARY = "ZZCANARY"
"""Stands in headers; no message may hold it."""

_UID = "1.2.826.0.1.3680043.8.498.1"
_PACKAGED = Path(pydicom.__file__).parent / "data" / "test_files"
_SYNTAXES = {
    "implicit": ImplicitVRLittleEndian,
    "explicit": ExplicitVRLittleEndian,
    "big-endian": ExplicitVRBigEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
    "rle": RLELossless,
}
# Those of pydicom's own files that are small and hold an image in a coding that the tests cannot write.
_PACKAGED_FILES = (
    "JPEGLSNearLossless_08.dcm",
    "JPEGLSNearLossless_16.dcm",
    "SC_rgb_jls_lossy_line.dcm",
    "SC_rgb_small_odd_jpeg.dcm",
    "SC_rgb_rle_16bit_2frame.dcm",
    "SC_rgb_gdcm_KY.dcm",
    "SC_rgb_dcmtk_+eb+cy+s4.dcm",
    "SC_rgb_jpeg_gdcm.dcm",
    "MR_small_jp2klossless.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "rtdose_expb_1frame.dcm",
    "rtdose_rle_1frame.dcm",
    "JPGExtended.dcm",
    "JPEG2000.dcm",
    "image_dfl.dcm",
)


def pixels(kind: str, height: int = 36, width: int = 44) -> np.ndarray:
    """A soft blob with noise, [H, W] of a dtype."""
    down, across = np.mgrid[0:height, 0:width]
    blob = np.exp(-(((down / height - 0.5) / 0.3) ** 2) - ((across / width - 0.5) / 0.3) ** 2)
    noise = np.random.default_rng(11).random((height, width))
    unit = np.clip(0.8 * blob + 0.2 * noise, 0, 1)
    if np.dtype(kind).kind == "f":
        return unit.astype(kind)
    limits = np.iinfo(kind)
    return (limits.min + unit * (float(limits.max) - limits.min)).astype(kind)


@cache
def corpus() -> dict[str, bytes]:
    """Name of each file -> its bytes, 10 kB at most."""
    return {**_rasters(), **_dicoms(), **{f"dicom {name}": (_PACKAGED / name).read_bytes() for name in _PACKAGED_FILES}}


def _save(image: Image.Image | np.ndarray, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(stream, kind, **options)
    return stream.getvalue()


def _rasters() -> dict[str, bytes]:
    gray, deep, real = pixels("u1"), pixels("u2"), pixels("f4")
    colour = np.stack([gray, gray.T[:36, :36].repeat(2, axis=1)[:, :44], 255 - gray], axis=2)
    rgb = Image.fromarray(colour)
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    exif[0x010E] = CANARY
    files = {
        "png gray": _save(gray, "PNG"),
        "png gray 16": _save(deep, "PNG"),
        "png gray 1": _save(Image.fromarray(gray).convert("1"), "PNG"),
        "png rgb": _save(rgb, "PNG", exif=exif),
        "png rgba": _save(rgb.convert("RGBA"), "PNG"),
        "png palette": _save(rgb.convert("P", palette=Image.Palette.ADAPTIVE), "PNG", transparency=3),
        "png interlaced": _interlaced(gray),
        "png text": _save(gray, "PNG", pnginfo=_text()),
        "png animated": _save(Image.fromarray(gray), "PNG", save_all=True, append_images=[Image.fromarray(255 - gray)]),
        "jpeg gray": _save(gray, "JPEG"),
        "jpeg rgb": _save(rgb, "JPEG", quality=60, exif=exif),
        "jpeg progressive": _save(rgb, "JPEG", progressive=True),
        "jpeg progressive gray": _save(gray, "JPEG", progressive=True, restart_marker_rows=1),
        "jpeg cmyk": _save(rgb.convert("CMYK"), "JPEG"),
        "tiff gray": _save(gray, "TIFF"),
        "tiff float": _save(real, "TIFF"),
        "tiff tiled": _tiled(gray),
        "tiff big": _save(deep, "TIFF", big_tiff=True),
    }
    for name, compression in (("lzw", "tiff_lzw"), ("deflate", "tiff_deflate"), ("packbits", "packbits")):
        files[f"tiff {name}"] = _save(deep, "TIFF", compression=compression)
    files["tiff rgb lzw"] = _save(rgb, "TIFF", compression="tiff_lzw", tiffinfo={317: 2})
    files["tiff jpeg"] = _save(rgb, "TIFF", compression="jpeg")
    files["tiff fax"] = _save(Image.fromarray(gray).convert("1"), "TIFF", compression="group4")
    pages = [Image.fromarray(page) for page in (gray, 255 - gray, gray.T)]
    files["tiff pages"] = _save(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    return files


def _text() -> PngInfo:
    info = PngInfo()
    info.add_text("Comment", CANARY * 30, zip=True)
    return info


def _interlaced(gray: np.ndarray) -> bytes:
    """An Adam7 PNG, which Pillow reads and does not write (PNG specification, 8.2)."""
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
    rows = b"".join(b"\0" + row.tobytes() for y, x, dy, dx in passes for row in gray[y::dy, x::dx])
    header = struct.pack(">IIBBBBB", gray.shape[1], gray.shape[0], 8, 0, 0, 0, 1)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def _tiled(gray: np.ndarray) -> bytes:
    """A TIFF of 16 x 16 tiles, uncompressed, which Pillow reads and does not write."""
    padded = np.pad(gray, ((0, -gray.shape[0] % 16), (0, -gray.shape[1] % 16)))
    tiles = [padded[y : y + 16, x : x + 16] for y in range(0, len(padded), 16) for x in range(0, padded.shape[1], 16)]
    count = len(tiles)
    entries = [(256, 4, 1, gray.shape[1]), (257, 4, 1, gray.shape[0]), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    entries += [(277, 3, 1, 1), (322, 3, 1, 16), (323, 3, 1, 16), (324, 4, count, 0), (325, 4, count, 0)]
    after = 8 + 2 + 12 * len(entries) + 4
    offsets = [after + 8 * count + 256 * number for number in range(count)]
    entries[-2], entries[-1] = (324, 4, count, after), (325, 4, count, after + 4 * count)
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)
    tables = struct.pack(f"<{count}I", *offsets) + struct.pack(f"<{count}I", *[256] * count)
    return b"II*\0" + struct.pack("<I", 8) + directory + tables + b"".join(tile.tobytes() for tile in tiles)


def _fixed(dataset: FileDataset) -> FileDataset:
    """With a name, and without the random identifier of make_dataset."""
    dataset.PatientName = dataset.PatientID = CANARY
    dataset.file_meta.MediaStorageSOPInstanceUID = _UID
    return dataset


def _dicoms() -> dict[str, bytes]:
    deep, signed, gray = pixels("u2"), pixels("i2"), pixels("u1")
    files = {
        f"dicom {name}": to_bytes(_fixed(make_dataset(deep, syntax, StudyDate="20240228")))
        for name, syntax in _SYNTAXES.items()
    }
    colour = np.stack([gray, gray // 2, 255 - gray], axis=2)
    measures = Dataset()
    measures.PixelSpacing = [0.2, 0.2]
    shared = Dataset()
    shared.PixelMeasuresSequence = [measures]
    made = {
        "windowed": make_dataset(signed, WindowCenter="40", WindowWidth="400", RescaleSlope="2", RescaleIntercept="-9"),
        "inverted": make_dataset(deep, PhotometricInterpretation="MONOCHROME1", PixelPaddingValue=0),
        "sigmoid": make_dataset(gray, WindowCenter="90", WindowWidth="80", VOILUTFunction="SIGMOID"),
        "modality table": make_dataset(gray, ModalityLUTSequence=[lut(np.arange(256), 0, 16)]),
        "voi table": make_dataset(gray, VOILUTSequence=[lut(np.arange(256)[::-1], 0, 8)]),
        "colour": make_dataset(colour, PixelSpacing=["0.1", "0.2"]),
        "frames": make_dataset(np.stack([gray, 255 - gray]), SharedFunctionalGroupsSequence=[shared]),
        "palette": _palette(gray),
        "jpeg": _encapsulated(_save(gray, "JPEG"), JPEGBaseline8Bit, gray),
        "jpeg 2000": make_dataset(deep),
    }
    made["jpeg 2000"].compress(JPEG2000Lossless, encoding_plugin="pylibjpeg", generate_instance_uid=False)
    return files | {f"dicom {name}": to_bytes(_fixed(dataset)) for name, dataset in made.items()}


def _palette(gray: np.ndarray) -> FileDataset:
    dataset = make_dataset(gray, PhotometricInterpretation="PALETTE COLOR")
    for name in ("Red", "Green", "Blue"):
        setattr(dataset, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(dataset, f"{name}PaletteColorLookupTableData", (np.arange(256) * 257).astype("<u2").tobytes())
    return dataset


def _encapsulated(stream: bytes, syntax: str, gray: np.ndarray) -> FileDataset:
    dataset = make_dataset(gray)
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.PixelData = encapsulate([stream])
    dataset["PixelData"].is_undefined_length = True
    return dataset
