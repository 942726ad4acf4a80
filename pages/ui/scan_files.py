"""Choosing the lung scans of a day: many files at once, or a simulated day."""

import hashlib
from dataclasses import dataclass

import streamlit as st

from cxrkit.image import MAX_FILE_BYTES
from cxrkit.scan_claim import Kind
from pages.ui.scan_samples import IN_WORDS, simulated_day
from pages.ui.several_uploads import is_simulated, offer_simulated, say_simulated, say_uploads, several_uploads
from pages.ui.uploads import Upload

MOST = 200
"""Files of a day."""


@dataclass(frozen=True, eq=False)
class ScanFile:
    """One file of the day.

    Attributes:
        number: on the page, from 1.
        upload: as it was given.
        truth: what a simulated one shows; None of uploads.
    """

    number: int
    upload: Upload
    truth: Kind | None = None


def choose_files(key: str) -> list[ScanFile]:
    """Uploader and simulated day; what is in use, not opened yet.

    Args:
        key: unique in the app.
    """
    kept = several_uploads(key, f"Lung scans of a day, 1 to {MOST} files")
    if is_simulated(key):
        say_simulated(key, IN_WORDS, "Back to my scans" if kept else "Remove")
        return _simulated()
    if not kept:
        _explain_choice()
    say_uploads(key, kept, MOST, "the same file was given before, and counts once")
    if not kept:
        offer_simulated(key, "Open a simulated day")
    return [ScanFile(number, upload) for number, upload in enumerate(kept[:MOST], start=1)]


def _simulated() -> list[ScanFile]:
    return [
        ScanFile(number, Upload(file.name, file.data, hashlib.sha256(file.data).hexdigest()), file.truth)
        for number, file in enumerate(simulated_day(), start=1)
    ]


def _explain_choice() -> None:
    st.info(
        f"Choose DICOM, PNG, JPEG or TIFF files of planar lung scans, up to {MAX_FILE_BYTES >> 20} MB each: the whole "
        "day at once. Of a file with several views the anterior one is read. They are kept in this server's memory "
        "until your session ends, and are sent nowhere else.",
        icon=":material/upload_file:",
    )
    st.markdown(
        "**What for?** A double check before scans are stored: is each the perfusion or the ventilation scan that its "
        "file says it is? **No scans at hand?** Take a simulated day: computed scans that show no patient."
    )
