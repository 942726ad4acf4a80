"""Readings on the screen: score cards, images with heatmaps, what the network read, facts of the file."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import streamlit as st

from cxrkit.image import Radiograph
from cxrkit.pixels import Box
from cxrkit.task import Task
from pages.ui.analysis import Explained, Reading
from pages.ui.presenter import explain
from pages.ui.several_uploads import in_markdown
from pages.ui.truth import Truth
from pages.ui.viewer import Pane, send_ahead, viewer
from pages.ui.words import edits_in_words, movement, percent, place, share

Read = TypeVar("Read", bound=Explained)

_CROPS = {
    "user": "Your crop box.",
    "hand": "Automatic crop: a box around the hand, whose outline was found, squashed to a square.",
    "lungs": "Automatic crop: a square around both lungs, which a small network of its own looks for.",
    "margins": "Automatic crop: the image without uniform margins.",
    "image": "The whole image, as far as it lies in the frame once its lungs are in the middle.",
}


def score_cards(task: Task, readings: Sequence[Reading]) -> None:
    """One card for each reading, side by side, and how far the edits moved the score."""
    for column, title, reading in zip(st.columns(len(readings)), _headings(task, readings), readings, strict=True):
        score, limit = reading.prediction.scores[task.positive], reading.prediction.threshold
        with column.container(border=True):
            st.metric(title, share(score))
            st.markdown(f"{place(score, limit).capitalize()}. Label at this threshold: **{reading.prediction.label}**.")
    if len(readings) > 1:
        before, after = readings
        scores = [reading.prediction.scores[task.positive] for reading in (before, after)]
        labels = [reading.prediction.label for reading in (before, after)]
        kept = "The label stays the same." if labels[0] == labels[1] else f"The label changes to **{labels[1]}**."
        st.markdown(f"{movement(*scores)} {kept}")
        st.caption(f"Edits: {edits_in_words(after.edits)}.")
    for warning in readings[-1].prediction.warnings:
        st.warning(warning, icon=":material/warning:")


def _headings(task: Task, readings: Sequence[Reading]) -> list[str]:
    name = f"Score for {task.positive}"
    return [name] if len(readings) == 1 else [f"{name}, unedited", f"{name}, edited"]


def images(image: Radiograph, readings: Sequence[Explained], crop: Box, key: str, truth: Truth | None = None) -> None:
    """The viewer: the original image with each reading's heatmap; the crop box lies on the last one.

    `truth` is known of simulated images only; its outlines lie on every pane.
    """
    st.markdown(
        "**Display** – these tools change only what you see. The crop tool is the exception: its box is model input."
    )
    remark = "" if truth is None else " (simulated)"
    panes = [
        pane(
            image,
            reading,
            _pane_name(index, readings) + remark,
            masks=truth or (),
            crop=crop if reading is readings[-1] else None,
        )
        for index, reading in enumerate(readings)
    ]
    viewer(panes, key=key, crop_enabled=True)


def show_soon(images: Sequence[Radiograph], key: str) -> None:
    """The browser fetches the images that the viewer of this key will show while the network reads them."""
    send_ahead([(display_pixels(image)[0], image.sha256) for image in images], key)


def pane(image: Radiograph, reading: Explained, name: str, *, masks: Truth = (), crop: Box | None = None) -> Pane:
    """The original image with a reading's heatmap for the viewer.

    Args:
        image: in full.
        reading: of it.
        name: above it; an empty heatmap is said there too.
        masks: what is known to lie where.
        crop: box that the user may draw anew; None where it is not offered.
    """
    pixels, window = display_pixels(image)
    heatmap = reading.heatmap
    return Pane(
        title=f"{name}: no positive evidence, no heatmap" if heatmap.empty else name,
        pixels=pixels,
        window=window,
        spacing_mm=image.spacing_mm,
        heatmap=None if heatmap.empty else heatmap.values,
        heatmap_box=None if heatmap.empty else heatmap.box,
        heatmap_label=f"{heatmap.method} for {heatmap.label}, 1 = its own maximum",
        masks=masks,
        crop=crop,
        digest=image.sha256,
        window_step=image.window_step,
    )


def _pane_name(index: int, readings: Sequence[Explained]) -> str:
    return "Image" if len(readings) == 1 else ("Unedited", "Edited")[index]


def display_pixels(image: Radiograph) -> tuple[np.ndarray, tuple[float, float]]:
    """Pixels and window for the viewer; padding is black, whatever value it has in the file."""
    if image.voi_function == "SIGMOID":
        return image.windowed(), (0.0, 1.0)
    window = image.display_range()
    if image.valid is None:
        return image.values, window
    # As dark as the darkest of the image itself: padding far below would stretch every window that counts it.
    seen = image.values[image.valid] if image.valid.any() else image.values
    return np.where(image.valid, image.values, np.float32(min(window[0], seen.min()))), window


def what_was_read(readings: Sequence[Read], further: Callable[[Read], None]) -> None:
    """The network's own input, who chose the crop, and how strong the heatmaps are.

    Args:
        readings: the unedited one, and the edited one where there are edits.
        further: says what else there is to say of a reading, such as where its heat lies.
    """
    st.subheader("What the network reads", anchor=False)
    with st.container(horizontal=True, gap="medium"):
        for index, reading in enumerate(readings):
            with st.container(width=280):
                _one_input(_pane_name(index, readings), reading)
                further(reading)
    explain(
        "Heatmaps are scaled one by one, so a weak map looks as strong as a strong one. Only the raw maximum says "
        "whether a map is strong; near 0 it means little.",
        "what_was_read",
    )


def _one_input(name: str, reading: Explained) -> None:
    view, placement = reading.prepared.view[0], reading.prepared.placements[0]
    st.image(
        np.round(view * 255).astype(np.uint8),
        caption=f"{name}, {placement.size} × {placement.size} pixels",
        width=256,
        output_format="PNG",
        alt=f"What the network reads, {name.lower()}",
    )
    left, top, right, bottom = placement.box
    st.markdown(f"{_CROPS[reading.prepared.crop_sources[0]]} Pixels {left}, {top} to {right}, {bottom} of the image.")
    heatmap = reading.heatmap
    if heatmap.empty:
        st.markdown(f"No positive evidence for “{heatmap.label}”: the {heatmap.method} map is zero everywhere.")
    else:
        st.markdown(f"Raw maximum of the {heatmap.method} map for “{heatmap.label}”: **{heatmap.maximum:.3g}**.")


def inside_the_lungs(reading: Reading) -> None:
    """How much of the heat lies inside the lungs, beside what chance would put there."""
    if reading.heatmap.empty:
        return
    heat, filled = reading.heat_in_lungs, reading.lungs_fill
    if heat is None or filled is None:
        st.markdown("Share of this heat inside the lungs: unknown, because two lungs were not found in this image.")
        return
    st.markdown(
        f"Share of this heat inside the lungs: **{percent(heat)}**. The lungs fill {percent(filled)} of what the "
        "network read, so heat spread evenly would give that."
    )
    if heat < 0.5:
        st.warning(
            f"Most of this heat, {percent(1 - heat)}, lies outside the lungs: the score may rest on something "
            "other than the lungs.",
            icon=":material/warning:",
        )


@st.fragment
def file_facts(task: Task, image: Radiograph, name: str = "") -> None:
    """What may be shown of the file's header, and the image's size; made when opened.

    Args:
        task: of the page.
        image: of the file.
        name: of the image where the page has several, such as "Baseline".
    """
    title, key = "The file", f"{task.name}.file"
    if name:
        title, key = f"The file: {name.lower()}", f"{key}.{name}"
    section = st.expander(title, icon=":material/description:", key=key, on_change="rerun")
    if not section.open:
        return
    height, width = image.values.shape
    facts = {"Image size": f"{width} × {height} pixels", **image.header}
    with section:
        # Cells are Markdown, and a header may hold an image of an outside address.
        values = [in_markdown(value) for value in facts.values()]
        st.table({"Field": list(facts), "Value": values}, hide_index=True, border="horizontal")
        st.caption("Only these header fields are read out; names, dates and numbers of persons are not.")
