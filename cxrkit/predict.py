"""Prepared -> Prediction. The encoder runs once; its maps are handed on to explain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit, softmax
from torch import Tensor

from cxrkit.age_interval import IntervalRule
from cxrkit.age_reading import AgeReading, read_age
from cxrkit.card import Card
from cxrkit.errors import InputError
from cxrkit.finding_labels import several_labels
from cxrkit.finding_reading import FindingsReading, read_findings
from cxrkit.heads import head_of
from cxrkit.image import Radiograph
from cxrkit.scan_reading import ScanReading, band_of, read_scan_type
from cxrkit.task import Prepared, Task
from cxrkit.weights import LoadedModel


@dataclass(frozen=True)
class Prediction:
    """What the network says of one case.

    Attributes:
        scores: probability of each label, after the card's temperature, in [0, 1]; where each label is answered by
            itself, after its own calibration.
        called_from: score of the positive class from which it is called; None of tasks that call no class.
        label: the called class: the positive one at or above the threshold, otherwise the other one; of tasks that
            call no class the likeliest one; of a lung scan "cannot tell" where neither is called; where each label is
            answered by itself, the called ones.
        warnings: sentences for the screen, of the file, of its preparation and of the answer.
        further: probability of each answer to the task's further questions, by question and label; without those that
            the card gives no ground to answer (task.Further.proven_by).
        matching: of a pair, how alike the two images' anatomy is to the network, in [-1, 1], from its finest stage to
            its coarsest; empty where the network has no matching.
        age: what is said of an age; None of tasks with other answers.
        scan: what is said of a lung scan beside its header; None of other images.
        findings: of tasks whose labels are answered each by itself; None of others.
    """

    scores: Mapping[str, float]
    called_from: float | None
    label: str
    warnings: tuple[str, ...]
    further: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    matching: tuple[float, ...] = ()
    age: AgeReading | None = None
    scan: ScanReading | None = None
    findings: FindingsReading | None = None

    @property
    def remarks(self) -> tuple[str, ...]:
        """All that a table says beside the scores: the warnings, and why a lung scan's type is not told."""
        if self.scan is None or not self.scan.reason:
            return self.warnings
        return (f"Cannot tell: {self.scan.reason}", *self.warnings)

    @property
    def threshold(self) -> float:
        """Score of the positive class from which it is called.

        Raises:
            ValueError: the task calls no class.
        """
        if self.called_from is None:
            raise ValueError("this prediction calls no class")
        return self.called_from


@dataclass(frozen=True, eq=False)
class Encoded:
    """Feature maps of one case, without gradients.

    Attributes:
        maps: [1, C, h, w]; of a pair of images [1, 2, C, h, w].
        matching: as in Prediction.
        context: as in Prepared. Another one in its place answers for another sex without encoding again.
    """

    maps: Tensor
    matching: tuple[float, ...] = ()
    context: Mapping[str, Any] = field(default_factory=dict)


