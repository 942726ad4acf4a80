"""Tuberculosis screening: the settings, loss and augmentation of one training run (methods section 2)."""

from dataclasses import dataclass, replace
from pathlib import Path

import lightning
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cxrkit.models.fpn import FpnClassifier
from cxrkit.pixels import Gray
from cxrkit.tasks.tuberculosis import LABELS, TUBERCULOSIS
from train.augment import Augment, across_hospitals, published
from train.identity import identity_of
from train.prepared import Augmented, Draw, Views, even_weights, weighted_loader
from train.stored import start_from
from train.trainer import FitSettings, Judge, fit
from train.tuberculosis.lesions import draw_lesions

FAMILY_PAIRS = (("mendeley_tb", "mendeley_normal"), ("rahman_tb", "radiography_normal"))
"""The public sources come in pairs: one of tuberculosis, one of normal chests."""


@dataclass(frozen=True)
class Settings:
    """Of one training run.

    Attributes:
        encoder: timm name.
        channels: width of the feature pyramid; the source has 256, and 64 are enough below 256 px.
        size: side of the input in pixels.
        early_epochs, early_size: the first epochs read images reduced to this side.
        epochs, images_per_epoch, batch: an epoch draws this many images, every family equally often within its class.
        negatives: share of the draws that are images without tuberculosis.
        lesions: share of those into which signs of tuberculosis are drawn, and which then count as positive.
        learning_rate, weight_decay: of AdamW; the rate is the peak of one cycle.
        augmentation: "across_hospitals", or what of the source's: any of "erase", "augment", "flip", "invert".
        seed: of initialisation, sampling and augmentation.
        pretrained: start the encoder from timm's ImageNet weights, which timm downloads.
        simulated_pairs: simulated patients, each with and without a lesion, that the trained network is measured on.
        init: safetensors file to start from; tensors of equal name and shape are taken.
    """

    encoder: str = "resnet50"
    channels: int = 64
    size: int = TUBERCULOSIS.input_size
    epochs: int = 16
    early_epochs: int = 11
    early_size: int = 128
    images_per_epoch: int = 1600
    negatives: float = 0.6
    lesions: float = 0.35
    batch: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    augmentation: tuple[str, ...] = ("across_hospitals",)
    seed: int = 0
    pretrained: bool = False
    simulated_pairs: int = 100
    init: Path | None = None


def augmentation(settings: Settings) -> Augment | None:
    """The augmentation that the settings name; None for none."""
    chosen = set(settings.augmentation)
    if chosen == {"across_hospitals"}:
        return across_hospitals()
    if not chosen:
        return None
    return published(
        erase="erase" in chosen, augment="augment" in chosen, flip="flip" in chosen, invert="invert" in chosen
    )


def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Cross-entropy of the two classes."""
    images, targets = batch
    return nn.functional.cross_entropy(model(images).float(), targets, label_smoothing=0.05)


@dataclass(frozen=True, eq=False)
class TrainingPart:
    """What a run trains on.

    Attributes:
        views: [N, S, S], prepared.
        lungs: [N, S, S], probability of lung in 1/255.
        targets: [N] class indices.
        families: [N] names.
    """

    views: Views
    lungs: Views
    targets: NDArray[np.int64]
    families: NDArray[np.str_]


def with_lesions(part: TrainingPart, share: float) -> Draw:
    """Draw signs of tuberculosis into this share of the negative views; those become positive."""

    def draw(index: int, view: Gray) -> tuple[Gray, int]:
        target = int(part.targets[index])
        random = np.random.default_rng(int(torch.randint(2**31, ())))  # torch seeds each worker and epoch
        if target == 0 and random.random() < share:
            drawn = draw_lesions(view, part.lungs[index].astype(np.float32) / 255, random)
            return drawn, int(drawn is not view)  # where no lungs are found, nothing is drawn
        return view, target

    return draw


def train_model(
    part: TrainingPart, settings: Settings, how: FitSettings, run: Path, judge: Judge | None = None
) -> nn.Module:
    """Train one network; within a class, families are drawn equally often."""
    lightning.seed_everything(settings.seed, workers=True, verbose=False)
    model = FpnClassifier(settings.encoder, settings.channels, len(LABELS), pretrained=settings.pretrained)
    if settings.init:
        start_from(model, settings.init)
    draw = with_lesions(part, settings.lesions) if settings.lesions else None
    data = Augmented(part.views, part.targets, TUBERCULOSIS, augmentation(settings), draw)
    groups = [f"{target}/{family}" for target, family in zip(part.targets, part.families, strict=True)]
    weights = even_weights(groups, {"0": settings.negatives, "1": 1 - settings.negatives})
    # Where several processes train on processors, a worker forked from their threads has been seen to hang.
    together = how.device().type == "cpu" and how.devices * how.nodes > 1
    loader = weighted_loader(
        data, weights, settings.images_per_epoch, settings.batch, settings.seed, worker=not together
    )
    how = replace(
        how,
        epochs=settings.epochs,
        early_epochs=settings.early_epochs,
        early_size=settings.early_size,
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
    )
    # What the network is measured on decides nothing of it.
    identity = identity_of(replace(settings, simulated_pairs=0), part.views, part.targets, part.families.tolist())
    return fit(model, loss, loader, how, run, identity, judge)


def logits_of(model: nn.Module, views: Views, batch: int = 64) -> NDArray[np.float64]:
    """Logits [N, 2] of views [N, S, S], in full precision."""
    data = Augmented(views, np.zeros(len(views), dtype=np.int64), TUBERCULOSIS)
    found = []
    with torch.inference_mode():
        for start in range(0, len(data), batch):
            images = torch.stack([data[i][0] for i in range(start, min(start + batch, len(data)))])
            found.append(model(images.to(memory_format=torch.channels_last)).double().numpy())
    return np.concatenate(found)
