"""One network: forward alone, forward with our heatmaps, and of tuberculosis pytorch-grad-cam as it is used."""

import pytorch_grad_cam
import torch
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from benchmarks.timing import in_milliseconds, interleaved, measured
from cxrkit.explain import Method, explain, raw_maps
from cxrkit.image import Radiograph
from cxrkit.predict import encode, predict
from cxrkit.speed import Measurement
from cxrkit.task import ModelInput, Task
from cxrkit.weights import load_model

GOAL = 1.2
"""Most that a prediction with heatmaps of all labels may cost, in times of the forward pass."""


def age(task: Task, image: Radiograph, rounds: int) -> list[Measurement]:
    """Times of the network of a task that reads an age, with nothing said of the person, and of its heatmap.

    Args:
        task: with weights.
        image: of a hand.
        rounds: both ways once a round.
    """
    loaded = load_model(task)
    prepared = task.prepare([image], {}, ModelInput())

    def forward() -> None:
        predict(loaded, prepared, encode(loaded, prepared))

    def with_map() -> None:
        encoded = encode(loaded, prepared)
        explain(loaded, prepared, encoded, [predict(loaded, prepared, encoded).label])

    alone, both = "age, both sexes weighed", "age and the heatmap of the likeliest class"
    seconds = interleaved({alone: forward, both: with_map}, rounds)
    ratios = [whole / base for whole, base in zip(seconds[both], seconds[alone], strict=True)]
    return [*in_milliseconds(seconds), measured(f"{both}, over {alone}", ratios, "times", goal=GOAL)]


def findings(task: Task, image: Radiograph, rounds: int) -> list[Measurement]:
    """Times of a network that answers each label by itself, and what all scores and the maps of all labels cost.

    Maps are those of the network's own resolution; the page enlarges the ones that it shows.

    Args:
        task: with weights.
        image: a frontal chest radiograph.
        rounds: both ways once a round.
    """
    loaded = load_model(task)
    prepared = task.prepare([image], {}, ModelInput())
    tensor = torch.from_numpy(prepared.tensor[0:1, 0:1].copy())

    def forward() -> None:
        with torch.no_grad():
            loaded.model(tensor)

    def everything() -> None:
        encoded = encode(loaded, prepared)
        predict(loaded, prepared, encoded)
        raw_maps(loaded, encoded, range(len(task.labels)), Method.GRAD_CAM)

    alone, whole = "forward alone", f"scores and maps of all {len(task.labels)} labels"
    seconds = interleaved({alone: forward, whole: everything}, rounds)
    ratios = [taken / base for taken, base in zip(seconds[whole], seconds[alone], strict=True)]
    return [*in_milliseconds(seconds), measured(f"{whole}, over {alone}", ratios, "times", goal=GOAL)]


def prediction(task: Task, image: Radiograph, rounds: int) -> list[Measurement]:
    """Times of a task's network on one prepared image, and what heatmaps of all labels cost.

    Args:
        task: with weights.
        image: given once for each of the task's inputs.
        rounds: all ways once a round.
    """
    loaded = load_model(task)
    prepared = task.prepare([image] * len(task.inputs), {}, ModelInput())
    tensor = torch.from_numpy(prepared.tensor[0:1, 0:1].copy())
    layers = list(loaded.model.pyramid.layer_blocks)  # type: ignore[union-attr, arg-type]

    def forward() -> None:
        with torch.no_grad():
            loaded.model(tensor)

    def ours() -> None:
        explain(loaded, prepared, encode(loaded, prepared))

    def ordinary() -> None:
        with pytorch_grad_cam.GradCAM(model=loaded.model, target_layers=layers) as cam:
            for output in range(len(task.labels)):
                cam(tensor.clone().requires_grad_(True), [ClassifierOutputTarget(output)])

    alone, with_maps, library = (
        "forward alone",
        f"forward and our heatmaps of all {len(task.labels)} labels",
        "the same heatmaps by pytorch-grad-cam on the whole network",
    )
    seconds = interleaved({alone: forward, with_maps: ours, library: ordinary}, rounds)

    def ratio(name: str) -> list[float]:
        return [value / base for value, base in zip(seconds[name], seconds[alone], strict=True)]

    return [
        *in_milliseconds(seconds),
        measured(f"{with_maps}, over forward alone", ratio(with_maps), "times", goal=GOAL),
        measured(f"{library}, over forward alone", ratio(library), "times"),
    ]
