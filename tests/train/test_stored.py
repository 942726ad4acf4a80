"""Networks of training runs in files."""

from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from cxrkit.card import read_card, write_card
from cxrkit.models.timm_maps import TimmMaps
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from tests.small_weights import write_small_weights
from train.stored import HISTORY, initialisation, save, start_from


def test_layers_that_share_their_weights_are_stored_and_read_again(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = TimmMaps("coat_lite_tiny", 64)
    state = model.state_dict()
    places = {value.data_ptr() for value in state.values()}
    assert len(places) < len(state)
    save(model, tmp_path / "coat.safetensors")
    other = TimmMaps("coat_lite_tiny", 64)
    start_from(other, tmp_path / "coat.safetensors")
    for name, value in other.state_dict().items():
        assert torch.equal(value, state[name]), name


def test_weights_in_another_layout_are_stored(tmp_path: Path) -> None:
    model = nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)
    save(model, tmp_path / "one.safetensors")
    other = nn.Conv2d(3, 4, 3)
    start_from(other, tmp_path / "one.safetensors")
    assert torch.equal(other.weight, model.weight)
    assert [file.name for file in tmp_path.iterdir()] == ["one.safetensors"]


def test_what_training_started_from_is_told_by_the_file_or_the_card_beside_it(tmp_path: Path) -> None:
    save(nn.Linear(1, 1), tmp_path / "told.safetensors", {HISTORY: "3 epochs"})
    assert initialisation(tmp_path / "told.safetensors") == "weights given by --init, after 3 epochs"
    save(nn.Linear(1, 1), tmp_path / "silent.safetensors")
    assert "says nothing of" in initialisation(tmp_path / "silent.safetensors")
    write_small_weights(TUBERCULOSIS, tmp_path)
    shipped = initialisation(tmp_path / TUBERCULOSIS.name / "model.safetensors")
    assert shipped == "weights given by --init, after the training of shipped weights (12 images, started from random)"
    card = tmp_path / TUBERCULOSIS.name / "card.json"
    write_card(replace(read_card(card), settings={"stages": [[192, 40, 9000], [256, 1, 500]]}), card)
    staged = initialisation(tmp_path / TUBERCULOSIS.name / "model.safetensors")
    assert "(40 x 9,000 at 192 px, 1 x 500 at 256 px, of 12 images, started from random)" in staged
