"""Choosing the images of one child: several files at once, kept across page switches, or a simulated child."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import streamlit as st

from cxrkit.image import MAX_FILE_BYTES, MAX_PIXELS, Radiograph, read_image
from pages.ui.growth_samples import CHILD, IN_WORDS, SimulatedVisit
from pages.ui.uploads import Upload
from pages.ui.words import listed

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
    # No list of types: as in uploads.
    shown = st.file_uploader(
        f"Radiographs of one child's hand, 2 to {MOST} files",
        accept_multiple_files=True,
        key=f"{key}.upload",
        on_change=_keep,
        args=(key,),
        max_upload_size=MAX_FILE_BYTES >> 20,
    )
    if not shown:
        st.session_state[_shown(key)] = ()
    kept: list[Upload] = st.session_state.get(_kept(key), [])
    if is_simulated(key):
        _say_simulated(key, "Back to my images" if kept else "Remove")
        return [
            Source(number, f"at {visit.age // 12} years", f"simulated.{visit.bone_age}", _opener(visit), None, visit)
            for number, visit in enumerate(CHILD, start=1)
        ]
    _say_what_is_used(key, kept)
    return [
        Source(number, upload.name, upload.sha256, partial(_open, upload))
        for number, upload in enumerate(kept[:MOST], start=1)
    ]


def is_simulated(key: str) -> bool:
    """Whether the simulated child is in use."""
    return bool(st.session_state.get(f"_simulated.{key}"))


def _opener(visit: SimulatedVisit) -> Callable[[int | None], Radiograph]:
    return lambda _: visit.image()


def _open(upload: Upload, frame: int | None) -> Radiograph:
    return _decode(upload.sha256, frame, upload)


@st.cache_resource(scope="session", max_entries=2, ttl=3600, show_spinner=False)
def _decode(sha256: str, frame: int | None, _upload: Upload) -> Radiograph:
    """Two at a time: twelve large radiographs would take a quarter of a gigabyte in every session."""
    return read_image(_upload.data, _upload.name, frame)


def _kept(key: str) -> str:
    return f"_uploads.{key}"


def _shown(key: str) -> str:
    return f"_shown.{key}"


def _twice(key: str) -> str:
    return f"_twice.{key}"


def _keep(key: str) -> None:
    """Keep the bytes apart from the widget, which loses them at a page switch and then holds the later files alone."""
    given = [(file.name, file.getvalue()) for file in st.session_state[f"{key}.upload"]]
    uploads = [Upload(name, data, hashlib.sha256(data).hexdigest()) for name, data in given]
    before = st.session_state.get(_shown(key), ())
    kept = {upload.sha256: upload for upload in st.session_state.get(_kept(key), []) if upload.sha256 not in before}
    twice = []
    for upload in uploads:
        if upload.sha256 in kept:
            twice.append(upload.name)
        else:
            kept[upload.sha256] = upload
    st.session_state[_kept(key)] = list(kept.values())
    st.session_state[_shown(key)] = tuple(upload.sha256 for upload in uploads)
    st.session_state[_twice(key)] = twice
    if uploads:
        _use_simulated(key, False)


def _use_simulated(key: str, use: bool) -> None:
    st.session_state[f"_simulated.{key}"] = use


def _forget(key: str, sha256s: Sequence[str]) -> None:
    kept = st.session_state.get(_kept(key), [])
    st.session_state[_kept(key)] = [upload for upload in kept if upload.sha256 not in sha256s]


def _say_simulated(key: str, leave: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/science: **Simulated images: no patient.** {IN_WORDS}", width="stretch")
        st.button(leave, key=f"{key}.leave_sample", icon=":material/close:", on_click=_use_simulated, args=(key, False))


def _say_what_is_used(key: str, kept: Sequence[Upload]) -> None:
    if not kept:
        _explain_choice()
    if len(kept) > MOST:
        st.warning(f"{len(kept)} files were given; the first {MOST} are read. Remove some for the others.")
    if twice := st.session_state.get(_twice(key)):
        st.warning(
            f"{listed([in_markdown(name) for name in twice])}: the same image was given before, and counts once."
        )
    earlier = [upload for upload in kept if upload.sha256 not in st.session_state[_shown(key)]]
    if earlier:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(f"In use: {listed([upload.name for upload in earlier])}", width="content")
            st.button(
                "Remove",
                key=f"{key}.remove",
                icon=":material/close:",
                on_click=_forget,
                args=(key, [upload.sha256 for upload in earlier]),
            )
    st.button(
        "Open a simulated child",
        key=f"{key}.first_sample",
        icon=":material/science:",
        on_click=_use_simulated,
        args=(key, True),
    )


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


def in_markdown(name: str) -> str:
    """A file's name so that Markdown shows it as it is."""
    return "".join(
        f"\\{letter}" if letter.isascii() and not letter.isalnum() and letter != " " else letter for letter in name
    )
