"""Controls of what the network reads: crop box, brightness, contrast, sharpness, size."""

import streamlit as st

from cxrkit.image import Radiograph
from cxrkit.pixels import Box
from cxrkit.task import ModelInput, Task
from pages.ui.viewer import dragged_crop

EDGES = ("left", "top", "right", "bottom")
SMALLEST = 16
SIZES = range(64, 513, 32)


def model_input(task: Task, image: Radiograph, automatic: Box, viewer_key: str) -> ModelInput:
    """Show the controls and return the edits; a new image starts without any.

    Args:
        task: whose network reads.
        image: what is read.
        automatic: the crop that the task chooses by itself; the box starts there.
        viewer_key: of the viewer whose crop box goes with the four number fields.
    """
    key = task.name
    if st.session_state.get(f"_edits_of.{key}") != image.sha256:
        st.session_state[f"_edits_of.{key}"] = image.sha256
        _reset(key, automatic, task.input_size)
    dragged = dragged_crop(viewer_key)
    if dragged is not None:
        _set_box(key, dragged)
    with st.container(border=True, key=f"{key}.model_input"):
        st.subheader("Model input", anchor=False)
        st.caption("Changes what the network reads. Each change is read again and compared with the unedited image.")
        box = _crop_fields(key, (image.values.shape[0], image.values.shape[1]), automatic)
        edits = _gray_fields(key, task.input_size)
        st.button(
            "Reset model input",
            key=f"{key}.reset",
            icon=":material/restart_alt:",
            on_click=_reset,
            args=(key, automatic, task.input_size),
            width="stretch",
        )
    brightness, contrast, sharpness, size = edits
    return ModelInput(
        crop=None if box == automatic else box,
        brightness=brightness,
        contrast=contrast,
        sharpness=sharpness,
        size=None if size == task.input_size else size,
    )


def _reset(key: str, automatic: Box, size: int) -> None:
    _set_box(key, automatic)
    for name, value in (("brightness", 0.0), ("contrast", 1.0), ("sharpness", 0.0), ("size", size)):
        st.session_state[f"{key}.{name}"] = value


def _set_box(key: str, box: Box) -> None:
    for edge, value in zip(EDGES, box, strict=True):
        st.session_state[f"{key}.{edge}"] = int(value)


def _crop_fields(key: str, shape: tuple[int, int], automatic: Box) -> Box:
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
    box = (values["left"], values["top"], values["right"], values["bottom"])
    st.button(
        "Use automatic crop",
        key=f"{key}.automatic",
        icon=":material/crop_free:",
        on_click=_set_box,
        args=(key, automatic),
        disabled=box == automatic,
        width="stretch",
    )
    return box


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


def _gray_fields(key: str, trained: int) -> tuple[float, float, float, int]:
    sliders = (("brightness", -0.5, 0.5, 0.05), ("contrast", 0.5, 2.0, 0.05), ("sharpness", -1.0, 2.0, 0.1))
    brightness, contrast, sharpness = (
        st.slider(name.capitalize(), low, high, step=step, key=f"{key}.{name}", persist_state="session")
        for name, low, high, step in sliders
    )
    size = st.selectbox(
        "Size",
        SIZES,
        format_func=lambda side: f"{side} × {side} pixels" + (", as in training" if side == trained else ""),
        key=f"{key}.size",
        persist_state="session",
    )
    return round(brightness, 2), round(contrast, 2), round(sharpness, 2), size
