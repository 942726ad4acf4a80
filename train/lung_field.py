"""Train the lung field's U-Net: python -m train.lung_field FOLDER [--measure]

FOLDER holds labels.csv with the columns file and mask, as the OpenIST chest set does here. A fifth of the images,
drawn with a fixed seed, is set aside and reports once; patients are not known, so the split is by image. Simulated
chests, whose lungs are known exactly and which training never sees, report as well. With --measure nothing is
trained: the stored weights are measured again and get a new card.
"""

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch
import typer
from numpy.typing import NDArray
from scipy.stats import bootstrap
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from cxrkit.card import WEIGHTS, Card, Metric, Source, read_card, write_card
from cxrkit.image import read_image
from cxrkit.lungs import NAME, SIZE, TRAIN_COMMAND, find_lungs, lung_input
from cxrkit.models.unet import UNet
from cxrkit.phantoms import LESIONS, Lesion, random_chest, simulate_chest
from cxrkit.weights import fill, read_weights, save_weights
from train.augment import with_mask
from train.identity import identity_of
from train.provenance import CHANGED, commit
from train.trainer import FitSettings, fit

WIDTHS = (16, 32, 64, 96, 128)

SIMULATED = 60
"""Simulated chests that report, of each kind."""


@dataclass(frozen=True)
class Settings:
    """Of one run."""

    epochs: int = 40
    batch: int = 16
    learning_rate: float = 2e-3
    set_aside: float = 0.2
    seed: int = 0


class Pairs(Dataset[tuple[Tensor, Tensor]]):
    """Images [N, S, S] in [-1, 1] and masks [N, S, S] in {0, 1}."""

    def __init__(self, images: NDArray[np.float32], masks: NDArray[np.float32], repeats: int) -> None:
        self.images, self.masks, self.repeats = images, masks, repeats
        self.augment = with_mask()

    def __len__(self) -> int:
        return len(self.images) * self.repeats

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        index %= len(self.images)
        image, mask = self.augment((self.images[index] + 1) / 2, self.masks[index])
        return torch.from_numpy(lung_input(image))[None], torch.from_numpy(mask)[None]


def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Cross-entropy plus one minus the soft Dice coefficient."""
    images, masks = batch
    logits = model(images).float()
    probability = logits.sigmoid()
    overlap = 2 * (probability * masks).sum((1, 2, 3)) + 1
    soft_dice = overlap / (probability.sum((1, 2, 3)) + masks.sum((1, 2, 3)) + 1)
    entropy: Tensor = nn.functional.binary_cross_entropy_with_logits(logits, masks)
    overlapping: Tensor = (1 - soft_dice).mean()
    return entropy + overlapping


def dice(predicted: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Overlap of two masks of one shape, 0 to 1; two empty masks agree fully."""
    total = int(predicted.sum() + truth.sum())
    return 2 * float((predicted & truth).sum()) / total if total else 1.0


