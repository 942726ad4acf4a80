"""Lung scans for tests: ellipses of counts, nuclear medicine files, and a mean image."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.uid import NuclearMedicineImageStorage

from cxrkit import lung_scan
from cxrkit.image import Radiograph
from tests.dicom_files import make_dataset, to_bytes

Counts = NDArray[np.uint16]

RIGHT, LEFT = (70.0, 100.0), (151.0, 105.0)
"""(x, y) of the two lungs' middles in 224 x 224, the patient's right one at the image's left."""


def ellipse(middle: tuple[float, float], half: tuple[float, float], shape: tuple[int, int] = (224, 224)) -> Any:
    """Bool [H, W]: inside an ellipse about (x, y)."""
    down, across = np.mgrid[0 : shape[0], 0 : shape[1]]
    return ((across - middle[0]) / half[0]) ** 2 + ((down - middle[1]) / half[1]) ** 2 <= 1


def drawn_scan(*, right: bool = True, left: bool = True, move: tuple[int, int] = (0, 0), neck: bool = False) -> Counts:
    """[224, 224] counts: up to two lungs of 100 counts a pixel, moved by (right, down); with a windpipe and throat."""
    counts = np.zeros((224, 224), dtype=np.uint16)
    for present, (x, y) in ((right, RIGHT), (left, LEFT)):
        if present:
            counts[ellipse((x + move[0], y + move[1]), (25, 55))] = 100
    if neck:
        counts[ellipse((110 + move[0], 25 + move[1]), (8, 10))] = 80
    return counts


def noisy(counts: Counts, seed: int = 0) -> Counts:
    """With the noise of counting."""
    return np.random.default_rng(seed).poisson(counts).astype(np.uint16)


def scan_of(counts: Any, **header: str) -> Radiograph:
    """Counts as an image, with facts of a header; underscores stand for spaces."""
    values = counts.astype(np.float32)
    facts = {name.replace("_", " "): text for name, text in header.items()}
    return Radiograph(values, None, None, "0" * 64, None, facts, ())


def code(value: str, meaning: str, scheme: str = "SRT") -> Dataset:
    """An item of a code sequence."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def detector(value: str, meaning: str) -> Dataset:
    """An item of the Detector Information Sequence with its view."""
    item = Dataset()
    item.ViewCodeSequence = [code(value, meaning)]
    return item


def nm_dataset(pixels: Any, **elements: Any) -> Any:
    """A static nuclear medicine image of pixels [H, W] or [frames, H, W]."""
    dataset = make_dataset(pixels, Modality="NM", ImageType=["ORIGINAL", "PRIMARY", "STATIC", "EMISSION"], **elements)
    dataset.file_meta.MediaStorageSOPClassUID = NuclearMedicineImageStorage
    return dataset


def nm_file(pixels: Any, **elements: Any) -> bytes:
    """The bytes of nm_dataset."""
    return to_bytes(nm_dataset(pixels, **elements))


def views_file(views: Sequence[tuple[str, str]], frames: Any = None, **elements: Any) -> bytes:
    """A file with one frame for each view, given by code value and meaning, by a detector each."""
    pixels = np.stack([drawn_scan()] * len(views)) if frames is None else frames
    vector = {"DetectorVector": list(range(1, len(views) + 1))}
    return nm_file(pixels, DetectorInformationSequence=[detector(*view) for view in views], **(vector | elements))


ANTERIOR, POSTERIOR = ("G-5215", "Anterior projection"), ("G-5216", "Posterior projection")


@pytest.fixture
def mean_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The mean image that alignment falls back on: both drawn lungs about the middle, smoothed; float32 [224, 224]."""
    mean = cv2.GaussianBlur(lung_scan.align(drawn_scan().astype(np.float32)).image, (0, 0), 4)
    file = tmp_path / "mean_image.png"
    cv2.imwrite(str(file), np.uint8(np.rint(mean)))
    monkeypatch.setattr(lung_scan, "MEAN_IMAGE", file)
    return lung_scan.mean_image()
