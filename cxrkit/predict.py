"""Prepared -> Prediction. The encoder runs once; its maps are handed on to explain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit, softmax
from torch import Tensor

from cxrkit.image import Radiograph
from cxrkit.task import Prepared
from cxrkit.weights import LoadedModel


@dataclass(frozen=True)
class Prediction:
    """What the network says of one case.

    Attributes:
        scores: probability of each label, after the card's temperature, in [0, 1].
        threshold: score of the positive class from which it is called.
        label: the called class: the positive one at or above the threshold, otherwise the other one.
        warnings: sentences for the screen, of the file and of its preparation.
    """

    scores: Mapping[str, float]
    threshold: float
    label: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Encoded:
    """Feature maps [1, C, h, w] of one case, without gradients."""

    maps: Tensor


def encode(loaded: LoadedModel, prepared: Prepared) -> Encoded:
    """Run the encoder once."""
    with torch.inference_mode(False), torch.no_grad():
        return Encoded(loaded.model.features(torch.from_numpy(prepared.tensor[0:1, 0:1].copy())))  # type: ignore[operator]


def predict(
    loaded: LoadedModel,
    prepared: Prepared,
    encoded: Encoded,
    images: Sequence[Radiograph] = (),
    threshold: float | None = None,
) -> Prediction:
    """Scores of one case.

    Args:
        loaded: the network with its card.
        prepared: what it reads.
        encoded: its maps, from encode.
        images: the images behind `prepared`, for their warnings.
        threshold: in [0, 1], in place of the card's.
    """
    with torch.no_grad():
        logits = loaded.model.head(encoded.maps)[0].double().numpy()  # type: ignore[operator]
    scores = probabilities(logits[None], loaded.card.temperature, loaded.task.activation)[0]
    task = loaded.task
    limit = loaded.card.thresholds[task.positive] if threshold is None else threshold
    others = [label for label in task.labels if label != task.positive]
    called = task.positive if scores[task.positive_index] >= limit else others[0]
    warnings = tuple(w for image in images for w in image.warnings) + prepared.warnings
    named = {label: float(score) for label, score in zip(task.labels, scores, strict=True)}
    return Prediction(named, limit, called, warnings)


def probabilities(logits: NDArray[np.float64], temperature: float, activation: str) -> NDArray[np.float64]:
    """Logits [N, K] -> probabilities [N, K]; `activation` is "softmax" or "sigmoid"."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    result = softmax(scaled, axis=1) if activation == "softmax" else expit(scaled)
    return np.asarray(result, dtype=np.float64)
