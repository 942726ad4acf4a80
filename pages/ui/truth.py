"""Is the heatmap right? Figures and outlines for images whose lesions are known."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cxrkit.localisation import POINTING_TOLERANCE, STRONG, Localisation, localise
from cxrkit.task import Task
from pages.ui.analysis import Reading
from pages.ui.viewer.outline import outlines
from pages.ui.words import listed, percent

Truth = tuple[tuple[str, NDArray[np.bool_]], ...]
"""(what it is, [H, W] mask) for every lesion of a simulated image; empty where it has none."""

_NO_SIGN = {"tuberculosis": ("pneumothorax", "atelectasis", "enlarged heart")}
"""Lesions that evidence for a task's label need not lie on."""

_DASH, _GAP = 13, 9
"""Pixels of an exported image."""


def heatmap_check(
    task: Task, truth: Truth, readings: Sequence[Reading], spacing_mm: tuple[float, float] | None
) -> None:
    """Each lesion against each reading's heatmap, in sentences and as a table.

    Args:
        task: whose network reads.
        truth: every lesion of the image.
        readings: the unedited one, and the edited one where there are edits.
        spacing_mm: (row, column) millimetres a pixel, the same both ways; None where it is not known.
    """
    st.subheader("Is the heatmap right?", anchor=False)
    label = readings[-1].heatmap.label
    if label != task.positive:
        st.markdown(f"This heatmap shows evidence for “{label}”. That evidence need not lie on a lesion.")
    elif others := [lesion for lesion, _ in truth if lesion in _NO_SIGN.get(task.name, ())]:
        st.markdown(
            f"{listed(others).capitalize()} {'is' if len(others) == 1 else 'are'} no usual sign of “{label}”: heat "
            "that lies elsewhere is no fault of the map."
        )
    if not truth:
        st.markdown("There is **no lesion** in this image, so nothing that the heatmap marks is a sign of one.")
        return
    rows = []
    for name, reading in zip(("Unedited", "Edited") if len(readings) > 1 else ("",), readings, strict=True):
        title = f"{name}, " if name else ""
        if reading.heatmap.empty:
            st.markdown(f"{title}no positive evidence for “{label}”: there is no heat to compare.".capitalize())
            continue
        for lesion, found in compare(truth, reading):
            st.markdown(sentence(f"{title}{lesion}", found, spacing_mm and spacing_mm[0]))
            rows.append(({"Reading": name} if name else {}) | _row(lesion, found))
    if rows:
        st.dataframe(rows, hide_index=True, width="stretch", placeholder="–")
        st.caption(_legend(max(truth[0][1].shape)))


def compare(truth: Truth, reading: Reading) -> Iterator[tuple[str, Localisation]]:
    """Each lesion with the figures of the reading's heatmap, which must not be empty."""
    for lesion, mask in truth:
        yield lesion, localise(reading.heatmap.values, reading.heatmap.box, mask)


def figures(truth: Truth, reading: Reading) -> list[dict[str, object]]:
    """The comparison for a file; names only where the map is empty."""
    if reading.heatmap.empty:
        return [{"lesion": lesion} for lesion, _ in truth]
    return [{"lesion": lesion, **asdict(found), "hit": found.hit} for lesion, found in compare(truth, reading)]


def sentence(title: str, found: Localisation, pixel_mm: float | None) -> str:
    """What the figures say of one lesion."""
    title = f"**{title.capitalize()}.**"
    if not found.read:
        return f"{title} The network did not read the part of the image where it lies."
    times = found.share / found.chance
    length = "" if pixel_mm is None else f" ({found.distance * pixel_mm:.0f} mm)"
    point = (
        f"The strongest point is {found.distance:.0f} pixels{length} away from it: "
        + ("a hit, within the tolerance." if found.hit else "a miss.")
        if found.distance
        else "The strongest point lies inside it."
    )
    part = f" Only {percent(found.read)} of it was read." if found.read < 1 else ""
    return (
        f"{title} {percent(found.share)} of the heat lies inside it, {times:.1f} times what heat "
        f"spread evenly would give ({percent(found.chance)}). {point}{part}"
    )


def _row(lesion: str, found: Localisation) -> dict[str, str]:
    return {
        "Lesion": lesion,
        "Heat inside": percent(found.share),
        "By chance": percent(found.chance),
        "Strongest point": "hit" if found.hit else "miss",
        "Dice": f"{found.dice:.2f}",
        "IoU": f"{found.iou:.2f}",
    }


def _legend(longest: int) -> str:
    return (
        "By chance: the lesion's share of the area that the network read. Strongest point: the pointing game of Zhang "
        f"et al. 2016; up to {POINTING_TOLERANCE * longest:.0f} pixels beside the lesion count as a hit, "
        f"{percent(POINTING_TOLERANCE)} of the image's longer side. Dice and IoU: the region with at least "
        f"{percent(STRONG)} of the map's maximum against the lesion."
    )


def truth_in_words(truth: Truth) -> str:
    """ "nodule and effusion"; "no lesion"."""
    return listed([lesion for lesion, _ in truth]) or "no lesion"


def draw_truth(picture: NDArray[np.uint8], truth: Truth, scale: float) -> None:
    """Draw the outlines into a picture [H, W, 3], as the viewer does: white dashes on a black line.

    Args:
        picture: changed in place.
        truth: masks in the frame of the image.
        scale: pixels of the picture for one of the image.
    """

    for line in (line * scale for _, mask in truth for line in outlines(mask)):
        _draw(picture, line, closed=True, gray=0, width=5)
        dense = _along(line)
        for start in range(0, len(dense), _DASH + _GAP):
            _draw(picture, dense[start : start + _DASH], closed=False, gray=255, width=3)


def _draw(picture: NDArray[np.uint8], line: NDArray[np.float64], *, closed: bool, gray: int, width: int) -> None:
    import cv2

    # OpenCV counts from the centre of the first pixel, and in sixteenths here.
    corners = np.round((line - 0.5) * 16).astype(np.int32)
    cv2.polylines(picture, [corners], closed, (gray, gray, gray), width, cv2.LINE_AA, 4)


def _along(line: NDArray[np.float64]) -> NDArray[np.float64]:
    """A point for every pixel of the closed line's length."""
    closed = np.vstack([line, line[:1]])
    length = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    at = np.arange(0.0, length[-1])
    return np.column_stack([np.interp(at, length, closed[:, axis]) for axis in (0, 1)])
