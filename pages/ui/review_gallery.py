"""The cases that were chosen, worst first, as small pictures; one of them is opened beneath."""

import math

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cxrkit.errors import CxrkitError
from cxrkit.review.case_key import case_key
from cxrkit.review.figures_choice import chosen, in_words, worst_first
from cxrkit.review.table import ReviewSet
from cxrkit.review.thumbnail import thumbnail
from pages.ui.review_case import show_case
from pages.ui.review_choice import choice, choose, open_row, opened_row, page_number, turn_to
from pages.ui.review_load import KEY
from pages.ui.words import share, short_age, signed

PER_PAGE = 15


def show_gallery(review: ReviewSet, rows: NDArray[np.int64], label: str, threshold: float | None) -> None:
    """What was chosen, and its cases as small pictures with the one that is open.

    Args:
        review: whose cases.
        rows: [M] that the filters keep.
        label: that is reviewed.
        threshold: called at score >= threshold; None of ages.
    """
    made = choice()
    found = chosen(made, rows, review.truth(label), review.score(label), threshold)
    st.subheader("Cases, worst first", anchor=False)
    with st.container(horizontal=True, vertical_alignment="center"):
        which = "All cases" if made is None else in_words(made).capitalize()
        st.markdown(f"**{which}:** {found.size:,} of {rows.size:,}.", width="content")
        if made is not None:
            st.button("Show all cases", key=f"{KEY}.all", icon=":material/close:", on_click=choose, args=(None,))
    _pictures(review, worst_first(found, review.error(label)), label, threshold)


@st.fragment
def _pictures(review: ReviewSet, order: NDArray[np.int64], label: str, threshold: float | None) -> None:
    """A page of them; turning it and opening a case run this part alone."""
    pages = max(1, -(-order.size // PER_PAGE))
    page = min(page_number(), pages - 1)
    if not order.size:
        st.info("There is no such case.", icon=":material/image_not_supported:")
    with st.container(horizontal=True, gap="small", key=f"{KEY}.gallery"):
        for row in order[page * PER_PAGE : (page + 1) * PER_PAGE]:
            _card(review, int(row), label, threshold)
    if pages > 1:
        _turn(page, pages)
    opened = opened_row()
    if opened is not None:
        show_case(review, opened, label, threshold, [int(row) for row in order])


def _turn(page: int, pages: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="center"):
        for name, icon, to in (("Previous", "chevron_left", page - 1), ("Next", "chevron_right", page + 1)):
            st.button(
                name,
                key=f"{KEY}.page.{name.lower()}",
                icon=f":material/{icon}:",
                on_click=turn_to,
                args=(to,),
                disabled=not 0 <= to < pages,
            )
        st.markdown(f"Page {page + 1} of {pages:,}", width="content")


def _card(review: ReviewSet, row: int, label: str, threshold: float | None) -> None:
    opened = opened_row() == row
    with st.container(border=True, width=164, key=f"{KEY}.card.{row}", gap="small"):
        try:
            st.image(_picture(case_key(review.paths(row)), review, row), alt=f"Case {row + 1}", width="stretch")
        except CxrkitError as error:
            # Without a root folder every card would say the same.
            st.caption("No image." if review.root is None else str(error))
        st.markdown(case_in_words(review, row, label, threshold))
        st.button(
            "Close" if opened else "Open",
            key=f"{KEY}.open.{row}",
            type="primary" if opened else "secondary",
            on_click=open_row,
            args=(None if opened else row,),
            width="stretch",
        )


@st.cache_data(max_entries=3000, show_spinner=False)
def _picture(key: str, _review: ReviewSet, row: int) -> bytes:
    return thumbnail(_review.open(row))


def case_in_words(review: ReviewSet, row: int, label: str, threshold: float | None) -> str:
    """Answer and truth of a case in two short lines."""
    score, truth = float(review.score(label)[row]), float(review.truth(label)[row])
    failed, unknown = math.isnan(score), math.isnan(truth)
    if threshold is None:
        gap = "" if failed or unknown else f", {signed(score - truth)} m"
        read = "not read" if failed else f"**{short_age(score)}**{gap}"
        return f"{read}  \n{'reference unknown' if unknown else f'reference {short_age(truth)}'}"
    called = "no score" if failed else f"**{share(score)}**, {'called' if score >= threshold else 'not called'}"
    return f"{called}  \nTruth: {'unknown' if unknown else 'there' if truth else 'not there'}"
