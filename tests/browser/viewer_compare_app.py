"""A page with baseline and follow-up in the viewer, for test_viewer_compare_browser.py. All images are simulated."""

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.ui.viewer import Pane, viewer

st.set_page_config(page_title="Compare", layout="wide")
WIDTH, HEIGHT = 500, 600
ENLARGED = int(st.query_params.get("scale", "1"))


def phantom(lesion: bool) -> NDArray[np.float32]:
    """[HEIGHT, WIDTH] in [0, 1]: two dark "lungs", a gray square in the right one; never a real radiograph."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    lungs = sum(0.6 * np.exp(-(((x - c) / 70) ** 2) - ((y - 300) / 150) ** 2) for c in (150, 350))
    image: NDArray[np.float32] = (0.9 - lungs).astype(np.float32)
    image[280:320, 330:370] = 0.35
    if lesion:
        image[180:220, 130:170] = 1.0
    return image


# The follow-up: another pose, another size and pixel values that have nothing in common with the baseline's.
turned = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), 6, 1.3)
MATRIX = turned + np.array([[0, 0, 60], [0, 0, 20]])
moved = cv2.warpAffine(phantom(True), MATRIX, (800, 760), borderValue=0.9)
if st.button("Another follow-up"):
    moved = moved[::-1]
baseline, follow_up = (np.kron(image, np.ones((ENLARGED, ENLARGED))) for image in (phantom(False), moved))

y, x = np.mgrid[0:28, 0:28] / 27
signed = np.where(x < 0.4, -1.0, np.where(x > 0.6, 1.0, 0.0)) * (y > 0.5)
maps = [signed, signed] if "signed" in st.query_params else [(y > 0.5) * 1.0, (y < 0.5) * 1.0]
labels = ["Signed difference"] * 2 if "signed" in st.query_params else ["Map of the baseline", "Map of the follow-up"]

panes = [
    Pane(
        title=title,
        pixels=pixels,
        window=window,
        heatmap=heatmap if "heat" in st.query_params else None,
        heatmap_label=label,
        heatmap_signed="signed" in st.query_params,
        to_first=matrix if "registered" in st.query_params else None,
    )
    for title, pixels, window, heatmap, label, matrix in (
        ("Baseline", baseline, (0.0, 1.0), maps[0], labels[0], None),
        ("Follow-up", np.round(follow_up * 3000 + 500).astype(np.uint16), (500.0, 3500.0), maps[1], labels[1], MATRIX),
    )
]
state = viewer(panes, key="viewer", compare=True, crop_enabled="crop" in st.query_params)
st.text(f"crop {state.crop}")
