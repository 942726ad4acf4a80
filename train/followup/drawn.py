"""The pairs of a stage drawn once, into files, for the cells of a study: they all learn from the same ones."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from cxrkit.pixels import eight_bits, gray_of
from train.followup.data import Difficulty, Draw, Draws, PairSource, as_tensors, normalised
from train.followup.losses import Batch
from train.laboratory import digest
from train.prepared import made_by_all_cores
from train.samplers import ByEpoch
from train.stages import Stage

MOST = 8 * 2**30
"""Bytes of images that are kept; what a stage of the full budget draws would fill a disk."""


class Drawn(Dataset[Batch]):
    """The pairs of all epochs of a stage, one epoch after the other; each is a Batch without its first axis.

    Images are rounded to the 256 gray values that the task's prepare gives.

    Args:
        images: [N, 2, S, S] in 1/255.
        labels: columns of a Batch after the first, each [N, ...].
    """

    def __init__(self, images: NDArray[np.uint8], labels: Sequence[NDArray[Any]]) -> None:
        self.images, self.labels = images, labels

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, place: int) -> Batch:
        known = [torch.tensor(column[place]) for column in self.labels]
        return Batch(normalised(gray_of(self.images[place])), *known)


class Epochs(ByEpoch[int]):
    """The places of one epoch after the other.

    Args:
        pairs: of an epoch.
    """

    def __init__(self, pairs: int) -> None:
        self.pairs = pairs

    def __len__(self) -> int:
        return self.pairs

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.epoch * self.pairs, (self.epoch + 1) * self.pairs))


def fits(stage: Stage) -> bool:
    """Whether the images of a stage may be kept."""
    size, epochs, pairs = stage
    return epochs * pairs * 2 * size**2 <= MOST


def drawn_loader(
    sources: Sequence[PairSource],
    shares: Mapping[str, float],
    stage: Stage,
    batch: int,
    seed: int,
    workers: int,
    difficulty: Difficulty,
    folder: Path,
) -> DataLoader[Batch]:
    """What data.mixture_loader gives, from files that the first call writes.

    Args:
        sources, shares, batch, seed, workers, difficulty: as of data.mixture_loader.
        stage: side, epochs, and pairs of an epoch.
        folder: for the files of these sources alone; its user keeps those of other data apart.
    """
    stem = folder / f"{stage[0]}-{digest(stage, dict(shares), seed, difficulty)}"
    images, labels = stem.with_suffix(".npy"), stem.with_suffix(".npz")
    if not labels.is_file():
        _draw(sources, shares, stage, seed, difficulty, images, labels)
    with np.load(labels) as stored:
        columns = [stored[name] for name in Batch._fields[1:]]
    return DataLoader(
        Drawn(np.load(images, mmap_mode="r"), columns),
        batch_size=batch,
        sampler=Epochs(stage[2]),
        drop_last=True,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=torch.cuda.is_available(),
    )


def _draw(
    sources: Sequence[PairSource],
    shares: Mapping[str, float],
    stage: Stage,
    seed: int,
    difficulty: Difficulty,
    images: Path,
    labels: Path,
) -> None:
    """Write both files, the labels last, so that they stand for a finished drawing."""
    size, epochs, pairs = stage
    sampler = Draws(sources, shares, pairs, seed)
    draws: list[Draw] = []
    for epoch in range(epochs):
        sampler.set_epoch(epoch)
        draws.extend(sampler)

    def made(place: int) -> tuple[NDArray[np.uint8], list[NDArray[Any]]]:
        draw = draws[place]
        example = sources[draw.source].pair(draw.index, np.random.default_rng(draw.seed), size, difficulty)
        known = as_tensors(example, draw.source)[1:]
        return eight_bits(np.stack(example.images)), [column.numpy() for column in known]

    images.parent.mkdir(parents=True, exist_ok=True)
    # In a folder of its own first: another study may be drawing the same.
    with TemporaryDirectory(dir=images.parent) as folder:
        fresh_images, fresh_labels = Path(folder) / images.name, Path(folder) / labels.name
        shape = (len(draws), 2, size, size)
        stored = np.lib.format.open_memmap(fresh_images, mode="w+", dtype=np.uint8, shape=shape)
        rows = []
        for place, (pair, known) in enumerate(made_by_all_cores(made, len(draws), "drawing pairs")):
            stored[place] = pair
            rows.append(known)
        stored.flush()
        columns = dict(zip(Batch._fields[1:], map(np.stack, zip(*rows, strict=True)), strict=True))
        np.savez(fresh_labels, allow_pickle=False, **columns)
        fresh_images.replace(images)
        fresh_labels.replace(labels)