def read_pairs(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """All images and masks of a folder at the U-Net's size."""
    images, masks = [], []
    for row in pd.read_csv(folder / "labels.csv").itertuples():
        images.append(lung_input(read_image((folder / str(row.file)).read_bytes()).windowed()))
        mask = read_image((folder / str(row.mask)).read_bytes()).values > 0
        masks.append(cv2.resize(mask.astype(np.float32), (SIZE, SIZE), interpolation=cv2.INTER_AREA) > 0.5)
    return np.stack(images), np.stack(masks).astype(np.float32)


def simulated_dice(count: int) -> tuple[list[float], list[float]]:
    """Dice coefficients of the stored weights on simulated frontal chests, through all of `find_lungs`.

    Returns:
        of `count` chests without lesions, of the same chests with one lesion each, all kinds in turn.
    """
    clear: list[float] = []
    ill: list[float] = []
    for seed in range(count):
        lesion = Lesion(LESIONS[seed % len(LESIONS)], side="left" if seed % 2 else "right")
        for lesions, figures in (((), clear), ((lesion,), ill)):
            chest = simulate_chest(random_chest(seed, lesions=lesions, view="PA", size=320))
            truth = cv2.resize(chest.lungs.astype(np.float32), (SIZE, SIZE), interpolation=cv2.INTER_AREA) > 0.5
            figures.append(dice(find_lungs(chest.values).probability > 0.5, truth))
    return clear, ill


def metric(part: str, figures: list[float], note: str = "") -> Metric:
    """Mean Dice coefficient with its bootstrap interval over images."""
    interval = bootstrap((figures,), np.mean, rng=0).confidence_interval
    return Metric("Dice", part, float(np.mean(figures)), float(interval.low), float(interval.high), len(figures), note)


def unmeasured(cases: int, settings: Settings, digest: str, code: str) -> Card:
    """Card of stored weights, without figures."""
    return Card(
        task=NAME,
        labels=("lung",),
        model={"widths": WIDTHS},
        input_size=SIZE,
        mean=0.5,
        std=0.5,
        sha256=digest,
        precision="fp16",
        thresholds={"lung": 0.5},
        temperature=1.0,
        initialisation="random",
        data=(
            Source(
                "OpenIST chest set",
                "OpenIST chest X-ray set with lung masks",
                "no licence file: train and measure only",
                cases,
                True,
            ),
        ),
        split=f"{settings.set_aside:.0%} of the images set aside at random (seed {settings.seed}), patients not known",
        metrics=(),
        settings=asdict(settings),
        commit=code,
        preparation=(),
        limits=(),
    )


def limits_of(code: str) -> tuple[str, ...]:
    """What the figures don't speak of; and where the code of this commit alone would not train such weights again."""
    unmeasured = "Children, lateral views and lungs lost to disease on a whole side were not measured."
    changed = f"The code that trained was not all committed: {code.removesuffix(CHANGED)} is the commit before it."
    return (unmeasured, changed) if code.endswith(CHANGED) else (unmeasured,)


def measured(images: NDArray[np.float32], masks: NDArray[np.float32]) -> tuple[Metric, ...]:
    """Figures of the stored weights on the images set aside [N, S, S] and on simulated chests."""
    state, card = read_weights(WEIGHTS / NAME, TRAIN_COMMAND)
    model = fill(UNet(tuple(card.model["widths"])), state, TRAIN_COMMAND)
    with torch.inference_mode():
        found = model(torch.from_numpy(images)[:, None])[:, 0].numpy() > 0
    aside = [dice(a, b > 0) for a, b in zip(found, masks, strict=True)]
    clear, ill = simulated_dice(SIMULATED)
    note = "exact masks; not trained on"
    return (
        metric("OpenIST, set aside by image", aside),
        metric("simulated frontal chests without a lesion", clear, note),
        metric("simulated frontal chests with one lesion", ill, note),
    )


def main(data: Path, run: Path = Path("runs/lung_field"), epochs: int = Settings.epochs, measure: bool = False) -> None:
    """Train on DATA, measure once on the part set aside and on simulated chests, write weights/lung_field."""
    place = WEIGHTS / NAME / "card.json"
    present = read_card(place) if measure else None
    settings = Settings(**present.settings) if present else Settings(epochs=epochs)
    generator = torch.Generator().manual_seed(settings.seed)
    torch.manual_seed(settings.seed)
    images, masks = read_pairs(data)
    order = np.random.default_rng(settings.seed).permutation(len(images))
    aside, rest = np.split(order, [round(len(order) * settings.set_aside)])
    if present:
        card = present
    else:
        loader = DataLoader(
            Pairs(images[rest], masks[rest], repeats=2),
            batch_size=settings.batch,
            shuffle=True,
            drop_last=True,
            generator=generator,
        )
        how = FitSettings(settings.epochs, settings.learning_rate, weight_decay=0.01, ema_decay=0.99)
        code = commit()
        digest = save_weights(
            fit(UNet(WIDTHS), loss, loader, how, run, identity_of(settings, images[rest], masks[rest])), WEIGHTS / NAME
        )
        card = unmeasured(len(images), settings, digest, code)
        write_card(card, place)  # the weights are read with their card
    metrics = measured(images[aside], masks[aside])
    write_card(replace(card, metrics=metrics, limits=limits_of(card.commit)), place)


if __name__ == "__main__":
    typer.run(main)
