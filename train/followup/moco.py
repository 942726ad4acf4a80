"""MoCo v2 on radiographs without labels (He et al. 2020; Chen et al. 2020, arXiv 2003.04297).

Two views of one radiograph are to be found alike, and unlike those of the radiographs before it, which a queue keeps.
"""

import hashlib
import mimetypes
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import lightning
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from cxrkit.cases import Case
from cxrkit.errors import InputError, ManifestError
from cxrkit.models.music_vit import build_encoder
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from train.augment import contrastive
from train.followup.data import normalised
from train.followup.parts import divide, has_layout, read_set
from train.identity import identity_of
from train.prepared import Views, prepare_cases
from train.samplers import ByEpoch
from train.stored import HISTORY, save_tensors
from train.trainer import FitSettings, Scheduled, fit

ENCODER = "encoder.safetensors"
"""What comes out, in the run's folder."""


@dataclass(frozen=True)
class MocoSettings:
    """Of MoCo v2; the defaults are the source's.

    Attributes:
        encoder: any of MusicVit.
        size: side of the views in pixels.
        width: of the projected vectors.
        queue: keys that are kept, at least a batch.
        momentum: share of the key encoder that stays at each step.
        temperature: divides the cosines.
        epochs, batch: of the images.
        parts: the batch goes through batch norm in this many parts (the source's eight GPUs).
        optimiser: "sgd" as the source (momentum 0.9), or "adamw", which transformers need (Chen et al. 2021).
        learning_rate: at the start; it falls along half a cosine.
        weight_decay: of the optimiser.
        workers: processes that make views.
        seed: of initialisation, order and augmentation.
    """

    encoder: str = "resnet50"
    size: int = 224
    width: int = 128
    queue: int = 65_536
    momentum: float = 0.999
    temperature: float = 0.2
    epochs: int = 200
    batch: int = 256
    parts: int = 8
    optimiser: str = "sgd"
    learning_rate: float = 0.03
    weight_decay: float = 1e-4
    workers: int = 1
    seed: int = 0

    def check(self) -> None:
        """Raise InputError for settings that cannot be used."""
        if self.queue < self.batch:
            raise InputError(f"The queue holds {self.queue} keys; it needs at least a batch, which is {self.batch}.")
        if not 1 <= self.parts <= self.batch // 2:
            raise InputError(f"A batch of {self.batch} cannot be used in {self.parts} parts; each needs two images.")
        if self.optimiser not in ("sgd", "adamw"):
            raise InputError(f"The optimiser is “{self.optimiser}”; choose sgd or adamw.")


class Projected(nn.Module):
    """Encoder and the head that only this training needs: two layers, as MoCo v2 took over from SimCLR."""

    def __init__(self, encoder: str, size: int, width: int) -> None:
        super().__init__()
        self.encoder, channels = build_encoder(encoder, size)
        self.head = nn.Sequential(nn.Linear(channels, channels), nn.ReLU(), nn.Linear(channels, width))

    def forward(self, images: Tensor) -> Tensor:
        """[N, 1, S, S] -> [N, width] of length 1, in float32."""
        projected = self.head(self.encoder(images).mean(dim=(2, 3)))
        return nn.functional.normalize(projected.float(), dim=1)


class Moco(nn.Module):
    """The encoder that learns, the one that follows it, and the queue of keys.

    With batch norm, a query and its key could know each other by the statistics of their batch. The source therefore
    shuffles keys between GPUs. On one device shuffling a whole batch changes none of its statistics, so here both go
    through in parts, and the keys' parts are others than the queries'.
    """

    queue: Tensor
    place: Tensor

    def __init__(self, settings: MocoSettings) -> None:
        super().__init__()
        settings.check()
        self.settings = settings
        self.query = Projected(settings.encoder, settings.size, settings.width)
        self.key = Projected(settings.encoder, settings.size, settings.width)
        self.key.load_state_dict(self.query.state_dict())
        self.key.requires_grad_(False)
        keys = torch.randn(settings.queue, settings.width)
        self.register_buffer("queue", nn.functional.normalize(keys, dim=1))
        self.register_buffer("place", torch.zeros((), dtype=torch.int64))

    def forward(self, views: Tensor) -> Tensor:
        """Two views of each image, [N, 2, 1, S, S], normalised -> loss; key encoder and queue move on."""
        first, second = views.unbind(1)
        parts = self.settings.parts
        queries = torch.cat([self.query(part) for part in first.chunk(parts)])
        with torch.no_grad():
            self.follow()
            order = torch.randperm(len(second), device=second.device)
            shuffled = torch.cat([self.key(part) for part in second[order].chunk(parts)])
            keys = shuffled[order.argsort()]
        # A copy, because the queue changes before the gradient is taken.
        value = info_nce(queries, keys, self.queue.clone(), self.settings.temperature)
        self.enqueue(keys)
        return value

    @torch.no_grad()
    def follow(self) -> None:
        """Bring the key encoder a small step towards the query encoder."""
        for key, query in zip(self.key.parameters(), self.query.parameters(), strict=True):
            key.lerp_(query, 1 - self.settings.momentum)

    @torch.no_grad()
    def enqueue(self, keys: Tensor) -> None:
        """Put keys [N, width] in the place of the oldest."""
        places = (self.place + torch.arange(len(keys), device=keys.device)) % len(self.queue)
        self.queue[places] = keys
        self.place.add_(len(keys)).remainder_(len(self.queue))


