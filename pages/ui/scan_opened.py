"""One scan of the day: its answer beside its header, and the tabs with map, preparation and groups."""

import streamlit as st

from cxrkit.card import Card
from cxrkit.image import Radiograph
from cxrkit.scan_reading import ScanReading
from cxrkit.task import Task
from pages.ui.models import load
from pages.ui.results import file_facts
from pages.ui.scan_groups import group_analysis
from pages.ui.scan_map import scan_with_map
from pages.ui.scan_rows import Asked, Row, frames_of
from pages.ui.scan_steps import preparation_steps
from pages.ui.scan_view import read_again
from pages.ui.several_uploads import in_markdown
from pages.ui.tabs import kept_tabs
from pages.ui.words import listed, share

TABS = ("The scan", "How it was prepared", "Groups")


def chosen_frame(key: str, sha256: str) -> int | None:
    """The frame, from 1, that the user chose of a file; None where the page chooses."""
    frame: int | None = st.session_state.get(_frame_key(key, sha256))
    return frame


def _frame_key(key: str, sha256: str) -> str:
    return f"{key}.frame.{sha256[:16]}"


def insisted(key: str) -> set[str]:
    """Images that are read whatever the image guard says."""
    kept: set[str] = st.session_state.setdefault(f"_overridden.{key}", set())
    return kept


def show_scan(task: Task, card: Card, row: Row) -> None:
    """What became of a file, with the way on where it was stopped or a frame has to be chosen.

    Args:
        task: of the page.
        card: of its weights.
        row: the file.

    Raises:
        WeightsError: weights are missing, altered or do not fit.
    """
    simulated = "" if row.asked.file.truth is None else " (simulated)"
    st.subheader(f"Scan {row.number}{simulated}", anchor=False)
    st.caption(in_markdown(row.name))
    _ask_frame(task.name, row, frames_of(row.asked))
    if row.found.state == "unreadable":
        st.error(row.found.reason, icon=":material/error:")
    elif row.found.state == "stopped":
        _stopped(task, row)
    elif row.reading is not None:
        _show_read(task, card, row, row.reading)


def _ask_frame(key: str, row: Row, frames: int | None) -> None:
    if frames is None:
        return
    if row.found.state == "frame wanted":
        st.warning(f"**Cannot tell.** {row.found.reason}", icon=":material/filter_none:")
    st.number_input(
        f"Frame with the anterior view, 1 to {frames}",
        1,
        frames,
        value=None,
        key=_frame_key(key, row.asked.file.upload.sha256),
        persist_state="session",
        width=320,
    )


def _stopped(task: Task, row: Row) -> None:
    with st.container(border=True, key=f"{task.name}.guard"):
        st.warning(row.found.reason, icon=":material/front_hand:")
        st.markdown(
            f"This page reads images of the kind “{task.reads}”. For anything else a network gives an answer too, and "
            "it would look like any other. It was not analysed."
        )
        st.button(
            "Analyse anyway",
            key=f"{task.name}.anyway",
            icon=":material/play_arrow:",
            on_click=insisted(task.name).add,
            args=(row.asked.image_key,),
        )


def _show_read(task: Task, card: Card, row: Row, reading: ScanReading) -> None:
    _cards(row, reading)
    _warnings(row)
    image = image_of(row.asked)
    scan, steps, groups = kept_tabs(TABS, f"{task.name}.tabs")
    if scan.open:
        with scan:
            scan_with_map(task, row, image)
            file_facts(task, image)
    if steps.open:
        with steps:
            preparation_steps(read_again(load(task), image))
    if groups.open:
        with groups:
            group_analysis(task, card)


def image_of(asked: Asked) -> Radiograph:
    """The image of a file, decoded again unless it was one of the last."""
    return _decoded(asked.image_key, asked)


@st.cache_resource(scope="session", max_entries=2, ttl=3600, show_spinner=False)
def _decoded(key: str, _asked: Asked) -> Radiograph:
    return _asked.image()


def _view_in_words(reading: ScanReading) -> str:
    if reading.view is None:
        return "Taken for an anterior view; the file does not say which one it is."
    return "From the anterior view alone, whatever the header says."


def _cards(row: Row, reading: ScanReading) -> None:
    """Type, score and claim side by side, and the verdict as a sentence."""
    prediction = row.found.prediction
    if prediction is None:
        raise ValueError("this scan was not read")
    band = (
        "" if reading.band is None else f" Between {share(reading.band[0])} and {share(reading.band[1])}: cannot tell."
    )
    told = [f"“{text}”" for text in (reading.series, reading.tracer) if text]
    cards = [
        ("Read as", reading.label, reading.reason or _view_in_words(reading)),
        (
            "Score for perfusion",
            share(prediction.scores["perfusion"]),
            f"Perfusion from {share(prediction.threshold)} on.{band}",
        ),
        (
            "The header says",
            reading.claim.kind or "–",
            in_markdown(f"{listed(told)}.") if told else "Neither series description nor radiopharmaceutical.",
        ),
    ]
    for column, (title, value, words) in zip(st.columns(len(cards)), cards, strict=True):
        with column.container(border=True, height="stretch"):
            st.metric(title, value)
            st.markdown(words)
    _verdict(reading)
    if row.asked.file.truth is not None:
        right = {None: "the network did not say", row.asked.file.truth: "read rightly"}.get(
            reading.kind, "read wrongly"
        )
        st.markdown(f"**The truth.** A {row.asked.file.truth} scan: {right}.")


def _verdict(reading: ScanReading) -> None:
    if reading.verdict == "mismatch":
        st.error(
            f"**Mismatch.** The image is read as {reading.kind}, the header says {reading.claim.kind}. Look at the "
            "image and at the order in which the scans were taken before it is stored.",
            icon=":material/report:",
        )
    elif reading.verdict == "agree":
        st.success("Image and header agree.", icon=":material/check_circle:")
    elif reading.claim.reason:
        st.warning(reading.claim.reason, icon=":material/help:")


def _warnings(row: Row) -> None:
    if row.asked.insisted and row.found.reason:
        st.warning(
            f"{row.found.reason} It is analysed because you asked for it; the score means little.",
            icon=":material/warning:",
        )
    for warning in row.found.prediction.warnings if row.found.prediction else ():
        st.warning(warning, icon=":material/warning:")
