"""Where the maps point on made pairs, whose lesions are known: of change, joined or not, and the maps of lesions."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from cxrkit.card import Metric
from cxrkit.explain import Method
from cxrkit.explain_pair import Overlay, PairMaps, overlays
from cxrkit.localisation import POINTING_TOLERANCE, localise
from cxrkit.phantoms.settings import LESIONS
from cxrkit.report import figure
from cxrkit.task import Placement, Prepared
from cxrkit.tasks.followup import FOLLOW_UP
from train.followup.by_patient import mean_metric
from train.followup.made_aside import MadePairs
from train.followup.measure_made import MADE
from train.followup.space import Mask

POINTING_TABLE = "Pointing game on pairs made of radiographs set aside, by lesion"

INTERSECTION, BASELINE, FOLLOW_UP_MAP = "intersection map", "baseline's own map", "follow-up's own map"
LESION_CHANGE, STRONGEST_LESION = Overlay.LESION_CHANGE.lower(), Overlay.LESIONS.lower()
_OF_LESIONS = {LESION_CHANGE: Overlay.LESION_CHANGE, STRONGEST_LESION: Overlay.LESIONS}
OTHER, CHANCE = "intersection map of another pair", "chance"
_NOTES = {
    INTERSECTION: "on both images; the strongest pixel is to lie on what has changed, or nearly (3 % of the side)",
    BASELINE: "on the baseline",
    FOLLOW_UP_MAP: "on the follow-up",
    LESION_CHANGE: "on both images; the network's own maps of lesions, not the source's",
    STRONGEST_LESION: "each image's own map, whether the lesion has changed or not",
    OTHER: "what pointing at the usual places alone reaches",
    CHANCE: "share of the area that counts as on what has changed",
}


def hits(pairs: MadePairs) -> dict[str, NDArray[np.float64]]:
    """Of each pair with change: 1 = the map points at what has changed, 0 = it does not, or there is no map.

    Figures over both images are means of two. NaN where nothing of what has changed is inside the images.

    Args:
        pairs: read with their maps, each with change.

    Returns:
        [N] by INTERSECTION, BASELINE, FOLLOW_UP_MAP, the two of lesions where the network has their maps, OTHER and
        CHANCE (a share of the area).
    """
    left_out = () if pairs.answers.lesions.size else _OF_LESIONS
    found = {name: np.full(len(pairs), np.nan) for name in _NOTES if name not in left_out}
    maps = _maps(pairs, Method.GRAD_CAM)
    for row, masks in enumerate(pairs.masks):
        if not all(mask.any() for mask in masks):
            continue
        both = _hits(maps[row], Overlay.INTERSECTION, masks)
        own = _hits(maps[row], Overlay.OWN, masks)
        # Far enough away in the list to be of another lesion.
        other = _hits(maps[(row + len(maps) // 2) % len(maps)], Overlay.INTERSECTION, masks)
        found[INTERSECTION][row], found[OTHER][row] = np.mean(both), np.mean(other)
        found[BASELINE][row], found[FOLLOW_UP_MAP][row] = own
        for name in found.keys() & _OF_LESIONS:
            found[name][row] = np.mean(_hits(maps[row], _OF_LESIONS[name], masks))
        found[CHANCE][row] = np.mean([chance(mask) for mask in masks])
    return found


def chance(mask: Mask) -> float:
    """Share of the image within the pointing game's tolerance of the mask: what a pixel drawn anywhere hits."""
    far = distance_transform_edt(~mask)
    return float(np.mean(far <= POINTING_TOLERANCE * max(mask.shape)))


def pointing_metrics(
    pairs: MadePairs, temperature: float, threshold: float
) -> tuple[list[Metric], list[dict[str, Any]]]:
    """Hit rates over all pairs with change and over those called change; and the table by lesion."""
    found = hits(pairs)
    inside = ~np.isnan(found[CHANCE])
    called = pairs.answers.change(temperature) >= threshold
    metrics = _rates(found, pairs.patients, inside, f"{MADE}, all with change")
    metrics += _rates(found, pairs.patients, inside & called, f"{MADE}, with change and called change")
    metrics += _gains(found, pairs.patients, inside)
    rows = []
    for kind in LESIONS:
        own = inside & (pairs.kinds == kind)
        if own.any():
            rates = _rates(found, pairs.patients, own, "")
            names = [metric.name.removeprefix(_PREFIX) for metric in rates]
            rows.append({"lesion": kind, "pairs": int(own.sum())} | dict(zip(names, map(figure, rates), strict=True)))
    return metrics, rows


