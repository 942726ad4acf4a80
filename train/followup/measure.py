"""Everything that the card says of a follow-up network, measured on what training never saw."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrkit.card import Metric
from cxrkit.cases import Case
from cxrkit.explain_pair import INTERSECTION_BY_METHOD
from cxrkit.metrics import fit_temperature, threshold_for_sensitivity
from cxrkit.models.music_vit import CHANGE
from cxrkit.tasks.followup import FOLLOW_UP
from cxrkit.weights import LoadedModel
from train.followup.answers import Pair, Reader
from train.followup.held import MOST, Held, RealPairs, Views, known_pairs, read_real, read_singles, some
from train.followup.made_aside import plan_changes, plan_natural, plan_unchanged, read_made
from train.followup.matching import (
    LATERAL,
    MATCHING_TABLE,
    Matched,
    another_patient,
    lateral_pairs,
    matching_figures,
    other_pairs,
    read_other,
    together,
)
from train.followup.material import Material
from train.followup.measure_made import LESION_TABLE, change_metrics, direction_metrics, natural_metrics
from train.followup.measure_maps import POINTING_TABLE, method_rows, pointing_metrics
from train.followup.measure_pairs import abnormal_of_singles, change_of_real, direction_of_real, order_of_real
from train.followup.progress import draw_judged

SPECIFICITY = 0.9
"""**Choice**: of the carved pairs without change this share stays below the threshold; likewise of normal images.

Most follow-up images show no change, so a threshold is set by the false alarms that it gives. Youden's would weigh
the drawn lesions' contrasts, which are ours, and the few weak labels as if they were the clinic's.
"""

MORE = 0.5
"""**Choice**: the direction's outputs are opposite for swapped images, so the middle is the only fair threshold."""

_KINDS = ("made", "real")
"""Carved sources that choose the threshold: those with labels."""


@dataclass(frozen=True)
class Counts:
    """How much is measured; the defaults take two cores some ten minutes at 256 pixels.

    Attributes:
        each: made pairs with change of every lesion and contrast.
        unchanged: made pairs without change.
        natural: pairs of natural variation of each set, and as many controls.
        singles: single radiographs of each set, and of those set aside so many that pairs are made of.
        others: radiographs of each folder that are no chest.
        laterals: simulated lateral views.
        carved: pairs of each carved source that choose the threshold.
        usual: real pairs of each set's training and carved parts that give matching its usual range.
    """

    each: int = 30
    unchanged: int = 300
    natural: int = 130
    singles: int = MOST
    others: int = 90
    laterals: int = 30
    carved: int = 160
    usual: int = 150


@dataclass(frozen=True)
class Point:
    """How logits become answers.

    Attributes:
        temperature: of change.
        thresholds: by positive answer, as on the card.
    """

    temperature: float
    thresholds: dict[str, float]

    @property
    def change(self) -> float:
        return self.thresholds[FOLLOW_UP.positive]


@dataclass(frozen=True)
class Measured:
    """For the card."""

    metrics: tuple[Metric, ...]
    tables: dict[str, list[dict[str, Any]]]


