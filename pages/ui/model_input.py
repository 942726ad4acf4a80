"""Controls of what the network reads: crop box, brightness, contrast, sharpness, size, swap; of a hand also turn."""

from typing import Any

import streamlit as st

from cxrkit.image import Radiograph
from cxrkit.pixels import Box
from cxrkit.task import ModelInput, Task
from pages.ui.viewer import dragged_crop

EDGES = ("left", "top", "right", "bottom")
SMALLEST = 16
SIZES = range(64, 513, 32)
SLIDERS = {"brightness": (-0.5, 0.5, 0.05), "contrast": (0.5, 2.0, 0.05), "sharpness": (-1.0, 2.0, 0.1)}
"""Lowest and highest value, and step."""
AUTOMATIC = "As the page decides"
TURNS = {
    AUTOMATIC: None,
    "As in the file": 0,
    "A quarter turn clockwise": 1,
    "Upside down": 2,
    "A quarter turn anticlockwise": 3,
}
SWAPS = {AUTOMATIC: None, "As in the file": False, "Swapped": True}
CHEST_SWAPS = {"As in the file": None, "Swapped": True}
"""No page decides that of a chest."""


def model_input(task: Task, image: Radiograph, automatic: Box, viewer_key: str) -> ModelInput:
    """Controls, made when opened, and the edits; a new image starts without any. A dragged crop opens them.

    Args:
        task: whose network reads.
        image: what is read.
        automatic: the crop that the task chooses by itself; the box starts there.
        viewer_key: of the viewer whose crop box goes with the four number fields.
    """
    key = task.name
    if st.session_state.get(f"_edits_of.{key}") != image.sha256:
        st.session_state[f"_edits_of.{key}"] = image.sha256
        _reset(task, automatic)
    dragged = dragged_crop(viewer_key)
    if dragged is not None:
        _set_box(key, dragged)
    edits = _edits(task, automatic)
    opened = f"{key}.model_input"
    if dragged is not None or (opened not in st.session_state and edits != ModelInput()):
        st.session_state[opened] = True
    section = st.expander(
        f"Model input: {', '.join(_offered(task))}",
        icon=":material/tune:",
        key=opened,
        on_change="rerun",
    )
    if not section.open:
        return edits
    with section:
        st.caption("Changes what the network reads. Each change is read again and compared with the unedited image.")
        _crop_fields(key, (image.values.shape[0], image.values.shape[1]), automatic)
        _way_fields(task)
        _gray_fields(task)
        st.button(
            "Reset model input",
            key=f"{key}.reset",
            icon=":material/restart_alt:",
            on_click=_reset,
            args=(task, automatic),
            width="stretch",
        )
    return edits


def _offered(task: Task) -> tuple[str, ...]:
    return ("crop", *SLIDERS, *(("size",) if task.any_size else ()), *_ways(task))


def _ways(task: Task) -> dict[str, dict[str, Any]]:
    """Which way round an image may be read: for each field what its words stand for, the first of them at first."""
    if task.reads == "hand":
        return {"turn": TURNS, "swap": SWAPS}
    return {"swap": CHEST_SWAPS} if task.reads == "frontal chest" else {}


def _edits(task: Task, automatic: Box) -> ModelInput:
    """What the controls say, whether they are on the screen or not."""
    ways = _ways(task)
    names = (*EDGES, *SLIDERS, "size", *ways)
    state = {name: st.session_state[f"{task.name}.{name}"] for name in names}
    left, top, right, bottom = (state[edge] for edge in EDGES)
    box = (left, top, right, bottom)
    return ModelInput(
        crop=None if box == automatic else box,
        brightness=round(state["brightness"], 2),
        contrast=round(state["contrast"], 2),
        sharpness=round(state["sharpness"], 2),
        size=None if state["size"] == task.input_size else state["size"],
        **{name: words[state[name]] for name, words in ways.items()},
    )


def _reset(task: Task, automatic: Box) -> None:
    _set_box(task.name, automatic)
    start: dict[str, object] = {"brightness": 0.0, "contrast": 1.0, "sharpness": 0.0, "size": task.input_size}
    start |= {name: next(iter(words)) for name, words in _ways(task).items()}
    for name, value in start.items():
        st.session_state[f"{task.name}.{name}"] = value


def _set_box(key: str, box: Box) -> None:
    for edge, value in zip(EDGES, box, strict=True):
        st.session_state[f"{key}.{edge}"] = int(value)


def _crop_fields(key: str, shape: tuple[int, int], automatic: Box) -> None:
    height, width = shape
    ranges = {
        "left": (0, width - SMALLEST),
        "top": (0, height - SMALLEST),
        "right": (SMALLEST, width),
        "bottom": (SMALLEST, height),
    }
    st.markdown("**Crop box**, in pixels of the image; or drag it with the viewer's crop tool")
    values = {}
    for pair in (("left", "top"), ("right", "bottom")):
        # Columns would cut the second field's button off where two fields are too wide; this row wraps.
        row = st.container(horizontal=True)
        for edge in pair:
            values[edge] = row.number_input(
                edge.capitalize(),
                *ranges[edge],
                step=1,
                key=f"{key}.{edge}",
                on_change=_keep_apart,
                args=(key, edge),
                persist_state="session",
            )
    boxes = {
        "automatic": ("Use automatic crop", "crop_free", automatic),
        "whole": ("Read the whole image", "fullscreen", (0, 0, width, height)),
    }
    for name, (words, icon, box) in boxes.items():
        st.button(
            words,
            key=f"{key}.{name}",
            icon=f":material/{icon}:",
            on_click=_set_box,
            args=(key, box),
            disabled=tuple(values.values()) == box,
            width="stretch",
        )


def _keep_apart(key: str, edge: str) -> None:
    """A typed edge stops short of the opposite one, so that the box always holds something to read."""
    left, top, right, bottom = (st.session_state[f"{key}.{name}"] for name in EDGES)
    nearest = {
        "left": min(left, right - SMALLEST),
        "top": min(top, bottom - SMALLEST),
        "right": max(right, left + SMALLEST),
        "bottom": max(bottom, top + SMALLEST),
    }
    st.session_state[f"{key}.{edge}"] = nearest[edge]


def _way_fields(task: Task) -> None:
    """Which way round the image is read."""
    labels = {"turn": "Turn, so that the fingers point up", "swap": "Black and white"}
    for name, words in _ways(task).items():
        st.selectbox(labels[name], list(words), key=f"{task.name}.{name}", persist_state="session")


def _gray_fields(task: Task) -> None:
    for name, (low, high, step) in SLIDERS.items():
        st.slider(name.capitalize(), low, high, step=step, key=f"{task.name}.{name}", persist_state="session")
    if not task.any_size:
        return
    st.selectbox(
        "Size",
        [side for side in SIZES if side >= task.least_size],
        format_func=lambda side: f"{side} × {side} pixels" + (", as in training" if side == task.input_size else ""),
        key=f"{task.name}.size",
        persist_state="session",
    )