_PREFIX = "pointing game, "


def _rates(
    found: Mapping[str, NDArray[np.float64]], patients: NDArray[np.str_], which: NDArray[np.bool_], part: str
) -> list[Metric]:
    return [
        metric
        for name, values in found.items()
        for metric in mean_metric(_PREFIX + name, part, values[which], patients[which], _NOTES[name], share=True)
    ]


def _gains(
    found: Mapping[str, NDArray[np.float64]], patients: NDArray[np.str_], which: NDArray[np.bool_]
) -> list[Metric]:
    """By how much the intersection does better than what it is compared with, pair by pair."""
    single = (found[BASELINE] + found[FOLLOW_UP_MAP]) / 2
    against: Mapping[str, NDArray[np.float64]] = {
        "each image's own map": single,
        OTHER: found[OTHER],
        CHANCE: found[CHANCE],
    }
    return [
        metric
        for name, values in against.items()
        for metric in mean_metric(
            f"{_PREFIX}{INTERSECTION} less {name}",
            f"{MADE}, all with change",
            (found[INTERSECTION] - values)[which],
            patients[which],
            "0 where it is no better",
        )
    ]


def method_rows(pairs: MadePairs, temperature: float, threshold: float) -> list[dict[str, Any]]:
    """The table by method: how often the intersection points at what has changed, in all pairs and in those called."""
    inside = np.array([all(mask.any() for mask in masks) for masks in pairs.masks])
    called = inside & (pairs.answers.change(temperature) >= threshold)
    rows = []
    for method in Method:
        maps = _maps(pairs, method)
        found = np.full(len(pairs), np.nan)
        for place in np.flatnonzero(inside):
            found[place] = np.mean(_hits(maps[place], Overlay.INTERSECTION, pairs.masks[place]))
        row: dict[str, Any] = {"method": str(method), "pairs": int(inside.sum()), "called": int(called.sum())}
        for name, which in (("all", inside), ("called change", called)):
            for metric in mean_metric(name, "", found[which], pairs.patients[which], "", share=True):
                row[name] = figure(metric)
        rows.append(row)
    return rows


def _maps(pairs: MadePairs, method: Method) -> list[PairMaps]:
    place, answers = list(Method).index(method), pairs.answers
    return [
        PairMaps(
            FOLLOW_UP.positive,
            method,
            (scaled[0], scaled[1]),
            (float(maxima[0]), float(maxima[1])),
            (lesions[0], lesions[1]) if lesions.size else None,
        )
        for scaled, maxima, lesions in zip(
            answers.maps[:, place], answers.maxima[:, place], answers.lesions, strict=True
        )
    ]


def _hits(maps: PairMaps, overlay: Overlay, masks: tuple[Mask, Mask]) -> list[bool]:
    """Of baseline and follow-up: whether the overlay's strongest pixel is on the mask; without any heat it is not.

    Of a signed overlay the sign says which way, not where, so it does not count.
    """
    shown = overlays(maps, _as_read(len(masks[0])), overlay)
    return [
        bool(heat.values.any()) and localise(np.abs(heat.values), heat.box, mask).hit
        for heat, mask in zip(shown, masks, strict=True)
    ]


def _as_read(size: int) -> Prepared:
    """Made images have no radiograph behind them: the frame of the network's input is the image's own."""
    whole = (0, 0, size, size)
    placement = Placement((size, size), whole, size, whole)
    nothing = np.zeros((0, 0), dtype=np.float32)
    return Prepared(np.zeros((2, 1, 0, 0), dtype=np.float32), (placement, placement), (nothing, nothing))
