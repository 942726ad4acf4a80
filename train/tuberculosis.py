"""Train tuberculosis screening (methods section 2).

python -m train.tuberculosis weights --data FOLDER   trains what the app loads and writes weights/tuberculosis
python -m train.tuberculosis study --data FOLDER     two networks x four preprocessings

Both go on where a killed run stopped. FOLDER is a folder that train.datasets can read. How to train on several GPUs
or nodes: --devices, --nodes, --strategy, which are Lightning's.
"""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated

import lightning
import numpy as np
import torch
import typer
from numpy.typing import NDArray
from torch import Tensor, nn

from cxrkit.models.fpn import FpnClassifier
from cxrkit.tasks.tuberculosis import LABELS, TUBERCULOSIS
from train.augment import Augment, across_hospitals, published
from train.prepared import Augmented, Views, balanced_loader
from train.trainer import FitSettings, fit

app = typer.Typer(add_completion=False, no_args_is_help=True)

FAMILY_PAIRS = (("mendeley_tb", "mendeley_normal"), ("rahman_tb", "radiography_normal"))
"""The public sources come in pairs: one of tuberculosis, one of normal chests."""


@dataclass(frozen=True)
class Settings:
    """Of one training run.

    Attributes:
        encoder: timm name.
        channels: width of the feature pyramid; the source has 256, and 64 are enough below 256 px.
        size: side of the input in pixels.
        epochs, images_per_epoch, batch: an epoch draws this many images, every family equally often.
        learning_rate, weight_decay: of AdamW; the rate is the peak of one cycle.
        augmentation: "across_hospitals", or what of the source's: any of "erase", "augment", "flip", "invert".
        mix: share of images that get another one's amplitude spectrum.
        seed: of initialisation, sampling and augmentation.
    """

    encoder: str = "resnet50"
    channels: int = 64
    size: int = TUBERCULOSIS.input_size
    epochs: int = 20
    images_per_epoch: int = 1600
    batch: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    augmentation: tuple[str, ...] = ("across_hospitals",)
    mix: float = 0.3
    seed: int = 0


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


def train_model(
    views: Views, targets: NDArray[np.int64], groups: list[str], settings: Settings, how: FitSettings, run: Path
) -> nn.Module:
    """Train on views [N, S, S] with class indices [N]; families (groups) are drawn equally often."""
    lightning.seed_everything(settings.seed, verbose=False)
    model = FpnClassifier(settings.encoder, settings.channels, len(LABELS))
    data = Augmented(views, targets, TUBERCULOSIS, augmentation(settings), settings.mix)
    loader = balanced_loader(data, groups, settings.images_per_epoch, settings.batch, settings.seed)
    how = replace(
        how, epochs=settings.epochs, learning_rate=settings.learning_rate, weight_decay=settings.weight_decay
    )
    return fit(model, loss, loader, None, how, run)


def logits_of(model: nn.Module, views: Views, batch: int = 64) -> NDArray[np.float64]:
    """Logits [N, 2] of views [N, S, S], in full precision."""
    data = Augmented(views, np.zeros(len(views), dtype=np.int64), TUBERCULOSIS, None)
    found = []
    with torch.inference_mode():
        for start in range(0, len(data), batch):
            images = torch.stack([data[i][0] for i in range(start, min(start + batch, len(data)))])
            found.append(model(images.to(memory_format=torch.channels_last)).double().numpy())
    return np.concatenate(found)
