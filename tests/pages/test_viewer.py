"""Python side of the viewer: packing, checks, and who decides about the crop box."""

import hashlib
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from pages.ui.viewer import Pane
from pages.ui.viewer.outline import PRECISION, outlines, pack_outlines
from pages.ui.viewer.packing import PackedPixels, pack_heatmap, pack_pixels
from pages.ui.viewer.pane import content_digest


def unpack(packed: PackedPixels, shape: tuple[int, ...]) -> NDArray[Any]:
    """What the browser reads: stored * slope + intercept."""
    stored = np.frombuffer(packed.data, "u1" if packed.bits == 8 else "<u2").astype(np.float64)
    return (stored * packed.slope + packed.intercept).reshape(shape)


def pane(**changes: Any) -> Pane:
    return Pane(**{"title": "Image", "pixels": np.zeros((4, 6), np.uint8), "window": (0, 255)} | changes)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16, np.bool_])
@settings(deadline=None)
@given(data=st.data())
def test_whole_numbers_travel_without_loss(dtype: Any, data: st.DataObject) -> None:
    pixels = data.draw(hnp.arrays(dtype, hnp.array_shapes(min_dims=2, max_dims=2)))
    assert np.array_equal(unpack(pack_pixels(pixels), pixels.shape), pixels)


@pytest.mark.parametrize("dtype", [np.uint16, np.int16])
def test_the_whole_range_of_16_bits_fits(dtype: Any) -> None:
    info = np.iinfo(dtype)
    pixels = np.arange(info.min, info.max + 1).astype(dtype).reshape(256, 256)
    packed = pack_pixels(pixels)
    assert (packed.bits, packed.slope, packed.intercept) == (16, 1.0, float(info.min))
    assert np.array_equal(unpack(packed, pixels.shape), pixels)


@pytest.mark.parametrize(
    ("pixels", "bits"),
    [
        (np.array([[-1024.0, 3071.0]]), 16),
        (np.array([[1000.0, 1255.0]]), 8),
        (np.array([[5_000_000, 5_065_535]]), 16),
        (np.full((2, 2), 7.25), 16),
    ],
)
def test_narrow_ranges_are_exact_wherever_they_lie(pixels: NDArray[Any], bits: int) -> None:
    packed = pack_pixels(pixels)
    assert packed.bits == bits
    assert len(packed.data) == pixels.size * bits // 8
    assert np.array_equal(unpack(packed, pixels.shape), pixels)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-3e-5, 2e-5), (-1e6, 4e9)])
def test_other_values_are_off_by_half_a_level_at_most(low: float, high: float) -> None:
    pixels = np.random.default_rng(3).uniform(low, high, (50, 40)).astype(np.float32)
    packed = pack_pixels(pixels)
    worst = np.abs(unpack(packed, pixels.shape) - pixels).max()
    assert worst <= 0.5001 * (pixels.max() - pixels.min()) / 65535


@pytest.mark.parametrize(
    ("shape", "side"), [((900, 1799), 1), ((1800, 7), 2), ((1801, 301), 2), ((3599, 8), 2), ((33, 3601), 4)]
)
@pytest.mark.parametrize("most", [255, 65535])
def test_a_preview_holds_means_of_squares(shape: tuple[int, int], side: int, most: int) -> None:
    pixels = np.random.default_rng(5).integers(0, most + 1, shape).astype(np.int64)
    pixels[0, :2] = 0, most
    packed = pack_pixels(pixels)
    assert packed.side == side
    if side == 1:
        assert packed.preview == b""
        return
    means = pixels
    for _ in range(side // 2):
        even = np.pad(means, [(0, length % 2) for length in means.shape], mode="edge")
        means = (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2] + 2) >> 2
    stored = np.frombuffer(packed.preview, "u1" if packed.bits == 8 else "<u2")
    assert np.array_equal(stored.reshape(means.shape), means)


def test_values_that_are_not_finite_become_the_lowest() -> None:
    pixels = np.array([[np.nan, 3.0], [np.inf, -np.inf]])
    assert unpack(pack_pixels(pixels), (2, 2)).tolist() == [[3, 3], [3, 3]]
    with pytest.raises(ValueError, match="no finite value"):
        pack_pixels(np.full((2, 2), np.nan))


