"""What a lung scan's header claims to be: perfusion or ventilation, by the words of its series and of its tracer."""

import re
from dataclasses import dataclass
from typing import Literal

from cxrkit.scan_words import words

Kind = Literal["perfusion", "ventilation"]

BOTH = "The header names both scans of the examination, which says nothing of this one."
OTHER = "The header speaks of another organ than the lung."
SILENT = "The header does not say which scan this is."
CONTRADICTION = "The header contradicts itself: its series and its tracer name different scans."

# Whole words, in the form of scan_words.words. German and Dutch write the organ and the scan as one word.
_LUNG = r"(?:lung|lungen|long|pulmo|pulmonal|pulmonale|thorax)"
_NAMES: dict[Kind, re.Pattern[str]] = {
    "perfusion": re.compile(rf"{_LUNG}?perf(?:u\w*)?|q"),
    "ventilation": re.compile(rf"{_LUNG}?vent(?:il\w*)?|v|{_LUNG}?inh(?:al\w*)?|inal\w*"),
}
_TRACERS: dict[Kind, re.Pattern[str]] = {
    "perfusion": re.compile(
        r"(?:lyo)?maa(?:sol)?|ma[ck]roag+reg\w*|macroagrupad\w*|ag+regat\w*|agregad\w*|macrosalb"
        r"|pulmocis|macrotec|mi[ck]ro(?:sph|sf|esf)\w*"
    ),
    "ventilation": re.compile(
        r"te[ck]h?ne?ga[sz]|pertechnegas|galligas|aeros\w*|dtpa|venticis|venticoll|ultravent|pentetat\w*"
        r"|xenon|xe|krypton|[ck]ripton|kr"
    ),
}
_OTHER_ORGAN = re.compile(
    r"m[iy]o[ck]ard\w*|[ck]ard(?!inal)\w*|heart|herz\w*|coeur|hart\w*|coraz\w*|cuore|brain|(?:ge)?hirn\w*|[cz]ereb\w*|cerveau"
    r"|hersen\w*|kidney\w*|renal\w*|nieren?\w*|nephro\w*|reins?|rinon\w*|liver|leber\w*|hepat\w*|foie|bones?"
    r"|knochen\w*|skelet\w*|squelette|osea?|ossea|thyroid\w*|schilddr\w*|tiroid\w*|milz\w*|spleen|limb"
    r"|(?:sesta)?mibi|tetrofosmin|hmpao|exametazime|ecd|bicisate|[hm]dp|mag"
)
_IS_LUNG = re.compile(rf"{_LUNG}\w*|lungs|pulm\w*|polmon\w*|poumons?|chest|torax")
_JOINERS = {"and", "und", "et", "y", "e", "en", "och", "og", "i", "plus"}
_BOTH_WORDS = {"vq", "qv", "vp", "pv"}
# Programs of vendors whose name has the letter Q; of words that scans have too only with the dot.
_AFTER_Q = {"clear", "suite", "metrix", "freeze"}
_NO_NAMES = re.compile(r"\bq\.\s?(?:static|lung|brain)\b|\bi\.\s?v\.?(?!\w)", re.IGNORECASE)
"""Taken out of a text first: such programs, and "i.v.", which is no ventilation."""


@dataclass(frozen=True)
class Claim:
    """What a header says that its scan is.

    Attributes:
        kind: None where it names neither, both, or another organ.
        words: those that name a kind of scan, in lower case without accents, in the header's order; of a text that
            counts for nothing only where both do.
        conflict: whether the series and the tracer name different scans.
        reason: why there is no kind, as a sentence; "" where there is one.
    """

    kind: Kind | None
    words: tuple[str, ...] = ()
    conflict: bool = False
    reason: str = ""


def claim(series_description: str, radiopharmaceutical: str = "") -> Claim:
    """Read the claim of a header, in English, German, French, Spanish, Italian, Portuguese or Dutch.

    "V/Q", "VENT/PERF" and the like name the examination, not the scan, and count for nothing. A text that names both
    kinds apart from that counts for nothing either; two texts that name one kind each, but not the same, conflict.

    Args:
        series_description: as in the header, or "".
        radiopharmaceutical: names of the tracer, or "".
    """
    series, tracer = (words(_NO_NAMES.sub(" ", text)) for text in (series_description, radiopharmaceutical))
    if _of_other_organ(series + tracer):
        return Claim(None, reason=OTHER)
    texts = [_named(without_pairs(series)), _named(without_pairs(tracer))]
    counted = [text for text in texts if len({kind for _, kind in text}) == 1]
    found = tuple(word for text in counted or texts for word, _ in text)
    if found and not counted:
        return Claim(None, found, reason=BOTH)
    named = {kind for text in counted for _, kind in text}
    if len(named) > 1:
        return Claim(None, found, conflict=True, reason=CONTRADICTION)
    if named:
        return Claim(named.pop(), found)
    examination = any(len(without_pairs(text)) < len(text) for text in (series, tracer))
    return Claim(None, reason=BOTH if examination else SILENT)


def _of_other_organ(said: list[str]) -> bool:
    return any(map(_OTHER_ORGAN.fullmatch, said)) and not any(map(is_lung, said))


def is_lung(word: str) -> bool:
    """Whether a word names the organ."""
    return _IS_LUNG.fullmatch(word) is not None


def names_scan(word: str) -> bool:
    """Whether a word names a kind of scan, such as "perf"; the single letters q and v are such words."""
    return _kind_of(word, _NAMES) is not None


def names_tracer(word: str) -> bool:
    """Whether a word names a tracer of one kind of scan, such as "technegas"."""
    return _kind_of(word, _TRACERS) is not None


def _kind_of(word: str, *patterns: dict[Kind, re.Pattern[str]]) -> Kind | None:
    return next((kind for table in patterns for kind, pattern in table.items() if pattern.fullmatch(word)), None)


def _named(said: list[str]) -> list[tuple[str, Kind]]:
    """Words that name a kind, each with it."""
    found = []
    for word, following in zip(said, [*said[1:], ""], strict=False):
        kind = _kind_of(word, _NAMES, _TRACERS)
        if kind is not None and not (word == "q" and following in _AFTER_Q):
            found.append((word, kind))
    return found


def without_pairs(said: list[str]) -> list[str]:
    """Without the names of both scans side by side, with or without a word between that joins them."""
    kept: list[str] = []
    rest = list(said)
    while rest:
        word = rest.pop(0)
        after = 1 if rest and rest[0] in _JOINERS else 0
        other = rest[after] if len(rest) > after else ""
        if word in _BOTH_WORDS:
            continue
        if {word, other} == {"v", "p"} or {_kind_of(each, _NAMES) for each in (word, other)} == {*_NAMES}:
            del rest[: after + 1]
            continue
        kept.append(word)
    return kept
