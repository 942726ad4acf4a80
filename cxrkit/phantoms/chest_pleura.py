"""Effusion, pneumothorax and atelectasis: changes of the lung's own space."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrkit.phantoms.chest_anatomy import SIDES
from cxrkit.phantoms.chest_fields import Fields
from cxrkit.phantoms.chest_shape import Interval, Real, length, without
from cxrkit.phantoms.settings import Lesion

Gray = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Change:
    """What a lesion does to the image before scatter and noise.

    Args:
        added: soft tissue along the beam in mm [H, W], negative where there is less.
        extent: [H, W] >= 0; the mask is where it exceeds `share` of its maximum.
        hidden: [H, W] in [0, 1], how much of the lung's own vessels is no longer seen.
    """

    added: Gray
    extent: Gray
    share: float
    hidden: Gray | None = None


def _step(value: Real) -> Gray:
    value = np.clip(value, 0, 1)
    return np.asarray(value * value * (3 - 2 * value), dtype=np.float32)


def effusion(lesion: Lesion, fields: Fields, upright: bool) -> Change:
    """Fluid at the base with a meniscus; supine, a veil that thickens towards the base."""
    lung = fields.aerated[lesion.side]
    share = _fluid_share(lesion, fields, upright)
    added = share * lung * np.float32(1 - fields.anatomy.density)
    return Change(added, added, 0.15, share)


def _fluid_share(lesion: Lesion, fields: Fields, upright: bool) -> Gray:
    anatomy, sign = fields.anatomy, SIDES[lesion.side]
    across, y = fields.view.plane(66.0 * sign if fields.view.lateral else -20.0)
    level = anatomy.dome(lesion.side).top + 22 - 42 * lesion.size
    if not upright:
        return np.asarray(np.broadcast_to(0.5 * _step((y - level + 130) / 190), fields.view.shape))
    if fields.view.lateral:
        edge = np.clip(np.abs(across + 5) / 95, 0, 1)
    else:
        edge = np.clip((across * sign - 55) / (anatomy.lung(lesion.side).border(y) - 55), 0, 1)
    surface = level - (36 + 18 * lesion.size) * edge**2.6
    return _step((y - surface) / 20)


def pneumothorax(lesion: Lesion, fields: Fields) -> Change:
    """Air between the chest wall and a lung that has shrunk towards its base and hilum, and the pleura's thin line."""
    side = lesion.side
    density = fields.anatomy.density
    space = fields.aerated[side]
    inner = _collapsed(lesion, fields, 0.0)
    core = _collapsed(lesion, fields, 1.1)
    gap = np.maximum(space - inner, 0)
    pleura = np.maximum(inner - core, 0)
    added = -gap * np.float32(density) + pleura * np.float32(0.55)
    return Change(np.asarray(added), gap, 0.3)


def shrink(points: Gray, lesion: Lesion) -> Gray:
    """Where points [N, 3] of the lung lie when it has collapsed."""
    pivot, factor = _collapse(lesion)
    return np.asarray(pivot + (points - pivot) * factor, dtype=np.float32)


def _collapse(lesion: Lesion) -> tuple[Gray, Gray]:
    loss = 0.13 * lesion.size
    return (
        np.array([SIDES[lesion.side] * 18.0, 250.0, -10.0], dtype=np.float32),
        np.array([1 - 1.15 * loss, 1 - loss, 1 - 0.35 * loss], dtype=np.float32),
    )


def _collapsed(lesion: Lesion, fields: Fields, inset: float) -> Gray:
    """Length of the collapsed lung, `inset` mm inside its surface."""
    view, sign = fields.view, SIDES[lesion.side]
    pivot, factor = _collapse(lesion)
    factor = factor * np.float32(1 - inset / 110)
    across, y = view.plane(66.0 * sign if view.lateral else -5.0)
    axis, along = (2, 0) if view.lateral else (0, 2)
    across = pivot[axis] + (across - pivot[axis]) / factor[axis]
    y = pivot[1] + (y - pivot[1]) / factor[1]
    lung = fields.anatomy.lung(lesion.side)
    start, end = lung.lateral(across, y) if view.lateral else lung.frontal(across, y)
    small: Interval = (
        pivot[along] + (start - pivot[along]) * factor[along],
        pivot[along] + (end - pivot[along]) * factor[along],
    )
    start, end = fields.lung[lesion.side]
    kept: Interval = (np.maximum(small[0], start), np.minimum(small[1], end))
    kept = (kept[0], np.where(length(small) > 0, kept[1], kept[0]))
    return without(kept, *fields.holes[lesion.side])


def atelectasis(lesion: Lesion, fields: Fields) -> Change:
    """Collapse of the upper lobe, of the lower lobe, or a plate across the middle zone."""
    across, y = fields.view.plane(0.0)
    sign = SIDES[lesion.side]
    lung = fields.aerated[lesion.side]
    away = (40 - across) if fields.view.lateral else across * sign
    if lesion.zone == "upper":
        fissure = 100 - 66 * np.clip((away - 18) / 82, 0, 1.3) ** 0.62 / max(lesion.size, 0.6) ** 0.5
        share = 0.88 * _step(0.5 + (fissure - y) / 9)
    elif lesion.zone == "lower":
        bottom = fields.anatomy.dome(lesion.side).top + 30
        edge = 18 + 62 * lesion.size * np.clip((y - 112) / (bottom - 112), 0, 1.3) ** 1.1
        share = 0.72 * _step(0.5 + (edge - away) / 8) * _step((y - 100) / 40)
    else:
        share = _plate(lesion, fields, away, y)
    share = np.asarray(np.broadcast_to(share, fields.view.shape), dtype=np.float32)
    added = share * lung * np.float32(1 - fields.anatomy.density)
    hidden = share if lesion.zone != "middle" else None
    return Change(np.asarray(added), added, 0.25, hidden)


def _plate(lesion: Lesion, fields: Fields, away: Real, y: Real) -> Gray:
    """Two thin bands, the upper one fainter."""
    middle = 0.66 * fields.anatomy.dome(lesion.side).top
    total = np.zeros(fields.view.shape, dtype=np.float32)
    for down, weight, slope in ((0.0, 0.34, 0.13), (-15.0, 0.2, 0.2)):
        off = (y - middle - down - slope * (away - 75) - 0.0018 * (away - 75) ** 2) / (3.2 * lesion.size)
        ends = _step((away - 42) / 14) * _step((118 - away) / 14)
        total = total + np.float32(weight) * np.exp(-(np.abs(off) ** 3)) * ends
    return total
