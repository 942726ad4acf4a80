"""Where a network looks in the two types of scans: mean maps, their difference, t-test at each pixel (methods 4)."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrkit.card import WEIGHTS
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
    write_groups(found, weights / VQ.name / GROUPS)
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
    return positive / peak if peak > 0 else positive


def pictures(found: GroupMaps) -> dict[str, NDArray[np.uint8]]:
    """Name -> [H, W, 3] RGB of each figure; red where perfusion is higher, blue where ventilation is."""
    largest = max(float(np.abs(found.difference).max()), 1e-9)
    difference = found.difference / largest
    return {
        "mean_perfusion": _inferno(found.first),
        "mean_ventilation": _inferno(found.second),
        "difference": red_and_blue(difference),
        f"significant_raw_p_{LEVEL:g}": red_and_blue(difference * found.raw),
        f"significant_fdr_{LEVEL:g}": red_and_blue(difference * found.corrected),
    }


def red_and_blue(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """[h, w] in [-1, 1] -> [h, w, 3]: white at 0, red above, blue below."""
    strength = np.abs(np.clip(values, -1, 1))[..., None]
    full = np.where(values[..., None] > 0, (178, 24, 43), (33, 102, 172))
    return np.rint(255 * (1 - strength) + full * strength).astype(np.uint8)


def _inferno(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    coloured = cv2.applyColorMap(np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    return np.asarray(coloured[..., ::-1], dtype=np.uint8)
