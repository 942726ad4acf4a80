"""What all draws of training have in common."""

from typing import Any, TypeVar

import lightning
from torch.utils.data import Sampler

Item = TypeVar("Item")


class ByEpoch(Sampler[Item]):
    """Draws that follow from a run's seed and the epoch's number alone, so that a killed run goes on as it would have.

    Attributes:
        epoch: whose draws come next, from 0.
    """

    epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """The trainer calls this before each epoch, also after a resume."""
        self.epoch = epoch


class NextEpoch(lightning.Callback):
    """Tells the loader's own sampler the next epoch: among several processes Lightning tells the one it wraps it in."""

    def __init__(self, sampler: ByEpoch[Any]) -> None:
        self.sampler = sampler

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        del pl_module
        self.sampler.set_epoch(trainer.current_epoch + 1)
