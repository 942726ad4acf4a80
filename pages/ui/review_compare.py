"""Another run on the same cases: figures of both with how sure the difference is, and where the two differ."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from cxrkit.errors import WeightsError
from cxrkit.review.compare import Compared, Difference, compare, differences, most_different
from cxrkit.review.compare_pairs import Pairs, pair_cases
from cxrkit.review.table import MAX_BYTES, ReviewSet, read_predictions
from cxrkit.task import Task
from cxrkit.tasks import find_task
from pages.ui.charts import show_figure
from pages.ui.finding_words import name_of
from pages.ui.models import read_task_card
from pages.ui.review_choice import open_row
from pages.ui.review_compare_plot import MOST_POINTS, scatter
from pages.ui.review_load import KEY as REVIEW
from pages.ui.review_run import finished_runs
from pages.ui.review_scores import threshold_step
from pages.ui.review_upload import kept_table
from pages.ui.uploads import Upload
from pages.ui.words import listed, share

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEY = f"{REVIEW}.compare"
UPLOAD = "Upload a table"
_MOST_LISTED = 200
_CASES_ALONE = (
    "Differences are A − B, with 95 % intervals. p asks whether so large a difference would be chance if the runs were "
    "equally good on cases like these; it says nothing about other hospitals or other mixes of cases, and where many "
    "labels or groups are looked at, some p are small by chance alone."
)


def show_comparison(review: ReviewSet, rows: "NDArray[np.int64]", label: str) -> None:
    """Choose the other run, and compare.

    Args:
        review: run A, as it is reviewed.
        rows: of it that are kept by the filters.
        label: that is reviewed.

    Raises:
        CxrkitError: the other table cannot be used, or has none of these cases.
    """
    other = _other(review)
    if other is None:
        return
    ages = bool(review.task.values)
    pairs = pair_cases(review, other, rows)
    st.markdown(f"**A** is the run under review: {_plain(review.name)}  \n**B** is the other one: {_plain(other.name)}")
    st.markdown(_matched(pairs))
    thresholds = None if ages else _thresholds(review.task, label, other.score(label))
    compared = compare(review, other, pairs, label, thresholds)
    st.markdown(_answered(compared))
    _figures(compared, ages)
    names = np.array([f"Case {row + 1}" for row in pairs.first], dtype=object)
    show_figure(
        scatter(compared, names, ages=ages),
        key=f"{KEY}.scatter",
        alt="What run A and run B say of each case; on the diagonal they agree.",
    )
    few = (
        f" Of more than {MOST_POINTS:,} cases the most different ones are drawn."
        if pairs.first.size > MOST_POINTS
        else ""
    )
    st.caption(f"A point on the dotted line: both runs say the same. Dashed: the thresholds.{few}")
    _list(pairs, compared, names, ages)


def _other(review: ReviewSet) -> ReviewSet | None:
    """Run B: an uploaded table, or another run that this session has finished."""
    runs = {name: run for name, run in finished_runs().items() if run is not review and run.task is review.task}
    source = UPLOAD
    if runs:
        options = (UPLOAD, *runs)
        if st.session_state.get(f"{KEY}.source") not in options:
            st.session_state[f"{KEY}.source"] = UPLOAD
        source = st.selectbox("The other run", options, key=f"{KEY}.source", persist_state="session")
    if source != UPLOAD:
        return runs[source]
    upload = kept_table(KEY, "Predictions of the other run (CSV)", MAX_BYTES)
    if upload is None:
        st.info(
            "Choose the CSV that `python -m cxrkit evaluate` wrote of the same cases with other weights or settings.",
            icon=":material/upload_file:",
        )
        return None
    return _read(upload.sha256, review.task.name, upload)


@st.cache_resource(scope="session", max_entries=2, ttl=3600, show_spinner="Reading the table …")
def _read(sha256: str, task: str, _upload: Upload) -> ReviewSet:
    return read_predictions(_upload.data, _upload.name, find_task(task), None)


def _plain(name: str) -> str:
    """A name that Markdown leaves as it is."""
    return f"`{name.replace('`', ' ')}`"


def _matched(pairs: Pairs) -> str:
    """How many cases are compared, and what became of the others."""
    rest = (
        (pairs.only_first, "only in A"),
        (pairs.only_second, "only in B"),
        (pairs.other_truth, "left out, because their truths differ"),
        (pairs.repeated, "rows left out, because the same case stands further up"),
    )
    found = [f"{count:,} {what}" for count, what in rest if count]
    return f"**{pairs.first.size:,} cases match** by their files{f'; {listed(found)}' if found else ''}."


def _answered(compared: Compared) -> str:
    failed = [
        f"{int(np.isnan(scores).sum()):,} of them have no answer in {name}"
        for scores, name in ((compared.first, "A"), (compared.second, "B"))
        if np.isnan(scores).any()
    ]
    return f"{listed(failed)}, and count in no figure." if failed else ""


def _thresholds(task: Task, label: str, score: "NDArray[np.float64]") -> tuple[float, float]:
    """A's as the page's slider says, B's by a slider of its own that starts at the card's; `score` is B's."""
    given = _card_threshold(task, label)
    first = float(st.session_state.get(f"{REVIEW}.threshold.{task.name}.{label}", given))
    key = f"{KEY}.threshold.{task.name}.{label}"
    if key not in st.session_state:
        # Rounded to the slider's step, the card's own threshold would call other images than the card measured.
        st.session_state[key] = given
    step, shown = threshold_step(score, given)
    second = st.slider(
        f"Threshold of B for “{name_of(label)}”; A's is {share(first)}, as set above",
        0.0,
        1.0,
        step=step,
        format=shown,
        key=key,
        persist_state="session",
    )
    return first, float(second)


