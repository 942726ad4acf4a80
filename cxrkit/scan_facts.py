"""What a lung scan's own header says of it: its views, its kind, its tracer, its study; and the frame to be read.

Nothing is kept that names a person: descriptions of the series and the tracer, terms of the standard, numbers, and of
the study a prefix of a hash, by which two scans of one study are paired without showing it.
"""

from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from cxrkit import sandbox
from cxrkit.errors import ImageError
from cxrkit.image import MAX_FILE_BYTES, Radiograph, assemble, read_image
from cxrkit.scan_views import View, anterior_frame

__all__ = ["ScanFacts", "choose_frame", "problem_of", "read_facts", "read_scan"]

_DICOM_MARK = slice(128, 132)


@dataclass(frozen=True)
class ScanFacts:
    """Facts of one DICOM file.

    Attributes:
        views: of each frame, as coded, else, of a file with one frame, as its words say; None = not stated.
        modality: as stated, such as "NM", or "".
        scan_type: "STATIC", "DYNAMIC", "GATED", "WHOLE BODY", "TOMO", "GATED TOMO", "RECON TOMO", "RECON GATED TOMO" or
            "" (PS3.3 C.8.4.9.1.1).
        series_description: as stated, or "".
        radiopharmaceutical: all names of what was given, text and meanings of codes, joined by "; ", or "".
        stated_counts: counts accumulated by the header, over all frames; None = not stated.
        study: key of the study, 12 hexadecimal digits; None = not stated.
    """

    views: tuple[View | None, ...]
    modality: str = ""
    scan_type: str = ""
    series_description: str = ""
    radiopharmaceutical: str = ""
    stated_counts: int | None = None
    study: str | None = None

    @property
    def frames(self) -> int:
        """How many frames the file holds."""
        return len(self.views)


def read_facts(data: bytes) -> ScanFacts | None:
    """Facts of a file; None of one that is no DICOM file.

    Raises:
        ImageError: its header cannot be read.
        ImageTooLarge: as cxrkit.image.read_image.
    """
    if data[_DICOM_MARK] != b"DICM":
        return None
    fields, _ = sandbox.call("cxrkit.scan_header:read_header", {}, data)
    return _facts(fields)


def _facts(fields: dict[str, Any]) -> ScanFacts:
    return ScanFacts(**fields | {"views": tuple(fields["views"]), "study": fields["study"] or None})


def choose_frame(facts: ScanFacts) -> int | None:
    """The frame to be read, from 1: the only one, or the only anterior one; None where that cannot be told."""
    return anterior_frame(facts.views)


def read_scan(data: bytes, name: str = "", frame: int | None = None) -> Radiograph:
    """Read a lung scan: of several frames the anterior one, with the file's facts as `scan` and the frame's view.

    Args:
        data, name: as for cxrkit.image.read_image.
        frame: from 1; None = the anterior one.

    Raises:
        ImageError: as read_image; or no frame was chosen and the anterior one cannot be told, or the header speaks
            against all of them.
    """
    if len(data) > MAX_FILE_BYTES or data[_DICOM_MARK] != b"DICM":
        return read_image(data, name, frame)
    options = {"frame": frame, "suffix": PurePath(name).suffix.lower()}
    fields, arrays = sandbox.call("cxrkit.scan_header:decode_scan", options, data)
    facts, chosen = _facts(fields["facts"]), fields["frame"]
    if chosen is None:
        raise ImageError(problem_of(facts) or _cannot_choose(facts))
    return replace(assemble(fields["image"], arrays, data, chosen), scan=facts, view=facts.views[chosen - 1])


def problem_of(facts: ScanFacts) -> str:
    """Why none of a file's frames is to be read, whichever is chosen, as a sentence; "" where its header names nothing.

    A slice of the heart has no anterior view to look for.
    """
    from cxrkit.scan_checks import scan_header_problem  # brings OpenCV, which most callers have no need of

    stated = {
        "Modality": facts.modality,
        "Scan type": facts.scan_type,
        "Series description": facts.series_description,
        "Radiopharmaceutical": facts.radiopharmaceutical,
    }
    problem = scan_header_problem(stated)
    return "" if problem is None else f"{problem.sentence} Choose a planar lung scan."


def _cannot_choose(facts: ScanFacts) -> str:
    several = facts.views.count("anterior")
    which = f"{several} of them are anterior views" if several else "its header calls none of them the anterior view"
    return (
        f"This file holds {facts.frames} frames and {which}, so it cannot be told which one is to be read. "
        f"Choose a frame from 1 to {facts.frames}, or export the anterior view alone."
    )
