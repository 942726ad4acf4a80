"""What the cards of trained tasks share: they are stored before they are measured, and name data sets alike."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import nn

from cxrkit.card import Card, Source, read_card, write_card
from cxrkit.task import Task
from cxrkit.weights import fill, read_weights, save_weights

Reference = tuple[str, str, str]
"""Name, reference and terms of a data set."""

RSNA_HANDS: Reference = ("RSNA 2017 bone age challenge", "Halabi et al. 2018", "non-commercial research and education")


def store_unmeasured(
    model: nn.Module,
    task: Task,
    folder: Path,
    network: Mapping[str, Any],
    settings: Any,
    initialisation: str,
    code: str,
) -> Card:
    """Write a trained network and a card without figures, so that a killed measurement can be taken up.

    Args:
        model: in eval mode.
        task: that it answers.
        folder: of its weights.
        network: what the task's build_model needs.
        settings: dataclass of its training, with image_size and init.
        initialisation: what training started from, in words.
        code: commit of the code that trained.
    """
    tables = tables_of(folder)
    card = Card(
        task=task.name,
        labels=task.labels,
        model=network,
        input_size=settings.image_size,
        mean=task.mean,
        std=task.std,
        sha256=save_weights(model, folder),
        precision="fp16",
        thresholds={},
        temperature=1.0,
        initialisation=initialisation,
        data=(),
        split="",
        metrics=(),
        settings=settings_of_card(settings),
        commit=code,
        preparation=(),
        tables=tables,
    )
    write_card(card, folder / "card.json")
    return card


def stored_network(folder: Path, task: Task) -> nn.Module:
    """The network as the app will load it, so that figures are those of the rounded weights."""
    state, card = read_weights(folder, task.train_command)
    return fill(task.build_model(card.model), state, task.train_command)


def tables_of(folder: Path) -> Mapping[str, list[dict[str, Any]]]:
    """Tables on the card in a folder, if there is one: studies train networks of their own and stay on the card."""
    file = folder / "card.json"
    return read_card(file).tables if file.is_file() else {}


def settings_of_card(settings: Any) -> dict[str, Any]:
    """A dataclass of training settings, without the path of the file to start from."""
    return asdict(settings) | {"init": None if settings.init is None else "given"}


def source(name: str, images: int, references: Mapping[str, Reference]) -> Source:
    """A data set by the name of its folder or family; one that is not known is the user's own."""
    return Source(*references.get(name, (name, "own data set", "own")), images=images, real=True)
