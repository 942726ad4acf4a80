"""A chest without lesions as lengths along the beam: soft tissue, lung, gas, bone and vessels together."""

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrkit.phantoms.chest_anatomy import SIDES, of_kind
from cxrkit.phantoms.chest_body import abdominal_gas, airway_cloud, body_thickness
from cxrkit.phantoms.chest_bones import Skeleton
from cxrkit.phantoms.chest_fields import Fields
from cxrkit.phantoms.chest_pleura import Change, shrink
from cxrkit.phantoms.chest_vessels import grow_vessels, vessel_cloud
from cxrkit.phantoms.projection import View
from cxrkit.phantoms.settings import ChestSettings, stream
from cxrkit.phantoms.solids import Cloud

Gray = NDArray[np.float32]


def normal_tissue(settings: ChestSettings, fields: Fields, changes: list[Change]) -> Gray:
    """Soft tissue along the beam in reference mm, bone counted as what it attenuates."""
    view, anatomy = fields.view, fields.anatomy
    along = np.float32(view.along)
    spacing = 0.95 * view.pixel
    body = body_thickness(settings, anatomy, view)
    inside = np.clip(body / 60, 0, 1)
    tissue = body * (1 + 0.012 * _mottle(settings, view))
    lungs = sum(fields.aerated.values())
    tissue -= np.minimum(lungs, body) * np.float32(1 - anatomy.density) * (1 + 0.012 * _lung_texture(settings, view))
    tissue -= abdominal_gas(settings, anatomy, view)
    canvas = view.canvas
    coarse = 2 if view.pixel < 0.8 else 1
    tissue -= canvas.splat(airway_cloud(anatomy, spacing * coarse), coarse) / along * np.float32(0.92)
    arms = "raised" if view.lateral else settings.view
    skeleton = Skeleton(anatomy, arms, spacing)
    bones = canvas.splat(skeleton.cortex()) + canvas.splat(skeleton.spongy(), Skeleton.coarse)
    tissue += bones / along
    tissue += _vessels(settings, fields, changes, spacing) * np.float32(1 - anatomy.density) / along
    return np.asarray(
        np.where(body > 0, np.maximum(tissue, 0.02 * body), 0) * np.minimum(inside * 8, 1), dtype=np.float32
    )


def _vessels(settings: ChestSettings, fields: Fields, changes: list[Change], spacing: float) -> Gray:
    """Length of vessel; gone where fluid or collapse hides it, moved with a lung that has shrunk."""
    anatomy = fields.anatomy
    total = np.zeros(fields.view.shape, dtype=np.float32)
    trees = grow_vessels(settings, anatomy)
    for side in SIDES:
        cloud = vessel_cloud(trees[side], spacing, anatomy, side)
        image = fields.view.canvas.splat(cloud)
        for lesion in of_kind(settings, "pneumothorax"):
            if lesion.side == side and lesion.contrast > 0:
                moved = fields.view.canvas.splat(Cloud(shrink(cloud.points, lesion), cloud.volumes))
                share = np.float32(min(lesion.contrast, 1.0))
                image = image * (1 - share) + moved * share
        for lesion, change in zip(settings.lesions, changes, strict=True):
            if change.hidden is not None and lesion.side == side:
                image = image * (1 - np.minimum(change.hidden * np.float32(lesion.contrast), 1))
        total += image
    return total


def _mottle(settings: ChestSettings, view: View) -> Gray:
    """Uneven fat and muscle, standard deviation about 1."""
    random = stream(settings, "texture", 2)
    return _grains(random, view, (40.0, 16.0, 7.0), (1.0, 0.7, 0.4))


def _lung_texture(settings: ChestSettings, view: View) -> Gray:
    """Vessels too small to be drawn."""
    random = stream(settings, "texture", 3)
    return _grains(random, view, (6.0, 2.5, 1.2), (0.8, 0.8, 0.6))


def _grains(random: np.random.Generator, view: View, sizes: tuple[float, ...], weights: tuple[float, ...]) -> Gray:
    """Smooth noise of several grain sizes in mm, drawn on grids in mm so that the image size doesn't change it.

    It moves with the patient from one visit to the next.
    """
    rows, columns = view.shape
    total = np.zeros(view.shape, dtype=np.float32)
    for grain, weight in zip(sizes, weights, strict=True):
        count = int(np.ceil(620 / grain))
        field = random.standard_normal((count, count), dtype=np.float32)
        step = np.float32(view.pixel / grain)
        x = (np.arange(columns, dtype=np.float32) - columns / 2) * step + count / 2 + np.float32(view.moved[0] / grain)
        y = (np.arange(rows, dtype=np.float32) - rows / 2) * step + count / 2 + np.float32(view.moved[1] / grain)
        where = (
            np.broadcast_to(x, view.shape).astype(np.float32),
            np.broadcast_to(y[:, None], view.shape).astype(np.float32),
        )
        total += np.float32(weight) * cv2.remap(field, *where, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    return total