def test_heatmap_becomes_bytes() -> None:
    heat = np.array([[0.0, 1.0, 0.5], [-2.0, 7.0, np.nan]])
    assert list(pack_heatmap(heat)) == [0, 255, 128, 0, 255, 0]


def test_heatmap_lies_on_the_whole_image_unless_told() -> None:
    heat = np.zeros((7, 7))
    assert pane(heatmap=heat).placed_box == (0, 0, 6, 4)
    assert pane(heatmap=heat, heatmap_box=(1, 1, 3, 2)).placed_box == (1, 1, 3, 2)


def inside(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The centres of pixels that the outlines hold, by the even-odd rule."""
    lines = [line.astype(np.float32) for line in outlines(mask)]
    height, width = mask.shape
    held = [
        [sum(cv2.pointPolygonTest(line, (x + 0.5, y + 0.5), False) > 0 for line in lines) % 2 for x in range(width)]
        for y in range(height)
    ]
    return np.array(held, dtype=bool)


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 18), st.integers(2, 18), st.integers(12, 28), st.integers(12, 28), st.floats(0, 0.7))
def test_outlines_give_the_mask_back(a: int, b: int, x: int, y: int, hole: float) -> None:
    """Ellipses with a hole, cut by the image's edge where they are large."""
    down, across = np.mgrid[0:40, 0:40]
    distance = np.hypot((across - x) / a, (down - y) / b)
    mask = (distance <= 1) & (distance >= hole)
    wrong = inside(mask) != mask
    border = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    border += cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    assert border[wrong].max(initial=0) <= 0.5 + PRECISION + 0.25


def test_a_single_pixel_keeps_its_outline() -> None:
    mask = np.zeros((9, 9), dtype=bool)
    mask[3, 5] = True
    (line,) = outlines(mask)
    assert line.min(axis=0).tolist() == [5.25, 3.25]
    assert line.max(axis=0).tolist() == [5.75, 3.75]


def test_outlines_of_a_large_mask_are_few_bytes() -> None:
    down, across = np.mgrid[0:2000, 0:2000]
    packed = pack_outlines(np.hypot(across - 900, down - 1000) < 500).decode()
    assert packed.startswith("M")
    assert packed.count("Z") == 1
    assert len(packed) < 10_000


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"masks": (("cavity", np.ones((6, 4), dtype=bool)),)}, "mask 'cavity'"),
        ({"masks": (("cavity", np.ones((4, 6))),)}, "mask 'cavity'"),
        ({"masks": (("cavity", np.zeros((4, 6), dtype=bool)),)}, "not empty"),
        ({"pixels": np.zeros((4, 6, 3))}, "pixels"),
        ({"pixels": np.zeros((0, 6))}, "pixels"),
        ({"window": (5, 5)}, "window"),
        ({"window": (0, np.inf)}, "window"),
        ({"spacing_mm": (0.1, 0.0)}, "spacing_mm"),
        ({"heatmap": np.zeros(7)}, "heatmap"),
        ({"heatmap_box": (3, 0, 3, 2)}, "heatmap_box"),
        ({"crop": (0, 2, 3, 1)}, "crop"),
        ({"crop": (0, 0, 7, 4)}, "crop must lie in"),
        ({"crop": (-1, 0, 6, 4)}, "crop must lie in"),
    ],
)
def test_what_cannot_be_shown_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pane(**changes)


def test_digest_follows_content_type_and_shape() -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(4, 6)
    others = [pixels.reshape(6, 4), pixels.astype(np.uint16), pixels + 1]
    assert len({content_digest(array) for array in [pixels, *others]}) == 4
    assert pane(pixels=pixels).digest == content_digest(pixels.copy())
    assert pane(digest=hashlib.sha256(b"").hexdigest()).digest.startswith("e3b0c442")


# ---- in a Streamlit script


