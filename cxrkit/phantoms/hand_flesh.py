"""Soft tissue of one hand: rounded bars about the bones, melted together."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrkit.phantoms.hand_layout import Layout
from cxrkit.phantoms.hand_shape import Plate, Point, ahead

Gray = NDArray[np.float32]

_FINGER = (1.06, 0.97, 1.0, 0.95, 0.83)
"""Thickness of the fingers, thumb first."""
_MELT = 5.0
"""Sharpness of the valleys between bars."""


@dataclass(frozen=True)
class Bar:
    """A bar with round ends; radii in mm at its two ends; depth: half-extent along the beam over the radius."""

    start: Point
    end: Point
    radii: tuple[float, float]
    depth: float

    def thickness(self, plate: Plate) -> "tuple[tuple[slice, slice], Gray] | None":
        """(where, mm along the beam there); None outside the plate."""
        patch = plate.patch(self.start, self.end, max(self.radii))
        if patch is None:
            return None
        across, up = self.end[0] - self.start[0], self.end[1] - self.start[1]
        length = max(float(np.hypot(across, up)), 1e-3)
        along, aside = patch.local(self.start, float(np.arctan2(across, up)))
        share = np.clip(along / np.float32(length), 0, 1)
        radius = np.float32(self.radii[0]) + np.float32(self.radii[1] - self.radii[0]) * share
        out = (aside**2 + (along - share * np.float32(length)) ** 2) / radius**2
        # Flatter than a ball: a finger pad is pressed on the plate.
        thick = 2 * np.float32(self.depth) * radius * np.maximum(1 - out**1.3, 0) ** 0.5
        return (patch.rows, patch.columns), np.asarray(thick, dtype=np.float32)


def soft_tissue(layout: Layout, plate: Plate) -> Gray:
    """Thickness of the hand along the beam in mm, [H, W]."""
    total = np.zeros(plate.shape, dtype=np.float32)
    for bar in (*_fingers(layout), *_palm(layout), *_forearm(layout)):
        found = bar.thickness(plate)
        if found is not None:
            where, thick = found
            total[where] += thick**_MELT
    return np.asarray(total ** np.float32(1 / _MELT))


def _fingers(layout: Layout) -> list[Bar]:
    size = layout.scale * layout.plump
    bars = []
    for finger, factor in enumerate(_FINGER, start=1):
        thick = size * factor
        chain = [layout.bones[f"proximal phalanx {finger}"].origin]
        if finger > 1:
            chain.append(layout.bones[f"middle phalanx {finger}"].origin)
        last = layout.bones[f"distal phalanx {finger}"]
        chain += [last.origin, last.along(0.85)]
        radii = (11.2, 10.4, 9.0, 8.3) if finger > 1 else (12.0, 9.8, 9.0)
        for k in range(len(chain) - 1):
            bars.append(Bar(chain[k], chain[k + 1], (radii[k] * thick, radii[k + 1] * thick), 0.84))
    return bars


def _palm(layout: Layout) -> list[Bar]:
    size = layout.scale * (1 + (layout.plump - 1) * 0.7)
    bones = layout.bones
    bars = []
    for finger in range(2, 6):
        metacarpal, phalanx = bones[f"metacarpal {finger}"], bones[f"proximal phalanx {finger}"]
        base, head = metacarpal.along(0.95), metacarpal.origin
        wide = 12.8 if finger in (3, 4) else 13.4
        bars.append(Bar(base, head, (wide * size, wide * size), 1.04))
        bars.append(Bar(head, phalanx.along(0.40), (wide * size, 10.8 * size), 0.9))
    thumb, index = bones["metacarpal 1"], bones["metacarpal 2"]
    for place, wide, deep in ((-0.1, 15.0, 0.98), (0.3, 15.0, 1.0), (0.65, 13.0, 0.98)):
        bars.append(Bar(thumb.along(place), thumb.along(place + 0.35), (wide * size, (wide - 1.5) * size), deep))
    for share in np.linspace(0, 1, 6):
        near, far, wide = thumb.along(0.25 + 0.75 * share), index.along(0.85 - 0.55 * share), 14.0 - 3.0 * share
        bars.append(Bar(near, far, (wide * size, wide * size), 0.95 - 0.25 * share))
    wrist = ahead(bones["radius"].origin, bones["radius"].angle, 4 * size)
    bars.append(Bar(thumb.along(0.0), wrist, (14.5 * size, 19.5 * size), 0.95))
    wrist = ahead(bones["ulna"].origin, bones["ulna"].angle, 4 * size)
    bars.append(Bar(bones["metacarpal 5"].along(0.9), wrist, (13.4 * size, 17.5 * size), 1.0))
    return bars


def _forearm(layout: Layout) -> list[Bar]:
    scale, size = layout.scale, layout.scale * (1 + (layout.plump - 1) * 0.9)
    radius, ulna = layout.bones["radius"], layout.bones["ulna"]
    bars = [
        Bar((-9 * scale, -4 * scale), ahead(ulna.origin, ulna.angle, 0.0, -6 * scale), (20 * size, 20 * size), 0.92),
        Bar((14 * scale, -4 * scale), radius.origin, (18 * size, 20.5 * size), 0.92),
    ]
    for bone, inward, near, far in ((radius, 1.0, 20.5, 27.0), (ulna, -1.5, 18.5, 25.0)):
        start = ahead(bone.origin, bone.angle, -8 * scale, inward * scale)
        end = ahead(bone.origin, bone.angle, 1.15 * bone.length, inward * scale)
        middle = ahead(bone.origin, bone.angle, 20 * scale, inward * scale)
        bars += [
            Bar(start, middle, (near * size, near * 0.98 * size), 0.96),
            Bar(middle, end, (near * 0.98 * size, far * size), 0.98),
        ]
    return bars
