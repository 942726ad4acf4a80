"""Train a network for the type of a lung scan, and keep its best epoch (methods section 4)."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from cxrkit.task import Task
from train import norms
from train.epochs import PROGRESS, read_rows, write_row
from train.identity import identity_of
from train.samplers import ByEpoch
from train.stored import BEST, HISTORY, initialisation, save, start_from
from train.trainer import FitSettings, Judge, fit
from train.vq.answers import logits_of, scores
from train.vq.augment import Change, Strength, apply, draw
from train.vq.networks import build
from train.vq.scans import KINDS, Recipe, Scans, network_input

CHOICE = "accuracy of choice"
"""The column that the best epoch is chosen by; among equals the lower loss of choice, which tells more of 40 scans."""

_LOSS = "loss of choice"


@dataclass(frozen=True)
class Settings:
    """Of one training run.

    Attributes:
        network: timm's name.
        size: side of what the network reads.
        epochs: the source's 100, or what two cores can do.
        early_epochs, early_size: the first of them read images reduced to this side, at a fraction of the time.
        batch: scans of a batch.
        learning_rate: peak of one cycle.
        weight_decay: of AdamW.
        ema_decay: of the averaged weights.
        learned: recipes of the scans that are trained on.
        chooses: recipes of those that the best epoch is chosen by.
        norm_images: training scans that batch norm's statistics are measured on before an epoch is judged.
        necks_hidden: share of the draws in which everything above the lungs is emptied; 1 = a network without necks.
        strength: of the augmentation; None = none.
        seed: of initialisation and draws.
        pretrained: let timm download ImageNet weights, as the source has them.
        init: safetensors file to start from.
    """

    network: str
    learned: tuple[Recipe, ...]
    chooses: tuple[Recipe, ...]
    size: int = 112
    epochs: int = 10
    early_epochs: int = 0
    early_size: int = 64
    batch: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    ema_decay: float = 0.99
    norm_images: int = 256
    necks_hidden: float = 0.0
    strength: Strength | None = field(default_factory=Strength)
    seed: int = 0
    pretrained: bool = False
    init: Path | None = None

    @property
    def image_size(self) -> int:
        """Side of what the network reads."""
        return self.size


def train_network(
    learned: Scans, chooses: Scans, task: Task, settings: Settings, how: FitSettings, run: Path
) -> nn.Module:
    """Train, or go on where a killed run stopped.

    Args:
        learned: what is trained on.
        chooses: what the best epoch is chosen by.
        task: for mean and std.
        settings: of the run.
        how: hardware and precision.
        run: folder for checkpoints and progress.

    Returns:
        The network of the best epoch, with its averaged weights, in eval mode.
    """
    lightning.seed_everything(settings.seed, verbose=False)
    model = build(settings.network, settings.size, pretrained=settings.pretrained)
    if settings.init:
        start_from(model, settings.init)
    data = Pictures(learned, task, settings)
    sampler = Parity(learned.target, settings.seed)
    batches = DataLoader(data, batch_size=settings.batch, sampler=sampler, drop_last=len(sampler) > settings.batch)
    how = replace(
        how,
        epochs=settings.epochs,
        early_epochs=settings.early_epochs,
        early_size=settings.early_size,
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
        ema_decay=settings.ema_decay,
    )
    identity = identity_of(settings, learned.views, learned.target)
    fit(model.train(), _loss, batches, how, run / "fit", identity, _judge(chooses, data, settings, run))
    model.load_state_dict(load_file(run / BEST))
    return model.eval()


def _loss(model: nn.Module, batch: Any) -> Tensor:
    images, targets = batch
    return nn.functional.cross_entropy(model(images).float(), targets, label_smoothing=0.02)


def _judge(chooses: Scans, data: "Pictures", settings: Settings, run: Path) -> Judge:
    """Write an epoch's row, and keep its weights where no earlier epoch was better."""
    views = chooses.seen(necks=settings.necks_hidden < 1)
    since = time.monotonic()

    def judge(model: nn.Module, epoch: int) -> None:
        nonlocal since
        fresh = with_fresh_norms(model, data, settings)
        logits = logits_of(fresh, views, data.task, settings.size)
        right = float(np.mean((scores(logits) >= 0.5) == (chooses.target == KINDS.index("perfusion"))))
        loss = float(nn.functional.cross_entropy(torch.from_numpy(logits), torch.from_numpy(chooses.target)))
        # The table keeps five digits: compared as they are kept, or equal epochs would not be equal.
        right, loss = float(f"{right:.5g}"), float(f"{loss:.5g}")
        rows = [row for row in read_rows(run / PROGRESS) if int(row["epoch"]) < epoch]
        best = min(((-float(row[CHOICE]), float(row[_LOSS])) for row in rows), default=(1.0, np.inf))
        seconds = time.monotonic() - since
        since = time.monotonic()
        write_row(run / PROGRESS, {"stage": 0, "epoch": epoch, CHOICE: right, _LOSS: loss, "seconds": seconds})
        if (-right, loss) <= best:
            save(fresh, run / BEST, {HISTORY: history(settings)})

    return judge