def _card_threshold(task: Task, label: str) -> float:
    try:
        return read_task_card(task).thresholds.get(label, 0.5)
    except WeightsError:
        return 0.5


def _figures(compared: Compared, ages: bool) -> None:
    found = _differences(compared.truth, compared.first, compared.second, compared.owners, compared.thresholds, ages)
    st.table([_figure(each, ages) for each in found], hide_index=True, border="horizontal")
    patients = (
        " Patients have several cases here: whole patients are resampled and tested, not cases."
        if np.unique(compared.owners).size < compared.owners.size
        else ""
    )
    st.caption(_CASES_ALONE + patients)


@st.cache_resource(scope="session", max_entries=12, ttl=3600, show_spinner="Comparing …")
def _differences(
    truth: "NDArray[np.float64]",
    first: "NDArray[np.float64]",
    second: "NDArray[np.float64]",
    owners: "NDArray[np.int64]",
    thresholds: tuple[float, float] | None,
    ages: bool,
) -> tuple[Difference, ...]:
    return differences(Compared(truth, first, second, owners, thresholds), ages)


def _figure(figure: Difference, ages: bool) -> dict[str, str]:
    """A row of the table of figures."""
    found = figure.found
    if found is None:
        return {"Figure": figure.name, "A": "–", "B": "–", "A − B": "undefined", "p": "–", "How": figure.reason}
    area = figure.name == "AUC"
    unit, digits, suffix = (1, 2, "") if ages else (1, 3, "") if area else (100, 1, " %")
    value, low, high = (
        f"{unit * each + 0.0:+.{digits}f}".replace("-", "−")
        for each in (found.difference.value, found.difference.low, found.difference.high)
    )
    return {
        "Figure": figure.name,
        "A": f"{unit * found.first:.{digits}f}{suffix}",
        "B": f"{unit * found.second:.{digits}f}{suffix}",
        "A − B": f"{value} ({low} to {high})",
        "p": p_value(found.p),
        "How": f"{found.cases:,} cases; interval: {found.interval}; p: {found.test}",
    }


def p_value(p: float) -> str:
    """ "0.03"; "< 0.001"; never 0."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def _list(pairs: Pairs, compared: Compared, names: "NDArray[np.str_]", ages: bool) -> None:
    """The cases on which the runs differ, the furthest apart first; choosing one opens it."""
    calls = not ages and st.toggle(
        "Only cases that one run calls and the other does not", key=f"{KEY}.calls", persist_state="session"
    )
    order = most_different(compared, calls_only=bool(calls))
    what = "one run calls and the other does not" if calls else "the two runs differ on"
    st.markdown(f"**{order.size:,} cases that {what}**, the furthest apart first")
    if not order.size:
        return
    shown = order[:_MOST_LISTED]
    rows = [int(row) for row in pairs.first[shown]]
    lines = [_line(compared, int(position), names, ages) for position in shown]
    widget = f"{KEY}.list.{hash(tuple(rows))}"
    st.dataframe(
        lines,
        key=widget,
        hide_index=True,
        width="stretch",
        column_config=dict.fromkeys(
            ("A", "B", "A − B"), st.column_config.NumberColumn(format="%.1f" if ages else "%.3f")
        ),
        on_select=lambda: _open(widget, rows),
        selection_mode="single-row",
        placeholder="–",
    )
    st.caption(
        ("" if order.size <= _MOST_LISTED else f"The first {_MOST_LISTED:,} are listed. ")
        + "Choose a row to open its case, above, beneath the gallery."
    )


def _open(widget: str, rows: Sequence[int]) -> None:
    chosen = st.session_state[widget]["selection"]["rows"]
    if chosen:
        open_row(rows[chosen[0]])


def _line(compared: Compared, position: int, names: "NDArray[np.str_]", ages: bool) -> dict[str, Any]:
    truth, one, other = (float(each[position]) for each in (compared.truth, compared.first, compared.second))
    digits = 1 if ages else 3
    line: dict[str, Any] = {
        "Case": names[position],
        "Truth": "not known"
        if np.isnan(truth)
        else f"{truth:g} months"
        if ages
        else ("not there", "there")[int(truth)],
        "A": round(one, digits),
        "B": round(other, digits),
        "A − B": round(one - other, digits),
    }
    if compared.thresholds is not None:
        called = [name for name, holds in zip("AB", compared.called(), strict=True) if holds[position]]
        line["Called by"] = " and ".join(called) or "neither"
    return line
