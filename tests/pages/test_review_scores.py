"""The slider of the threshold: its step, and that it keeps what was chosen; what the captions say of intervals."""

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cxrkit.review.figures import counts_at, curves
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from pages.ui.review_plots import precision_recall_plot, roc_plot
from pages.ui.review_scores import threshold_step
from tests.pages.review_cases import predictions
from tests.pages.review_page import COUNT, cells, folder, load, page, scores
from tests.pages.test_app import said

__all__ = ["folder", "page"]

SLIDER = "review.threshold.tuberculosis.tuberculosis"
FILES = [[f"{row}.png"] for row in range(COUNT)]


@pytest.mark.parametrize(
    ("score", "given", "step"),
    [
        ([0.2, 0.6, 0.9], 0.5, 0.01),
        ([0.2, 0.6, 0.9], None, 0.01),
        ([0.2, 0.6, 0.9], 0.0148, 0.001),
        ([0.01, 0.02, 0.9], 0.5, 0.001),
        ([np.nan, np.nan], None, 0.01),
    ],
)
def test_the_step_is_finer_where_much_is_decided_below_a_tenth(
    score: list[float], given: float | None, step: float
) -> None:
    assert threshold_step(np.array(score), given)[0] == step


def test_low_scores_are_told_apart_by_the_slider(page: AppTest, folder: Path) -> None:
    targets, answers = scores()
    low = answers / 20
    load(page, predictions(TUBERCULOSIS, FILES, targets, low))
    slider = page.slider(key=SLIDER)
    assert slider.step == 0.001
    slider.set_value(0.013).run()
    assert sum(cells(page)[name] for name in ("true_positive", "false_positive")) == int((low >= 0.013).sum())


def test_a_table_of_other_scores_keeps_a_threshold_in_its_place(page: AppTest, folder: Path) -> None:
    targets, answers = scores()
    load(page, predictions(TUBERCULOSIS, FILES, targets, answers))
    first = page.slider(key=SLIDER).value
    data = predictions(TUBERCULOSIS, FILES, targets, answers / 20)
    page.file_uploader(key="review.upload").set_value(("other.csv", data, "text/csv")).run()
    assert not page.exception
    assert page.slider(key=SLIDER).value == first > 0


def test_captions_say_what_intervals_are_over(page: AppTest, folder: Path) -> None:
    load(page, predictions(TUBERCULOSIS, FILES, *scores()))
    page.session_state["review.cohorts"] = True
    page.run()
    text = said(page)
    assert "Wilson's 95 % intervals, over cases and not over patients" in text
    assert "DeLong over patients (Obuchowski 1997)" in text, "two cases a patient"
    assert "of the AUC over patients, of the shares over cases" in text


def test_every_point_of_the_curves_says_its_threshold() -> None:
    targets, score = scores()
    truth = np.array([float(target) for target in targets])
    found, counts = curves(truth, score), counts_at(truth, score, 0.4)
    for plot in (roc_plot, precision_recall_plot):
        curve, present = (trace for trace in plot(found, counts, 0.4, "tuberculosis").data if "markers" in trace.mode)
        assert [list(data) for data in present.customdata] == [[0.4]]
        told = [(y, cut) for y, (cut, words) in zip(curve.y, curve.customdata, strict=True) if words[0] in "01"]
        assert len(told) >= 10
        for y, cut in told:
            called = counts_at(truth, score, cut)
            assert y == pytest.approx(100 * (called.sensitivity if plot is roc_plot else called.ppv).value)
