"""The view of an image out of what a header says: codes of the standard, their meanings, and vendors' words."""

import re
from collections.abc import Sequence
from typing import Literal

from cxrkit.scan_claim import is_lung, names_scan, names_tracer, without_pairs
from cxrkit.scan_words import words

View = Literal[
    "anterior",
    "posterior",
    "left lateral",
    "right lateral",
    "left anterior oblique",
    "right anterior oblique",
    "left posterior oblique",
    "right posterior oblique",
    "lateral",
    "oblique",
]
"""The last two are of a side that is not stated, or of both."""

# Nuclear medicine projections, PS3.16 CID 26: code values of SNOMED CT (SCT), of SNOMED RT (SRT) and of SNOMED 3 (SNM3,
# 99SDM; the same values as SRT). Those of radiography (CID 4010) are here because cameras write them too; there the
# name says the beam's way, and that of an anterior view, with the camera in front, is written antero-posterior.
_CODES: dict[str, View] = {
    **dict.fromkeys(("399321004", "G-5215", "399348003", "R-10206"), "anterior"),
    **dict.fromkeys(("399001007", "G-5216", "272479007", "R-10214", "R-40888"), "posterior"),
    **dict.fromkeys(("399118008", "G-5223", "399173006", "R-10236"), "left lateral"),
    **dict.fromkeys(("399297009", "G-5222", "399198007", "R-10232"), "right lateral"),
    **dict.fromkeys(("399074003", "G-5207", "399135007", "R-10220"), "left anterior oblique"),
    **dict.fromkeys(("399108003", "G-5206", "399356000", "R-40985"), "right anterior oblique"),
    **dict.fromkeys(("399136008", "G-5209", "399006002", "R-10212"), "left posterior oblique"),
    **dict.fromkeys(("399075002", "G-5208", "399038007", "R-10210"), "right posterior oblique"),
    **dict.fromkeys(("49370004", "G-A104"), "lateral"),
}

_SHORT: dict[str, View] = {
    "lao": "left anterior oblique",
    "rao": "right anterior oblique",
    "lpo": "left posterior oblique",
    "rpo": "right posterior oblique",
    "llat": "left lateral",
    "rlat": "right lateral",
    "ll": "left lateral",
    "rl": "right lateral",
    "llo": "oblique",
    "rlo": "oblique",
    # In French, Spanish, Italian and Portuguese the side comes last.
    **dict.fromkeys(("oag", "oai", "oas", "oae"), "left anterior oblique"),
    "oad": "right anterior oblique",
    **dict.fromkeys(("opg", "opi", "ope"), "left posterior oblique"),
    "opd": "right posterior oblique",
}
_ANTERIOR = re.compile(r"ant(?:er\w*)?|vorne?|ventral|voor")
_POSTERIOR = re.compile(r"post(?:er\w*)?|hinten|dorsal|achter")
_AFTER = re.compile(r"inj\w*|iv|tc|techneti\w*|op|operat\w*|treat\w*|therap\w*")
"""What "post" comes before where it means after; see `_is_after`."""
_LATERAL = re.compile(r"lat(?:eral\w*)?|seitlich|profil")
_OBLIQUE = re.compile(r"obl(?:iqu\w*|icu\w*)?|schrag|schuin")
_LEFT = re.compile(r"l|left|lt|links|g|gauche|izq\w*|sin(?:istr\w*)?|esquerd\w*")
_RIGHT = re.compile(r"r|right|rt|rechts|d|droite?|derech\w*|destr\w*|direit\w*")


def view_of_code(value: str, meaning: str) -> View | None:
    """The view that a coded concept names: by its value, else by the words of its meaning; None if by neither."""
    return _CODES.get(value.upper()) or view_in(meaning.replace("-", ""))


def anterior_frame(views: Sequence[View | None]) -> int | None:
    """The frame to be read, from 1: the only one, or the only anterior one; None where that cannot be told."""
    if len(views) == 1:
        return 1
    anterior = [number for number, view in enumerate(views, start=1) if view == "anterior"]
    return anterior[0] if len(anterior) == 1 else None


def view_in(text: str) -> View | None:
    """The one view that a text names, such as "LUNG PERF ANT"; None where it names none or several.

    Args:
        text: a view position, a series description or a code's meaning, in English, German, French, Spanish, Italian,
            Portuguese or Dutch.
    """
    said = _without_after(words(text))
    short: set[View] = {_SHORT[word] for word in said if word in _SHORT}
    front, back, side, oblique, left, right = (
        any(pattern.fullmatch(word) for word in said)
        for pattern in (_ANTERIOR, _POSTERIOR, _LATERAL, _OBLIQUE, _LEFT, _RIGHT)
    )
    if short:
        return short.pop() if len(short) == 1 and not (front or back) else None
    if front and back:
        return None
    if front or back:
        facing: View = "anterior" if front else "posterior"
        if not (oblique or side):
            return facing  # A side alone may be that of the lung.
        # "ANT LAT" may be two views, of which one is anterior; "ANT OBL" and "POST LAT" are no anterior view.
        return _sided(f"{facing} oblique", left, right) or ("oblique" if oblique or back else None)
    if side:
        return _sided("lateral", left, right) or "lateral"
    return "oblique" if oblique else None


def _without_after(said: list[str]) -> list[str]:
    """Without every "post" that means after and not posterior."""
    following = [*said[1:], ""]
    return [word for place, word in enumerate(said) if word != "post" or not _is_after(said[:place], following[place])]


def _is_after(before: list[str], following: str) -> bool:
    """Whether a "post" means after: before an event or a tracer, and before a scan's name where more is said of it.

    "LUNG POST PERF" and "V/Q POST PERF" are taken for posterior views, "PERF POST VENT" and "Static post ventilation"
    not.
    """
    if _AFTER.fullmatch(following) or names_tracer(following):
        return True
    return names_scan(following) and not all(word == "nm" or is_lung(word) for word in without_pairs(before))


def _sided(rest: str, left: bool, right: bool) -> View | None:
    if left == right:
        return None
    view = f"{'left' if left else 'right'} {rest}"
    return next((known for known in _CODES.values() if known == view), None)


def view_of_orientation(row: str, column: str) -> View | None:
    """The view by the patient's directions (PS3.3 C.7.6.1.1.1) along the rows and columns of an upright image."""
    views: dict[str, View] = {"L": "anterior", "R": "posterior", "A": "right lateral", "P": "left lateral"}
    return views.get(row) if column == "F" else None
