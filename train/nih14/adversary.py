"""The adversarial part of the classifier's loss (methods section 5): L = BCE + 0.1 L_adv."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cxrkit.models.gan import LATENT
from cxrkit.models.ssgan_vit import as_trunk_reads
from train.nih14.gan import stored_discriminator, stored_generator
from train.nih14.losses import ADVERSARIES, PENALTY, Regime, gradient_penalty


class Adversary:
    """The generator and the discriminator's head for real and generated images, both frozen.

    Args:
        folder: of a GAN's run.
    """

    def __init__(self, folder: Path) -> None:
        self.generator = stored_generator(folder)
        self.head, self.regime = stored_discriminator(folder)

    def __call__(self, model: nn.Module, images: Tensor) -> Tensor:
        """L_adv of a classifier's trunk on real images [N, 1, S, S], as prepared, and as many generated ones.

        Both have the generator's size, whatever the trunk reads otherwise, so that sharpness does not tell them apart.
        The loss is that of the regime in which the GAN was trained.
        """
        trunk: Any = model.adversary.trunk  # type: ignore[union-attr]
        self.generator.to(images.device)
        self.head.to(images.device)
        with torch.no_grad():
            made = self.generator(torch.randn(len(images), LATENT, device=images.device))
        real = as_trunk_reads(images, self.generator.size)

        def told(views: Tensor) -> Tensor:
            answers: Tensor = self.head.real(trunk(views).mean(dim=(2, 3)))[:, 0]
            return answers.float()

        value = ADVERSARIES[self.regime].discriminator(*told(torch.cat([real, made])).chunk(2))
        if self.regime is Regime.WGAN_GP:
            # Its loss has no end without: the trunk could always be steeper.
            value = value + PENALTY * gradient_penalty(told, real, made)
        return value
