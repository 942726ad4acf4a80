"""Report text -> normal or abnormal, change or no change, by rules; every decision names the words behind it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from train.report_labels import words

_SENTENCE = re.compile(r"[.;:!?\n]+|\s-\s")
_WORD = re.compile(r"[a-z]+")


@dataclass(frozen=True)
class Found:
    """A decision.

    Attributes:
        value: what was decided; None where the report does not say.
        words: as they stand in the report, in lower case.
    """

    value: bool | None
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Labels:
    """What two successive reports say.

    Attributes:
        baseline: whether the baseline is abnormal.
        follow_up: whether the follow-up is abnormal.
        change: whether there was a change between them.
    """

    baseline: Found
    follow_up: Found
    change: Found

    @property
    def name(self) -> str:
        """One of the four classes: "normal, no change" ... "abnormal, change"; normal or not is the baseline's."""
        state = "abnormal" if self.baseline.value else "normal"
        return f"{state}, {'change' if self.change.value else 'no change'}"


def label_reports(baseline: str, follow_up: str) -> Labels:
    """Four classes out of two reports.

    Args:
        baseline: text of the first report; without a word for normal it counts as abnormal (source).
        follow_up: text of the second one; without a word for either it keeps the baseline's state.
    """
    first = state(baseline)
    if first.value is None:
        first = Found(True)
    second = state(follow_up)
    changed = change(follow_up)
    if second.value is None:
        second = Found(first.value)
    if second.value != first.value and not changed.value:
        # From normal to abnormal or back is change even without a keyword.
        changed = Found(True, (*first.words, *second.words))
    return Labels(first, second, Found(bool(changed.value), changed.words))


def state(report: str) -> Found:
    """Whether a report is abnormal; None if it has neither a word for normal nor a finding.

    A finding that is neither denied nor old outweighs "no active lung lesion".
    """
    normal, findings = [], []
    for part in _parts(report):
        covered: set[int] = set()
        for start, phrase in _phrases(part, words.NORMAL):
            normal.append(" ".join(part[start : start + len(phrase)]))
            covered |= set(range(start, start + len(phrase)))
        denied = _denied(part) | covered
        for index, word in enumerate(part):
            old = any(before in words.OLD for before in part[max(0, index - 3) : index])
            if index not in denied and not old and _is(word, words.FINDINGS, words.FINDING_FORMS):
                findings.append(word)
    if findings:
        return Found(True, tuple(findings))
    return Found(False, tuple(normal)) if normal else Found(None)


def change(report: str) -> Found:
    """Whether a follow-up report speaks of change; None if it says nothing either way.

    A change in one sentence outweighs "no interval change" in another: "Increased effusion. Otherwise no change."
    """
    changed, unchanged = [], []
    for part in _parts(report):
        apart = _covered(part, words.NOT_OF_THE_LESION)
        denied = _denied(part)
        for start, phrase in _phrases(part, words.GONE):
            changed.append(" ".join(part[start : start + len(phrase)]))
        for start, phrase in _phrases(part, words.NO_CHANGE):
            unchanged.append(" ".join(part[start : start + len(phrase)]))
        for index, word in enumerate(part):
            if index in apart or not _speaks_of_change(word):
                continue
            if index in denied:
                unchanged.append(f"denied: {word}")
            else:
                changed.append(word)
    if changed:
        return Found(True, tuple(changed))
    return Found(False, tuple(unchanged)) if unchanged else Found(None)


def _parts(report: str) -> list[list[str]]:
    """Words of each part of a sentence within which a denial reaches.

    A part ends at a comma, unless what follows is a list that ends in "or": "no new nodule, mass, or enlargement".
    It also ends at a word that turns the sentence, and at "and" before a participle.
    """
    parts = []
    for sentence in _SENTENCE.split(report.lower()):
        pieces = [_WORD.findall(piece) for piece in sentence.split(",")]
        joined: list[list[str]] = []
        for index, piece in enumerate(pieces):
            rest = pieces[index:]
            if joined and any(later and later[0] in ("or", "nor") for later in rest):
                joined[-1] = [*joined[-1], *piece]
            else:
                joined.append(piece)
        for piece in joined:
            parts += _turned(piece)
    return [part for part in parts if part]


def _turned(piece: Sequence[str]) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for index, word in enumerate(piece):
        following = piece[index + 1] if index + 1 < len(piece) else ""
        participle = following in ("new", "newly") or (
            following.endswith(("ed", "ing")) and _speaks_of_change(following)
        )
        if word in words.TURNS or (word == "and" and participle):
            parts.append([])
        parts[-1].append(word)
    return parts


def _denied(part: Sequence[str]) -> set[int]:
    """Positions that a denial reaches: all after an early one, all before a late one."""
    none = _covered(part, words.NO_DENIALS)
    later = list(_phrases(part, words.LATER_DENIALS))
    late = {start + offset for start, phrase in later for offset in range(len(phrase))}
    reached: set[int] = set()
    for start, phrase in _phrases(part, words.DENIALS):
        if start not in none and start not in late:
            reached |= set(range(start + len(phrase), len(part)))
    for start, _ in later:
        reached |= set(range(start))
    return reached


def _covered(part: Sequence[str], phrases: Iterable[Sequence[str]]) -> set[int]:
    return {start + offset for start, phrase in _phrases(part, phrases) for offset in range(len(phrase))}


def _phrases(part: Sequence[str], phrases: Iterable[Sequence[str]]) -> Iterable[tuple[int, Sequence[str]]]:
    """Where phrases stand, longer ones first; a word of five letters or more may be misspelt or go on."""
    for phrase in sorted(phrases, key=len, reverse=True):
        for start in range(len(part) - len(phrase) + 1):
            if all(_same(part[start + i], wanted) for i, wanted in enumerate(phrase)):
                yield start, phrase


def _same(word: str, wanted: str) -> bool:
    return word == wanted or (len(wanted) >= 5 and (word.startswith(wanted) or _misspelt(word, wanted)))


def _speaks_of_change(word: str) -> bool:
    return word in words.CHANGE_WORDS or _is(word, words.CHANGE, words.CHANGE_FORMS)


def _is(word: str, stems: Iterable[str], forms: Iterable[str]) -> bool:
    """Whether a word begins with a stem or is one of the forms misspelt."""
    return any(word.startswith(stem) for stem in stems) or any(_misspelt(word, form) for form in forms)


def _misspelt(word: str, form: str) -> bool:
    """One letter wrong, missing, too many or swapped in six and more, two in ten and more; the first one is right."""
    allowed = 0 if len(form) < 6 else 1 if len(form) < 10 else 2
    return word[:1] == form[:1] and OSA.distance(word, form) <= allowed
