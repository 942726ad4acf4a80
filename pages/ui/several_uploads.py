"""Several files at once, kept in the session across page switches; or simulated ones in their place."""

import hashlib
import re
from collections.abc import Sequence

import streamlit as st

from cxrkit.image import MAX_FILE_BYTES
from pages.ui.uploads import Upload
from pages.ui.words import listed

_NAMED = 6
"""Of more files only the first ones are named."""

_BEGINS = re.compile(r"(?<=[:@<>~])|(?<=--)|(?<=www)", re.IGNORECASE)
"""Behind what begins an address, an arrow or an icon, which Streamlit looks for once escapes are undone."""

_JOINER = "\N{WORD JOINER}"


def several_uploads(key: str, label: str) -> list[Upload]:
    """An uploader for several files at once, and all that were given to it, each content once.

    Args:
        key: unique in the app.
        label: what to upload, in words.
    """
    # No list of types: as in uploads.
    shown = st.file_uploader(
        label,
        accept_multiple_files=True,
        key=f"{key}.upload",
        on_change=_keep,
        args=(key,),
        max_upload_size=MAX_FILE_BYTES >> 20,
    )
    if not shown:
        st.session_state[_shown(key)] = ()
    kept: list[Upload] = st.session_state.get(_kept(key), [])
    return kept


def say_uploads(key: str, kept: Sequence[Upload], most: int, again: str) -> None:
    """More files than are read, files given twice, and those in use that the uploader no longer shows, to be removed.

    Args:
        key: of the uploader.
        kept: what it holds.
        most: how many are read.
        again: of files given twice: "the same image was given before, and counts once".
    """
    if len(kept) > most:
        st.warning(f"{len(kept)} files were given; the first {most} are read. Remove some for the others.")
    if twice := st.session_state.get(_twice(key)):
        st.warning(f"{_names([in_markdown(name) for name in twice])}: {again}.")
    earlier = [upload for upload in kept if upload.sha256 not in st.session_state[_shown(key)]]
    if earlier:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(f"In use: {_names([upload.name for upload in earlier])}", width="content")
            st.button(
                "Remove",
                key=f"{key}.remove",
                icon=":material/close:",
                on_click=_forget,
                args=(key, [upload.sha256 for upload in earlier]),
            )


def is_simulated(key: str) -> bool:
    """Whether simulated images are in use in place of the uploads."""
    return bool(st.session_state.get(f"_simulated.{key}"))


def offer_simulated(key: str, label: str) -> None:
    """A button that takes the simulated images.

    Args:
        key: of the uploader.
        label: what it says, such as "Open a simulated child".
    """
    st.button(label, key=f"{key}.first_sample", icon=":material/science:", on_click=_use_simulated, args=(key, True))


def say_simulated(key: str, words: str, leave: str) -> None:
    """That the images are simulated, and the way back.

    Args:
        key: of the uploader.
        words: what they are.
        leave: what the button says that ends it.
    """
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/science: **Simulated images: no patient.** {words}", width="stretch")
        st.button(leave, key=f"{key}.leave_sample", icon=":material/close:", on_click=_use_simulated, args=(key, False))


def in_markdown(name: str) -> str:
    """A file's name, or other text that is not ours, so that Markdown shows it as it is: no link, image or icon.

    Escapes do not keep Streamlit from addresses, arrows and :streamlit:, so an invisible joiner parts what begins them.
    """
    return "".join(
        f"\\{letter}" if letter.isascii() and not letter.isalnum() and letter != " " else letter
        for letter in _BEGINS.sub(_JOINER, name)
    )


def _kept(key: str) -> str:
    return f"_uploads.{key}"


def _shown(key: str) -> str:
    return f"_shown.{key}"


def _twice(key: str) -> str:
    return f"_twice.{key}"


def _names(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return listed(names) if more <= 1 else listed([*names[:_NAMED], f"{more} more"])


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
    st.session_state.pop(_twice(key), None)
