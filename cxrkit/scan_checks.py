"""What header and pixels tell, without a network, against an image being a planar lung scan."""

from collections.abc import Mapping

import numpy as np

from cxrkit.image import Radiograph
from cxrkit.lung_scan import LEVEL, bright_ground, counts_of
from cxrkit.pixels import Gray
from cxrkit.plain_checks import FAR_PARTS, HAND_PARTS, MODALITIES, Problem, colour_problem, is_page, shape_problem
from cxrkit.scan_claim import OTHER, claim

LARGEST_SIDE = 1024
"""Of a gamma camera's matrix; lung scans have 64 to 512."""

FEWEST_COUNTS = 5_000
"""A lung scan has 100,000 or more."""

LUNG_SHARE = (0.01, 0.6)
"""Of the pixels that reach the level of the preparation: two lungs fill 0.05 to 0.4, a radiograph's body far more."""

_BRIGHTEST = 99.9
"""Percentile that stands for the maximum, so that a hot spot does not make the lungs look empty."""

_FAR_PARTS = FAR_PARTS | HAND_PARTS | {
    "BRAIN", "HEART", "KIDNEY", "LIVER", "NECK", "SPLEEN", "THYROID", "WHOLE BODY", "WHOLEBODY", "BONE", "SKELETON",
    "CAROTID", "BLADDER", "GALLBLADDER", "PROSTATE",
}  # fmt: skip
_SCAN_TYPES = {
    "DYNAMIC": "a dynamic series",
    "GATED": "a gated series",
    "WHOLE BODY": "a whole-body scan",
    "TOMO": "a tomographic acquisition",
    "GATED TOMO": "a gated tomographic acquisition",
    "RECON TOMO": "a reconstructed tomographic slice",
    "RECON GATED TOMO": "a reconstructed gated tomographic slice",
}


def scan_problem(image: Radiograph) -> Problem | None:
    """Why an image is no planar lung scan; None where nothing speaks against it.

    One lung alone passes: the preparation says so and aligns it by mutual information.
    """
    return scan_header_problem(image.header) or _size_problem(image) or colour_problem(image) or _counts_problem(image)


def upright_tones(image: Radiograph) -> Gray:
    """Values of a scan [H, W] through its brightest pixels' range, in [0, 1], dark ground; zero where there is none."""
    values = counts_of(image)
    bright = -values if bright_ground(values) else values
    low, high = float(bright.min()), float(np.percentile(bright, _BRIGHTEST))
    if high <= low:
        high = float(bright.max())
    if high <= low:
        return np.zeros_like(values)
    return np.asarray(np.clip((bright - low) / (high - low), 0, 1), dtype=np.float32)


def scan_header_problem(header: Mapping[str, str]) -> Problem | None:
    """What a header says against a planar lung scan; None if nothing. Its facts are named as a Radiograph's are."""
    modality = header.get("Modality", "").upper()
    if modality not in {"", "NM"}:
        what = MODALITIES.get(modality, "an image of another modality than nuclear medicine")
        return Problem(what, f"The file's header says that this is {what}; this task reads planar lung scans.")
    kind = _SCAN_TYPES.get(header.get("Scan type", ""))
    if kind is not None:
        return Problem(kind, f"The file's header says that this is {kind}; this task reads planar (static) lung scans.")
    other_words = claim(header.get("Series description", ""), header.get("Radiopharmaceutical", "")).reason == OTHER
    if header.get("Body part", "").upper() in _FAR_PARTS or other_words:
        return Problem(
            "a scan of another organ", "The file's header names another part of the body than the lung, which is read."
        )
    return None


def _size_problem(image: Radiograph) -> Problem | None:
    height, width = image.values.shape
    if max(height, width) > LARGEST_SIDE:
        return Problem(
            "too large",
            f"The image is {width} × {height} pixels; a lung scan has at most {LARGEST_SIDE} a side. Export the scan "
            "itself at its own size, one view alone.",
        )
    return shape_problem(height, width)


def _counts_problem(image: Radiograph) -> Problem | None:
    counts = counts_of(image)
    if counts.max() <= counts.min():
        return Problem("empty", "The image is empty: every pixel has the same value. Choose another scan.")
    if image.header.get("Modality", "").upper() == "NM" and counts.sum(dtype=np.float64) < FEWEST_COUNTS:
        return Problem(
            "hardly any counts",
            f"The image holds fewer than {FEWEST_COUNTS:,} counts, too few to show lungs. Choose another scan.",
        )
    tones = upright_tones(image)
    if is_page(tones):
        return Problem("a page", "The image looks like a page of text or a drawing: thin strokes on a plain ground.")
    share = float(np.mean(tones >= LEVEL / 255))
    if not LUNG_SHARE[0] <= share <= LUNG_SHARE[1]:
        found = "hardly anything stands out from the ground" if share < LUNG_SHARE[0] else "most of the image is bright"
        return Problem(
            "no counts of lungs", f"This does not look like counts of a lung scan: {found}. Choose another image."
        )
    return None
