"""What is said of one lung scan: its type or "cannot tell", beside what its header claims."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from cxrkit.image import Radiograph
from cxrkit.lung_scan import Aligned, Method, counts_of
from cxrkit.scan_claim import Claim, Kind, claim
from cxrkit.scan_day import Verdict, judge
from cxrkit.scan_views import View

CANNOT_TELL = "cannot tell"
FROM, TO = "cannot tell from", "cannot tell to"
"""Keys of a card's thresholds: between these scores for perfusion, ends excluded, neither type is called."""

_READ_VIEW = "anterior"


@dataclass(frozen=True)
class ScanReading:
    """What is said of a scan.

    Attributes:
        kind: None = it cannot be told.
        reason: why not, as a sentence; "" where it can.
        band: (low, high) of the score for perfusion, between which neither type is called; None = no such band.
        claim: what the header says that it is.
        verdict: whether both agree.
        view: as the header states it; None = not stated.
        counts: sum of the pixels of a nuclear medicine file; None of other files, whose pixels are no counts.
        series, tracer: the header's series description and radiopharmaceutical, or "".
        stated_counts: as the header states them, over all frames of the file; None = not stated.
        method, shift: of the alignment, see lung_scan.Aligned.
        information: normalised mutual information at that shift, where it decided.
    """

    kind: Kind | None
    reason: str
    band: tuple[float, float] | None
    claim: Claim
    verdict: Verdict
    view: str | None
    counts: int | None
    series: str
    tracer: str
    stated_counts: int | None
    method: Method
    shift: tuple[int, int]
    information: float | None

    @property
    def other_view(self) -> bool:
        """Whether the header states another view than the anterior one."""
        return _is_other(self.view)

    @property
    def label(self) -> str:
        """The type, or "cannot tell"."""
        return self.kind or CANNOT_TELL


def band_of(thresholds: Mapping[str, float]) -> tuple[float, float] | None:
    """The band of a card's thresholds in which neither type is called; None where the card has none."""
    return (thresholds[FROM], thresholds[TO]) if FROM in thresholds and TO in thresholds else None


def read_scan_type(
    image: Radiograph, aligned: Aligned, score: float, threshold: float, band: tuple[float, float] | None
) -> ScanReading:
    """Say what a scan is.

    Args:
        image: as read by cxrkit.scan_facts.read_scan; of one read otherwise only the header's allowlist is known.
        aligned: how it was prepared.
        score: for perfusion, in [0, 1].
        threshold: perfusion is called from this score on.
        band: scores between which neither type is called, or None.
    """
    # Other files state a view in words of their own, which are no reason to doubt.
    view = image.view if image.view in get_args(View) else None
    reason = _doubt(view, score, band)
    kind: Kind | None = None if reason else "perfusion" if score >= threshold else "ventilation"
    series, tracer = _texts(image)
    stated = claim(series, tracer)
    nuclear = image.header.get("Modality", "").upper() == "NM"
    return ScanReading(
        kind=kind,
        reason=reason,
        band=band,
        claim=stated,
        verdict=judge(kind, stated),
        view=view,
        counts=round(float(counts_of(image).sum(dtype="float64"))) if nuclear else None,
        series=series,
        tracer=tracer,
        stated_counts=image.scan.stated_counts if image.scan else None,
        method=aligned.method,
        shift=aligned.shift,
        information=aligned.information,
    )


def _texts(image: Radiograph) -> tuple[str, str]:
    """Series description and radiopharmaceutical."""
    if image.scan is not None:
        return image.scan.series_description, image.scan.radiopharmaceutical
    return image.header.get("Series description", ""), image.header.get("Radiopharmaceutical", "")


def _is_other(view: str | None) -> bool:
    return view is not None and view != _READ_VIEW


def _doubt(view: str | None, score: float, band: tuple[float, float] | None) -> str:
    if _is_other(view):
        return "The header calls this another view than the anterior one, which is the only one that is read."
    if band is not None and band[0] < score < band[1]:
        return (
            f"The score for perfusion, {score:.3f}, lies between {band[0]:.3f} and {band[1]:.3f}, where too many scans "
            "were mistaken for one another."
        )
    return ""
