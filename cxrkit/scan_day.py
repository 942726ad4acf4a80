"""A day's lung scans against their headers: a verdict on each, the order to look at them, studies and duplicates."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cxrkit.image import Radiograph
from cxrkit.scan_claim import Claim, Kind

Verdict = Literal["mismatch", "header contradicts itself", "cannot tell", "header says nothing", "agree"]

ORDER: tuple[Verdict, ...] = ("mismatch", "header contradicts itself", "cannot tell", "header says nothing", "agree")
"""Of a table: what has to be looked at first comes first."""


@dataclass(frozen=True)
class Scan:
    """One scan of a day.

    Attributes:
        name: of the file, for the screen.
        digest: of its pixels, see `pixel_digest`.
        study: key of its study; None = not known.
        kind: what the network says; None = it cannot tell.
        claim: what the header says.
        other_view: whether the header states another view than the anterior one, which alone is read.
    """

    name: str
    digest: str
    study: str | None
    kind: Kind | None
    claim: Claim
    other_view: bool = False

    @property
    def verdict(self) -> Verdict:
        """Whether the network and the header agree."""
        return judge(self.kind, self.claim)


@dataclass(frozen=True)
class StudyFinding:
    """What is odd about the scans of one study.

    Attributes:
        study: key of the study.
        names: of its scans.
        odd: "one type": all scans are predicted to be of one type; "swapped": there are both, and each header names the
            other one.
        kind: of all of them, where they are of one type.
    """

    study: str
    names: tuple[str, ...]
    odd: Literal["one type", "swapped"]
    kind: Kind | None = None


def judge(kind: Kind | None, stated: Claim) -> Verdict:
    """Compare what the network says, None = it cannot tell, with what the header claims."""
    if stated.conflict:
        return "header contradicts itself"
    if kind is None:
        return "cannot tell"
    if stated.kind is None:
        return "header says nothing"
    return "agree" if kind == stated.kind else "mismatch"


def odd_studies(scans: Sequence[Scan]) -> tuple[StudyFinding, ...]:
    """Studies whose scans are all of one type, or swapped.

    Copies count once, scans without a study or of another view not at all.
    """
    studies: dict[str, dict[str, Scan]] = {}
    for scan in scans:
        if scan.study is not None and not scan.other_view:
            studies.setdefault(scan.study, {}).setdefault(scan.digest, scan)
    found = (_judge_study(study, list(members.values())) for study, members in studies.items())
    return tuple(finding for finding in found if finding is not None)


def _judge_study(study: str, scans: list[Scan]) -> StudyFinding | None:
    told = [scan for scan in scans if scan.kind is not None]
    names, kinds = tuple(scan.name for scan in told), {scan.kind for scan in told}
    if len(told) < 2:
        return None
    # A scan of which nothing can be said may be the one that is missing.
    if len(kinds) == 1:
        return StudyFinding(study, names, "one type", kinds.pop()) if len(told) == len(scans) else None
    return StudyFinding(study, names, "swapped") if all(scan.verdict == "mismatch" for scan in told) else None


def duplicates(scans: Sequence[Scan]) -> tuple[tuple[str, ...], ...]:
    """Names of the files that hold the same pixels, in groups of two or more."""
    groups: dict[str, list[str]] = {}
    for scan in scans:
        groups.setdefault(scan.digest, []).append(scan.name)
    return tuple(tuple(names) for names in groups.values() if len(names) > 1)


def pixel_digest(image: Radiograph) -> str:
    """SHA-256 of the image's size and values, whatever the file around them."""
    digest = hashlib.sha256(f"{image.values.shape}".encode())
    digest.update(image.values.tobytes())
    return digest.hexdigest()
