"""A small untrained network with a valid card, so that pages can be tested without the shipped weights."""

from pathlib import Path

import torch

from cxrkit.card import Card, Metric, Source, write_card
from cxrkit.task import Task
from cxrkit.weights import preparation_record, save_weights

MODEL = {"encoder": "resnet10t", "channels": 8}


def write_small_weights(task: Task, root: Path, *, threshold: float = 0.5) -> Card:
    """Write root/<task>/model.safetensors and card.json; the same weights each time.

    The head is made steep, so that edits of the input move the score visibly.
    """
    torch.manual_seed(4)
    model = task.build_model(MODEL)
    with torch.no_grad():
        model.classify.weight *= 10
        model.classify.bias.zero_()
    digest = save_weights(model, root / task.name)
    card = Card(
        task=task.name,
        labels=task.labels,
        model=MODEL,
        input_size=task.input_size,
        mean=task.mean,
        std=task.std,
        sha256=digest,
        precision="fp16",
        thresholds={task.positive: threshold},
        temperature=1.0,
        initialisation="random (from scratch)",
        data=(Source("Drawn chests", "made by the tests", "free", 12, real=False),),
        split="none: these weights are untrained",
        metrics=(Metric("AUC", "in-set test part: optimistic", 0.5, 0.4, 0.6, 12, "a test's figure"),),
        settings={},
        commit="0" * 40,
        preparation=preparation_record(task),
        limits=("Untrained weights of a test.",),
    )
    write_card(card, root / task.name / "card.json")
    return card
