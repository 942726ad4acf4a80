"""The review page driven through AppTest, on simulated cases and small untrained weights."""

import time
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cxrkit.review.figures import BARS
from cxrkit.review.figures_choice import Bin, Cases, Cell
from cxrkit.tasks.bone_age import BONE_AGE
from cxrkit.tasks.nih14 import NIH14
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from pages.ui import review_choice
from pages.ui.review_choice import choose, choose_clicked, choose_points, choose_threshold, forget_choice
from tests.pages.nih14_page import nih14_root
from tests.pages.review_cases import predictions, write_images
from tests.pages.review_page import COUNT, cards, cells, folder, load, loaded, page, scores
from tests.pages.test_app import said

__all__ = ["folder", "loaded", "nih14_root", "page"]


def test_the_empty_page_says_what_it_takes(page: AppTest) -> None:
    assert "python -m cxrkit evaluate" in page.info[0].value
    assert not page.exception
    assert not page.error, page.error[0].value


def test_a_table_gives_counts_figures_and_the_worst_cases_first(loaded: AppTest) -> None:
    assert not loaded.error
    targets, answers = scores()
    truth = np.array([float(target) for target in targets])
    loaded.slider(key="review.threshold.tuberculosis.tuberculosis").set_value(0.4).run()
    assert cells(loaded) == {
        "true_positive": int(((answers >= 0.4) & (truth == 1)).sum()),
        "false_positive": int(((answers >= 0.4) & (truth == 0)).sum()),
        "false_negative": int(((answers < 0.4) & (truth == 1)).sum()),
        "true_negative": int(((answers < 0.4) & (truth == 0)).sum()),
    }
    assert cards(loaded) == list(np.argsort(-np.abs(truth - answers), kind="stable")[:15])
    assert len(loaded.get("imgs") or loaded.get("image")) == 15
    figures = loaded.table[0].value
    assert list(figures["Figure"]) == ["sensitivity", "specificity", "accuracy", "PPV", "NPV"]
    assert "30 cases" in said(loaded)


def test_a_cell_chooses_its_cases_and_a_second_click_takes_it_back(loaded: AppTest) -> None:
    counts = cells(loaded)
    loaded.button(key="review.cell.false_positive").click().run()
    assert not loaded.exception
    shown = cards(loaded)
    assert len(shown) == min(15, counts["false_positive"])
    targets, answers = scores()
    assert all(targets[row] == "0" for row in shown)
    assert list(answers[shown]) == sorted(answers[shown], reverse=True)
    assert f"**False positive:** {counts['false_positive']} of 30" in said(loaded)
    loaded.button(key="review.cell.false_positive").click().run()
    assert "**All cases:** 30 of 30" in said(loaded)


def test_the_gallery_is_paged(loaded: AppTest) -> None:
    first = cards(loaded)
    loaded.button(key="review.page.next").click().run()
    second = cards(loaded)
    assert len(first) == len(second) == 15
    assert not set(first) & set(second)
    assert loaded.button(key="review.page.next").disabled
    loaded.button(key="review.page.previous").click().run()
    assert cards(loaded) == first


def test_filters_move_figures_and_gallery(loaded: AppTest) -> None:
    chooser = next(each for each in loaded.multiselect if each.label == "Filter by")
    chooser.set_value(["sex", "age_years"]).run()
    next(each for each in loaded.multiselect if each.label == "sex").set_value(["F"]).run()
    assert "15 of 30 cases are kept" in said(loaded)
    assert sum(cells(loaded).values()) == 15
    next(each for each in loaded.slider if each.label == "age_years").set_value((20.0, 40.0)).run()
    kept = [row for row in range(COUNT) if row % 2 == 0 and 20 + row * 7 % 60 <= 40]
    assert sum(cells(loaded).values()) == len(kept)
    assert set(cards(loaded)) == set(kept)
    assert not loaded.exception


