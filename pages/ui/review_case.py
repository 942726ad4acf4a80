"""One case of a review: its images with what is known to lie there, the heatmap on demand, its row, and the notes."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from cxrkit.errors import CxrkitError
from cxrkit.image import Radiograph
from cxrkit.review.case_key import case_key
from cxrkit.review.filters import shown
from cxrkit.review.lesions import known_lesions
from cxrkit.review.table import OF_BASELINE, ReviewSet
from pages.ui.errors import errors_shown
from pages.ui.presenter import explain
from pages.ui.results import display_pixels
from pages.ui.review_choice import open_row
from pages.ui.review_load import KEY
from pages.ui.truth import Truth
from pages.ui.viewer import Pane, viewer
from pages.ui.words import share, signed

if TYPE_CHECKING:
    from pages.ui.review_heatmap import Explanation

_ALIKE = 0.02
"""Scores further apart than this come from two networks, or from two preparations."""


def show_case(review: ReviewSet, row: int, label: str, threshold: float | None, order: Sequence[int]) -> None:
    """The opened case, beneath the gallery.

    Args:
        review: whose case.
        row: of the table.
        label: that is reviewed.
        threshold: of it; None of ages.
        order: rows of the gallery, to step through.
    """
    with st.container(border=True, key=f"{KEY}.case"):
        _heading(row, order)
        # In one block, whatever it holds: the note below, built anew at another place, would lose what is being typed.
        with st.container(), errors_shown():
            _images(review, row, label, threshold)
        _row_of(review, row)
        from pages.ui.review_notes import show_notes  # brings what talks to the database

        with errors_shown():
            show_notes(review, row, label)


def _heading(row: int, order: Sequence[int]) -> None:
    place = order.index(row) if row in order else None
    with st.container(horizontal=True, vertical_alignment="center"):
        where = "" if place is None else f", {place + 1:,} of {len(order):,}"
        st.subheader(f"Case {row + 1}{where}", anchor=False)
        for name, icon, step in (("Previous case", "chevron_left", -1), ("Next case", "chevron_right", 1)):
            to = None if place is None or not 0 <= place + step < len(order) else order[place + step]
            st.button(
                name,
                key=f"{KEY}.case.{'next' if step > 0 else 'previous'}",
                icon=f":material/{icon}:",
                on_click=open_row,
                args=(to,),
                disabled=to is None,
            )
        st.button("Close", key=f"{KEY}.case.close", icon=":material/close:", on_click=open_row, args=(None,))


def _images(review: ReviewSet, row: int, label: str, threshold: float | None) -> None:
    images = _opened(case_key(review.paths(row)), row, review)
    first = (OF_BASELINE,) if len(images) > 1 else ()
    lesions = [_lesions(review, row, image, of) for image, of in zip(images, (*first, ""), strict=True)]
    wanted = st.toggle(
        "Heatmap",
        key=f"{KEY}.heatmap",
        help="The network of this task reads the image again; that takes a moment.",
        persist_state="session",
    )
    explained = None
    with errors_shown():  # without a heatmap the image is still worth seeing
        explained = _explanation(review, row, label, threshold, images) if wanted else None
    names = [name.removesuffix(" radiograph").capitalize() for name in review.task.inputs]
    names = names if len(images) > 1 else ["Image"]
    panes = []
    for index, (image, name, masks) in enumerate(zip(images, names, lesions, strict=True)):
        panes.append(_plain(image, name, masks) if explained is None else explained.pane(image, index, name, masks))
    viewer(panes, key=f"{KEY}.viewer", compare=len(panes) == 2)
    if explained is not None:
        _compare(review, row, label, explained)
    if any(lesions):
        explain("Dashed outline: what the table says lies there.", f"{KEY}.outline")


def _lesions(review: ReviewSet, row: int, image: Radiograph, of: str) -> Truth:
    try:
        return known_lesions(review, row, (image.values.shape[0], image.values.shape[1]), of)
    except CxrkitError as error:
        # The image itself is still worth seeing.
        st.warning(str(error), icon=":material/select_all:")
        return ()


def _explanation(
    review: ReviewSet, row: int, label: str, threshold: float | None, images: Sequence[Radiograph]
) -> "Explanation":
    from pages.ui.models import load_libraries

    load_libraries()
    from pages.ui.review_heatmap import explain_case

    return explain_case(review, row, label, threshold, images)


def _plain(image: Radiograph, name: str, masks: Truth) -> Pane:
    pixels, window = display_pixels(image)
    return Pane(
        title=name,
        pixels=pixels,
        window=window,
        spacing_mm=image.spacing_mm,
        masks=masks,
        digest=image.sha256,
        window_step=image.window_step,
    )


def _compare(review: ReviewSet, row: int, label: str, explained: "Explanation") -> None:
    """The heatmap is of the weights that lie here, which need not be those that wrote the table."""
    written, ages = float(review.score(label)[row]), bool(review.task.values)
    here = explained.answer
    answer = f"{here:.1f} months" if ages else share(here)
    explain(f"{explained.meaning} Drawn by the weights of this server, which give {answer} here.", f"{KEY}.heat")
    apart = abs(here - written)
    if math.isfinite(written) and apart > (1 if ages else _ALIKE):
        by = f"{signed(here - written)} months" if ages else f"{100 * apart:.0f} points"
        st.warning(
            f"The table's answer differs from that by {by}: it was written by other weights or with other settings, so "
            "this heatmap does not explain it.",
            icon=":material/difference:",
        )


def _row_of(review: ReviewSet, row: int) -> None:
    with st.expander(
        "This case in the table", icon=":material/table_rows:", key=f"{KEY}.row", on_change="rerun"
    ) as one:
        if one.open:
            values = review.table.iloc[row]
            # No st.table: it shows cells as Markdown, and a table may hold an image of an outside address.
            st.dataframe(
                {"Column": list(review.table), "Value": [shown(value) for value in values]},
                hide_index=True,
                width="stretch",
            )


@st.cache_resource(scope="session", max_entries=4, ttl=3600, show_spinner=False)
def _opened(key: str, row: int, _review: ReviewSet) -> list[Radiograph]:
    return _review.open(row)
