"""Where the network looks in the two types of scans: mean maps, their difference, and where it is more than chance."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from cxrkit.card import Card
from cxrkit.colours import diverging, turbo
from cxrkit.errors import WeightsError
from cxrkit.group_maps import GROUPS, LEVEL, GroupMaps, read_groups
from cxrkit.task import Task
from pages.ui.about import measured
from pages.ui.models import weights_folder
from pages.ui.presenter import explain
from pages.ui.words import percent

_SHOWN = 200
"""Side of a map in pixels of the page."""


def read_group_maps(task: Task, card: Card) -> GroupMaps:
    """The comparison that came with the weights of this card; its first group is perfusion.

    Raises:
        WeightsError: there is none, it is damaged, or it is of other weights.
    """
    return read_groups(weights_folder(task) / GROUPS, card.sha256)


def offer_groups(task: Task, card: Card) -> None:
    """The same without a scan of one's own; drawn once it is opened."""
    title = "Where the network looks: mean maps of both types, their difference and t-test"
    section = st.expander(title, icon=":material/groups:", key=f"{task.name}.groups", on_change="rerun")
    if section.open:
        with section:
            group_analysis(task, card)


def group_analysis(task: Task, card: Card) -> None:
    """Mean maps, difference, significance, and how well the types were told apart.

    Args:
        task: of the page.
        card: of its weights.
    """
    st.markdown("**How well the two types were told apart** (value with 95 % interval)")
    measured(card)
    try:
        groups = read_group_maps(task, card)
    except WeightsError as error:
        st.warning(str(error), icon=":material/warning:")
        return
    first, second = groups.counts
    st.markdown(
        f"**Where the network looks.** Maps of {first} perfusion and {second} ventilation scans, each for its own type "
        "and as a share of its own maximum, with the lungs moved to the middle."
    )
    picture_row(
        (
            ("Mean map of perfusion", turbo(groups.first)),
            ("Mean map of ventilation", turbo(groups.second)),
        )
    )
    explain("From dark blue (0) over green to dark red (1).", "vq.means")
    _differences(groups)


def _differences(groups: GroupMaps) -> None:
    largest = max(float(np.abs(groups.difference).max()), 1e-9)
    difference = groups.difference / largest
    st.markdown(
        "**Perfusion less ventilation.** :red[**Red**] where the map of perfusion is higher, :blue[**blue**] where "
        f"that of ventilation is, white where they are equal; full colour is a difference of {largest:.2f}."
    )
    picture_row(
        (
            ("Difference", _red_and_blue(difference)),
            (f"p < {LEVEL:g}, raw: {percent(_share(groups.raw))}", _red_and_blue(difference * groups.raw)),
            (
                f"False-discovery rate {LEVEL:g}: {percent(_share(groups.corrected))}",
                _red_and_blue(difference * groups.corrected),
            ),
        )
    )
    explain(
        f"Independent t-test at each pixel. Raw: p below {LEVEL:g}, so about one pixel in {round(1 / LEVEL)} shows by "
        f"chance alone. Corrected: of the pixels shown at most {percent(LEVEL)} are expected to be there by chance "
        "(Benjamini and Hochberg 1995). The percentages are shares of all pixels.",
        "vq.differences",
    )


def picture_row(pictures: Sequence[tuple[str, np.ndarray]]) -> None:
    """Pictures [h, w, 3] with captions side by side, one below the other where the page is narrow."""
    with st.container(horizontal=True):
        for caption, picture in pictures:
            st.image(picture, caption, width=_SHOWN, output_format="PNG", alt=caption)


def _red_and_blue(values: np.ndarray) -> np.ndarray:
    return np.round(diverging(np.clip(values, -1, 1))).astype(np.uint8)


def _share(flags: np.ndarray) -> float:
    return float(flags.mean())