def test_nobody_left_is_said(loaded: AppTest) -> None:
    next(each for each in loaded.multiselect if each.label == "Filter by").set_value(["patient_id"]).run()
    next(each for each in loaded.multiselect if each.label == "patient_id").set_value(["p0"]).run()
    assert sum(cells(loaded).values()) == 2
    assert not loaded.exception
    assert "needs at least 2 of each" in said(loaded)


def test_cohorts_stand_side_by_side(loaded: AppTest) -> None:
    loaded.session_state["review.cohorts"] = True
    loaded.run()
    loaded.selectbox(key="review.cohort_column").set_value("site").run()
    table = next(each.value for each in loaded.dataframe if "Group" in each.value)
    assert list(table["Group"]) == ["A", "B", "C"]
    assert list(table["Cases"]) == [10, 10, 10]
    assert table["AUC"].iloc[0] == "undefined"  # every third case is positive, and so is every case of A
    assert "(" in table["Sensitivity"].iloc[0]


@pytest.mark.parametrize("tab", ["Precision and recall", "Calibration"])
def test_every_figure_is_drawn(loaded: AppTest, tab: str) -> None:
    loaded.session_state["review.plots"] = tab
    loaded.run()
    assert not loaded.exception
    assert {"Precision and recall": "Average precision", "Calibration": "Whiskers"}[tab] in said(loaded)


def test_ages_have_agreement_and_a_point_is_a_case(page: AppTest, folder: Path) -> None:
    names = write_images(folder, 12)
    truth = [24 + 12 * number for number in range(12)]
    ages = [age + gap for age, gap in zip(truth, [0, 5, -9, 2, 30, 1, 0, 3, -2, 4, 6, -1], strict=True)]
    data = predictions(BONE_AGE, [[name] for name in names], [str(age) for age in truth], ages)
    load(page, data)
    assert not page.error, page.error[0].value
    assert cards(page)[:2] == [4, 2]
    figures = page.table[0].value
    assert (
        figures["Value"].iloc[0].startswith(f"{np.mean([0, 5, 9, 2, 30, 1, 0, 3, 2, 4, 6, 1]):.2f}\N{NO-BREAK SPACE}(")
    )
    page.session_state["_review.choice"] = Cases((7,))
    page.run()
    assert cards(page) == [7]
    assert not page.exception


def test_findings_are_reviewed_label_by_label(nih14_root: Path, folder: Path, app: AppTest) -> None:
    page = app.switch_page("pages/review.py").run()
    names = write_images(folder, 6)
    targets = ["Mass", "No Finding", "Mass|Effusion", "Effusion", "No Finding", "Nodule"]
    load(page, predictions(NIH14, [[name] for name in names], targets, [0.9, 0.2, 0.4, 0.6, 0.3, 0.1]))
    page.selectbox(key="review.label").set_value("Mass").run()
    page.slider(key="review.threshold.nih14.Mass").set_value(0.5).run()
    assert cells(page) == {"true_positive": 1, "false_positive": 1, "false_negative": 1, "true_negative": 3}
    page.selectbox(key="review.label").set_value("Effusion").run()
    page.slider(key="review.threshold.nih14.Effusion").set_value(0.5).run()
    assert cells(page) == {"true_positive": 1, "false_positive": 1, "false_negative": 1, "true_negative": 3}
    assert not any("never calls" in caption.value for caption in page.caption)
    page.selectbox(key="review.label").set_value("Hernia").run()
    assert not page.exception
    assert any("never calls “Hernia”: too few training cases" in caption.value for caption in page.caption)


