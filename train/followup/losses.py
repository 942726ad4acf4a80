"""What the follow-up network learns with (methods section 1): change, disease of both images, matching; and direction.

A label that is not known is -1 and takes no part in its mean.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from cxrkit.models.cmt import Cmt
from cxrkit.models.music_vit import (
    BASELINE,
    CHANGE,
    DIRECTION,
    FOLLOW_UP,
    Match,
    MusicVit,
    matching_loss,
    orthogonal_loss,
)

UNKNOWN = -1

_FINER = 2
"""Index of the stage, beside the last one, whose maps show where lesions are."""


class Batch(NamedTuple):
    """N pairs, and what is known of them.

    Attributes:
        pair: [N, 2, 1, S, S] float32, baseline and follow-up, normalised as the task says.
        change: [N] int64, 1 = change, 0 = none, -1 = unknown.
        abnormal: [N, 2] int64, of baseline and follow-up: 1 = abnormal, 0 = normal, -1 = unknown.
        direction: [N] int64, abnormality at follow-up: 1 = more, 0 = less, -1 = unknown or no change.
        weight: [N] float32, how much the labels are trusted.
        source: [N] int64, where each pair comes from, for the log.
        lesions: [N, 2, S / 16, S / 16] float32, share of each cell that drawn lesions cover; -1 = unknown.
    """

    pair: Tensor
    change: Tensor
    abnormal: Tensor
    direction: Tensor
    weight: Tensor
    source: Tensor
    lesions: Tensor


@dataclass(frozen=True)
class Lambdas:
    """Weights of the further losses beside that of change.

    Attributes:
        disease: of the sum of both images' cross-entropies.
        matching: of the matching loss, or of the orthogonal one.
        direction, lesions: ours, not the source's.
    """

    disease: float = 0.1
    matching: float = 0.01
    direction: float = 0.1
    lesions: float = 2.0


@dataclass(frozen=True)
class Losses:
    """Parts of the loss of one batch, each a scalar, 0 where nothing is known or the network has no such output.

    Attributes:
        each: [N] cross-entropy of change of every pair, without gradient, 0 where unknown; for the log.
    """

    change: Tensor
    disease: Tensor
    matching: Tensor
    direction: Tensor
    lesions: Tensor
    each: Tensor

    def total(self, lambdas: Lambdas) -> Tensor:
        """L = L_change + the weighted others."""
        return (
            self.change
            + lambdas.disease * self.disease
            + lambdas.matching * self.matching
            + lambdas.direction * self.direction
            + lambdas.lesions * self.lesions
        )


class Learner(nn.Module):
    """A network and heads that only training has: maps of drawn lesions in either image, cell by cell.

    What has changed can only be told once lesions are seen, and a label of the pair alone teaches that slowly.

    Args:
        network: to be trained.
    """

    def __init__(self, network: MusicVit) -> None:
        super().__init__()
        self.network = network
        # The network's own where it has one.
        self.lesions = nn.ModuleList([network.lesions or nn.Conv2d(network.channels, 1, 1)])
        if isinstance(network.encoder, Cmt):
            width = network.encoder.stages[_FINER][-1].perceive.out_channels  # type: ignore[index]
            self.lesions.append(nn.Conv2d(width, 1, 1))

    def forward(self, pair: Tensor) -> Tensor:
        logits: Tensor = self.network(pair)
        return logits

    def look(self, pair: Tensor) -> tuple[Tensor, tuple[Match, ...], list[Tensor]]:
        """Maps and matches as the network finds them, and logits of the lesions' maps, each [2 N, h, w].

        Rows of those are baseline and follow-up in turn for the last maps, as in the pair.
        """
        finer: list[Tensor] = []
        encoder = self.network.encoder
        stage = encoder.stages[_FINER] if isinstance(encoder, Cmt) else None
        catch = stage.register_forward_hook(lambda *called: finer.append(called[-1])) if stage is not None else None
        try:
            maps, matches = self.network.features_and_matches(pair)
        finally:
            if catch is not None:
                catch.remove()
        # Within the encoder all baselines come first.
        in_turn = [torch.stack(each.chunk(2), dim=1).flatten(0, 1) for each in finer]
        found = [maps.flatten(0, 1), *in_turn]
        return maps, matches, [head(each).float()[:, 0] for head, each in zip(self.lesions, found, strict=True)]


def losses(learner: Learner, batch: Batch, smoothing: float = 0.0) -> Losses:
    """All parts of the loss of a batch, in float32.

    Args:
        learner: its network with matching in either mode or without; with or without the further heads.
        batch: pairs and labels.
        smoothing: of the labels of change, which are noisy (Szegedy et al. 2016).
    """
    model = learner.network
    maps, matches, cells = learner.look(batch.pair)
    logits = model.head(maps).float()
    nothing = logits.new_zeros(())
    disease = direction = nothing
    if model.disease is not None:
        disease = torch.stack(
            [
                known_mean(logits[:, place], batch.abnormal[:, k], batch.weight)
                for k, place in enumerate((BASELINE, FOLLOW_UP))
            ]
        ).sum()
    if model.direction is not None:
        direction = known_mean(logits[:, DIRECTION], batch.direction, batch.weight)
    matching = nothing
    if matches:
        exact = [Match(match.baseline.float(), match.follow_up.float()) for match in matches]
        # Every pair is of one patient, so every pair is to match, changed or not.
        adds = model.matching[0].sign == 1.0
        matching = matching_loss(exact) if adds else orthogonal_loss(exact)
    change = known_mean(logits[:, CHANGE], batch.change, batch.weight, smoothing)
    each = nn.functional.cross_entropy(logits[:, CHANGE].detach(), batch.change, ignore_index=UNKNOWN, reduction="none")
    lesions = torch.stack([cell_mean(each, batch.lesions.flatten(0, 1)) for each in cells]).sum()
    return Losses(change, disease, matching, direction, lesions, each)


def cell_mean(logits: Tensor, share: Tensor) -> Tensor:
    """Mean of the binary cross-entropy over the known cells; 0 where none is known.

    Args:
        logits: [N, h, w] of the maps' positions; as many cells, or brought to as many.
        share: [N, g, g] in [0, 1], or -1.
    """
    if logits.shape[-2:] != share.shape[-2:]:
        logits = nn.functional.interpolate(logits[:, None], share.shape[-2:], mode="nearest")[:, 0]
    known = share != UNKNOWN
    each = nn.functional.binary_cross_entropy_with_logits(logits, share.clamp(min=0), reduction="none")
    return (each * known).sum() / known.sum().clamp(min=1)


def known_mean(logits: Tensor, labels: Tensor, weight: Tensor, smoothing: float = 0.0) -> Tensor:
    """Weighted mean of the cross-entropy over the known labels; 0 where none is known.

    Args:
        logits: [N, 2].
        labels: [N] 0, 1 or -1.
        weight: [N].
        smoothing: of the labels.
    """
    each = nn.functional.cross_entropy(
        logits, labels, ignore_index=UNKNOWN, reduction="none", label_smoothing=smoothing
    )
    counted = weight * (labels != UNKNOWN)
    return (each * counted).sum() / counted.sum().clamp(min=torch.finfo(torch.float32).tiny)
