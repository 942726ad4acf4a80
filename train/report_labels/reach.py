"""How far denials, doubts and the like reach within a part of a sentence."""

from collections.abc import Iterable, Sequence
from itertools import takewhile

from train.report_labels import words
from train.report_labels.matching import covered, names_finding, phrases, same
from train.report_labels.parts import denials, is_settled


def denied(part: Sequence[str]) -> set[int]:
    """Positions that a denial reaches: all after an early one, its clause before a late one."""
    apart = covered(part, words.NO_DENIALS)
    reached = {index for _, end in denials(part) for index in range(end, len(part))}
    for start, _ in phrases(part, words.LATER_DENIALS):
        if start not in apart:
            reached |= _back(part, start)
    return reached


def supposed(part: Sequence[str]) -> set[int]:
    """Positions of what is only feared, hoped for or asked: "if", "until", "cannot be excluded"."""
    reached: set[int] = set()
    for index, word in enumerate(part):
        if word in words.IF:
            reached |= set(range(index, len(part)))
        if word in words.INTENT and (not index or part[index - 1] in ("to", "please")):
            reached |= {i for i in range(index, len(part)) if not _is_given(part[i])}
    for start, _ in phrases(part, words.LATER_DOUBTS):
        reached |= _back(part, start)
    return reached | asked(part)


def asked(part: Sequence[str]) -> set[int]:
    """Positions after "rule out", "history of" and the like, which neither state nor deny what follows."""
    return {i for start, _ in phrases(part, words.ASKED) for i in range(start, len(part))}


def lasting(part: Sequence[str]) -> set[int]:
    """Positions of keywords for a state that lasts: "remains enlarged", "increased markings, unchanged"."""
    reached = {
        index
        for index, word in enumerate(part)
        if word.endswith(("ed", "enlargement")) and _word_before(part, index) in words.STILL
    }
    for index, word in enumerate(part):
        if index and is_settled(word) and all(after in words.COMPARISON for after in part[index + 1 :]):
            reached |= _back(part, index)
    return reached


def gone(part: Sequence[str]) -> set[int]:
    """Positions of findings that have resolved; a partial or denied resolution leaves them."""
    apart = denied(part) | supposed(part)
    reached: set[int] = set()
    for start, phrase in [*phrases(part, words.GONE_BEFORE), *phrases(part, words.GONE_AFTER)]:
        # "resolve" is near enough to "resolved" to be taken for its misspelling
        if start in apart or _is_partial(part, start) or part[start] == "resolve":
            continue
        before = _back(part, start) if phrase in words.GONE_AFTER else set()
        named = any(names_finding(part[index]) for index in before)
        reached |= before if named else set(range(start, len(part)))
    return reached


def not_of_the_lesion(part: Sequence[str], index: int) -> bool:
    """Whether a change keyword is about a device, a complaint or the technique."""
    others = covered(part, words.OTHERS)
    after = list(_object(part, index))
    if any(i in others or names_finding(part[i]) for i in after):
        return not any(names_finding(part[i]) for i in after)
    before = list(_subject(part, index))
    return any(i in others for i in before) and not any(names_finding(part[i]) for i in before)


def _object(part: Sequence[str], index: int) -> Iterable[int]:
    """Positions of the noun phrase that a keyword belongs to, be it "improved X" or "improvement of X"."""
    start = index + 1
    if part[start : start + 1] in (["of"], ["in"]):
        start += 1
    return takewhile(lambda i: part[i] not in words.PREPOSITIONS | words.VERBS | {"and"}, range(start, len(part)))


def _subject(part: Sequence[str], index: int) -> Iterable[int]:
    """Positions of what stands before a keyword, without additions: of "opacity around the tube" the opacity."""
    start = max((i + 1 for i in range(index) if part[i] == "and"), default=0)
    return takewhile(lambda i: part[i] not in words.PREPOSITIONS, range(start, index))


def _back(part: Sequence[str], start: int) -> set[int]:
    """Positions that a late denial reaches: back to the last "and".

    With a plural verb "and" lies within the subject, "nodule and mass are not seen", unless it follows another verb.
    """
    end = start
    while end and part[end - 1] in words.VERBS:
        end -= 1
    ands = [i for i in range(end) if part[i] == "and"]
    if words.PLURAL & set(part[end : start + 1]):
        verb = max((i for i in range(end) if part[i] in words.VERBS), default=end)
        ands = [i for i in ands if i > verb][:1]
    return set(range(ands[-1] if ands else 0, start))


def _word_before(part: Sequence[str], index: int) -> str:
    """The last word before a position that is no adverb of degree."""
    before = [word for word in part[max(0, index - 2) : index] if not word.endswith("ly") or word in words.STILL]
    return before[-1] if before and before[-1] not in words.MODIFIERS else ""


def _is_partial(part: Sequence[str], start: int) -> bool:
    return any(same(word, partly) for word in part[max(0, start - 3) : start] for partly in words.PARTLY)


def _is_given(word: str) -> bool:
    """Whether a keyword stays a statement even behind "to confirm": the new nodule is there."""
    return word in words.CHANGE_WORDS or word.endswith("ed")
