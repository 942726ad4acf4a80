"""What the header and the pixels tell without a network: wrong part of the body, blank, colour photograph, text."""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from cxrkit.decoded import SEVERAL_COLOURS
from cxrkit.image import Radiograph
from cxrkit.pixels import Gray, resize
from cxrkit.scan_views import view_in
from cxrkit.scan_words import words
from cxrkit.task import Reads

SMALLEST_SIDE = 64
MOST_ASPECT = 3.0
LEAST_RANGE = 0.02
"""Of the display range, 1st to 99th percentile: five of 256 gray levels."""
MOST_CLIPPED = 0.97
"""Share of pixels that are fully black or fully white."""

_PAGE_SIDE = 512
_PAGE_PLAIN = 0.6
"""Share of a page that is paper or background."""
_PAGE_THICK = 0.1
"""Share of what is on a page that may be thicker than a stroke."""
_STROKE = 0.04
"""Thickest stroke, as a share of the page's side."""

_FRONTAL = {"pa", "ap", "frontal", "decub", "decubitus", "decubito"}
"""Words of a view position beside which that of a lateral view tells nothing: "PA LAT" may be either, and a patient who
lies on the side is mostly seen from the front."""

# Defined terms of Modality (0008,0060) that are never a radiograph of a chest or hand.
MODALITIES = {
    "CT": "a CT image",
    "MR": "an MR image",
    "NM": "a nuclear medicine image",
    "PT": "a PET image",
    "US": "an ultrasound image",
    "MG": "a mammogram",
    "XA": "an angiogram",
    "IO": "a dental radiograph",
    "PX": "a panoramic dental radiograph",
    "ES": "an endoscopic image",
    "SM": "a microscopic image",
    "XC": "a photograph",
    "OP": "a photograph of an eye",
}
# Defined terms of Body Part Examined (PS3.16 annex L) that are far from both chest and hand. Others, and free
# text, are left to the network: stations often state a neighbouring or a default part.
FAR_PARTS = {
    "ABDOMEN", "ANKLE", "BREAST", "CALCANEUS", "COCCYX", "FEMUR", "FOOT", "HEAD", "HIP", "JAW", "KNEE", "LEG",
    "LSPINE", "ORBIT", "PELVIS", "SKULL", "TIBIA", "TOE", "ZYGOMA",
}  # fmt: skip
_CHEST_PARTS = {"CHEST", "LUNG", "HEART", "THORAX"}
HAND_PARTS = {"FINGER", "HAND", "WRIST", "THUMB"}
_OTHER_PARTS = {"frontal chest": FAR_PARTS | HAND_PARTS, "hand": FAR_PARTS | _CHEST_PARTS}


@dataclass(frozen=True)
class Problem:
    """Why an image is stopped before the network.

    Attributes:
        found: what the image is, in a few words.
        sentence: for the screen; it never quotes the header.
    """

    found: str
    sentence: str


def header_problem(header: Mapping[str, str], reads: Reads) -> Problem | None:
    """What the file's own header says against this kind of image; None if nothing.

    Args:
        header: of a Radiograph; terms of PS3.3 C.8.7.1.1 and C.7.3.1.
        reads: the kind that the task reads.
    """
    modality = header.get("Modality", "").upper()
    if modality in MODALITIES and reads in _OTHER_PARTS:
        what = MODALITIES[modality]
        return Problem(what, f"The file's header says that this is {what}; this task reads a {reads} radiograph.")
    turned = _turned(header.get("View position", ""))
    if reads == "frontal chest" and turned:
        return Problem(
            f"{turned} chest", f"The file's header says that this is a {turned} view; this task reads frontal ones."
        )
    if header.get("Body part", "").upper() in _OTHER_PARTS.get(reads, ()):
        return Problem(
            "other radiograph",
            f"The file's header names another part of the body than the one that this task reads ({reads}).",
        )
    return None


def _turned(position: str) -> str:
    """ "lateral" or "oblique" where a view position says so, defined term or words; else ""."""
    view = view_in(position) or ""
    if view.endswith("lateral"):
        return "lateral" if _FRONTAL.isdisjoint(words(position)) else ""
    return "oblique" if view.endswith("oblique") else ""


def pixel_problem(image: Radiograph, gray: Gray) -> Problem | None:
    """What the pixels plainly say against any radiograph; None if nothing.

    Args:
        image: what was uploaded.
        gray: the same through its window, [H, W] in [0, 1].
    """
    return shape_problem(*image.values.shape) or colour_problem(image) or _tone_problem(gray)


def shape_problem(height: int, width: int) -> Problem | None:
    """An image of this size that is too small or a strip; None if it is neither."""
    if min(height, width) < SMALLEST_SIDE:
        return Problem(
            "too small",
            f"The image is {width} × {height} pixels; a radiograph needs at least {SMALLEST_SIDE} a side to be read.",
        )
    if max(height, width) > MOST_ASPECT * min(height, width):
        return Problem(
            "a strip", f"The image is {width} × {height} pixels: a strip, not a whole radiograph. Export all of it."
        )
    return None


def colour_problem(image: Radiograph) -> Problem | None:
    """An image of several colours; None of a gray or tinted one."""
    if image.header.get("Colours") == SEVERAL_COLOURS:
        return Problem("a colour picture", "The image has several colours, as photographs and screenshots have.")
    return None


def _tone_problem(gray: Gray) -> Problem | None:
    step = -(-max(gray.shape) // _PAGE_SIDE)
    some = gray[::step, ::step]
    if float(np.subtract(*np.percentile(some, (99, 1)))) < LEAST_RANGE:
        return Problem("blank", "The image is blank or almost so: it shows hardly any shades of gray.")
    if float(np.mean((some <= 0) | (some >= 1))) > MOST_CLIPPED:
        return Problem(
            "black and white",
            "Nearly all pixels are fully black or fully white. Export the image with all its shades of gray.",
        )
    if is_page(gray):
        return Problem("a page", "The image looks like a page of text or a drawing: thin strokes on a plain ground.")
    return None


def is_page(gray: Gray) -> bool:
    """Whether most of an image [H, W] is one gray level and what lies on it is thin."""
    scale = min(1.0, _PAGE_SIDE / max(gray.shape))
    small = resize(gray, max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale)))
    low, high = (float(value) for value in np.percentile(small, (1, 99)))
    counts, edges = np.histogram(small, bins=64, range=(low, high))
    drawn = np.abs(small - (edges[counts.argmax()] + edges[counts.argmax() + 1]) / 2) > 0.06 * (high - low)
    if drawn.mean() > 1 - _PAGE_PLAIN:
        return False
    side = max(3, round(_STROKE * min(small.shape)))
    thick = cv2.morphologyEx(drawn.astype(np.uint8), cv2.MORPH_OPEN, np.ones((side, side), np.uint8))
    return bool(thick.sum() < _PAGE_THICK * drawn.sum())
