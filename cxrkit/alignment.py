"""Find the shift, turn and enlargement under which two images correlate best; see cxrkit.registration."""

from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

from cxrkit.pixels import Gray, equalise, smooth

Mask = NDArray[np.bool_]
Matrix = NDArray[np.float64]

SIDE = 256
"""Longer side of the images that are compared."""
_COARSE, _MIDDLE = 48, 96
_SCALES = tuple(1.095**step for step in range(-3, 4))
_DEGREES = (-12.0, -6.0, 0.0, 6.0, 12.0)
_CANDIDATES = 4
_MOST_STEPS = 40
LEAST_OVERLAP = 0.5
"""Share of the first image."""

_KNOWN = 0.99
"""Share of a pixel that lies in the image."""

Pose = tuple[float, float, float, float]
"""a, b, right, down: (x, y) -> (a x - b y + right, b x + a y + down), from the middle of a square canvas, in shares of
its side. Goes from the first image to the second."""


@dataclass(frozen=True, eq=False)
class Level:
    """One image at one size, as it is compared: band-passed float32 [S, S], and the pixels where it is known."""

    values: Gray
    known: Mask


@dataclass(frozen=True)
class Fit:
    """How well two images correlate under a pose.

    Args:
        pose: from the first to the second.
        correlation: Pearson's over the overlap, -1 to 1.
        overlap: share of the first image that the second covers.
        settled: whether the search came to rest.
    """

    pose: Pose
    correlation: float
    overlap: float
    settled: bool


def levels(image: Gray) -> dict[int, Level]:
    """The image at the three sizes, after shrinking by a whole number to less than twice SIDE, and equalised."""
    factor = max(max(image.shape) // SIDE, 1)
    # In pixels of the shrunk image; the few rows and columns left over are cut off it, not off the measure.
    extent = image.shape[0] / factor, image.shape[1] / factor
    if factor > 1:
        rows, columns = (max(int(side), 1) for side in extent)
        whole = image[: rows * factor, : columns * factor]
        image = np.asarray(cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA), dtype=np.float32)
    equal = equalise(image)
    return {side: _level(equal, extent, side) for side in (_COARSE, _MIDDLE, SIDE)}


def search(first: dict[int, Level], second: dict[int, Level]) -> Fit:
    """The best pose, from coarse to fine."""
    starts = _coarse_search(first[_COARSE], second[_COARSE])
    fits = (_refine(first[_MIDDLE], second[_MIDDLE], start) for start in starts)
    middle = max(fits, key=lambda fit: fit.correlation)
    return _refine(first[SIDE], second[SIDE], middle.pose)


def _level(image: Gray, extent: tuple[float, float], side: int) -> Level:
    """An equalised image in the middle of a canvas of side x side, as it is compared."""
    rows, columns = extent
    shrink = max(extent) / side
    matrix = np.array([[shrink, 0, (columns - 1) / 2], [0, shrink, (rows - 1) / 2]])
    matrix[:, 2] -= shrink * (side - 1) / 2
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    source = smooth(image, 0.45 * shrink) if shrink > 1 else image
    drawn: Gray = np.asarray(
        cv2.warpAffine(source, matrix, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE), dtype=np.float32
    )
    known = cv2.warpAffine(np.ones(image.shape, np.float32), matrix, (side, side), flags=flags) > _KNOWN
    band = smooth(drawn, max(0.008 * side, 0.6)) - smooth(drawn, 0.08 * side)
    spread = np.sqrt(smooth(band * band, 0.16 * side))
    return Level(np.asarray(band / (spread + 0.02), dtype=np.float32), np.asarray(known, dtype=np.bool_))


def _matrix(pose: Pose, side: int) -> Matrix:
    """The pose between canvases of a side, in pixel coordinates."""
    a, b, right, down = pose
    middle = (side - 1) / 2
    turn = np.array([[a, -b], [b, a]])
    shift = np.array([right, down]) * side + middle - turn @ np.array([middle, middle])
    return np.column_stack([turn, shift])


def _moved(values: Gray, pose: Pose) -> Gray:
    side = values.shape[0]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(values, _matrix(pose, side), (side, side), flags=flags), dtype=np.float32)


def _warped(image: Level, pose: Pose) -> Level:
    known = _moved(image.known.astype(np.float32), pose) > _KNOWN
    return Level(_moved(image.values, pose), np.asarray(known, dtype=np.bool_))


def _coarse_search(first: Level, second: Level) -> list[Pose]:
    """The best poses out of the grid of scales and turns, each with its best shift."""
    side = first.values.shape[0]
    turns = [
        (scale * np.cos(np.radians(degrees)), scale * np.sin(np.radians(degrees)))
        for scale, degrees in product(_SCALES, _DEGREES)
    ]
    turned = [_warped(second, (a, b, 0.0, 0.0)) for a, b in turns]
    correlation = _correlate_all(first, turned)
    found = []
    for (a, b), map_of_shifts in zip(turns, correlation, strict=True):
        row, column = np.unravel_index(int(np.argmax(map_of_shifts)), map_of_shifts.shape)
        down, right = (((place + side) % (2 * side) - side) / side for place in (int(row), int(column)))
        # The shift found is that of the turned image; the pose shifts after turning.
        shift = -(a * right - b * down), -(b * right + a * down)
        found.append((float(map_of_shifts.max()), (a, b, *shift)))
    found.sort(key=lambda each: each[0], reverse=True)
    return [pose for _, pose in found[:_CANDIDATES]]


