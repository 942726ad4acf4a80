"""All that a run learns from and is judged on, from folders of data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxrkit.cases import Case
from cxrkit.errors import ManifestError
from train.followup.data import PairSource
from train.followup.kinds import SHORT, Made, Real, RealPair, Successive
from train.followup.losses import UNKNOWN
from train.followup.parts import ImageSet, divide, pairs_within, read_set, successive
from train.followup.simulated import simulated_pairs
from train.followup.sources import Sources, read_sources

WEAK = 0.5
"""Weight of a change label that only follows from findings, which were text-mined at that."""

_SIMULATED = "simulated"


@dataclass(frozen=True, eq=False)
class Material:
    """What a run learns from and is judged on; no patient is in both.

    Attributes:
        training: sources of pairs.
        carved: sources that choose threshold, temperature and the best epoch.
        kinds: name of each of these sources -> its kind: made, real, successive or simulated.
    """

    training: tuple[PairSource, ...]
    carved: tuple[PairSource, ...]
    kinds: Mapping[str, str]

    def by_source(self, shares: Mapping[str, float], sources: Sequence[PairSource]) -> dict[str, float]:
        """Shares of kinds as shares of sources; within a kind by the root of the number of pairs."""
        roots = {source.name: len(source.weights) ** 0.5 for source in sources}
        sums: dict[str, float] = {}
        for name, root in roots.items():
            sums[self.kinds[name]] = sums.get(self.kinds[name], 0.0) + root
        return {name: shares.get(self.kinds[name], 0.0) * root / sums[self.kinds[name]] for name, root in roots.items()}


def read_material(paths: Sequence[Path], simulated: int, cache: Path, *, alike: bool = False) -> Material:
    """Read all data, or what is cached of it.

    Args:
        paths: folders or tables that `read_set` can read.
        simulated: number of simulated patients.
        cache: folder for prepared images and simulated patients.
        alike: vary both images of a real pair that is trained on by one transform, as the source does.

    Raises:
        ManifestError: a layout that is not known, or nothing to learn from.
    """
    training, carved = _Gathered(alike=alike), _Gathered(alike=False)
    for path in paths:
        images = read_set(path)
        parts = divide(images)
        sources = read_sources((*parts.training, *parts.carved), images.root, cache, images.name)
        training.add(images, parts.training, sources)
        carved.add(images, parts.carved, sources)
    if not training.singles:
        raise ManifestError("There is nothing to learn from. Give at least one data set.")
    if simulated:
        training.add_simulated(simulated, cache)
    return Material(training.sources(), carved.sources(), training.kinds | carved.kinds)


class _Gathered:
    """Sources of pairs of one part, set by set."""

    def __init__(self, *, alike: bool) -> None:
        self.alike = alike
        self.singles: list[tuple[Sources, NDArray[np.int64]]] = []
        self.pairs: list[PairSource] = []
        self.kinds: dict[str, str] = {"made": "made"}

    def add(self, images: ImageSet, part: Sequence[Case], sources: Sources) -> None:
        """Images of a part, as far as two lungs were found in them."""
        row = _rows(sources)
        part = [case for case in part if case.files[0] in row]
        self.singles.append((sources, np.array([row[case.files[0]] for case in part], dtype=np.int64)))
        labelled = [_labelled(pair, row, images.certain) for pair in pairs_within(images, part)]
        if labelled:
            self._add(Real(sources, labelled, f"real {images.name}", alike=self.alike), "real")
        if images.days:
            near = [pair for pair in successive(part) if pair[2] <= SHORT]
            if near:
                rows = [(row[first.files[0]], row[second.files[0]]) for first, second, _ in near]
                self._add(Successive(sources, rows, f"successive {images.name}"), "successive")

    def add_simulated(self, count: int, cache: Path) -> None:
        folder = cache / _SIMULATED
        found = simulated_pairs(count, folder)
        sources = read_sources([case for pair in found for case in pair[:2]], folder, cache)
        row = _rows(sources)
        pairs = [
            RealPair(row[first.files[0]], row[second.files[0]], change, direction, 1.0)
            for first, second, change, direction in found
            if first.files[0] in row and second.files[0] in row
        ]
        self._add(Real(sources, pairs, _SIMULATED, strength=1.0), _SIMULATED)

    def sources(self) -> tuple[PairSource, ...]:
        return (Made(self.singles), *self.pairs)

    def _add(self, source: PairSource, kind: str) -> None:
        self.pairs.append(source)
        self.kinds[source.name] = kind


def _rows(sources: Sources) -> dict[str, int]:
    return {str(file): row for row, file in enumerate(sources.files)}


def _labelled(pair: Case, row: Mapping[str, int], certain: bool) -> RealPair:
    """Direction follows from normal and abnormal where these differ."""
    before, after = (pair.row.get(name, "").strip() for name in ("baseline_abnormal", "followup_abnormal"))
    direction = int(after) if {before, after} == {"0", "1"} else UNKNOWN
    return RealPair(row[pair.files[0]], row[pair.files[1]], int(pair.target), direction, 1.0 if certain else WEAK)
