"""Prepared radiographs in memory, and what training draws from them."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from cxrkit.cases import Case
from cxrkit.errors import InputError
from cxrkit.finding_labels import findings_of
from cxrkit.pixels import Gray, resize
from cxrkit.tasks.nih14 import LABELS, MEAN, NIH14, STD
from train.augment import contrastive
from train.datasets import DIVISION
from train.nih14.augment import apply, draw
from train.nih14.parts import Parts, divide, divide_by_image
from train.nih14.sources import labelled_cases, unlabelled_cases
from train.prepared import Views, prepare_cases
from train.samplers import ByEpoch

UNKNOWN = -1
"""Of an image without labels."""

SETS = "sets"
"""What a file of self-supervised weights says of its images, as JSON in its metadata: Pool.sets."""


@dataclass(frozen=True, eq=False)
class Labelled:
    """N prepared radiographs with their findings.

    Attributes:
        views: [N, S, S].
        target: [N, 14] 0 or 1, in the order of the task's labels.
        patients: [N]; an image of an unknown patient counts as a patient.
    """

    views: Views
    target: NDArray[np.int64]
    patients: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.views)

    def of(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> "Labelled":
        """Some of them."""
        return Labelled(self.views[which], self.target[which], self.patients[which])


@dataclass(frozen=True, eq=False)
class Material:
    """A labelled set, divided and prepared.

    Attributes:
        name: of its folder.
        parts: its cases.
        learned, carved, reporting: the same, prepared.
    """

    name: str
    parts: Parts
    learned: Labelled
    carved: Labelled
    reporting: Labelled


def read_material(root: Path, cache: Path, size: int, *, by_image: bool = False) -> Material:
    """Read, divide and prepare a labelled set.

    Args:
        root: see sources.labelled_cases.
        cache: folder for prepared images.
        size: side of the views.
        by_image: divide image by image, as the source did.

    Raises:
        ManifestError, InputError: as labelled_cases and divide.
    """
    cases = labelled_cases(root)
    parts = divide_by_image(cases, DIVISION) if by_image else divide(cases, DIVISION)
    return material_of(root, cases, parts, cache, size)


def material_of(root: Path, cases: Sequence[Case], parts: Parts, cache: Path, size: int) -> Material:
    """A labelled set in parts, of which all images are prepared together, so that every division shares them.

    Args:
        root, cache, size: as for read_material.
        cases: the whole set.
        parts: of it.
    """
    views = prepare_cases(NIH14, cases, root, size, _own(cache, root))
    place = {case.files: position for position, case in enumerate(cases)}
    return Material(
        root.name,
        parts,
        *(_labelled(part, views, place) for part in (parts.learned, parts.carved, parts.reporting)),
    )


def _labelled(cases: Sequence[Case], views: Views, place: Mapping[tuple[str, ...], int]) -> Labelled:
    whose = np.array([case.patient or case.files[0] for case in cases], dtype=np.str_)
    return Labelled(views[[place[case.files] for case in cases]], targets(cases), whose)


def targets(cases: Sequence[Case]) -> NDArray[np.int64]:
    """[N, 14] 0 or 1.

    Raises:
        ManifestError: as finding_labels.findings_of.
    """
    found = [findings_of(case, LABELS) for case in cases]
    return np.array([[int(label in one) for label in LABELS] for one in found], dtype=np.int64).reshape(-1, len(LABELS))


@dataclass(frozen=True, eq=False)
class Pool:
    """What is learned from without labels, and the labels of those that have some.

    Attributes:
        views: [N, S, S].
        target: [N, 14] 0, 1 or UNKNOWN.
        sets: images of each set, or of each of its families, by name.
    """

    views: Views
    target: NDArray[np.int64]
    sets: dict[str, int]

    def __len__(self) -> int:
        return len(self.views)

    def told(self) -> dict[str, str]:
        """For the metadata of what learned from it."""
        return {SETS: json.dumps(self.sets)}


def read_pool(material: Material, folders: Sequence[Path], cache: Path, size: int) -> Pool:
    """The images that a labelled set learns from, and the training parts of further sets.

    Neither what chooses nor what reports is among them.

    Args:
        material: the labelled set.
        folders: see sources.unlabelled_cases; the labelled set itself is not given again.
        cache: folder for prepared images.
        size: side of the views.

    Raises:
        InputError: a folder of the labelled set's name.
        ManifestError: as unlabelled_cases.
    """
    if any(folder.name == material.name for folder in folders):
        raise InputError(f"The labelled set, {material.name}, is learned from anyway. Leave it out of --unlabelled.")
    views, target = [material.learned.views], [material.learned.target]
    sets = Counter({material.name: len(material.learned)})
    for folder in folders:
        cases = unlabelled_cases(folder)
        views.append(prepare_cases(NIH14, cases, folder, size, _own(cache, folder)))
        target.append(np.full((len(cases), len(LABELS)), UNKNOWN))
        sets.update(case.family or folder.name for case in cases)
    return Pool(np.concatenate(views), np.concatenate(target), dict(sets))


def _own(cache: Path, root: Path) -> Path:
    """Files of different folders may have the same names, by which a cache knows them."""
    return cache / hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:16]


def normalised(view: Gray) -> Tensor:
    """[S, S] in [0, 1] -> [1, S, S] as the task's prepare normalises."""
    return torch.from_numpy(np.ascontiguousarray((view - MEAN) / STD, dtype=np.float32))[None]


