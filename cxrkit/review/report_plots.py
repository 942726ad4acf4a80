"""The curves of a review as drawings within its HTML report, which fetches nothing."""

import io
import re
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cxrkit.checks import Floats
from cxrkit.errors import InputError
from cxrkit.review.figures import Calibration, Curves, calibration, curves
from cxrkit.review.figures_age import Agreement, agreement

_WIDTH, _HEIGHT = 4.2, 3.8
"""Of a drawing, in inches of 72 points."""

_LINE, _LIMIT = "#0a6775", "#7f8b95"
_MANY = 2000
"""Points from which they are drawn as one picture: each by itself would make a large file."""

_NEEDLESS = re.compile(r'\s+xmlns(:\w+)?="[^"]*"|\s+clip-path="[^"]*"')
"""Namespaces, which HTML knows, and clips, of which all that is drawn keeps clear."""

_NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))


def score_plots(truth: Floats, score: Floats, threshold: float, owners: Any) -> str:
    """ROC, precision against recall, and calibration, as HTML; "" where the cases are all of one kind.

    Args:
        truth, score: [N]; NaN = not known.
        threshold: called at score >= threshold; marked on the ROC.
        owners: [N] whose cases they are; None = not known.
    """
    try:
        found = curves(truth, score, owners)
    except InputError:
        return ""
    drawn = [_roc(found, threshold), _precision(found), _calibration(calibration(truth, score))]
    return _side_by_side(drawn)


def age_plots(truth: Floats, age: Floats, owners: Any) -> str:
    """Difference against mean of reference and bone age (Bland and Altman 1986), as HTML; "" of too few cases."""
    try:
        return _side_by_side([_agreement(agreement(truth, age, owners))])
    except InputError:
        return ""


def _roc(found: Curves, threshold: float) -> tuple[str, str]:
    figure, axes = _drawing("1 - specificity", "Sensitivity")
    rate, hits = found.roc.false_positive_rate, found.roc.true_positive_rate
    axes.fill_between(found.roc_band.x, found.roc_band.low, found.roc_band.high, color=_LINE, alpha=0.2, linewidth=0)
    axes.plot([0, 1], [0, 1], color=_LIMIT, linestyle="--", linewidth=1)
    axes.plot(rate, hits, color=_LINE)
    at = int(np.flatnonzero(found.roc.threshold >= threshold)[-1])
    axes.plot(rate[at], hits[at], "o", color="black")
    told = f"ROC: AUC {found.auc.value:.3f} ({found.auc.low:.3f} to {found.auc.high:.3f}); dot: the threshold"
    return told, _svg(figure)


def _precision(found: Curves) -> tuple[str, str]:
    figure, axes = _drawing("Recall (sensitivity)", "Precision (PPV)")
    band, each = found.precision_band, found.precision_recall
    axes.fill_between(band.x, band.low, band.high, color=_LINE, alpha=0.2, linewidth=0)
    axes.axhline(found.prevalence, color=_LIMIT, linestyle="--", linewidth=1)
    axes.plot(each.recall, each.precision, color=_LINE)
    mean = found.average_precision
    told = (
        f"Precision and recall: average precision {mean.value:.3f} ({mean.low:.3f} to {mean.high:.3f}); dashed: the "
        f"share of cases with the label, {found.prevalence:.3f}"
    )
    return told, _svg(figure)


def _calibration(found: Calibration) -> tuple[str, str]:
    figure, axes = _drawing("Mean score", "Share with the label")
    axes.plot([0, 1], [0, 1], color=_LIMIT, linestyle="--", linewidth=1)
    for one in found.bins:
        share = one.positive_share
        axes.plot([one.mean_probability] * 2, [share.low, share.high], color=_LINE, linewidth=1)
        axes.plot(one.mean_probability, share.value, "o", color=_LINE)
    return "Calibration: each dot a tenth of the scores' range, with Wilson's 95 % interval", _svg(figure)


def _agreement(found: Agreement) -> tuple[str, str]:
    figure, axes = _drawing("Mean of both ages, months", "Bone age - reference, months", unit=False)
    axes.plot(
        found.mean, found.difference, ".", color=_LINE, alpha=0.4, rasterized=len(found.mean) > _MANY, markeredgewidth=0
    )
    limits = found.limits
    for level, style in ((limits.bias.value, "-"), (limits.lower.value, "--"), (limits.upper.value, "--")):
        axes.axhline(level, color=_LIMIT, linestyle=style, linewidth=1)
    told = (
        f"Bland and Altman: bias {limits.bias.value:+.1f} months, limits of agreement {limits.lower.value:+.1f} to "
        f"{limits.upper.value:+.1f}"
    )
    return told, _svg(figure)


def _drawing(across: str, up: str, *, unit: bool = True) -> tuple[Figure, Axes]:
    """An empty drawing; `unit`: both axes from 0 to 1."""
    figure = Figure((_WIDTH, _HEIGHT), layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel=across, ylabel=up, **({"xlim": (0, 1.01), "ylim": (0, 1.01)} if unit else {}))
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _svg(figure: Figure) -> str:
    """To stand within HTML."""
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata=_NO_METADATA)
    text = file.getvalue()
    return _NEEDLESS.sub("", text[text.index("<svg") :])


def _side_by_side(drawn: Sequence[tuple[str, str]]) -> str:
    each = "\n".join(
        f'<figure><div role="img" aria-label="{escape(told)}">{svg}</div>'
        f"<figcaption>{escape(told)}</figcaption></figure>"
        for told, svg in drawn
    )
    return f'<div class="plots">\n{each}\n</div>\n'
