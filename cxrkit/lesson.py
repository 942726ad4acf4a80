"""The lesson on heatmaps: a right answer whose map lies off the lesion, random weights, one map for two labels.

Everything is computed from simulated images, of which it is known where the lesion is, and from the shipped network.
"""

import copy
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cxrkit.deletion import Score, map_order, random_order
from cxrkit.explain import Heatmap, Method, explain, raw_maps
from cxrkit.image import Radiograph
from cxrkit.lesson_cases import FAR, LessonCase
from cxrkit.localisation import Localisation, localise
from cxrkit.phantoms import simulate_chest
from cxrkit.predict import Encoded, Prediction, encode, predict, probabilities
from cxrkit.task import ModelInput, Prepared
from cxrkit.weights import LoadedModel

Mask = NDArray[np.bool_]

STAGES = ("trained", "head random", "head, pyramid and last stage random", "all layers random")
"""What of the network is random, from the output towards the input."""


@dataclass(frozen=True, eq=False)
class LessonReading:
    """A simulated case as the network reads it.

    Attributes:
        image: what it reads.
        mask: [H, W] where the lesion is.
        prepared, encoded, prediction: as everywhere.
        without: the answer for the same patient without the lesion.
        heatmap: Grad-CAM for the positive class.
        found: heatmap against mask; None where there is no heat.
    """

    image: Radiograph
    mask: Mask
    prepared: Prepared
    encoded: Encoded
    prediction: Prediction
    without: Prediction
    heatmap: Heatmap
    found: Localisation | None


@dataclass(frozen=True, eq=False)
class Stage:
    """The map of a network some of whose layers are random.

    Attributes:
        name: one of STAGES.
        score: for the positive class, in [0, 1].
        heatmap: of the positive class.
        alike: Spearman's rank correlation of the map with the trained network's, in [-1, 1]; 1 of that itself, 0 where
            one of them is the same everywhere.
    """

    name: str
    score: float
    heatmap: Heatmap
    alike: float


def read_case(loaded: LoadedModel, case: LessonCase) -> LessonReading:
    """Simulate a case with and without its lesion, and read both.

    Args:
        loaded: a network for one frontal chest radiograph.
        case: what to simulate.

    Raises:
        WeightsError: the lung field's weights are missing.
    """
    made = simulate_chest(case.settings())
    image, mask = made.radiograph(), made.lesions[0][1]
    prepared, encoded, prediction = _read(loaded, image)
    *_, without = _read(loaded, simulate_chest(case.settings(lesion=False)).radiograph())
    heatmap = explain(loaded, prepared, encoded, [loaded.task.positive])[0]
    found = None if heatmap.empty else localise(heatmap.values, heatmap.box, mask)
    return LessonReading(image, mask, prepared, encoded, prediction, without, heatmap, found)


def off_the_lesion(loaded: LoadedModel, reading: LessonReading) -> bool:
    """Whether the answer is right and the map's strongest point lies far off the lesion."""
    right = reading.prediction.label == loaded.task.positive
    return right and reading.found is not None and reading.found.distance > FAR * max(reading.mask.shape)


def randomised(model: nn.Module, stage: str, seed: int = 0) -> nn.Module:
    """A copy of a network with a feature pyramid in which a stage's layers have their starting weights again.

    The cascading randomisation of Adebayo et al. 2018 (Sanity Checks for Saliency Maps, NeurIPS), section 3, in three
    steps: the layers next to the output come first. Means and variances that normalisation has learned go with them.

    Args:
        model: FpnClassifier; it stays as it is.
        stage: one of STAGES.
        seed: of the starting weights.

    Raises:
        ValueError: no such stage.
    """
    fresh = copy.deepcopy(model)
    encoder, pyramid, head = (fresh.get_submodule(name) for name in ("encoder", "pyramid", "classify"))
    last = list(encoder.children())[-1]
    parts = ([], [head], [head, pyramid, last], [head, pyramid, encoder])[STAGES.index(stage)]
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(seed)
        for part in parts:
            for layer in part.modules():
                if hasattr(layer, "reset_parameters"):
                    layer.reset_parameters()  # type: ignore[operator]
    return fresh.eval().requires_grad_(False)


def stages(loaded: LoadedModel, reading: LessonReading, seed: int = 0) -> list[Stage]:
    """The case's Grad-CAM by the trained network and by the same network with more and more random layers.

    Args:
        loaded: the trained network, with a feature pyramid.
        reading: of the case by this network.
        seed: of the random weights.
    """
    positive = loaded.task.positive
    found = [Stage(STAGES[0], reading.prediction.scores[positive], reading.heatmap, 1.0)]
    for name in STAGES[1:]:
        network = replace(loaded, model=randomised(loaded.model, name, seed))
        prepared, encoded, prediction = _read(network, reading.image)
        heatmap = explain(network, prepared, encoded, [positive])[0]
        found.append(Stage(name, prediction.scores[positive], heatmap, alike(reading.heatmap, heatmap)))
    return found


def label_maps(loaded: LoadedModel, reading: LessonReading, method: Method) -> tuple[tuple[Heatmap, ...], float]:
    """The maps of all labels of one image, and how the first two lie to each other before what is negative is cut off.

    Returns:
        (maps in the order of the labels, Pearson's correlation of the first two signed maps in [-1, 1]). It is -1 where
        a method is linear in the logit margin of two classes: what speaks for one speaks as much against the other.
    """
    maps = explain(loaded, reading.prepared, reading.encoded, None, method)
    first, second = raw_maps(loaded, reading.encoded, [0, 1], method)
    return maps, float(np.corrcoef(first.ravel(), second.ravel())[0, 1])


def deletion_orders(loaded: LoadedModel, reading: LessonReading, seed: int = 0) -> tuple[NDArray[np.intp], ...]:
    """Pixels of the network's input in the order of the positive class's Grad-CAM, and in random order."""
    size = reading.prepared.tensor.shape[-1]
    raw = raw_maps(loaded, reading.encoded, [loaded.task.positive_index], Method.GRAD_CAM)[0]
    return map_order(np.maximum(raw, 0), size, seed), random_order(size, seed)


def removed_value(loaded: LoadedModel) -> float:
    """What a removed pixel becomes in the network's input: mid-gray, with which the input is also padded."""
    return (0.5 - loaded.task.mean) / loaded.task.std


def scorer(loaded: LoadedModel) -> Score:
    """The score for the positive class of inputs [N, S, S], as the page states it."""

    def score(images: NDArray[np.float32]) -> NDArray[np.float64]:
        with torch.inference_mode(False), torch.no_grad():
            logits = loaded.model(torch.from_numpy(images)[:, None]).double().numpy()
        task = loaded.task
        return probabilities(logits, loaded.card.temperature, task.activation)[:, task.positive_index]

    return score


def alike(first: Heatmap, second: Heatmap) -> float:
    """Spearman's rank correlation of two maps over one box, in [-1, 1]; 0 where one is the same everywhere."""
    from scipy.stats import spearmanr

    if any(np.ptp(heatmap.values) == 0 for heatmap in (first, second)):
        return 0.0
    return float(spearmanr(first.values[::4, ::4], second.values[::4, ::4], axis=None).statistic)


def _read(loaded: LoadedModel, image: Radiograph) -> tuple[Prepared, Encoded, Prediction]:
    prepared = loaded.task.prepare([image], {}, ModelInput())
    encoded = encode(loaded, prepared)
    return prepared, encoded, predict(loaded, prepared, encoded, [image])
