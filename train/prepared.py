"""Cases through the task's own `prepare`, once, into memory; and the data set that augments them."""

import functools
import hashlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from cxrkit.card import WEIGHTS, read_card
from cxrkit.cases import Case, resolve
from cxrkit.errors import CxrkitError
from cxrkit.image import Radiograph, read_image
from cxrkit.lungs import NAME as LUNG_FIELD
from cxrkit.lungs import find_lungs
from cxrkit.pixels import Gray, eight_bits, gray_of, resize
from cxrkit.task import ModelInput, Task
from cxrkit.weights import preparation_record
from train.augment import Augment
from train.samplers import ByEpoch
from train.stored import save_array

Views = NDArray[np.uint8]
"""[N, S, S]: what the network reads, before normalisation, in 1/255."""

recorded = functools.cache(preparation_record)
"""Costs as much as preparing two images, and stays the same throughout a process."""

Item = TypeVar("Item")

_WORTH = 100
"""Images from which processes of their own are worth their start."""


class _Made(Dataset["Item | CxrkitError"]):
    """What is made of each number; an exception would lose its sentence between processes."""

    def __init__(self, make: Callable[[int], Item], count: int) -> None:
        self.make, self.count = make, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> "Item | CxrkitError":
        try:
            return self.make(index)
        except CxrkitError as error:
            return error


def made_by_all_cores(make: Callable[[int], Item], count: int, told: str) -> Iterator[Item]:
    """make(0) to make(count - 1), in order; many of them by one process a core.

    Args:
        make: number -> item.
        count: how many.
        told: what is done, for the progress shown.

    Raises:
        CxrkitError: as make does.
    """
    # Elsewhere processes start anew and would have to be sent `make`, which may be a function within a function.
    forked = sys.platform == "linux" and count >= _WORTH
    cores = len(os.sched_getaffinity(0)) if forked else 1
    loader = DataLoader(
        _Made(make, count), batch_size=None, num_workers=cores if cores > 1 else 0, collate_fn=lambda item: item
    )
    for item in tqdm(loader, desc=told, unit="image", total=count):
        if isinstance(item, CxrkitError):
            raise item
        yield item


def prepare_cases(task: Task, cases: Sequence[Case], root: Path, size: int, cache: Path) -> Views:
    """Read and prepare every case's one image; a later call with the same cases reads the cache.

    Args:
        task: whose prepare is used.
        cases: with files below root.
        root: folder.
        size: side of the network's input.
        cache: folder for the prepared arrays.
    """
    key = _of_files(cases, root)
    key.update(repr((task.name, size, recorded(task))).encode())
    # The automatic crop depends on the lung field's weights.
    key.update(_lung_field())
    file = cache / f"{task.name}-{size}-{key.hexdigest()[:16]}.npy"
    if file.is_file():
        return np.asarray(np.load(file))
    views = np.zeros((len(cases), size, size), dtype=np.uint8)

    def prepared(index: int) -> Views:
        image = read_image(resolve(cases[index], root)[0].read_bytes())
        return eight_bits(task.prepare([image], {}, ModelInput(size=size)).view[0])

    for index, view in enumerate(made_by_all_cores(prepared, len(cases), "preparing")):
        views[index] = view
    save_array(file, views)
    return views


def _of_files(cases: Sequence[Case], root: Path) -> "hashlib._Hash":
    """What tells these files from others of the same names below another root."""
    return hashlib.sha256(repr((str(root.resolve()), [case.files for case in cases])).encode())


def read_each(
    measure: Callable[[Radiograph], NDArray[np.float32]], cases: Sequence[Case], root: Path, cache: Path, name: str
) -> NDArray[np.float32]:
    """What `measure` gives for every case's one image, stacked; a later call with the same cases reads the cache."""
    file = cache / f"{name}-{_of_files(cases, root).hexdigest()[:16]}.npy"
    if not file.is_file():

        def measured(index: int) -> NDArray[np.float32]:
            return measure(read_image(resolve(cases[index], root)[0].read_bytes()))

        save_array(file, np.stack(list(made_by_all_cores(measured, len(cases), name))))
    return np.asarray(np.load(file))


