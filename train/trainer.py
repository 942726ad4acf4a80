"""Supervised training with Lightning: one-cycle AdamW, weight averaging, checkpoints that resume after a kill."""

import ctypes
import platform
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import ModelCheckpoint, TQDMProgressBar, WeightAveraging
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.utilities import rank_zero_only
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn
from torch.utils.data import DataLoader

from cxrkit.errors import InputError
from train.identity import Identity, identity_of, keep_identity
from train.samplers import ByEpoch, NextEpoch

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4
"""Of mallopt(3)."""

Loss = Callable[[nn.Module, Any], Tensor]

Judge = Callable[[nn.Module, int], None]
"""(network with its averaged weights, in eval mode; epochs done), called after each epoch, without gradients."""

Tensors = tuple[Tensor, ...] | list[Tensor]

Scheduled = tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]


@dataclass(frozen=True)
class FitSettings:
    """How to fit, whatever the task.

    Attributes:
        epochs: passes over the training loader.
        learning_rate: peak of the one-cycle schedule.
        weight_decay: of AdamW.
        ema_decay: of the averaged weights that are kept; 0 keeps the last weights.
        early_epochs, early_size: the first epochs read images reduced to this side, at a fraction of the time
            (progressive resizing, Tan and Le 2021).
        precision: Lightning's name, or "auto"; see chosen_precision.
        accelerator, devices, nodes, strategy: Lightning's; several GPUs, processes or nodes train in parallel.
    """

    epochs: int = 1
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    ema_decay: float = 0.995
    early_epochs: int = 0
    early_size: int = 128
    precision: str = "auto"
    accelerator: str = "auto"
    devices: int = 1
    nodes: int = 1
    strategy: str = "auto"

    def device(self) -> torch.device:
        """Where one process of such a training computes: the GPU where there is one and it may be taken."""
        return torch.device("cuda" if _on_gpu(self.accelerator) else "cpu")


Optimiser = Callable[[nn.Module, FitSettings, int], Scheduled]
"""(network, settings, all steps) -> optimiser, and its schedule, which moves on with every step."""


class Supervised(lightning.LightningModule):
    """A network, its loss on a batch, and the optimiser."""

    def __init__(self, model: nn.Module, loss: Loss, settings: FitSettings, steps: int, optimiser: Optimiser) -> None:
        super().__init__()
        self.model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.loss = loss
        self.settings = settings
        self.steps = steps
        self.optimiser = optimiser

    def training_step(self, batch: Any, index: int) -> Tensor:
        del index
        if self.current_epoch < self.settings.early_epochs:
            side = self.settings.early_size
            small = nn.functional.interpolate(batch[0], size=(side, side), mode="area")
            batch = [small, *batch[1:]]
        value = self.loss(self.model, batch)
        self.log("train_loss", value, prog_bar=True, on_step=False, on_epoch=True)
        return value

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        optimiser, schedule = self.optimiser(self.model, self.settings, self.steps)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def is_first_process() -> bool:
    """Whether this is the one of several processes that writes."""
    return int(getattr(rank_zero_only, "rank", 0)) == 0


def chosen_precision(precision: str, accelerator: str = "auto") -> str:
    """Lightning's name of a precision; "auto" takes bfloat16 where the device computes in it.

    On processors with AMX that is some three times quicker than float32; on those without any bfloat16, where it is
    emulated, eleven times slower (TJ-Net, AVX2).
    """
    if precision != "auto":
        return precision
    if _on_gpu(accelerator):
        return "bf16-mixed"
    able = torch.cpu.get_capabilities()
    return "bf16-mixed" if able.get("avx512_bf16") or able.get("amx_bf16") else "32-true"


def _on_gpu(accelerator: str) -> bool:
    return accelerator in {"auto", "cuda", "gpu"} and torch.cuda.is_available()


def keep_freed_memory() -> None:
    """Let the GNU C library keep what is freed, and take no block straight from the system.

    Each step frees and takes the same large blocks. Given back in between, they come as pages that have to be cleared:
    half of a step's time at 256 pixels.
    """
    if platform.libc_ver()[0] == "glibc":
        mallopt = ctypes.CDLL(None).mallopt
        for option, value in ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, 2**31 - 1), (_M_TOP_PAD, 2**28)):
            mallopt(option, value)


def one_cycle(model: nn.Module, settings: FitSettings, steps: int) -> Scheduled:
    """AdamW whose learning rate rises and falls once."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    planned = max(steps, 3)  # a rise and a fall of at least one step each, which the schedule needs
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.learning_rate, total_steps=planned, pct_start=max(0.25, 2 / planned)
    )
    return optimiser, cycle


class _Judged(lightning.Callback):
    """Shows the averaged network to a judge after each epoch, before that epoch's checkpoint is written."""

    def __init__(self, judge: Judge, averaging: WeightAveraging | None) -> None:
        self.judge, self.averaging = judge, averaging

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        # Lightning has the average swapped in while a network is validated, and has no other way to it.
        if self.averaging:
            self.averaging.on_validation_epoch_start(trainer, pl_module)
        pl_module.eval()
        with torch.no_grad(), trainer.precision_plugin.forward_context():
            self.judge(pl_module.model, trainer.current_epoch + 1)  # type: ignore[arg-type]
        pl_module.train()
        if self.averaging:
            self.averaging.on_validation_epoch_end(trainer, pl_module)


