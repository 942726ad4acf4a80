"""A day's lung scans at a glance: what has to be looked at first, the table, and the scan to be opened."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from cxrkit.scan_day import ORDER, StudyFinding, duplicates, odd_studies
from pages.ui.scan_rows import Row
from pages.ui.several_uploads import in_markdown
from pages.ui.words import listed, share

if TYPE_CHECKING:
    from pandas import DataFrame
    from pandas.io.formats.style import Styler

_ALL = (*ORDER[:3], "not analysed", "not readable", *ORDER[3:])
"""Verdicts in the order of the table."""

_SIGNS = {
    "mismatch": "≠",
    "header contradicts itself": "≠",
    "cannot tell": "?",
    "not analysed": "■",
    "not readable": "■",
    "header says nothing": "–",
    "agree": "=",
}
_COLOURS = {"mismatch": "rgba(220, 38, 38, 0.35)"} | dict.fromkeys(_ALL[1:5], "rgba(234, 179, 8, 0.22)")
"""Of rows, over the light and the dark ground."""

_MOST = 8
"""Scans that were not read whose reason is said above the table."""


def in_order(rows: Sequence[Row]) -> list[Row]:
    """Mismatches first, then what else has to be looked at; those of one verdict as they came."""
    return sorted(rows, key=lambda row: _ALL.index(row.verdict))


def studies(rows: Sequence[Row]) -> dict[str, int]:
    """Numbers of the studies, by key, as they came."""
    keys = dict.fromkeys(row.found.study for row in rows if row.found.study is not None)
    return {key: number for number, key in enumerate(keys, start=1)}


def summary(rows: Sequence[Row]) -> str:
    """One line: "14 scans. Mismatch: 3; agree: 11"."""
    counts = Counter[str](row.verdict for row in rows)
    told = "; ".join(f"{verdict}: {counts[verdict]}" for verdict in _ALL if counts[verdict])
    return f"**{len(rows)} {'scan' if len(rows) == 1 else 'scans'}.** {told[:1].upper()}{told[1:]}."


def say_what_is_wrong(rows: Sequence[Row]) -> None:
    """Mismatches loudly, then studies that are odd, headers that contradict themselves, copies, what was not read."""
    mismatches = [_mismatch(row) for row in rows if row.verdict == "mismatch"]
    if mismatches:
        verb = "scan does not match its" if len(mismatches) == 1 else "scans do not match their"
        st.error(
            f"**{len(mismatches)} {verb} header. Check before anything is stored.**\n\n" + "\n".join(mismatches),
            icon=":material/report:",
        )
    scans = [row.scan for row in rows if row.scan is not None]
    numbers = studies(rows)
    warnings = [*(_odd(finding, numbers) for finding in odd_studies(scans)), *_conflicts(rows)]
    if warnings:
        st.warning("\n".join(f"- {sentence}" for sentence in warnings), icon=":material/warning:")
    copies = [
        f"- Scans {listed(names)} hold the same pixels: "
        + ("one is a copy." if len(names) == 2 else "all but one are copies.")
        for names in duplicates(scans)
    ]
    if copies:
        st.warning("\n".join(copies), icon=":material/content_copy:")
    unread = [f"- **Scan {row.number}:** {in_markdown(row.found.reason)}" for row in rows if row.reading is None]
    if unread:
        more = f"\n\nAnd {len(unread) - _MOST} more: open them below." if len(unread) > _MOST else ""
        st.warning("**Not read:**\n\n" + "\n".join(unread[:_MOST]) + more, icon=":material/front_hand:")
    if all(row.verdict == "agree" for row in rows) and not warnings:
        st.success("Every scan is read as what its header says.", icon=":material/check_circle:")


def _mismatch(row: Row) -> str:
    reading, prediction = row.reading, row.found.prediction
    if reading is None or prediction is None:
        raise ValueError("only scans that were read can mismatch")
    return (
        f"- **Scan {row.number}** is read as **{reading.kind}** (score for perfusion "
        f"{share(prediction.scores['perfusion'])}); its header says **{reading.claim.kind}** "
        f"({listed([f'“{word}”' for word in reading.claim.words])})."
    )


def _odd(finding: StudyFinding, numbers: dict[str, int]) -> str:
    study, which = numbers[finding.study], f"scans {listed(finding.names)}"
    if finding.odd == "swapped":
        return f"**Study {study}:** {which} look swapped; each header names the other type."
    missing = "ventilation" if finding.kind == "perfusion" else "perfusion"
    return f"**Study {study}:** {which} are all read as {finding.kind}. Where is the {missing} scan?"


def _conflicts(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        if row.verdict == "header contradicts itself":
            yield f"**Scan {row.number}:** series description and radiopharmaceutical name different scans."


def table(key: str, rows: Sequence[Row], band: tuple[float, float] | None) -> None:
    """The table; choosing a row opens it.

    Args:
        key: of the page.
        rows: in the order of the table.
        band: scores for perfusion between which neither type is called.
    """
    order = "-".join(str(row.number) for row in rows)
    widget = f"{key}.table.{order}.{st.session_state.get(_turns(key), 0)}"
    st.dataframe(
        _coloured(rows),
        key=widget,
        hide_index=True,
        width="stretch",
        on_select=lambda: _open(key, widget, [row.number for row in rows]),
        selection_mode="single-row",
        column_config=_columns(),
        placeholder="–",
        alt=summary(rows).replace("**", ""),
    )
    told = (
        "" if band is None else f" Between {share(band[0])} and {share(band[1])} neither type is called: cannot tell."
    )
    st.caption(
        f"Score: for perfusion, 0 to 1.{told} Counts: sum over the view that was read. Choose a row to see its image "
        "and what the network looked at."
    )


def ask_scan(key: str, rows: Sequence[Row]) -> Row:
    """The row that is opened: the one chosen in the table or here; of other files than before the first."""
    numbers = [row.number for row in rows]
    day, seen = {row.asked.file.upload.sha256 for row in rows}, f"_day.{key}"
    if st.session_state.get(seen) != day or st.session_state.get(_open_key(key)) not in numbers:
        st.session_state[seen] = day
        st.session_state[_open_key(key)] = numbers[0]
    verdicts = {row.number: row.verdict for row in rows}
    number = st.selectbox(
        "Open",
        numbers,
        format_func=lambda number: f"Scan {number}: {verdicts[number]}",
        key=_open_key(key),
        on_change=_unmark,
        args=(key,),
        persist_state="session",
        width=320,
    )
    return next(row for row in rows if row.number == number)


def _unmark(key: str) -> None:
    """Another scan is opened than the row that the table marks: a table of another key marks none."""
    st.session_state[_turns(key)] = st.session_state.get(_turns(key), 0) + 1


def _turns(key: str) -> str:
    return f"_unmarked.{key}"


def _open_key(key: str) -> str:
    return f"{key}.open"


def _open(key: str, widget: str, numbers: Sequence[int]) -> None:
    chosen = st.session_state[widget]["selection"]["rows"]
    if chosen:
        st.session_state[_open_key(key)] = numbers[chosen[0]]


def _coloured(rows: Sequence[Row]) -> "Styler":
    frame, verdicts = _frame(rows), [row.verdict for row in rows]

    def colour(line: Any) -> list[str]:
        shade = _COLOURS.get(verdicts[line.name])
        return [f"background-color: {shade}" if shade else ""] * len(line)

    return frame.style.apply(colour, axis=1)


def _frame(rows: Sequence[Row]) -> "DataFrame":
    from pandas import DataFrame

    numbers = studies(rows)
    return DataFrame([_cells(row, numbers) for row in rows])


def _cells(row: Row, numbers: dict[str, int]) -> dict[str, Any]:
    reading, prediction, truth = row.reading, row.found.prediction, row.asked.file.truth
    cells: dict[str, Any] = {
        "Scan": row.number,
        "Verdict": f"{_SIGNS[row.verdict]} {row.verdict}",
        "Read as": "–",
        **({} if truth is None else {"True type": truth}),
        "Score": None if prediction is None else prediction.scores["perfusion"],
        "Header says": "–",
        "View": "–",
        "Counts": None,
        "Study": "–" if row.found.study is None else str(numbers[row.found.study]),
        "File": row.name,
        "Series description": "",
        "Radiopharmaceutical": "",
    }
    if reading is not None:
        cells |= {
            "Read as": reading.label,
            "Header says": reading.claim.kind or "–",
            "View": reading.view or "not stated",
            "Counts": reading.counts,
            "Series description": reading.series,
            "Radiopharmaceutical": reading.tracer,
        }
    return cells


def _columns() -> dict[str, Any]:
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    return {
        "Scan": number("Scan", width="small"),
        "Read as": text("Read as", width=112),
        "Score": number("Score", format="%.3f", width="small", help="For perfusion, 0 to 1."),
        "Counts": number("Counts", format="localized", width="small"),
        "Study": text("Study", width="small", help="Scans of one study have one number."),
    }
