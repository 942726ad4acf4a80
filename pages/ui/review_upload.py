"""One table that is uploaded, kept in the session across page switches."""

import hashlib

import streamlit as st

from cxrkit.errors import ManifestError
from pages.ui.uploads import Upload
from pages.ui.words import megabytes


def kept_table(key: str, label: str, most: int) -> Upload | None:
    """An uploader for one table, and what it holds.

    Args:
        key: unique in the app.
        label: what to upload, in words.
        most: bytes that are taken.

    Raises:
        ManifestError: the table is larger.
    """
    shown = st.file_uploader(label, key=f"{key}.upload", on_change=_keep, args=(key,), max_upload_size=most >> 20)
    upload: Upload | None = st.session_state.get(_kept(key))
    if upload is None:
        return None
    if shown is None:  # after a page switch
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(f"In use: {upload.name} ({megabytes(len(upload.data))})", width="content")
            st.button("Remove", key=f"{key}.remove", icon=":material/close:", on_click=_forget, args=(key,))
    if len(upload.data) > most:
        raise ManifestError(f"The table has {megabytes(len(upload.data))}; at most {most >> 20} MB are read. Split it.")
    return upload


def _kept(key: str) -> str:
    return f"_upload.{key}"


def _keep(key: str) -> None:
    """Streamlit drops an upload with its widget at a page switch, so the bytes are kept apart from it."""
    given = st.session_state[f"{key}.upload"]
    if given is None:
        _forget(key)
        return
    data = given.getvalue()
    st.session_state[_kept(key)] = Upload(given.name, data, hashlib.sha256(data).hexdigest())


def _forget(key: str) -> None:
    st.session_state.pop(_kept(key), None)
