"""The table of a day's lung scans as CSV, without a file name, a header's text or a date."""

import csv
import io
from collections.abc import Sequence

from cxrkit.card import Card
from cxrkit.scan_day import duplicates, odd_studies
from cxrkit.scan_reading import band_of
from cxrkit.table import LineFeeds
from pages.ui.scan_rows import Row
from pages.ui.scan_table import studies
from pages.ui.shell import FOOTER

COLUMNS = (
    "scan",
    "verdict",
    "read_as",
    "score_perfusion",
    "called_from",
    "cannot_tell_from",
    "cannot_tell_to",
    "header_says",
    "header_words",
    "view",
    "counts",
    "study",
    "study_finding",
    "same_pixels_as",
    "analysed_on_request",
    "remark",
    "true_type",
    "weights",
    "note",
)
"""Only numbers and words of ours: of a header's text the known words that name a type or a tracer. So no cell can
start a formula in a spreadsheet."""


def scans_csv(rows: Sequence[Row], card: Card) -> str:
    """One row a scan in the order of the screen; what is not known is empty.

    Args:
        rows: as read.
        card: of the network that read them.
    """
    scans = [row.scan for row in rows if row.scan is not None]
    copies = {name: [other for other in names if other != name] for names in duplicates(scans) for name in names}
    odd = {name: finding.odd for finding in odd_studies(scans) for name in finding.names}
    band = band_of(card.thresholds) or ("", "")
    numbers = studies(rows)
    text = io.StringIO()
    table = csv.DictWriter(LineFeeds(text), COLUMNS, restval="")
    table.writeheader()
    for row in rows:
        number = str(row.number)
        table.writerow(
            _row(row)
            | {
                "cannot_tell_from": band[0],
                "cannot_tell_to": band[1],
                "study": "" if row.found.study is None else numbers[row.found.study],
                "study_finding": odd.get(number, ""),
                "same_pixels_as": " ".join(copies.get(number, ())),
                "weights": card.sha256,
            }
        )
    return text.getvalue()


def _row(row: Row) -> dict[str, object]:
    truth, reading, prediction = row.asked.file.truth, row.reading, row.found.prediction
    cells: dict[str, object] = {
        "scan": row.number,
        "verdict": row.verdict,
        "analysed_on_request": "yes" if row.asked.insisted else "",
        "remark": row.found.reason,
        "true_type": truth or "",
        "note": FOOTER if truth is None else f"Simulated scan, no patient. {FOOTER}",
    }
    if reading is None or prediction is None:
        return cells
    return cells | {
        "read_as": reading.label,
        "score_perfusion": f"{prediction.scores['perfusion']:.4f}",
        "called_from": prediction.threshold,
        "header_says": reading.claim.kind or "",
        "header_words": " ".join(reading.claim.words),
        "view": reading.view or "",
        "counts": "" if reading.counts is None else reading.counts,
        "remark": row.found.reason or reading.reason,
    }
