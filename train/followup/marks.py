"""What the lesions of a plan do to two views: the edited views and the masks of what has changed."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from cxrkit.pixels import Gray
from train.followup.lesions import Mark
from train.followup.plan import PlannedLesion
from train.followup.pose import Bump, Lattice, enlarge, resample, weight_of
from train.followup.space import Mask, Space

_LEVELS = 4095
_EDGE = 0.2
"""A lesion ends where its change falls below this share of its strongest."""

_MOVED = 0.5
"""The same for borders that have moved, which do so smoothly."""

_SEEN = 0.04
"""Mean change within its mask, in shares of the image's range, below which a lesion is drawn elsewhere."""

_TRIES = 4


class Marks:
    """The marks of lesions in the spaces of baseline and follow-up, each drawn once.

    Args:
        baseline, follow_up: the same object where both images come from one radiograph.
    """

    def __init__(self, baseline: Space, follow_up: Space) -> None:
        self.spaces = (baseline, follow_up)
        self.one_radiograph = baseline is follow_up
        self._drawn: dict[tuple[object, ...], Mark] = {}

    def of(self, lesion: PlannedLesion, image: int, space: int | None = None) -> Mark | None:
        """What the lesion, as planned for this image, does to its view; None where it is never drawn there.

        Args:
            lesion: planned.
            image: 0 baseline, 1 follow-up.
            space: index of another image in whose view it is drawn.
        """
        if not lesion.contrasts[image]:
            return None
        at = 0 if self.one_radiograph else image if space is None else space
        key = (lesion.kind, lesion.seed, lesion.sizes[image], lesion.contrasts[image], at)
        if key not in self._drawn:
            self._drawn[key] = lesion.draw(self.spaces[at], image)
        return self._drawn[key]


def effect(space: Space, density: Gray, change: Gray | None) -> Gray:
    """[W, W]: by how much gray values change. Denser tissue leaves less light, down to what tissue leaves at all."""
    brighter = space.room * (1 - np.exp(-density))
    return np.asarray(brighter if change is None else brighter + change)


def edited(marks: Marks, lesions: Sequence[PlannedLesion], image: int) -> tuple[Gray, list[Bump]]:
    """The view [W, W] with the lesions drawn, and those to be restored drawn and taken away; and how borders move."""
    space = marks.spaces[image]
    density, change, restored = (np.zeros_like(space.view) for _ in range(3))
    bumps: list[Bump] = []
    for lesion in lesions:
        mark = marks.of(lesion, image)
        if mark is None:
            continue
        if lesion.restored[image]:
            # A border that is moved and moved back is the same map as one that never was.
            restored += effect(space, mark.density, mark.change)
            continue
        density += mark.density
        change += 0 if mark.change is None else mark.change
        bumps += mark.bumps
    drawn = space.view + effect(space, density, change) + restored
    rounded = np.rint(drawn * np.float32(_LEVELS)) / np.float32(_LEVELS)
    return np.asarray(rounded - restored, dtype=np.float32), bumps


def mask_of(
    marks: Marks, changed: Sequence[PlannedLesion], image: int, lattice: Lattice, moved: Lattice, size: int
) -> Mask:
    """[S, S]: all that has changed, in the frame of the image.

    Args:
        marks: of both views.
        changed: the lesions that change.
        image: 0 baseline, 1 follow-up.
        lattice, moved: the image's map without and with the lesions' own displacements.
        size: side of the image.
    """
    mask = np.zeros((size, size), dtype=bool)
    for lesion in changed:
        region = _region(marks, lesion, image)
        if region is not None:
            mask |= resample(region, moved, size) > 0.5
            continue
        bumps = _moving(marks, lesion, image)
        far = sum((abs(bump.dx) + abs(bump.dy)) * weight_of(bump, lattice) for bump in bumps)
        most = max(abs(bump.dx) + abs(bump.dy) for bump in bumps)
        # Below the diaphragm there is no border to be seen.
        base = max(lung.box[3] for lung in marks.spaces[image].lungs)
        seen = np.asarray(far * (lattice[1] < base), dtype=np.float32)
        mask |= enlarge(seen, size) > _MOVED * most
    return mask


def visible(marks: Marks, lesion: PlannedLesion) -> PlannedLesion:
    """The lesion, at another place where it, or its change, would not be seen at its own."""
    image = int(np.argmax(lesion.contrasts))
    space = marks.spaces[image]
    for _ in range(_TRIES):
        drawn = [marks.of(lesion, each, image) for each in ((0, 1) if lesion.changes else (image,))]
        seen = [mark for mark in drawn if mark is not None]
        effects = [effect(space, mark.density, mark.change) for mark in seen]
        change, region = _between(effects), _changed([mark.extent for mark in seen])
        if region is None or float(change[region].mean()) > _SEEN * (space.ceiling - space.floor):
            return lesion
        lesion = replace(lesion, seed=lesion.seed + 1)
    return lesion


def _between(states: Sequence[Gray]) -> Gray:
    """By how much two states differ; of one alone, how much it differs from nothing."""
    return np.abs(states[0] - states[1]) if len(states) == 2 else np.abs(states[0])


def _changed(extents: Sequence[Gray]) -> Mask | None:
    """[W, W]: where density or air has changed; None where only borders have moved."""
    change = _between(extents)
    most = float(change.max())
    return change > _EDGE * most if most else None


def _region(marks: Marks, lesion: PlannedLesion, image: int) -> Gray | None:
    """[W, W] in {0, 1}: where density or air has changed, in the image's view; None where only borders have moved."""
    before, after = marks.of(lesion, 0), marks.of(lesion, 1)
    changed = _changed([mark.extent for mark in (before, after) if mark is not None])
    if changed is None:
        return None
    region = changed.astype(np.float32)
    own = 0 if before is not None else 1
    return region if marks.one_radiograph or own == image else _carried(region, marks.spaces[own], marks.spaces[image])


def _moving(marks: Marks, lesion: PlannedLesion, image: int) -> list[Bump]:
    """By how much borders of the image's view move between the two states."""
    drawn = [mark for mark in (marks.of(lesion, each, image) for each in (0, 1)) if mark is not None]
    if len(drawn) == 1:
        return list(drawn[0].bumps)
    pairs = zip(drawn[0].bumps, drawn[1].bumps, strict=True)
    return [replace(first, dx=second.dx - first.dx, dy=second.dy - first.dy) for first, second in pairs]


def _carried(region: Gray, here: Space, there: Space) -> Gray:
    """A region of one view laid into another one, so that the boxes round both lungs coincide."""
    first, second = (_both(space) for space in (here, there))
    scale = [(second[2 + axis] - second[axis]) / (first[2 + axis] - first[axis]) for axis in range(2)]
    move = np.array([[scale[0], 0, second[0] - scale[0] * first[0]], [0, scale[1], second[1] - scale[1] * first[1]]])
    return np.asarray(cv2.warpAffine(region, move, there.view.shape[::-1]), dtype=np.float32)


def _both(space: Space) -> tuple[int, int, int, int]:
    left, right = (lung.box for lung in space.lungs)
    return left[0], min(left[1], right[1]), right[2], max(left[3], right[3])
