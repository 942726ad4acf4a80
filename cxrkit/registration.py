"""Lay a follow-up radiograph over its baseline: shift, turn and enlarge, no more, and say how well that fits.

A preview for the eye and a check of whether two images can be compared at all; no network reads its result.

Pixel coordinates are (x, y), x to the right and y down, with the centre of the top left pixel at (0, 0).
"""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrkit.alignment import Fit, Pose, levels, search
from cxrkit.pixels import Gray, smooth

Mask = NDArray[np.bool_]
Matrix = NDArray[np.float64]

_SMALLEST_PIXELS = 16
_LEVELS = 257

LARGEST_RESIDUAL, LARGEST_ROUND_TRIP = 0.55, 0.04
LARGEST_SCALE, LARGEST_DEGREES, LEAST_OVERLAP = 1.25, 15.0, 0.7
"""Beyond any of these, nothing is said to fit. Four in five pairs of one patient's chests keep within all, a chest and
something else hardly ever: chosen on the pairs of the hannover set and 88 images that are no frontal chest."""


@dataclass(frozen=True, eq=False)
class Registration:
    """A similarity transform between two images and how well it fits.

    Args:
        matrix: float64 [2, 3], read-only: pixel coordinates of the baseline -> of the follow-up, both at full size.
        shift_share: where the middle of the baseline lies in the follow-up, (right, down) of that image's middle, in
            shares of the follow-up's longer side.
        rotation_degrees: of the follow-up against the baseline, positive is clockwise on the screen.
        scale: the patient's size in the follow-up over that in the baseline, each in shares of its image's longer side.
        residual: 1 - correlation (Pearson's, over the overlap) of the two images at SIDE pixels, each equalised,
            band-pass filtered (details of 1 to 8 % of the side) and divided by its local contrast; 0 (equal up to
            exposure) to 2, in practice 0.6 to 0.9 for unrelated images, because the best of all fits is taken.
        overlap: share of the baseline that the follow-up covers, 0 to 1.
        round_trip: how far a corner of the baseline at most comes back elsewhere when it goes to the follow-up by this
            transform and back by that of a second search with the images exchanged, in shares of the longer side.
        converged: whether the search came to rest at a fit within all of the bounds above. If not, the transform means
            nothing and must not be shown as a fit.
    """

    matrix: Matrix = field(repr=False)
    shift_share: tuple[float, float]
    rotation_degrees: float
    scale: float
    residual: float
    overlap: float
    round_trip: float
    converged: bool


def register(baseline: Gray, follow_up: Gray) -> Registration:
    """Find the similarity transform under which the follow-up correlates best with the baseline.

    All shifts with an overlap of half the image are tried at a fifth of SIDE, for scales of 0.76 to 1.31 and turns of
    up to 12 degrees; the best are refined by Gauss-Newton steps at growing size. Any two chests fit more or less: that
    it converges doesn't say that the patient is the same.

    Args:
        baseline, follow_up: float32 [H, W] in [0, 1], higher = brighter; of any sizes and exposures.
    """
    if min(*baseline.shape, *follow_up.shape) < _SMALLEST_PIXELS:
        nothing = Fit((1.0, 0.0, 0.0, 0.0), 0.0, 0.0, False)
        return _registration(nothing, nothing, baseline.shape, follow_up.shape)
    first, second = levels(baseline), levels(follow_up)
    return _registration(search(first, second), search(second, first), baseline.shape, follow_up.shape)


def warp(follow_up: Gray, registration: Registration, shape: tuple[int, int]) -> tuple[Gray, Mask]:
    """Bring the follow-up into the baseline's frame.

    Args:
        follow_up: float32 [H, W] as it was registered.
        shape: (rows, columns) of the baseline.

    Returns:
        float32 of that shape, 0 outside the follow-up; and the bool mask of where it is known.
    """
    size = (shape[1], shape[0])
    shrink = float(np.hypot(*registration.matrix[:, 0]))
    source = smooth(follow_up, 0.45 * shrink) if shrink > 1.5 else follow_up
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(source, registration.matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    known = cv2.warpAffine(
        np.ones(follow_up.shape, np.uint8), registration.matrix, size, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    )
    valid = np.asarray(known, dtype=np.bool_)
    return np.asarray(np.where(valid, moved, 0), dtype=np.float32), valid


def difference(baseline: Gray, warped: Gray, valid: Mask) -> Gray:
    """Follow-up - baseline after giving the follow-up the baseline's histogram, so that exposure doesn't show.

    Args:
        baseline: float32 [H, W] in [0, 1].
        warped, valid: from `warp`.

    Returns:
        float32 [H, W] in [-1, 1], positive where the follow-up is brighter; 0 where it isn't known.
    """
    signed = np.zeros(baseline.shape, dtype=np.float32)
    if valid.any():
        shares = np.linspace(0, 1, _LEVELS)
        to, start = (np.quantile(image[valid], shares) for image in (baseline, warped))
        levels, first = np.unique(start, return_index=True)
        last = _LEVELS - 1 - np.unique(start[::-1], return_index=True)[1]
        # A gray value that many pixels share goes to the middle of the range that they had to fill.
        matched = np.interp(warped[valid], levels, (to[first] + to[last]) / 2)
        signed[valid] = np.clip(matched - baseline[valid], -1, 1)
    return signed


def _round_trip(there: Pose, back: Pose) -> float:
    """How far the canvas's corners come back elsewhere, in shares of its side."""
    corners = np.array([complex(x, y) for x in (-0.5, 0.5) for y in (-0.5, 0.5)])
    moved = corners
    for a, b, right, down in (there, back):
        moved = moved * complex(a, b) + complex(right, down)
    return float(np.abs(moved - corners).max())


def _registration(fit: Fit, back: Fit, shape: tuple[int, ...], other: tuple[int, ...]) -> Registration:
    """From shares of the sides to pixels of both images."""
    a, b, right, down = fit.pose
    longer = max(other)
    turn = np.array([[a, -b], [b, a]]) * (longer / max(shape))
    middle, other_middle = ((np.array(each[::-1]) - 1) / 2 for each in (shape, other))
    matrix = np.column_stack([turn, other_middle + longer * np.array([right, down]) - turn @ middle])
    matrix.flags.writeable = False
    scale, degrees = float(np.hypot(a, b)), float(np.degrees(np.arctan2(b, a)))
    plausible = 1 / LARGEST_SCALE <= scale <= LARGEST_SCALE and abs(degrees) <= LARGEST_DEGREES
    residual, trip = max(0.0, 1 - fit.correlation), _round_trip(fit.pose, back.pose)
    fits = plausible and residual <= LARGEST_RESIDUAL and trip <= LARGEST_ROUND_TRIP
    return Registration(
        matrix=matrix,
        shift_share=(right, down),
        rotation_degrees=degrees,
        scale=scale,
        residual=residual,
        overlap=fit.overlap,
        round_trip=trip,
        converged=fit.settled and back.settled and fits and fit.overlap >= LEAST_OVERLAP,
    )
