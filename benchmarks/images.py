"""Simulated radiographs as files, in the sizes and formats that people upload."""

import io
import tempfile
from pathlib import Path

import gdcm
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom import FileDataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
    generate_uid,
)

from cxrkit.phantoms import HandSettings, random_chest, simulate_chest, simulate_hand

HEIGHT = 2000
"""Rows, as a digital detector delivers; columns are a little fewer."""

_LEVELS = 4095
"""12 bits in 16."""

_PATIENTS = (1, 2)
"""Seeds of normal chests; simulating one takes seconds, so further images are these with other noise."""

Levels = NDArray[np.uint16]


def chests(count: int) -> list[Levels]:
    """Different images [2000, W], 0 to 4095."""
    return _varied([simulate_chest(random_chest(seed, (), "PA", HEIGHT)).values for seed in _PATIENTS], count)


def hands(count: int) -> list[Levels]:
    """Different images [2000, W] of a boy's and a girl's hand, 0 to 4095."""
    boy, girl = (
        HandSettings(_PATIENTS[0], 120, "male", size=HEIGHT),
        HandSettings(_PATIENTS[1], 84, "female", size=HEIGHT),
    )
    return _varied([simulate_hand(settings).values for settings in (boy, girl)], count)


def _varied(shown: list[NDArray[np.float32]], count: int) -> list[Levels]:
    return [_detected(shown[number % len(shown)], number) for number in range(count)]


def _detected(values: NDArray[np.float32], seed: int) -> Levels:
    """Gray values in [0, 1], in steps of 1/255, as 12 bits: noise of half a step fills the levels between."""
    noise = np.random.default_rng(seed).normal(0, 0.5 / 255, values.shape)
    return np.asarray(np.rint(np.clip(values + noise, 0, 1) * _LEVELS), dtype=np.uint16)


def dicom(levels: Levels) -> bytes:
    """An uncompressed DICOM file (explicit VR little endian)."""
    return _bytes(_dataset(levels))


def files(levels: Levels) -> dict[str, bytes]:
    """The image once in each format, by name; JPEG holds the upper 8 of its 12 bits."""
    upper = Image.fromarray((levels >> 4).astype(np.uint8))
    deflated = _dataset(levels)
    deflated.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    compressed = {}
    for name, syntax, plugin in (("RLE", RLELossless, "gdcm"), ("JPEG 2000, lossless", JPEG2000Lossless, "pylibjpeg")):
        dataset = _dataset(levels)
        dataset.compress(syntax, encoding_plugin=plugin, generate_instance_uid=False)
        compressed[f"DICOM, {name}"] = _bytes(dataset)
    plain = dicom(levels)
    return {
        "DICOM, explicit little endian": plain,
        "DICOM, deflated": _bytes(deflated),
        "DICOM, JPEG lossless": _by_gdcm(plain, gdcm.TransferSyntax.JPEGLosslessProcess14_1),
        "DICOM, JPEG-LS": _by_gdcm(plain, gdcm.TransferSyntax.JPEGLSLossless),
        **compressed,
        "PNG, 16 bits": _saved(Image.fromarray(levels), "PNG"),
        "JPEG, 8 bits": _saved(upper, "JPEG"),
    }


def _dataset(levels: Levels) -> FileDataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    dataset.Modality, dataset.PhotometricInterpretation, dataset.SamplesPerPixel = "DX", "MONOCHROME2", 1
    dataset.Rows, dataset.Columns = levels.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.WindowCenter, dataset.WindowWidth = (_LEVELS + 1) // 2, _LEVELS + 1
    dataset.PixelData = levels.astype("<u2").tobytes()
    dataset["PixelData"].VR = "OW"
    return dataset


def _bytes(dataset: FileDataset) -> bytes:
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _saved(image: Image.Image, kind: str) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind)
    return stream.getvalue()


def _by_gdcm(data: bytes, syntax: int) -> bytes:
    """The DICOM file in another transfer syntax, for codecs that pydicom cannot write."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "source.dcm", Path(folder) / "target.dcm"
        source.write_bytes(data)
        reader = gdcm.ImageReader()
        reader.SetFileName(str(source))
        reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(syntax))
        change.SetInput(reader.GetImage())
        if not change.Change():
            raise RuntimeError("gdcm cannot write this transfer syntax")
        writer = gdcm.ImageWriter()
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        writer.SetFileName(str(target))
        writer.Write()
        return target.read_bytes()
