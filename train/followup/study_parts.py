"""Pairs that every cell of a study is measured on, all of patients set aside, and what a network scores on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cxrkit.models.music_vit import CHANGE
from cxrkit.pixels import eight_bits
from train.followup.held import Held, Views, known_pairs
from train.followup.losses import UNKNOWN
from train.followup.made import make_pair
from train.followup.made_aside import plan_changes, plan_unchanged
from train.followup.material import Material
from train.followup.measure import threshold_for_specificity
from train.followup.progress import draw_judged, judged_logits
from train.prepared import made_by_all_cores

MADE = "made pairs"
_LABELLED = ("made", "real")
"""Kinds of carved sources that choose the threshold."""


@dataclass(frozen=True, eq=False)
class Reported:
    """N pairs that report.

    Attributes:
        name: in words.
        images: [N, 2, S, S] in 1/255, as the network reads them before normalisation.
        change: [N] 0 or 1.
    """

    name: str
    images: NDArray[np.uint8]
    change: NDArray[np.int64]


def reported_parts(held: Sequence[Held], size: int, each: int, cache: Path) -> list[Reported]:
    """Made pairs of all sets, and each set's real pairs whose change is labelled.

    Args:
        held: the data sets; only their part set aside is used.
        size: side of the images.
        each: made pairs with change of every lesion and contrast, and half again as many in all without change.
        cache: folder for prepared images.
    """
    made = _made(held, size, each)
    return [made, *(part for part in (_real(one, size, cache) for one in held) if part is not None)]


def _made(held: Sequence[Held], size: int, each: int) -> Reported:
    changed = plan_changes(held, each)
    planned = [*changed, *plan_unchanged(held, len(changed) * 3 // 2)]
    images = np.zeros((len(planned), 2, size, size), dtype=np.uint8)

    def drawn(number: int) -> NDArray[np.uint8]:
        one = planned[number]
        of, row = one.sources, one.row
        made = make_pair(of.views[row], of.lungs[row], of.frame(row), one.plan, size)
        return eight_bits(np.stack([made.baseline, made.follow_up]))

    for number, pair in enumerate(made_by_all_cores(drawn, len(planned), "making pairs that report")):
        images[number] = pair
    return Reported(MADE, images, np.array([int(bool(one.kind)) for one in planned]))


def _real(held: Held, size: int, cache: Path) -> Reported | None:
    pairs = [pair for pair in known_pairs(held) if pair.change != UNKNOWN]
    if not pairs:
        return None
    views = Views(held.parts.aside, held.images.root, size, cache)
    images = np.stack([views.pair(pair.baseline, pair.follow_up) for pair in pairs])
    change = np.array([pair.change for pair in pairs])
    return Reported(f"real pairs, {held.aside}", eight_bits(images), change)


def margins(
    model: nn.Module, material: Material, judged: int, size: int, seed: int, parts: Sequence[Reported]
) -> dict[str, list[float]]:
    """How far each reported pair's score lies above the threshold, which the carved part chose; by part.

    Args:
        model: trained, in eval mode.
        material: its carved part, of which the labelled sources are used.
        judged: pairs of each of these.
        size: side of the images.
        seed: of the carved pairs' draw.
        parts: that report.
    """
    labelled = [source for source in material.carved if material.kinds[source.name] in _LABELLED]
    carved = draw_judged(labelled, judged, size, seed)
    threshold = threshold_for_specificity(carved.change, _scores(model, carved.images))
    return {part.name: (_scores(model, part.images) - threshold).tolist() for part in parts}


def _scores(model: nn.Module, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """[N] logit of change less that of no change; a probability near 1 would tie where this does not."""
    with torch.inference_mode():
        return np.asarray(judged_logits(model, images)[:, CHANGE] @ (-1.0, 1.0))
