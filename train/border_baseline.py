"""How well class can be told without looking at the lungs: a logistic regression on what lies round them."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cxrkit.pixels import Box, Gray, resize

_SIDE = 64
_STRIP = 4
_COARSE = 16
_LEAST_OUTSIDE = 0.05
"""Share of an image outside the lungs; of less nothing can be told."""


def border_features(image: Gray) -> NDArray[np.float32]:
    """Four border strips (6 % of the side each, averaged to 16 values) and a 32-bin histogram of [H, W] in [0, 1].

    Returns:
        [96].
    """
    small = resize(image, _SIDE, _SIDE)
    strips = [small[:_STRIP].mean(0), small[-_STRIP:].mean(0), small[:, :_STRIP].mean(1), small[:, -_STRIP:].mean(1)]
    coarse = [strip.reshape(16, -1).mean(1) for strip in strips]
    histogram = np.histogram(image, bins=32, range=(0, 1))[0] / image.size
    return np.concatenate([*coarse, histogram]).astype(np.float32)


def outside_features(image: Gray, lungs: Box) -> NDArray[np.float32] | None:
    """What is left of [H, W] in [0, 1] without the box round the lungs: 16 by 16 pixels, and a 32-bin histogram.

    The whole box is blank (the mean of the rest), so that neither the lungs nor their outline are left, only their
    place and size.

    Returns:
        [288]; None where the lungs fill the image.
    """
    left, top, right, bottom = lungs
    outside = np.ones(image.shape, dtype=bool)
    outside[top:bottom, left:right] = False
    rest = image[outside]
    if rest.size < _LEAST_OUTSIDE * image.size:
        return None
    blank = np.where(outside, image, rest.mean(dtype=np.float64)).astype(np.float32)
    coarse = resize(blank, _COARSE, _COARSE)
    histogram = np.histogram(rest, bins=32, range=(0, 1))[0] / rest.size
    return np.concatenate([coarse.ravel(), histogram]).astype(np.float32)


def border_scores(
    training: Iterable[NDArray[np.float32]], target: NDArray[np.int64], tested: Iterable[NDArray[np.float32]]
) -> NDArray[np.float64]:
    """Fit on features [N, F] and classes [N]; return scores [M] in [0, 1] of the tested ones."""
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000, class_weight="balanced"))
    model.fit(np.stack(list(training)), target)
    return np.asarray(model.predict_proba(np.stack(list(tested)))[:, 1], dtype=np.float64)
