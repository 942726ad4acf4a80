"""A small U-Net (Ronneberger et al. 2015) for the lung field."""

from itertools import pairwise

import torch
from torch import Tensor, nn


def _double(inputs: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in (inputs, outputs):
        layers += [nn.Conv2d(width, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    """[N, 1, S, S] gray in [-1, 1] -> [N, 1, S, S] logits of "lung"; S a multiple of 2^(len(widths) - 1)."""

    def __init__(self, widths: tuple[int, ...] = (16, 32, 64, 96, 128)) -> None:
        super().__init__()
        inputs = (1, *widths[:-1])
        self.down = nn.ModuleList(_double(a, b) for a, b in zip(inputs, widths, strict=True))
        pairs = list(pairwise(widths))[::-1]
        self.up = nn.ModuleList(_double(shallow + deep, shallow) for shallow, deep in pairs)
        self.out = nn.Conv2d(widths[0], 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        skips: list[Tensor] = []
        for level, block in enumerate(self.down):
            x = block(x if level == 0 else nn.functional.max_pool2d(x, 2))
            skips.append(x)
        for block, skip in zip(self.up, skips[-2::-1], strict=True):
            x = nn.functional.interpolate(x, size=skip.shape[-2:], mode="bilinear", align_corners=False)
            x = block(torch.cat([x, skip], dim=1))
        logits: Tensor = self.out(x)
        return logits
