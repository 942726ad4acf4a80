"""Training of bone age: every part left out trains a step, a killed run goes on, the best epoch is kept."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from cxrkit.errors import InputError, WeightsError
from tests.train.hand_sets import SIZE, TASK, small_material
from train.bone_age import fit as fit_module
from train.bone_age.answers import Answers, answers, together
from train.bone_age.data import Pictures, Shares
from train.bone_age.fit import Settings, train_network, with_fresh_norms
from train.bone_age.images import Material, Shown
from train.bone_age.losses import Batch, LossSettings, losses
from train.bone_age.networks import NetworkSettings, build
from train.bone_age.progress import CHOICE, Recorder, figures
from train.epochs import PROGRESS, read_rows
from train.stored import BEST, start_from
from train.trainer import FitSettings

CPU = FitSettings(accelerator="cpu", precision="32-true")
TINY = Settings(
    network=NetworkSettings("test_resnet"),
    stages=((SIZE, 2, 8), (SIZE, 2, 8)),
    early_epochs=0,
    large=(0.25, 0.5),
    batch=4,
    workers=0,
    norm_images=8,
)

NETWORKS = {
    "whole": NetworkSettings(),
    "without CBAM": NetworkSettings(cbam=False),
    "without shortcuts": NetworkSettings(shortcuts=False),
    "without Inception": NetworkSettings(inception=False),
    "without sex head": NetworkSettings(sex_head=False),
    **{f"blocks 1 to {count} frozen": NetworkSettings(frozen=count) for count in (1, 2, 3, 4)},
    "ResNet-18": NetworkSettings("resnet18"),
}


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    return small_material(tmp_path_factory.mktemp("bone_age"))


def batch(hands: int = 4) -> Batch:
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(hands, 1, SIZE, SIZE, generator=generator)
    return Batch(image, torch.linspace(10, 220, hands), torch.arange(hands) % 2)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_trains_a_step(name: str) -> None:
    torch.manual_seed(0)
    settings = NETWORKS[name]
    model = build(settings).train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    optimiser = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    hands = batch()
    logits = model(hands.image, hands.sex)
    assert logits.shape == (4, 79 if settings.sex_head else 77)
    how = LossSettings(sex=0.3, spread=6.0, expectation=1.0)
    losses(logits, hands, how).total(how).backward()  # type: ignore[no-untyped-call]
    missing = [key for key, weight in model.named_parameters() if weight.requires_grad and weight.grad is None]
    assert not missing
    optimiser.step()
    frozen = tuple(f"blocks.{block}." for block in range(settings.frozen))
    for key, value in model.state_dict().items():
        if key.startswith(frozen) and frozen:
            torch.testing.assert_close(value, before[key], rtol=0, atol=0)
        elif key.endswith("conv.weight") or key.endswith(".0.weight"):
            assert not torch.equal(value, before[key]), key


def test_a_given_sex_changes_the_age_and_not_the_sex_as_read() -> None:
    torch.manual_seed(0)
    for settings in (NetworkSettings(), NetworkSettings("resnet18")):
        model = build(settings).eval()
        one = batch()
        with torch.no_grad():
            girls, boys = (model(one.image, torch.full((4,), sex)) for sex in (0, 1))
        torch.testing.assert_close(girls[:, 77:], boys[:, 77:])
        assert not torch.allclose(girls[:, :77], boys[:, :77], atol=1e-4)


class Killed:
    """Loss that stops the run like a kill would, after so many batches."""

    def __init__(self, after: int) -> None:
        self.left, self.real = after, losses

    def __call__(self, *given: object) -> object:
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("killed")
        return self.real(*given)  # type: ignore[arg-type]


class Followed(Shares):
    """Remembers which epochs of which seed were drawn."""

    drawn: ClassVar[list[tuple[int, int]]] = []

    def __iter__(self) -> Iterator[int]:
        self.drawn.append((self.seed, self.epoch))
        return super().__iter__()


@pytest.fixture(scope="module")
def killed_and_finished(material: Material, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A run that was killed in its second stage's second epoch and then finished; batches after the kill."""
    run = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit_module, "losses", Killed(7))
        with pytest.raises(RuntimeError, match="killed"):
            train_network(material, TINY, CPU, run)
        counted = Killed(100)
        patch.setattr(fit_module, "losses", counted)
        patch.setattr(fit_module, "Shares", Followed)
        train_network(material, TINY, CPU, run)
    return run, 100 - counted.left


