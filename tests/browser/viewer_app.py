"""A page with nothing but the viewer, for test_viewer_browser.py. All images are simulated."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.ui.viewer import Pane, dragged_crop, viewer

SIZE = int(st.query_params.get("size", "600"))
EDGES = ("left", "top", "right", "bottom")


@st.cache_data
def phantom(size: int, seed: int) -> NDArray[np.uint16]:
    """Two dark ellipses ("lungs") on a bright body, 12 bits, never a real radiograph."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:size, 0:size] / size
    body: NDArray[np.float64] = 2600 * np.exp(-(((x - 0.5) / 0.42) ** 4) - ((y - 0.55) / 0.5) ** 6)
    lungs = sum(1500 * np.exp(-(((x - c) / 0.13) ** 2) - ((y - 0.5) / 0.25) ** 2) for c in (0.3, 0.7))
    ribs = 130 * np.cos(46 * (y - 0.25 * (x - 0.5) ** 2)) * (body > 600)
    image: NDArray[np.uint16] = np.clip(300 + body - lungs + ribs + rng.normal(0, 25, x.shape), 0, 4095).astype(
        np.uint16
    )
    return image


def heatmap(centre: float) -> NDArray[np.float64]:
    y, x = np.mgrid[0:28, 0:28] / 27
    blob: NDArray[np.float64] = np.exp(-(((x - centre) / 0.18) ** 2) - ((y - 0.4) / 0.2) ** 2)
    return blob


def discs(size: int) -> tuple[tuple[str, NDArray[np.bool_]], ...]:
    """Two known regions: one where the heatmap is strong, one in the other "lung"."""
    y, x = np.mgrid[0:size, 0:size] / size
    return tuple((name, np.hypot(x - at, y - 0.4) < 0.08) for name, at in (("cavity", 0.3), ("nodule", 0.7)))


st.set_page_config(page_title="Viewer", layout="wide")
image = phantom(SIZE, 2 if st.toggle("Other image") else 1)
start = (SIZE // 10, SIZE // 10, SIZE * 9 // 10, SIZE * 9 // 10)
for edge, value in zip(EDGES, dragged_crop("viewer") or start, strict=True):
    if dragged_crop("viewer") or edge not in st.session_state:
        st.session_state[edge] = value
fields = [st.number_input(edge, 0, SIZE, key=edge) for edge in EDGES] if "fields" in st.query_params else start
left, top, right, bottom = fields
new_map = st.toggle("New heatmap")
first = Pane(
    title="Unedited",
    pixels=image,
    window=(200.0, 2900.0),
    spacing_mm=(0.5, 0.5),
    heatmap=heatmap(0.7 if new_map else 0.3),
    heatmap_label="Grad-CAM, share of the strongest evidence",
    masks=discs(SIZE) if "truth" in st.query_params else (),
    crop=(left, top, right, bottom),
)
panes = [first]
if "two" in st.query_params:
    panes.append(Pane(title="Edited: brightness 1.2", pixels=image * 1.2, window=(200.0, 2900.0), masks=first.masks))
if st.toggle("Elsewhere"):
    st.stop()
state = viewer(panes, key="viewer", crop_enabled="nocrop" not in st.query_params)
st.text(f"crop {state.crop}")
