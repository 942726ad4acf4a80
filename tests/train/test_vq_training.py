"""Training of lung scans' types: changes can be replayed, both come equally often, the best epoch is kept."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from cxrkit.lung_scan import SIZE as FRAME
from cxrkit.tasks.vq import VQ
from train.epochs import PROGRESS, read_rows
from train.stored import BEST
from train.trainer import FitSettings
from train.vq import fit as fit_module
from train.vq.answers import logits_of, scores
from train.vq.augment import Change, Strength, apply, draw
from train.vq.fit import CHOICE, Parity, Pictures, Settings, history, train_network
from train.vq.networks import NETWORKS, build
from train.vq.scans import KINDS, Recipe, Scans, network_input, together
from train.vq.study import SOURCE_CHOICE, SOURCE_TRAINING

CPU = FitSettings(accelerator="cpu", precision="32-true")
SIZE = 64
RECIPE = Recipe("drawn", 4, 4, seed=0)
TINY = Settings("test_resnet", (RECIPE,), (RECIPE,), size=SIZE, epochs=4, batch=8, learning_rate=3e-3, norm_images=32)


def drawn(perfusion: int, ventilation: int, seed: int = 0) -> Scans:
    """Two blobs; of ventilation with a bright neck, which is told easily."""
    random = np.random.default_rng(seed)
    down, across = np.mgrid[:FRAME, :FRAME]
    views = []
    for number in range(perfusion + ventilation):
        lungs = sum(
            np.exp(-((((across - x) / 30) ** 2 + ((down - 112) / 55) ** 2) ** 2)) for x in random.normal((70, 154), 3)
        )
        neck = np.exp(-(((across - 112) / 12) ** 2 + ((down - 20) / 20) ** 2)) * (number >= perfusion)
        views.append(np.clip(200 * lungs + 220 * neck + random.normal(0, 4, lungs.shape), 0, 255))
    whole = np.stack(views).astype(np.uint8)
    without = whole.copy()
    without[:, :45] = 0
    target = np.array([1] * perfusion + [0] * ventilation, dtype=np.int64)
    return Scans(whole, target, without, np.ones(len(target), dtype=np.bool_))


SCANS = drawn(6, 3)


def test_a_draw_that_changes_nothing_leaves_the_view_as_it_is() -> None:
    view = SCANS.views[0]
    np.testing.assert_allclose(apply(view, Change()), view.astype(np.float32) / 255, atol=1e-6)


def test_a_change_can_be_replayed() -> None:
    change = draw(Strength(), np.random.default_rng(5))
    assert change == draw(Strength(), np.random.default_rng(5))
    np.testing.assert_array_equal(apply(SCANS.views[0], change), apply(SCANS.views[0], change))


@pytest.mark.parametrize(
    "change",
    [
        Change(matrix=(1.1, 0.0, 0.0, 0.9)),
        Change(shift=(0.04, -0.03)),
        Change(gamma=1.4),
        Change(ceiling=0.7),
        Change(blur=0.02),
        Change(counts=30.0),
        Change(hidden=(0.0, 0.2)),
    ],
)
def test_every_change_does_something_and_stays_in_range(change: Change) -> None:
    view = SCANS.views[7]
    seen = apply(view, change)
    assert seen.shape == view.shape
    assert seen.dtype == np.float32
    assert seen.min() >= 0
    assert seen.max() <= 1
    assert np.abs(seen - view.astype(np.float32) / 255).max() > 0.05


def test_scans_are_moved_the_way_the_change_says() -> None:
    view = np.zeros((FRAME, FRAME), dtype=np.uint8)
    view[100:110, 60:70] = 255
    down, across = np.nonzero(apply(view, Change(shift=(0.25, 0.125))) > 0.5)
    assert (across.mean(), down.mean()) == pytest.approx((64.5 + 56, 104.5 + 28), abs=0.6)
    down, across = np.nonzero(apply(view, Change(matrix=(0.5, 0.0, 0.0, 0.5))) > 0.5)
    assert across.mean() == pytest.approx(111.5 - 47 / 2, abs=1)


def test_size_shape_and_intensity_vary_from_draw_to_draw() -> None:
    random = np.random.default_rng(0)
    changes = [draw(Strength(), random) for _ in range(200)]
    matrices = np.array([change.matrix for change in changes])
    assert 0.9 < np.linalg.det(matrices.reshape(-1, 2, 2)).mean() < 1.15
    assert matrices[:, 0].std() > 0.05
    assert np.std([change.gamma for change in changes]) > 0.1
    for name in ("blur", "counts"):
        assert 0.25 < np.mean([getattr(change, name) > 0 for change in changes]) < 0.55
    hidden = [change.hidden for change in changes if change.hidden[1] > change.hidden[0]]
    assert {bottom == 1 for _, bottom in hidden} == {True, False}
    assert max(bottom - top for top, bottom in hidden) < 0.25


def test_both_types_are_drawn_equally_often_and_every_scan_of_the_larger_one_once() -> None:
    sampler = Parity(SCANS.target, seed=1)
    places = list(sampler)
    order = [index for index, _ in places]
    assert len(order) == len(sampler) == len({seed for _, seed in places}) == 12
    assert sorted(index for index in order if index < 6) == list(range(6))
    assert sorted(np.bincount([index for index in order if index >= 6])[6:].tolist()) == [2, 2, 2]
    sampler.set_epoch(1)
    assert list(sampler) != places
    sampler.set_epoch(0)
    assert list(sampler) == places


def test_the_sources_numbers_need_the_stated_factor() -> None:
    assert (SOURCE_TRAINING.perfusion, SOURCE_TRAINING.ventilation) == (354, 96)
    assert (SOURCE_CHOICE.perfusion, SOURCE_CHOICE.ventilation) == (20, 20)
    target = np.array([KINDS.index(kind) for kind in SOURCE_TRAINING.kinds])
    drawn_often = np.bincount([index for index, _ in Parity(target, 0)], minlength=450)
    assert drawn_often[354:].mean() == pytest.approx(3.69, abs=0.01)


def test_necks_are_emptied_as_often_as_asked() -> None:
    plain = replace(TINY, strength=None)
    (seen, target) = Pictures(SCANS, VQ, plain)[8, 0]
    np.testing.assert_array_equal(seen.numpy(), network_input(SCANS.views[8].astype(np.float32) / 255, VQ, SIZE))
    assert target == 0
    (seen, _) = Pictures(SCANS, VQ, replace(plain, necks_hidden=1.0))[8, 0]
    bare = SCANS.without_neck[8].astype(np.float32) / 255
    np.testing.assert_array_equal(seen.numpy(), network_input(bare, VQ, SIZE))


def test_training_learns_keeps_the_best_epoch_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learned, chooses = drawn(24, 12, seed=1), drawn(8, 8, seed=2)
    model = train_network(learned, chooses, VQ, TINY, CPU, tmp_path / "whole")
    logits = logits_of(model, chooses.views, VQ, SIZE)
    assert np.mean((scores(logits) >= 0.5) == (chooses.target == 1)) >= 0.9
    rows = read_rows(tmp_path / "whole" / PROGRESS)
    assert [row["epoch"] for row in rows] == [str(number) for number in range(1, 5)]
    kept = load_file(tmp_path / "whole" / BEST)
    assert all(torch.equal(value, kept[name]) for name, value in model.state_dict().items())
    assert max(float(row[CHOICE]) for row in rows) == pytest.approx(
        np.mean((scores(logits) >= 0.5) == (chooses.target == 1)), abs=1e-4
    )

    class Killed(Exception):
        pass

    writes = []

    def stop_after_two(*given: object) -> None:
        if len(writes) == 2:
            raise Killed
        writes.append(given)
        write(*given)  # type: ignore[arg-type]

    write = fit_module.write_row
    monkeypatch.setattr(fit_module, "write_row", stop_after_two)
    with pytest.raises(Killed):
        train_network(learned, chooses, VQ, TINY, CPU, tmp_path / "killed")
    monkeypatch.setattr(fit_module, "write_row", write)
    train_network(learned, chooses, VQ, TINY, CPU, tmp_path / "killed")
    resumed = load_file(tmp_path / "killed" / BEST)
    for name, value in kept.items():
        torch.testing.assert_close(resumed[name], value, rtol=1e-3, atol=1e-4)


def test_history_says_what_was_trained_on() -> None:
    assert history(TINY) == "4 epochs on 8 simulated scans at 64 px, started from random (from scratch)"


def test_parts_are_joined_field_by_field() -> None:
    both = together([SCANS, drawn(1, 2)])
    assert len(both.target) == 12
    assert all(len(getattr(both, field.name)) == 12 for field in fields(Scans))


@pytest.mark.parametrize("name", NETWORKS)
def test_the_four_networks_are_those_of_the_source(name: str) -> None:
    with torch.device("meta"):
        model = build(NETWORKS[name], 96)
    millions = sum(weight.numel() for weight in model.parameters()) / 1e6
    expected = {"VGG-16": 14.7, "ResNet-18": 11.2, "Inception-ResNet-v2": 54.3, "SE-ResNeXt-101": 46.9}[name]
    assert millions == pytest.approx(expected, abs=0.3)
