"""Fine-tune a classifier of findings, and keep its best epoch (methods section 5)."""

import csv
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn

from cxrkit.finding_training import COLUMNS, EPOCHS
from cxrkit.metrics import auc
from cxrkit.models.ssgan_vit import build, is_transformer
from cxrkit.tasks.nih14 import LABELS
from train import norms
from train.epochs import PROGRESS, earlier, read_rows, write_row
from train.identity import content, identity_of
from train.nih14.adversary import Adversary
from train.nih14.data import Findings, Labelled, Material, loader_of, normalised, seen_at
from train.nih14.gan import DISCRIMINATOR, GENERATOR, TRUNK
from train.nih14.losses import ADVERSARIAL, Reading, findings_loss
from train.nih14.pretrain import after
from train.nih14.schedule import Warming
from train.prepared import Views
from train.stored import BEST, HISTORY, initialisation, save, start_from
from train.trainer import FitSettings, Judge, Loss, fit

_EPOCH, TRAINING, CHOICE = COLUMNS
"""TRAINING: macro AUC on images learned from. CHOICE: on the carved part; the best epoch is chosen by it."""

CHOOSING = 5
"""A label has a say in the choice of the epoch with this many positive and negative carved images."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Settings:
    """Of one training run; the defaults are the source's where it has them.

    Attributes:
        network: encoder, fusion and trunk_size, as cxrkit.models.ssgan_vit.build takes them.
        size: side of what the network reads.
        epochs, batch: of the images learned from.
        learning_rate, warm: peak, and share of the steps before it.
        weight_decay: of AdamW.
        ema_decay: of the averaged weights.
        adversarial: weight of L_adv; it counts where a GAN is given and the network has a trunk.
        reading: of the outputs.
        vit, trunk: safetensors files of the self-supervised parts to start from.
        gan: folder of a GAN's run, for L_adv; its trunk is started from where `trunk` is not given.
        init: safetensors file of a whole network to start from, instead.
        workers: processes that augment.
        judged: training images that an epoch's training AUC is measured on.
        seed: of initialisation and draws.
        pretrained: let timm download ImageNet weights.
    """

    network: dict[str, Any] = field(
        default_factory=lambda: {"encoder": "vit_tiny_patch16_224", "fusion": "concat", "trunk_size": 128}
    )
    size: int = 224
    epochs: int = 50
    batch: int = 32
    learning_rate: float = 3e-5
    warm: float = 0.2
    weight_decay: float = 0.05
    ema_decay: float = 0.99
    adversarial: float = ADVERSARIAL
    reading: Reading = Reading.SIGMOID
    vit: Path | None = None
    trunk: Path | None = None
    gan: Path | None = None
    init: Path | None = None
    workers: int = 1
    judged: int = 256
    seed: int = 0
    pretrained: bool = False

    @property
    def image_size(self) -> int:
        """Side of what the network reads."""
        return self.size

    @property
    def from_imagenet(self) -> bool:
        """Whether ImageNet weights are downloaded; not where all of the encoder is started from something else."""
        taught = self.vit is not None and is_transformer(self.network["encoder"])
        return self.pretrained and self.init is None and not taught

    def of_card(self) -> dict[str, Any]:
        """What the task's build_model needs."""
        return self.network | {"image_size": self.size}

    def starts(self) -> list[Path]:
        """Files to start from, in the order in which they are read."""
        if self.init is not None:
            return [self.init]
        gan = None if self.gan is None else self.gan / TRUNK
        trunk = None if self.network["fusion"] == "none" else self.trunk or gan
        vit = self.vit if is_transformer(self.network["encoder"]) else None
        return [file for file in (vit, trunk) if file is not None]

    def told(self) -> dict[str, Any]:
        """For the card, and for what tells a run from another: without paths."""
        given = {name: None if getattr(self, name) is None else "given" for name in ("vit", "trunk", "gan", "init")}
        return asdict(self) | given


def network_of(settings: Settings) -> nn.Module:
    """The untrained network, filled with what it starts from.

    Raises:
        WeightsError: a file to start from is not there or does not fit.
    """
    lightning.seed_everything(settings.seed, verbose=False)
    model = build(settings.of_card() | {"pretrained": settings.from_imagenet}, len(LABELS))
    for file in settings.starts():
        start_from(model, file)
    return model


def without_paths(settings: Settings) -> Settings:
    """All but where files lie; what is in them, `contents` tells."""
    return replace(settings, vit=None, trunk=None, gan=None, init=None, workers=0)


def contents(settings: Settings) -> list[str]:
    """Digests of the files that training starts from, and of the GAN that it learns against."""
    adversary = () if settings.gan is None else (settings.gan / GENERATOR, settings.gan / DISCRIMINATOR)
    return [content(file) for file in (*settings.starts(), *adversary)]


def started(settings: Settings) -> str:
    """What training started from, in words."""
    first = [initialisation(None, pretrained=True)] if settings.from_imagenet else []
    return "; ".join([*first, *map(after, settings.starts())]) or initialisation(None)


def history(settings: Settings, images: int) -> str:
    """How a network was trained, in words."""
    what = f"fine-tuning on findings ({settings.epochs} x {images:,} at {settings.size} px)"
    return f"{what}, started from {started(settings)}"


