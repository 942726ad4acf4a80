"""The mixture that the follow-up network learns from: pairs of several sources in given shares, drawn anew each epoch.

Which pair is drawn, and everything random about it, comes from the run's seed, the epoch and the draw's number alone:
no matter how many workers there are and where a killed run went on.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from cxrkit.pixels import Gray, resize
from cxrkit.tasks.followup import FOLLOW_UP
from train.followup.losses import UNKNOWN, Batch
from train.followup.plan import FAINTEST
from train.samplers import ByEpoch

Random = np.random.Generator
Mask = NDArray[np.bool_]

CELL = 16
"""Pixels of the image in a cell of the lesions' map: a position of the third stage's maps."""


@dataclass(frozen=True, eq=False)
class Example:
    """One pair as the task's prepare would give it, before normalisation.

    Attributes:
        images: baseline and follow-up, each [S, S] in [0, 1].
        change: 1, 0 or -1 (unknown).
        abnormal: of baseline and follow-up, each 1, 0 or -1.
        direction: 1 = more, 0 = less, -1 = unknown or no change.
        weight: how much the labels are trusted.
        kind: of the change, in words, for the figures; "" without.
        seen: of baseline and follow-up, where drawn lesions are seen [S, S]; None where none was drawn.
        healthy: of baseline and follow-up, whether the radiograph itself is known to be normal.
    """

    images: tuple[Gray, Gray]
    change: int
    abnormal: tuple[int, int] = (UNKNOWN, UNKNOWN)
    direction: int = UNKNOWN
    weight: float = 1.0
    kind: str = ""
    seen: "tuple[Mask | None, Mask | None]" = (None, None)
    healthy: tuple[bool, bool] = (False, False)

    def swapped(self) -> "Example":
        """The same pair seen backwards in time."""
        back = self.direction if self.direction == UNKNOWN else 1 - self.direction
        return Example(
            (self.images[1], self.images[0]),
            self.change,
            (self.abnormal[1], self.abnormal[0]),
            back,
            self.weight,
            self.kind,
            (self.seen[1], self.seen[0]),
            (self.healthy[1], self.healthy[0]),
        )


@dataclass(frozen=True)
class Difficulty:
    """How hard made pairs are.

    Attributes:
        faintest: contrast of the faintest lesion that changes; see plan.draw_plan.
        variation: factor on the strength of the natural variation, 0 to 1.
    """

    faintest: float = FAINTEST
    variation: float = 1.0


FULL, GENTLE = Difficulty(), Difficulty(faintest=0.7, variation=0.5)


class PairSource(Protocol):
    """Where pairs come from."""

    @property
    def name(self) -> str:
        """For the log."""

    @property
    def weights(self) -> NDArray[np.float64]:
        """[N] how often each of its pairs is drawn, summing to 1."""

    @property
    def identity(self) -> object:
        """What tells its pairs from those of another source: its `repr` is compared."""

    def pair(self, index: int, random: Random, size: int, difficulty: Difficulty = FULL) -> Example:
        """Pair `index` with images of this side; everything random about it comes from `random`."""


@dataclass(frozen=True)
class Draw:
    """One pair to be drawn: from which source, which of its pairs, and the seed of everything random about it."""

    source: int
    index: int
    seed: int


class Draws(ByEpoch[Draw]):
    """The draws of an epoch: each source has its exact share.

    Args:
        sources: to draw from.
        shares: name -> share; they need not sum to 1.
        pairs: of an epoch.
        seed: of the run.
    """

    def __init__(self, sources: Sequence[PairSource], shares: Mapping[str, float], pairs: int, seed: int) -> None:
        self.sources, self.pairs, self.seed = sources, pairs, seed
        wanted = np.array([shares[source.name] for source in sources])
        ends = np.rint(np.cumsum(wanted) / wanted.sum() * pairs).astype(int)
        self.counts = np.diff(ends, prepend=0)

    def __len__(self) -> int:
        return self.pairs

    def __iter__(self) -> Iterator[Draw]:
        random = np.random.default_rng([self.seed, self.epoch])
        draws = [
            Draw(number, int(index), int(random.integers(2**62)))
            for number, (source, count) in enumerate(zip(self.sources, self.counts, strict=True))
            for index in random.choice(len(source.weights), count, p=source.weights)
        ]
        return iter([draws[k] for k in random.permutation(len(draws))])


class Mixture(Dataset[Batch]):
    """Pairs of all sources, addressed by a Draw; each is a Batch without its first axis.

    Args:
        sources: in the order that draws count them in.
        size: side of the images.
        difficulty: of made pairs.
    """

    def __init__(self, sources: Sequence[PairSource], size: int, difficulty: Difficulty = FULL) -> None:
        self.sources, self.size, self.difficulty = sources, size, difficulty

    def __getitem__(self, draw: Draw) -> Batch:
        random = np.random.default_rng(draw.seed)
        source = self.sources[draw.source]
        return as_tensors(source.pair(draw.index, random, self.size, self.difficulty), draw.source)


def as_tensors(example: Example, source: int) -> Batch:
    """One pair as the network and its loss read it."""
    cells = [_cells(*image) for image in zip(example.images, example.seen, example.healthy, strict=True)]
    return Batch(
        normalised(np.stack(example.images)),
        torch.tensor(example.change),
        torch.tensor(example.abnormal),
        torch.tensor(example.direction),
        torch.tensor(example.weight, dtype=torch.float32),
        torch.tensor(source),
        torch.from_numpy(np.stack(cells)),
    )


def _cells(image: Gray, seen: "Mask | None", healthy: bool) -> NDArray[np.float32]:
    """[S / CELL, S / CELL]: share of each cell that drawn lesions cover; -1 where nobody knows what else is there."""
    side = image.shape[0] // CELL
    drawn = np.zeros_like(image) if seen is None else seen.astype(np.float32)
    share = resize(drawn, side, side)
    return share if healthy else np.where(share > 0, share, np.float32(UNKNOWN))


def normalised(images: NDArray[np.float32]) -> Tensor:
    """[2, S, S] in [0, 1] -> [2, 1, S, S] as the task normalises."""
    return torch.from_numpy(np.asarray((images - FOLLOW_UP.mean) / FOLLOW_UP.std, dtype=np.float32)[:, None])


def mixture_loader(
    sources: Sequence[PairSource],
    shares: Mapping[str, float],
    size: int,
    pairs: int,
    batch: int,
    seed: int,
    workers: int = 1,
    difficulty: Difficulty = FULL,
) -> DataLoader[Batch]:
    """Loader of one stage of training.

    Args:
        sources, shares, pairs, seed: as Draws.
        size: side of the images.
        batch: pairs of a batch.
        workers: processes that make pairs while the network trains; more than one takes cores from it.
        difficulty: of made pairs.
    """
    return DataLoader(
        Mixture(sources, size, difficulty),
        batch_size=batch,
        sampler=Draws(sources, shares, pairs, seed),
        drop_last=True,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=torch.cuda.is_available(),
    )