def moving_average(decay: float) -> Callable[[Tensors, Tensors, Tensor | int], None]:
    """Exponential moving average whose memory grows to 1 / (1 - decay) steps.

    Without that growth a short run would end with a good part of its random initial weights: 0.995^100 is 0.6.

    Returns:
        (averages, current values, updates so far), tensors of one type; changes the averages in place. One call for
        all tensors, because a GPU takes longer to start a calculation than to average a layer.
    """

    def average(averaged: Tensors, current: Tensors, updates: Tensor | int) -> None:
        kept = min(decay, (1 + float(updates)) / (10 + float(updates)))
        if averaged[0].is_floating_point():
            get_ema_multi_avg_fn(kept)(averaged, current, updates)  # type: ignore[no-untyped-call]
        else:
            for mean, value in zip(averaged, current, strict=True):
                mean.copy_(value)

    return average


def fit(
    model: nn.Module,
    loss: Loss,
    training: "DataLoader[Any]",
    settings: FitSettings,
    run: Path,
    identity: Identity,
    judge: Judge | None = None,
    optimiser: Optimiser = one_cycle,
) -> nn.Module:
    """Train a network, or go on where a killed run stopped.

    Args:
        model: changed in place.
        loss: (model, batch) -> scalar.
        training: loader.
        settings: how.
        run: folder for checkpoints and the log; its checkpoints/last.ckpt is resumed.
        identity: of the task's settings and cases, from `identity_of`.
        judge: looks at the network after each epoch; a killed run may show it the same epoch again.
        optimiser: where not the usual one.

    Returns:
        The network with its averaged weights, in eval mode.

    Raises:
        InputError: the folder holds a run of other settings or cases, or an epoch has no whole batch.
    """
    keep_freed_memory()
    steps = settings.epochs * _batches(training, settings.devices * settings.nodes)
    last = run / "checkpoints" / "last.ckpt"
    if is_first_process():
        keep_identity(run, {**identity_of(settings), **identity, "steps": str(steps)}, begun=last.is_file())
    if last.is_file() and _is_finished(model, training, last, steps):
        return model.eval()
    module = Supervised(model, loss, settings, steps, optimiser)
    trainer = _trainer(settings, run, judge, training.sampler)
    trainer.fit(module, training, ckpt_path=last if last.is_file() else None, weights_only=False)
    return model.eval()


def _batches(training: "DataLoader[Any]", processes: int) -> int:
    """Batches of an epoch in each of several processes, among which Lightning deals the images out.

    Raises:
        InputError: there is none; Lightning would end without a step, and leave the network untrained.
    """
    size, batches = training.batch_size, len(training)
    if processes > 1 and size is not None:
        images = ceil(len(training.sampler) / processes)  # type: ignore[arg-type]
        batches = images // size if training.drop_last else ceil(images / size)
    if batches < 1:
        raise InputError(
            f"An epoch has too few images for one batch of {size} in each of {processes} processes. Draw more images "
            "an epoch, or take smaller batches or fewer processes."
        )
    return batches


def _trainer(settings: FitSettings, run: Path, judge: Judge | None, sampler: object) -> lightning.Trainer:
    """Lightning's, with checkpoints, the moving average and the judge."""
    callbacks: list[lightning.Callback] = [
        ModelCheckpoint(
            dirpath=run / "checkpoints",
            filename="epoch",
            save_last=True,
            save_on_train_epoch_end=True,
            # In a folder that was moved, another version would be written beside the last one.
            enable_version_counter=False,
        ),
        TQDMProgressBar(refresh_rate=10),
    ]
    averaging = WeightAveraging(multi_avg_fn=moving_average(settings.ema_decay)) if settings.ema_decay else None
    if averaging:
        callbacks.append(averaging)
    if judge:
        callbacks.append(_Judged(judge, averaging))
    if isinstance(sampler, ByEpoch):
        callbacks.append(NextEpoch(sampler))
    return lightning.Trainer(
        max_epochs=settings.epochs,
        accelerator=settings.accelerator,
        devices=settings.devices,
        num_nodes=settings.nodes,
        strategy=settings.strategy,
        precision=chosen_precision(settings.precision, settings.accelerator),  # type: ignore[arg-type]
        callbacks=callbacks,
        logger=CSVLogger(run, name="log"),
        gradient_clip_val=1.0,
        benchmark=True,
        enable_model_summary=False,
        log_every_n_steps=1,
    )


def _is_finished(model: nn.Module, training: "DataLoader[Any]", checkpoint: Path, steps: int) -> bool:
    """Fill a network with the averaged weights of a finished run; False where steps remain.

    Lightning would skip such a run altogether, and with it the copying of the average into the network. Where steps
    remain, the sampler is told the epoch: with workers Lightning begins to draw before it tells that itself.
    """
    stored = torch.load(checkpoint, map_location="cpu", weights_only=False)
    if stored["global_step"] < steps:
        if isinstance(training.sampler, ByEpoch):
            training.sampler.set_epoch(stored["epoch"] + 1)
        return False
    weights = {name.removeprefix("model."): value for name, value in stored["state_dict"].items()}
    model.load_state_dict({name: weights[name] for name in model.state_dict()})
    return True