def seen_at(view: Views, size: int) -> Gray:
    """A prepared view [S, S] at another size, in [0, 1]."""
    return resize(view.astype(np.float32) / np.float32(255), size, size)


Place = tuple[int, int]
"""Position of an image, and the seed of all that is drawn for it."""


class Draws(ByEpoch[Place]):
    """Each epoch's images, and a seed for each: of the run's seed and the epoch alone, wherever a killed run went on.

    Args:
        images: how many there are.
        drawn: how many an epoch has; no image twice before every one came once.
        seed: of the run.
    """

    def __init__(self, images: int, drawn: int, seed: int) -> None:
        self.images, self.drawn, self.seed = images, drawn, seed

    def __len__(self) -> int:
        return self.drawn

    def __iter__(self) -> Iterator[Place]:
        first = self.epoch * self.drawn
        turns = range(first // self.images, (first + self.drawn - 1) // self.images + 1)
        orders = np.concatenate([np.random.default_rng([self.seed, turn]).permutation(self.images) for turn in turns])
        start = first - turns[0] * self.images
        seeds = np.random.default_rng([self.seed, self.epoch, self.images]).integers(2**31, size=self.drawn)
        return iter(zip(orders[start : start + self.drawn].tolist(), seeds.tolist(), strict=True))


class Findings(Dataset[tuple[Tensor, Tensor]]):
    """Augmented and normalised views [1, S, S] with their findings [14], addressed by a Place."""

    def __init__(self, labelled: Labelled, size: int) -> None:
        self.labelled, self.size = labelled, size

    def __getitem__(self, place: Place) -> tuple[Tensor, Tensor]:
        index, seed = place
        view = apply(seen_at(self.labelled.views[index], self.size), draw(np.random.default_rng(seed)))
        return normalised(view), torch.from_numpy(self.labelled.target[index]).float()


class TwoViews(Dataset[Tensor]):
    """Two differently augmented and normalised views [2, 1, S, S] of one radiograph, addressed by a Place."""

    def __init__(self, views: Views, size: int) -> None:
        self.views, self.size, self.augment = views, size, contrastive(size)

    def __getitem__(self, place: Place) -> Tensor:
        index, seed = place
        view = self.views[index].astype(np.float32) / 255
        return torch.stack([normalised(self.augment(view, seed + number)) for number in range(2)])


def loader_of(data: "Dataset[Any]", images: int, drawn: int, batch: int, seed: int, workers: int) -> "DataLoader[Any]":
    """Loader whose epochs are `Draws`.

    Args:
        data: addressed by a Place.
        images, drawn, seed: as for Draws.
        batch: images of a batch; where there are fewer, all of them.
        workers: processes that prepare batches while the network trains.
    """
    return DataLoader(
        data,
        batch_size=min(batch, drawn),
        sampler=Draws(images, drawn, seed),
        drop_last=True,
        num_workers=workers,
        persistent_workers=workers > 0,
    )
