"""Which predictions are reviewed: a table that is given, or that of a run which the page starts."""

import hashlib
from pathlib import Path

import pandas as pd
import streamlit as st

from cxrkit import tasks
from cxrkit.review.folders import HOW_TO_SET, case_folders, checked_folder
from cxrkit.review.table import MAX_BYTES, ReviewSet, read_predictions
from cxrkit.task import Task
from cxrkit.tasks import find_task
from pages.ui.errors import errors_shown
from pages.ui.review_choice import forget_choice
from pages.ui.review_upload import kept_table
from pages.ui.tabs import kept_tabs
from pages.ui.uploads import Upload

KEY = "review"
SOURCES = ("Load predictions", "Run a table of cases")
_FOUND = "Found from the columns"
_NO_FOLDER = "None: images stay closed"
_SET, _DIGEST = "_review.set", "_review.digest"


def load_review() -> ReviewSet | None:
    """The loading area, and what is reviewed; None while there is nothing."""
    given, run = kept_tabs(SOURCES, f"{KEY}.source")
    review = None
    if given.open:
        with given, errors_shown():
            review = _given()
    if run.open:
        from pages.ui.review_run import run_manifest  # brings what runs batches

        with run, errors_shown():
            review = run_manifest()
    if review is not None:
        _settle(review)
    return review


def digest_of_review() -> str:
    """What tells the cases that are reviewed now from any others."""
    return str(st.session_state[_DIGEST])


def _given() -> ReviewSet | None:
    left, right = st.columns([3, 2], gap="medium")
    with left:
        upload = kept_table(KEY, "Table of predictions (CSV)", MAX_BYTES)
    with right:
        task = _ask_task()
        root = _ask_root()
    if upload is None:
        st.info(
            "Choose the CSV that `python -m cxrkit evaluate TASK TABLE --root FOLDER --out predictions.csv` wrote. It "
            "is kept in this server's memory until your session ends.",
            icon=":material/upload_file:",
        )
        return None
    return _read(upload.sha256, upload.name, task.name if task else None, str(root) if root else None, upload)


def _ask_task() -> Task | None:
    names = {task.title: task.name for task in tasks.TASKS}
    chosen = st.selectbox("Task", (_FOUND, *names), key=f"{KEY}.task", persist_state="session")
    return find_task(names[chosen]) if chosen in names else None


def _ask_root() -> Path | None:
    """The folder that the table's paths start in; None where images are not opened."""
    folders = [str(folder) for folder in case_folders()]
    if not folders:
        st.caption(f"Images stay closed. {HOW_TO_SET}")
        return None
    chosen = st.selectbox(
        "Folder that its paths start in",
        (*folders, _NO_FOLDER),
        key=f"{KEY}.root",
        accept_new_options=True,
        help="One that the server's owner opened, or type the path of a folder beneath one.",
        persist_state="session",
    )
    if chosen in {None, _NO_FOLDER}:
        return None
    with errors_shown():
        return checked_folder(str(chosen))
    return None


@st.cache_resource(scope="session", max_entries=3, ttl=3600, show_spinner="Reading the table …")
def _read(sha256: str, name: str, task: str | None, root: str | None, _upload: Upload) -> ReviewSet:
    return read_predictions(_upload.data, name, find_task(task) if task else None, Path(root) if root else None)


def _settle(review: ReviewSet) -> None:
    """What was chosen among other cases is forgotten."""
    if st.session_state.get(_SET) is review:
        return
    content = pd.util.hash_pandas_object(review.table).to_numpy().tobytes()
    about = repr((review.name, review.task.name, str(review.root), list(review.table)))
    digest = hashlib.sha256(content + about.encode()).hexdigest()
    st.session_state[_SET] = review
    if st.session_state.get(_DIGEST) != digest:
        st.session_state[_DIGEST] = digest
        forget_choice()
