"""Untrained weights for the pages' tests: a steep head, and something to show on the card."""

from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from cxrkit.card import Card, Metric, Source, write_card
from cxrkit.task import Task
from cxrkit.weights import save_weights
from tests.models_for_tests import SMALL, small_card, small_thresholds


def _awake(model: nn.Module) -> None:
    """Weights that keep the spread of what passes: of so many layers the usual ones leave nothing of the image."""
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight)


def _bump(task: Task) -> torch.Tensor:
    """Bias of the head: of ages about ten years, so that the distribution has a peak; of other tasks nothing."""
    ages = torch.tensor(task.values)
    return -(((ages - 120) / 12) ** 2) / 2 if task.values else torch.zeros(1)


def write_small_weights(task: Task, root: Path, *, threshold: float = 0.5) -> Card:
    """Write root/<task>/model.safetensors and card.json; the same weights each time.

    The head is made steep, so that edits of the input move the score visibly.
    """
    with torch.random.fork_rng():
        torch.manual_seed(4)
        model = task.build_model(SMALL[task.name])
        if task.values:
            _awake(model)
    with torch.no_grad():
        last = {"followup": "change", "bone_age": "age.4"}.get(task.name, "classify")
        layer = model.get_submodule(last)
        layer.weight *= 4 if task.values else 10
        layer.bias.copy_(_bump(task))
    card = replace(
        small_card(task, save_weights(model, root / task.name)),
        thresholds=small_thresholds(task, threshold),
        temperature=1.0,
        data=(Source("Drawn chests", "made by the tests", "free", 12, real=False),),
        metrics=(Metric("AUC", "in-set test part: optimistic", 0.5, 0.4, 0.6, 12, "a test's figure"),),
        commit="0" * 40,
        limits=("Untrained weights of a test.",),
    )
    write_card(card, root / task.name / "card.json")
    return card