def test_a_killed_run_goes_on(killed_and_finished: tuple[Path, int]) -> None:
    run, batches = killed_and_finished
    assert batches == 2, "of eight batches six were in finished epochs"
    assert {epoch for seed, epoch in Followed.drawn if seed == 1} == {1}, "it draws what it would have drawn"
    rows = read_rows(run / PROGRESS)
    assert [(row["stage"], row["epoch"]) for row in rows] == [("0", "1"), ("0", "2"), ("1", "1"), ("1", "2")]
    names = {"MAD 100 px", "MAD by arg-max 100 px", "sex right 100 px", "MAD larger", "MAD by arg-max larger"}
    assert names | {"seconds", "loss", "age", "expectation, years", "sex", CHOICE} <= set(rows[0])
    assert all(0 <= float(row["MAD larger"]) <= 228 for row in rows)


def test_what_comes_back_is_the_best_epoch_of_the_last_stage(
    killed_and_finished: tuple[Path, int], material: Material
) -> None:
    run, _ = killed_and_finished
    model = train_network(material, TINY, CPU, run)
    assert not model.training
    stored = load_file(run / BEST)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, stored[name], rtol=0, atol=0)
    part = material.parts.choice
    kinds = {"100 px": material.small(part, SIZE), "larger": material.large(part, SIZE)}
    found = figures({name: answers(model, shown, TASK) for name, shown in kinds.items()})
    best = min(float(row[CHOICE]) for row in read_rows(run / PROGRESS) if row["stage"] == "1")
    assert found[CHOICE] == pytest.approx(best, rel=1e-4)


def test_other_stages_are_another_run(killed_and_finished: tuple[Path, int], material: Material) -> None:
    """They would share the file of the best network."""
    run, _ = killed_and_finished
    with pytest.raises(InputError, match="differs in: stages"):
        train_network(material, replace(TINY, stages=((32, 1, 8), *TINY.stages)), CPU, run)


def test_a_network_learns_hands_by_heart(material: Material, tmp_path: Path) -> None:
    known = replace(material, parts=replace(material.parts, choice=material.parts.training))
    settings = replace(
        TINY, network=NetworkSettings("test_resnet"), stages=((64, 6, 32),), large=(0.0,), strength=None, ema_decay=0.0
    )
    train_network(known, settings, CPU, tmp_path)
    rows = read_rows(tmp_path / PROGRESS)
    spread = np.std([hand.months for hand in material.parts.training])
    assert float(rows[-1]["MAD 100 px"]) < 0.5 * spread
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])


