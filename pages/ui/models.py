"""Networks: loaded on first use, shared by all sessions, never before the first paint."""

from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from cxrkit import card
from cxrkit.card import Card, read_card
from cxrkit.errors import WeightsError
from cxrkit.task import Task
from cxrkit.tasks import find_task
from pages.ui.memory import keep_for_good

if TYPE_CHECKING:
    from cxrkit.weights import LoadedModel

WEIGHTS = card.WEIGHTS
"""Folder that holds a folder of weights for each task; tests put another in its place."""


def weights_folder(task: Task) -> Path:
    """Where the weights of a task lie, and what comes with them."""
    return WEIGHTS / task.name


def read_task_card(task: Task) -> Card:
    """The card of a task's weights, without the weights and without torch.

    Raises:
        WeightsError: there are no weights; says the command that makes them.
    """
    folder = weights_folder(task)
    command = f"Make them with: `{task.train_command}`"
    if not (folder / "card.json").is_file():
        raise WeightsError(f"No trained weights were found for this task. {command}")
    try:
        return read_card(folder / "card.json")
    except WeightsError as error:
        raise WeightsError(f"{error} {command}") from None


def load(task: Task) -> "LoadedModel":
    """The network of a task as its files are now.

    Raises:
        WeightsError: weights are missing, altered or do not fit.
    """
    return _load(task.name, read_task_card(task).sha256)


@cache
def begin_to_load_libraries() -> "Future[None]":
    """Import torch and what stands on it in the background: it takes seconds, and people first choose an image."""
    return ThreadPoolExecutor(1, "libraries").submit(_import_libraries)


@st.cache_resource(show_spinner="Loading what networks need; only the server's first image waits for it …")
def load_libraries() -> None:
    """Wait until they are there, with a word on the screen."""
    begin_to_load_libraries().result()


def _import_libraries() -> None:
    import timm

    import cxrkit.explain
    import cxrkit.quality
    import cxrkit.weights  # noqa: F401

    del timm


@st.cache_resource(max_entries=8, show_spinner="Loading the network …")
def _load(name: str, weights_sha256: str) -> "LoadedModel":
    from cxrkit.weights import load_model

    del weights_sha256  # part of the key: other weights are another network
    loaded = load_model(find_task(name), WEIGHTS)
    keep_for_good()
    return loaded