def with_fresh_norms(model: nn.Module, data: "Pictures", settings: Settings) -> nn.Module:
    """The network with batch norm's statistics of its averaged weights; see train.norms."""
    drawn = list(Parity(data.scans.target, settings.seed))[: settings.norm_images]

    def show(fresh: nn.Module) -> None:
        device = next(fresh.parameters()).device
        for images, _ in DataLoader(data, batch_size=min(settings.batch, len(drawn)), sampler=drawn, drop_last=True):
            fresh(images.to(device))

    return norms.with_fresh_norms(model, settings.seed, show)


def history(settings: Settings) -> str:
    """How a network was trained, in words."""
    scans = sum(recipe.perfusion + recipe.ventilation for recipe in settings.learned)
    early = f" (the first {settings.early_epochs} at {settings.early_size} px)" if settings.early_epochs else ""
    return (
        f"{settings.epochs} epochs on {scans:,} simulated scans at {settings.size} px{early}, started from "
        f"{initialisation(settings.init, pretrained=settings.pretrained)}"
    )


Place = tuple[int, int]
"""Number of a scan, and seed of the changes to it."""


class Pictures(Dataset[tuple[Tensor, int]]):
    """Scans changed anew each time they are drawn, normalised as the task says.

    Args:
        scans: what is drawn from.
        task: for mean and std.
        settings: strength of the changes, size, and how often necks are emptied.
    """

    def __init__(self, scans: Scans, task: Task, settings: Settings) -> None:
        self.scans, self.task, self.settings = scans, task, settings

    def __len__(self) -> int:
        return len(self.scans.target)

    def __getitem__(self, place: Place) -> tuple[Tensor, int]:
        index, seed = place
        random = np.random.default_rng(seed)
        views = self.scans.seen(necks=random.random() >= self.settings.necks_hidden)
        change = Change() if self.settings.strength is None else draw(self.settings.strength, random)
        seen = network_input(apply(views[index], change), self.task, self.settings.size)
        return torch.from_numpy(seen), int(self.scans.target[index])


class Parity(ByEpoch[Place]):
    """Draws both kinds equally often: every scan of the larger one once, and of the smaller one as often as it takes.

    What an epoch draws, and how it is changed, follows from the seed and the epoch's number, so a run that goes on
    trains as it would have.

    Args:
        target: [N] class indices.
        seed: of the order.
    """

    def __init__(self, target: NDArray[np.int64], seed: int) -> None:
        self.groups = [np.flatnonzero(target == kind) for kind in np.unique(target)]
        self.each = max(len(group) for group in self.groups)
        self.seed = seed

    def __len__(self) -> int:
        return self.each * len(self.groups)

    def __iter__(self) -> Iterator[Place]:
        random = np.random.default_rng([self.seed, self.epoch])
        rounds = [
            np.concatenate([random.permutation(group) for _ in range(-(-self.each // len(group)))])[: self.each]
            for group in self.groups
        ]
        order = random.permutation(np.concatenate(rounds))
        return iter(zip(order.tolist(), random.integers(2**31, size=len(order)).tolist(), strict=True))
