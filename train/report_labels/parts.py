"""A report cut into the parts within which a denial reaches."""

import re
from collections.abc import Iterable, Sequence
from itertools import dropwhile, takewhile

from train.report_labels import words
from train.report_labels.matching import covered, is_participle, names_finding, phrases, same, speaks_of_change

_SENTENCE = re.compile(r"[.;:!?\n]+|\s-\s")
_WORD = re.compile(r"[a-z]+")
_OR = {"or", "nor"}

_SHORT = (
    (re.compile(r"\bcan['’]t\b"), "cannot"),
    (re.compile(r"n['’]t\b"), " not"),
    (re.compile(r"\bw/o\b"), "without"),
    (re.compile(r":\s*(?:none|no|absent|negative)\s*(?=[.;\n]|$)"), " is absent"),
)
"""Short forms of denials, and denials in the manner of a form, "Effusion: none", with what they stand for."""


def parts(report: str) -> list[list[str]]:
    """Words of each part: it ends with the sentence, at a comma outside a list and where the sentence turns."""
    found: list[list[str]] = []
    text = report.lower()
    for short, full in _SHORT:
        text = short.sub(full, text)
    for sentence in _SENTENCE.split(text):
        pieces = [piece for clause in sentence.split(",") if (piece := _WORD.findall(clause))]
        for joined in _joined(pieces):
            found += _turned(joined)
    return [part for part in found if part]


def denials(part: Sequence[str]) -> Iterable[tuple[int, int]]:
    """Where the denials of what follows them begin and end."""
    others = covered(part, words.NO_DENIALS) | covered(part, words.LATER_DENIALS)
    for start, phrase in phrases(part, words.DENIALS):
        if start not in others:
            yield start, start + len(phrase)


def is_settled(word: str) -> bool:
    """Whether a word says that something is as before; "unchanged" may be misspelt."""
    return any(same(word, settled) for settled in words.SETTLED)


def _joined(pieces: Sequence[list[str]]) -> list[list[str]]:
    joined: list[list[str]] = []
    for index, piece in enumerate(pieces):
        if joined and (_only_settled(piece) or _goes_on(joined[-1], pieces[index:])):
            joined[-1] = [*joined[-1], *piece]
        else:
            joined.append(piece)
    return joined


def _only_settled(piece: Sequence[str]) -> bool:
    """Whether all that is after the comma is "unchanged from the prior study", which belongs to what was before."""
    settled = [is_settled(word) for word in piece]
    return any(settled) and all(
        yes or word in words.COMPARISON | words.VERBS for yes, word in zip(settled, piece, strict=True)
    )


def _goes_on(before: Sequence[str], pieces: Sequence[list[str]]) -> bool:
    """Whether the first piece after a comma belongs to the list before it; "no new" still lacks its noun."""
    if before[-1] == "new":
        return True
    if _stands_alone(pieces[0]):
        return False
    rest = [pieces[0], *takewhile(lambda piece: not _stands_alone(piece), pieces[1:])]
    if any(_ends_list(piece) for piece in rest):
        return True
    alternatives = any(_OR & set(piece) for piece in rest)
    if _states(pieces[0]) or (not alternatives and words.AMOUNTS & set(pieces[0][:2])):
        return False
    return any(alternatives or _denies_finding(before, start, end) for start, end in _list_denials(before))


def _ends_list(piece: Sequence[str]) -> bool:
    return piece[0] in _OR or (bool(_OR & set(piece)) and any(phrases(piece, words.LATER_DENIALS)))


def _list_denials(before: Sequence[str]) -> Iterable[tuple[int, int]]:
    """Denials that a list may follow; "the heart is not enlarged" is complete."""
    for start, end in denials(before):
        if before[start] != "not" or not before[end : end + 1] or not before[end].endswith("ed"):
            yield start, end


def _denies_finding(before: Sequence[str], start: int, end: int) -> bool:
    """Whether a denial goes on after the comma without any "or": what it denies is itself a finding.

    "No prior study, effusion on the left" and "no change in the effusion, nodule on the left" are no lists.
    """
    unchanged = {first for first, _ in phrases(before, words.NO_CHANGE)}
    return start not in unchanged and any(names_finding(word) for word in before[end:])


def _stands_alone(piece: Sequence[str]) -> bool:
    """Whether a piece has its own denial or, before any turn, a verb; "nodule or mass is seen" ends a denied list."""
    clause = list(takewhile(lambda word: word not in words.TURNS, piece))
    has_verb = any(word in words.VERBS for word in clause)
    return piece[0] in ("no", "without") or (has_verb and not (_OR & set(clause) and _only_seen(clause)))


def _states(piece: Sequence[str]) -> bool:
    """Whether a piece states something by a participle before any "or": "increased effusion", "effusion noted"."""
    head = list(takewhile(lambda word: word not in words.TURNS | _OR | {"and"}, piece))
    if any(is_participle(word) or is_settled(word) for word in head):
        return True
    return len(head) == len(piece) and any(word.endswith("ed") or word in words.SEEN for word in head)


def _turned(piece: Sequence[str]) -> list[list[str]]:
    found: list[list[str]] = [[]]
    for index, word in enumerate(piece):
        if _turns(piece, index) or (word == "and" and any(denials(found[-1])) and _begins_anew(piece[index + 1 :])):
            found.append([])
        found[-1].append(word)
    return found


def _turns(piece: Sequence[str], index: int) -> bool:
    if piece[index] == "other":
        return piece[index + 1 : index + 2] == ["than"]
    not_yet = piece[index] == "yet" and piece[max(0, index - 1)] == "not"
    return piece[index] in words.TURNS and not not_yet


def _begins_anew(rest: Sequence[str]) -> bool:
    """Whether what follows "and" is out of a denial's reach: a change keyword, an amount or a clause of its own."""
    clause = list(takewhile(lambda word: word != "and", rest))
    head = list(dropwhile(lambda word: word in words.MODIFIERS, clause))
    if words.AMOUNTS & set(clause[:2]) or (head and speaks_of_change(head[0])):
        return True
    return any(word in words.VERBS for word in clause) and not _only_seen(clause)


def _only_seen(clause: Sequence[str]) -> bool:
    """Whether the verb only says that something is seen or not, as in "no nodule and mass is seen"."""
    verb = next(index for index, word in enumerate(clause) if word in words.VERBS)
    after = dropwhile(lambda word: word in words.VERBS | words.MODIFIERS | {"not"}, clause[verb:])
    return "there" not in clause and next(after, "") in words.SEEN