class Measurement:
    """One network and what it is measured on.

    Args:
        loaded: the network as stored, with a card of its SHA-256.
        held: all data sets.
        others: folders of radiographs that are no frontal chest.
        run: folder for answers.
        cache: folder for prepared images.
        counts: how much.
    """

    def __init__(
        self, loaded: LoadedModel, held: Sequence[Held], others: Sequence[Path], run: Path, cache: Path, counts: Counts
    ) -> None:
        self.size = loaded.card.input_size
        self.held, self.others, self.cache, self.counts = held, others, cache, counts
        self.reader = Reader(loaded, run / "answers")

    def load(self, cases: Sequence[Case], root: Path) -> Views:
        """Radiographs as the network reads them."""
        return Views(cases, root, self.size, self.cache)

    def operating_point(self, material: Material, seed: int) -> Point:
        """Temperature and thresholds from the carved parts alone: made and real pairs with labels, single images.

        Every source gives equally many pairs; every set's normal images weigh the same.

        Args:
            material: its carved sources.
            seed: of the draw.
        """
        sources = [source for source in material.carved if material.kinds[source.name] in _KINDS]
        judged = draw_judged(sources, self.counts.carved, self.size, seed)
        answers = self.reader.read(images.astype(np.float32) / 255 for images in judged.images)
        temperature = fit_temperature(answers.logits[:, CHANGE], judged.change)
        score = answers.change(temperature)
        thresholds = {FOLLOW_UP.positive: threshold_for_specificity(judged.change, score), "more": MORE}
        abnormal = self._abnormal_threshold()
        return Point(temperature, thresholds | ({} if abnormal is None else {"abnormal": abnormal}))

    def _abnormal_threshold(self) -> float | None:
        groups = []
        for held in self.held:
            singles = read_singles(self.reader, held, "", held.parts.carved, self.load, self.counts.singles)
            score = None if singles is None else singles.answers.further("baseline")
            if singles is not None and score is not None:
                groups.append((singles.abnormal, score))
        if not groups:
            return None
        largest = max(len(target) for target, _ in groups)
        drawn = [(np.resize(target, largest), np.resize(score, largest)) for target, score in groups]
        targets, scores = (np.concatenate(values) for values in zip(*drawn, strict=True))
        return threshold_for_specificity(targets, scores) if 0 < targets.sum() < len(targets) else None

    def measure(self, point: Point) -> Measured:
        """All figures, each on the parts set aside."""
        real = [(held, read_real(self.reader, held, self._aside(held))) for held in self.held if known_pairs(held)]
        made, tables = self._made(point)
        metrics = [one for _, pairs in real for one in change_of_real(pairs, point.temperature, point.change)] + made
        for _, pairs in real:
            metrics += direction_of_real(pairs) + order_of_real(pairs, point.temperature, point.change)
        metrics += self._singles(point)
        matched, rows = self._matching(real)
        tables |= {MATCHING_TABLE: rows} if rows else {}
        return Measured((*metrics, *matched), tables)

    def _aside(self, held: Held) -> Views:
        return self.load(held.parts.aside, held.images.root)

    def _made(self, point: Point) -> tuple[list[Metric], dict[str, list[dict[str, Any]]]]:
        changed = read_made(self.reader, plan_changes(self.held, self.counts.each), self.size, explain=True)
        unchanged = read_made(self.reader, plan_unchanged(self.held, self.counts.unchanged), self.size)
        metrics, lesions = change_metrics(changed, unchanged, point.temperature, point.change)
        for held in self.held:
            if len(held.sources):
                pairs = [read_made(self.reader, one, self.size) for one in plan_natural(held, self.counts.natural)]
                metrics += natural_metrics(held, pairs[0], pairs[1], point.temperature, point.change)
        metrics += direction_metrics(changed)
        pointing, rows = pointing_metrics(changed, point.temperature, point.change)
        by_method = method_rows(changed, point.temperature, point.change)
        return metrics + pointing, {LESION_TABLE: lesions, POINTING_TABLE: rows, INTERSECTION_BY_METHOD: by_method}

    def _singles(self, point: Point) -> list[Metric]:
        metrics: list[Metric] = []
        if "abnormal" not in point.thresholds:
            return metrics
        for held in self.held:
            singles = read_singles(
                self.reader, held, f"{held.aside}: radiographs", held.parts.aside, self.load, self.counts.singles
            )
            if singles is not None:
                metrics += abnormal_of_singles(singles, point.thresholds["abnormal"])
        return metrics

    def _matching(self, real: Sequence[tuple[Held, RealPairs]]) -> tuple[list[Metric], list[dict[str, Any]]]:
        usual = self._usual([held for held, _ in real])
        if usual is None:
            return [], []
        stages = real[0][1].there.matching.shape[1]
        same = together([Matched(pairs.patients, pairs.there.matching) for _, pairs in real], stages)
        firsts: dict[str, Pair] = {}
        others = []
        for held, pairs in real:
            views, known = self._aside(held), known_pairs(held)
            for patient, pair in zip(pairs.patients.tolist(), known, strict=True):
                firsts.setdefault(patient, views.pair(pair.baseline, pair.baseline))
            if mixed := another_patient(held, known, views):
                others.append(Matched(pairs.patients, self.reader.read(mixed).matching))
        elsewhere = {LATERAL: lateral_pairs(self.counts.laterals, list(firsts.values()), self.size)}
        for folder in self.others:
            other = read_other(folder, self.counts.others)
            elsewhere[other.name] = other_pairs(other, list(firsts.values()), self.load)
        groups = {
            name: Matched(np.resize(list(firsts), len(pairs)), self.reader.read(pairs).matching)
            for name, pairs in elsewhere.items()
            if pairs
        }
        return matching_figures(usual, same, together(others, stages), groups)

    def _usual(self, sets: Sequence[Held]) -> Matched | None:
        """Pairs of one patient that the network may have learned from or that chose; None without pairs or matching."""
        found = []
        for held in sets:
            part = (*held.parts.training, *held.parts.carved)
            pairs = some(known_pairs(held, part), self.counts.usual)
            if not pairs:
                continue
            cases = {case.files[0]: case for pair in pairs for case in (pair.baseline, pair.follow_up)}
            views = self.load(list(cases.values()), held.images.root)
            matching = self.reader.read(views.pair(pair.baseline, pair.follow_up) for pair in pairs).matching
            found.append(Matched(np.array([f"{held.name}:{pair.baseline.patient}" for pair in pairs]), matching))
        found = [each for each in found if each.scores.size]
        return together(found, found[0].scores.shape[1]) if found else None


def threshold_for_specificity(target: NDArray[np.int64], score: NDArray[np.float64]) -> float:
    """The lowest threshold below which SPECIFICITY of the cases without the finding stay, between two observed scores.

    Args:
        target: [N] 0 or 1, both present.
        score: [N].
    """
    # The share of negatives below a threshold is the sensitivity for them of the score turned round.
    threshold = -threshold_for_sensitivity(1 - target, -score, SPECIFICITY)
    # Where nothing lies beyond the score that sets it, that score itself must stay below: called is what reaches it.
    return float(np.nextafter(threshold, np.inf)) if threshold == score.max() else threshold
