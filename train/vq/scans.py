"""Simulated lung scans, each of a patient of its own, through the task's own `prepare`.

No public set of planar lung scans exists, so every image that trains or measures is simulated (methods section 4).
"""

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from cxrkit.lung_scan import SIZE, Aligned, align, mask_neck
from cxrkit.phantoms import (
    MIXED,
    REVERSED,
    USUAL,
    ScanKind,
    ScanPopulation,
    ScanSettings,
    drawn_scan,
    random_scan,
    simulate_scan,
)
from cxrkit.phantoms.scan_patient import Outlines
from cxrkit.pixels import Gray, resize
from cxrkit.task import Task
from train.vq.sketch import sketched_scan

Views = NDArray[np.uint8]
"""[N, 224, 224]: scans as `cxrkit.lung_scan` aligns them."""

KINDS: tuple[ScanKind, ...] = ("ventilation", "perfusion")
"""In the order of the task's labels."""

Maker = Outlines | Literal["drawn", "sketched"]

_BLOCK = 16


@dataclass(frozen=True)
class Recipe:
    """Which scans; equal recipes give equal scans.

    Attributes:
        name: in words, for the card.
        perfusion, ventilation: how many of each.
        seed: of the first; parts of one study have seeds far apart, so that no patient is in two of them.
        population: how often each kind has what tells it apart, and what does not.
        outlines: which of the simulator's two makers of lungs; or another simulator, whose scans are flat.
    """

    name: str
    perfusion: int
    ventilation: int
    seed: int
    population: str = "usual"
    outlines: Maker = "table"

    @property
    def kinds(self) -> list[ScanKind]:
        """Of every scan, perfusion first."""
        perfusion: list[ScanKind] = ["perfusion"] * self.perfusion
        ventilation: list[ScanKind] = ["ventilation"] * self.ventilation
        return perfusion + ventilation

    def scan(self, number: int) -> ScanSettings:
        """Settings of one scan of the projected simulator."""
        match self.outlines:
            case "table" | "superellipse" as outlines:
                population = POPULATIONS[self.population]
                return random_scan(self.seed + number, self.kinds[number], population, outlines=outlines)
            case flat:
                raise ValueError(f"Scans that are {flat} have no settings.")

    def counts(self, number: int) -> Gray:
        """Anterior view of one scan, [M, M] counts."""
        if self.outlines in _FLAT:
            make = _FLAT[self.outlines]
            return make(self.seed + number, self.kinds[number], POPULATIONS[self.population]).astype(np.float32)
        return simulate_scan(self.scan(number)).radiograph().values


POPULATIONS: dict[str, ScanPopulation] = {"usual": USUAL, "mixed": MIXED, "reversed": REVERSED}
_FLAT = {"drawn": drawn_scan, "sketched": sketched_scan}


@dataclass(frozen=True, eq=False)
class Scans:
    """Aligned scans.

    Attributes:
        views: [N, 224, 224].
        target: [N] index in KINDS.
        without_neck: [N, 224, 224], the same with everything above the lungs emptied.
        two_lungs: [N] whether both lungs were found, and not the mean image placed the scan.
    """

    views: Views
    target: NDArray[np.int64]
    without_neck: Views
    two_lungs: NDArray[np.bool_]

    def seen(self, *, necks: bool) -> Views:
        """The views with or without what lies above the lungs."""
        return self.views if necks else self.without_neck


def together(parts: Sequence[Scans]) -> Scans:
    """All scans of several parts, one after the other."""
    return Scans(*(np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0])))


def network_input(view: Gray, task: Task, size: int) -> NDArray[np.float32]:
    """View [224, 224] in [0, 1] -> what a network reads [1, size, size], as the task's `prepare` makes it."""
    seen = (resize(view, size, size) - task.mean) / task.std
    return np.ascontiguousarray(seen, dtype=np.float32)[None]


def read_scans(recipe: Recipe, mean: Gray, cache: Path) -> Scans:
    """Simulate and align the scans of a recipe; a later call reads the cache.

    Args:
        recipe: which.
        mean: [224, 224] in 0 to 255, for scans whose lungs are not found.
        cache: folder.
    """
    found = simulated(recipe, cache)
    views, bare = found.views.copy(), found.without_neck.copy()
    for number in np.flatnonzero(~found.two_lungs):
        views[number], bare[number] = _both(align(found.views[number].astype(np.float32), mean))
    return replace(found, views=views, without_neck=bare)


def mean_of(recipes: Sequence[Recipe], cache: Path) -> Gray:
    """Mean [224, 224] in 0 to 255 of the scans in which two lungs are found, in whole numbers as a PNG keeps them."""
    scans = together([simulated(recipe, cache) for recipe in recipes])
    return np.asarray(np.rint(scans.views[scans.two_lungs].mean(axis=0)), dtype=np.float32)


def simulated(recipe: Recipe, cache: Path, workers: int = 2) -> Scans:
    """Scans of which those without two lungs are resampled but not moved yet, because that needs a mean image.

    Args:
        recipe: which.
        cache: folder; a later call reads what is there.
        workers: processes that simulate.
    """
    key = hashlib.sha256(repr(made_by(recipe)).encode()).hexdigest()[:16]
    file = cache / f"scans-{key}.npz"
    if not file.is_file():
        blocks = DataLoader(_Simulated(recipe), batch_size=_BLOCK, num_workers=workers, collate_fn=list)
        scans = [scan for block in tqdm(blocks, desc=recipe.name, unit="block") for scan in block]
        views, bare, found = (np.stack(column) for column in zip(*scans, strict=True))
        target = np.array([KINDS.index(kind) for kind in recipe.kinds], dtype=np.int64)
        cache.mkdir(parents=True, exist_ok=True)
        fresh = file.with_suffix(".fresh.npz")  # a run that is killed must leave no half of a file
        np.savez(fresh, views=views, target=target, without_neck=bare, two_lungs=found)
        fresh.replace(file)
    with np.load(file) as stored:
        return Scans(**stored)


def made_by(recipe: Recipe) -> tuple[Recipe, ScanPopulation, str]:
    """Recipe, population and simulator: what decides how its scans look, by `repr`."""
    return recipe, POPULATIONS[recipe.population], _simulator(recipe.outlines)


class _Simulated(Dataset[tuple[Views, Views, bool]]):
    """View, view without neck, and whether two lungs were found, of each scan of a recipe."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe

    def __len__(self) -> int:
        return len(self.recipe.kinds)

    def __getitem__(self, number: int) -> tuple[Views, Views, bool]:
        aligned = align(self.recipe.counts(number), np.zeros((SIZE, SIZE), dtype=np.float32))
        if aligned.method == "two lungs":
            return *_both(aligned), True
        resampled = np.rint(aligned.resampled).astype(np.uint8)
        return resampled, resampled, False


def _both(aligned: Aligned) -> tuple[Views, Views]:
    """[224, 224] with and without what lies above the lungs."""
    return np.rint(aligned.image).astype(np.uint8), np.rint(mask_neck(aligned)).astype(np.uint8)


@functools.cache
def _simulator(outlines: Maker) -> str:
    """What the simulator makes of a scan of each kind: a changed one makes other scans of the same recipe."""
    if outlines in _FLAT:
        shown = [_FLAT[outlines](0, kind, USUAL) for kind in KINDS]
    else:
        shown = [view for kind in KINDS for view in simulate_scan(random_scan(0, kind, USUAL)).views.values()]
    return hashlib.sha256(b"".join(np.ascontiguousarray(view).tobytes() for view in shown)).hexdigest()