def test_early_epochs_read_reduced_images(material: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sides: list[int] = []

    def seen(logits: torch.Tensor, hands: Batch, *given: object) -> object:
        sides.append(hands.image.shape[-1])
        return losses(logits, hands, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(fit_module, "losses", seen)
    stages = ((64, 2, 8), (64, 1, 16))
    settings = replace(
        TINY, network=NetworkSettings("test_resnet"), stages=stages, early_epochs=1, early_size=32, norm_images=0
    )
    train_network(material, settings, CPU, tmp_path)
    assert sides == [32] * 2 + [64] * 6


def test_norms_are_measured_anew_on_a_copy_and_frozen_blocks_keep_theirs(material: Material) -> None:
    torch.manual_seed(0)
    model = build(NetworkSettings(frozen=1))
    shown = material.small(material.parts.training, SIZE)
    data = Pictures([shown], TASK)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.random.get_rng_state()
    fresh = with_fresh_norms(model, data, replace(TINY, norm_images=16, batch=16))
    assert torch.equal(torch.random.get_rng_state(), state)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)
    images = torch.stack([data[number][0] for number in range(16)])
    convolution, norm, _ = fresh.blocks[1][0]  # type: ignore[index]
    with torch.no_grad():
        maps = convolution(fresh.blocks[0](images))  # type: ignore[index,operator]
    torch.testing.assert_close(norm.running_mean, maps.mean(dim=(0, 2, 3)), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(fresh.blocks[0][0][1].running_mean, model.blocks[0][0][1].running_mean)  # type: ignore[index]
    assert not fresh.training


def test_starting_from_a_file(tmp_path: Path) -> None:
    torch.manual_seed(0)
    first = build(NetworkSettings())
    state = {name: value.contiguous() for name, value in first.state_dict().items()}
    save_file(
        {name: value.half() if value.is_floating_point() else value for name, value in state.items()}, tmp_path / "a"
    )
    second = build(NetworkSettings(sex_head=False))
    start_from(second, tmp_path / "a")
    torch.testing.assert_close(second.get_parameter("age.0.weight"), state["age.0.weight"], rtol=1e-3, atol=1e-4)
    with pytest.raises(WeightsError, match="does not exist"):
        start_from(second, tmp_path / "missing")
    save_file({"other": torch.zeros(1)}, tmp_path / "b")
    with pytest.raises(WeightsError, match="No tensor"):
        start_from(second, tmp_path / "b")


def test_answers_are_those_of_the_network(material: Material) -> None:
    torch.manual_seed(0)
    model = build(NetworkSettings()).eval()
    shown = material.small(material.parts.choice, SIZE)
    found = answers(model, shown, TASK, batch=4)
    images = torch.stack([Pictures([shown], TASK)[number][0] for number in range(len(shown.hands))])
    with torch.no_grad():
        logits = model(images, torch.tensor(shown.sex)).double().numpy()
    rows = np.arange(len(shown.hands))
    np.testing.assert_allclose(found.ages[rows, found.sex], logits[:, :77], atol=1e-4)
    np.testing.assert_allclose(found.sexes, logits[:, 77:], atol=1e-4)
    given = np.exp(logits[:, :77]) / np.exp(logits[:, :77]).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.expected, given @ (3.0 * np.arange(77)), atol=1e-3)
    both = together(found, found)
    assert isinstance(both, Answers)
    np.testing.assert_allclose(both.expected, np.tile(found.expected, 2))
    np.testing.assert_allclose(found.unstated.sum(axis=1), 1)


def test_figures_of_an_epoch() -> None:
    ages = np.full((2, 2, 77), -50.0)
    ages[0, :, 10] = ages[1, :, 20] = 50.0
    one = Answers(np.array([33.0, 50.0]), np.array([0, 1]), ages, np.array([[1.0, 0.0], [1.0, 0.0]]))
    without = Answers(one.months, one.sex, ages, np.zeros((2, 0)))
    found = figures({"100 px": one, "larger": without})
    assert found["MAD 100 px"] == pytest.approx((3 + 10) / 2)
    assert found["MAD by arg-max 100 px"] == pytest.approx((3 + 10) / 2)
    assert found["sex right 100 px"] == 0.5
    assert "sex right larger" not in found
    assert found[CHOICE] == pytest.approx(6.5)


def test_the_recorder_means_batches() -> None:
    recorder = Recorder()
    hands = batch()
    for logits in (torch.zeros(4, 79), torch.ones(4, 79)):
        one = losses(logits, hands, LossSettings())
        recorder.add(one.total(LossSettings()), one)
    means = recorder.means()
    assert means["age"] == pytest.approx(np.log(77), rel=1e-5)
    assert means["sex"] == pytest.approx(np.log(2), rel=1e-5)
    assert means["loss"] == pytest.approx(np.log(77) + np.log(2), rel=1e-5)
    recorder.clear()
    assert set(recorder.sums) == set()


def test_an_empty_kind_is_left_out(material: Material) -> None:
    nothing = Shown((), np.zeros((0, SIZE, SIZE), np.uint8), np.zeros(0, np.int64), SIZE)
    assert len(Pictures([material.small(material.parts.choice, SIZE), nothing], TASK)) == len(material.parts.choice)