def _correlate_all(first: Level, others: list[Level]) -> NDArray[np.float32]:
    """Pearson's correlation over the overlap for every shift, [N, 2 side, 2 side]; -1 where the overlap is too small.

    Padfield, Masked object registration in the Fourier domain, IEEE Trans. Image Process. 21 (2012) 2706.
    """
    side = first.values.shape[0]
    size = (2 * side, 2 * side)

    def spectra(values: NDArray[np.float32], known: NDArray[np.float32]) -> tuple[NDArray[np.complex64], ...]:
        part = values * known
        return tuple(fft.rfft2(image, size) for image in (known, part, part * part))

    def sums(one: NDArray[np.complex64], other: NDArray[np.complex64]) -> NDArray[np.float32]:
        return np.asarray(fft.irfft2(one * np.conj(other), size), dtype=np.float32)

    known, values, squares = spectra(first.values, first.known.astype(np.float32))
    known_2, values_2, squares_2 = spectra(
        np.stack([other.values for other in others]), np.stack([other.known for other in others]).astype(np.float32)
    )
    count = np.maximum(sums(known, known_2), 1)
    sum_1, sum_2 = sums(values, known_2), sums(known, values_2)
    shared = sums(values, values_2) - sum_1 * sum_2 / count
    spread = (sums(squares, known_2) - sum_1**2 / count) * (sums(known, squares_2) - sum_2**2 / count)
    enough = count > LEAST_OVERLAP * first.known.sum()
    return np.where(enough, shared / np.sqrt(np.maximum(spread, 1e-6)), np.float32(-1))


def _refine(first: Level, second: Level, start: Pose) -> Fit:
    """Gauss-Newton on the squared difference of the normalised images, with steps halved until the fit improves."""
    side = first.values.shape[0]
    across, down = (cv2.Sobel(second.values, cv2.CV_32F, *axis, scale=side / 8) for axis in ((1, 0), (0, 1)))
    slopes = np.asarray(across, dtype=np.float32), np.asarray(down, dtype=np.float32)
    pose, best = np.array(start), _measure(first, second, start)
    if best.overlap < LEAST_OVERLAP / 2:
        return best
    for _ in range(_MOST_STEPS):
        step = _step(first, second, slopes, pose)
        improved = None
        for share in (1.0, 0.5, 0.25, 0.125):
            tried = _measure(first, second, _as_pose(pose + share * step))
            if tried.correlation > best.correlation:
                improved = tried
                break
        # At rest once no pixel moves by a fiftieth of its width any more.
        if improved is None or np.abs(np.subtract(improved.pose, pose)).max() * side < 0.02:
            last = improved or best
            return Fit(last.pose, last.correlation, last.overlap, settled=True)
        pose, best = np.array(improved.pose), improved
    return best


def _as_pose(values: NDArray[np.float64]) -> Pose:
    a, b, right, down = (float(value) for value in values)
    return a, b, right, down


def _measure(first: Level, second: Level, pose: Pose) -> Fit:
    moved = _warped(second, pose)
    both = first.known & moved.known
    overlap = float(both.sum() / max(first.known.sum(), 1))
    if overlap < LEAST_OVERLAP / 2:
        return Fit(pose, -1.0, overlap, settled=False)
    one, other = first.values[both], moved.values[both]
    one, other = one - one.mean(), other - other.mean()
    spread = float(np.sqrt((one @ one) * (other @ other)))
    return Fit(pose, float(one @ other) / spread if spread > 1e-6 else 0.0, overlap, settled=False)


def _step(first: Level, second: Level, slopes: tuple[Gray, Gray], pose: NDArray[np.float64]) -> NDArray[np.float64]:
    """The change of the pose that would make both images equal if they were linear in it."""
    moved = _warped(second, _as_pose(pose))
    both = first.known & moved.known
    across, down = (_moved(slope, _as_pose(pose)) for slope in slopes)
    side = first.values.shape[0]
    place = ((np.arange(side) - (side - 1) / 2) / side).astype(np.float32)
    x, y = place[None, :], place[:, None]
    ways = np.stack([each[both] for each in (across * x + down * y, down * x - across * y, across, down)], axis=1)
    one, other = first.values[both], moved.values[both]
    ways = ways - ways.mean(axis=0)
    one, other = one - one.mean(), other - other.mean()
    gain = float(one @ other) / max(float(one @ one), 1e-9)
    wanted = gain * one - other if gain > 0 else one - other
    normal = ways.T @ ways
    normal += np.eye(4, dtype=normal.dtype) * (1e-4 * np.trace(normal) + 1e-9)
    return np.asarray(np.linalg.solve(normal.astype(np.float64), (ways.T @ wanted).astype(np.float64)))