def encode(loaded: LoadedModel, prepared: Prepared) -> Encoded:
    """Run the encoder once.

    Raises:
        InputError: another input size than the network can read.
    """
    size, trained = prepared.placements[0].size, loaded.card.input_size
    if not loaded.task.any_size and size != trained:
        raise InputError(f"This network reads {trained} x {trained} pixels only, not {size} x {size}. Leave the size.")
    if size < loaded.task.least_size:
        raise InputError(f"This network reads {loaded.task.least_size} pixels a side or more, not {size}.")
    with torch.inference_mode(False), torch.no_grad():
        if len(loaded.task.inputs) == 2:
            compare = (loaded.fused or loaded.model).compare
            maps, matching = compare(torch.from_numpy(prepared.tensor.copy())[None])  # type: ignore[operator]
            return Encoded(maps, tuple(matching[0].tolist()), prepared.context)
        maps = loaded.model.features(torch.from_numpy(prepared.tensor.copy()))  # type: ignore[operator]
        return Encoded(maps, context=prepared.context)


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
        images: the images behind `prepared`, for their warnings, and of a lung scan for what its header says.
        threshold: in [0, 1], in place of the card's, of a lung scan also of its "cannot tell" band.

    Raises:
        InputError: a threshold for a task that calls no class, or has one for each label; or the sex is needed and not
            stated.
    """
    task = loaded.task
    with torch.no_grad():
        logits = head_of(loaded, encoded.context)(encoded.maps)[0].double().numpy()
    warnings = (*_of_files(task, images), *prepared.warnings)
    if several_labels(task):
        return _several(loaded, logits, warnings, threshold)
    scores = probabilities(logits[None, : len(task.labels)], loaded.card.temperature, task.activation)[0]
    limit, label = _called(loaded, scores, threshold)
    named = {label: float(score) for label, score in zip(task.labels, scores, strict=True)}
    further = _further(loaded, logits, label)
    age = _age(loaded, scores, further, encoded.context) if task.values else None
    warnings += () if age is None else age.warnings
    scan = _scan(loaded, prepared, images, named, limit, threshold)
    return Prediction(
        named, limit, label if scan is None else scan.label, warnings, further, encoded.matching, age, scan
    )


def _of_files(task: Task, images: Sequence[Radiograph]) -> tuple[str, ...]:
    """What is odd about the files; of a pair with the name of the image, such as "Baseline"."""
    if len(task.inputs) == 1:
        return tuple(text for image in images for text in image.warnings)
    names = [name.partition(" ")[0].capitalize() for name in task.inputs]
    return tuple(f"{name}: {text}" for name, image in zip(names, images, strict=False) for text in image.warnings)


def _several(
    loaded: LoadedModel, logits: NDArray[np.float64], warnings: tuple[str, ...], threshold: float | None
) -> Prediction:
    if threshold is not None:
        raise InputError("This task has a threshold for each of its labels, on its card, so it takes no single one.")
    found = read_findings(logits[: len(loaded.task.labels)].tolist(), loaded.card)
    scores = {finding.label: finding.score for finding in found.findings}
    return Prediction(scores, None, found.label, warnings, findings=found)


def _called(loaded: LoadedModel, scores: NDArray[np.float64], threshold: float | None) -> tuple[float | None, str]:
    """The threshold and the called class; without a class to be called None and the likeliest one."""
    task = loaded.task
    if task.called is None:
        if threshold is not None:
            raise InputError("This task calls no class, so it takes no threshold.")
        return None, task.labels[int(scores.argmax())]
    limit = loaded.card.thresholds[task.called] if threshold is None else threshold
    others = [label for label in task.labels if label != task.called]
    return limit, task.called if scores[task.positive_index] >= limit else others[0]


def _scan(
    loaded: LoadedModel,
    prepared: Prepared,
    images: Sequence[Radiograph],
    scores: Mapping[str, float],
    limit: float | None,
    threshold: float | None,
) -> ScanReading | None:
    if prepared.scan is None or limit is None or not images:
        return None
    band = band_of(loaded.card.thresholds) if threshold is None else None
    return read_scan_type(images[0], prepared.scan, scores[loaded.task.positive], limit, band)


def _age(
    loaded: LoadedModel,
    scores: NDArray[np.float64],
    further: Mapping[str, Mapping[str, float]],
    context: Mapping[str, Any],
) -> AgeReading:
    card = loaded.card
    rule = None if card.interval is None else IntervalRule.from_card(card.interval)
    return read_age(scores, further.get("sex"), context, rule, card.thresholds.get("sex"))


def _further(loaded: LoadedModel, logits: NDArray[np.float64], label: str) -> Mapping[str, Mapping[str, float]]:
    """Probabilities of the answers to the task's further questions, those that the network has outputs for."""
    asked = [
        question
        for question in loaded.task.further
        if max(question.outputs) < len(logits)
        and (not question.proven_by or (label == loaded.task.called and beats_chance(loaded.card, question.proven_by)))
    ]
    answers = {question.name: softmax(logits[list(question.outputs)]) for question in asked}
    return {
        question.name: {label: float(p) for label, p in zip(question.labels, answers[question.name], strict=True)}
        for question in asked
    }


def beats_chance(card: Card, figure: str) -> bool:
    """Whether a card has areas under the ROC curve of this name, each with an interval above one half."""
    lows = [metric.low for metric in card.metrics if metric.name == figure]
    return bool(lows) and all(low is not None and low > 0.5 for low in lows)


def probabilities(logits: NDArray[np.float64], temperature: float, activation: str) -> NDArray[np.float64]:
    """Logits [N, K] -> probabilities [N, K]; `activation` is "softmax" or "sigmoid"."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    result = softmax(scaled, axis=1) if activation == "softmax" else expit(scaled)
    return np.asarray(result, dtype=np.float64)
