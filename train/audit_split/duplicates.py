"""Which images are copies of one another: a perceptual hash proposes pairs, the correlation of fine detail decides.

Found are copies that were saved anew, resized, squashed, brightened, inverted, mirrored, turned by a few degrees,
cropped or padded by some 5 % on each side (more is found less often), or several of these. Another image of a patient
is no copy.
One weakness is known: two small, faint images in wide black frames can agree by the frames alone.

The hash is the sign of the low frequencies of the discrete cosine transform (C. Zauner, Implementation and benchmarking
of perceptual image hash functions, 2010), here 255 of them because radiographs of one kind look alike. A proposed pair
is aligned (G. Evangelidis and E. Psarakis, IEEE TPAMI 30, 1858, 2008).
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from tqdm import tqdm

from cxrkit.pixels import Box, Gray, resize, smooth

SIDE = 64
"""Of the small copy that everything here looks at; its frame is the whole image, whatever its shape."""

NEAR = 72
"""A pair is looked at from this many differing bits of 255; two unrelated images differ in about 120."""

SURE = 40
"""All pairs up to this distance are looked at; of those farther apart only each image's NEAREST."""

NEAREST = 8

ALIKE = 0.905
"""Correlation of aligned detail from which two images are copies.

**Choice**: between changed copies of real images and other images of the same kind; every audit reports how alike the
most alike pair below it is, and how many images known to be copies reach it.
"""

RESEMBLING = 0.8
"""Correlation from which two chests that are no copies are probably of one patient; hands of two patients reach it."""

Small = NDArray[np.uint8]
"""[SIDE, SIDE], stretched to 0 to 255."""

_TERMS = 16
BITS = _TERMS * _TERMS - 1
_STEP = 5  # pixels cut off a side in a view: 8 %
_BLOCK = 1000
_PLAIN_BOX: Box = (0, 0, SIDE, SIDE)
_LEAST_OVERLAP = 0.4
_EVERYWHERE = np.ones((SIDE, SIDE), np.uint8)


@dataclass(frozen=True)
class Look:
    """How image a has to be seen to look like the whole of image b."""

    box: Box = _PLAIN_BOX
    mirrored: bool = False
    inverted: bool = False


@dataclass(frozen=True)
class Pair:
    """Two images that were compared.

    Attributes:
        first, second: positions, first < second.
        distance: of the hashes, in bits of 255.
        correlation: of aligned detail, up to 1.
        look: how one has to be seen to look like the other.
    """

    first: int
    second: int
    distance: int
    correlation: float
    look: Look


def looks() -> list[Look]:
    """Every way that is tried: a strip cut off any of the four sides or not; and mirrored, inverted or both."""
    boxes = [
        (left, top, SIDE - right, SIDE - bottom) for left, top, right, bottom in itertools.product((0, _STEP), repeat=4)
    ]
    turned = [Look(mirrored=True), Look(inverted=True), Look(mirrored=True, inverted=True)]
    return [*(Look(box) for box in boxes), *turned]


def small_copy(image: Gray) -> Small:
    """Squash [H, W] to [SIDE, SIDE] and stretch its gray values to 0 to 255."""
    small = resize(image, SIDE, SIDE)
    low, high = float(small.min()), float(small.max())
    return np.asarray(np.round((small - low) * (255 / max(high - low, 1e-6))), dtype=np.uint8)


def seen(small: Small, look: Look) -> NDArray[np.float32]:
    """A small copy in a look, before its box is cut out: [SIDE, SIDE], 0 to 255."""
    turned = small[:, ::-1] if look.mirrored else small
    values = turned.astype(np.float32)
    return np.ascontiguousarray(255 - values if look.inverted else values)


def hash_bits(smalls: Sequence[Small] | NDArray[np.uint8], look: Look) -> NDArray[np.float32]:
    """Perceptual hashes [N, 255] of N small copies seen in a look; each bit is -1 or 1."""
    left, top, right, bottom = look.box
    bits = np.empty((len(smalls), BITS), dtype=np.float32)
    for index, small in enumerate(smalls):
        view = resize(seen(small, look)[top:bottom, left:right], SIDE, SIDE)
        bits[index] = cv2.dct(view)[:_TERMS, :_TERMS].ravel()[1:]
    return np.where(bits > 0, np.float32(1), np.float32(-1))


def propose(smalls: NDArray[np.uint8]) -> Iterator[tuple[int, int, int, Look]]:
    """Pairs worth a closer look.

    Args:
        smalls: [N, SIDE, SIDE].

    Yields:
        a, b, distance, look: a in this look is like the whole of b. Each pair comes once, in its closest look.
    """
    whole = hash_bits(smalls, Look())
    ways = looks()
    parts: list[NDArray[np.int64]] = []
    for number, look in enumerate(tqdm(ways, desc="hashes", unit="look")):
        bits = whole if number == 0 else hash_bits(smalls, look)
        for start in range(0, len(smalls), _BLOCK):
            # Bits that agree less bits that differ; whole numbers far below float32's limit, so exact.
            agreement = (bits[start : start + _BLOCK] @ whole.T).ravel()
            near = np.flatnonzero(agreement >= BITS - 2 * NEAR)
            a, b = near // len(smalls) + start, near % len(smalls)
            distance = ((BITS - agreement[near]) / 2).astype(np.int64)
            parts.append(np.stack([a, b, distance, np.full(a.size, number)], axis=1)[a != b])
    for a, b, gap, number in _closest(np.concatenate(parts), len(smalls)).tolist():
        yield a, b, gap, ways[number]