def test_without_folders_images_stay_closed_and_figures_are_there(
    app: AppTest, small_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CXRKIT_CASES", raising=False)
    page = app.switch_page("pages/review.py").run()
    load(page, predictions(TUBERCULOSIS, [[f"{row}.png"] for row in range(COUNT)], *scores()))
    assert sum(cells(page).values()) == COUNT
    assert "CXRKIT_CASES" in said(page)
    page.button(key="review.open.3").click().run()
    assert not page.exception
    assert "Images cannot be opened" in said(page)


def test_bad_tables_are_sentences(page: AppTest) -> None:
    load(page, b"a,b\n1,2\n")
    assert "no scores of any task" in page.error[0].value
    assert not cards(page)


def test_another_table_forgets_what_was_chosen(loaded: AppTest, folder: Path) -> None:
    loaded.button(key="review.cell.true_negative").click().run()
    loaded.button(key=f"review.open.{cards(loaded)[0]}").click().run()
    names = sorted(path.name for path in folder.glob("*.png"))
    targets, answers = scores()
    data = predictions(TUBERCULOSIS, [[name] for name in names], targets, 1 - answers)
    loaded.file_uploader(key="review.upload").set_value(("other.csv", data, "text/csv")).run()
    assert "**All cases:** 30 of 30" in said(loaded)
    assert "review.case.close" not in [button.key for button in loaded.button]


@pytest.mark.timed
def test_ten_thousand_cases_stay_fluid(page: AppTest) -> None:
    load(page, predictions(TUBERCULOSIS, [[f"{row}.png"] for row in range(10_000)], *scores(10_000)))
    next(each for each in page.multiselect if each.label == "Filter by").set_value(["sex"]).run()
    slider, spent = page.slider(key="review.threshold.tuberculosis.tuberculosis"), []
    sexes = next(each for each in page.multiselect if each.label == "sex")
    for number in range(3):
        start = time.perf_counter()
        sexes.set_value((["F"], ["M"], [])[number]).run()
        spent.append(time.perf_counter() - start)
        start = time.perf_counter()
        slider.set_value(0.3 + 0.1 * number).run()
        spent.append(time.perf_counter() - start)
    assert not page.exception
    # The first two choices are cases of which nothing has been worked out yet.
    assert max(spent[:4:2]) < 0.5, spent
    assert min(spent[1::2]) < 0.5, spent


@pytest.mark.parametrize(
    ("points", "made"), [([{"customdata": [3, 20, 1]}], Bin(3, 20, 1)), ([], None)], ids=["bar", "none"]
)
def test_a_click_on_a_bar_chooses_its_bin(
    points: list[dict[str, object]], made: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    state: dict[str, object] = {"chart": {"selection": {"points": points}}}
    monkeypatch.setattr(review_choice.st, "session_state", state)
    choose_clicked("chart", lambda data: Bin(*data))
    assert state["_review.choice"] == made
    choose_points("chart")
    assert state["_review.choice"] == (Cases((3,)) if points else None)
    assert Cell("true positive") != made


def test_a_click_on_a_bar_that_is_still_marked_means_that_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """The browser calls it a release, because nothing has told the chart that another choice was made elsewhere."""
    bar = {"selection": {"points": [{"customdata": [3, 20, 1]}]}}
    state: dict[str, object] = {"chart": bar}
    monkeypatch.setattr(review_choice.st, "session_state", state)
    choose_clicked("chart", lambda data: Bin(*data))
    choose(Cell("true positive"))
    state["chart"] = {"selection": {"points": []}}
    choose_clicked("chart", lambda data: Bin(*data))
    assert state["_review.choice"] == Bin(3, 20, 1)
    choose_clicked("chart", lambda data: Bin(*data))
    assert state["_review.choice"] is None, "a click on the chart's own choice takes it back"
    state["chart"] = bar
    choose_clicked("chart", lambda data: Bin(*data))
    forget_choice()
    state["chart"] = {"selection": {"points": []}}
    choose_clicked("chart", lambda data: Bin(*data))
    assert state["_review.choice"] is None, "of another table nothing was clicked yet"


def test_a_click_on_a_curve_moves_the_threshold_and_shows_the_cases_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict[str, object] = {"chart": {"selection": {"points": [{"customdata": [0.62, "0.62"]}]}}}
    monkeypatch.setattr(review_choice.st, "session_state", state)
    choose_threshold("chart", "slider")
    assert state["slider"] == 0.62
    assert state["_review.choice"] == Bin(12, BARS)
    state["chart"] = {"selection": {"points": []}}
    choose_threshold("chart", "slider")
    assert (state["slider"], state["_review.choice"]) == (0.62, Bin(12, BARS)), "a click taken back changes nothing"
