"""Everything random about a made pair, drawn apart from being applied, so that a pair can be made again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cxrkit.phantoms.settings import LESIONS
from train.drawing import Random
from train.followup.lesions import Mark, cavity, consolidation, nodule
from train.followup.lesions_of_space import atelectasis, effusion, enlarged_heart, pneumothorax
from train.followup.pose import Pose, draw_pose
from train.followup.space import Space
from train.followup.vary import Look, draw_look

Direction = Literal["less", "more"]

_DRAW: Mapping[str, Callable[[Space, Random, float, float], Mark]] = {
    "nodule": nodule,
    "consolidation": consolidation,
    "cavity": cavity,
    "effusion": effusion,
    "pneumothorax": pneumothorax,
    "atelectasis": atelectasis,
    "enlarged heart": enlarged_heart,
}
_SHARES = {
    "nodule": 0.14,
    "consolidation": 0.32,
    "cavity": 0.06,
    "effusion": 0.18,
    "pneumothorax": 0.1,
    "atelectasis": 0.11,
    "enlarged heart": 0.09,
}
FAINTEST, STRONGEST = 0.3, 1.5
"""Contrasts: 1 is as obvious as the kind usually is."""


@dataclass(frozen=True)
class PlannedLesion:
    """One lesion at baseline and at follow-up.

    Attributes:
        kind: one of LESIONS.
        seed: its place and shape.
        sizes, contrasts: at baseline and at follow-up; contrast 0 = it isn't there. Factors on the kind's usual ones.
        restored: per image, whether it is drawn and then taken away again.
    """

    kind: str
    seed: int
    sizes: tuple[float, float]
    contrasts: tuple[float, float]
    restored: tuple[bool, bool] = (False, False)

    @property
    def changes(self) -> bool:
        return self.state(0) != self.state(1)

    def state(self, image: int) -> tuple[float, float] | None:
        """(size, contrast) as it is seen in the image; None where it isn't."""
        if self.restored[image] or not self.contrasts[image]:
            return None
        return self.sizes[image], self.contrasts[image]

    def draw(self, space: Space, image: int) -> Mark:
        """What it does to a view, as planned for this image and before any restoring."""
        return _DRAW[self.kind](space, np.random.default_rng(self.seed), self.sizes[image], self.contrasts[image])


@dataclass(frozen=True)
class Plan:
    """All of one pair. Each of `poses` and `looks` is of baseline and follow-up, drawn independently.

    Attributes:
        lesions: those that change come first, all in the same direction; the others are the same in both images.
        direction: of the change; None where there is none.
        control: whether a lesion was drawn and taken away again, so that nothing has changed.
    """

    poses: tuple[Pose, Pose]
    looks: tuple[Look, Look]
    lesions: tuple[PlannedLesion, ...]
    direction: Direction | None
    control: bool

    def swapped(self) -> "Plan":
        """The same pair in the other order."""
        turned: dict[Direction | None, Direction | None] = {"less": "more", "more": "less", None: None}
        lesions = tuple(
            PlannedLesion(one.kind, one.seed, one.sizes[::-1], one.contrasts[::-1], one.restored[::-1])
            for one in self.lesions
        )
        return Plan(self.poses[::-1], self.looks[::-1], lesions, turned[self.direction], self.control)


def draw_plan(
    random: Random,
    share_changed: float = 0.5,
    *,
    kind: str | None = None,
    contrast: float | None = None,
    control: bool | None = None,
    strength: float | None = None,
) -> Plan:
    """Draw a pair.

    Of the pairs without change, three in ten are controls (a lesion was drawn and taken away), a third show the same
    drawn lesions in both images, and the rest are as the radiograph is.

    Args:
        random: source of all numbers.
        share_changed: chance of a change.
        kind: of the first lesion that changes; None draws it.
        contrast: of that lesion, FAINTEST to STRONGEST; None draws it.
        control: True makes every unchanged pair a control, False none.
        strength: of the natural variation, 0 to 1; None draws it.
    """
    changed = bool(random.random() < share_changed)
    vary = draw_strength(random) if strength is None else strength
    poses = (draw_pose(random, vary), draw_pose(random, vary))
    looks = (draw_look(random, vary), draw_look(random, vary))
    kind = _draw_kind(random) if kind is None else kind
    contrast = draw_contrast(random) if contrast is None else contrast
    if changed:
        more = bool(random.random() < 0.5)
        count = int(random.choice((1, 2, 3), p=(0.75, 0.18, 0.07)))
        lesions = [_changing(random, kind, contrast, more)]
        lesions += [_changing(random, _draw_kind(random), contrast, more) for _ in range(count - 1)]
        if random.random() < 0.2:
            lesions.append(_staying(random, _draw_kind(random), draw_contrast(random)))
        return Plan(poses, looks, tuple(lesions), "more" if more else "less", control=False)
    drawn = random.random()
    if control or (control is None and drawn < 0.3):
        restored = ((True, False), (False, True), (True, True))[int(random.integers(3))]
        return Plan(poses, looks, (_restored(random, kind, contrast, restored),), None, control=True)
    count = int(random.integers(1, 3)) if drawn < 0.63 else 0
    kinds = [kind, _draw_kind(random)][:count]
    return Plan(poses, looks, tuple(_staying(random, one, contrast) for one in kinds), None, control=False)


def _draw_kind(random: Random) -> str:
    return str(random.choice(LESIONS, p=[_SHARES[kind] for kind in LESIONS]))


def draw_strength(random: Random) -> float:
    """Of the natural variation, 0 to 1, mostly strong."""
    return float(random.beta(2.2, 1.3))


def draw_contrast(random: Random, faintest: float = FAINTEST) -> float:
    """Of a lesion, from `faintest` to STRONGEST, evenly on a logarithmic scale."""
    return float(np.exp(random.uniform(np.log(faintest), np.log(STRONGEST))))


def _size(random: Random) -> float:
    return float(random.uniform(0.7, 1.5))


def _changing(random: Random, kind: str, contrast: float, more: bool) -> PlannedLesion:
    """New or gone, twice of three times; otherwise grown or shrunk, and mostly denser or fainter with it.

    A heart is always enlarged or not: the one that the view has is the smaller state.
    """
    size, seed = _size(random), int(random.integers(2**31))
    if random.random() < 0.65 or kind == "enlarged heart":
        small, faint = size, 0.0
    else:
        small, faint = size / random.uniform(1.5, 2.4), contrast / random.uniform(1.0, 2.2)
    sizes, contrasts = (small, size), (faint, contrast)
    return PlannedLesion(kind, seed, sizes if more else sizes[::-1], contrasts if more else contrasts[::-1])


def _staying(random: Random, kind: str, contrast: float) -> PlannedLesion:
    size = _size(random)
    return PlannedLesion(kind, int(random.integers(2**31)), (size, size), (contrast, contrast))


def _restored(random: Random, kind: str, contrast: float, images: tuple[bool, bool]) -> PlannedLesion:
    size = _size(random)
    contrasts = (contrast * images[0], contrast * images[1])
    return PlannedLesion(kind, int(random.integers(2**31)), (size, size), contrasts, images)
