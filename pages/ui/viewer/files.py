"""The files that a browser fetches for the viewer: packed once, under addresses that tell nothing."""

import secrets
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit import runtime

from pages.ui.viewer.outline import pack_outlines
from pages.ui.viewer.packing import PackedPixels, pack_heatmap, pack_pixels
from pages.ui.viewer.pane import Pane, content_digest, for_canvas

# Part of every file's address: who holds an image can't work out where another session's copy lies.
_SALT = secrets.token_hex(16)


@st.cache_resource(scope="session", max_entries=8, ttl=3600, show_spinner=False)
def _packed(digest: str, _pixels: Any) -> PackedPixels:
    """Packed once for all reruns of a session; Streamlit's own hashing samples large arrays, the digest doesn't."""
    return pack_pixels(_pixels)


@st.cache_resource(scope="session", max_entries=16, ttl=3600, show_spinner=False)
def _outlined(digest: str, _mask: Any) -> bytes:
    return pack_outlines(_mask)


def _pack(pixels: Any, digest: str) -> PackedPixels:
    height, width = pixels.shape
    return _packed(f"{digest}.{pixels.dtype.str}.{width}x{height}", pixels)


def first_address(pixels: NDArray[Any], digest: str, place: str) -> str:
    """Where the browser finds what it shows of an image first: its preview, or the whole of a small one.

    Args:
        pixels, digest: of the pane.
        place: key of its viewer and number of the pane.
    """
    packed = _pack(pixels, digest)
    return _preview_address(packed, digest, place) or _whole_address(packed, digest, place)


def _whole_address(packed: PackedPixels, digest: str, place: str) -> str:
    return _address(packed.data, f"{digest}.{packed.bits}", f"{place}.pixels")


def _preview_address(packed: PackedPixels, digest: str, place: str) -> str:
    """Empty where there is no preview."""
    if packed.side == 1:
        return ""
    return _address(packed.preview, f"{digest}.{packed.bits}.{packed.side}", f"{place}.preview")


def describe(pane: Pane, place: str) -> dict[str, Any]:
    """A pane as viewer.js reads it.

    Args:
        pane: to show.
        place: key of its viewer and number of the pane.
    """
    height, width = pane.pixels.shape
    packed = _pack(pane.pixels, pane.digest)
    preview = _preview_address(packed, pane.digest, place)
    described: dict[str, Any] = {
        "title": pane.title,
        "image": pane.digest,
        "url": _whole_address(packed, pane.digest, place),
        "preview": {"url": preview, "side": packed.side} if preview else None,
        "width": width,
        "height": height,
        "bits": packed.bits,
        "slope": packed.slope,
        "intercept": packed.intercept,
        "window": [float(edge) for edge in pane.window],
        "step": float(pane.window_step),
        "spacing": None if pane.spacing_mm is None else [float(s) for s in pane.spacing_mm],
        "to_first": None if pane.to_first is None else for_canvas(pane.to_first),
        "heatmap": None,
        "mark": None if pane.mark is None else dict(zip("xy", map(float, pane.mark), strict=True)),
        "masks": [_describe_mask(*mask, f"{place}.mask{i}") for i, mask in enumerate(pane.masks)],
    }
    if pane.heatmap is not None:
        data = pack_heatmap(pane.heatmap, pane.heatmap_signed)
        digest = f"{content_digest(pane.heatmap)}{'.signed' if pane.heatmap_signed else ''}"
        described["heatmap"] = {
            "url": _address(data, digest, f"{place}.heatmap"),
            "signed": pane.heatmap_signed,
            "width": pane.heatmap.shape[1],
            "height": pane.heatmap.shape[0],
            "box": [float(edge) for edge in pane.placed_box],
            "label": pane.heatmap_label,
        }
    return described


def _describe_mask(label: str, mask: Any, place: str) -> dict[str, Any]:
    digest, row = content_digest(mask), int(mask.any(axis=1).argmax())
    top = [float(np.nonzero(mask[row])[0].mean()) + 0.5, float(row)]
    return {"label": label, "top": top, "url": _address(_outlined(digest, mask), f"{digest}.outline", place)}


def _address(data: bytes, digest: str, place: str) -> str:
    """Put bytes where this session's browser can fetch them and return the address.

    Streamlit names files above 1 MiB by a sample of their bytes, so two images could share an address: the
    digest in the file name, which it hashes too, keeps them apart.
    """
    if not runtime.exists():
        return ""
    files = runtime.get_instance().media_file_mgr
    url: str = files.add(data, "application/octet-stream", place, file_name=f"{_SALT}.{digest}")
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}{url}" if base else url
