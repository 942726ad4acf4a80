"""Notes beneath an opened case of a review: verdict, tags and note of this reviewer, and what all have said so far."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

from cxrkit.errors import CxrkitError, InputError
from cxrkit.review.notes import MOST_TAGS, Entry, Notes, Remark, Verdict, checked_initials, open_notes
from cxrkit.review.notes_tables import LONGEST_INITIALS, LONGEST_NOTE
from cxrkit.task import Task
from pages.ui.errors import errors_shown
from pages.ui.review_notes_keys import key_of

if TYPE_CHECKING:
    from cxrkit.review.table import ReviewSet

PLACE = "review.notes"
INITIALS = f"{PLACE}.initials"
"""Key of the initials, which are kept from case to case."""

_FIELDS = ("verdict", "tags", "note")
_COLOURS: dict[Verdict, Literal["green", "red", "orange", "gray"]] = {
    Verdict.AGREE: "green",
    Verdict.MODEL_WRONG: "red",
    Verdict.LABEL_WRONG: "orange",
    Verdict.UNCLEAR: "gray",
}


def show_notes(review: "ReviewSet", row: int, label: str | None = None) -> None:
    """The section beneath an opened case.

    Args:
        review: whose case is open.
        row: of its table.
        label: that is reviewed; None = asked for here where the task has several.
    """
    st.subheader("Notes", anchor=False)
    if review.root is None:
        st.info(
            "No notes can be kept on this case: they are known by the images' bytes, and the images cannot be opened, "
            "because the folder that the table's paths start in is not known. Choose it where the table is loaded.",
            icon=":material/link_off:",
        )
        return
    with errors_shown():
        labels = review.labels() if label is None else (label,)
        _notes(review.task, key_of(review, row), labels, review.weights, several=len(review.labels()) > 1)


@st.fragment
def _notes(task: Task, case_key: str, labels: Sequence[str], weights: str, *, several: bool) -> None:
    """A fragment, so that a page of ten thousand cases is not drawn anew at every word."""
    with errors_shown():
        notes = open_notes()
        with st.container(border=True, key=PLACE):
            _form(notes, task, case_key, labels, weights)
        _entries(notes.history(case_key, task.name), several=several)


def _form(notes: Notes, task: Task, case_key: str, labels: Sequence[str], weights: str) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        typed = st.text_input(
            "Your initials",
            key=INITIALS,
            max_chars=LONGEST_INITIALS,
            placeholder="AB",
            width=110,
            persist_state="session",
            autocomplete="off",
            help="1 to 4 letters. They stand beside what you save.",
        )
        label = labels[0]
        if len(labels) > 1:
            label = st.selectbox("About", labels, key=f"{PLACE}.label", width=240, persist_state="session")
        draft = f"{PLACE}.{task.name}.{case_key}.{label}"
        _fill(draft, _own(notes.current([case_key], task.name, label).get(case_key, ()), typed or ""))
        st.segmented_control(
            "Verdict",
            list(Verdict),
            format_func=str.capitalize,
            key=f"{draft}.verdict",
            wrap=True,  # on a phone
            persist_state="session",
        )
    st.multiselect(
        "Tags",
        notes.tags(task.name),
        key=f"{draft}.tags",
        accept_new_options=True,
        max_selections=MOST_TAGS,
        placeholder="Choose tags, or type a new one",
        persist_state="session",
    )
    st.text_area(
        "Note",
        key=f"{draft}.note",
        max_chars=LONGEST_NOTE,
        height=100,
        placeholder="What you see. No names or other data of a person: notes are kept, and can be exported.",
        persist_state="session",
    )
    st.button(
        "Save",
        key=f"{PLACE}.save",
        type="primary",
        icon=":material/save:",
        on_click=_save,
        args=(notes, task, case_key, label, weights, draft),
    )
    _say(draft)


def _own(entries: Sequence[Entry], typed: str) -> Entry | None:
    """What the reviewer of these initials has said last."""
    try:
        initials = checked_initials(typed)
    except InputError:
        return None
    return next((entry for entry in entries if entry.reviewer == initials), None)


def _fill(draft: str, own: Entry | None) -> None:
    """Start the fields with the reviewer's own newest entry, unless something else was typed meanwhile."""
    now = tuple(st.session_state.get(f"{draft}.{name}") for name in _FIELDS)
    if st.session_state.get(f"_start.{draft}", (None, None, None)) != now:
        return
    start: tuple[Any, ...] = (None, [], "") if own is None else (own.verdict, list(own.tags), own.note)
    for name, value in zip(_FIELDS, start, strict=True):
        st.session_state[f"{draft}.{name}"] = value
    st.session_state[f"_start.{draft}"] = start


def _save(notes: Notes, task: Task, case_key: str, label: str, weights: str, draft: str) -> None:
    verdict, tags, note = (st.session_state.get(f"{draft}.{name}") for name in _FIELDS)
    said = f"_said.{draft}"
    try:
        notes.add(
            Remark(
                case_key=case_key,
                task=task.name,
                label=label,
                reviewer=checked_initials(st.session_state.get(INITIALS) or ""),
                verdict=verdict,
                tags=tuple(tags or ()),
                note=note or "",
                weights=weights,
            )
        )
    except CxrkitError as error:
        st.session_state[said] = (st.error, str(error), ":material/error:")
        return
    st.session_state[said] = (st.success, "Saved.", ":material/check:")
    # So that the fields show what was saved, which has no blanks at its ends.
    st.session_state[f"_start.{draft}"] = (verdict, tags, note)


def _say(draft: str) -> None:
    said = st.session_state.pop(f"_said.{draft}", None)
    if said is not None:
        show, sentence, icon = said
        show(sentence, icon=icon)


def _entries(entries: Sequence[Entry], several: bool) -> None:
    """All that was said of the case, newest first; what its reviewer has replaced since is told apart."""
    if not entries:
        st.caption("Nobody has said anything of this case yet.")
        return
    replaced: set[tuple[str, str]] = set()
    for entry in entries:
        owner = (entry.reviewer, entry.label)
        _entry(entry, several, earlier=owner in replaced)
        replaced.add(owner)
    st.caption(
        "Entries are kept beyond this session, by the images' bytes: they come back with another table, another name "
        "or other weights. The newest of each reviewer counts; the earlier ones stay as they were saved."
    )


def _entry(entry: Entry, several: bool, earlier: bool) -> None:
    """Only our own words are Markdown."""
    with st.container(border=True, gap="small"):
        verdict = "no verdict" if entry.verdict is None else entry.verdict.value
        colour = "gray" if entry.verdict is None else _COLOURS[entry.verdict]
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{entry.reviewer}**", width="content")
            st.badge(verdict, color="gray" if earlier else colour)
            if several:
                st.text(entry.label)
            st.caption(
                f"{entry.written:%Y-%m-%d %H:%M:%S} UTC"
                + (f", weights {entry.weights[:8]}" if entry.weights else "")
                + (", replaced since" if earlier else ""),
                width="content",
            )
        if entry.tags:
            st.text(f"Tags: {', '.join(entry.tags)}")
        if entry.note:
            st.text(entry.note)
