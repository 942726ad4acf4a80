"""Own cases: a quiz pack is checked, begun, and explained."""

import hashlib

import streamlit as st

from cxrkit.decoded import MAX_FILE_BYTES
from cxrkit.errors import CxrkitError
from cxrkit.quiz.archive import MOST_BYTES, MOST_FILES, TABLE
from cxrkit.quiz.example_pack import example_pack, example_rows
from cxrkit.quiz.pack import QuizPack, read_pack
from cxrkit.quiz.pack_table import MOST_NOTE, OLDEST
from cxrkit.quiz.question import READINGS
from cxrkit.quiz.settings import MOST_CASES
from pages.ui.quiz_state import KEY, start_pack
from pages.ui.words import listed

_CHECKED = f"_{KEY}.checked"

_NAME_WIDTH = 170
"""Pixels of a column that holds names of files."""


def own_cases() -> None:
    """The uploader, what is wrong with a pack, the button that begins it, and how to make one."""
    with st.expander("Own cases: a quiz pack", icon=":material/folder_zip:", key=f"{KEY}.own"):
        given = st.file_uploader(
            "Quiz pack (a zip of images and quiz.csv)", key=f"{KEY}.pack", max_upload_size=MAX_FILE_BYTES >> 20
        )
        kept: tuple[str, QuizPack | str] | None = st.session_state.get(_CHECKED)
        if given is not None:
            _offer(given.getvalue())
        elif kept is not None and isinstance(kept[1], QuizPack):
            # The uploader forgets its file at every quiz and page; the pack is here until the session ends.
            _offer_pack(kept[1])
            st.button("Remove the pack", key=f"{KEY}.remove_pack", icon=":material/delete:", on_click=_forget)
        st.caption(
            "The pack is kept in this server's memory until your session ends, and is sent nowhere else. Use only "
            "images that you may use for this purpose, without anything that names a person."
        )
        _explain()


def _offer(data: bytes) -> None:
    """Check a pack once; say what is wrong, or offer to begin."""
    digest = hashlib.sha256(data).hexdigest()
    kept: tuple[str, QuizPack | str] | None = st.session_state.get(_CHECKED)
    if kept is None or kept[0] != digest:
        kept = (digest, _checked(data))
        st.session_state[_CHECKED] = kept
    found = kept[1]
    if isinstance(found, str):
        st.error(found, icon=":material/error:")
        return
    _offer_pack(found)


def _forget() -> None:
    st.session_state.pop(_CHECKED, None)


def _offer_pack(found: QuizPack) -> None:
    count = len(found.questions)
    st.success(f"{count} case{'s' if count > 1 else ''}, every image can be read.", icon=":material/check_circle:")
    st.button(
        "Start with these cases",
        key=f"{KEY}.start_pack",
        type="primary",
        icon=":material/play_arrow:",
        on_click=start_pack,
        args=(found,),
    )


def _checked(data: bytes) -> QuizPack | str:
    """The pack, or why it is refused."""
    bar = st.progress(0.0, "Checking the pack …")
    try:
        pack = read_pack(data)
        for done in pack.check_images():
            bar.progress(done / len(pack.questions), f"{done} of {len(pack.questions)} cases are checked …")
    except CxrkitError as error:
        return str(error)
    finally:
        bar.empty()
    return pack


def _explain() -> None:
    st.markdown(f"**Make a pack.** Put the images (DICOM, PNG, JPEG or TIFF) and a table `{TABLE}` into one zip file.")
    names = {column: st.column_config.Column(width=_NAME_WIDTH) for column in ("file", "file2", "mask")}
    st.dataframe(example_rows(), hide_index=True, width="stretch", column_config=names)
    truths = [f"`{task}`: {listed([f'`{each}`' for each in known])}" for task, known in READINGS.items() if known]
    st.markdown(
        "- `file`: the image's name in the zip; `file2`: the follow-up, of the task `followup` alone.\n"
        f"- `task` and `truth`: {'; '.join(truths)}; `bone_age`: months, 0 to {OLDEST}.\n"
        "- `mask`: an image as large as the last one of its row, white on what is to be found and black elsewhere; or "
        "`x0`, `y0`, `x1`, `y1`: a box in its pixels. Both may be left out, as every further column may.\n"
        "- `level`: `easy`, `medium` or `hard`; `sex`: `F` or `M`, of hands; "
        f"`note`: shown with the answer, up to {MOST_NOTE} letters.\n"
        f"- Limits: {MOST_CASES} cases, {MOST_FILES} files, {MAX_FILE_BYTES >> 20} MB packed, {MOST_BYTES >> 20} MB "
        "unpacked; no password, no links, no archives within, no other files."
    )
    st.download_button(
        "Example pack (simulated cases)",
        example_pack,
        file_name="quiz-pack-example.zip",
        mime="application/zip",
        key=f"{KEY}.example",
        icon=":material/download:",
        on_click="ignore",
    )
