"""The adversarial part of the classifier's loss (methods section 5): L = BCE + 0.1 L_adv."""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from cxrkit.models.gan import LATENT, Discriminator
from cxrkit.models.ssgan_vit import as_trunk_reads
from cxrkit.tasks.nih14 import LABELS
from train.nih14.gan import DISCRIMINATOR, stored_generator
from train.nih14.losses import ADVERSARIES, Regime


class Adversary:
    """The generator and the discriminator's head for real and generated images, both frozen.

    Args:
        folder: of a GAN's run.
    """

    def __init__(self, folder: Path) -> None:
        self.generator = stored_generator(folder)
        self.head = Discriminator(len(LABELS)).eval().requires_grad_(False)
        self.head.load_state_dict(load_file(folder / DISCRIMINATOR))

    def __call__(self, model: nn.Module, images: Tensor) -> Tensor:
        """L_adv of a classifier's trunk on real images [N, 1, S, S], as prepared, and as many generated ones.

        Both have the generator's size, whatever the trunk reads otherwise, so that sharpness does not tell them apart.
        """
        adversary: Any = model.adversary
        self.generator.to(images.device)
        self.head.to(images.device)
        with torch.no_grad():
            made = self.generator(torch.randn(len(images), LATENT, device=images.device))
        both = torch.cat([as_trunk_reads(images, self.generator.size), made])
        answers = self.head.real(adversary.trunk(both).mean(dim=(2, 3)))[:, 0].float()
        return ADVERSARIES[Regime.BCE].discriminator(*answers.chunk(2))
