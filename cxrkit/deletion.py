"""The deletion test of a heatmap: does the score fall when the pixels that it marks are taken away?

Petsiuk et al. 2018 (RISE, BMVC), section 4.2: pixels are removed in the order of the map, and the area under the curve
of the score over the share removed is small where the map names what the score rests on. An image with holes is unlike
any that the network was trained on, so part of a fall may be the holes and not what was in them: hence the same with
pixels in random order beside it.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from cxrkit.pixels import Gray, resize

Score = Callable[[NDArray[np.float32]], NDArray[np.float64]]
"""Images [N, S, S] -> scores [N]."""


def map_order(heat: Gray, size: int, seed: int = 0) -> NDArray[np.intp]:
    """Pixels by falling heat.

    Args:
        heat: [h, w] spanning the whole image; any resolution.
        size: side S of the image in pixels.
        seed: of the order among pixels of the same heat, which would otherwise go from the top to the bottom.

    Returns:
        [S * S] positions in the flattened image.
    """
    enlarged = resize(heat.astype(np.float32), size, size).ravel()
    return np.lexsort((np.random.default_rng(seed).permutation(enlarged.size), -enlarged))


def random_order(size: int, seed: int = 0) -> NDArray[np.intp]:
    """Pixels of an image of side `size` in random order, as map_order."""
    return np.random.default_rng(seed).permutation(size * size)


def without_pixels(image: Gray, order: NDArray[np.intp], share: float, fill: float) -> Gray:
    """A copy of an image [S, S] in which the first pixels of an order have another value.

    Args:
        image: in any unit.
        order: positions in the flattened image.
        share: of the pixels that are removed, in [0, 1].
        fill: what they become.
    """
    kept = image.astype(np.float32).ravel()
    kept[order[: round(share * image.size)]] = fill
    return kept.reshape(image.shape)


def deletion(
    score: Score, image: Gray, orders: Sequence[NDArray[np.intp]], steps: int, fill: float
) -> Iterator[tuple[float, tuple[float, ...]]]:
    """Take pixels away, in equal steps, in several orders at once.

    Args:
        score: of images as the network reads them.
        image: [S, S] as the network reads it.
        orders: positions in the flattened image, all of them in each.
        steps: from the whole image to nothing left.
        fill: value that a removed pixel gets.

    Yields:
        (share removed in [0, 1], the score in each order), from 0 to 1: steps + 1 of them.
    """
    for step in range(steps + 1):
        share = step / steps
        scores = score(np.stack([without_pixels(image, order, share, fill) for order in orders]))
        yield share, tuple(float(each) for each in scores)


def area(shares: Sequence[float], scores: Sequence[float]) -> float:
    """Area under a curve of scores over shares by trapezoids; with both in [0, 1] it lies in [0, 1], low = good map."""
    return float(np.trapezoid(scores, shares))
