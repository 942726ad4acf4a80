"""The learning rate of methods section 5: warm-up, then half a cosine."""

import math
from dataclasses import dataclass

import torch
from torch import nn

from train.trainer import FitSettings, Scheduled


@dataclass(frozen=True)
class Warming:
    """AdamW whose learning rate rises evenly and then falls along half a cosine, for train.trainer.fit.

    Attributes:
        share: of the steps in which the learning rate rises.
    """

    share: float

    def __call__(self, model: nn.Module, settings: FitSettings, steps: int) -> Scheduled:
        learning = [weight for weight in model.parameters() if weight.requires_grad]
        optimiser = torch.optim.AdamW(learning, settings.learning_rate, weight_decay=settings.weight_decay)
        rise = max(1, round(self.share * steps))

        def factor(step: int) -> float:
            if step < rise:
                return (step + 1) / rise
            return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))

        return optimiser, torch.optim.lr_scheduler.LambdaLR(optimiser, factor)
