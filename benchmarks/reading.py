"""Reading files: the same image in each format, and small files that pydicom's own package holds."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from pydicom.data import get_testdata_file

from benchmarks.timing import interleaved, measured
from cxrkit.image import read_image
from cxrkit.speed import Measurement

PACKAGED = {
    "explicit little endian": "CT_small.dcm",
    "RLE": "MR_small_RLE.dcm",
    "JPEG lossless": "JPGLosslessP14SV1_1s_1f_8b.dcm",
    "JPEG-LS": "MR_small_jpeg_ls_lossless.dcm",
    "JPEG 2000": "MR_small_jp2klossless.dcm",
}


def packaged() -> dict[str, bytes]:
    """pydicom's own files, by transfer syntax; those that would have to be downloaded are left out."""
    found = {}
    for name, file in PACKAGED.items():
        path = get_testdata_file(file, download=False)
        if isinstance(path, str):
            found[f"pydicom's {file} ({name})"] = Path(path).read_bytes()
    return found


def reading(files: Mapping[str, bytes], rounds: int) -> list[Measurement]:
    """Time of read_image for each file, the decoder's process being warm."""
    actions = {name: partial(read_image, data) for name, data in files.items()}
    seconds = interleaved(actions, rounds)
    return [
        measured(name, [1000 * value for value in values], "ms", note=_size(len(files[name])))
        for name, values in seconds.items()
    ]


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.0f} kB"
