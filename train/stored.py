"""Networks of training runs as safetensors files: the one that a run keeps, and one to start from."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from cxrkit.card import read_card
from cxrkit.errors import WeightsError
from train.stages import stages_in_words

BEST = "best.safetensors"
"""The last stage's best epoch, in the run's folder."""

HISTORY = "history"
"""What a stored network says of its training, in words, in the file's metadata."""


def save_array(file: Path, array: NDArray[Any]) -> None:
    """Write an array that a later run reads; a kill leaves no half of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = _fresh(file)
    with fresh.open("wb") as opened:
        np.save(opened, array)
    fresh.replace(file)


def _fresh(file: Path) -> Path:
    """Beside it, and of this process alone: several may begin with the same cache."""
    return file.with_suffix(f".{os.getpid()}.new")


def save(model: nn.Module, file: Path, told: dict[str, str] | None = None) -> None:
    """Write a network, with what is told of it; a kill leaves the file that was there."""
    save_tensors(model.state_dict(), file, told)


def save_tensors(tensors: Mapping[str, Tensor], file: Path, told: dict[str, str] | None = None) -> None:
    """Write tensors, with what is told of them; a kill leaves the file that was there."""
    fresh = _fresh(file)
    # Copies: some layers of CoaT share their weights, and such a file takes no tensor twice.
    copies = {name: value.detach().clone(memory_format=torch.contiguous_format) for name, value in tensors.items()}
    save_file(copies, fresh, told)
    fresh.replace(file)


def start_from(model: nn.Module, file: Path) -> None:
    """Fill a network with the tensors of a safetensors file that have its names and shapes.

    Raises:
        WeightsError: there is no such file, or not one tensor fits.
    """
    if not file.is_file():
        raise WeightsError("The file to start from does not exist. Give a safetensors file of such a network.")
    own = model.state_dict()
    fitting = {name: value for name, value in load_file(file).items() if name in own and value.shape == own[name].shape}
    if not fitting:
        raise WeightsError("No tensor of the file to start from fits this network. Give one of the same kind.")
    model.load_state_dict(fitting, strict=False)


def initialisation(init: Path | None, *, pretrained: bool = False) -> str:
    """What training started from, in words: for the card.

    Args:
        init: safetensors file that it started from, with its HISTORY, or shipped weights with their card beside them.
        pretrained: whether it started from timm's ImageNet weights where there is no such file.
    """
    if init is None:
        return "ImageNet weights of timm" if pretrained else "random (from scratch)"
    with safe_open(init, framework="pt") as stored:
        told = (stored.metadata() or {}).get(HISTORY)
    return f"weights given by --init, after {told or _by_card(init)}"


def _by_card(init: Path) -> str:
    """What the card of shipped weights says of their training."""
    file = init.parent / "card.json"
    if not file.is_file():
        return "training that it says nothing of"
    card = read_card(file)
    images = sum(source.images for source in card.data)
    epochs = ""
    if "stages" in card.settings:
        epochs = f"{stages_in_words(card.settings['stages'])}, of "
    elif "epochs" in card.settings:
        epochs = f"{card.settings['epochs']} epochs on "
    return f"the training of shipped weights ({epochs}{images:,} images, started from {card.initialisation})"
