"""Filters on any column of the table; all of them have to hold."""

import re
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from cxrkit.review.filters import Between, Condition, Holds, Offer, OneOf, kept, offers
from cxrkit.review.table import ReviewSet, answer_columns
from pages.ui.review_choice import turn_to
from pages.ui.review_load import KEY, digest_of_review
from pages.ui.several_uploads import in_markdown

_CONDITIONS = "_review.conditions"
_WORDS = re.compile(r"\w+([ -]\w+)*")
"""What Markdown shows as it is."""


def ask_filters(review: ReviewSet) -> NDArray[np.int64]:
    """The controls, and the rows [M] that are kept."""
    digest = digest_of_review()
    known = {offer.name: offer for offer in _offers(digest, review.table)}
    with st.container(border=True, key=f"{KEY}.filters"):
        names = st.multiselect(
            "Filter by",
            list(known),
            key=f"{KEY}.filter.{digest[:12]}",
            placeholder="Choose columns",
            persist_state="session",
            on_change=turn_to,
            args=(0,),
        )
        conditions = {}
        if names:
            with st.container(horizontal=True, gap="medium"):
                conditions = {name: _ask(known[name], f"{KEY}.filter.{digest[:12]}.{name}") for name in names}
        st.session_state[_CONDITIONS] = conditions
        rows = kept(review.table, conditions)
        if names:
            st.caption(f"{rows.size:,} of {len(review.table):,} cases are kept.")
    return rows


def conditions_in_force() -> dict[str, Condition]:
    """By column, as the controls have them in this run."""
    conditions: dict[str, Condition] = st.session_state.get(_CONDITIONS, {})
    return conditions


def cohort_columns(review: ReviewSet) -> list[str]:
    """Columns that cases can be divided by: what is judged is none of them."""
    judged = {review.task.target_column, *answer_columns(review.task)}
    found = (offer for offer in _offers(digest_of_review(), review.table) if offer.name not in judged)
    return [offer.name for offer in found if offer.values or offer.low is not None]


def _ask(offer: Offer, key: str) -> Condition:
    with st.container(width=320):
        if offer.values:
            return OneOf(
                tuple(
                    st.multiselect(
                        _label(offer.name),
                        offer.values,
                        key=key,
                        placeholder="Any",
                        persist_state="session",
                        **_FROM_START,
                    )
                )
            )
        if offer.low is None or offer.high is None:
            part = st.text_input(f"{_label(offer.name)} holds", key=key, persist_state="session", **_FROM_START)
            return Holds(str(part or "").strip())
        return _ask_range(offer, offer.low, offer.high, key)


def _label(name: str) -> str:
    """A column's name as a label, which is Markdown; one of words alone stays readable for a screen reader."""
    return name if _WORDS.fullmatch(name) else in_markdown(name)


_FROM_START: dict[str, Any] = {"on_change": turn_to, "args": (0,)}
"""Other cases, the gallery's first page."""


def _ask_range(offer: Offer, low: float, high: float, key: str) -> Between:
    whole = low.is_integer() and high.is_integer() and high - low >= 10
    step = 1.0 if whole else (high - low) / 100
    chosen = st.slider(
        _label(offer.name),
        low,
        high,
        (low, high),
        step,
        format="%.0f" if whole else "%.3g",
        key=key,
        persist_state="session",
        **_FROM_START,
    )
    empty = offer.empty and st.checkbox(
        "Also where it is not stated", value=True, key=f"{key}.empty", persist_state="session", **_FROM_START
    )
    least, most = chosen
    return Between(least, most, empty=bool(empty))


@st.cache_resource(scope="session", max_entries=3, ttl=3600, show_spinner=False)
def _offers(digest: str, _table: pd.DataFrame) -> tuple[Offer, ...]:
    return offers(_table)
