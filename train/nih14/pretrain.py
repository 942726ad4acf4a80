"""Self-supervision of both kinds: rotation and NT-Xent for the trunk, masked patches and triplets for the transformer.

What comes out has the names that the classifier has, so that fine-tuning starts from it.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import lightning
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from cxrkit.models.gan import TRUNK_CHANNELS, TURNS, Trunk
from cxrkit.models.ssgan_vit import SsganVit, as_trunk_reads
from train.epochs import PROGRESS, write_row
from train.identity import content, identity_of
from train.nih14.data import Pool, TwoViews, loader_of
from train.nih14.gan import TRUNK
from train.nih14.losses import masked_loss, masks, nt_xent, quantised, triplet, turned
from train.nih14.schedule import Warming
from train.stored import HISTORY, initialisation, save, start_from
from train.trainer import FitSettings, Judge, fit

VIT = "vit.safetensors"
"""What comes out beside TRUNK, in the run's folder."""


@dataclass(frozen=True)
class PretrainSettings:
    """Of either kind.

    Attributes:
        size: side of what is read, in pixels.
        epochs, images, batch: an epoch draws this many images.
        learning_rate: at the end of the warm-up; it falls along half a cosine.
        temperature: of NT-Xent.
        width: of the vectors that NT-Xent compares; they are projected, as in SimCLR.
        encoder: timm name of the transformer.
        masked: share of the patches that are hidden.
        cells, levels: a masked patch is guessed as cells x cells intensities in so many steps (**choice**: the source
            says no more than quantised intensity).
        margin: of the triplets.
        workers: processes that make views.
        seed: of initialisation and draws.
    """

    size: int
    epochs: int = 8
    images: int = 2000
    batch: int = 32
    learning_rate: float = 5e-4
    temperature: float = 0.5
    width: int = 128
    encoder: str = "vit_tiny_patch16_224"
    masked: float = 0.2
    cells: int = 4
    levels: int = 16
    margin: float = 0.5
    workers: int = 1
    seed: int = 0


