"""Pairs made of radiographs set aside: which ones, drawn with fixed seeds, and what a network answers to them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cxrkit.phantoms.settings import LESIONS
from train.followup.answers import CHUNK, Answers, Reader, joined
from train.followup.held import Held
from train.followup.made import MadePair, draw_plan, make_pair
from train.followup.plan import FAINTEST, STRONGEST, Plan
from train.followup.sources import Sources
from train.followup.space import Mask

CONTRASTS = ("faint", "middle", "strong")
EDGES = np.geomspace(FAINTEST, STRONGEST, len(CONTRASTS) + 1)
"""Between them, in contrast as the plan has it."""

_CHANGED, _UNCHANGED, _NATURAL = 1, 2, 3
"""Streams of random numbers, apart from one another."""


@dataclass(frozen=True, eq=False)
class Planned:
    """A pair to be made.

    Attributes:
        sources, row: of which radiograph.
        set: name of its data set.
        plan: everything random.
        kind, contrast: of the lesion that changes, the latter one of CONTRASTS; "" without change.
    """

    sources: Sources
    row: int
    set: str
    plan: Plan
    kind: str = ""
    contrast: str = ""


@dataclass(frozen=True, eq=False)
class MadePairs:
    """N made pairs, read.

    Attributes:
        patients, sets, kinds, contrasts: [N].
        more: [N] 1 = more abnormal at follow-up, 0 = less or no change.
        masks: [N] (baseline's, follow-up's) of what has changed.
        answers: to the pairs.
    """

    patients: NDArray[np.str_]
    sets: NDArray[np.str_]
    kinds: NDArray[np.str_]
    contrasts: NDArray[np.str_]
    more: NDArray[np.int64]
    masks: tuple[tuple[Mask, Mask], ...]
    answers: Answers

    def __len__(self) -> int:
        return len(self.patients)


def plan_changes(held: Sequence[Held], each: int) -> list[Planned]:
    """Of every kind and contrast so many pairs with one lesion that changes, from all sets in turn."""
    planned = []
    usable = [one for one in held if len(one.sources)]
    for kind_number, kind in enumerate(LESIONS):
        for bin_number, contrast in enumerate(CONTRASTS):
            for number in range(each):
                random = np.random.default_rng([_CHANGED, kind_number, bin_number, number])
                low, high = np.log(EDGES[bin_number : bin_number + 2])
                plan = draw_plan(random, 1.0, kind=kind, contrast=float(np.exp(random.uniform(low, high))))
                # A second lesion that changes would answer for the first one.
                staying = tuple(lesion for lesion in plan.lesions if not lesion.changes)
                plan = replace(plan, lesions=(plan.lesions[0], *staying))
                of = usable[number % len(usable)]
                row = int(random.integers(len(of.sources)))
                planned.append(Planned(of.sources, row, of.name, plan, kind, contrast))
    return planned


def plan_unchanged(held: Sequence[Held], count: int) -> list[Planned]:
    """Pairs without change as training draws them: as the radiograph is, with lesions that stay, and controls."""
    planned = []
    usable = [one for one in held if len(one.sources)]
    for number in range(count):
        random = np.random.default_rng([_UNCHANGED, number])
        of = usable[number % len(usable)]
        row = int(random.integers(len(of.sources)))
        planned.append(Planned(of.sources, row, of.name, draw_plan(random, 0.0)))
    return planned


def plan_natural(held: Held, count: int) -> tuple[list[Planned], list[Planned]]:
    """Each radiograph as both images under natural variation, at most twice; and the same pairs edited and restored."""
    untouched, restored = [], []
    rows = np.random.default_rng(_NATURAL).permutation(len(held.sources))
    for number in range(min(count, 2 * len(held.sources))):
        random = np.random.default_rng([_NATURAL, number])
        control = draw_plan(random, 0.0, control=True)
        row = int(rows[number % len(rows)])
        restored.append(Planned(held.sources, row, held.name, control))
        untouched.append(replace(restored[-1], plan=replace(control, lesions=(), control=False)))
    return untouched, restored


def read_made(reader: Reader, planned: Sequence[Planned], size: int, *, explain: bool = False) -> MadePairs:
    """Make the pairs and ask the network.

    Args:
        reader: asks the network.
        planned: at least one pair.
        size: side of the images.
        explain: whether the maps of change are wanted.
    """
    answers, more, masks = [], [], []
    for start in range(0, len(planned), CHUNK):
        made = [_make(one, size) for one in planned[start : start + CHUNK]]
        answers.append(reader.read((np.stack([one.baseline, one.follow_up]) for one in made), explain=explain))
        more += [int(one.direction == "more") for one in made]
        masks += [one.masks for one in made]
    return MadePairs(
        patients=np.array([one.sources.patients[one.row] for one in planned]),
        sets=np.array([one.set for one in planned]),
        kinds=np.array([one.kind for one in planned]),
        contrasts=np.array([one.contrast for one in planned]),
        more=np.array(more),
        masks=tuple(masks),
        answers=joined(answers),
    )


def _make(planned: Planned, size: int) -> MadePair:
    sources, row = planned.sources, planned.row
    return make_pair(sources.views[row], sources.lungs[row], sources.frame(row), planned.plan, size)
