"""Choosing the images of one child: several files at once, kept across page switches, or a simulated child."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import streamlit as st

from cxrkit.image import MAX_FILE_BYTES, MAX_PIXELS, Radiograph, read_image
from pages.ui.growth_samples import CHILD, IN_WORDS, SimulatedVisit
from pages.ui.several_uploads import is_simulated, offer_simulated, say_simulated, say_uploads, several_uploads
from pages.ui.uploads import Upload

MOST = 12
"""Images of one child."""


@dataclass(frozen=True, eq=False)
class Source:
    """Where the radiograph of one visit comes from.

    Attributes:
        number: on the page, from 1.
        name: for the screen alone.
        digest: stands for the file's bytes.
        opened: reads it, given the frame; raises ImageError.
        frame: from 1; None where the file holds one image, or none is chosen yet.
        simulated: what is known of a simulated hand; None of uploads.
    """

    number: int
    name: str = field(repr=False)
    digest: str
    opened: Callable[[int | None], Radiograph]
    frame: int | None = None
    simulated: SimulatedVisit | None = None

    @property
    def key(self) -> str:
        """Stands for the image."""
        return f"{self.digest}.{self.frame}"

    def image(self) -> Radiograph:
        """The image, decoded again unless it was one of the last.

        Raises:
            ImageError: the file cannot be read.
        """
        return self.opened(self.frame)


def choose_sources(key: str) -> list[Source]:
    """Uploader for several files and the simulated child; what is in use, not opened yet.

    Args:
        key: unique in the app.
    """
    kept = several_uploads(key, f"Radiographs of one child's hand, 2 to {MOST} files")
    if is_simulated(key):
        say_simulated(key, IN_WORDS, "Back to my images" if kept else "Remove")
        return [
            Source(number, f"at {visit.age // 12} years", f"simulated.{visit.bone_age}", _opener(visit), None, visit)
            for number, visit in enumerate(CHILD, start=1)
        ]
    _say_what_is_used(key, kept)
    return [
        Source(number, upload.name, upload.sha256, partial(_open, upload))
        for number, upload in enumerate(kept[:MOST], start=1)
    ]


def _opener(visit: SimulatedVisit) -> Callable[[int | None], Radiograph]:
    return lambda _: visit.image()


def _open(upload: Upload, frame: int | None) -> Radiograph:
    return _decode(upload.sha256, frame, upload)


@st.cache_resource(scope="session", max_entries=2, ttl=3600, show_spinner=False)
def _decode(sha256: str, frame: int | None, _upload: Upload) -> Radiograph:
    """Two at a time: twelve large radiographs would take a quarter of a gigabyte in every session."""
    return read_image(_upload.data, _upload.name, frame)


def _say_what_is_used(key: str, kept: Sequence[Upload]) -> None:
    if not kept:
        _explain_choice()
    say_uploads(key, kept, MOST, "the same image was given before, and counts once")
    offer_simulated(key, "Open a simulated child")


def _explain_choice() -> None:
    st.info(
        f"Choose DICOM, PNG, JPEG or TIFF files of one child, up to {MAX_FILE_BYTES >> 20} MB and "
        f"{MAX_PIXELS / 1e6:.0f} megapixels each: several at once, or one after the other. They are kept in this "
        "server's memory until your session ends, and are sent nowhere else.",
        icon=":material/upload_file:",
    )
    st.markdown(
        "**No images at hand?** Take a simulated child: five computed radiographs that show no patient. The true bone "
        "ages are known, so the page can show how far the network is from them."
    )
