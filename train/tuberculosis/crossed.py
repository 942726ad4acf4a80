"""Networks that were trained without a pair of families, and what they say of it: the honest figure of the card."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxrkit.card import read_card
from cxrkit.errors import InputError
from cxrkit.predict import probabilities
from cxrkit.scores import CROSSED, DECIMALS, read_scores
from train.border_baseline import border_scores
from train.laboratory import digest
from train.stored import save_array
from train.trainer import FitSettings, is_first_process
from train.tuberculosis.fit import FAMILY_PAIRS, Settings, TrainingPart, logits_of, train_model
from train.tuberculosis.images import Images

SHARED_ARCHIVE = (
    "some of these normal chests come from the NIH archive, and other images of that archive were trained on as "
    "negatives: optimistic"
)


@dataclass(frozen=True, eq=False)
class Crossed:
    """One pair of families, read by a network (and a border baseline) that never saw it.

    Attributes:
        trained, held: the family pairs, in words.
        note: what makes its figures look better than they are.
        target: [M] class indices.
        logits: [M, 2].
        border: [M] scores of the border baseline.
    """

    trained: str
    held: str
    note: str
    target: NDArray[np.int64]
    logits: NDArray[np.float64]
    border: NDArray[np.float64]

    @property
    def part(self) -> str:
        """What it was measured on, in words."""
        return _part(self.trained, self.held)

    def scores(self, temperature: float) -> NDArray[np.float64]:
        """[M] probability of tuberculosis."""
        return probabilities(self.logits, temperature, "softmax")[:, 1]


def cross_families(
    images: Images, settings: Settings, how: FitSettings | None, run: Path, weights: Path | None = None
) -> list[Crossed]:
    """Train on one pair of sources and read the other, each way round; nothing where fewer than two pairs are there.

    The networks go through the same training as the one that ships, further negatives included. Images of the held-out
    pair that repeat one of another set do not report.

    Args:
        images: of all families.
        settings: of training.
        how: hardware and precision; None = nothing is trained.
        run: folder of both runs.
        weights: where nothing is trained, the folder whose scores are taken where the run's folder holds no answers.

    Raises:
        InputError: the folder holds a run of other settings or images, or nothing may be trained and something lacks.
        WeightsError: the scores beside the weights cannot be read.
    """
    pairs = [pair for pair in FAMILY_PAIRS if set(pair) <= set(images.families)]
    crossed = []
    for held in pairs:
        rest = [family for pair in pairs if pair != held for family in pair]
        if not rest:
            continue
        chosen = np.isin(images.families, rest)
        training = np.flatnonzero(chosen | images.further)
        tested = np.flatnonzero(np.isin(images.families, held))
        further = sorted(set(images.families[images.further].tolist()))
        trained, tests = " + ".join([*rest, *further]), " + ".join(held)
        answers = _logits(images, training, tested, settings, how, run / f"without_{held[0]}")
        known, reports = np.flatnonzero(chosen), ~images.copies[tested]
        tested = tested[reports]
        if answers is None:
            logits = _scored(_part(trained, tests), images.targets[tested], weights)
        else:
            logits = answers[reports]
        border = border_scores(images.borders[known], images.targets[known], images.borders[tested])
        note = SHARED_ARCHIVE if "radiography_normal" in held and "nih" in further else ""
        crossed.append(Crossed(trained, tests, note, images.targets[tested], logits, border))
    return crossed


def _part(trained: str, held: str) -> str:
    return f"{CROSSED}: trained on {trained}, tested on all of {held}"


def _scored(name: str, target: NDArray[np.int64], weights: Path | None) -> NDArray[np.float64]:
    """Logits [M, 2] out of the scores beside the weights, which do not say which image of a class had which score.

    Args:
        name: of the part.
        target: [M] class indices of the images that report.
        weights: folder with card and scores; None = there are none.
    """
    parts = () if weights is None else read_scores(weights)
    part = next((part for part in parts if part.name == name), None)
    if weights is None or part is None or not np.array_equal(np.bincount(part.targets), np.bincount(target)):
        raise InputError(
            "Neither the run's folder nor the scores beside the weights hold answers of a network trained without "
            "these families, for these images. Name the folder in which the weights were trained, or train them anew "
            "with: python -m train.tuberculosis weights"
        )
    least = 0.5 * 10**-DECIMALS
    score = np.clip(part.scores, least, 1 - least)
    logits = np.zeros((len(target), 2))
    for one in (0, 1):
        logits[target == one, 1] = np.log(score / (1 - score))[part.targets == one]
    return logits * read_card(weights / "card.json").temperature


def _logits(
    images: Images,
    training: NDArray[np.int64],
    tested: NDArray[np.int64],
    settings: Settings,
    how: FitSettings | None,
    folder: Path,
) -> NDArray[np.float64] | None:
    """Logits [M, 2] of the tested images by a network trained on others, kept under the names of what was read.

    None where they are not kept and nothing may be trained.
    """
    read = digest([images.cases[place].files for place in tested])
    file = folder / f"logits-{read}.npy"
    # A finished training is over at once, and refuses the folder of another one.
    model = None if how is None else train_model(training_part(images, training), settings, how, folder)
    if file.is_file():
        return np.asarray(np.load(file))
    if model is None:
        return None
    logits = logits_of(model, images.views[tested])
    if is_first_process():
        save_array(file, logits)
    return logits


def training_part(images: Images, chosen: NDArray[np.int64]) -> TrainingPart:
    """What a run trains on, by position."""
    return TrainingPart(images.views[chosen], images.lungs[chosen], images.targets[chosen], images.families[chosen])
