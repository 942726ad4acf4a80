"""The section "Operating point" of the tuberculosis page, on made-up scores."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cxrkit.image import read_image
from cxrkit.operating_point import WHO_TRIAGE, operating_point, part_curve, screening
from cxrkit.scores import FILE, ScoredPart, write_scores
from cxrkit.tasks.tuberculosis import TUBERCULOSIS as TASK
from pages.ui import analysis, models
from pages.ui.export import result_json
from pages.ui.operating_point import OPTIMISTIC
from pages.ui.roc_plot import Plotted, corners, roc_figure
from pages.ui.words import percent_interval
from tests.pages.conftest import png
from tests.pages.test_app import said
from tests.pages.test_tuberculosis import readings_of


def scored(name: str, shift: float, seed: int, *, optimistic: bool = False) -> ScoredPart:
    """200 images of each class; scores move as a whole with `shift`."""
    generator = np.random.default_rng(seed)
    targets = np.repeat([0, 1], 200)
    logits = generator.normal(3.2 * targets - 1.6 + shift, 1.0)
    return ScoredPart(name, optimistic, targets, 1 / (1 + np.exp(-logits)))


IN_SET = scored("in-set test part", 0.0, 1, optimistic=True)
LOW = scored("cross-family: trained on P, tested on Q", -2.0, 2)
HIGH = scored("cross-family: trained on Q, tested on P", 2.0, 3)


@pytest.fixture
def weights(small_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of the task's small weights, without scores."""
    shutil.copytree(small_root, tmp_path / "weights")
    monkeypatch.setattr(models, "WEIGHTS", tmp_path / "weights")
    return tmp_path / "weights" / TASK.name


def opened_with(app: AppTest, folder: Path, *parts: ScoredPart) -> AppTest:
    """The page with a drawn chest and these scores."""
    if parts:
        write_scores(parts, folder)
    app.switch_page(f"pages/{TASK.name}.py").run()
    app.file_uploader(key="tuberculosis.upload").upload("chest.png", png()).run()
    assert not app.exception
    return app


def cards(app: AppTest) -> list[str]:
    return [each.value for each in app.markdown if each.value.startswith("**") and "Specificity" in each.value]


def predictive(app: AppTest, letter: str) -> str:
    (text,) = [e.value for e in app.markdown if e.value.startswith(f"**{letter}.**") and "people screened" in e.value]
    return text


def plot(app: AppTest) -> dict[str, Any]:
    (chart,) = app.get("plotly_chart")
    return json.loads(chart.proto.spec)


def test_cross_family_comes_first_and_in_set_is_called_optimistic(app: AppTest, weights: Path) -> None:
    page = opened_with(app, weights, IN_SET, LOW, HIGH)
    first, second, third = cards(page)
    assert "trained on P" in first
    assert "trained on Q" in second
    assert "In-set test part" in third
    assert [OPTIMISTIC in text for text in (first, second, third)] == [False, False, True]
    assert OPTIMISTIC in predictive(page, "C")
    assert "Intervals are over images, not over patients or hospitals" in said(page)
    assert "temperature, 1.000" in said(page)
    assert "WHO/HTM/TB/2014.18" in said(page)


def test_figures_follow_the_threshold(app: AppTest, weights: Path) -> None:
    page = opened_with(app, weights, LOW, IN_SET)
    assert not page.get("plotly_chart")
    page.session_state["tuberculosis.roc.open"] = True
    seen = set()
    for threshold in (0.5, 0.2, 0.9):
        page.slider(key="tuberculosis.threshold").set_value(threshold).run()
        for text, part in zip(cards(page), (LOW, IN_SET), strict=True):
            point = operating_point(part, threshold)
            assert f"Sensitivity **{percent_interval(point.sensitivity)}**" in text
            assert f"Specificity **{percent_interval(point.specificity)}**" in text
            assert f"{point.counts.tp} of 200 images with tuberculosis called" in text
            seen.add(text)
        (cross,) = [trace for trace in plot(page)["data"] if trace["name"] == f"A at {threshold:.2f}"]
        assert cross["y"] == pytest.approx([100 * operating_point(LOW, threshold).sensitivity.value])
    assert len(seen) == 6


def test_prevalence_changes_the_predictive_values(app: AppTest, weights: Path) -> None:
    page = opened_with(app, weights, LOW, IN_SET)
    point = operating_point(LOW, 0.5)
    texts = []
    for prevalence, people in ((0.01, "Of 10,000 people screened at 1 %"), (0.2, "Of 1,000 people screened at 20 %")):
        page.select_slider(key="tuberculosis.prevalence").set_value(prevalence).run()
        texts.append(predictive(page, "A"))
        found = screening(point, prevalence)
        assert found.ppv is not None
        assert found.tests_per_case is not None
        assert people in texts[-1]
        assert f"PPV **{percent_interval(found.ppv)}**" in texts[-1]
        assert f"Tests per case found **{found.tests_per_case.value:.1f} (" in texts[-1]
    assert texts[0] != texts[1]
    # Of ten cases the in-set part would miss nobody, though it did; both are told on ten times as many.
    told = re.findall(r"\b[\d,]+\b", texts[0].split("prevalence,")[1])[:5]
    diseased, called, of_them, again, missed = (int(number.replace(",", "")) for number in told)
    assert (diseased, again, of_them + missed) == (100, 100, 100)
    assert of_them == round(100 * point.sensitivity.value)
    assert called == of_them + round(9900 * (1 - point.specificity.value))


