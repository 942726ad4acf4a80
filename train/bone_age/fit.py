"""Train a network for bone age: settings, stages of growing image size, and the epoch that is kept."""

from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from train import norms
from train.bone_age.answers import Answers, answers
from train.bone_age.augment import Strength
from train.bone_age.data import Pictures, Shares, loader
from train.bone_age.images import Material, Shown
from train.bone_age.losses import Batch, ClassWeights, Losses, LossSettings, losses
from train.bone_age.networks import NetworkSettings, build
from train.bone_age.progress import CHOICE, Recorder, figures
from train.epochs import PROGRESS, earlier, write_row
from train.identity import begun, identity_of, keep_identity
from train.stages import Stage, stages_in_words
from train.stored import BEST, HISTORY, initialisation, save, start_from
from train.trainer import FitSettings, Judge, Loss, fit


@dataclass(frozen=True)
class Settings:
    """Of one training run. The defaults are what ships; `study.scale_of` has the source's.

    Attributes:
        network: which.
        loss: which losses.
        stages: side, epochs, and images an epoch, the last one at the size that the network will read; short epochs,
            because a killed run goes on at its last whole epoch.
        early_epochs, early_size: the first epochs of the first stage read its images reduced to this side, at a
            fraction of the time.
        large: share of the larger images in each stage's draws, the others being those of 100 pixels.
        strength: of the augmentation; None = none.
        batch: the source has 16.
        learning_rate: peak of the first stage's cycle; the source's Adam has 1e-3, for its smaller batch.
        later: factor on the peak from stage to stage.
        weight_decay: of AdamW; 0 makes it the source's Adam.
        ema_decay: of the averaged weights; 0 = none.
        norm_images: training images that batch norm's statistics are measured anew on before an epoch is judged;
            0 = the running ones, which lag behind averaged weights.
        workers: processes that change pictures.
        seed: of initialisation, division of the hands, and draws.
        init: safetensors file to start from; what fits in name and shape is taken.
    """

    network: NetworkSettings = field(default_factory=NetworkSettings)
    loss: LossSettings = field(default_factory=lambda: LossSettings(sex=0.3, spread=6.0, expectation=1.0))
    stages: tuple[Stage, ...] = ((192, 40, 9000),)
    early_epochs: int = 0
    early_size: int = 128
    large: tuple[float, ...] = (0.1,)
    strength: Strength | None = field(default_factory=Strength)
    batch: int = 64
    learning_rate: float = 2e-3
    later: float = 0.4
    weight_decay: float = 0.02
    ema_decay: float = 0.998
    norm_images: int = 512
    workers: int = 1
    seed: int = 0
    init: Path | None = None

    @property
    def image_size(self) -> int:
        """What the network reads in the end."""
        return self.stages[-1][0]


def train_network(material: Material, settings: Settings, how: FitSettings, run: Path) -> nn.Module:
    """Train through all stages, or go on where a killed run stopped.

    Returns:
        The network of the last stage's best epoch, with its averaged weights, in eval mode.

    Raises:
        InputError: the folder holds a run of other settings or cases.
        WeightsError: nothing of `init` fits.
    """
    lightning.seed_everything(settings.seed, verbose=False)
    model = build(settings.network)
    if settings.init:
        start_from(model, settings.init)
    keep_identity(run, identity_of(settings, material.parts.training), begun=begun(run))
    for number in range(len(settings.stages)):
        lightning.seed_everything(settings.seed + number, verbose=False)
        _train_stage(model, material, settings, number, how, run)
    model.load_state_dict(load_file(run / BEST))
    return model.eval()


def _train_stage(
    model: nn.Module, material: Material, settings: Settings, number: int, how: FitSettings, run: Path
) -> None:
    size, epochs, images = settings.stages[number]
    learned = material.parts.training
    kinds = (material.small(learned, size), material.large(learned, size))
    data = Pictures(kinds, material.task, settings.strength)
    share = settings.large[min(number, len(settings.large) - 1)]
    counts = [len(kind.hands) for kind in kinds]
    sampler = Shares(counts, (1 - share, share), images, settings.seed + number)
    how = replace(
        how,
        epochs=epochs,
        early_epochs=settings.early_epochs if number == 0 and settings.early_size < size else 0,
        early_size=settings.early_size,
        learning_rate=settings.learning_rate * settings.later**number,
        weight_decay=settings.weight_decay,
        ema_decay=settings.ema_decay,
    )
    recorder = Recorder()
    judge = _judge(material, settings, number, data, recorder, run)
    loss = recorded_loss(settings, recorder, [hand.months for hand in learned])
    batches = loader(data, sampler, settings.batch, settings.workers)
    fit(model.train(), loss, batches, how, run / f"stage_{number}_{size}", identity_of(settings, learned), judge)


def recorded_loss(settings: Settings, recorder: Recorder, months: list[float]) -> Loss:
    """The total loss of a batch; its parts go to the recorder."""
    frequency = ClassWeights(months) if settings.loss.balanced else None

    def loss(model: nn.Module, batch: Any) -> Tensor:
        hands = Batch(*batch)
        found: Losses = losses(model(hands.image, hands.sex), hands, settings.loss, frequency)
        total = found.total(settings.loss)
        recorder.add(total, found)
        return total

    return loss


def _judge(material: Material, settings: Settings, number: int, data: Pictures, recorder: Recorder, run: Path) -> Judge:
    """Write an epoch's row, and in the last stage keep the weights of the best epoch."""
    size = settings.stages[number][0]
    part = material.parts.choice
    judged = cache(lambda: {"100 px": material.small(part, size), "larger": material.large(part, size)})

    def judge(model: nn.Module, epoch: int) -> None:
        fresh = with_fresh_norms(model, data, settings)
        found = figures({name: _read(fresh, shown, material) for name, shown in judged().items() if shown.hands})
        row = {"stage": number, "size": size, "epoch": epoch} | recorder.means() | found
        recorder.clear()
        before = earlier(run / PROGRESS, number, epoch, CHOICE)
        write_row(run / PROGRESS, row)
        print(*(f"{name} {value:.4g}" for name, value in row.items()), sep="; ", flush=True)
        if number == len(settings.stages) - 1 and found[CHOICE] <= min(before, default=np.inf):
            save(fresh, run / BEST, {HISTORY: history(settings)})

    return judge


def history(settings: Settings) -> str:
    """How a network was trained, in words."""
    stages = stages_in_words(settings.stages)
    early = f", the first {settings.early_epochs} at {settings.early_size} px" if settings.early_epochs else ""
    started = initialisation(settings.init, pretrained=settings.network.pretrained)
    return f"hands ({stages}{early}), started from {started}"


def _read(model: nn.Module, shown: Shown, material: Material) -> Answers:
    return answers(model, shown, material.task)


def with_fresh_norms(model: nn.Module, data: Pictures, settings: Settings) -> nn.Module:
    """The network with batch norm's statistics of its averaged weights; see train.norms."""
    if not settings.norm_images:
        return deepcopy(model).eval()
    images = max(settings.norm_images, settings.batch)
    sampler = Shares([len(data)], (1.0,), images, settings.seed)

    def show(fresh: nn.Module) -> None:
        device = next(fresh.parameters()).device
        for batch in loader(data, sampler, settings.batch, workers=0):
            fresh(batch.image.to(device, memory_format=torch.channels_last), batch.sex.to(device))

    return norms.with_fresh_norms(model, settings.seed, show)
