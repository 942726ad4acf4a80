"""The image viewer of every page: one canvas component, drawn and windowed in the browser.

What travels: pixels go once, as a content-addressed file that the browser fetches and keeps; of a large image first
its preview, as fine as the screen shows it, and the rest a moment later. A new heatmap or mask is another such file and
leaves the pixels alone; a rerun sends addresses and numbers only. Zoom, pan, window, opacity and the rest never leave
the browser. The crop box comes back when the pointer is released.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from pages.ui.viewer.files import describe, first_address
from pages.ui.viewer.pane import Box, Pane

__all__ = ["Pane", "ViewerState", "clear_mark", "dragged_crop", "viewer"]

_HERE = Path(__file__).parent
_SCRIPTS = (
    "colour.js",
    "files.js",
    "image.js",
    "truth.js",
    "legend.js",
    "geometry.js",
    "pane.js",
    "tools.js",
    "mark.js",
    "ruler_keys.js",
    "compare.js",
    "compare_bar.js",
    "toolbar.js",
    "comparing.js",
    "viewer.js",
)


@dataclass(frozen=True)
class ViewerState:
    """What the user last set in the viewer.

    Args:
        crop: (left, top, right, bottom) in image pixels, right and bottom exclusive, or None.
        mark: (pane from 0, x, y) in image pixels, where pixel (0, 0) reaches from 0 to 1; None while there is none, and
            without `mark_enabled`.
    """

    crop: Box | None
    mark: tuple[int, float, float] | None = None


def _joined(*names: str) -> str:
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)


_component = st.components.v2.component(
    "cxr_viewer",
    html='<div class="cxr-viewer"></div>',
    css=(_HERE / "viewer.css").read_text(encoding="utf-8"),
    js=_joined(*_SCRIPTS),
)
_ahead = st.components.v2.component("cxr_ahead", js=_joined("files.js", "ahead.js"), isolate_styles=False)


def viewer(
    panes: Sequence[Pane],
    *,
    key: str,
    crop_enabled: bool = False,
    mark_enabled: bool = False,
    height: int = 520,
    compare: bool = False,
) -> ViewerState:
    """Show one or several linked panes and return what the user set.

    The first pane decides when the view starts afresh: another digest there resets zoom, window and ruler.
    So put the unedited image first and its edited copy after it. The crop box lies on the first pane that has
    a `crop`, else on the first pane. The box follows whoever moved it last: a drag in the browser, or the page
    passing a `crop` that differs from the one it passed before.

    Args:
        panes: at least one, shown side by side, in a column where the page is narrow.
        key: unique in the app; the view is kept under it.
        crop_enabled: whether the crop tool and its box are there.
        mark_enabled: whether the user may mark one place on one of the images, and the tool for it is the chosen one.
        height: of each image in CSS pixels; less on narrow pages.
        compare: the two panes are baseline and follow-up, in this order. The toolbar then offers side by side,
            swipe and blink, Align where the second has `to_first`, and windows linked or not. All that stays in the
            browser. Crop boxes are shown and dragged side by side only.

    Raises:
        ValueError: no panes; `compare` with another number than two.
    """
    if not panes:
        raise ValueError("viewer needs at least one pane")
    if compare and len(panes) != 2:
        raise ValueError(f"compare needs two panes, baseline and follow-up, got {len(panes)}")
    memory = _memory(key)
    target = next((i for i, pane in enumerate(panes) if pane.crop is not None), 0)
    _settle_crop(memory, panes[target], _browser_state(key).get("crop"))
    _settle_mark(memory, panes, _browser_state(key).get("mark"))
    _component(
        key=key,
        data={
            "token": memory["token"],
            "panes": [describe(pane, f"{key}.{i}") for i, pane in enumerate(panes)],
            "crop": {"enabled": crop_enabled, "pane": target, "box": memory["crop"], "serial": memory["serial"]},
            "mark": {"enabled": mark_enabled, "at": memory["mark"], "serial": memory["mark_serial"]},
            "height": height,
            "compare": compare,
        },
        on_crop_change=_nothing,
        on_mark_change=_nothing,
    )
    marked = memory["mark"] if mark_enabled else None
    return ViewerState(
        memory["crop"] if crop_enabled else None,
        marked and (marked["pane"], marked["x"], marked["y"]),
    )


def clear_mark(key: str) -> None:
    """Take the user's mark off; only in a callback."""
    _memory(key)["mark"] = None


def send_ahead(images: Sequence[tuple[np.ndarray, str]], key: str) -> None:
    """Have the browser fetch images that `viewer` will show, while the network reads them; nothing is seen.

    Args:
        images: pixels [H, W] and digest of each pane, as in its Pane.
        key: of the viewer.
    """
    urls = [first_address(pixels, digest, f"{key}.{place}") for place, (pixels, digest) in enumerate(images)]
    with st.container(key=f"{key}.ahead"):
        _ahead(key=f"{key}.ahead.files", data={"urls": urls})


def dragged_crop(key: str) -> Box | None:
    """The box of a drag that `viewer` has not returned yet, so that number fields above it can be set first.

    Call it before the fields are made. None: no new drag since the last run.
    """
    sent = _browser_state(key).get("crop")
    memory = _memory(key)
    if not sent or sent["serial"] <= memory["serial"] or sent["image"] != memory["image"]:
        return None
    return _as_box(sent["box"])


def _nothing() -> None:
    """A state needs a callback to exist; the values are read from the component's result."""


def _memory(key: str) -> dict[str, Any]:
    """What was last agreed on under this key: kept while the session lives, also across a page switch."""
    start = {
        "token": secrets.token_hex(8),
        "crop": None,
        "passed": None,
        "image": None,
        "serial": 0,
        "mark": None,
        "marked_image": None,
        "mark_serial": 0,
    }
    memory: dict[str, Any] = st.session_state.setdefault(f"_viewer.{key}", start)
    return memory


def _browser_state(key: str) -> dict[str, Any]:
    return dict(st.session_state.get(key) or {})


def _settle_crop(memory: dict[str, Any], pane: Pane, sent: dict[str, Any] | None) -> None:
    """Let the latest of page and drag decide; a drag on another image does not count."""
    if pane.digest != memory["image"] or pane.crop != memory["passed"]:
        memory.update(crop=pane.crop, passed=pane.crop)
    if sent and sent["serial"] > memory["serial"]:
        memory["serial"] = sent["serial"]
        if sent["image"] == pane.digest:
            memory["crop"] = _as_box(sent["box"])
    memory["image"] = pane.digest


def _settle_mark(memory: dict[str, Any], panes: Sequence[Pane], sent: dict[str, Any] | None) -> None:
    """Keep the latest mark while its image is on the first pane; what a browser sends is checked."""
    digest = panes[0].digest
    if digest != memory["marked_image"]:
        memory.update(mark=None, marked_image=digest)
    if not sent or sent["serial"] <= memory["mark_serial"]:
        return
    memory["mark_serial"] = sent["serial"]
    if sent["image"] == digest and sent["at"]:
        number = min(max(int(sent["at"]["pane"]), 0), len(panes) - 1)
        height, width = panes[number].pixels.shape
        x, y = (min(max(float(sent["at"][axis]), 0.0), float(most)) for axis, most in (("x", width), ("y", height)))
        memory["mark"] = {"pane": number, "x": x, "y": y}


def _as_box(box: Sequence[float]) -> Box:
    left, top, right, bottom = (int(edge) for edge in box)
    return left, top, right, bottom
