"""Is this the kind of image that a task reads? The header, plain checks of the pixels, then a small network.

A score for the wrong kind of image looks like any other score, so it must not be shown by accident.
"""

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cxrkit.errors import WeightsError
from cxrkit.image import Radiograph
from cxrkit.pixels import Gray, crop, equalise, resize, trim_margins
from cxrkit.plain_checks import header_problem, pixel_problem
from cxrkit.scan_checks import scan_problem, upright_tones
from cxrkit.task import Reads
from cxrkit.two_hands import two_hands

if TYPE_CHECKING:
    from torch import nn

    from cxrkit.card import Card

NAME = "image_guard"
SIZE = 64
"""Side of the network's square input: the kind of an image shows at a glance."""

THUMBNAIL = 96
"""Side of the square that margins are looked for in."""

TRAIN_COMMAND = "python -m train.image_guard FOLDER"

SWAPPED, TURNED = "frontal chest, black and white swapped", "frontal chest, turned"
KINDS = (
    "frontal chest",
    SWAPPED,
    TURNED,
    "lateral chest",
    "hand",
    "other radiograph",
    "not a radiograph",
)
"""Classes of the network, in the order of its outputs."""

PASSES: dict[Reads, tuple[str, ...]] = {"frontal chest": ("frontal chest", SWAPPED), "hand": ("hand",)}
"""Classes that count as the kind that a task reads. Lung scans are no class of the network; see `_check_scan`."""

NEVER_SCANS = ("frontal chest", TURNED, "lateral chest", "hand", "other radiograph")
"""Classes that stop a lung scan; it may look like a chest with black and white swapped, or like no radiograph."""

SURE = 0.9
"""Probability of one of them from which a scan is stopped: the network was shown no scans, so it has to be sure."""

_WORDS = {
    "frontal chest": "a frontal chest radiograph",
    SWAPPED: "a frontal chest radiograph with black and white swapped",
    TURNED: "a frontal chest radiograph that is turned or upside down; turn it so that the head is at the top",
    "lateral chest": "a lateral chest radiograph",
    "hand": "a radiograph of a hand",
    "other radiograph": "a radiograph of another part of the body",
    "not a radiograph": "something that is not a radiograph",
}
SWAPPED_WARNING = (
    "Black and white seem to be swapped: bone should be bright and lungs dark. The score means little unless they are "
    "swapped back before the image is read (“Black and white” of the model input, or --swap), or export it with bone "
    "bright."
)

_SEVERAL = (
    "This task reads a radiograph of one hand, but the image looks like another part of the body, or like several "
    "hands or views side by side. Export one hand alone, the left if you can."
)
_TWO_HANDS = "The image seems to show two hands; this task reads one. Export one hand alone, the left if you can."


@dataclass(frozen=True)
class Verdict:
    """Whether a task may read an image without being asked twice.

    Attributes:
        ok: whether it is the kind of image that the task reads.
        found: what it is: one of KINDS, or what a plain check or the header calls it.
        probability: of the kind that the task reads, in [0, 1], by the network; 0 where a check before it stopped; of
            a lung scan that it is not the likeliest of NEVER_SCANS.
        reasons: sentences for the screen: why it is stopped, or what is odd about it all the same.
    """

    ok: bool
    found: str
    probability: float
    reasons: tuple[str, ...]


def check_image(image: Radiograph, reads: Reads) -> Verdict:
    """Judge whether an image is of the kind that a task reads.

    Args:
        image: what was uploaded.
        reads: the kind, as the task declares it.

    Raises:
        WeightsError: the guard's weights are missing or altered.
    """
    if reads == "planar lung scan":
        return _check_scan(image)
    gray = image.windowed()
    problem = header_problem(image.header, reads) or pixel_problem(image, gray)
    if problem is not None:
        return Verdict(False, problem.found, 0.0, (problem.sentence,))
    verdict = _judge(probabilities([guard_input(gray)])[0], reads)
    if reads == "hand" and verdict.found in ("hand", "other radiograph") and two_hands(gray):
        if verdict.ok:
            return Verdict(False, "two hands", verdict.probability, (_TWO_HANDS,))
        return replace(verdict, reasons=(_SEVERAL,))
    return verdict


def _check_scan(image: Radiograph) -> Verdict:
    """Plain checks of a lung scan; the network only says whether it is plainly something else that it knows."""
    problem = scan_problem(image)
    if problem is not None:
        return Verdict(False, problem.found, 0.0, (problem.sentence,))
    shares = probabilities([guard_input(upright_tones(image))])[0]
    other = max(NEVER_SCANS, key=lambda kind: shares[KINDS.index(kind)])
    share = float(shares[KINDS.index(other)])
    if share >= SURE:
        reason = f"This task reads a planar lung scan, but the image looks like {_WORDS[other]}."
        return Verdict(False, other, 1 - share, (reason,))
    return Verdict(True, "planar lung scan", 1 - share, ())


def _judge(shares: NDArray[np.float64], reads: Reads) -> Verdict:
    """Verdict out of the network's probabilities [K]."""
    found = KINDS[int(shares.argmax())]
    probability = wanted(shares[None], reads)[0]
    if probability >= _loaded()[1].thresholds[reads]:
        return Verdict(True, found, probability, (SWAPPED_WARNING,) if found == SWAPPED else ())
    if found in PASSES[reads]:
        reason = f"The image does not look enough like {_WORDS[reads]} (probability {probability:.2f})."
    else:
        reason = f"This task reads {_WORDS[reads]}, but the image looks like {_WORDS[found]}."
    return Verdict(False, found, probability, (reason,))


def wanted(shares: NDArray[np.float64], reads: Reads) -> NDArray[np.float64]:
    """Probabilities [N, K] of all kinds -> [N] of the kind that is read."""
    return np.asarray(shares[:, [KINDS.index(kind) for kind in PASSES[reads]]].sum(axis=1))


def thumbnail(image: Gray) -> Gray:
    """[H, W] -> [96, 96], squashed: aspect differs between archives more than between kinds."""
    return resize(image, THUMBNAIL, THUMBNAIL)


def guard_input(image: Gray) -> Gray:
    """What the network reads: [H, W] in any range -> [64, 64] in [-1, 1], without uniform margins, equalised."""
    small, half = thumbnail(image), THUMBNAIL // 2
    left, top, right, bottom = trim_margins(resize(small, half, half))
    return equalise(resize(crop(small, (2 * left, 2 * top, 2 * right, 2 * bottom)), SIZE, SIZE)) * 2 - 1


def probabilities(inputs: list[Gray]) -> NDArray[np.float64]:
    """Network inputs -> [N, K] probability of each kind.

    Raises:
        WeightsError: the weights are missing or altered.
    """
    import torch

    model, card = _loaded()
    with torch.inference_mode():
        logits = model(torch.from_numpy(np.stack(inputs))[:, None])
    return np.asarray((logits.double() / card.temperature).softmax(1).numpy())


@cache
def _loaded() -> "tuple[nn.Module, Card]":
    from cxrkit.card import WEIGHTS
    from cxrkit.models.small_cnn import SmallClassifier
    from cxrkit.weights import fill, read_weights

    state, card = read_weights(WEIGHTS / NAME, TRAIN_COMMAND)
    again = f"Train again with: {TRAIN_COMMAND}"
    if card.labels != KINDS:
        raise WeightsError(f"The image guard's weights were trained for other kinds of image. {again}")
    return fill(SmallClassifier(tuple(card.model["widths"]), len(KINDS)), state, again), card