def info_nce(queries: Tensor, keys: Tensor, queue: Tensor, temperature: float) -> Tensor:
    """Cross-entropy of finding each query's own key among it and all of the queue (van den Oord et al. 2018).

    Args:
        queries, keys: [N, C] of length 1.
        queue: [K, C] of length 1.
        temperature: divides the cosines.
    """
    own = (queries * keys).sum(dim=1, keepdim=True)
    logits = torch.cat([own, queries @ queue.T], dim=1) / temperature
    return nn.functional.cross_entropy(logits, torch.zeros(len(queries), dtype=torch.int64, device=logits.device))


class Order(ByEpoch[tuple[int, int]]):
    """Each epoch's order, and the seed of each image's views: of the run's seed and the epoch alone."""

    def __init__(self, images: int, seed: int) -> None:
        self.images, self.seed = images, seed

    def __len__(self) -> int:
        return self.images

    def __iter__(self) -> Iterator[tuple[int, int]]:
        random = np.random.default_rng([self.seed, self.epoch])
        for index in random.permutation(self.images):
            yield int(index), int(random.integers(2**31))


class TwoViews(Dataset[Tensor]):
    """Two augmented and normalised views [2, 1, S, S] of a prepared radiograph, addressed by (index, seed)."""

    def __init__(self, views: Views, size: int) -> None:
        self.views, self.augment = views, contrastive(size)

    def __getitem__(self, draw: tuple[int, int]) -> Tensor:
        index, seed = draw
        view = self.views[index].astype(np.float32) / 255
        return normalised(np.stack([self.augment(view, seed), self.augment(view, seed + 1)]))


def read_radiographs(paths: Sequence[Path], size: int, cache: Path) -> Views:
    """Prepare all radiographs that may be learned from, or read the cache.

    Args:
        paths: of a data set in a layout that `train.followup.parts` can read, its training part; of any other folder
            every file below it, which has to be a frontal chest radiograph, or text, which is passed over.
        size: side of the views.
        cache: folder for prepared images.

    Raises:
        ManifestError: a table that cannot be used, or an empty folder.
        ImageError: a file that is no image.
    """
    found = []
    for path in paths:
        if has_layout(path):
            images = read_set(path)
            root, cases = images.root, list(divide(images).training)
        else:
            root, cases = path, _files_below(path)
        # Files of different folders may have the same names, by which the cache knows them.
        own = cache / hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:16]
        # Every chest task prepares alike, and this one reads single images.
        found.append(prepare_cases(TUBERCULOSIS, cases, root, size, own))
    return np.concatenate(found)


def _files_below(folder: Path) -> list[Case]:
    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    names = [str(file) for file in files if not any(part.startswith(".") for part in file.parts) and _may_show(file)]
    if not names:
        raise ManifestError("A folder to learn from is empty, or not there. Give one that holds radiographs.")
    return [Case((name,), "", None, None) for name in names]


def _may_show(file: Path) -> bool:
    """Whether a file may be an image by its name; those of DICOM often have names without any suffix."""
    kind = mimetypes.guess_type(file.name)[0]
    return kind is None or kind.startswith("image/") or kind == "application/dicom"


def contrast(views: Views, settings: MocoSettings, how: FitSettings, run: Path) -> Path:
    """Train on prepared radiographs, or go on where a killed run stopped.

    Args:
        views: [N, S, S] in 1/255, such as `train.prepared.prepare_cases` gives.
        settings: of MoCo.
        how: hardware and precision; the queue is of one process, so of one device.
        run: folder for checkpoints and the result.

    Returns:
        safetensors file with the names of a MusicVit's encoder, which training can start from.

    Raises:
        InputError: settings that cannot be used, several devices, or fewer radiographs than a batch.
    """
    settings.check()
    if how.devices * how.nodes != 1:
        raise InputError("MoCo trains on one device here. Choose --devices 1.")
    if len(views) < settings.batch:
        raise InputError(
            f"There are {len(views)} radiographs and a batch needs {settings.batch}. Choose a smaller one."
        )
    lightning.seed_everything(settings.seed, verbose=False)
    loader = DataLoader(
        TwoViews(views, settings.size),
        batch_size=settings.batch,
        sampler=Order(len(views), settings.seed),
        drop_last=True,
        num_workers=settings.workers,
        persistent_workers=settings.workers > 0,
    )
    how = replace(
        how,
        epochs=settings.epochs,
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
        ema_decay=0.0,
    )
    model = Moco(settings)
    fit(
        model,
        lambda network, batch: network(batch),
        loader,
        how,
        run,
        identity_of(settings, views),
        optimiser=lambda network, _, steps: _optimiser(network, settings, steps),
    )
    file = run / ENCODER
    told = {HISTORY: "MoCo v2, without labels"} | {name: str(value) for name, value in asdict(settings).items()}
    save_tensors(encoder_state(model), file, told)
    return file


def encoder_state(model: Moco) -> dict[str, Tensor]:
    """What a MusicVit has too: the encoder; its embedding is wider than the projection here."""
    state = model.query.state_dict()
    return {name: value.contiguous() for name, value in state.items() if name.startswith("encoder.")}


def _optimiser(model: nn.Module, settings: MocoSettings, steps: int) -> Scheduled:
    """The learning rate falls along half a cosine from the first step on, as the source's does."""
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    rate, decay = settings.learning_rate, settings.weight_decay
    optimiser: torch.optim.Optimizer
    if settings.optimiser == "sgd":
        optimiser = torch.optim.SGD(learning, rate, momentum=0.9, weight_decay=decay)
    else:
        optimiser = torch.optim.AdamW(learning, rate, weight_decay=decay)
    return optimiser, torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
