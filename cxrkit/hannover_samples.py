"""Follow-up radiographs of real patients: which they are, where they lie, whose they are. Nothing here fetches them."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cxrkit.errors import FetchError

COMMIT = "ad7ab099b425f16e06bba22322336b7d6a732965"
HOST = "raw.githubusercontent.com"
SOURCE = f"https://{HOST}/ml-workgroup/covid-19-image-repository/{COMMIT}"
ATTRIBUTION = (
    "Radiograph: COVID-19 Image Repository, Institute for Diagnostic and Interventional Radiology, Hannover Medical "
    "School, Germany (github.com/ml-workgroup/covid-19-image-repository), CC BY 3.0 "
    "(creativecommons.org/licenses/by/3.0). Unchanged but for the overlays drawn here."
)
"""Stands wherever one of them is shown or taken away."""

FOLDER_VARIABLE = "CXRKIT_SAMPLES"


@dataclass(frozen=True)
class RealSample:
    """One radiograph, by facts about it.

    Attributes:
        patient: letter of a series here; the repository has random identifiers, which are not kept.
        day: of the image, counted from the first one of this series.
        view: "PA" or "AP".
        path: in the repository.
        size: in bytes.
        sha256: of the file, hexadecimal.
    """

    patient: str
    day: int
    view: str
    path: str
    size: int
    sha256: str

    @property
    def name(self) -> str:
        """Of the file, in whatever folder it is kept."""
        return self.path.rsplit("/", 1)[-1]


REAL_SAMPLES: tuple[RealSample, ...] = (
    RealSample(
        "A",
        0,
        "PA",
        "png/8da14fff.png",
        140068,
        "ff0d7f32131396ba50af220b37bd22fc7bd7fbec4df1f623b61edc2c3e2ffab5",
    ),
    RealSample(
        "A",
        16,
        "PA",
        "png/1052b0fe.png",
        151540,
        "ac12bdc4220b45800b4a0c536b0bd86ba6ccd4320fb9bfbf41d8c8c0d14a40b0",
    ),
    RealSample(
        "A",
        38,
        "PA",
        "png/ada8c494.png",
        149559,
        "f4af7b6674710151b501843cf174b9389f1ebdc25c867f91e665b720da748b70",
    ),
    RealSample(
        "B",
        0,
        "PA",
        "png/c601f50d.png",
        144673,
        "7b27c4e7ef44e7cd5961e3a79185d283757d028ff4a07a382441d0fe3eb2ad64",
    ),
    RealSample(
        "B",
        11,
        "PA",
        "png/ec083e35.png",
        153829,
        "d1196b4080f915bc16ab8da0016dafab75944c31be17d8022732fd24e688d6e5",
    ),
    RealSample(
        "B",
        27,
        "PA",
        "png/7afaaccc.png",
        144869,
        "bd051526e006157a5b90e6a0d764872f445906f033ed97fe05faeec10aad7a32",
    ),
    RealSample(
        "C",
        0,
        "PA",
        "png/80b5f00f.png",
        144289,
        "fbc30923ed27981dd31de898fff6be56e35db7fe7afbd00e5b304aa234b96929",
    ),
    RealSample(
        "C",
        2,
        "PA",
        "png/4d98e1de.png",
        137220,
        "f7f5ccad8cf233a0b1952cb9e6c3ac05edab0b6db315c0e0be4da581d5735a09",
    ),
    RealSample(
        "D",
        0,
        "AP",
        "png/333932bd.png",
        201566,
        "3e95e8228db3463d40512aded3671e3b676df4c18290f047add4528ffe56e91d",
    ),
    RealSample(
        "D",
        10,
        "AP",
        "png/54da03cf.png",
        212807,
        "c6330c3967f23ff4c423a1f33d2e32c2ebbda615eabf00826c11e1c65c4b6f34",
    ),
    RealSample(
        "E",
        0,
        "AP",
        "png/f722466f.png",
        217400,
        "1d0cd113070065b1aceeacef4383ee9dfbaeb018446ac214649811e69743cec6",
    ),
    RealSample(
        "E",
        2,
        "AP",
        "png/2fdd55b8.png",
        225478,
        "78ccab798609234b0260a9fc6dcfa56fa3295fd7f997214bb8fb752ec8127609",
    ),
)
"""A dozen, by patient and day."""


def samples_folder() -> Path:
    """The folder of this user's samples: CXRKIT_SAMPLES, or cxrkit/samples in the folder for a user's data (XDG)."""
    if given := os.environ.get(FOLDER_VARIABLE):
        return Path(given)
    data = os.environ.get("XDG_DATA_HOME", "")
    # A relative path is to be ignored (XDG Base Directory Specification 0.8, Basics).
    home = Path(data) if Path(data).is_absolute() else Path.home() / ".local" / "share"
    return home / "cxrkit" / "samples"


def missing(folder: Path) -> list[RealSample]:
    """Those that are not in the folder in full, by their size; their content is checked when it is read."""
    return [sample for sample in REAL_SAMPLES if not _whole(folder / sample.name, sample.size)]


def series(folder: Path) -> dict[str, list[RealSample]]:
    """Those in the folder by patient, in the order of time; patients with fewer than two images are left out."""
    lacking = {sample.name for sample in missing(folder)}
    found: dict[str, list[RealSample]] = {}
    for sample in sorted(REAL_SAMPLES, key=lambda sample: (sample.patient, sample.day)):
        if sample.name not in lacking:
            found.setdefault(sample.patient, []).append(sample)
    return {patient: samples for patient, samples in found.items() if len(samples) > 1}


def to_fetch(folder: Path) -> list[RealSample]:
    """Those that are missing, and those that are not, byte for byte, what the repository holds."""
    lacking = missing(folder)
    return lacking + [sample for sample in REAL_SAMPLES if sample not in lacking and not _right(folder, sample)]


def read_sample(folder: Path, sample: RealSample) -> bytes:
    """The bytes of a file in the folder.

    Raises:
        FetchError: it cannot be read, or is not the file that the repository holds.
    """
    try:
        data = (folder / sample.name).read_bytes()
    except OSError:
        raise FetchError("A sample radiograph cannot be read from its folder. Fetch the samples again.") from None
    if hashlib.sha256(data).hexdigest() != sample.sha256:
        raise FetchError(
            "A sample radiograph in the folder is not the one that the repository holds: its SHA-256 differs. "
            "Fetch the samples again."
        )
    return data


def total_bytes(samples: Sequence[RealSample]) -> int:
    """Of their files together."""
    return sum(sample.size for sample in samples)


def _right(folder: Path, sample: RealSample) -> bool:
    try:
        read_sample(folder, sample)
    except FetchError:
        return False
    return True


def _whole(file: Path, size: int) -> bool:
    try:
        return file.stat().st_size == size
    except OSError:
        return False
