"""Drawings within a review's report, and in words how its cases were chosen."""

import re
from pathlib import Path

import numpy as np
import pytest

from cxrkit.metrics import auc, bland_altman
from cxrkit.review.export import Export
from cxrkit.review.filters import EMPTY, Between, Condition, Holds, OneOf, in_words
from cxrkit.review.report_plots import age_plots, score_plots
from cxrkit.review.table import read_predictions

RANDOM = np.random.default_rng(0)
TRUTH = np.arange(60) % 2.0
SCORE = np.clip(0.3 + 0.3 * TRUTH + RANDOM.normal(0, 0.15, 60), 0, 1)
TABLE = "file,target,score_normal,score_tuberculosis,view,patient_id\n" + "".join(
    f"{row}.png,{row % 2},0.5,0.5,{'PA' if row % 3 else 'AP'},{row}\n" for row in range(12)
)


def labels(html: str) -> list[str]:
    return re.findall('aria-label="([^"]*)"', html)


def test_scores_have_three_drawings_that_say_what_they_show() -> None:
    html = score_plots(TRUTH, SCORE, 0.5, None)
    roc, precision, calibrated = labels(html)
    assert f"AUC {auc(TRUTH, SCORE):.3f} (" in roc
    assert "share of cases with the label, 0.500" in precision
    assert calibrated.startswith("Calibration")
    assert html.count("<svg") == 3


def test_ages_have_one() -> None:
    truth = np.linspace(20, 200, 40)
    age = truth + RANDOM.normal(2, 5, 40)
    (told,) = labels(age_plots(truth, age, None))
    assert f"bias {bland_altman(age, truth).bias.value:+.1f} months" in told


def test_many_points_are_one_picture() -> None:
    truth = np.linspace(20, 200, 4000)
    html = age_plots(truth, truth + RANDOM.normal(2, 5, 4000), None)
    assert len(html) < 300_000
    assert "data:image/png;base64," in html


def test_nothing_is_drawn_where_nothing_can_be_told() -> None:
    assert score_plots(np.ones(20), SCORE[:20], 0.5, None) == ""
    assert age_plots(np.array([20.0]), np.array([24.0]), None) == ""


def test_drawings_fetch_nothing() -> None:
    ages = age_plots(np.linspace(20, 200, 40), np.linspace(22, 190, 40), None)
    for html in (score_plots(TRUTH, SCORE, 0.5, None), ages):
        assert "http" not in html
        assert "url(" not in html
        assert "<!DOCTYPE" not in html


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (OneOf(("PA", EMPTY)), f"view PA or {EMPTY}"),
        (OneOf(()), ""),
        (Between(3, 70.5), "view from 3 to 70.5"),
        (Between(3, 70.5, empty=True), f"view from 3 to 70.5 or {EMPTY}"),
        (Holds("lat"), "view with “lat” in it"),
        (Holds(""), ""),
    ],
)
def test_conditions_in_words(condition: Condition, words: str) -> None:
    assert in_words("view", condition) == words


def test_a_condition_on_what_could_name_somebody_is_not_told(tmp_path: Path) -> None:
    review = read_predictions(TABLE.encode(), "run", None, tmp_path)
    conditions: dict[str, Condition] = {"view": OneOf(("PA",)), "patient_id": Holds("7"), "target": OneOf(())}
    export = Export(review, np.arange(4), "tuberculosis", 0.5, {}, {}, (), conditions, by_notes=True)
    assert export.chosen_by == (("view PA", "verdict or tag"), True)
    assert Export(review, np.arange(12), "tuberculosis", 0.5, {}, {}).chosen_by == ((), False)
