"""What can be taken away of a review: its cases as CSV, and a report as HTML; neither names a file or a patient."""

import datetime
import hashlib
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from cxrkit.card import Card
from cxrkit.errors import WeightsError
from cxrkit.review.export import Export, offered_columns, review_csv
from cxrkit.review.export_report import Report, pictures_of, review_html, worst_rows
from cxrkit.review.filters import kept
from cxrkit.review.notes import open_notes
from cxrkit.task import Task
from pages.ui.export import file_buttons
from pages.ui.models import read_task_card
from pages.ui.review_filters import conditions_in_force
from pages.ui.review_notes_keys import Keys, compute_keys, known_keys
from pages.ui.shell import FOOTER

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cxrkit.review.table import ReviewSet

PLACE = "review.export"
_WORST = (5, 100, 20)
"""Least, most, and to begin with."""


def show_export(review: "ReviewSet", rows: "NDArray[np.int64]", label: str, threshold: float | None) -> None:
    """Options and buttons. Notes are found by the images' bytes, so every chosen image is read once before.

    Args:
        review: the set of cases.
        rows: [M] of its table, as chosen.
        label: that is reviewed.
        threshold: called at score >= threshold; None of ages.

    Raises:
        NotesError: the notes cannot be reached or read.
    """
    if not len(rows):
        st.info("No case is chosen. Widen the filters.", icon=":material/filter_alt_off:")
        return
    columns = _ask_columns(review)
    worst, pictures, notes = _ask_report(review.root is not None)
    keys = _keys(review, rows)
    open_notes().state(review.task.name)  # what is wrong with the database is said here, not in a failed download
    if keys is not None:
        asked = partial(_export, review, rows, label, threshold, keys, columns)
        stem = f"{review.task.name}-review"
        file_buttons(
            PLACE,
            (
                ("Cases (CSV)", f"{stem}.csv", lambda: review_csv(asked(), FOOTER, words=notes)),
                ("Report (HTML)", f"{stem}.html", lambda: _report(asked(), worst, pictures, notes)),
            ),
        )
    st.caption(
        "No file name, date or column that speaks of a patient goes into either file. A case is named by its key, a "
        "hash of its images' bytes: whoever has the images can find it again, nobody else. The columns that you tick "
        "and what reviewers wrote are your choice: read them before you pass a file on."
    )


def _ask_columns(review: "ReviewSet") -> tuple[str, ...]:
    offered = offered_columns(review)
    known = hashlib.sha256("\0".join(offered).encode()).hexdigest()[:12]
    return tuple(
        st.multiselect(
            "Columns of the table to take along",
            offered,
            key=f"{PLACE}.columns.{known}",
            placeholder="None",
            help="Columns whose names or values speak of patients, names, numbers, dates or files are not offered.",
            persist_state="session",
        )
    )


def _ask_report(opens: bool) -> tuple[int, bool, bool]:
    """How many of the worst cases; whether small pictures, and whether the reviewers' notes and tags are in it."""
    for name, value in (("worst", _WORST[2]), ("pictures", False), ("notes", False)):
        st.session_state.setdefault(f"{PLACE}.{name}", value)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        worst = st.number_input(
            "Worst cases in the report", *_WORST[:2], key=f"{PLACE}.worst", width=200, persist_state="session"
        )
        pictures = st.toggle(
            "Small pictures in the report",
            key=f"{PLACE}.pictures",
            disabled=not opens,
            help="Made of the pixels alone. Text that is burned into an image, such as a name, is not removed.",
            persist_state="session",
        )
        notes = st.toggle(
            "Reviewers' notes and tags",
            key=f"{PLACE}.notes",
            help="In the reviewers' own words. The CSV then has their initials too, and when they wrote.",
            persist_state="session",
        )
    if pictures and opens:
        st.warning(
            "Text that is burned into an image, such as a name, is not removed: look at the pictures before you pass "
            "the report on.",
            icon=":material/visibility:",
        )
    return int(worst), pictures and opens, notes


def _keys(review: "ReviewSet", rows: "NDArray[np.int64]") -> Keys | None:
    """Keys of the chosen cases; None until the user has them looked for."""
    if review.root is None:
        st.info(
            "The images cannot be opened, so the files are without case keys and without what reviewers said.",
            icon=":material/link_off:",
        )
        return {}
    known = known_keys(review)
    if all(int(row) in known for row in rows):
        return {int(row): known[int(row)] for row in rows}
    asked = st.button(
        f"Prepare the export of {len(rows):,} cases",
        key=f"{PLACE}.prepare",
        icon=":material/fingerprint:",
        help="Reads every chosen image once, to find what was said of it.",
    )
    return compute_keys(review, rows) if asked else None


def _export(
    review: "ReviewSet",
    rows: "NDArray[np.int64]",
    label: str,
    threshold: float | None,
    keys: Keys,
    columns: tuple[str, ...],
) -> Export:
    """With the notes as they are when the button is pressed."""
    said = open_notes().current({key for key in keys.values() if key is not None}, review.task.name, label)
    conditions = conditions_in_force()
    by_notes = rows.size < kept(review.table, conditions).size
    return Export(review, rows, label, threshold, keys, said, columns, conditions, by_notes)


def _report(export: Export, worst: int, pictures: bool, notes: bool) -> str:
    shown = pictures_of(export, worst_rows(export, worst)) if pictures else {}
    now = datetime.datetime.now(datetime.UTC)
    return review_html(export, _card(export.review.task), Report(worst, shown, notes, FOOTER, now))


def _card(task: Task) -> Card | None:
    try:
        return read_task_card(task)
    except WeightsError:
        return None
