"""One question of a quiz: what is shown, what may be answered, and what is true."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cxrkit.bone_age import Sex
from cxrkit.finding_truth import LABEL_OF_LESION
from cxrkit.image import Radiograph
from cxrkit.phantoms import ChestSettings, HandSettings, PairSettings, ScanSettings
from cxrkit.quiz.pack_case import PackCase

Level = Literal["easy", "medium", "hard"]
LEVELS: tuple[Level, ...] = get_args(Level)

NO_FINDING = "none of these"

READINGS: Mapping[str, tuple[str, ...]] = {
    "tuberculosis": ("abnormal", "normal"),
    "followup": ("change", "no change"),
    "bone_age": (),
    "vq": ("perfusion", "ventilation"),
    "nih14": (*sorted(LABEL_OF_LESION.values()), NO_FINDING),
}
"""What may be answered, by task: the first is the positive one, of findings every one but the last; () = months."""

LOCATED = ("tuberculosis", "followup", "nih14")
"""Tasks in which a place is asked for; a bone age and the type of a scan have none, so a mark there is free."""

Source = ChestSettings | PairSettings | HandSettings | ScanSettings | PackCase
"""What the images are made from, or read from."""

Region = NDArray[np.bool_]


@dataclass(frozen=True)
class Question:
    """One case, without its pixels.

    Attributes:
        key: stands for the case: the same in every session.
        task: name of the task.
        number: in its quiz, from 1.
        level: how hard; None = not stated.
        truth: one of READINGS, or the bone age in months.
        what: what is there, in words for the screen: "cavity, right upper zone"; "" for nothing. Of a pack its own
            note, which is a stranger's text and no Markdown.
        source: of the images.
        sex: of the child, known to learner and network alike; None = not known.
    """

    key: str
    task: str
    number: int
    level: Level | None
    truth: str | float
    what: str
    source: Source = field(repr=False)
    sex: Sex | None = None

    @property
    def located(self) -> bool:
        """Whether a place is asked for."""
        return self.task in LOCATED


@dataclass(frozen=True, eq=False)
class Material:
    """What a question shows, and where its truth lies.

    Attributes:
        images: one; of a pair baseline and follow-up.
        regions: of each image [H, W], True on what is to be found; None where nothing is there or nobody knows where.
    """

    images: tuple[Radiograph, ...]
    regions: tuple[Region | None, ...]


def is_positive(task: str, reading: str) -> bool:
    """Whether a reading says that something is there; of lung scans, that it is a perfusion scan."""
    return reading != NO_FINDING if task == "nih14" else reading == READINGS[task][0]
