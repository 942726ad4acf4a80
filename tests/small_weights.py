"""Untrained weights for the pages' tests: a steep head, and something to show on the card."""

from dataclasses import replace
from pathlib import Path

import torch

from cxrkit.card import Card, Metric, Source, write_card
from cxrkit.task import Task
from cxrkit.weights import save_weights
from tests.models_for_tests import SMALL, small_card, small_thresholds


def write_small_weights(task: Task, root: Path, *, threshold: float = 0.5) -> Card:
    """Write root/<task>/model.safetensors and card.json; the same weights each time.

    The head is made steep, so that edits of the input move the score visibly.
    """
    with torch.random.fork_rng():
        torch.manual_seed(4)
        model = task.build_model(SMALL[task.name])
    with torch.no_grad():
        last = {"followup": "change", "tuberculosis": "classify", "bone_age": "age.4"}[task.name]
        layer = model.get_submodule(last)
        layer.weight *= 10
        layer.bias.zero_()
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
