"""Bring the lungs of a planar lung scan to the middle (methods section 4), step by step, so that a page can show it.

Resample to 224; min-max to 0-255; binary at 30 or above; the two largest components are the lungs; the midpoint of
their centroids goes to the image's centre, with zero padding. Where two lungs are not found: the translation with the
highest normalised mutual information with the mean of the training images.

Where the source is silent, these are our choices:

- an image that is not square is padded to one first, evenly, at its lowest value: its pixels stay square;
- nothing is smoothed; components are connected over eight neighbours, and their centroids are those of their area;
- the two largest components count as lungs if each fills at least SMALLEST_LUNG of the image and they lie side by side:
  the lower of them has at least half of its height in rows of the other, and the centroids are further apart across
  than down. The lung at the left of the image comes first: in an anterior view it is the patient's right one;
- translations are whole pixels, so that no count is interpolated;
- normalised mutual information is (H(A) + H(B)) / H(A, B) (Studholme et al. 1999), over all pixels of the 224 x 224, in
  BINS bins of equal width; translations up to REACH pixels each way are tried, every fourth one on images shrunk to a
  quarter, then every one within 3 pixels of the best; of equal ones the shortest is taken.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from cxrkit.card import WEIGHTS
from cxrkit.errors import WeightsError
from cxrkit.pixels import Box, Gray, resize

if TYPE_CHECKING:
    from cxrkit.image import Radiograph

Mask = NDArray[np.bool_]
Bins = NDArray[np.int64]
_Pixel = TypeVar("_Pixel", np.float32, np.int32)
Point = tuple[float, float]
"""(x, y) in pixels of the 224 x 224, pixel centres at whole numbers."""

SIZE = 224
LEVEL = 30
"""From here on, of 0 to 255, a pixel counts as lung."""

SMALLEST_LUNG = 0.01
"""Share of the image; a lung of an adult fills about 0.05."""

REACH = 56
BINS = 32
_COARSE = 4

_APEX = 0.4
"""A lung begins at the first row that is as wide as this share of its widest: a windpipe joined to it is thinner."""

_RING = 0.04
"""Width of the image's rim, as a share of its shorter side, that tells whether the ground is bright."""

MEAN_IMAGE = WEIGHTS / "vq" / "mean_image.png"
TRAIN_COMMAND = "python -m train.vq weights"

Method = Literal["two lungs", "mutual information"]


@dataclass(frozen=True, eq=False)
class Aligned:
    """Every step on the way to the aligned image. All arrays are [224, 224].

    Attributes:
        resampled: float32, the padded and resampled image, 0 to 255.
        binary: bool, where `resampled` is at least LEVEL.
        components: int32, 0 = ground, 1 = the largest component of `binary`, 2 = the next ...
        centroids: of the lung at the image's left and of that at its right; None where two lungs were not found.
        midpoint: of the two; None as for `centroids`.
        shift: (right, down), by how many pixels `resampled` was moved.
        method: how the shift was found.
        information: normalised mutual information at the shift, 1 to 2; None unless it decided.
        image: float32, `resampled` after the shift, 0 where nothing came to lie.
        top: row of `image` where the lungs begin; what is above is neck.
    """

    resampled: Gray
    binary: Mask
    components: NDArray[np.int32]
    centroids: tuple[Point, Point] | None
    midpoint: Point | None
    shift: tuple[int, int]
    method: Method
    information: float | None
    image: Gray
    top: int


def align(image: Gray, mean: Gray | None = None) -> Aligned:
    """Align an anterior lung scan.

    Args:
        image: [H, W], counts or gray values, lungs brighter than the ground.
        mean: [224, 224] in 0 to 255, the mean of aligned training images, for images without two lungs; None = the
            one beside the weights, which is read only if it is needed.

    Raises:
        WeightsError: it is needed and missing.
    """
    resampled = _stretched(resize(padded(image)[0], SIZE, SIZE))
    binary = resampled >= LEVEL
    components, stats, centres = _components(binary)
    lungs = _two_lungs(stats, centres)
    if lungs is not None:
        first, second = lungs
        midpoint = ((centres[first][0] + centres[second][0]) / 2, (centres[first][1] + centres[second][1]) / 2)
        shift = (round((SIZE - 1) / 2 - midpoint[0]), round((SIZE - 1) / 2 - midpoint[1]))
        top = min(_first_row(components == label + 1) for label in lungs) + shift[1]
        centroids = (centres[first], centres[second])
        return Aligned(
            resampled, binary, components, centroids, midpoint, shift, "two lungs", None, moved(resampled, shift), top
        )
    pattern = mean_image() if mean is None else mean
    shift, information = _best_shift(resampled, pattern)
    top = _first_row(pattern >= LEVEL)
    aligned = moved(resampled, shift)
    return Aligned(resampled, binary, components, None, None, shift, "mutual information", information, aligned, top)


