"""Where a network looks in the two types of scans: mean maps, their difference, t-test at each pixel (methods 4)."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrkit.card import WEIGHTS
from cxrkit.colours import diverging, turbo
from cxrkit.explain import Method, raw_maps
from cxrkit.group_maps import GROUPS, LEVEL, GroupMaps, compare_groups, write_groups
from cxrkit.phantoms import ScanKind, simulate_scan
from cxrkit.pixels import resize
from cxrkit.predict import encode
from cxrkit.task import ModelInput
from cxrkit.tasks.vq import VQ
from cxrkit.weights import LoadedModel, load_model
from train.vq.scans import Recipe

_PATIENTS = 9_000_000
"""Seed of the first scan: of no other part."""

_SHOWN = 112
"""Side of the kept maps: the network's are coarser by far."""


def write_figures(figures: Path, weights: Path = WEIGHTS, count: int = 100) -> GroupMaps:
    """Explain simulated scans of both types, compare the maps, keep the comparison beside the weights, draw it.

    Args:
        figures: folder for the pictures.
        weights: folder of the tasks' weights.
        count: scans of each type.
    """
    loaded = load_model(VQ, weights)
    recipe = Recipe("maps of the two types", count, count, _PATIENTS)
    maps = [_own_map(loaded, recipe, number) for number in range(2 * count)]
    found = compare_groups(np.stack(maps[:count]), np.stack(maps[count:]))
    write_groups(found, weights / VQ.name / GROUPS, loaded.card.sha256)
    figures.mkdir(parents=True, exist_ok=True)
    for name, picture in pictures(found).items():
        cv2.imwrite(str(figures / f"{name}.png"), picture[..., ::-1])
    return found


def _own_map(loaded: LoadedModel, recipe: Recipe, number: int) -> NDArray[np.float32]:
    """Grad-CAM of a scan's own type over the aligned image, as a share of its maximum: each scan counts the same."""
    kind: ScanKind = recipe.kinds[number]
    prepared = VQ.prepare([simulate_scan(recipe.scan(number)).radiograph()], {}, ModelInput())
    (raw,) = raw_maps(loaded, encode(loaded, prepared), [VQ.labels.index(kind)], Method.GRAD_CAM)
    positive = np.maximum(resize(raw, _SHOWN, _SHOWN), 0)
    peak = float(positive.max())
    return np.asarray(positive / peak if peak > 0 else positive, dtype=np.float32)


def pictures(found: GroupMaps) -> dict[str, NDArray[np.uint8]]:
    """Name -> [H, W, 3] RGB of each figure; red where perfusion is higher, blue where ventilation is."""
    largest = max(float(np.abs(found.difference).max()), 1e-9)
    difference = found.difference / largest
    return {
        "mean_perfusion": turbo(found.first),
        "mean_ventilation": turbo(found.second),
        "difference": _red_and_blue(difference),
        f"significant_raw_p_{LEVEL:g}": _red_and_blue(difference * found.raw),
        f"significant_fdr_{LEVEL:g}": _red_and_blue(difference * found.corrected),
    }


def _red_and_blue(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.rint(diverging(values)).astype(np.uint8)
