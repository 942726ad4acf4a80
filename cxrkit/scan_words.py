"""Words of the free texts in a lung scan's header, in one form whatever the vendor and the language."""

import re
import unicodedata

_TOKEN = re.compile(r"[^\W_]+")
_LATIN = re.compile(r"[A-Za-z]+")
_PRODUCT = re.compile(
    r"te[ck]h?negas|galligas|pulmocis|macrotec|(?:lyo)?maasol|lyomaa|venticis|venticoll|ultravent", re.IGNORECASE
)
"""Tracers whose makers write a capital inside the name, which is one word all the same."""
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_METASTABLE = re.compile(r"(?<=\d)m(?=[a-z]{2})")
_LETTERS = re.compile(r"[a-z]{2,}")


def words(text: str) -> list[str]:
    """Words in lower case without accents; "LungPerf_ANT1 99mTc-MAA" gives lung, perf, ant, tc, maa.

    Of a token with digits its letters are words, where two of them or more are side by side, and the m of a nuclide
    such as 81mKr is left out. A single letter is a word only where it stands alone, so that the version "V2" is not
    the ventilation's V.
    """
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    found = []
    for token in _TOKEN.findall(_LATIN.sub(_apart, plain).casefold()):
        found += [token] if token.isalpha() else _LETTERS.findall(_METASTABLE.sub(" ", token))
    return found


def _apart(name: re.Match[str]) -> str:
    """Letters side by side, with a space before each capital that begins another word."""
    return name[0] if _PRODUCT.fullmatch(name[0]) else _CAMEL.sub(" ", name[0])
