"""Words and phrases found in a report although they are misspelt or inflected."""

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache

from rapidfuzz.distance import OSA

from train.report_labels import words

# Reports use few different words, and holding one against every form is the slow part.
_remembered = lru_cache(maxsize=2**17)


def phrases(part: Sequence[str], wanted: Collection[Sequence[str]]) -> Iterable[tuple[int, Sequence[str]]]:
    """Where phrases stand, longer ones first; a word of five letters or more may be misspelt or go on."""
    # many phrases share their first word, and most do not stand in the part at all
    starts = {first: [i for i, word in enumerate(part) if same(word, first)] for first in {each[0] for each in wanted}}
    for phrase in sorted((each for each in wanted if starts[each[0]]), key=len, reverse=True):
        for start in starts[phrase[0]]:
            found = part[start : start + len(phrase)]
            if len(found) == len(phrase) and all(map(same, found, phrase)):
                yield start, phrase


def covered(part: Sequence[str], wanted: Collection[Sequence[str]]) -> set[int]:
    """Positions of all words of the phrases."""
    return {start + offset for start, phrase in phrases(part, wanted) for offset in range(len(phrase))}


@_remembered
def same(word: str, wanted: str) -> bool:
    """Whether a word is the wanted one, a longer form of it or a misspelling."""
    return word == wanted or (len(wanted) >= 5 and (word.startswith(wanted) or _misspelt(word, wanted)))


@_remembered
def speaks_of_change(word: str) -> bool:
    """Whether a word is a change keyword on its own."""
    return word in words.CHANGE_WORDS or _is(word, words.CHANGE, words.CHANGE_FORMS)


@_remembered
def names_finding(word: str) -> bool:
    """Whether a word names something abnormal."""
    return word in words.FINDING_WORDS or _is(word, words.FINDINGS, words.FINDING_FORMS)


def is_participle(word: str) -> bool:
    """Whether a word is a change keyword that makes a statement of its own: "increased effusion"."""
    return word == "newly" or (word.endswith(("ed", "ing")) and speaks_of_change(word))


def _is(word: str, stems: Iterable[str], forms: Iterable[str]) -> bool:
    return any(word.startswith(stem) for stem in stems) or any(_misspelt(word, form) for form in forms)


def _misspelt(word: str, form: str) -> bool:
    """One letter wrong, missing, too many or swapped in six and more, two in ten and more; the first one is right."""
    allowed = 0 if len(form) < 6 else 1 if len(form) < 10 else 2
    return word[:1] == form[:1] and OSA.distance(word, form) <= allowed
