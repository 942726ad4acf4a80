"""Losses of methods section 5: findings, self-supervision of trunk and transformer, both adversarial regimes.

L = BCE + 0.1 L_adv.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import torch
from torch import Tensor
from torch.nn import functional

from cxrkit.models.gan import TURNS
from cxrkit.models.ssgan_vit import RANGE

ADVERSARIAL = 0.1
"""Weight of L_adv."""

PENALTY = 10.0
"""Lambda of the gradient penalty."""


class Reading(StrEnum):
    """How 14 outputs are read: each by itself, or, as the source literally says, as shares of one whole."""

    SIGMOID = "sigmoid"
    SOFTMAX = "softmax"


class Regime(StrEnum):
    """How real and generated images are told apart."""

    BCE = "bce"
    WGAN_GP = "wgan-gp"


def findings_loss(logits: Tensor, target: Tensor, reading: Reading = Reading.SIGMOID) -> Tensor:
    """Binary cross-entropy of the labels that are known.

    With the literal softmax it is the cross-entropy with the findings in equal shares; an image without any finding
    says nothing then, which is the contradiction in that reading.

    Args:
        logits: [N, 14].
        target: [N, 14] 0 or 1; below 0 = unknown.
        reading: of the outputs.
    """
    logits, known = logits.float(), (target >= 0).float()
    positive = target.clamp(min=0).float()
    if reading is Reading.SIGMOID:
        each = functional.binary_cross_entropy_with_logits(logits, positive, reduction="none")
        return (each * known).sum() / known.sum().clamp(min=1)
    found = positive.sum(dim=1, keepdim=True)
    shares = positive / found.clamp(min=1)
    return -(shares * logits.log_softmax(dim=1)).sum() / (found > 0).sum().clamp(min=1)


def nt_xent(first: Tensor, second: Tensor, temperature: float = 0.5) -> Tensor:
    """Normalised temperature-scaled cross-entropy of two views of N images (SimCLR, Chen et al. 2020).

    Each of the 2 N views has to find the other view of its image among all others.

    Args:
        first, second: [N, C], of any length.
        temperature: divides the cosines.
    """
    views = functional.normalize(torch.cat([first, second]).float(), dim=1)
    cosines = views @ views.T / temperature
    itself = torch.eye(len(views), dtype=torch.bool, device=views.device)
    other = torch.arange(len(views), device=views.device).roll(len(first))
    return functional.cross_entropy(cosines.masked_fill(itself, -torch.inf), other)


def turned(images: Tensor) -> tuple[Tensor, Tensor]:
    """[N, 1, S, S] -> the same, each turned by one of the four quarter turns, drawn evenly; and which [N]."""
    which = torch.randperm(len(images), device=images.device) % TURNS
    turns = torch.stack([torch.rot90(images, number, (2, 3)) for number in range(TURNS)])
    return turns[which, torch.arange(len(images), device=images.device)], which


def quantised(images: Tensor, patch: int, cells: int, levels: int) -> Tensor:
    """Mean intensity of each cell of each patch, in steps: what masked patches are to be guessed as.

    Args:
        images: [N, 1, S, S] as prepared, within RANGE on either side of zero.
        patch: side of a patch in pixels.
        cells: a patch has cells x cells of them.
        levels: steps, evenly over that range.

    Returns:
        [N, P, cells^2] in 0 to levels - 1; patches and cells row by row.
    """
    means = functional.avg_pool2d(images, patch // cells)
    steps = ((means[:, 0] + RANGE) / (2 * RANGE) * levels).long().clamp(0, levels - 1)
    side = steps.shape[1] // cells
    split = steps.reshape(-1, side, cells, side, cells).permute(0, 1, 3, 2, 4)
    return split.reshape(len(images), side * side, cells * cells)


def masks(images: int, patches: int, share: float, device: torch.device) -> Tensor:
    """[N, P] True for the same number of patches in each image, drawn evenly."""
    count = max(1, round(share * patches))
    return torch.rand(images, patches, device=device).argsort(dim=1) < count


def masked_loss(logits: Tensor, target: Tensor, masked: Tensor) -> Tensor:
    """Cross-entropy of the masked patches' intensities.

    Args:
        logits: [N, P, cells^2, levels].
        target: [N, P, cells^2].
        masked: [N, P].
    """
    return functional.cross_entropy(logits[masked].flatten(0, 1).float(), target[masked].flatten())


def triplet(anchor: Tensor, positive: Tensor, negative: Tensor, margin: float) -> Tensor:
    """Mean of max(0, |a - p| - |a - n| + margin), of vectors [N, C] brought to length 1 (Schroff et al. 2015)."""
    a, p, n = (functional.normalize(each.float(), dim=1) for each in (anchor, positive, negative))
    nearer: Tensor = torch.linalg.vector_norm(a - p, dim=1) - torch.linalg.vector_norm(a - n, dim=1)
    return (nearer + margin).relu().mean()


@dataclass(frozen=True)
class Adversarial:
    """The two sides' losses of a regime, of logits or critic's values [N]."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]


def _told_apart(real: Tensor, fake: Tensor) -> Tensor:
    return functional.softplus(-real).mean() + functional.softplus(fake).mean()


ADVERSARIES = {
    # Softplus of the logit is the binary cross-entropy; the generator's is the one that does not saturate.
    Regime.BCE: Adversarial(_told_apart, lambda fake: functional.softplus(-fake).mean()),
    Regime.WGAN_GP: Adversarial(lambda real, fake: fake.mean() - real.mean(), lambda fake: -fake.mean()),
}


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    """Mean of (|gradient| - 1)^2 at points between real and generated images (Gulrajani et al. 2017).

    Args:
        critic: images [N, 1, S, S] -> values [N].
        real, fake: [N, 1, S, S].
    """
    share = torch.rand(len(real), 1, 1, 1, device=real.device)
    between = (share * real + (1 - share) * fake).detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    norm: Tensor = torch.linalg.vector_norm(gradient.flatten(1), dim=1)
    return ((norm - 1) ** 2).mean()
