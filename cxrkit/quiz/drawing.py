"""Draw the cases of a simulated quiz: settings only, nothing is projected."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from cxrkit.bone_age import Sex
from cxrkit.finding_truth import LABEL_OF_LESION
from cxrkit.phantoms import (
    MIXED,
    REVERSED,
    USUAL,
    Lesion,
    PairSettings,
    ScanPopulation,
    random_chest,
    random_hand,
    random_pair,
    random_scan,
)
from cxrkit.phantoms.settings import random_lesion
from cxrkit.quiz.question import LEVELS, NO_FINDING, READINGS, Level, Question, Source
from cxrkit.quiz.settings import QuizSettings

Range = tuple[float, float]

CONTRAST: Mapping[Level, Range] = {"easy": (0.88, 1.50), "medium": (0.51, 0.88), "hard": (0.30, 0.51)}
"""Of a lesion as a factor on its kind's usual density: the thirds in which the follow-up network was measured."""

GRAY_RANGE: Mapping[Level, Range] = {"easy": (0.80, 1.00), "medium": (0.40, 0.60), "hard": (0.15, 0.25)}
"""Share of the gray range that a hand fills."""

SHORTCUTS: Mapping[Level, ScanPopulation] = {"easy": USUAL, "medium": MIXED, "hard": REVERSED}
"""Of lung scans: neck, stomach, counts and sharpness tell the type as in clinics, tell nothing, or mislead."""

LIKE_TUBERCULOSIS = ("nodule", "consolidation", "cavity", "effusion")
"""Lesions that tuberculosis can look like. None of them is tuberculosis."""

HEIGHT = {"tuberculosis": 768, "nih14": 768, "followup": 640, "bone_age": 1024}
"""Pixels; the camera decides about lung scans."""

_STREAM = 0x9B12


class _Drawn(NamedTuple):
    truth: str | float
    what: str
    source: Source
    sex: Sex | None = None


def draw_quiz(settings: QuizSettings, height: int | None = None) -> tuple[Question, ...]:
    """The cases of a quiz. Each is positive as often as not, and of two and more cases not all are alike.

    Another level changes lesions' contrast (hands: the gray range; scans: the shortcuts) and nothing else about them.

    Args:
        settings: of the quiz.
        height: of the images in pixels; None = as people get them.
    """
    flips = np.random.default_rng([_STREAM, settings.seed]).random(settings.cases) < 0.5
    if settings.cases > 1 and len(set(flips.tolist())) == 1:
        flips[settings.seed % settings.cases] ^= True
    return tuple(
        _question(settings, number, bool(positive), height or HEIGHT.get(settings.task, 0))
        for number, positive in enumerate(flips, start=1)
    )


def _question(settings: QuizSettings, number: int, positive: bool, height: int) -> Question:
    random = np.random.default_rng([_STREAM, settings.seed, number])
    drawn: Level = LEVELS[int(random.integers(len(LEVELS)))]
    level: Level = drawn if settings.level == "mixed" else settings.level
    case = _DRAWERS[settings.task](random, positive, level, height)
    key = f"{settings.task}.{settings.seed}.{level}.{number}.{case.truth}"
    return Question(key, settings.task, number, level, case.truth, case.what, case.source, case.sex)


def _lung_lesions(random: np.random.Generator, positive: bool, level: Level, height: int) -> _Drawn:
    return _chest(random, positive, level, height, LIKE_TUBERCULOSIS)


def _findings(random: np.random.Generator, positive: bool, level: Level, height: int) -> _Drawn:
    drawn = _chest(random, positive, level, height, tuple(LABEL_OF_LESION))
    kind = drawn.what.partition(",")[0]
    return drawn._replace(truth=LABEL_OF_LESION[kind] if positive else NO_FINDING)


def _chest(random: np.random.Generator, positive: bool, level: Level, height: int, kinds: tuple[str, ...]) -> _Drawn:
    patient = int(random.integers(2**31))
    drawn = random_lesion(random, kinds[int(random.integers(len(kinds)))])
    lesion = replace(drawn, contrast=_between(random, CONTRAST[level]))
    chest = random_chest(patient, (lesion,) if positive else (), "PA", height)
    abnormal, normal = READINGS["tuberculosis"]
    return _Drawn(abnormal if positive else normal, _in_words(lesion) if positive else "", chest)


def _change(random: np.random.Generator, positive: bool, level: Level, height: int) -> _Drawn:
    patient, contrast = int(random.integers(2**31)), _between(random, CONTRAST[level])
    pair = random_pair(patient, 1.0 if positive else 0.0, height)
    before, after = (
        tuple(replace(lesion, contrast=contrast) for lesion in found) for found in (pair.baseline, pair.follow_up)
    )
    shown = replace(pair, baseline=before, follow_up=after)
    changed, same = READINGS["followup"]
    return _Drawn(changed if positive else same, _change_in_words(shown), shown)


def _hand(random: np.random.Generator, positive: bool, level: Level, height: int) -> _Drawn:
    del positive  # an age is neither
    hand = random_hand(int(random.integers(2**31)), height)
    shown = replace(hand, contrast=round(_between(random, GRAY_RANGE[level]), 2))
    sex: Sex = "F" if hand.sex == "female" else "M"
    return _Drawn(hand.age_months, "", shown, sex)


def _scan(random: np.random.Generator, positive: bool, level: Level, height: int) -> _Drawn:
    del height
    kind: str = READINGS["vq"][0 if positive else 1]
    scan = random_scan(int(random.integers(2**31)), kind, SHORTCUTS[level])  # type: ignore[arg-type]
    return _Drawn(kind, "", scan)


_DRAWERS: Mapping[str, Callable[[np.random.Generator, bool, Level, int], _Drawn]] = {
    "tuberculosis": _lung_lesions,
    "followup": _change,
    "bone_age": _hand,
    "vq": _scan,
    "nih14": _findings,
}


def _between(random: np.random.Generator, limits: Range) -> float:
    """Within limits, small values as likely as large ones by ratio."""
    return float(np.exp(random.uniform(*np.log(limits))))


def _in_words(lesion: Lesion) -> str:
    if lesion.kind == "enlarged heart":
        return lesion.kind
    zone = "" if lesion.kind in {"effusion", "pneumothorax"} else f" {lesion.zone} zone"
    return f"{lesion.kind}, {lesion.side}{zone}"


def _change_in_words(pair: PairSettings) -> str:
    """What has changed and how; "" for nothing."""
    for (before, after), way in zip(pair.findings(), pair.ways(), strict=True):
        lesion = after or before
        if way is None or lesion is None:
            continue
        how = ("new" if before is None else "larger") if way == "more" else ("gone" if after is None else "smaller")
        return f"{_in_words(lesion)}: {how}"
    return ""
