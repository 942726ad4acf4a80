"""Prepared -> Prediction. The encoder runs once; its maps are handed on to explain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit, softmax
from torch import Tensor

from cxrkit.errors import InputError
from cxrkit.image import Radiograph
from cxrkit.task import Prepared, Task
from cxrkit.weights import LoadedModel


@dataclass(frozen=True)
class Prediction:
    """What the network says of one case.

    Attributes:
        scores: probability of each label, after the card's temperature, in [0, 1].
        threshold: score of the positive class from which it is called.
        label: the called class: the positive one at or above the threshold, otherwise the other one.
        warnings: sentences for the screen, of the file and of its preparation.
        further: probability of each answer to the task's further questions, by question and label.
        matching: of a pair, how alike the two images' anatomy is to the network, in [-1, 1], from its finest stage to
            its coarsest; empty where the network has no matching.
    """

    scores: Mapping[str, float]
    threshold: float
    label: str
    warnings: tuple[str, ...]
    further: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    matching: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class Encoded:
    """Feature maps of one case, without gradients.

    Attributes:
        maps: [1, C, h, w]; of a pair of images [1, 2, C, h, w].
        matching: as in Prediction.
    """

    maps: Tensor
    matching: tuple[float, ...] = ()


def encode(loaded: LoadedModel, prepared: Prepared) -> Encoded:
    """Run the encoder once.

    Raises:
        InputError: another input size than the network can read.
    """
    size, trained = prepared.placements[0].size, loaded.card.input_size
    if not loaded.task.any_size and size != trained:
        raise InputError(f"This network reads {trained} x {trained} pixels only, not {size} x {size}. Leave the size.")
    with torch.inference_mode(False), torch.no_grad():
        if len(loaded.task.inputs) == 2:
            compare = (loaded.fused or loaded.model).compare
            maps, matching = compare(torch.from_numpy(prepared.tensor.copy())[None])  # type: ignore[operator]
            return Encoded(maps, tuple(matching[0].tolist()))
        return Encoded(loaded.model.features(torch.from_numpy(prepared.tensor.copy())))  # type: ignore[operator]


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
    task = loaded.task
    scores = probabilities(logits[None, : len(task.labels)], loaded.card.temperature, task.activation)[0]
    limit = loaded.card.thresholds[task.positive] if threshold is None else threshold
    others = [label for label in task.labels if label != task.positive]
    called = task.positive if scores[task.positive_index] >= limit else others[0]
    warnings = tuple(w for image in images for w in image.warnings) + prepared.warnings
    named = {label: float(score) for label, score in zip(task.labels, scores, strict=True)}
    return Prediction(named, limit, called, warnings, _further(task, logits), encoded.matching)


def _further(task: Task, logits: NDArray[np.float64]) -> Mapping[str, Mapping[str, float]]:
    """Probabilities of the answers to the task's further questions, those that the network has outputs for."""
    asked = [question for question in task.further if max(question.outputs) < len(logits)]
    answers = {question.name: softmax(logits[list(question.outputs)]) for question in asked}
    return {
        question.name: {label: float(p) for label, p in zip(question.labels, answers[question.name], strict=True)}
        for question in asked
    }


def probabilities(logits: NDArray[np.float64], temperature: float, activation: str) -> NDArray[np.float64]:
    """Logits [N, K] -> probabilities [N, K]; `activation` is "softmax" or "sigmoid"."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    result = softmax(scaled, axis=1) if activation == "softmax" else expit(scaled)
    return np.asarray(result, dtype=np.float64)