def above_the_lungs(aligned: Aligned) -> Mask:
    """Bool [224, 224] over the aligned image: the rows above both lungs, where airways and throat lie."""
    mask = np.zeros((SIZE, SIZE), dtype=np.bool_)
    mask[: max(aligned.top, 0)] = True
    return mask


def mask_neck(aligned: Aligned) -> Gray:
    """The aligned image with nothing above the lungs, for a second opinion."""
    return np.where(above_the_lungs(aligned), np.float32(0), aligned.image)


def heat_above(aligned: Aligned, values: Gray, rows: tuple[float, float]) -> float | None:
    """Share of a map's total that lies above the lungs.

    Args:
        aligned: the image that was explained.
        values: [h, w], not negative, any scale.
        rows: upper and lower edge of the map in rows of the aligned image.

    Returns:
        In [0, 1]; None for a map without heat.
    """
    total = float(values.sum(dtype=np.float64))
    if total <= 0:
        return None
    middles = rows[0] + (np.arange(len(values)) + 0.5) * (rows[1] - rows[0]) / len(values)
    return float(values[middles < aligned.top].sum(dtype=np.float64)) / total


def mean_image() -> Gray:
    """Mean of the aligned training images, float32 [224, 224] in 0 to 255; do not modify.

    Raises:
        WeightsError: it is missing or of another size.
    """
    if not MEAN_IMAGE.is_file():
        raise WeightsError(
            f"The mean image of lung scans is missing ({MEAN_IMAGE.name}). It comes with the weights; make them with: "
            f"{TRAIN_COMMAND}"
        )
    return _read(MEAN_IMAGE, MEAN_IMAGE.stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _read(path: Path, _changed: int) -> Gray:
    found = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if found is None or found.shape != (SIZE, SIZE):
        raise WeightsError(f"The mean image of lung scans is damaged. Make it again with: {TRAIN_COMMAND}")
    image = found.astype(np.float32)
    image.flags.writeable = False
    return image


def counts_of(image: "Radiograph") -> Gray:
    """Values of a scan, float32 [H, W], padding at the lowest of the others. Not to be modified."""
    if image.valid is None:
        return image.values
    return np.where(image.valid, image.values, image.values[image.valid].min())


def bright_ground(image: Gray) -> bool:
    """Whether counts are dark in a gray image [H, W]: most of its rim is in the brighter half of its range."""
    width = max(1, round(_RING * min(image.shape)))
    strips = (image[:width], image[-width:], image[:, :width], image[:, -width:])
    rim = np.concatenate([strip.ravel() for strip in strips])
    return bool(np.median(rim) > (float(image.min()) + float(image.max())) / 2)


def padded(image: Gray) -> tuple[Gray, tuple[int, int]]:
    """[H, W] padded to a square at its lowest value, and the columns and rows that were put at its left and top."""
    height, width = image.shape
    side = max(height, width)
    left, top = (side - width) // 2, (side - height) // 2
    around = ((top, side - height - top), (left, side - width - left))
    return np.pad(image, around, constant_values=image.min()), (left, top)


def moved(image: NDArray[_Pixel], shift: tuple[int, int]) -> NDArray[_Pixel]:
    """The image [H, W] moved by (right, down) whole pixels; zeros come in."""
    right, down = shift
    height, width = image.shape
    result = np.zeros_like(image)
    result[max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)] = image[
        max(-down, 0) : height - max(down, 0), max(-right, 0) : width - max(right, 0)
    ]
    return result


def _stretched(image: Gray) -> Gray:
    low, high = float(image.min()), float(image.max())
    return (image - np.float32(low)) * np.float32(255 / (high - low)) if high > low else np.zeros_like(image)


