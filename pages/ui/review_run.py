"""Running a table of cases from the page: choose it, start, watch, cancel, go on; at its end its predictions."""

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

import streamlit as st

from cxrkit.errors import ManifestError
from cxrkit.review.folders import HOW_TO_SET, case_folders
from cxrkit.review.run import Progress, Run, Runs
from cxrkit.review.run_order import Wanted
from pages.ui.review_run_ask import KEY, ask_run

if TYPE_CHECKING:
    from cxrkit.review.table import ReviewSet

_OPENED = "_review.run.opened"
_SECONDS = 1.0
"""Between two looks at a run."""

_MOST_SHOWN, _MOST_REASONS = 200, 5


def run_manifest() -> "ReviewSet | None":
    """Everything about one table of cases; its predictions once they are there, None before.

    Raises:
        CxrkitError: what was chosen cannot be used.
    """
    folders = [str(folder) for folder in case_folders()]
    if not folders:
        st.info(HOW_TO_SET, icon=":material/folder_off:")
        return None
    chosen = ask_run(folders)
    if chosen is None:
        return None
    asked, name, workers = chosen
    run = _runs().find(asked)
    if run is not None and run.progress().at_work:
        _open(asked, name)
        _watch(run)
        return None
    return _not_at_work(asked, name, workers, None if run is None else run.progress())


def finished_runs() -> "dict[str, ReviewSet]":
    """Runs that this session has opened, by name, the latest last; without those that cannot be reviewed."""
    found = {}
    for asked, name in st.session_state.get(_OPENED, {}).values():
        # Where such a run was opened it is said why; the others can still be compared.
        with suppress(ManifestError):
            if asked.out.is_file():
                # Two tables of one name, the second one edited, are two runs.
                found[f"{name}, {asked.key[-4:]}" if name in found else name] = _read(asked, name)
    return found


@st.cache_resource(show_spinner=False)
def _runs() -> Runs:
    """Of this server, for all sessions."""
    return Runs()


@st.fragment(run_every=_SECONDS)
def _watch(run: Run) -> None:
    """The progress of a run; it alone is drawn again while the run is at work."""
    now = run.progress()
    if not now.at_work:
        st.rerun()
    st.progress(now.done / now.total if now.total else 0.0, text=progress_in_words(now))
    if now.bad:
        st.warning(
            f"{now.bad:,} could not be analysed so far:\n\n" + "\n".join(f"- {reason}" for reason in now.reasons),
            icon=":material/broken_image:",
        )
    st.button(
        "Cancel",
        key=f"{KEY}.cancel",
        icon=":material/stop_circle:",
        on_click=run.cancel,
        help="What is finished is kept, and the run can go on later. It stops for everyone who runs the same table.",
    )
    st.caption("The run goes on when you leave this page or close the browser; come back and choose the same table.")


def progress_in_words(now: Progress) -> str:
    """ "120 of 500 cases (20 from before), 3.2 a second, about 2 minutes left"."""
    if now.state == "starting":
        return "Loading the network …"
    parts = [f"{now.done:,} of {now.total:,} cases{f' ({now.resumed:,} from before)' if now.resumed else ''}"]
    if now.rate is not None and now.remaining is not None:
        parts += [f"{now.rate:.1f} a second", f"{duration(now.remaining)} left"]
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """ "about 40 seconds", "about 5 minutes", "about 2 h 10 min"."""
    if seconds < 90:
        return f"about {max(1, round(seconds))} seconds"
    minutes = round(seconds / 60)
    return f"about {minutes} minutes" if minutes < 90 else f"about {minutes // 60} h {minutes % 60} min"


def _not_at_work(asked: Wanted, name: str, workers: int, last: Progress | None) -> "ReviewSet | None":
    """What became of the last run, and what can be done now."""
    finished = asked.out.is_file()
    stopped = last is not None and last.state in {"failed", "cancelled"}
    if last is not None and last.state == "failed":
        st.error(last.problem, icon=":material/error:")
    elif last is not None and stopped:
        st.info(f"Cancelled after {last.done:,} cases; they are kept.", icon=":material/stop_circle:")
    elif asked.begun:
        st.info("A run of this table was stopped before its end; what it finished is kept.", icon=":material/info:")
    elif finished:
        when = datetime.fromtimestamp(asked.out.stat().st_mtime)
        st.markdown(f"Finished with these weights on {when.day} {when:%B %Y, %H:%M}.")
    with st.container(horizontal=True):
        _buttons(asked, name, workers, finished=finished, stopped=stopped or asked.begun)
    if not finished or asked.key not in st.session_state.get(_OPENED, {}):
        return None
    try:
        review = _read(asked, name)
    except ManifestError:
        _say_why_all_failed(asked)
        raise
    _say_what_failed(review)
    return review


def _buttons(asked: Wanted, name: str, workers: int, *, finished: bool, stopped: bool) -> None:
    if finished and asked.key not in st.session_state.get(_OPENED, {}):
        st.button(
            "Open", key=f"{KEY}.open", icon=":material/folder_open:", type="primary", on_click=_open, args=(asked, name)
        )
    first = "Go on" if stopped else "Run again" if finished else "Start"
    if st.button(first, key=f"{KEY}.start", icon=":material/play_arrow:", type="secondary" if finished else "primary"):
        _start(asked, name, workers, restart=finished and not stopped)
    if stopped and st.button("Begin anew", key=f"{KEY}.anew", icon=":material/restart_alt:"):
        _start(asked, name, workers, restart=True)


def _start(asked: Wanted, name: str, workers: int, *, restart: bool) -> None:
    _runs().start(asked, workers, restart)
    _open(asked, name)
    st.rerun()


def _open(asked: Wanted, name: str) -> None:
    """Show its predictions in this session as soon as they are there."""
    st.session_state.setdefault(_OPENED, {})[asked.key] = (asked, name)


def _read(asked: Wanted, name: str) -> "ReviewSet":
    return _review(asked.key, asked.out.stat().st_mtime_ns, name, asked)


@st.cache_resource(scope="session", max_entries=8, ttl=3600, show_spinner="Reading the table …")
def _review(key: str, written: int, name: str, _asked: Wanted) -> "ReviewSet":
    from cxrkit.review.table import read_predictions

    return read_predictions(_asked.out.read_bytes(), name, _asked.task, _asked.root, _asked.sha256)


def _say_why_all_failed(asked: Wanted) -> None:
    """Some of the reasons, of a table of predictions that cannot be reviewed: nobody else can look into it."""
    from cxrkit.review.table import reasons_of

    reasons = reasons_of(asked.out.read_bytes(), _MOST_REASONS)
    if reasons:
        st.warning(
            "Why cases could not be used, for example:\n\n" + "\n".join(f"- {reason}" for reason in reasons),
            icon=":material/broken_image:",
        )


def _say_what_failed(review: "ReviewSet") -> None:
    """The cases without an answer or a truth, and why."""
    failed = review.table[review.table["error"].astype(bool)]
    if failed.empty:
        return
    section = st.expander(
        f"{len(failed):,} of {len(review.table):,} cases could not be used",
        icon=":material/broken_image:",
        key=f"{KEY}.failed",
        on_change="rerun",
    )
    if section.open:
        columns = [*review.task.file_columns, "error"]
        section.dataframe(failed[columns].head(_MOST_SHOWN), hide_index=True, width="stretch", placeholder="–")
        if len(failed) > _MOST_SHOWN:
            section.caption(f"The first {_MOST_SHOWN}; the column error of the table has all.")
