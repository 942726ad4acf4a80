"""A review as one HTML file that needs nothing else and names nobody."""

import base64
import datetime
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from cxrkit.card import Card, Metric
from cxrkit.checks import Floats
from cxrkit.errors import CxrkitError, InputError
from cxrkit.figures import Undefined
from cxrkit.review.export import Export
from cxrkit.review.figures import calibration, counts_at
from cxrkit.review.figures_choice import worst_first
from cxrkit.review.figures_cohorts import side_by_side
from cxrkit.review.notes import Entry, Verdict
from cxrkit.review.owners import owners_of
from cxrkit.review.thumbnail import thumbnail

KEY_DIGITS = 12
"""Of a case key in the report: enough to find the case by, in a table of a million."""

# The policy keeps a browser from fetching anything, whatever stands in the file.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 70rem; padding: 1rem; }
table { border-collapse: collapse; margin: 0 0 1.5rem; }
caption { text-align: left; padding-bottom: .3rem; }
th, td { border: 1px solid #8886; padding: .3rem .6rem; text-align: left; vertical-align: top; }
td { overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
img { background: #000; }
.plots { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: 0 0 1rem; max-width: 20rem; }
svg { background: #fff; max-width: 100%; height: auto; }
footer, .stands { border-left: 4px solid #0b6e7d; padding: .3rem .8rem; }
.scroll { overflow-x: auto; }
"""


@dataclass(frozen=True)
class Report:
    """What the report shows beside figures and counts.

    Attributes:
        worst: how many of the worst cases.
        pictures: JPEG files of cases by row, see `pictures_of`; {} = none.
        notes: whether the reviewers' own words, which are their notes and tags, are in it.
        footer: what the report is not for, as a sentence.
        made: when, in UTC.
    """

    worst: int
    pictures: Mapping[int, bytes]
    notes: bool
    footer: str
    made: datetime.datetime


def worst_rows(export: Export, most: int) -> list[int]:
    """The cases with the largest distance of score and truth, those without either left out."""
    error = export.review.error(export.label)
    rows = worst_first(export.rows, error)
    return [int(row) for row in rows[~np.isnan(error[rows])][:most]]


def pictures_of(export: Export, rows: Iterable[int]) -> dict[int, bytes]:
    """Small pictures of cases as JPEG, made of pixels alone; those that cannot be opened are left out.

    Text that was burned into an image is part of its pixels and stays.
    """
    found = {}
    for row in rows:
        with suppress(CxrkitError):
            found[row] = thumbnail(export.review.open(row))
    return found


def review_html(export: Export, card: Card | None, report: Report) -> str:
    """The report: figures with intervals, confusion matrix, verdicts, the network, the worst cases.

    Cases are named by the first digits of their keys. No file, no patient and no reviewer is named.

    Args:
        export: what goes out.
        card: of the weights that the workbench has; None = none.
        report: what is shown.
    """
    title = f"Error review: {export.review.task.title}"
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="stands">{escape(report.footer)}</p>',
        _about(export, report),
        _network(export, card),
        _figures(export),
        _confusion(export),
        _verdicts(export, report.notes),
        _cases(export, report),
        f"<footer>{escape(report.footer)}</footer>",
    ]
    body = "\n".join(part for part in parts if part)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _about(export: Export, report: Report) -> str:
    chosen, whole = len(export.rows), len(export.review.table)
    called = "" if export.threshold is None else f" Called from a score of {export.threshold:.3f}."
    return (
        f"<p>Reviewed: {escape(export.label)}. {chosen:,} of {whole:,} cases were chosen{_chosen_by(export)}.{called} "
        f"Made on {report.made:%Y-%m-%d at %H:%M} UTC. Cases are named by the first {KEY_DIGITS} digits of their keys, "
        "which are hashes of the images' bytes.</p>"
    )


def _chosen_by(export: Export) -> str:
    """How, as far as it names nobody."""
    told, untold = export.chosen_by
    if untold:
        told = (*told, f"{'another column' if told else 'a column'} that could name somebody")
    return f" by {escape('; '.join(told))}" if told else ""


def _network(export: Export, card: Card | None) -> str:
    seen = sorted({entry.weights for row in map(int, export.rows) for entry in export.entries(row) if entry.weights})
    rows = [] if card is None else [["Card of this workbench", card.task], ["SHA-256 of its weights", card.sha256]]
    if export.review.weights:
        rows.append(["Weights that the scores are from", export.review.weights])
    if seen:
        rows.append(["Weights that reviewers had before them", ", ".join(seen)])
    if not rows:
        return ""
    missing = "" if export.review.weights else "<p>It is not known which weights the scores are from.</p>"
    return "<h2>Network</h2>\n" + _table("", rows, ()) + missing


def _figures(export: Export) -> str:
    truth = export.review.truth(export.label)[export.rows]
    score = export.review.score(export.label)[export.rows]
    owners = owners_of(export.review, export.rows)
    (cohort,) = side_by_side([("chosen", np.arange(len(truth)))], truth, score, export.threshold, owners)
    figures, undefined = list(cohort.figures), list(cohort.undefined)
    if export.threshold is not None and cohort.cases:
        found = calibration(truth, score)
        figures, undefined = [*figures, *found.figures], [*undefined, *found.undefined]
    caption = f"{cohort.cases:,} cases with score and truth"
    if cohort.positives is not None:
        caption += (
            f", {cohort.positives:,} of them with the label. Intervals are over cases, except where a note says that "
            "they are over patients."
        )
    head = ("Figure", "Value", "95 % interval", "Cases", "Note")
    table = _table(caption, [_figure(one) for one in figures], head) + _missing(undefined)
    return "<h2>Figures</h2>\n" + table + _plots(truth, score, export.threshold, owners)


def _plots(truth: Floats, score: Floats, threshold: float | None, owners: NDArray[np.int64] | None) -> str:
    from cxrkit.review.report_plots import age_plots, score_plots  # Matplotlib takes a second, and no page waits for it

    return age_plots(truth, score, owners) if threshold is None else score_plots(truth, score, threshold, owners)


def _figure(metric: Metric) -> list[str]:
    ends = "" if metric.low is None or metric.high is None else f"{metric.low:.3f} to {metric.high:.3f}"
    return [metric.name, f"{metric.value:.3f}", ends, f"{metric.cases:,}", metric.note]


def _missing(undefined: Iterable[Undefined]) -> str:
    items = "".join(f"<li>{escape(one.name)}: {escape(one.reason)}</li>" for one in undefined)
    return f"<p>Not defined on these cases:</p>\n<ul>{items}</ul>" if items else ""


def _confusion(export: Export) -> str:
    if export.threshold is None:
        return ""
    truth, score = export.review.truth(export.label), export.review.score(export.label)
    try:
        counts = counts_at(truth[export.rows], score[export.rows], export.threshold)
    except InputError:
        return ""
    rows = [
        ["label there", f"{counts.tp:,}", f"{counts.fn:,}"],
        ["label not there", f"{counts.fp:,}", f"{counts.tn:,}"],
    ]
    return "<h2>Confusion matrix</h2>\n" + _table("", rows, ("", "called", "not called"))


def _verdicts(export: Export, tagged: bool) -> str:
    by_case = [entries for row in map(int, export.rows) if (entries := export.entries(row))]
    if not by_case:
        return "<h2>Verdicts</h2>\n<p>No reviewer has said anything of these cases.</p>"
    counts = Counter(entry.verdict for entries in by_case for entry in entries)
    people = len({entry.reviewer for entries in by_case for entry in entries})
    split = sum(len({entry.verdict for entry in entries if entry.verdict}) > 1 for entries in by_case)
    rows = [[verdict.value, f"{counts[verdict]:,}"] for verdict in Verdict]
    said = (
        f"Reviewers: {people}. Cases of which they say something: {len(by_case):,}; cases on which they differ: "
        f"{split:,}. The newest entry of each reviewer counts."
    )
    text = f"<h2>Verdicts</h2>\n<p>{said}</p>\n" + _table("", rows, ("Verdict", "Entries"))
    return text + (_tags(by_case) if tagged else "")


def _tags(by_case: Iterable[Sequence[Entry]]) -> str:
    """Free text, like the notes: in the report with them alone."""
    tags = Counter(tag for entries in by_case for tag in {tag for entry in entries for tag in entry.tags})
    named = [[tag, f"{number:,}"] for tag, number in sorted(tags.items(), key=lambda item: (-item[1], item[0]))]
    return _table("", named, ("Tag", "Cases")) if named else ""


def _cases(export: Export, report: Report) -> str:
    rows = worst_rows(export, report.worst)
    if not rows:
        return ""
    unit = ", months" if export.threshold is None else ""
    head = ["Case", f"Truth{unit}", f"Score{unit}", *export.allowed, "Verdicts"]
    head += (["Tags", "Notes"] if report.notes else []) + (["Image"] if report.pictures else [])
    lines = "\n".join(_case(export, report, row) for row in rows)
    return (
        f'<h2>Worst cases</h2>\n<div class="scroll"><table>\n<caption>The {len(rows)} with the largest distance of '
        f"score and truth</caption>\n{_head(head)}\n<tbody>\n{lines}\n</tbody></table></div>"
    )


def _case(export: Export, report: Report, row: int) -> str:
    entries = export.entries(row)
    truth, score = export.review.truth(export.label)[row], export.review.score(export.label)[row]
    cells = [
        (export.keys.get(row) or "no key")[:KEY_DIGITS],
        f"{truth:g}",
        f"{score:.3f}" if export.threshold is not None else f"{score:.1f}",
        *(export.cell(name, row) for name in export.allowed),
        ", ".join(entry.verdict.value for entry in entries if entry.verdict),
    ]
    if report.notes:
        cells.append(", ".join(sorted({tag for entry in entries for tag in entry.tags})))
    line = _cells(cells)
    if report.notes:
        line += f"<td>{'<br>'.join(escape(entry.note) for entry in entries if entry.note)}</td>"
    if report.pictures:
        line += f"<td>{_picture(report.pictures.get(row))}</td>"
    return f"<tr>{line}</tr>"


def _picture(jpeg: bytes | None) -> str:
    if jpeg is None:
        return "not opened"
    return f'<img alt="small picture of the case" src="data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}">'


def _table(caption: str, rows: Iterable[Sequence[str]], head: Sequence[str]) -> str:
    lines = "\n".join(f"<tr>{_cells(row)}</tr>" for row in rows)
    above = f"<caption>{escape(caption)}</caption>\n" if caption else ""
    return f'<div class="scroll"><table>\n{above}{_head(head)}\n<tbody>\n{lines}\n</tbody></table></div>\n'


def _head(names: Sequence[str]) -> str:
    cells = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    return f"<thead><tr>{cells}</tr></thead>" if names else ""


def _cells(texts: Sequence[str]) -> str:
    """The first names the row."""
    return f'<th scope="row">{escape(texts[0])}</th>' + "".join(f"<td>{escape(text)}</td>" for text in texts[1:])
