"""Which hands are learned from, which choose, and which report. Nothing else decides that."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxrkit.bone_age import Sex
from cxrkit.cases import Case, split_by_patient
from cxrkit.image import Radiograph
from train.audit_split.duplicates import compare, copies_among, groups_of, small_copy
from train.bone_age.sources import Hand, HandSet
from train.prepared import read_each

CARVED = 0.1
"""Share of the hands to learn from that choose instead: half of them epoch, temperature and the confidence at which
a contradicting sex is said, half the intervals. Two parts, because a conformal interval holds what it promises only
on cases that nothing else was fitted to."""

ASIDE = 0.1
"""Share that reports, in a set without a given split."""

_AGE_STRATUM = 24
"""Months that count as alike when parts are drawn."""


@dataclass(frozen=True)
class Parts:
    """The hands of one set; no patient, and no near-identical image, is in two parts.

    Attributes:
        training: are learned from.
        choice: choose epoch, temperature, and the confidence at which a contradiction is said.
        interval: the conformal intervals are fitted to.
        reporting: only report.
        left_out: of the training part, because they repeat a hand that reports.
    """

    training: tuple[Hand, ...]
    choice: tuple[Hand, ...]
    interval: tuple[Hand, ...]
    reporting: tuple[Hand, ...]
    left_out: tuple[Hand, ...]


def divide(hands: Sequence[Hand], links: Sequence[tuple[int, int]] = (), seed: int = 0) -> Parts:
    """Divide a set: a given split's reporting part reports; a tenth of the rest is carved out.

    The result depends on the seed and the set alone. Hands with and without a large image, sexes and ages are spread
    evenly.

    Args:
        hands: of one set.
        links: pairs of positions of near-identical images, which are kept together.
        seed: another seed, another division.

    Raises:
        InputError: too few hands.
    """
    owners = _owners(hands, links)
    given = {owner for hand, owner in zip(hands, owners, strict=True) if hand.reports}
    if given:
        reporting = [number for number, hand in enumerate(hands) if hand.reports]
        rest = [number for number, hand in enumerate(hands) if not hand.reports]
        left_out = [number for number in rest if owners[number] in given]
        rest = [number for number in rest if owners[number] not in given]
    else:
        rest, reporting = _draw(hands, owners, range(len(hands)), (1 - ASIDE, ASIDE), seed)
        left_out = []
    training, choice, interval = _draw(hands, owners, rest, (1 - CARVED, CARVED / 2, CARVED / 2), seed)
    return Parts(*(tuple(hands[n] for n in part) for part in (training, choice, interval, reporting, left_out)))


def _owners(hands: Sequence[Hand], links: Sequence[tuple[int, int]]) -> list[str]:
    """Name of each hand's group: one patient, and whoever has a near-identical image."""
    first: dict[str, int] = {}
    same = [(first.setdefault(hand.patient, number), number) for number, hand in enumerate(hands)]
    groups = groups_of([*links, *same], len(hands))
    names: dict[int, str] = {}
    for hand, group in zip(hands, groups.tolist(), strict=True):
        names[group] = min(names.get(group, hand.identity), hand.identity)
    return [names[group] for group in groups.tolist()]


def _draw(
    hands: Sequence[Hand], owners: Sequence[str], chosen: Sequence[int], shares: Sequence[float], seed: int
) -> tuple[list[int], ...]:
    """Positions in each part."""
    cases = [Case((str(number),), "", patient=owners[number]) for number in chosen]

    def stratum(case: Case) -> tuple[bool, Sex, int]:
        hand = hands[int(case.files[0])]
        return hand.large is not None, hand.sex, int(hand.months // _AGE_STRATUM)

    parts = split_by_patient(cases, shares, seed, stratum)
    return tuple([int(case.files[0]) for case in part] for part in parts)


def near_identical(hands: HandSet, cache: Path) -> list[tuple[int, int]]:
    """Pairs of hands (positions) whose images are copies of one another, as `train.audit_split` finds them.

    Args:
        hands: the data set; of a hand with two files the smaller one is looked at.
        cache: folder; a later call reads what is there.
    """
    files = [hand.small or hand.large or "" for hand in hands.hands]
    key = hashlib.sha256(repr((str(hands.root.resolve()), files)).encode()).hexdigest()[:16]
    file = cache / f"{hands.name}-copies-{key}.json"
    if not file.is_file():
        smalls = read_each(_small, [Case((name,), "") for name in files], hands.root, cache, f"{hands.name}-small")
        whole = smalls.astype(np.uint8)
        digests = [hashlib.sha256(small.tobytes()).hexdigest() for small in whole]
        pairs = copies_among(compare(whole, digests))
        file.write_text(json.dumps([(pair.first, pair.second) for pair in pairs]))
    return [(first, second) for first, second in json.loads(file.read_text())]


def _small(image: Radiograph) -> NDArray[np.float32]:
    return small_copy(image.windowed()).astype(np.float32)
