"""Keys of a review's cases, kept for the session; verdicts of many cases at once, and the choice of cases by them."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import streamlit as st

from cxrkit.review.case_key import case_key, case_keys
from cxrkit.review.notes import Entry, Verdict, open_notes
from pages.ui.errors import errors_shown
from pages.ui.review_choice import turn_to

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cxrkit.review.table import ReviewSet

NO_VERDICT = "none yet"
_STEPS = 100
"""Of the progress bar."""

Keys = dict[int, str | None]


def key_of(review: "ReviewSet", row: int) -> str:
    """Key of one case.

    Raises:
        InputError, ImageError: its images are not found or cannot be read.
    """
    key = case_key(review.paths(row))
    known_keys(review)[row] = key
    return key


def compute_keys(review: "ReviewSet", rows: Iterable[int]) -> Keys:
    """Keys of these cases, by row; with a progress bar where some have to be read. None = an image cannot be read."""
    known, wanted = known_keys(review), [int(row) for row in rows]
    missing = [row for row in wanted if row not in known]
    if missing:
        bar, done = st.progress(0.0, f"Looking at the images of {len(missing):,} cases …"), 0

        def told() -> None:
            nonlocal done
            done += 1
            if done * _STEPS // len(missing) > (done - 1) * _STEPS // len(missing):
                bar.progress(done / len(missing), f"Looking at the images: {done:,} of {len(missing):,} cases …")

        known |= case_keys(review, missing, told)
        bar.empty()
    return {row: known[row] for row in wanted}


def verdicts(review: "ReviewSet", rows: Iterable[int], label: str) -> dict[int, tuple[Entry, ...]]:
    """The newest entry of each reviewer on many cases, by row; cases without any are left out.

    Cheap: one look at the database where nothing was saved since the last call. It only knows cases whose keys were
    computed; see `compute_keys` and `all_keys_known`.

    Args:
        review: the set of cases.
        rows: of its table.
        label: that is reviewed.

    Raises:
        NotesError: the database cannot be reached or read.
    """
    notes, known = open_notes(), known_keys(review)
    keys = {row: key for row in rows if (key := known.get(int(row))) is not None}
    store = f"_verdicts.{review.task.name}"
    version = (notes.state(review.task.name), label, len(known), _fingerprint(review))
    if st.session_state.get(store, (None,))[0] != version:
        every = {key for key in known.values() if key is not None}
        st.session_state[store] = (version, notes.current(every, review.task.name, label))
    found: Mapping[str, tuple[Entry, ...]] = st.session_state[store][1]
    return {int(row): found[key] for row, key in keys.items() if key in found}


def all_keys_known(review: "ReviewSet") -> bool:
    """Whether `verdicts` knows all cases."""
    return len(known_keys(review)) == len(review.table)


def filter_by_notes(review: "ReviewSet", rows: "NDArray[np.int64]", label: str) -> "NDArray[np.int64]":
    """Controls that choose cases by verdict and tag, and those of the rows that are left.

    Keys of all cases are computed on request only: every image has to be read once.

    Args:
        review: nothing is drawn where its images cannot be opened.
        rows: [M] of its table.
        label: that is reviewed.

    Raises:
        NotesError: the database cannot be reached or read.
    """
    if review.root is None:
        return rows
    place = "review.notes.filter"
    if not all_keys_known(review):
        asked = st.button(
            "Find notes on all cases",
            key=f"{place}.find",
            icon=":material/manage_search:",
            help="Reads every image once. Then cases can be chosen by verdict and tag.",
        )
        if not asked:
            return rows
        compute_keys(review, range(len(review.table)))
        st.rerun()
    with errors_shown():  # without the database the rest of the page goes on, with all rows
        return _filtered(review, rows, label, place)
    return rows


def _filtered(review: "ReviewSet", rows: "NDArray[np.int64]", label: str, place: str) -> "NDArray[np.int64]":
    said = verdicts(review, range(len(review.table)), label)
    tags = open_notes().tags(review.task.name)  # also replaced ones: an option that goes would take the choice along
    with st.container(horizontal=True):
        wanted = st.pills(
            "Verdict",
            [*Verdict, NO_VERDICT],
            format_func=str.capitalize,
            selection_mode="multi",
            key=f"{place}.verdict",
            persist_state="session",
            on_change=turn_to,
            args=(0,),
        )
        chosen = _ask_tags(tags, f"{place}.tags") if tags else []
    return _kept(rows, said, frozenset(wanted), frozenset(chosen))


def _ask_tags(tags: list[str], key: str) -> list[str]:
    return st.multiselect("Tags", tags, key=key, persist_state="session", on_change=turn_to, args=(0,))


def _kept(
    rows: "NDArray[np.int64]", said: Mapping[int, tuple[Entry, ...]], wanted: frozenset[str], tags: frozenset[str]
) -> "NDArray[np.int64]":
    """One reviewer's verdict or tag is enough for a case to be kept."""
    import numpy as np

    def kept(row: int) -> bool:
        entries = said.get(row, ())
        given = {entry.verdict.value for entry in entries if entry.verdict} or {NO_VERDICT}
        return (not wanted or bool(given & wanted)) and (
            not tags or any(tags & frozenset(entry.tags) for entry in entries)
        )

    return np.array([row for row in rows if kept(int(row))], dtype=np.int64)


def known_keys(review: "ReviewSet") -> Keys:
    """Keys of this table's cases that were computed in this session; of another table than before none."""
    store, now = f"_case_keys.{review.task.name}", _fingerprint(review)
    if st.session_state.get(store, (None,))[0] != now:
        st.session_state[store] = (now, {})
    keys: Keys = st.session_state[store][1]
    return keys


def _fingerprint(review: "ReviewSet") -> str:
    """Of the folder and the paths of all cases: a page may read one table twice."""
    from pandas.util import hash_pandas_object

    files = hash_pandas_object(review.table[list(review.task.file_columns)], index=False)
    return hashlib.sha256(f"{review.root}\0".encode() + files.to_numpy().tobytes()).hexdigest()
