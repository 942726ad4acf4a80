"""Generator and discriminator of the self-supervised GAN (NIH chest findings, methods section 5)."""

from itertools import pairwise
from math import log2

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

LATENT = 100
"""Numbers that an image is generated from, each normal with mean 0 and variance 1."""

SIZES = (64, 128, 256)
"""Sides of the images that a generator can make, in pixels."""

TURNS = 4
"""Classes of the rotation head: quarter turns counter-clockwise, 0 to 3."""

_GENERATOR = (512, 512, 256, 256, 128, 64, 32)
_TRUNK = (32, 64, 128, 256, 512, 512)
_SMALLEST = 4

TRUNK_CHANNELS = _TRUNK[-1]


class Generator(nn.Module):
    """Eight convolutional layers: 4 x 4, six that double the side, 3 x 3; batch norm and ReLU between, Tanh last.

    Below 256 px the first of the six keep the side (**choice**: at 64 px that takes an eighth of the time that it takes
    where the last ones do, because these have the large maps).

    Args:
        size: side of the images, one of SIZES.

    Raises:
        ValueError: another size.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        if size not in SIZES:
            raise ValueError(f"the generator makes images of {SIZES} pixels, not of {size}")
        doubling = round(log2(size / _SMALLEST))
        layers: list[nn.Module] = [*_block(nn.ConvTranspose2d(LATENT, _GENERATOR[0], 4, bias=False))]
        for number, (width, out) in enumerate(pairwise(_GENERATOR)):
            layers += _block(_enlarging(width, out, doubles=number >= len(_GENERATOR) - 1 - doubling))
        self.layers = nn.Sequential(*layers, nn.Conv2d(_GENERATOR[-1], 1, 3, padding=1), nn.Tanh())
        self.size = size

    def forward(self, latent: Tensor) -> Tensor:
        """[N, 100] -> images [N, 1, size, size] in [-1, 1]."""
        images: Tensor = self.layers(latent[:, :, None, None])
        return images


def _block(convolution: nn.Module) -> list[nn.Module]:
    width: int = convolution.out_channels  # type: ignore[assignment]
    return [convolution, nn.BatchNorm2d(width), nn.ReLU()]


def _enlarging(width: int, out: int, *, doubles: bool) -> nn.Module:
    if doubles:
        return nn.ConvTranspose2d(width, out, 4, stride=2, padding=1, bias=False)
    return nn.Conv2d(width, out, 3, padding=1, bias=False)


class Trunk(nn.Module):
    """The discriminator's six convolutions, each halving the side, with spectral norm and LeakyReLU 0.2."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width, out in pairwise((1, *_TRUNK)):
            layers += [spectral_norm(nn.Conv2d(width, out, 4, stride=2, padding=1)), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        """[N, 1, S, S] in [-1, 1], S at least 64 -> maps [N, 512, S / 64, S / 64], rounded down."""
        maps: Tensor = self.layers(images)
        return maps


class Discriminator(nn.Module):
    """The trunk and three linear heads on its mean over all positions, with spectral norm too.

    Args:
        labels: number of findings.
    """

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.trunk = Trunk()
        self.real = spectral_norm(nn.Linear(TRUNK_CHANNELS, 1))
        self.labels = spectral_norm(nn.Linear(TRUNK_CHANNELS, labels))
        self.turns = spectral_norm(nn.Linear(TRUNK_CHANNELS, TURNS))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """[N, 1, S, S] in [-1, 1] -> logits of real [N], which Wasserstein's regime reads as they are; labels [N, 14];
        quarter turns [N, 4]."""
        pooled = self.trunk(images).mean(dim=(2, 3))
        return self.real(pooled)[:, 0], self.labels(pooled), self.turns(pooled)


def latents(images: int, seed: int) -> Tensor:
    """[N, 100] to generate images from; equal seeds, equal images."""
    return torch.randn(images, LATENT, generator=torch.Generator().manual_seed(seed))
