"""The table in which the child's own age at each image is typed, and what is wrong with its rows."""

import datetime
import hashlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from cxrkit.errors import InputError
from cxrkit.image import days_between
from pages.ui.growth_ages import OwnAge, Typed, birth_date, disagreements, from_ages, from_dates, proposed
from pages.ui.growth_course import image_numbers
from pages.ui.growth_reading import Hand

if TYPE_CHECKING:
    from pandas import DataFrame

AGES, DATES = "Years and months", "Dates"
_TYPED = {AGES: ("years", "months"), DATES: ("date",)}


def begin_ages(key: str) -> None:
    """Nothing is stated yet: for another child than before."""
    st.session_state.update({f"{key}.by": AGES, f"{key}.birth": "", f"{key}.headers": False})


def ask_ages(key: str, hands: Sequence[Hand]) -> list[OwnAge]:
    """The child's own age at each image, as typed before or now.

    Args:
        key: of the widgets; unique for each child.
        hands: at least one.
    """
    st.subheader("The child's own age at each image", anchor=False)
    by = st.segmented_control("State it by", (AGES, DATES), required=True, key=f"{key}.by", persist_state="session")
    days = [days_between(hands[0].head, hand.head) for hand in hands]
    if by == DATES:
        ages = _by_dates(key, hands)
    else:
        rows = _edit(key, AGES, hands)
        ages = [from_ages(row) for row in rows]
        _offer(key, hands, rows, proposed(rows, ages, days))
    _say_problems(hands, ages, by == DATES)
    for sentence in disagreements([hand.source.number for hand in hands], ages, days):
        st.warning(sentence, icon=":material/event_busy:")
    return ages


def _by_dates(key: str, hands: Sequence[Hand]) -> list[OwnAge]:
    birth = None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Date of birth",
            key=f"{key}.birth",
            placeholder="2016-05-31",
            max_chars=12,
            persist_state="session",
            autocomplete="off",
            width=200,
        )
        headers = any(hand.head.taken for hand in hands) and st.checkbox(
            "Where no date is typed, take the one in the file's header", key=f"{key}.headers", persist_state="session"
        )
    try:
        birth = birth_date(text or "")
    except InputError as error:
        st.error(str(error), icon=":material/event_busy:")
    rows = _edit(key, DATES, hands)
    taken = [_date(hand) if headers else None for hand in hands]
    return [from_dates(birth, row, date) for row, date in zip(rows, taken, strict=True)]


def _date(hand: Hand) -> datetime.date | None:
    return None if hand.head.taken is None else hand.head.taken.date()


def _store(key: str) -> dict[str, Typed]:
    """What was typed, by image: a table's own memory ends with a page switch or another image."""
    store: dict[str, Typed] = st.session_state.setdefault(f"_typed.{key}", {})
    return store


def _edit(key: str, by: str, hands: Sequence[Hand]) -> list[Typed]:
    """Draw the table. It starts from what is stored whenever it is a new one, and keeps its own edits until then."""
    store, version = _store(key), st.session_state.setdefault(f"_version.{key}", 0)
    shown = "/".join(f"{hand.source.number}:{hand.source.key}" for hand in hands)
    images = hashlib.sha256(shown.encode()).hexdigest()[:16]
    widget, start = f"{key}.ages.{_TYPED[by][0]}.{images}.{version}", f"_start.{key}"
    rows = [store.get(hand.source.key, _first(hand)) for hand in hands]
    if widget not in st.session_state:
        st.session_state[start] = _frame(by, hands, rows)
    edited = st.data_editor(
        st.session_state[start],
        key=widget,
        hide_index=True,
        width="stretch",
        placeholder="",
        disabled=("image", "file"),
        column_config=_columns(),
        alt="The child's own age at each image",
    )
    for hand, row, cells in zip(hands, rows, edited.to_dict("records"), strict=True):
        # An emptied cell is no text.
        typed = {name: cells[name] if isinstance(cells[name], str) else "" for name in _TYPED[by]}
        store[hand.source.key] = replace(row, **typed)
    return [store[hand.source.key] for hand in hands]


def _first(hand: Hand) -> Typed:
    """Nothing, but of a simulated child whose age is known."""
    if hand.source.simulated is None:
        return Typed()
    years, months = divmod(hand.source.simulated.age, 12)
    return Typed(str(years), str(months))


def _frame(by: str, hands: Sequence[Hand], rows: Sequence[Typed]) -> "DataFrame":
    from pandas import DataFrame

    typed = [asdict(row) for row in rows]
    columns = {"image": [str(hand.source.number) for hand in hands]}
    columns |= {name: [row[name] for row in typed] for name in _TYPED[by]}
    return DataFrame(columns | {"file": [hand.source.name for hand in hands]}, dtype="str")


def _columns() -> dict[str, Any]:
    column = st.column_config.TextColumn
    return {
        "image": column("Image", width="small"),
        "years": column("Years", max_chars=12),
        "months": column("Months", max_chars=12),
        "date": column("Date, such as 2024-09-15", max_chars=12, help="Of the radiograph: year-month-day."),
        "file": column("File"),
    }


def _say_problems(hands: Sequence[Hand], ages: Sequence[OwnAge], dates: bool) -> None:
    for hand, age in zip(hands, ages, strict=True):
        if age.problem:
            st.error(f"**Image {hand.source.number}.** {age.problem}", icon=":material/event_busy:")
    missing = [hand.source.number for hand, age in zip(hands, ages, strict=True) if age.months is None]
    if missing:
        what = "Type the date of birth, and dates" if dates else "Type years and months"
        st.info(
            f"The child's own age is not known yet for {image_numbers(missing)}: bone age only, no SD score and no "
            f"place in the figure. {what} into the table.",
            icon=":material/edit:",
        )


def _offer(key: str, hands: Sequence[Hand], rows: Sequence[Typed], filled: Sequence[Typed]) -> None:
    """A button that fills in ages from the dates in the files, never unasked."""
    numbers = [hand.source.number for hand, old, new in zip(hands, rows, filled, strict=True) if old != new]
    if not numbers:
        return
    st.button(
        f"Fill in {image_numbers(numbers)} from the dates in the files",
        key=f"{key}.fill",
        icon=":material/event:",
        on_click=_fill,
        args=(key, {hand.source.key: row for hand, row in zip(hands, filled, strict=True)}),
        help="The days between the images are added to the first age that you stated. Check the result.",
    )


def _fill(key: str, rows: dict[str, Typed]) -> None:
    _store(key).update(rows)
    st.session_state[f"_version.{key}"] += 1