def train_network(material: Material, settings: Settings, how: FitSettings, run: Path) -> nn.Module:
    """Fine-tune, or go on where a killed run stopped.

    Args:
        material: whose learned part teaches and whose carved part chooses the epoch.
        settings: of the run.
        how: hardware and precision.
        run: folder for checkpoints, progress.csv and the best weights.

    Returns:
        The network of the best epoch, with its averaged weights, in eval mode.
    """
    model = network_of(settings)
    data, images = Findings(material.learned, settings.size), len(material.learned)
    loader = loader_of(data, images, images, settings.batch, settings.seed, settings.workers)
    how = replace(
        how,
        epochs=settings.epochs,
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
        ema_decay=settings.ema_decay,
    )
    judge = _judge(material, settings, run)
    identity = identity_of(without_paths(settings), contents(settings), material.learned.views, material.learned.target)
    fit(model, loss_of(settings), loader, how, run / "stage_0", identity, judge, Warming(settings.warm))
    model.load_state_dict(load_file(run / BEST))
    return model.eval()


def loss_of(settings: Settings) -> Loss:
    """L = BCE + 0.1 L_adv.

    L_adv is the discriminator's: its trunk, which learns here, goes on telling real images from those of the frozen
    generator (**choice**: the source does not say which of the two sides' losses it adds).
    """
    adversary = None
    if settings.gan is not None and settings.network["fusion"] != "none" and settings.adversarial > 0:
        adversary = Adversary(settings.gan)

    def loss(model: nn.Module, batch: Any) -> Tensor:
        images, target = batch
        value = findings_loss(model(images), target, settings.reading)
        return value if adversary is None else value + settings.adversarial * adversary(model, images)

    return loss


def _judge(material: Material, settings: Settings, run: Path) -> Judge:
    """Write an epoch's row, and keep its weights where no earlier epoch was better."""
    shown = np.random.default_rng(settings.seed).permutation(len(material.learned))[: settings.judged]
    learned, since = material.learned.of(np.sort(shown)), time.monotonic()

    def judge(model: nn.Module, epoch: int) -> None:
        nonlocal since
        fresh = _with_fresh_norms(model, material.learned, settings)
        answers = [logits_of(fresh, one.views, settings.size, settings.reading) for one in (learned, material.carved)]
        row: dict[str, float] = {
            TRAINING: macro_auc(learned.target, answers[0]),
            CHOICE: macro_auc(material.carved.target, answers[1]),
            "validation loss": float(
                findings_loss(torch.from_numpy(answers[1]), torch.from_numpy(material.carved.target), settings.reading)
            ),
            "seconds": time.monotonic() - since,
        }
        since = time.monotonic()
        before = max(earlier(run / PROGRESS, 0, epoch, CHOICE), default=0.0)
        write_row(run / PROGRESS, {"stage": 0, "epoch": epoch, **row})
        print(f"epoch {epoch}", *(f"{name} {value:.4g}" for name, value in row.items()), sep="; ", flush=True)
        if row[CHOICE] >= before:
            save(fresh, run / BEST, {HISTORY: history(settings, len(material.learned))})

    return judge


def _with_fresh_norms(model: nn.Module, learned: Labelled, settings: Settings) -> nn.Module:
    """The network with batch norm's statistics of its averaged weights, where it has any; see train.norms."""
    if not any(isinstance(part, nn.BatchNorm2d) for part in model.modules()):
        return model

    def show(fresh: nn.Module) -> None:
        device = next(fresh.parameters()).device
        data, drawn = Findings(learned, settings.size), min(len(learned), settings.judged)
        for images, _ in loader_of(data, len(learned), drawn, settings.batch, settings.seed, workers=0):
            fresh(images.to(device))

    return norms.with_fresh_norms(model, settings.seed, show)


def logits_of(
    model: nn.Module, views: Views, size: int, reading: Reading = Reading.SIGMOID, *, batch: int = 32
) -> Floats:
    """Logits [N, 14] of prepared views as they are, in eval mode; read as shares of one whole their logarithms."""
    device = next(model.parameters()).device
    found = [np.zeros((0, len(LABELS)))]
    model.eval()
    with torch.no_grad():
        for start in range(0, len(views), batch):
            images = torch.stack([normalised(seen_at(view, size)) for view in views[start : start + batch]])
            logits = model(images.to(device)).double()
            found.append((logits if reading is Reading.SIGMOID else logits.log_softmax(dim=1)).cpu().numpy())
    return np.concatenate(found)


def macro_auc(target: NDArray[np.int64], logits: Floats) -> float:
    """Mean AUC over the labels that have a say; 0.5 where none has, so that the last epoch is kept."""
    measured = [
        auc(truth, score)
        for truth, score in zip(target.T, logits.T, strict=True)
        if CHOOSING <= truth.sum() <= len(truth) - CHOOSING
    ]
    return float(np.mean(measured)) if measured else 0.5


def write_epochs(run: Path, folder: Path) -> None:
    """The table of cxrkit.finding_training, which counts epochs from 0, out of a run's progress.csv."""
    with (folder / EPOCHS).open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(row | {_EPOCH: int(row[_EPOCH]) - 1} for row in read_rows(run / PROGRESS))
