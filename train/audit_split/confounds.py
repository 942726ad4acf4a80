"""How well class, source and part can be told without the lungs: what an archive gives away."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from cxrkit.metrics import Interval, delong_interval
from train.audit_split.sets import Entry, Pictures
from train.border_baseline import border_scores

CLASS_COLUMNS = ("target", "label", "class", "findings", "age_months", "sex", "body_part")
SOURCE_COLUMNS = ("family", "source", "view", "modality")

FOLDS = 5
LEAST = 20
"""Fewer images on either side of a question tell nothing."""

MOST = 2000
"""Of each side; of more, this many are drawn."""

_PAIRED = 5
"""Up to this many sources are told apart two by two, more of them one against the rest."""


@dataclass(frozen=True, eq=False)
class Question:
    """Can one kind of image be told from another?

    Attributes:
        sets: the data set, or two, "a, b".
        kind: "class", "source", "part" or "set".
        words: "family: a against b".
        positive, negative: positions of the images, without overlap.
    """

    sets: str
    kind: str
    words: str
    positive: NDArray[np.int64]
    negative: NDArray[np.int64]


@dataclass(frozen=True)
class Told:
    """A question's answer.

    Attributes:
        question: what was asked.
        positive, negative: how many images were used, at most MOST.
        auc: area under the curve, cross-validated, with DeLong's interval.
    """

    question: Question
    positive: int
    negative: int
    auc: Interval


def tell(
    features: NDArray[np.float32], target: NDArray[np.int64], groups: NDArray[np.int64], seed: int = 0
) -> Interval | None:
    """AUC of a logistic regression, cross-validated in FOLDS parts that share no group; None for too few cases.

    The scores of all folds are ranked together. DeLong's interval takes cases as independent, so it is somewhat too
    narrow where groups are large.

    Args:
        features: [N, F] of the images.
        target: [N], 0 or 1.
        groups: [N] patient or group of copies.
        seed: of the division.
    """
    for value in (0, 1):
        if (target == value).sum() < LEAST or np.unique(groups[target == value]).size < FOLDS:
            return None
    scores = np.empty(target.size)
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    for fitted, tested in folds.split(features, target, groups):
        scores[tested] = border_scores(features[fitted], target[fitted], features[tested])
    return delong_interval(target, scores)


def told_from_borders(pictures: Pictures, groups: NDArray[np.int64]) -> Iterator[Told]:
    """Answers from borders and histogram alone to all questions that the sets' tables allow, one image a case.

    Args:
        pictures: N images.
        groups: [N] patient or group of copies.
    """
    return _answers(pictures.entries, pictures.borders, groups)


def told_outside_lungs(pictures: Pictures, groups: NDArray[np.int64]) -> Iterator[Told]:
    """Answers from all that lies outside the box round the lungs, of the images in which two were found.

    Args:
        pictures: N images.
        groups: [N] patient or group of copies.
    """
    known = [(position, features) for position, features in enumerate(pictures.outside) if features is not None]
    if not known:
        return iter(())
    positions = [position for position, _ in known]
    entries = [pictures.entries[position] for position in positions]
    return _answers(entries, np.stack([features for _, features in known]), groups[positions])


def _answers(entries: Sequence[Entry], features: NDArray[np.float32], groups: NDArray[np.int64]) -> Iterator[Told]:
    for question in questions(entries):
        random = np.random.default_rng(0)
        sides = [
            random.choice(side, MOST, replace=False) if side.size > MOST else side
            for side in (question.negative, question.positive)
        ]
        chosen = np.concatenate(sides)
        target = np.repeat(np.array([0, 1], dtype=np.int64), [side.size for side in sides])
        auc = tell(features[chosen], target, groups[chosen])
        if auc is not None:
            yield Told(question, sides[1].size, sides[0].size, auc)


def questions(entries: Sequence[Entry]) -> Iterator[Question]:
    """Class, source and part within each set, and every set against every other."""
    first = {entry.same_case: position for position, entry in reversed(list(enumerate(entries)))}
    members: dict[str, list[int]] = {}
    for position in sorted(first.values()):
        members.setdefault(entries[position].set_name, []).append(position)
    for name, positions in members.items():
        for kind, columns in (("class", CLASS_COLUMNS), ("source", SOURCE_COLUMNS)):
            for column in columns:
                known = {p: entries[p].case.row.get(column, "").strip() for p in positions}
                yield from _of_column(name, kind, column, {p: text for p, text in known.items() if text})
        trains = {p: entries[p].trains for p in positions}
        sides = (
            [p for p, known in trains.items() if known is True],
            [p for p, known in trains.items() if known is False],
        )
        yield _question(name, "part", "training against the rest", *sides)
    for (a, first_set), (b, second_set) in itertools.combinations(members.items(), 2):
        yield _question(f"{a}, {b}", "set", f"{a} against {b}", first_set, second_set)


def _of_column(name: str, kind: str, column: str, known: dict[int, str]) -> Iterator[Question]:
    labels = {position: frozenset(text.split("|")) for position, text in known.items()}
    values = sorted(frozenset().union(*labels.values()))
    if len(values) < 2:
        return
    single = all(len(label) == 1 for label in labels.values())
    if single and len(values) > 10 and all(value.isdecimal() for value in values):
        middle = float(np.median([int(text) for text in known.values()]))
        older = [p for p, text in known.items() if int(text) >= middle]
        yield _question(name, kind, f"{column}: {middle:g} and above", older, sorted(known.keys() - older))
    elif single and (len(values) == 2 or (kind == "source" and len(values) <= _PAIRED)):
        for a, b in itertools.combinations(values, 2):
            sides = [[p for p, label in labels.items() if value in label] for value in (b, a)]
            yield _question(name, kind, f"{column}: {b} against {a}", *sides)
    else:
        for value in values:
            has = [p for p, label in labels.items() if value in label]
            yield _question(name, kind, f"{column}: {value} against the rest", has, sorted(labels.keys() - has))


def _question(sets: str, kind: str, words: str, positive: Sequence[int], negative: Sequence[int]) -> Question:
    return Question(sets, kind, words, np.array(positive, dtype=np.int64), np.array(negative, dtype=np.int64))
