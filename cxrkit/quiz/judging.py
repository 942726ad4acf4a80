"""A learner's and a network's answer against the truth."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrkit.localisation import place_heat
from cxrkit.pixels import Box, Gray
from cxrkit.quiz.question import Level, Material, Question, Region

NEAR_MONTHS = 12.0
"""**Choice**: a bone age counts as read right up to this far off, somewhat more than one SD of healthy children."""


@dataclass(frozen=True)
class Mark:
    """A place on one of a question's images.

    Attributes:
        image: which of them, from 0.
        x, y: in its pixels, where pixel (0, 0) reaches from 0 to 1.
    """

    image: int
    x: float
    y: float


@dataclass(frozen=True)
class MarkFound:
    """Where a mark lies.

    Attributes:
        inside: whether it is in the region.
        distance: to the region's nearest pixel, as a share of the image's width; 0 inside.
    """

    inside: bool
    distance: float


@dataclass(frozen=True)
class Read:
    """What a learner or a network said of a question.

    Attributes:
        reading: one of the question's readings, or what else the network said ("cannot tell"); months of a bone age.
        right: whether it is so.
        error: of a bone age in months, above 0 where it was read too old; None of other tasks.
        marked: whether a place was marked.
        mark: where the mark lies; None without one, and where no region is known.
    """

    reading: str | float
    right: bool
    error: float | None
    marked: bool
    mark: MarkFound | None


@dataclass(frozen=True)
class Outcome:
    """A question that has been answered, without pixels and without a person but for a name of their choice.

    Attributes:
        question: key of the question.
        quiz: what the quiz was, in words.
        task, number, level, truth: of the question.
        region: whether it is known where the truth lies.
        score: of the network for what it calls, in [0, 1]; where it calls no finding the highest one; None of a bone
            age.
        learner, network: what they said.
        nickname: of the learner; "" = none.
        weights: SHA-256 of the network.
    """

    question: str
    quiz: str
    task: str
    number: int
    level: Level | None
    truth: str | float
    region: bool
    score: float | None
    learner: Read
    network: Read
    nickname: str
    weights: str


def judge(question: Question, material: Material, reading: str | float, mark: Mark | None) -> Read:
    """Hold an answer to the truth.

    Args:
        question: that was asked.
        material: what it showed.
        reading: as in Read.
        mark: the place marked; None = none.
    """
    error = None
    if isinstance(question.truth, str):
        right = reading == question.truth
    else:
        error = float(reading) - question.truth
        right = abs(error) <= NEAR_MONTHS
    found = None if mark is None else find_mark(mark, material.regions)
    return Read(reading, right, error, mark is not None, found)


def find_mark(mark: Mark, regions: tuple[Region | None, ...]) -> MarkFound | None:
    """Where a mark lies; None where nobody knows the region in its image."""
    region = regions[mark.image]
    if region is None:
        return None
    height, width = region.shape
    column, row = min(int(mark.x), width - 1), min(int(mark.y), height - 1)
    if region[row, column]:
        return MarkFound(inside=True, distance=0.0)
    rows, columns = np.nonzero(region)
    away = float(np.hypot(rows + 0.5 - mark.y, columns + 0.5 - mark.x).min())
    return MarkFound(inside=False, distance=away / width)


def strongest_point(values: Gray, box: Box, image: int = 0) -> Mark | None:
    """A heatmap's strongest point as a mark: of several the first in reading order; None where there is no heat.

    Args:
        values: [h, w] at least 0, spanning `box`.
        box: (left, top, right, bottom) in pixels of the image.
        image: which of the question's images.
    """
    if float(values.max()) <= 0:
        return None
    row, column = (int(place) for place in np.unravel_index(int(values.argmax()), values.shape))
    left, top, right, bottom = box
    return Mark(
        image,
        left + (column + 0.5) * (right - left) / values.shape[1],
        top + (row + 0.5) * (bottom - top) / values.shape[0],
    )


def hotter_than(values: Gray, box: Box, shape: tuple[int, int], mark: Mark) -> float | None:
    """Share of what the network read, in [0, 1], that has less heat than the place of a mark; None outside of it.

    Args:
        values, box: as for strongest_point.
        shape: (height, width) of the image.
        mark: on it.
    """
    left, top, right, bottom = box
    if not (left <= mark.x < right and top <= mark.y < bottom) or float(values.max()) <= 0:
        return None
    heat: NDArray[np.float32] = place_heat(values, box, shape)
    here = heat[min(int(mark.y), shape[0] - 1), min(int(mark.x), shape[1] - 1)]
    return float((heat[top:bottom, left:right] < here).mean())
