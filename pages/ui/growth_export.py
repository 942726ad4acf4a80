"""The table of several visits as CSV, without a file name or a date."""

import csv
import io
from collections.abc import Sequence

from cxrkit.table import LineFeeds
from pages.ui.growth_course import Visit, in_order
from pages.ui.shell import FOOTER

COLUMNS = (
    "visit",
    "own_age_months",
    "bone_age_months",
    "likeliest_months",
    "interval_low",
    "interval_high",
    "sd_score",
    "verdict",
    "sex",
    "weights",
    "note",
)
"""Only numbers and words of ours, so no cell can start a formula in a spreadsheet."""


def growth_csv(visits: Sequence[Visit], weights_sha256: str) -> str:
    """One row a visit in the order of the screen: months with one decimal; what is not known is empty.

    Args:
        visits: as read; of simulated ones the true bone age is added.
        weights_sha256: of the network that read them.
    """
    simulated = any(visit.truth is not None for visit in visits)
    text = io.StringIO()
    columns = (*COLUMNS[:-1], "true_bone_age_months", "note") if simulated else COLUMNS
    table = csv.DictWriter(LineFeeds(text), columns, extrasaction="ignore")
    table.writeheader()
    table.writerows(_row(visit, weights_sha256) for visit in in_order(visits))
    return text.getvalue()


def _row(visit: Visit, weights_sha256: str) -> dict[str, str]:
    reading = visit.reading
    low, high = reading.interval or (None, None)
    score = None if reading.sd is None else reading.sd.score
    return {
        "visit": str(visit.number),
        "own_age_months": _months(visit.age),
        "bone_age_months": _months(reading.expected),
        "likeliest_months": _months(reading.likeliest),
        "interval_low": _months(low),
        "interval_high": _months(high),
        "sd_score": "" if score is None else f"{score.value:.2f}",
        "verdict": "" if score is None else score.verdict,
        "sex": reading.sex or "",
        "weights": weights_sha256,
        "true_bone_age_months": _months(visit.truth),
        "note": FOOTER if visit.truth is None else f"Simulated image, no patient. {FOOTER}",
    }


def _months(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