def test_a_shift_between_archives_is_said(app: AppTest, weights: Path) -> None:
    page = opened_with(app, weights, LOW, HIGH, IN_SET)
    (warning,) = [warning.value for warning in page.warning if "carry over" in warning.value]
    low, high = operating_point(LOW, 0.5), operating_point(HIGH, 0.5)
    for point in (low, high):
        assert f"{percent_interval(point.sensitivity, ends=False)} sensitivity" in warning
    assert "the scores as a whole are shifted" in warning


def test_harder_images_are_not_called_a_shift(app: AppTest, weights: Path) -> None:
    generator = np.random.default_rng(4)
    guessed = ScoredPart("cross-family: guessed", False, np.repeat([0, 1], 200), generator.uniform(0, 1, 400))
    plain = scored("cross-family: plain", 0.0, 5)
    page = opened_with(app, weights, plain, guessed)
    (warning,) = [warning.value for warning in page.warning if "carry over" in warning.value]
    assert "harder for the network" in warning


def test_agreement_is_said_without_a_warning(app: AppTest, weights: Path) -> None:
    page = opened_with(app, weights, scored("one", 0.0, 6), scored("two", 0.0, 7))
    assert "the parts agree roughly" in said(page)
    assert "carry over" not in said(page)


def test_extreme_thresholds_leave_no_crash_and_no_invented_figure(app: AppTest, weights: Path) -> None:
    page = opened_with(app, weights, LOW, IN_SET)
    page.slider(key="tuberculosis.threshold").set_value(1.0).run()
    assert "PPV: undefined, nobody is called" in predictive(page, "A")
    assert "No case is found" in predictive(page, "A")
    page.slider(key="tuberculosis.threshold").set_value(0.0).run()
    assert "NPV: undefined, everybody is called" in predictive(page, "A")
    assert not page.exception


def test_missing_scores_are_said_and_the_page_goes_on(app: AppTest, weights: Path) -> None:
    page = opened_with(app, weights)
    assert page.metric
    assert "The operating point is unknown" in said(page)
    assert TASK.train_command in said(page)
    assert not page.get("plotly_chart")
    assert page.get("download_button")


def test_damaged_scores_are_said_and_the_page_goes_on(app: AppTest, weights: Path) -> None:
    (weights / FILE).write_text("part,target,score\n0,1,0.5\n")
    page = opened_with(app, weights)
    assert page.metric
    assert "damaged" in said(page)
    assert page.get("download_button")


def test_new_scores_are_read_without_a_restart(app: AppTest, weights: Path) -> None:
    page = opened_with(app, weights, LOW)
    before = cards(page)
    write_scores([HIGH], weights)
    page.run()
    assert cards(page) != before


def test_heat_in_the_lungs_is_shown_beside_what_chance_gives(app: AppTest, weights: Path) -> None:
    page = opened_with(app, weights)
    (text,) = [element.value for element in page.markdown if "heat inside the lungs" in element.value]
    inside, filled = (float(number) for number in re.findall(r"([\d.]+)\s%", text))
    assert 0 <= inside <= 100
    assert 20 < filled < 80, "two drawn lungs fill neither little nor all of a square around them"


@pytest.mark.parametrize(("share", "words"), [(0.3, "30"), (0.7, "70"), (None, "unknown")])
def test_heat_mostly_outside_the_lungs_is_warned_of(
    share: float | None, words: str, app: AppTest, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analysis, "heat_share", lambda *_: share)
    page = opened_with(app, weights)
    (text,) = [element.value for element in page.markdown if "heat inside the lungs" in element.value]
    assert words in text
    outside = [warning.value for warning in page.warning if "lies outside the lungs" in warning.value]
    assert len(outside) == (words == "30")


def test_result_holds_the_share_of_heat_in_the_lungs(small_root: Path) -> None:
    card, (_, reading) = readings_of(read_image(png()), small_root)
    known = json.loads(result_json(TASK, card, [replace(reading, heat_in_lungs=0.25, lungs_fill=0.4)]))["heatmap"]
    assert (known["share_in_lungs"], known["lungs_fill"]) == (0.25, 0.4)
    unknown = json.loads(result_json(TASK, card, [reading]))["heatmap"]
    assert unknown["share_in_lungs"] is None


def test_figure_has_equal_axes_the_target_and_every_corner_of_the_curves() -> None:
    plotted = [
        Plotted(letter, part.optimistic, part_curve(part), operating_point(part, 0.3))
        for letter, part in (("A", LOW), ("B", IN_SET))
    ]
    figure = roc_figure(plotted, WHO_TRIAGE, "tuberculosis")
    assert figure.layout.yaxis.scaleanchor == "x"
    names = [trace.name for trace in figure.data]
    assert names[0] == "WHO target for a triage test: 90\u00a0% / 70\u00a0%"
    assert (max(figure.data[0].x), min(figure.data[0].y)) == pytest.approx((30, 90))
    assert any("optimistic" in name for name in names)
    roc = plotted[0].curve.roc
    kept = corners(roc)
    assert kept.size < roc.threshold.size
    every = np.interp(roc.false_positive_rate, roc.false_positive_rate[kept], roc.true_positive_rate[kept])
    rises = np.diff(roc.false_positive_rate) > 0
    single = np.r_[True, rises] & np.r_[rises, True]  # elsewhere the curve is vertical and has no one height
    np.testing.assert_allclose(every[single], roc.true_positive_rate[single], atol=1e-12)
    area = np.trapezoid(roc.true_positive_rate[kept], roc.false_positive_rate[kept])
    assert area == pytest.approx(plotted[0].curve.auc.value)