def page() -> None:
    import numpy as np
    import streamlit as st

    from pages.ui.viewer import Pane, dragged_crop, viewer

    size, crop = st.session_state.get("size", 1100), st.session_state.get("crop", (0, 0, 50, 60))
    pixels = np.zeros((size, size), np.uint16)
    pixels[300, 300] = st.session_state.get("mark", 9)
    masks = (("cavity", pixels > 0),) if st.session_state.get("truth") else ()
    first = Pane("First", pixels, (0, 9), heatmap=st.session_state.get("heat", np.eye(3)), crop=crop, masks=masks)
    st.session_state["dragged"] = dragged_crop("v")
    st.session_state["state"] = viewer([first], key="v", crop_enabled=True)
    st.session_state["digest"] = first.digest


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_function(page, default_timeout=30).run()


def sent(app: AppTest) -> dict[str, Any]:
    """The data of the component as the browser gets it."""
    import json

    component = next(node for node in app.main if node.type == "bidi_component")
    data: dict[str, Any] = json.loads(component.proto.json)
    return data


def drag(app: AppTest, box: list[int], serial: int, image: str | None = None) -> AppTest:
    """What the browser reports at release."""
    app.session_state["v"] = {"crop": {"box": box, "serial": serial, "image": image or app.session_state["digest"]}}
    return app.run()


def test_only_addresses_and_numbers_are_sent(app: AppTest) -> None:
    assert not app.exception
    data = sent(app)
    assert len(str(data)) < 2000
    first = data["panes"][0]
    assert (first["width"], first["height"], first["bits"]) == (1100, 1100, 8)
    assert "/media/" in first["url"]
    assert first["heatmap"]["box"] == [0, 0, 1100, 1100]


def test_addresses_follow_content(app: AppTest) -> None:
    """Also where Streamlit's own sampled hash of files above 1 MiB does not see the difference."""
    before = sent(app)["panes"][0]
    app.session_state["heat"] = np.eye(4)
    after = sent(app.run())["panes"][0]
    assert after["url"] == before["url"]
    assert after["heatmap"]["url"] != before["heatmap"]["url"]
    app.session_state["mark"] = 8
    assert sent(app.run())["panes"][0]["url"] != before["url"]


def test_a_mask_is_a_file_of_its_own(app: AppTest) -> None:
    before = sent(app)["panes"][0]
    assert before["masks"] == []
    app.session_state["truth"] = True
    after = sent(app.run())["panes"][0]
    (mask,) = after["masks"]
    assert (mask["label"], mask["top"]) == ("cavity", [300.5, 300])
    assert "/media/" in mask["url"]
    assert after["url"] == before["url"]
    assert after["heatmap"] == before["heatmap"]


def test_the_latest_of_page_and_drag_decides(app: AppTest) -> None:
    assert app.session_state["state"].crop == (0, 0, 50, 60)
    drag(app, [1, 2, 30, 40], serial=1)
    assert app.session_state["dragged"] == (1, 2, 30, 40)
    assert app.session_state["state"].crop == (1, 2, 30, 40)
    app.run()  # the page still passes its old box, and the drag still counts
    assert app.session_state["dragged"] is None
    assert app.session_state["state"].crop == (1, 2, 30, 40)
    app.session_state["crop"] = (5, 5, 25, 25)
    app.run()
    assert app.session_state["state"].crop == (5, 5, 25, 25)
    assert sent(app)["crop"] == {"enabled": True, "pane": 0, "box": [5, 5, 25, 25], "serial": 1}


def test_another_image_takes_the_pages_box(app: AppTest) -> None:
    drag(app, [1, 2, 30, 40], serial=1)
    old = app.session_state["digest"]
    app.session_state["size"] = 900
    app.run()
    assert app.session_state["state"].crop == (0, 0, 50, 60)
    drag(app, [3, 3, 30, 40], serial=2, image=old)
    assert app.session_state["state"].crop == (0, 0, 50, 60)


def test_no_panes_is_an_error() -> None:
    from pages.ui.viewer import viewer

    with pytest.raises(ValueError, match="at least one pane"):
        viewer([], key="none")
