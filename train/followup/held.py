"""What reports: the images set aside, the real pairs among them with what is known of each, and single radiographs."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cxrkit.cases import Case
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from train.followup.answers import Answers, Pair, Reader
from train.followup.losses import UNKNOWN
from train.followup.parts import TRAINING_SPLITS, ImageSet, Parts, divide, pairs_within, read_set, successive
from train.followup.sources import Sources, read_sources
from train.prepared import prepare_cases

MOST = 300
"""Radiographs of one set that suffice to measure on."""

_NOTHING = {"", "No Finding"}

_One = TypeVar("_One")


@dataclass(frozen=True, eq=False)
class Held:
    """One data set.

    Attributes:
        images: all of it.
        parts: by patient; see parts.divide.
        sources: of the part set aside, radiographs in which two lungs were found; of a large set some of them.
    """

    images: ImageSet
    parts: Parts
    sources: Sources

    @property
    def name(self) -> str:
        return self.images.name

    @property
    def aside(self) -> str:
        """The part set aside, in words."""
        splits = {case.split or "" for case in self.parts.aside} - set(TRAINING_SPLITS)
        return f"{self.name}, given {listed(splits)} part" if splits else f"{self.name}, half of the patients set aside"


def listed(words: Iterable[str]) -> str:
    """ "test and val"."""
    return " and ".join(sorted(words))


def read_held(paths: Sequence[Path], cache: Path, most: int = MOST) -> list[Held]:
    """All sets, divided as training divides them.

    Args:
        paths: folders or tables that parts.read_set can read.
        cache: folder for the decoded images.
        most: radiographs of each set to make pairs of.
    """
    held = []
    for path in paths:
        images = read_set(path)
        parts = divide(images)
        held.append(Held(images, parts, read_sources(some(parts.aside, most), images.root, cache, images.name)))
    return held


def some(cases: Sequence[_One], most: int) -> list[_One]:
    """At most so many of the cases or pairs, drawn with a fixed seed, in their order."""
    drawn = np.random.default_rng(0).permutation(len(cases))[:most]
    return [cases[index] for index in sorted(drawn.tolist())]


class Views:
    """Radiographs as the network reads them, by file.

    Args:
        cases: of one image each.
        root: of their files.
        size: side of the network's input.
        cache: folder.
    """

    def __init__(self, cases: Sequence[Case], root: Path, size: int, cache: Path) -> None:
        # Every chest task prepares alike, and this one reads single images.
        self._views = prepare_cases(TUBERCULOSIS, cases, root, size, cache) if cases else np.empty((0, size, size))
        self._rows = {case.files[0]: row for row, case in enumerate(cases)}

    def pair(self, baseline: Case, follow_up: Case) -> Pair:
        """The two radiographs as one pair."""
        rows = [self._rows[baseline.files[0]], self._rows[follow_up.files[0]]]
        return np.asarray(self._views[rows] / np.float32(255), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Known:
    """A real pair and what is known of it.

    Attributes:
        baseline, follow_up: one image each.
        change: 1, 0 or -1 (unknown).
        direction: 1 = more abnormal at follow-up, 0 = less, -1 = unknown, or findings went both ways.
        days: between them; NaN = unknown.
    """

    baseline: Case
    follow_up: Case
    change: int
    direction: int
    days: float


@dataclass(frozen=True, eq=False)
class RealPairs:
    """N real pairs of one set, read in both orders.

    Attributes:
        part: what they are, in words.
        note: how far their labels can be trusted; "" where people gave them or there are none.
        patients: [N].
        change, direction, days: [N], as in Known.
        there, back: answers to the pairs in their order, and in the opposite one.
    """

    part: str
    note: str
    patients: NDArray[np.str_]
    change: NDArray[np.int64]
    direction: NDArray[np.int64]
    days: NDArray[np.float64]
    there: Answers
    back: Answers


def known_pairs(held: Held, part: Sequence[Case] | None = None) -> list[Known]:
    """Labelled pairs within a part; in a set without labels but with days, its successive images.

    Args:
        held: the set.
        part: images of it; None = those set aside.
    """
    part = held.parts.aside if part is None else part
    by_file = {case.files[0]: case for case in part}
    labelled = [
        Known(by_file[pair.files[0]], by_file[pair.files[1]], int(pair.target), direction_of(pair, by_file), np.nan)
        for pair in pairs_within(held.images, part)
    ]
    if labelled or not held.images.days:
        return labelled
    following = successive(part)
    return [Known(first, second, UNKNOWN, UNKNOWN, days) for first, second, days in following]


def direction_of(pair: Case, by_file: dict[str, Case]) -> int:
    """1 where findings were only added (or normal became abnormal), 0 where only removed, -1 otherwise."""
    images = [by_file[file].row for file in pair.files]
    if all("findings" in row for row in images):
        before, after = (set(row["findings"].split("|")) - _NOTHING for row in images)
        return 1 if before < after else 0 if after < before else UNKNOWN
    states = [pair.row.get(name, "").strip() for name in ("baseline_abnormal", "followup_abnormal")]
    return int(states[1]) if set(states) == {"0", "1"} else UNKNOWN


def read_real(reader: Reader, held: Held, views: Views) -> RealPairs:
    """The set's real pairs, at least one, answered in both orders."""
    pairs = known_pairs(held)
    labelled = pairs[0].change != UNKNOWN
    what = "pairs of consecutive radiographs" if labelled else "successive radiographs, no label"
    weak = labelled and not held.images.certain
    return RealPairs(
        part=f"{held.aside}: {what}",
        note="weak labels: change where the text-mined findings differ" if weak else "",
        patients=np.array([f"{held.name}:{pair.baseline.patient or pair.baseline.files[0]}" for pair in pairs]),
        change=np.array([pair.change for pair in pairs]),
        direction=np.array([pair.direction for pair in pairs]),
        days=np.array([pair.days for pair in pairs]),
        there=reader.read(views.pair(pair.baseline, pair.follow_up) for pair in pairs),
        back=reader.read(views.pair(pair.follow_up, pair.baseline) for pair in pairs),
    )


@dataclass(frozen=True, eq=False)
class Singles:
    """N single radiographs, each read as both images of a pair.

    Attributes:
        part: what they are, in words.
        patients: [N].
        abnormal: [N] 1 or 0.
        answers: to the pairs.
    """

    part: str
    patients: NDArray[np.str_]
    abnormal: NDArray[np.int64]
    answers: Answers


def read_singles(
    reader: Reader, held: Held, part: str, cases: Sequence[Case], load: "Load", most: int
) -> Singles | None:
    """Radiographs that are known to be normal or abnormal, at most so many, drawn with a fixed seed; None = none.

    Args:
        reader: asks the network.
        held: their set.
        part: what they are, in words.
        cases: of the part.
        load: cases -> views.
        most: where there are more, these many of them.
    """
    known = [case for case in cases if case.target in ("0", "1")]
    if not known:
        return None
    chosen = some(known, most)
    views = load(chosen, held.images.root)
    return Singles(
        part=part,
        patients=np.array([case.patient or case.files[0] for case in chosen]),
        abnormal=np.array([int(case.target) for case in chosen]),
        answers=reader.read(_twice(views, chosen)),
    )


def _twice(views: Views, cases: Sequence[Case]) -> Iterator[Pair]:
    return (views.pair(case, case) for case in cases)


Load = Callable[[Sequence[Case], Path], Views]
"""Cases and their root -> their views."""
