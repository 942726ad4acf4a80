"""Python side of comparing two images: signed heatmaps, registration, and what the browser is told."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from pages.ui.viewer import Pane, viewer
from pages.ui.viewer.packing import SIGNED_ZERO, pack_heatmap
from pages.ui.viewer.pane import for_canvas
from tests.pages.test_viewer import pane, sent


def test_signed_heat_keeps_zero_exact() -> None:
    heat = np.array([[0.0, -0.0, np.nan, 1.0, -1.0, 7.0, -7.0]])
    assert list(pack_heatmap(heat, signed=True)) == [SIGNED_ZERO] * 3 + [255, 1, 255, 1]


@given(st.floats(-1, 1))
def test_signed_heat_is_off_by_half_a_level_at_most(value: float) -> None:
    (level,) = pack_heatmap(np.array([[value]]), signed=True)
    assert abs((level - SIGNED_ZERO) / 127 - value) <= 0.5001 / 127
    (mirrored,) = pack_heatmap(np.array([[-value]]), signed=True)
    assert level - SIGNED_ZERO == SIGNED_ZERO - mirrored


@given(st.integers(-500, 500), st.integers(-500, 500))
def test_registration_between_centres_becomes_one_between_corners(x: int, y: int) -> None:
    matrix = np.array([[1.3, -0.2, 40.0], [0.2, 1.3, -7.5]])
    a, b, c, d, e, f = for_canvas(matrix)
    expected = matrix @ (x, y, 1.0) + 0.5  # the centre of a pixel is at a half in the browser
    across, down = x + 0.5, y + 0.5
    assert (a * across + c * down + e, b * across + d * down + f) == pytest.approx(tuple(expected))


@pytest.mark.parametrize(
    "matrix",
    [np.eye(3), np.zeros((2, 3)), np.array([[1.0, 0.0, np.nan], [0.0, 1.0, 0.0]]), np.array([[1, 2, 0], [2, 4, 0]])],
)
def test_matrices_that_cannot_be_used_are_refused(matrix: Any) -> None:
    with pytest.raises(ValueError, match="to_first"):
        pane(to_first=matrix)


@pytest.mark.parametrize("count", [1, 3])
def test_two_images_are_compared(count: int) -> None:
    with pytest.raises(ValueError, match="two panes"):
        viewer([pane()] * count, key="pair", compare=True)


def page() -> None:
    import numpy as np
    import streamlit as st

    from pages.ui.viewer import Pane, viewer

    pixels = np.arange(24, dtype=np.uint8).reshape(4, 6)
    signed = st.session_state.get("signed", True)
    matrix = np.array([[2.0, 0.0, 3.0], [0.0, 2.0, 1.0]]) if st.session_state.get("registered", True) else None
    panes = [
        Pane("Baseline", pixels, (0, 9), heatmap=np.eye(3), heatmap_signed=signed),
        Pane("Follow-up", pixels.T, (0, 9), heatmap=np.eye(3), heatmap_signed=signed, to_first=matrix),
    ]
    viewer(panes, key="v", compare=st.session_state.get("compare", True))


def test_the_browser_is_told_what_to_compare() -> None:
    app = AppTest.from_function(page, default_timeout=30).run()
    assert not app.exception
    data = sent(app)
    first, second = data["panes"]
    assert data["compare"] is True
    assert first["to_first"] is None
    assert second["to_first"] == [2, 0, 0, 2, 2.5, 0.5]
    assert second["heatmap"]["signed"] is True
    app.session_state["signed"] = False
    app.session_state["registered"] = False
    plain = sent(app.run())["panes"][1]
    assert plain["to_first"] is None
    assert plain["heatmap"]["url"] != second["heatmap"]["url"]  # the same values, packed in another way
    assert plain["url"] == second["url"]


def test_pages_that_compare_nothing_stay_as_they_are() -> None:
    app = AppTest.from_function(page, default_timeout=30)
    app.session_state["compare"] = False
    assert sent(app.run())["compare"] is False
    assert Pane("Image", np.zeros((2, 2)), (0, 1)).heatmap_signed is False