def lung_maps(views: Views, cache: Path) -> Views:
    """Probability of lung [N, S, S] in 1/255 in the frame of each view; a later call reads the cache."""
    key = hashlib.sha256(views.tobytes() + _lung_field()).hexdigest()[:16]
    file = cache / f"lungs-{key}.npy"
    if not file.is_file():

        def found(index: int) -> Views:
            probability = find_lungs(gray_of(views[index])).probability
            return eight_bits(resize(probability, views.shape[2], views.shape[1]))

        maps = np.zeros_like(views)
        for index, one in enumerate(made_by_all_cores(found, len(views), "lungs")):
            maps[index] = one
        save_array(file, maps)
    return np.asarray(np.load(file))


def _lung_field() -> bytes:
    """Which weights look for the lungs."""
    return read_card(WEIGHTS / LUNG_FIELD / "card.json").sha256.encode()


Draw = Callable[[int, Gray], tuple[Gray, int]]
"""(position, view in [0, 1]) -> the view to train on and its class."""


class Augmented(Dataset[tuple[Tensor, int]]):
    """Prepared views, augmented and then normalised as the task says.

    Args:
        views: [N, S, S].
        targets: [N], class index.
        task: for mean and std.
        augment: applied to each view in [0, 1].
        draw: applied before; may change the class.
    """

    def __init__(
        self,
        views: Views,
        targets: NDArray[np.int64],
        task: Task,
        augment: Augment | None = None,
        draw: Draw | None = None,
    ) -> None:
        self.views, self.targets, self.task = views, targets, task
        self.augment, self.draw = augment, draw

    def __len__(self) -> int:
        return len(self.views)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        view, target = self.views[index].astype(np.float32) / 255, int(self.targets[index])
        if self.draw:
            view, target = self.draw(index, view)
        if self.augment:
            view = self.augment(view)
        normalised = np.ascontiguousarray((view - self.task.mean) / self.task.std, dtype=np.float32)
        return torch.from_numpy(normalised)[None], target


def even_weights(groups: Sequence[str], shares: Mapping[str, float]) -> NDArray[np.float64]:
    """Weight [N] with which each image is drawn: every group equally often within its share, whatever its size.

    Args:
        groups: [N], written "share/name".
        shares: share -> how much of an epoch its groups make together.
    """
    names, inverse, counts = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
    kinds = [str(name).split("/", 1)[0] for name in names]
    each = [shares[kind] / kinds.count(kind) for kind in kinds]
    return np.asarray((np.array(each) / counts)[inverse], dtype=np.float64)


class WeightedDraws(ByEpoch[int]):
    """Positions drawn with a weight each, the same one again and again: by the run's seed and the epoch alone.

    So a run that was killed goes on with the draws of the epochs that remain.

    Args:
        weights: [N].
        images: of an epoch.
        seed: of the run.
    """

    def __init__(self, weights: NDArray[np.float64], images: int, seed: int) -> None:
        self.shares, self.images, self.seed = weights / weights.sum(), images, seed

    def __len__(self) -> int:
        return self.images

    def __iter__(self) -> Iterator[int]:
        random = np.random.default_rng([self.seed, self.epoch])
        return iter(random.choice(len(self.shares), self.images, p=self.shares).tolist())


def weighted_loader(
    data: Augmented, weights: NDArray[np.float64], images: int, batch: int, seed: int, *, worker: bool = True
) -> DataLoader[tuple[Tensor, int]]:
    """Loader whose epoch draws `images` images, each with its weight.

    Args:
        data: what is drawn from.
        weights: [N].
        images: of an epoch.
        batch: images of a batch.
        seed: of the draw.
        worker: whether a process of its own augments while the network trains.
    """
    sampler = WeightedDraws(weights, images, seed)
    # More than one would only take cores from the network.
    return DataLoader(
        data, batch_size=batch, sampler=sampler, drop_last=True, num_workers=int(worker), persistent_workers=worker
    )
