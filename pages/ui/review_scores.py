"""A label at a threshold: slider, confusion matrix, shares with intervals, and the figures over all thresholds."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from cxrkit.card import Metric
from cxrkit.errors import InputError, WeightsError
from cxrkit.figures import Undefined
from cxrkit.metrics import ConfusionMatrix
from cxrkit.review.figures import Calibration, Curves, calibration, counts_at, curves, figures_at, histogram
from cxrkit.review.figures_choice import CELLS, Bin, Cell, Choice
from cxrkit.review.table import ReviewSet
from cxrkit.task import Task
from pages.ui.charts import show_figure
from pages.ui.finding_words import name_of
from pages.ui.models import read_task_card
from pages.ui.review_choice import choice, choose, choose_clicked, choose_threshold
from pages.ui.review_load import KEY
from pages.ui.review_plots import calibration_plot, histogram_plot, precision_recall_plot, roc_plot
from pages.ui.threshold import set_threshold, threshold_reset

TABS = ("ROC", "Precision and recall", "Calibration")
_WHICH = {
    "sensitivity": "of the cases with the label are called",
    "specificity": "of the cases without it are not called",
    "accuracy": "of all cases are called rightly",
    "PPV": "of the cases called have the label",
    "NPV": "of the cases not called do not have it",
}

_LOW = 0.1

Values = np.ndarray


def threshold_key(review: ReviewSet, label: str) -> str:
    """Of the slider."""
    return f"{KEY}.threshold.{review.task.name}.{label}"


def ask_threshold(review: ReviewSet, label: str) -> float:
    """Slider that starts at the card's threshold, and the way back to it; in [0, 1]."""
    key, given = threshold_key(review, label), _card_threshold(review.task, label)
    if key not in st.session_state:
        set_threshold(key, 0.5 if given is None else given)
    left, right = st.columns([4, 1], gap="medium", vertical_alignment="bottom")
    step, shown = threshold_step(review.score(label), given)
    threshold = left.slider(
        f"Threshold for “{name_of(label)}”", 0.0, 1.0, step=step, format=shown, key=key, persist_state="session"
    )
    if given is not None:
        threshold_reset(key, given, threshold, right)
    elif remark := _never_called(review.task, label):
        st.caption(f"By its card the network never calls “{name_of(label)}”: {remark}. The threshold here is yours.")
    return float(threshold)


def _never_called(task: Task, label: str) -> str:
    """Why, by the card; "" where the card says nothing of it."""
    try:
        return next((one.remark for one in read_task_card(task).support if one.label == label), "")
    except WeightsError:
        return ""


def threshold_step(score: Values, given: float | None) -> tuple[float, str]:
    """Step of a threshold's slider, and how it writes numbers: finer where much is decided below 0.1.

    Args:
        score: [N] in [0, 1]; NaN = failed.
        given: the card's threshold; None = there is none.
    """
    known = score[~np.isnan(score)]
    low = (given is not None and given < _LOW) or (known.size > 0 and float(np.median(known)) < _LOW)
    return (0.001, "%.3f") if low else (0.01, "%.2f")


def _card_threshold(task: Task, label: str) -> float | None:
    try:
        return read_task_card(task).thresholds.get(label)
    except WeightsError:
        return None


def show_scores(
    review: ReviewSet, label: str, rows: np.ndarray, threshold: float, owners: Values | None = None
) -> None:
    """Everything about the cases that are kept.

    Args:
        review: all cases.
        label: what is called.
        rows: [M] that are kept.
        threshold: called at score >= threshold.
        owners: [M] whose cases they are, which the AUC's interval heeds; None = not known.
    """
    truth, score = review.truth(label)[rows], review.score(label)[rows]
    name, slider = name_of(label).lower(), threshold_key(review, label)
    try:
        counts = counts_at(truth, score, threshold)
    except InputError as error:
        st.info(f"{error} Change the filters.", icon=":material/filter_alt_off:")
        return
    left, right = st.columns(2, gap="medium")
    with left:
        _confusion(counts)
        figure_list(*figures_at(counts))
        st.caption("In brackets: Wilson's 95 % intervals, over cases and not over patients.")
    with right:
        clickable(
            histogram_plot(histogram(truth, score), threshold, name),
            f"{KEY}.histogram",
            lambda data: Bin(int(data[0]), int(data[1]), int(data[2])),
            f"Histogram of the scores for {name}, with the threshold; the table of predictions holds them.",
        )
        st.caption("Click a bar to see its cases below.")
    _over_all_thresholds(truth, score, owners, Present(threshold, counts, name, slider))


