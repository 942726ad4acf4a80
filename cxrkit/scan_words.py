"""Words of the free texts in a lung scan's header, in one form whatever the vendor and the language."""

import re
import unicodedata

_TOKEN = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_METASTABLE = re.compile(r"(?<=\d)m(?=[a-z]{2})")
_LETTERS = re.compile(r"[a-z]{2,}")


def words(text: str) -> list[str]:
    """Words in lower case without accents; "LungPerf_ANT1 99mTc-MAA" gives lung, perf, ant, tc, maa.

    Of a token with digits its letters are words, where two of them or more are side by side, and the m of a nuclide
    such as 81mKr is left out. A single letter is a word only where it stands alone, so that the version "V2" is not
    the ventilation's V.
    """
    apart = _CAMEL.sub(" ", text)
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", apart) if not unicodedata.combining(letter))
    found = []
    for token in _TOKEN.findall(plain.casefold()):
        found += [token] if token.isalpha() else _LETTERS.findall(_METASTABLE.sub(" ", token))
    return found
