"""Choosing an image, uploaded or simulated: kept in the session across page switches, read once, errors shown."""

import hashlib
import time
from dataclasses import dataclass, field

import streamlit as st

from cxrkit.errors import FrameRequired
from cxrkit.image import MAX_FILE_BYTES, MAX_PIXELS, Radiograph, read_image
from pages.ui.simulated import Samples, chosen_sample, first_sample, sample_chooser, simulated, use_sample
from pages.ui.truth import Truth
from pages.ui.words import megabytes

_IMAGES = 8
"""Kept decoded in a session: as many as a timeline holds."""

_REMOVED = "_removed"
_PATIENCE_STEPS = 15
"""Of 20 ms."""


@dataclass(frozen=True)
class Upload:
    """A file as it was given.

    Attributes:
        name: shown on the uploader's own screen, nowhere else.
        data: its bytes.
        sha256: of the bytes, hexadecimal.
    """

    name: str = field(repr=False)
    data: bytes = field(repr=False)
    sha256: str


@dataclass(frozen=True, eq=False)
class Chosen:
    """The image in use.

    Attributes:
        image: what the network will read.
        truth: what lies where, such as lesions, where it is simulated; None where it was uploaded, and nobody knows.
        sample: name of the simulated case; None where it was uploaded.
    """

    image: Radiograph
    truth: Truth | None = None
    sample: str | None = None


def choose_image(key: str, label: str, samples: Samples) -> Chosen | None:
    """Uploader or simulated case, frame chooser and reading.

    Args:
        key: unique in the app.
        label: what to upload, in words.
        samples: simulated cases on offer.

    Returns:
        The image in use; None while there is none or a frame has still to be chosen.

    Raises:
        ImageError: the file cannot be read.
    """
    left, right = st.columns([2, 1], gap="medium")
    with left:
        empty = _uploader(key, label, key)
    with right:
        sample_chooser(key, samples)
    upload: Upload | None = st.session_state.get(_kept(key))
    sample = chosen_sample(key)
    if sample is not None:
        return _use_sample(key, samples, sample, upload)
    if upload is None:
        _explain_choice(key, samples)
        return None
    image = _read(key, upload, empty)
    return None if image is None else Chosen(image)


def one_of_several(key: str, label: str, chooser: str) -> Radiograph | None:
    """An uploader that is one of several on the page, and what it holds.

    Args:
        key: unique in the app.
        label: what to upload, in words.
        chooser: key of the list of simulated cases, which an upload here ends.

    Returns:
        The image; None while there is none or a frame has still to be chosen.

    Raises:
        ImageError: the file cannot be read.
    """
    empty = _uploader(key, label, chooser)
    upload: Upload | None = st.session_state.get(_kept(key))
    return None if upload is None else _read(key, upload, empty)


def forget_upload(key: str) -> None:
    """Drop what an uploader held; only in a callback."""
    st.session_state.pop(_kept(key), None)


def wait_for_another() -> None:
    """A file that replaces another arrives as a removal and, a moment later, an upload, which ends this run here.

    Called before anything is drawn: the browser would draw it while it sends the file, and the page without an image,
    just to be taken down again, afterwards.
    """
    if not st.session_state.pop(_REMOVED, False):
        return
    for _ in range(_PATIENCE_STEPS):
        time.sleep(0.02)
        # Looking into the session lets a new run begin, as drawing does, and sends nothing to the browser.
        st.session_state.get("navigation")


def _uploader(key: str, label: str, chooser: str) -> bool:
    """Draw it; whether it looks empty, as it does after a page switch."""
    # No list of types: DICOM files often have no suffix, and Streamlit's refusal would log the file's name.
    shown = st.file_uploader(
        label, key=f"{key}.upload", on_change=_keep, args=(key, chooser), max_upload_size=MAX_FILE_BYTES >> 20
    )
    return shown is None


def _read(key: str, upload: Upload, empty: bool) -> Radiograph | None:
    if empty:
        _offer_removal(key, upload)
    return _read_chosen_frame(key, upload)


def _use_sample(key: str, samples: Samples, name: str, upload: Upload | None) -> Chosen:
    """The simulated case, and the way back to one's own image."""
    return Chosen(*simulated(key, samples, name, "Remove" if upload is None else "Back to my image"), name)


def _kept(key: str) -> str:
    return f"_upload.{key}"


def _keep(key: str, chooser: str) -> None:
    """Streamlit drops an upload with its widget at a page switch, so the bytes are kept apart from it."""
    given = st.session_state[f"{key}.upload"]
    if given is None:
        forget_upload(key)
        st.session_state[_REMOVED] = True
        return
    data = given.getvalue()
    st.session_state[_kept(key)] = Upload(given.name, data, hashlib.sha256(data).hexdigest())
    use_sample(chooser, None)


def _offer_removal(key: str, upload: Upload) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(f"In use: {upload.name} ({megabytes(len(upload.data))})", width="content")
        st.button("Remove", key=f"{key}.remove", icon=":material/close:", on_click=forget_upload, args=(key,))


def _explain_choice(key: str, samples: Samples) -> None:
    st.info(
        f"Choose a DICOM, PNG, JPEG or TIFF file, up to {MAX_FILE_BYTES >> 20} MB and {MAX_PIXELS / 1e6:.0f} "
        "megapixels. The image is kept in this server's memory until your session ends, and is sent nowhere else.",
        icon=":material/upload_file:",
    )
    first_sample(key, samples)


def _read_chosen_frame(key: str, upload: Upload) -> Radiograph | None:
    frames: int | None = st.session_state.get(f"_frames.{key}.{upload.sha256}")
    if frames is None:
        try:
            return _decode(upload.sha256, None, upload)
        except FrameRequired as error:
            frames = st.session_state[f"_frames.{key}.{upload.sha256}"] = error.frames
    widget = f"{key}.frame.{upload.sha256[:16]}"
    frame = st.number_input(
        f"Frame, 1 to {frames}", 1, frames, value=None, key=widget, persist_state="session", width=240
    )
    if frame is None:
        st.info(str(FrameRequired(frames)), icon=":material/filter_none:")
        return None
    return _decode(upload.sha256, int(frame), upload)


@st.cache_resource(scope="session", max_entries=_IMAGES, ttl=3600, show_spinner=False)
def _decode(sha256: str, frame: int | None, _upload: Upload) -> Radiograph:
    return read_image(_upload.data, _upload.name, frame)
