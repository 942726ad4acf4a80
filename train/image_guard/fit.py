"""Fit the image guard's networks: the one that ships, and one without each of two hospitals."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from cxrkit.models.small_cnn import SmallClassifier
from cxrkit.pixels import Gray
from cxrkit.quality import KINDS, SWAPPED, TURNED, guard_input
from train.identity import identity_of
from train.image_guard.augment import varied
from train.image_guard.card import HeldOut
from train.image_guard.data import Entry, Part, Pool, fold, read_thumbnails
from train.image_guard.pictures import DRAWN, FRONTAL, LATERAL, made_thumbnails
from train.image_guard.threshold import operating_points, shares_of
from train.prepared import WeightedDraws
from train.trainer import FitSettings, fit

HELD_OUT = ("hannover", "lungs")
"""Hospitals that a further network is trained without."""

_SHARES = {
    "frontal chest": 0.45,
    "lateral chest": 0.1,
    "hand": 0.14,
    "other radiograph": 0.18,
    "not a radiograph": 0.13,
}
"""How often each kind is drawn, whatever the number of its images."""


@dataclass(frozen=True)
class Settings:
    """Of one run."""

    epochs: int = 10
    images_per_epoch: int = 4096
    held_out_epochs: int = 7
    batch: int = 64
    learning_rate: float = 3e-3
    seed: int = 0
    widths: tuple[int, ...] = (16, 32, 64, 96, 128)


def make_pool(entries: list[Entry], part: Part, cache: Path) -> Pool:
    """Real, simulated and drawn images of a part."""
    chosen = [entry for entry in entries if entry.part == part]
    made = made_thumbnails(part, cache)
    kind_of = {FRONTAL: "frontal chest", LATERAL: "lateral chest", DRAWN: "not a radiograph"}
    return Pool(
        np.concatenate([read_thumbnails(chosen, cache), *(made[name] for name in kind_of)]),
        tuple(entry.kind for entry in chosen) + tuple(kind for name, kind in kind_of.items() for _ in made[name]),
        # All body parts are one source: a part has 3 to 12 images.
        tuple(entry.source if entry.kind != "other radiograph" else "body parts" for entry in chosen)
        + tuple(name for name in kind_of for _ in made[name]),
    )


class Views(Dataset[tuple[Tensor, int]]):
    """Thumbnails, posed and varied anew each time, as the network reads them.

    The random numbers come from torch's generator, which every worker and every epoch gets a seed of its own for.
    """

    def __init__(self, pool: Pool) -> None:
        self.pool, self.vary = pool, varied()

    def __len__(self) -> int:
        return len(self.pool.kinds)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        rng = np.random.default_rng(int(torch.randint(2**31, (1,))))
        image, kind = posed(self.pool.thumbnails[index].astype(np.float32) / 255, self.pool.kinds[index], rng)
        return torch.from_numpy(guard_input(self.vary(image, rng)))[None], KINDS.index(kind)


def posed(image: Gray, kind: str, rng: Generator) -> tuple[Gray, str]:
    """An image as it is, turned, or with black and white swapped; and what it then is.

    Only of frontal chests the network has to say so; a hand may lie any way round.
    """
    turns, swap = int(rng.integers(1, 4)), rng.random()
    if kind == "frontal chest":
        if swap < 0.15:
            return 1 - image, SWAPPED
        return (np.rot90(image, turns).copy(), TURNED) if swap < 0.37 else (image, kind)
    if kind != "lateral chest" and rng.random() < 0.4:
        image = np.rot90(image, turns).copy()
    return (1 - image if swap < 0.2 else image), kind


def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Cross-entropy with a little smoothing, so that no image is ever called with full certainty."""
    images, kinds = batch
    return nn.functional.cross_entropy(model(images).float(), kinds, label_smoothing=0.02)


def weights_of(pool: Pool) -> NDArray[np.float64]:
    """[N] how often each image is drawn: kinds by _SHARES, sources within a kind by the root of their size."""
    groups = list(zip(pool.kinds, pool.sources, strict=True))
    sizes = {group: groups.count(group) for group in set(groups)}
    totals = {kind: sum(size**0.5 for (k, _), size in sizes.items() if k == kind) for kind in set(pool.kinds)}
    return np.array([_SHARES[kind] / totals[kind] / sizes[kind, source] ** 0.5 for kind, source in groups])


def train_one(pool: Pool, settings: Settings, epochs: int, run: Path) -> nn.Module:
    """Fit a network on a pool."""
    torch.manual_seed(settings.seed)
    sampler = WeightedDraws(weights_of(pool), settings.images_per_epoch, settings.seed)
    loader = DataLoader(
        Views(pool),
        batch_size=settings.batch,
        sampler=sampler,
        drop_last=True,
        num_workers=2,
        persistent_workers=True,
    )
    how = FitSettings(epochs, settings.learning_rate, weight_decay=0.02, ema_decay=0.99)
    identity = identity_of(
        replace(settings, epochs=epochs, held_out_epochs=0), pool.thumbnails, pool.kinds, pool.sources
    )
    return fit(SmallClassifier(settings.widths, len(KINDS)), loss, loader, how, run, identity)


def hold_out(entries: list[Entry], source: str, settings: Settings, run: Path) -> HeldOut:
    """Train without one hospital's chests and without a half of the body parts, then measure on these."""
    half = HELD_OUT.index(source)
    rest = [e for e in entries if e.source != source and not (_is_part(e) and fold(e, len(HELD_OUT)) == half)]
    # Elsewhere body parts that are set aside may train here: this network reports on its own half alone.
    rest = [Entry(e.file, e.source, e.kind, "fit") if _is_part(e) and e.part == "aside" else e for e in rest]
    model = train_one(make_pool(rest, "fit", run), settings, settings.held_out_epochs, run / f"without_{source}")
    points = operating_points(model, make_pool(rest, "carve", run))
    chests = [e for e in entries if e.source == source]
    parts = [e for e in entries if _is_part(e) and fold(e, len(HELD_OUT)) == half]
    stopped = [
        shares_of(model, read_thumbnails(group, run), "frontal chest") < points["frontal chest"]
        for group in (chests, parts)
    ]
    return HeldOut(source, int(stopped[0].sum()), len(chests), int(stopped[1].sum()), len(parts))


def _is_part(entry: Entry) -> bool:
    return entry.kind == "other radiograph"
