"""Small random networks with valid cards, so that tests need no trained weights."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from cxrkit.card import Card, Source, write_card
from cxrkit.finding_labels import several_labels
from cxrkit.finding_support import TOO_FEW, Calibration, LabelSupport
from cxrkit.scan_reading import FROM, TO
from cxrkit.task import Task
from cxrkit.tasks import TASKS
from cxrkit.tasks.followup import FOLLOW_UP
from cxrkit.weights import LoadedModel, preparation_record, save_weights

SMALL: dict[str, dict[str, Any]] = {
    "bone_age": {"cbam": True, "shortcuts": True, "inception": False, "sex_head": True},
    "followup": {
        "encoder": "cmt_xti",
        "image_size": FOLLOW_UP.input_size,
        "matching": "similar",
        "disease": True,
        "direction": True,
        "difference": True,
        "lesions": True,
    },
    "nih14": {"encoder": "vit_tiny_patch16_224", "image_size": 224, "fusion": "concat", "trunk_size": 64},
    "tuberculosis": {"encoder": "resnet10t", "channels": 8},
    "vq": {"encoder": "resnet10t", "image_size": 112},
}
"""Settings of a quick network for each task."""

INTERVAL = {"coverage": 0.9, "scaled": True, "edges": [60.0], "factors": [1.5, 2.0], "counts": [120, 240]}
"""A rule for the interval of an age, as a card holds it."""


def small_model(task: Task, seed: int = 0) -> nn.Module:
    """A random network of the task, in eval mode, in which every layer contributes."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = task.build_model(SMALL[task.name])
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                # timm starts the last norm of a block at zero, which would switch the block off.
                nn.init.uniform_(module.weight, 0.5, 1.5)
    return model.eval().requires_grad_(False)


def busy_norms(model: nn.Module) -> nn.Module:
    """Give all batch norms values that do something, drawn from torch's own generator; the same network."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.3)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.normal_(module.running_mean, 0, 0.3)
    return model


def network_input(task: Task, cases: int, size: int | None = None) -> torch.Tensor:
    """Random input of a task's network: [cases, 1, S, S], of pairs [cases, 2, 1, S, S]; the same each time.

    Args:
        task: whose network reads.
        cases: how many.
        size: S; None = a small one that the network can read.
    """
    side = size or (task.least_size if task.any_size else task.input_size)
    images = (2,) if len(task.inputs) == 2 else ()
    return torch.randn(cases, *images, 1, side, side, generator=torch.Generator().manual_seed(0))


def small_card(task: Task, sha256: str = "0" * 64) -> Card:
    """A card that fits `small_model`."""
    return Card(
        task=task.name,
        labels=task.labels,
        model=SMALL[task.name],
        input_size=task.input_size,
        mean=task.mean,
        std=task.std,
        sha256=sha256,
        precision="fp16",
        thresholds=small_thresholds(task),
        temperature=2.0,
        initialisation="random",
        data=(Source("none", "none", "none", 0, False),),
        split="none",
        metrics=(),
        settings={},
        commit="unknown",
        preparation=preparation_record(task),
        limits=("Random weights for tests.",),
        interval=INTERVAL if task.values else None,
        support=small_support(task) if several_labels(task) else (),
    )


def small_support(task: Task) -> tuple[LabelSupport, ...]:
    """Of each label: the last has too few training cases, and the second is not calibrated."""
    fitted = Calibration(0.5, 0.1, (0.04, 0.01, 0.09))
    return tuple(
        LabelSupport(label, 3, TOO_FEW)
        if label == task.labels[-1]
        else LabelSupport(label, 40 + number, "", None if number == 1 else fitted, 9, 0.7, 0.6, 0.8)
        for number, label in enumerate(task.labels)
    )


def small_thresholds(task: Task, called: float = 0.5) -> dict[str, float]:
    """One for the class that is called and for every further question; of bone age the one of a contradicted sex.

    Of several labels one for each that has enough training cases. Of lung scans also the band around the first in which
    neither type is called.
    """
    if several_labels(task):
        return {one.label: called for one in small_support(task) if not one.remark}
    if task.called is None:
        return {"sex": 0.9}
    band = {FROM: called - 0.1, TO: called + 0.1} if task.reads == "planar lung scan" else {}
    return {task.called: called} | {question.positive: 0.5 for question in task.further} | band


def sex_of(task: Task, cases: int) -> tuple[torch.Tensor, ...]:
    """What a network's forward takes beside the images: nothing, or both sexes in turn."""
    return (torch.arange(cases) % 2,) if "sex" in task.context else ()


def small_loaded(task: Task) -> LoadedModel:
    """A random network with its card, without files."""
    return LoadedModel(task, small_card(task), small_model(task))


def write_small_weights(root: Path) -> Path:
    """Write root/<task>/model.safetensors and card.json for every task; returns root."""
    for task in TASKS:
        digest = save_weights(small_model(task), root / task.name)
        write_card(small_card(task, digest), root / task.name / "card.json")
    return root