def _confusion(counts: ConfusionMatrix) -> None:
    """Four buttons, each with its count; a click shows its cases."""
    made, numbers = choice(), (counts.tp, counts.fp, counts.fn, counts.tn)
    st.markdown("**Confusion matrix** – click a cell to see its cases below.")
    with st.container(key=f"{KEY}.confusion", gap="small"):
        for row in (0, 2):
            columns = st.columns(2, gap="small")
            for column, name, number in zip(columns, list(CELLS)[row : row + 2], numbers[row : row + 2], strict=True):
                taken = made == Cell(name)
                column.button(
                    f"**{number:,}** {name}{'' if number == 1 else 's'}",
                    key=f"{KEY}.cell.{name.replace(' ', '_')}",
                    type="primary" if taken else "secondary",
                    on_click=choose,
                    args=(None if taken else Cell(name),),
                    width="stretch",
                )


def figure_list(figures: Sequence[Metric], undefined: Sequence[Undefined], unit: float = 100) -> None:
    """Figures with their intervals as a table, and those that these cases cannot give."""
    rows = [
        {"Figure": figure.name, "Value": in_words(figure, unit), "": _WHICH.get(figure.name, figure.note)}
        for figure in figures
    ]
    rows += [{"Figure": each.name, "Value": "undefined", "": each.reason} for each in undefined]
    st.table(rows, hide_index=True, border="horizontal")


def in_words(figure: Metric, unit: float = 100) -> str:
    """A figure with its interval: shares in percent (`unit` 100), others as they are."""
    digits, suffix = (1, " %") if unit == 100 else (2, "")
    words = f"{unit * figure.value:.{digits}f}{suffix}"
    if figure.low is not None and figure.high is not None:
        words += f" ({unit * figure.low:.{digits}f} to {unit * figure.high:.{digits}f})"
    return words.replace("-", "−").replace(" ", "\N{NO-BREAK SPACE}")


def clickable(figure: Any, key: str, meant: Callable[[Sequence[Any]], Choice], alt: str) -> None:
    """A figure of which a clicked point chooses cases."""
    show_figure(
        figure,
        key=key,
        on_select=partial(choose_clicked, key, meant),
        alt=alt,
    )


@contextmanager
def undefined_shown() -> Iterator[None]:
    """Say what figures the cases cannot give, and why: it is no fault."""
    try:
        yield
    except InputError as error:
        st.info(str(error), icon=":material/help:")


@dataclass(frozen=True)
class Present:
    """The threshold as it is now.

    Attributes:
        threshold: in [0, 1].
        counts: at it.
        name: of what is called, as in a sentence.
        slider: key of what moves it.
    """

    threshold: float
    counts: ConfusionMatrix
    name: str
    slider: str

    def curve(self, figure: Any, key: str, alt: str) -> None:
        """A figure over all thresholds; a click on it moves this one."""
        show_figure(figure, key=key, alt=alt, on_select=partial(choose_threshold, key, self.slider))
        st.caption("Click the curve to move the threshold there, and to see the cases of about that score below.")


def _over_all_thresholds(truth: Values, score: Values, owners: Values | None, present: Present) -> None:
    roc, precision, calibrated = st.tabs(TABS, key=f"{KEY}.plots", on_change="rerun")
    if roc.open:
        with roc, undefined_shown():
            found = _curves(truth, score, owners)
            present.curve(
                roc_plot(found, present.counts, present.threshold, present.name),
                f"{KEY}.roc",
                "Sensitivity over false positives, with the present threshold; its area stands below.",
            )
            st.caption(
                f"Area under the curve **{found.auc.value:.3f}** ({found.auc.low:.3f} to {found.auc.high:.3f}, "
                f"{found.auc_method}). The band holds 95 % of 1,000 resamples of cases, point by point."
            )
    if precision.open:
        with precision, undefined_shown():
            found = _curves(truth, score, owners)
            present.curve(
                precision_recall_plot(found, present.counts, present.threshold, present.name),
                f"{KEY}.pr",
                "Precision over recall, with the present threshold; its average stands below.",
            )
            area = found.average_precision
            st.caption(
                f"Average precision **{area.value:.3f}** ({area.low:.3f} to {area.high:.3f}, Boyd et al. 2013, over "
                f"cases) at a prevalence of {100 * found.prevalence:.1f} %. Precision is that of these cases: where "
                "the label is rarer it is lower."
            )
    if calibrated.open:
        with calibrated, undefined_shown():
            _calibration(_calibrated(truth, score), present.name)


def _calibration(found: Calibration, name: str) -> None:
    left, right = st.columns([3, 2], gap="medium")
    with left:
        clickable(
            calibration_plot(found, name),
            f"{KEY}.calibration",
            lambda data: Bin(int(data[0]), int(data[1])),
            "Share of positives over the mean score, in ten bins.",
        )
        st.caption("Whiskers: Wilson's 95 % intervals, over cases. Click a point to see the cases of its bin below.")
    with right:
        figure_list(found.figures, found.undefined, 1)


@st.cache_resource(scope="session", max_entries=12, ttl=3600, show_spinner=False)
def _curves(truth: Values, score: Values, owners: Values | None) -> Curves:
    return curves(truth, score, owners)


@st.cache_resource(scope="session", max_entries=12, ttl=3600, show_spinner=False)
def _calibrated(truth: Values, score: Values) -> Calibration:
    return calibration(truth, score)
