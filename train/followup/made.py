"""Pairs made of single radiographs: natural variation is no change, a drawn lesion that comes, goes, grows, shrinks is.

Why no trace of the editing can give the answer away. Every image of every pair, changed or not, takes one path:

1. the view, plus the sum of what all lesions do to it, which is zero where there is none;
2. rounding to 12 bits, as a detector stores;
3. minus what is restored, which is zero but in controls;
4. one resampling by one map, into which posture, breath, framing and whatever moves a border are put together;
5. exposure, processing, devices, noise, 8 bits, at times JPEG, each drawn for each image by itself;
6. `as_read`, the function that uploaded radiographs go through.

Steps 1 and 3 work on each pixel by itself, so they leave no blur, no block and no second resampling behind, and where
no lesion is drawn they leave the view as it is. Lesions lie in both images of many unchanged pairs. In a control a
lesion is drawn, rounded with the image, and taken away again: what is left is the rounding, a sixteenth of one step of
the 8 bits that the view itself had.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cxrkit.pixels import Gray
from train.followup.marks import Marks, edited, mask_of, visible
from train.followup.plan import Direction, Plan, PlannedLesion, draw_plan
from train.followup.pose import bumped, natural, resample
from train.followup.space import Frame, Mask, find_space
from train.followup.vary import finished, processed

__all__ = ["MadePair", "Plan", "draw_plan", "make_pair", "make_pair_of_two"]


@dataclass(frozen=True, eq=False)
class MadePair:
    """One pair and the truth about it.

    Attributes:
        baseline, follow_up: [S, S] float32 in [0, 1], what `prepare` gives before it normalises.
        change: whether a lesion has changed; None where two real images may differ by themselves.
        direction: of the change: whether there is less or more at follow-up; None without change.
        kind: of the first lesion that changes; None without change.
        contrast: of that lesion where it is strongest, 1 = as obvious as the kind usually is; 0 without change.
        masks: (baseline's, follow-up's) [S, S]: all that changed, in the frame of each image.
        control: edited and restored, so without change.
        drawn: (baseline, follow-up): whether a drawn lesion is seen in it, which makes it abnormal.
        seen: (baseline's, follow-up's) [S, S]: every drawn lesion that is seen in it, changed or not.
    """

    baseline: Gray
    follow_up: Gray
    change: bool | None
    direction: Direction | None
    kind: str | None
    contrast: float
    masks: tuple[Mask, Mask]
    control: bool
    drawn: tuple[bool, bool]
    seen: tuple[Mask, Mask]


def make_pair(view: NDArray[np.uint8], lungs: NDArray[np.uint8], frame: Frame, plan: Plan, size: int) -> MadePair:
    """Two images of one radiograph.

    Args:
        view, lungs: [W, W] in 1/255, as in Sources.
        frame: (left, top, right, bottom) of the automatic crop in the view.
        plan: everything random.
        size: side of the images, a multiple of 32.
    """
    space = find_space(view, lungs, frame)
    return _made(Marks(space, space), plan, size)


def make_pair_of_two(
    views: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    lungs: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    frames: tuple[Frame, Frame],
    plan: Plan,
    size: int,
) -> MadePair:
    """Two successive radiographs of one patient, with the plan's lesions drawn into them.

    Without a lesion that changes the answer isn't known, since the patient may have changed. With one, the pair has
    changed; the plan should draw it strong, so that the direction is the lesion's whatever else happened. Lesions that
    change are only drawn into the image that has more of them, since they cannot be brought to one place in two
    radiographs; the mask of the other image is its place among the lungs there, and as rough as the two poses differ.

    Args:
        views, lungs, frames: of baseline and follow-up, as for make_pair.
        plan: everything random; lesions that don't change are left out.
        size: side of the images, a multiple of 32.
    """
    baseline, follow_up = (find_space(*parts) for parts in zip(views, lungs, frames, strict=True))
    lesions = tuple(_only_where_more(lesion) for lesion in plan.lesions if lesion.changes)
    return _made(Marks(baseline, follow_up), replace(plan, lesions=lesions, control=False), size)


def _made(marks: Marks, plan: Plan, size: int) -> MadePair:
    lesions = tuple(visible(marks, lesion) for lesion in plan.lesions)
    changed = [lesion for lesion in lesions if lesion.changes]
    images, masks, seen = [], [], []
    for image, space in enumerate(marks.spaces):
        lattice = natural(space, plan.poses[image], size)
        view, bumps = edited(marks, lesions, image)
        moved = bumped(lattice, bumps, lattice)
        images.append(finished(processed(resample(view, moved, size), plan.looks[image])))
        masks.append(mask_of(marks, changed, image, lattice, moved, size))
        there = [_in_one(lesion, image) for lesion in lesions if lesion.state(image)]
        seen.append(mask_of(marks, there, image, lattice, moved, size))
    first = changed[0] if changed else None
    return MadePair(
        baseline=images[0],
        follow_up=images[1],
        change=True if first else (False if marks.one_radiograph else None),
        direction=plan.direction if first else None,
        kind=first.kind if first else None,
        contrast=max(first.contrasts) if first else 0.0,
        masks=(masks[0], masks[1]),
        control=plan.control,
        drawn=(any(one.state(0) for one in lesions), any(one.state(1) for one in lesions)),
        seen=(seen[0], seen[1]),
    )


def _in_one(lesion: PlannedLesion, image: int) -> PlannedLesion:
    """The lesion as if the other image did not have it: all of it has changed."""
    contrasts = (lesion.contrasts[0], 0.0) if image == 0 else (0.0, lesion.contrasts[1])
    return replace(lesion, contrasts=contrasts)


def _only_where_more(lesion: PlannedLesion) -> PlannedLesion:
    before, after = (contrast * size for contrast, size in zip(lesion.contrasts, lesion.sizes, strict=True))
    first, second = lesion.contrasts
    return replace(lesion, contrasts=(first, 0.0) if before > after else (0.0, second))