class Pretext(nn.Module):
    """A network with losses of its own, whose parts it remembers for the log."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[dict[str, float]] = []

    def total(self, parts: dict[str, Tensor]) -> Tensor:
        """Sum of the parts."""
        self.seen.append({name: float(value.detach()) for name, value in parts.items()})
        return torch.stack(list(parts.values())).sum()


class TrunkPretext(Pretext):
    """The trunk, a projection for NT-Xent and a head for rotations."""

    def __init__(self, settings: PretrainSettings) -> None:
        super().__init__()
        self.settings = settings
        self.adversary = nn.ModuleDict({"trunk": Trunk()})
        self.project = nn.Sequential(
            nn.LayerNorm(TRUNK_CHANNELS),
            nn.Linear(TRUNK_CHANNELS, TRUNK_CHANNELS),
            nn.ReLU(),
            nn.Linear(TRUNK_CHANNELS, settings.width),
        )
        self.turns = nn.Sequential(nn.LayerNorm(TRUNK_CHANNELS), nn.Linear(TRUNK_CHANNELS, TURNS))

    def forward(self, views: Tensor) -> Tensor:
        """Two views of each image, [N, 2, 1, S, S], normalised -> loss."""
        turns, which = turned(views[:, 0])
        # All at once: spectral norm, which each forward pass works out anew, takes most of the time of a small batch.
        images = torch.cat([views[:, 0], views[:, 1], turns])
        maps: Tensor = self.adversary["trunk"](as_trunk_reads(images, self.settings.size))
        first, second, seen = maps.mean(dim=(2, 3)).chunk(3)
        return self.total(
            {
                "loss of contrast": nt_xent(self.project(first), self.project(second), self.settings.temperature),
                "loss of rotation": functional.cross_entropy(self.turns(seen).float(), which),
            }
        )

    def kept(self) -> nn.Module:
        """What the classifier has too."""
        return nn.ModuleDict({"adversary": self.adversary})


class VitPretext(Pretext):
    """The transformer, a token in place of masked patches, and a layer that guesses their intensities."""

    def __init__(self, settings: PretrainSettings) -> None:
        super().__init__()
        self.settings = settings
        self.network = SsganVit(settings.encoder, settings.size, 1, fusion="none")
        self.hidden = nn.Parameter(torch.zeros(self.network.width))
        nn.init.normal_(self.hidden, std=0.02)
        self.guess = nn.Linear(self.network.width, settings.cells**2 * settings.levels)

    def forward(self, views: Tensor) -> Tensor:
        """Two views of each image, [N, 2, 1, S, S], normalised -> loss.

        The first view is read with masked patches. Its class token is the anchor of a triplet, the second view's the
        positive one, and the second view of the next image in the batch the negative one.
        """
        settings, network = self.settings, self.network
        first, second = views.unbind(1)
        patches = network.vit.patch_embed(first)
        masked = masks(len(first), patches.shape[1], settings.masked, first.device)
        hidden = torch.where(masked[..., None], self.hidden.to(patches.dtype), patches)
        prefix, within = network.blocks(hidden)
        found = network.vit.norm(network.vit.blocks[-1](torch.cat([prefix, within], dim=1)))
        guessed = self.guess(found[:, 1:]).unflatten(2, (settings.cells**2, settings.levels))
        target = quantised(first, network.vit.patch_embed.patch_size[0], settings.cells, settings.levels)
        positive = network.class_token(*network.blocks(network.vit.patch_embed(second)))
        return self.total(
            {
                "loss of masked patches": masked_loss(guessed, target, masked),
                "loss of triplets": triplet(found[:, 0], positive, positive.roll(1, dims=0), settings.margin),
            }
        )

    def kept(self) -> nn.Module:
        """What the classifier has too."""
        return nn.ModuleDict({"vit": self.network.vit})


def pretrain_trunk(pool: Pool, settings: PretrainSettings, how: FitSettings, run: Path, gan: Path | None) -> Path:
    """Teach the trunk, from a GAN's discriminator on if one is given; or go on where a killed run stopped.

    Args:
        pool: prepared radiographs.
        settings: of the training.
        how: hardware and precision.
        run: folder for checkpoints, progress.csv and the result.
        gan: folder of a finished GAN's run.

    Returns:
        The safetensors file to start the classifier from.
    """
    lightning.seed_everything(settings.seed, verbose=False)
    model = TrunkPretext(settings)
    if gan is not None:
        start_from(model, gan / TRUNK)
    return _pretrain("trunk", model, pool, settings, how, run, None if gan is None else gan / TRUNK)


def pretrain_vit(pool: Pool, settings: PretrainSettings, how: FitSettings, run: Path) -> Path:
    """Teach the transformer; otherwise as pretrain_trunk."""
    lightning.seed_everything(settings.seed, verbose=False)
    return _pretrain("vit", VitPretext(settings), pool, settings, how, run, None)


def _pretrain(
    name: str,
    model: TrunkPretext | VitPretext,
    pool: Pool,
    settings: PretrainSettings,
    how: FitSettings,
    run: Path,
    init: Path | None,
) -> Path:
    data = TwoViews(pool.views, settings.size)
    loader = loader_of(data, len(pool), settings.images, settings.batch, settings.seed, settings.workers)
    how = replace(how, epochs=settings.epochs, learning_rate=settings.learning_rate, ema_decay=0.0)
    judge = progress_of(model, name, run)
    identity = identity_of(settings, pool.views, [] if init is None else [content(init)])
    fit(model, lambda network, views: network(views), loader, how, run / name, identity, judge, Warming(0.1))
    file = run / (TRUNK if name == "trunk" else VIT)
    what = f"self-supervision of the {name} ({settings.epochs} x {settings.images:,} at {settings.size} px)"
    save(model.kept(), file, pool.told() | {HISTORY: f"{what}, started from {after(init)}"})
    return file


def after(file: Path | None) -> str:
    """What a file to start from says of its training, in words."""
    return initialisation(file).removeprefix("weights given by --init, after ")


def progress_of(model: Pretext, stage: str, run: Path) -> Judge:
    """Write an epoch's row: the mean of each part of the loss."""
    started = time.monotonic()

    def judge(_: nn.Module, epoch: int) -> None:
        nonlocal started
        means = _means(model.seen)
        model.seen.clear()
        means = means | {"seconds": time.monotonic() - started}
        started = time.monotonic()
        write_row(run / PROGRESS, {"stage": stage, "epoch": epoch} | means)
        print(f"{stage} {epoch}", *(f"{name} {value:.4g}" for name, value in means.items()), sep="; ", flush=True)

    return judge


def _means(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]} if rows else {}
