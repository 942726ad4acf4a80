import dataclasses
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cxrkit.errors import WeightsError
from cxrkit.predict import encode, predict
from cxrkit.task import ModelInput, Prepared, Task
from cxrkit.tasks import TASKS
from cxrkit.tasks.bone_age import BONE_AGE
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from cxrkit.weights import PREPARATION_TOLERANCE, fixed_sample, load_model, preparation_record, save_weights
from tests.models_for_tests import small_loaded, small_model

each_task = pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)


@pytest.fixture
def root(small_weights: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_weights, tmp_path / "weights"))


def change_card(folder: Path, **fields: Any) -> None:
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps(card | fields))


def replace_weights(folder: Path, data: bytes) -> None:
    """Other bytes, with a card that vouches for them."""
    (folder / "model.safetensors").write_bytes(data)
    change_card(folder, sha256=hashlib.sha256(data).hexdigest())


def flip_a_bit(folder: Path) -> None:
    data = bytearray((folder / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "model.safetensors").write_bytes(bytes(data))


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "no folder": (shutil.rmtree, "No trained weights"),
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), "No trained weights"),
    "no card": (lambda folder: (folder / "card.json").unlink(), "No trained weights"),
    "altered weights": (flip_a_bit, "SHA-256"),
    "weights are no safetensors": (lambda folder: replace_weights(folder, b"nonsense"), "damaged"),
    "weights are cut off": (
        lambda folder: replace_weights(folder, (folder / "model.safetensors").read_bytes()[:-100]),
        "damaged",
    ),
    "weights are empty": (lambda folder: replace_weights(folder, b""), "damaged"),
    "card is no JSON": (lambda folder: (folder / "card.json").write_text("{"), "damaged"),
    "card is no text": (lambda folder: (folder / "card.json").write_bytes(b"\xff\xfe\xff"), "damaged"),
    "card is a list": (lambda folder: (folder / "card.json").write_text("[]"), "damaged"),
    "card lacks fields": (lambda folder: (folder / "card.json").write_text("{}"), "damaged"),
    "card has unknown fields": (lambda folder: change_card(folder, extra=1), "damaged"),
    "card of another task": (lambda folder: change_card(folder, task="other"), "other labels"),
    "other labels": (lambda folder: change_card(folder, labels=["a", "b"]), "other labels"),
    "labels in another order": (lambda folder: change_card(folder, labels=["tuberculosis", "normal"]), "other labels"),
    "other input size": (lambda folder: change_card(folder, input_size=32), "input size"),
    "other normalisation": (lambda folder: change_card(folder, mean=0.0), "normalisation"),
    "no threshold": (lambda folder: change_card(folder, thresholds={}), "threshold"),
    "temperature 0": (lambda folder: change_card(folder, temperature=0.0), "temperature"),
    "no settings": (lambda folder: change_card(folder, model={}), "cannot build"),
    "unknown encoder": (lambda folder: change_card(folder, model={"encoder": "?", "channels": 8}), "cannot build"),
    "wider network": (
        lambda folder: change_card(folder, model={"encoder": "resnet10t", "channels": 16}),
        "do not fit",
    ),
    "no preparation record": (lambda folder: change_card(folder, preparation=[]), "preparation"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_weights_that_cannot_be_trusted_are_refused_with_the_command_that_makes_them(root: Path, damage: str) -> None:
    task = TUBERCULOSIS
    harm, reason = DAMAGE[damage]
    harm(root / task.name)
    with pytest.raises(WeightsError, match=reason) as refusal:
        load_model(task, root)
    message = str(refusal.value)
    assert message.endswith(task.train_command)
    assert str(root) not in message


@each_task
def test_loading_gives_back_what_was_saved_to_half_precision(root: Path, task: Task) -> None:
    loaded = load_model(task, root, fused=False)
    original = small_model(task).state_dict()
    found = loaded.model.state_dict()
    assert found.keys() == original.keys()
    for name, tensor in original.items():
        expected = tensor.half().float() if tensor.is_floating_point() else tensor
        assert torch.equal(found[name], expected), name
    assert not loaded.model.training
    assert not any(parameter.requires_grad for parameter in loaded.model.parameters())


@each_task
def test_half_precision_leaves_the_scores_where_they_were(root: Path, task: Task) -> None:
    scores, smallest = [], task.least_size if task.any_size else None
    for loaded in (small_loaded(task), load_model(task, root)):
        prepared = task.prepare([fixed_sample(task.reads)] * len(task.inputs), {}, ModelInput(size=smallest))
        scores.append(list(predict(loaded, prepared, encode(loaded, prepared)).scores.values()))
    np.testing.assert_allclose(scores[0], scores[1], atol=2e-3)


def test_a_changed_preparation_is_noticed_and_rounding_is_not(small_weights: Path) -> None:
    task = TUBERCULOSIS

    def shifted_by(amount: float) -> Task:
        def prepare(*arguments: Any) -> Prepared:
            prepared = task.prepare(*arguments)
            return dataclasses.replace(prepared, tensor=prepared.tensor + np.float32(amount))

        return dataclasses.replace(task, prepare=prepare)

    load_model(shifted_by(PREPARATION_TOLERANCE / 4), small_weights)
    with pytest.raises(WeightsError, match="preparation of images has changed"):
        load_model(shifted_by(PREPARATION_TOLERANCE * 2), small_weights)


@each_task
@pytest.mark.parametrize("change", ["crop", "brightness", "contrast"])
def test_the_preparation_record_sees_a_step_that_moves_gray_values_or_place(task: Task, change: str) -> None:
    def without(images: Any, context: Any, edits: Any) -> Prepared:
        return task.prepare(images, context, dataclasses.replace(edits, **{change: getattr(ModelInput(), change)}))

    before = preparation_record(task)
    after = preparation_record(dataclasses.replace(task, prepare=without))
    assert np.abs(np.subtract(before, after)).max() > PREPARATION_TOLERANCE


def test_saved_weights_are_named_by_their_hash(tmp_path: Path) -> None:
    digest = save_weights(small_model(TUBERCULOSIS), tmp_path / "new" / "folder")
    data = (tmp_path / "new" / "folder" / "model.safetensors").read_bytes()
    assert digest == hashlib.sha256(data).hexdigest()
    assert save_weights(small_model(TUBERCULOSIS), tmp_path) == digest


@pytest.mark.parametrize("interval", [{}, {"coverage": 2}, "wide", [1, 2]])
def test_a_damaged_rule_for_the_interval_is_refused(root: Path, interval: object) -> None:
    change_card(root / "bone_age", interval=interval)
    with pytest.raises(WeightsError, match="damaged"):
        load_model(BONE_AGE, root)
