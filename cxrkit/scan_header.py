"""What a lung scan's header says. Runs in the sandbox's child process; call cxrkit.scan_facts.read_facts instead."""

import hashlib
import io
import warnings
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from pydicom import Dataset, dcmread

from cxrkit.decoding import DECODER_ERRORS, decode
from cxrkit.dicom import inflated
from cxrkit.dicom_header import coded_view, first_item, numbers, orientation_of, scan_type, text_of
from cxrkit.errors import ImageError
from cxrkit.scan_views import View, anterior_frame, view_in, view_of_orientation

KEY_LENGTH = 12
"""Hexadecimal digits of a study's key: enough to pair the scans of a day."""

_MOST_FRAMES = 10_000
_MOST_ITEMS = 4
_MOST_DETECTORS = 64
_DAMAGED = "The file's header is damaged. Export the scan again from its source."


def read_header(data: bytes, options: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """Facts of a DICOM file for the sandbox; nothing that names a person, and of texts what a screen can show.

    Args:
        data: the file, with its preamble.
        options: not used.

    Returns:
        fields of cxrkit.scan_facts.ScanFacts, and no array.

    Raises:
        ImageError: the header cannot be read; the sentence holds nothing of the file.
    """
    del options
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _facts(dcmread(io.BytesIO(inflated(data)), stop_before_pixels=True)), []
    except DECODER_ERRORS:
        raise ImageError(_DAMAGED) from None


def decode_scan(data: bytes, options: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """Facts of a DICOM file and its image, for the sandbox: one request a file, as a day has hundreds.

    Args:
        data: the file, with its preamble.
        options: as for cxrkit.decoding.decode; frame None = the anterior one.

    Returns:
        facts as `read_header` gives them, the frame that was read, from 1, or None where it cannot be told, and the
        image's fields and arrays as `decode` gives them, where there is a frame.

    Raises:
        ImageError: as read_header and decode.
    """
    facts, _ = read_header(data, {})
    frame = anterior_frame(facts["views"]) if options["frame"] is None else options["frame"]
    if frame is None:
        return {"facts": facts, "frame": None}, []
    image, arrays = decode(data, {**options, "frame": frame})
    return {"facts": facts, "frame": frame, "image": image}, arrays


def _facts(dataset: Dataset) -> dict[str, Any]:
    frames = max(1, min(int(dataset.get("NumberOfFrames") or 1), _MOST_FRAMES))
    study = text_of(dataset, "StudyInstanceUID")
    counts = numbers(dataset, "CountsAccumulated")
    return {
        "views": _views(dataset, frames),
        "modality": text_of(dataset, "Modality").upper(),
        "scan_type": scan_type(dataset),
        "series_description": text_of(dataset, "SeriesDescription"),
        "radiopharmaceutical": _radiopharmaceutical(dataset),
        "stated_counts": int(counts[0]) if counts and counts[0] > 0 else None,
        "study": hashlib.sha256(study.encode()).hexdigest()[:KEY_LENGTH] if study else "",
    }


def _radiopharmaceutical(dataset: Dataset) -> str:
    """Names of what was given, as text and as the meanings of codes, those of the nuclide included."""
    names = []
    for item in _items(dataset, "RadiopharmaceuticalInformationSequence"):
        names.append(text_of(item, "Radiopharmaceutical"))
        for coded in ("RadiopharmaceuticalCodeSequence", "RadionuclideCodeSequence"):
            names.append(text_of(first_item(item, coded), "CodeMeaning"))
    names.append(text_of(dataset, "Radiopharmaceutical"))
    return "; ".join(dict.fromkeys(name for name in names if name))


def _views(dataset: Dataset, frames: int) -> list[View | None]:
    """The view of each frame: as coded for its detector, its functional group or the file; of a single one by words."""
    found = [_view_of_frame(dataset, index, frames) for index in range(frames)]
    if frames == 1 and found[0] is None:
        return [_view_in_words(dataset)]
    return found


def _view_of_frame(dataset: Dataset, index: int, frames: int) -> View | None:
    # All of them: which one a frame belongs to cannot be told from the first few.
    detectors = _items(dataset, "DetectorInformationSequence", max(frames, _MOST_DETECTORS))
    vector = numbers(dataset, "DetectorVector")
    place = index
    # Some count detectors from 0, against PS3.3 C.8.4.8: then nothing is known of any of them.
    if index < len(vector) and min(vector) >= 1 and max(vector) <= len(detectors):
        place = int(vector[index]) - 1
    elif len(detectors) == 1:
        place = 0
    elif len(detectors) != frames:
        place = -1
    own = _items(dataset, "PerFrameFunctionalGroupsSequence", frames)[index : index + 1]
    holders = [*(detectors[place : place + 1] if place >= 0 else []), *_with_children(own), dataset]
    return next((view for view in map(coded_view, holders) if view is not None), None)


def _with_children(groups: Sequence[Dataset]) -> Iterator[Dataset]:
    """Functional groups and the macros in them."""
    for group in groups:
        yield group
        for element in islice(group, 32):
            if element.VR == "SQ":
                yield from element.value[:1]


def _view_in_words(dataset: Dataset) -> View | None:
    """The view of a file with one frame by its view position, its orientation, or the words of its series or image."""
    orientation = orientation_of(dataset)
    return (
        view_in(text_of(dataset, "ViewPosition"))
        or (view_of_orientation(*orientation) if len(orientation) == 2 else None)
        or view_in(text_of(dataset, "SeriesDescription"))
        or view_in(text_of(dataset, "ImageID"))
    )


def _items(dataset: Dataset, keyword: str, most: int = _MOST_ITEMS) -> list[Dataset]:
    value = dataset.get(keyword)
    return list(value[:most]) if value else []
