"""Batches of hands: which are drawn, how they are changed, and how they are handed to the network."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from cxrkit.task import Task
from train.bone_age.augment import Change, Strength, apply, draw
from train.bone_age.images import Shown
from train.bone_age.losses import Batch
from train.samplers import ByEpoch


class Pictures(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """Pictures of several kinds one after the other; see Batch for what an item is.

    Args:
        kinds: of equal size.
        task: for mean and std.
        strength: of the changes; None = as they are.
    """

    def __init__(self, kinds: Sequence[Shown], task: Task, strength: Strength | None = None) -> None:
        self.kinds, self.task, self.strength = kinds, task, strength
        self.places = [(kind, row) for kind, shown in enumerate(kinds) for row in range(len(shown.hands))]
        self.months = [shown.months for shown in kinds]
        self.sex = [shown.sex for shown in kinds]

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, Tensor]:
        kind, row = self.places[index]
        (view,) = self.kinds[kind].views(row, row + 1)
        random = np.random.default_rng(int(torch.randint(2**31, ())))  # torch seeds each worker and epoch
        seen = apply(view, draw(self.strength, random) if self.strength else Change())
        normalised = np.ascontiguousarray((seen - self.task.mean) / self.task.std, dtype=np.float32)
        months = torch.tensor(self.months[kind][row], dtype=torch.float32)
        return torch.from_numpy(normalised)[None], months, torch.tensor(self.sex[kind][row])


class Shares(ByEpoch[int]):
    """Draws a fixed share of each epoch from each kind, every picture of a kind once before any comes again.

    What an epoch draws follows from the seed and the epoch's number, so a run that goes on draws what it would have.

    Args:
        counts: pictures of each kind.
        shares: of each kind in an epoch, summing to 1; a kind without pictures gives its share to the others.
        images: of an epoch.
        seed: of the order.
    """

    def __init__(self, counts: Sequence[int], shares: Sequence[float], images: int, seed: int) -> None:
        present = [share if count else 0.0 for count, share in zip(counts, shares, strict=True)]
        if sum(present) <= 0:
            raise ValueError(f"nothing to draw from: {list(counts)} pictures with the shares {list(shares)}")
        ends = np.round(np.cumsum(present) / sum(present) * images).astype(int)
        self.each = np.diff(ends, prepend=0).tolist()
        self.counts, self.seed = list(counts), seed

    def __len__(self) -> int:
        return sum(self.each)

    def __iter__(self) -> Iterator[int]:
        starts = np.cumsum([0, *self.counts[:-1]])
        drawn = [start + self._of(kind) for kind, start in enumerate(starts)]
        order = np.concatenate(drawn)
        np.random.default_rng([self.seed, 1, self.epoch]).shuffle(order)
        return iter(order.tolist())

    def _of(self, kind: int) -> Any:
        """Places `epoch * each` to `(epoch + 1) * each` of an endless row of shuffled rounds."""
        each, count = self.each[kind], self.counts[kind]
        if not each:
            return np.zeros(0, dtype=np.int64)
        first = self.epoch * each
        rounds = range(first // count, (first + each - 1) // count + 1)
        row = np.concatenate([np.random.default_rng([self.seed, 2, kind, n]).permutation(count) for n in rounds])
        return row[first - rounds[0] * count :][:each]


def loader(data: Pictures, sampler: Shares, batch: int, workers: int) -> "DataLoader[Any]":
    """Whole batches of the sampler's draws.

    Args:
        data: what is drawn from.
        sampler: which.
        batch: hands of a batch.
        workers: processes that change pictures while the network trains; one is enough for it.
    """
    return DataLoader(
        data,
        batch_size=batch,
        sampler=sampler,
        drop_last=True,
        num_workers=workers,
        persistent_workers=workers > 0,
        collate_fn=_collate,
    )


def _collate(items: Sequence[tuple[Tensor, Tensor, Tensor]]) -> Batch:
    return Batch(*(torch.stack(column) for column in zip(*items, strict=True)))
