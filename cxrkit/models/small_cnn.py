"""A small convolutional classifier for questions that need little detail."""

from itertools import pairwise

import torch
from torch import Tensor, nn


class SmallClassifier(nn.Module):
    """[N, 1, S, S] gray in [-1, 1] -> [N, classes] logits.

    Args:
        widths: channels of each block; every block halves the side, so S is a multiple of 2^len(widths).
        classes: number of outputs.
    """

    def __init__(self, widths: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(_block(a, b) for a, b in pairwise((1, *widths))))
        # Mean and maximum: how much of the image shows a thing, and whether any part of it does.
        self.classify = nn.Sequential(nn.Dropout(0.2), nn.Linear(2 * widths[-1], classes))

    def forward(self, x: Tensor) -> Tensor:
        maps = self.blocks(x)
        logits: Tensor = self.classify(torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], dim=1))
        return logits


def _block(inputs: int, outputs: int) -> nn.Sequential:
    # The image itself is convolved with a stride: at its full side, norm and pooling cost more than all else.
    first = inputs == 1
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 5 if first else 3, stride=2 if first else 1, padding=2 if first else 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
        nn.Identity() if first else nn.MaxPool2d(2),
    )