def _closest(found: NDArray[np.int64], images: int) -> NDArray[np.int64]:
    """Of rows (a, b, distance, look) each pair's closest; of those, the sure ones and each image's NEAREST."""
    found = found[np.argsort(found[:, 2], kind="stable")]
    key = found[:, :2].min(1) * images + found[:, :2].max(1)
    found = found[np.sort(np.unique(key, return_index=True)[1])]
    ends = found[:, :2].ravel()
    order = np.argsort(ends, kind="stable")
    grouped = ends[order]
    rank = np.empty(ends.size, dtype=np.int64)
    rank[order] = np.arange(ends.size) - np.searchsorted(grouped, grouped)
    near = (rank.reshape(-1, 2) < NEAREST).any(axis=1)
    return found[near | (found[:, 2] <= SURE)]


def likeness(a: Small, b: Small, look: Look) -> float:
    """Correlation of the fine detail of a, seen in a look, with that of b where they overlap; -1 to 1."""
    fixed, moving = seen(a, look), b.astype(np.float32)
    left, top, right, bottom = look.box
    across, down = SIDE / (right - left), SIDE / (bottom - top)
    start = np.array([[across, 0, -left * across], [0, down, -top * down]], dtype=np.float32)
    best = _correlation(fixed, moving, start)
    if best >= ALIKE:
        return best
    try:
        aligned = start
        for blur in (9, 1):  # coarse, then fine
            criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_COUNT, 60, 1e-4)
            _, warp = cv2.findTransformECC(fixed, moving, aligned, cv2.MOTION_AFFINE, criteria, _EVERYWHERE, blur)
            aligned = np.asarray(warp, dtype=np.float32)
    except cv2.error:  # it does not converge: these two have little in common
        return best
    return max(best, _correlation(fixed, moving, aligned))


def _correlation(fixed: NDArray[np.float32], moving: NDArray[np.float32], warp: NDArray[np.float32]) -> float:
    """Pearson's r of detail where both images lie, a border apart that the warp's edge would enter.

    Always the image with more pixels of the shared region is moved: enlarging the other would make up detail.
    """
    if np.linalg.det(warp[:, :2]) < 1:
        fixed, moving, warp = moving, fixed, np.asarray(cv2.invertAffineTransform(warp), dtype=np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = np.asarray(cv2.warpAffine(moving, warp, (SIDE, SIDE), flags=flags), dtype=np.float32)
    inside = cv2.warpAffine(np.ones_like(moving), warp, (SIDE, SIDE), flags=flags) > 0.99
    frame = np.pad(inside[1:-1, 1:-1].astype(np.uint8), 1)
    both = cv2.erode(frame, np.ones((5, 5), np.uint8)) > 0
    if both.mean() < _LEAST_OVERLAP:
        return 0.0
    first, second = _detail(fixed)[both], _detail(moved)[both]
    first, second = first - first.mean(), second - second.mean()
    length = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / length if length > 0 else 0.0


def _detail(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Structures of one to three pixels, of about even strength everywhere: what differs between two patients."""
    band = smooth(image, 0.6) - smooth(image, 1.5)
    local = np.sqrt(smooth(band * band, 3.0))
    return np.asarray(band / (local + 0.5 * band.std() + 1e-6), dtype=np.float32)


def compare(smalls: NDArray[np.uint8], digests: Sequence[str]) -> list[Pair]:
    """All pairs among N images that are worth a look, with their correlation; see `copies_among`.

    Args:
        smalls: [N, SIDE, SIDE].
        digests: [N] of the decoded pixels: equal ones are copies at once.

    Returns:
        Pairs in the order of their positions.
    """
    pairs = []
    for a, b, gap, look in tqdm(list(propose(smalls)), desc="pairs", unit="pair"):
        value = 1.0 if digests[a] == digests[b] else likeness(smalls[a], smalls[b], look)
        pairs.append(Pair(min(a, b), max(a, b), gap, value, look))
    return sorted(pairs, key=lambda pair: (pair.first, pair.second))


def resembling_among(compared: Sequence[Pair]) -> list[Pair]:
    """Pairs that are no copies but more alike than two chests of two patients mostly are."""
    return [pair for pair in compared if RESEMBLING <= pair.correlation < ALIKE]


def copies_among(compared: Sequence[Pair]) -> list[Pair]:
    """Pairs that are alike enough to be copies."""
    return [pair for pair in compared if pair.correlation >= ALIKE]


def groups_of(links: Sequence[tuple[int, int]], images: int) -> NDArray[np.int64]:
    """[N] number of each image's group, where links (directly or through others) join two images to one group."""
    joined = np.asarray(links, dtype=np.int64).reshape(-1, 2)
    graph = coo_matrix((np.ones(len(joined)), (joined[:, 0], joined[:, 1])), shape=(images, images))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)