def _components(binary: Mask) -> tuple[NDArray[np.int32], list[tuple[Box, int]], list[Point]]:
    """Labels with the largest component as 1, and box and area, and centroid of each component in that order."""
    count, labels, stats, centres = cv2.connectedComponentsWithStats(binary.astype(np.uint8), connectivity=8)
    order = 1 + np.argsort(-stats[1:, cv2.CC_STAT_AREA], kind="stable")
    rank = np.zeros(count, dtype=np.int32)
    rank[order] = np.arange(1, count)
    found = []
    for left, top, width, height, area in stats[order].tolist():
        found.append(((left, top, left + width, top + height), area))
    return rank[labels], found, [(float(x), float(y)) for x, y in centres[order]]


def _two_lungs(stats: list[tuple[Box, int]], centres: list[Point]) -> tuple[int, int] | None:
    """Indices of the lung at the left and of that at the right; None unless the two largest components are lungs."""
    if len(stats) < 2 or stats[1][1] < SMALLEST_LUNG * SIZE**2:
        return None
    (_, top0, _, bottom0), (_, top1, _, bottom1) = stats[0][0], stats[1][0]
    shared = min(bottom0, bottom1) - max(top0, top1)
    across, down = (abs(centres[0][axis] - centres[1][axis]) for axis in (0, 1))
    if shared < 0.5 * min(bottom0 - top0, bottom1 - top1) or across <= down:
        return None
    return (0, 1) if centres[0][0] < centres[1][0] else (1, 0)


def _first_row(mask: Mask) -> int:
    """First row that is as wide as _APEX of the widest; 0 for an empty mask."""
    widths = mask.sum(axis=1)
    return int(np.argmax(widths >= _APEX * widths.max()))


def _best_shift(image: Gray, mean: Gray) -> tuple[tuple[int, int], float]:
    small = SIZE // _COARSE
    steps = range(-REACH // _COARSE, REACH // _COARSE + 1)
    (right, down), _ = _most_informative(
        resize(image, small, small), resize(mean, small, small), [(x, y) for x in steps for y in steps]
    )
    near = range(1 - _COARSE, _COARSE)
    around = [(right * _COARSE + x, down * _COARSE + y) for x in near for y in near]
    return _most_informative(image, mean, around)


def _most_informative(image: Gray, mean: Gray, shifts: list[tuple[int, int]]) -> tuple[tuple[int, int], float]:
    """Of the best shifts the nearest one, and the information there."""
    nearest = sorted(shifts, key=lambda shift: (shift[0] ** 2 + shift[1] ** 2, shift))
    information = normalised_mutual_information(joint_counts(_binned(image), _binned(mean), nearest))
    best = int(information.argmax())
    return nearest[best], float(information[best])


def _binned(image: Gray) -> Bins:
    return np.asarray(np.minimum(image * (BINS / 255), BINS - 1), dtype=np.int64)


def joint_counts(first: Bins, second: Bins, shifts: list[tuple[int, int]]) -> Bins:
    """How many pixels have each pair of bins, [K, BINS, BINS], at each of K shifts (right, down) of the first image.

    Args:
        first, second: [H, W], bin numbers below BINS; zeros come in where the first one moves.
        shifts: in whole pixels.
    """
    reach = max(abs(way) for shift in shifts for way in shift)
    at_shift = sliding_window_view(np.pad(first * BINS, reach), first.shape)
    pairs = ((at_shift[reach - down, reach - right] + second).ravel() for right, down in shifts)
    return np.stack([np.bincount(pair, minlength=BINS**2) for pair in pairs]).reshape(-1, BINS, BINS)


def normalised_mutual_information(joint: Bins) -> NDArray[np.float64]:
    """(H(A) + H(B)) / H(A, B), 1 to 2, of counts [K, BINS, BINS] -> [K]; 1 where neither image has any information."""
    apart = _entropy(joint.sum(axis=2)) + _entropy(joint.sum(axis=1))
    both = _entropy(joint.reshape(len(joint), -1))
    return np.divide(apart, both, out=np.ones_like(both), where=both > 1e-9)


def _entropy(counts: Bins) -> NDArray[np.float64]:
    """[K, N] counts, of as many pixels in each row -> [K]."""
    pixels = int(counts[0].sum())
    numbers = np.arange(pixels + 1)
    products = numbers * np.log(np.maximum(numbers, 1))  # looked up: few numbers, and each many times
    return np.asarray(np.log(pixels) - products[counts].sum(axis=1) / pixels)
