"""Operating points of the image guard, from the carved part of the training images."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cxrkit.quality import PASSES, guard_input, wanted
from cxrkit.task import Reads
from train.image_guard.data import Pool, Thumbnails

FALSE_STOPS: dict[Reads, float] = {"frontal chest": 0.002, "hand": 0.01}
"""Share of carved images of the right kind that may be stopped, in each source alone.

The goal of 2 % is for hospitals never seen, whose chests are stopped more often. There is one source of hands,
of a few hundred images: a smaller share would be the worst of them, and say more of it than of hands.
"""

LOWEST, HIGHEST = 0.02, 0.5


def shares_of(model: nn.Module, thumbnails: Thumbnails, reads: Reads) -> NDArray[np.float64]:
    """[N] probability that each image is of the kind that is read."""
    found = []
    with torch.inference_mode():
        for start in range(0, len(thumbnails), 64):
            batch = [guard_input(image.astype(np.float32) / 255) for image in thumbnails[start : start + 64]]
            found.append(model(torch.from_numpy(np.stack(batch))[:, None]).double().softmax(1).numpy())
    return wanted(np.concatenate(found), reads)


def operating_points(model: nn.Module, pool: Pool) -> dict[Reads, float]:
    """For each kind that tasks read, the probability below which an image is stopped.

    Args:
        model: in eval mode.
        pool: the carved part.
    """
    points: dict[Reads, float] = {}
    for reads in PASSES:
        right = np.array([kind == reads for kind in pool.kinds])
        shares = shares_of(model, pool.thumbnails[right], reads)
        origin = np.array(pool.sources)[right]
        lowest = min(float(np.quantile(shares[origin == name], FALSE_STOPS[reads])) for name in set(origin))
        points[reads] = float(np.clip(lowest, LOWEST, HIGHEST))
    return points
