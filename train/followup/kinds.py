"""Kinds of pairs: made of one radiograph, real with labels (or simulated), and successive ones without labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train.followup.alike import moved_alike
from train.followup.data import FULL, Difficulty, Example, Random
from train.followup.losses import UNKNOWN
from train.followup.made import MadePair, draw_plan, make_pair, make_pair_of_two
from train.followup.plan import STRONGEST, Plan, draw_contrast, draw_strength
from train.followup.sources import Sources

MILD = 0.35
"""Strength of the variation of pairs that are of two radiographs, which differ by themselves."""

CHANGED = 0.5
"""Share of made pairs with change."""

SHORT = 3.0
"""Days within which successive images are taken as mostly unchanged."""

UNSURE = 0.3
"""Weight of taking them so."""

_CLEAR = 0.9
"""Contrast from which a drawn lesion outweighs whatever else has happened between two radiographs."""

CONTROL = "control"
"""Kind of a pair whose lesion was drawn and taken away again."""

_WAYS = {"less": 0, "more": 1, None: UNKNOWN}


@dataclass(frozen=True)
class RealPair:
    """Two images of one patient and what is known of them.

    Attributes:
        first, second: rows of Sources, baseline and follow-up.
        change: 1, 0 or -1 (unknown).
        direction: 1 = more abnormal at follow-up, 0 = less, -1 = unknown or no change.
        weight: how much the labels are trusted.
    """

    first: int
    second: int
    change: int
    direction: int
    weight: float


def _uniform(count: int) -> NDArray[np.float64]:
    return np.full(count, 1 / count)


class Made:
    """Pairs made of single radiographs of several sets; each set is drawn by the root of its number.

    Args:
        sets: images, and which rows of them.
        name: for the log.
    """

    def __init__(self, sets: Sequence[tuple[Sources, NDArray[np.int64]]], name: str = "made") -> None:
        self.name, self.sets = name, [chosen for chosen in sets if len(chosen[1])]
        self.places = [(number, int(row)) for number, (_, rows) in enumerate(self.sets) for row in rows]
        self.weights = np.concatenate([np.full(len(rows), len(rows) ** -0.5) for _, rows in self.sets])
        self.weights /= self.weights.sum()

    @property
    def identity(self) -> object:
        """Files, and what is known of each."""
        return self.name, [
            (sources.files[rows].tolist(), sources.abnormal[rows].tolist()) for sources, rows in self.sets
        ]

    def pair(self, index: int, random: Random, size: int, difficulty: Difficulty = FULL) -> Example:
        number, row = self.places[index]
        sources = self.sets[number][0]
        contrast = draw_contrast(random, difficulty.faintest)
        strength = difficulty.variation * draw_strength(random)
        plan = draw_plan(random, CHANGED, contrast=contrast, strength=strength)
        made = make_pair(*_parts(sources, row), plan, size)
        seen = int(sources.abnormal[row])
        return _example(made, (seen, seen))


class Real:
    """Pairs of two radiographs with labels, in either order.

    **Choice**: each image has its own mild pose and look, as those of made pairs have, so that these do not tell real
    pairs from made ones. The source moves both images of a real pair alike: `alike`.

    Args:
        sources: images.
        pairs: which of them.
        name: for the log.
        strength: of the variation.
        alike: vary both images by one transform, as the source does, and not by themselves.
    """

    def __init__(
        self,
        sources: Sources,
        pairs: Sequence[RealPair],
        name: str,
        strength: float = MILD,
        *,
        alike: bool = False,
    ) -> None:
        self.sources, self.pairs, self.name, self.alike = sources, pairs, name, alike
        self.strength = 0.0 if alike else strength
        self.weights = _uniform(len(pairs))

    @property
    def identity(self) -> object:
        """Files, and how they are paired and labelled."""
        known = self.name, self.sources.files.tolist(), self.pairs
        return (*known, "alike") if self.alike else known

    def pair(self, index: int, random: Random, size: int, difficulty: Difficulty = FULL) -> Example:
        del difficulty  # these vary mildly anyway
        pair = self.pairs[index]
        plan = draw_plan(random, 0.0, control=False, strength=self.strength)
        made = _of_two(self.sources, pair, plan, size)
        seen = (int(self.sources.abnormal[pair.first]), int(self.sources.abnormal[pair.second]))
        images = (made.baseline, made.follow_up)
        if self.alike:
            images = moved_alike(images, int(random.integers(2**31)))
        kind = "real" if pair.change == 1 else ""
        healthy = (seen[0] == 0, seen[1] == 0)
        example = Example(images, pair.change, seen, pair.direction, pair.weight, kind, healthy=healthy)
        return example.swapped() if random.random() < 0.5 else example


class Successive:
    """Successive images of one patient of which no label is known.

    With a clear lesion drawn into one of them they have changed. As they are, taken within a few days, they mostly
    have not, and count little.

    Args:
        sources: images.
        pairs: (first row, second row), at most SHORT days apart.
        name: for the log.
    """

    def __init__(self, sources: Sources, pairs: Sequence[tuple[int, int]], name: str) -> None:
        self.sources, self.name = sources, name
        self.pairs = [RealPair(first, second, 0, UNKNOWN, UNSURE) for first, second in pairs]
        self.weights = _uniform(len(pairs))

    @property
    def identity(self) -> object:
        """Files, and how they are paired and labelled."""
        return self.name, self.sources.files.tolist(), self.pairs

    def pair(self, index: int, random: Random, size: int, difficulty: Difficulty = FULL) -> Example:
        del difficulty  # these vary mildly anyway
        pair = self.pairs[index]
        contrast = float(random.uniform(_CLEAR, STRONGEST))
        plan = draw_plan(random, CHANGED, control=False, contrast=contrast, strength=MILD)
        made = _of_two(self.sources, pair, plan, size)
        seen = (int(self.sources.abnormal[pair.first]), int(self.sources.abnormal[pair.second]))
        if made.change:
            example = _example(made, seen)
        else:
            example = Example((made.baseline, made.follow_up), pair.change, seen, UNKNOWN, pair.weight)
        return example.swapped() if random.random() < 0.5 else example


def _parts(
    sources: Sources, row: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], tuple[float, float, float, float]]:
    left, top, right, bottom = (float(edge) for edge in sources.frames[row])
    return sources.views[row], sources.lungs[row], (left, top, right, bottom)


def _of_two(sources: Sources, pair: RealPair, plan: Plan, size: int) -> MadePair:
    (view_b, lungs_b, frame_b), (view_f, lungs_f, frame_f) = (
        _parts(sources, pair.first),
        _parts(sources, pair.second),
    )
    return make_pair_of_two((view_b, view_f), (lungs_b, lungs_f), (frame_b, frame_f), plan, size)


def _example(made: MadePair, seen: tuple[int, int]) -> Example:
    """A made pair; `seen` are the labels of the radiographs that it was made of. What is drawn in is abnormal."""
    kind = CONTROL if made.control else made.kind or ""
    before, after = (1 if drawn else label for drawn, label in zip(made.drawn, seen, strict=True))
    return Example(
        images=(made.baseline, made.follow_up),
        change=int(bool(made.change)),
        abnormal=(before, after),
        direction=_WAYS[made.direction],
        kind=kind,
        seen=made.seen,
        healthy=(seen[0] == 0, seen[1] == 0),
    )
