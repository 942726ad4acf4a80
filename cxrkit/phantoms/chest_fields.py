"""Lengths of lung, heart and diaphragm along the beam, one chest in one view."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrkit.phantoms.chest_anatomy import SIDES, Anatomy
from cxrkit.phantoms.chest_shape import Interval, Lung, Stack, hull, length, without
from cxrkit.phantoms.projection import View

Gray = NDArray[np.float32]
Mask = NDArray[np.bool_]

VISIBLE_MM = 3.0
"""A lung or heart chord shorter than this is not seen as one."""


@dataclass(frozen=True, eq=False)
class Fields:
    """All [H, W] on the view's canvas; lengths in reference mm along the beam.

    Args:
        lung: side -> entry and exit of the rib cage's half.
        holes: side -> heart and great vessels, aorta and spine, diaphragm: what takes room from that lung.
        aerated: side -> length of lung.
        heart: length of heart.
    """

    view: View
    anatomy: Anatomy
    lung: dict[str, Interval]
    holes: dict[str, tuple[Interval, ...]]
    aerated: dict[str, Gray]
    heart: Gray

    def lung_mask(self, side: str) -> Mask:
        """The lung as outlined by hand: not where heart, great vessels or diaphragm cover it."""
        if self.view.lateral:
            seen = (self.aerated[side] > 4 * VISIBLE_MM) & (self.heart <= VISIBLE_MM)
            return np.asarray(seen & (self._depth_below(side) < 0), dtype=np.bool_)
        front, _, below = self.holes[side]
        covered = (length(front) > VISIBLE_MM) | (length(below) > 0)
        return np.asarray((length(self.lung[side]) > VISIBLE_MM) & ~covered, dtype=np.bool_)

    def heart_mask(self) -> Mask:
        """The heart above the diaphragm."""
        dome = np.minimum(*(self._depth_below(side) for side in SIDES))
        return np.asarray((self.heart > VISIBLE_MM) & (dome < 4), dtype=np.bool_)

    def _depth_below(self, side: str) -> Gray:
        across, y = self.view.plane(0.0)
        dome = self.anatomy.dome(side)
        lateral = self.view.lateral
        place = dome.height(dome.x0 * dome.sign, across) if lateral else dome.height(across, dome.z0)
        return np.asarray(y - place, dtype=np.float32)


def chest_fields(anatomy: Anatomy, view: View) -> Fields:
    """Cast all rays through the closed-form solids."""

    def cast(solid: Stack | Lung, depth: float) -> Interval:
        across, y = view.plane(depth)
        return solid.lateral(across, y) if view.lateral else solid.frontal(across, y)

    heart = cast(anatomy.heart, 0.0 if view.lateral else 28.0)
    front = hull(heart, cast(anatomy.vessels, 0.0 if view.lateral else 12.0))
    back = hull(
        cast(anatomy.spine, 0.0 if view.lateral else -70.0), cast(anatomy.aorta, 10.0 if view.lateral else -50.0)
    )
    lung: dict[str, Interval] = {}
    holes: dict[str, tuple[Interval, ...]] = {}
    aerated: dict[str, Gray] = {}
    for side, sign in SIDES.items():
        lung[side] = cast(anatomy.lung(side), 66.0 * sign if view.lateral else -5.0)
        across, y = view.plane(66.0 * sign if view.lateral else 10.0)
        dome = anatomy.dome(side)
        below = dome.lateral(across, y) if view.lateral else dome.frontal(across, y)
        holes[side] = (front, back, below)
        aerated[side] = without(lung[side], *holes[side])
    return Fields(view, anatomy, lung, holes, aerated, length(heart))
