"""Every hand through the task's own `prepare`, once, into files that are mapped into memory, not read into it."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from cxrkit.bone_age import SEXES
from cxrkit.cases import Case, resolve
from cxrkit.errors import CxrkitError, ManifestError
from cxrkit.image import read_image
from cxrkit.pixels import Gray, eight_bits
from cxrkit.task import ModelInput, Task
from train.bone_age.parts import Parts, divide, near_identical
from train.bone_age.sources import Hand, HandSet, read_hands
from train.datasets import DIVISION
from train.prepared import Views, recorded

_BLOCK = 256
"""Images after which a killed preparation goes on."""


@dataclass(frozen=True)
class Alteration:
    """What is done to an image before it is prepared, to see whether the answer holds.

    Attributes:
        name: in words, such as "inverted".
        make: gray image [H, W] in [0, 1] -> the same, altered.
    """

    name: str
    make: Callable[[Gray], Gray]


def prepared_views(
    task: Task,
    files: Sequence[str],
    root: Path,
    size: int,
    cache: Path,
    workers: int = 0,
    altered: Alteration | None = None,
) -> Views:
    """Views [N, S, S] of N files, read-only, in a file of the cache; a killed call goes on where it stopped.

    Args:
        task: whose prepare is used.
        files: below root, one image each.
        root: folder.
        size: S.
        cache: folder.
        workers: processes that prepare, beside this one.
        altered: what is done to each image first.

    Raises:
        ManifestError: a file is missing or cannot be read.
    """
    told = (str(root.resolve()), list(files), task.name, size, recorded(task))
    key = hashlib.sha256(repr(told).encode()).hexdigest()[:16]
    file = cache / f"{task.name}-{size}{f'-{altered.name}' if altered else ''}-{key}.npy"
    if not file.is_file() and files:
        part = file.with_suffix(".part")
        count = file.with_suffix(".count")
        cache.mkdir(parents=True, exist_ok=True)
        done = int(count.read_text()) if part.is_file() and count.is_file() else 0
        shape = (len(files), size, size)
        views = np.lib.format.open_memmap(part, mode="r+" if done else "w+", dtype=np.uint8, shape=shape)
        left = _Prepared(task, files[done:], root, size, altered)
        blocks = DataLoader(left, batch_size=_BLOCK, num_workers=workers, collate_fn=_block)
        for block in tqdm(blocks, desc=f"preparing at {size}", unit="block"):
            views[done : done + len(block)] = block
            done += len(block)
            views.flush()
            count.write_text(str(done))
        part.replace(file)
        count.unlink(missing_ok=True)
    return np.load(file, mmap_mode="r") if files else np.zeros((0, size, size), dtype=np.uint8)


class _Prepared(Dataset["Views | str"]):
    """View [S, S] of each file, or why there is none: an exception would lose its sentence between processes."""

    def __init__(
        self, task: Task, files: Sequence[str], root: Path, size: int, altered: Alteration | None = None
    ) -> None:
        self.task, self.files, self.root, self.size, self.altered = task, files, root, size, altered

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> "Views | str":
        try:
            (path,) = resolve(Case((self.files[index],), ""), self.root)
            image = read_image(path.read_bytes())
            if self.altered:
                values = self.altered.make(image.windowed())
                image = replace(image, values=values, window=(0.0, 1.0), valid=None, voi_function="LINEAR")
            view = self.task.prepare([image], {}, ModelInput(size=self.size)).view[0]
        except CxrkitError as error:
            return str(error)
        return eight_bits(view)


def _block(items: "Sequence[Views | str]") -> Views:
    views = [item for item in items if not isinstance(item, str)]
    if len(views) < len(items):
        problem = next(item for item in items if isinstance(item, str))
        raise ManifestError(f"An image of the table cannot be used, so training does not start. {problem}")
    return np.stack(views)


@dataclass(frozen=True, eq=False)
class Shown:
    """N pictures of hands, all of one kind, at one size.

    Attributes:
        hands: [N].
        stored: [M, S, S] in 1/255, mapped into memory.
        rows: [N], which of these the hands are.
        side: to which views are reduced, at most S.
    """

    hands: tuple[Hand, ...]
    stored: Views
    rows: NDArray[np.int64]
    side: int

    def views(self, start: int, stop: int) -> Views:
        """Views of the hands from one place to another, read from the disk: [stop - start, side, side]."""
        whole = self.stored[self.rows[start:stop]]
        if whole.shape[-1] == self.side:
            return np.asarray(whole)
        reduced = [cv2.resize(view, (self.side, self.side), interpolation=cv2.INTER_AREA) for view in whole]
        return np.stack(reduced).astype(np.uint8)

    @property
    def months(self) -> NDArray[np.float64]:
        """[N] bone ages."""
        return np.array([hand.months for hand in self.hands], dtype=np.float64)

    @property
    def sex(self) -> NDArray[np.int64]:
        """[N] index of the sex, in the order of cxrkit.bone_age.SEXES."""
        return np.array([SEXES.index(hand.sex) for hand in self.hands], dtype=np.int64)

    def of(self, hands: Sequence[Hand]) -> "Shown":
        """Those of these hands that are here, in this order."""
        place = {hand.identity: number for number, hand in enumerate(self.hands)}
        found = np.array([place[hand.identity] for hand in hands if hand.identity in place], dtype=np.int64)
        return Shown(tuple(self.hands[number] for number in found), self.stored, self.rows[found], self.side)


@dataclass(frozen=True)
class Material:
    """A divided data set, whose views are prepared when they are first asked for.

    They are prepared once, at the task's own size or at a larger one that is asked for, and reduced to smaller ones:
    to find a hand takes longer than to train on it.

    Attributes:
        hands: the data set.
        parts: how it is divided.
        task: whose prepare is used.
        cache: folder for prepared views.
        workers: processes that prepare.
    """

    hands: HandSet
    parts: Parts
    task: Task
    cache: Path
    workers: int = 0

    def small(self, part: Sequence[Hand], size: int) -> Shown:
        """The 100-pixel images of a part."""
        return self._all(size, small=True).of(part)

    def large(self, part: Sequence[Hand], size: int) -> Shown:
        """The larger images of a part."""
        return self._all(size, small=False).of(part)

    def altered(self, part: Sequence[Hand], size: int, altered: Alteration) -> Shown:
        """The larger images of a part, each altered before it is prepared."""
        hands = tuple(hand for hand in part if hand.large)
        files = [hand.large or "" for hand in hands]
        return self._shown(hands, files, size, altered)

    def _all(self, size: int, *, small: bool) -> Shown:
        hands = tuple(hand for hand in self.hands.hands if (hand.small if small else hand.large) is not None)
        files = [(hand.small if small else hand.large) or "" for hand in hands]
        return self._shown(hands, files, size)

    def _shown(
        self, hands: tuple[Hand, ...], files: Sequence[str], size: int, altered: Alteration | None = None
    ) -> Shown:
        stored = max(size, self.task.input_size)
        views = prepared_views(self.task, files, self.hands.root, stored, self.cache, self.workers, altered)
        return Shown(hands, views, np.arange(len(hands), dtype=np.int64), size)


def read_material(data: Path, task: Task, cache: Path, workers: int = 0) -> Material:
    """Read and divide a data set; near-identical images stay together.

    Raises:
        ManifestError: as read_hands.
        InputError: too few hands.
    """
    hands = read_hands(data)
    cache.mkdir(parents=True, exist_ok=True)
    return Material(hands, divide(hands.hands, near_identical(hands, cache), DIVISION), task, cache, workers)
