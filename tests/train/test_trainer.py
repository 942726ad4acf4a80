"""A run that is killed goes on where it stopped; the averaged weights are what comes back."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from cxrkit.errors import InputError
from train.identity import identity_of
from train.samplers import ByEpoch
from train.trainer import FitSettings, _batches, chosen_precision, fit, moving_average, one_cycle

RUN = {"seed": "0"}
REPOSITORY = Path(__file__).parents[2]
SETTINGS = FitSettings(
    epochs=4, learning_rate=0.05, weight_decay=0.0, ema_decay=0.5, precision="32-true", accelerator="cpu"
)


class Counted:
    """Loss that counts its batches and can stop the run like a kill would."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.batches = 0
        self.sizes: list[int] = []
        self.stop_after = stop_after

    def __call__(self, model: nn.Module, batch: list[Tensor]) -> Tensor:
        if self.batches == self.stop_after:
            raise RuntimeError("killed")
        self.batches += 1
        self.sizes.append(batch[0].shape[-1])
        return nn.functional.mse_loss(model(batch[0])[:, 0], batch[1])


class Mean(nn.Module):
    """Image -> weight * its mean."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(1, 1)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.linear(x.mean(dim=(2, 3)))
        return result


def loader() -> DataLoader[tuple[Tensor, ...]]:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(32, 1, 8, 8, generator=generator)
    return DataLoader(TensorDataset(images, 3 * images.mean(dim=(1, 2, 3)) + 1), batch_size=8)


def test_a_killed_run_goes_on(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="killed"):
        fit(Mean(), Counted(stop_after=10), loader(), SETTINGS, tmp_path, RUN)
    resumed = Counted()
    fit(Mean(), resumed, loader(), SETTINGS, tmp_path, RUN)
    assert resumed.batches == 8, "two of four epochs were finished before the kill, two remain"


class Turns(ByEpoch[int]):
    """Remembers which epochs it drew."""

    def __init__(self) -> None:
        self.drawn = list[int]()

    def __len__(self) -> int:
        return 32

    def __iter__(self) -> Iterator[int]:
        self.drawn.append(self.epoch)
        return iter(range(32))


@pytest.mark.parametrize(("batch", "processes", "whole"), [(64, 1, True), (32, 2, True), (64, 1, False)])
def test_an_epoch_without_a_whole_batch_is_refused(batch: int, processes: int, whole: bool, tmp_path: Path) -> None:
    short = DataLoader(loader().dataset, batch_size=batch, drop_last=whole)
    how = replace(SETTINGS, devices=processes)
    if not whole:
        fit(Mean(), Counted(), short, how, tmp_path, RUN)
        return
    with pytest.raises(InputError, match="too few images for one batch"):
        fit(Mean(), Counted(), short, how, tmp_path, RUN)
    assert not list(tmp_path.iterdir()), "nothing is begun"


def test_steps_of_several_processes_are_those_that_lightning_deals_out() -> None:
    images = TensorDataset(torch.zeros(127, 1))
    assert _batches(DataLoader(images, batch_size=32, drop_last=True), 2) == 2, "64 and 63, one repeated"
    assert _batches(DataLoader(images, batch_size=32, drop_last=True), 1) == 3
    assert _batches(DataLoader(images, batch_size=60), 2) == 2


def test_a_run_in_a_folder_that_moved_ends_with_its_average(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="killed"):
        fit(Mean(), Counted(stop_after=10), loader(), SETTINGS, tmp_path / "here", RUN)
    (tmp_path / "here").rename(tmp_path / "there")
    with pytest.warns(UserWarning, match="dirpath has changed"):
        ended = fit(Mean(), Counted(), loader(), SETTINGS, tmp_path / "there", RUN)
    again = fit(Mean(), Counted(), loader(), SETTINGS, tmp_path / "there", RUN)
    for one, other in zip(ended.parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(one, other)
    assert [file.name for file in (tmp_path / "there" / "checkpoints").glob("last*")] == ["last.ckpt"]


@pytest.mark.parametrize("workers", [0, 1])
def test_a_resumed_run_draws_the_epochs_that_remain(tmp_path: Path, workers: int) -> None:
    data = loader().dataset

    def drawing(turns: Turns) -> DataLoader[tuple[Tensor, ...]]:
        return DataLoader(data, batch_size=8, sampler=turns, num_workers=workers)

    with pytest.raises(RuntimeError, match="killed"):
        fit(Mean(), Counted(stop_after=10), drawing(Turns()), SETTINGS, tmp_path, RUN)
    turns = Turns()
    fit(Mean(), Counted(), drawing(turns), SETTINGS, tmp_path, RUN)
    assert turns.drawn[0] == 2
    assert set(turns.drawn) == {2, 3}
    assert turns.epoch == 4, "also where Lightning tells a wrapper of the sampler alone"


def test_a_finished_run_gives_its_averaged_weights_again(tmp_path: Path) -> None:
    first = fit(Mean(), Counted(), loader(), SETTINGS, tmp_path, RUN)
    again = Counted()
    second = fit(Mean(), again, loader(), SETTINGS, tmp_path, RUN)
    assert again.batches == 0
    for name, value in first.state_dict().items():
        torch.testing.assert_close(second.state_dict()[name], value, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("settings", "identity", "words"),
    [
        (replace(SETTINGS, learning_rate=0.1), RUN, "learning_rate"),
        (replace(SETTINGS, epochs=8), RUN, "epochs"),
        (SETTINGS, {"seed": "1"}, "seed"),
    ],
)
def test_the_folder_of_another_run_is_refused(
    settings: FitSettings, identity: dict[str, str], words: str, tmp_path: Path
) -> None:
    first = fit(Mean(), Counted(), loader(), SETTINGS, tmp_path, RUN)
    with pytest.raises(InputError, match=f"differs in: {words}.*--run"):
        fit(Mean(), Counted(), loader(), settings, tmp_path, identity)
    with pytest.raises(InputError, match="differs in: steps"):  # two devices halve them
        fit(Mean(), Counted(), loader(), replace(SETTINGS, devices=2), tmp_path, RUN)
    again = fit(Mean(), Counted(), loader(), replace(SETTINGS, precision="32"), tmp_path, RUN)
    torch.testing.assert_close(again.state_dict(), first.state_dict(), rtol=0, atol=0)


def test_a_run_is_told_by_what_it_learns_from_and_starts_from(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Some:
        init: Path | None = None
        workers: int = 1

    cases = np.arange(12).reshape(3, 4)
    before = identity_of(Some(), cases)
    assert identity_of(Some(workers=7), cases.copy()) == before
    assert identity_of(Some(), cases.reshape(4, 3)) != before
    assert identity_of(Some(), cases[::-1]) != before
    file, moved = tmp_path / "a" / "best.safetensors", tmp_path / "b" / "best.safetensors"
    for number, place in enumerate((file, moved)):
        place.parent.mkdir()
        save_file({"weight": torch.full((3,), float(number))}, place)
    first = identity_of(Some(file), cases)
    assert identity_of(Some(moved), cases) != first
    for _ in range(3):  # what is told in such a file comes in another order each time
        save_file({"weight": torch.zeros(3)}, moved, {f"{number}": "told" for number in range(12)})
        assert identity_of(Some(moved), cases) == first


def test_the_judge_sees_the_average_after_each_epoch_and_training_goes_on_as_without_it(tmp_path: Path) -> None:
    seen: list[tuple[int, bool, bool, Tensor]] = []

    def judge(model: nn.Module, epoch: int) -> None:
        seen.append((epoch, model.training, torch.is_grad_enabled(), model.get_parameter("linear.weight").clone()))

    torch.manual_seed(0)
    judged = fit(Mean(), Counted(), loader(), SETTINGS, tmp_path / "judged", RUN, judge)
    torch.manual_seed(0)
    plain = fit(Mean(), Counted(), loader(), SETTINGS, tmp_path / "plain", RUN)
    assert [(epoch, training, gradients) for epoch, training, gradients, _ in seen] == [
        (epoch, False, False) for epoch in (1, 2, 3, 4)
    ]
    final = judged.get_parameter("linear.weight")
    torch.testing.assert_close(final, plain.get_parameter("linear.weight"), rtol=0, atol=0)
    torch.testing.assert_close(seen[-1][3], final, rtol=0, atol=0)
    assert not torch.equal(seen[0][3], final)


def test_fitting_learns_and_early_epochs_are_small(tmp_path: Path) -> None:
    torch.manual_seed(0)
    settings = FitSettings(
        **{**SETTINGS.__dict__, "epochs": 40, "early_epochs": 3, "early_size": 4, "learning_rate": 0.3}
    )
    loss = Counted()
    model = fit(Mean(), loss, loader(), settings, tmp_path, RUN)
    assert loss.sizes[:12] == [4] * 12
    assert set(loss.sizes[12:]) == {8}
    assert not model.training
    images = torch.full((1, 1, 8, 8), 0.5)
    with torch.no_grad():
        found = float(model(images))
    assert found == pytest.approx(2.5, abs=0.1)


@pytest.mark.parametrize("steps", [1, 2, 3, 40])
def test_a_cycle_of_few_steps_rises_to_its_rate(steps: int) -> None:
    optimiser, cycle = one_cycle(nn.Linear(1, 1), FitSettings(learning_rate=1.0), steps)
    rates = []
    for _ in range(steps):
        optimiser.step()
        rates.append(cycle.get_last_lr()[0])
        cycle.step()
    assert all(0 < rate <= 1 for rate in rates)
    assert steps < 3 or max(rates) > 0.9


def test_a_short_run_keeps_nothing_of_its_random_start() -> None:
    average = moving_average(0.995)
    value = torch.tensor(100.0)
    for step in range(100):
        average([value], [torch.tensor(1.0)], step)
    assert float(value) == pytest.approx(1, abs=0.01)
    late = [torch.tensor(0.0), torch.tensor(2.0)]
    average(late, [torch.tensor(1.0), torch.tensor(1.0)], 10**6)
    assert [float(each) for each in late] == pytest.approx([0.005, 1.995])
    counter = torch.tensor(3)
    average([counter], [torch.tensor(9)], 5)
    assert int(counter) == 9, "counters are not averaged"


def test_training_starts_no_opencv_threads_that_a_worker_could_wait_for() -> None:
    program = "import train.image_guard.augment, cv2; print(cv2.getNumThreads())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert done.stdout.strip() == "1"


def test_auto_takes_bfloat16_only_where_the_device_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for able, name in (({"avx512_bf16": True}, "bf16-mixed"), ({"amx_bf16": True}, "bf16-mixed"), ({}, "32-true")):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda able=able: able)
        assert chosen_precision("auto") == name
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert chosen_precision("auto") == "bf16-mixed"
    assert chosen_precision("auto", "cpu") == "32-true"
    assert FitSettings().device().type == "cuda"
    assert FitSettings(accelerator="cpu").device().type == "cpu"
    assert chosen_precision("16-mixed") == "16-mixed"
