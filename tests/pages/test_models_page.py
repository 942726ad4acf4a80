"""The models page, on the shipped cards: it shows every row that README shows."""

import re
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cxrkit import speed
from cxrkit.audit import read_audit
from cxrkit.card import WEIGHTS, read_card
from cxrkit.errors import InputError
from cxrkit.metrics import expected_calibration_error
from cxrkit.notes import notes
from cxrkit.scores import ScoredPart, read_scores
from pages.ui import models
from pages.ui.model_calibration import Fit, fits_of, fitted_figure, reliability_figure
from pages.ui.model_choice import KEY, MODELS, PARAMETER
from tests.pages.conftest import REPOSITORY
from tests.pages.test_app import said

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
CARDS = re.findall(r"<!-- card:(\w+) -->", README)
TABS = {"reproduction": "Claims of the sources", "audit": "Copies and leaks in the data", "bench": "Speed"}


def in_readme(mark: str) -> set[tuple[str, ...]]:
    """All rows of the tables in a part of README, their headers included."""
    (part,) = re.findall(rf"<!-- {mark} -->\n(.*?)<!-- end -->", README, re.DOTALL)
    lines = [line for line in part.splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    return {tuple(cell.strip() for cell in line[2:-2].split(" | ")) for line in lines}


def on_page(app: AppTest) -> set[tuple[str, ...]]:
    """All rows of the page's tables, their headers included."""
    frames = [table.value for table in app.table]
    rows = [tuple(map(str, line)) for frame in frames for line in (frame.columns, *frame.to_numpy())]
    return {tuple(cell.replace("|", "/").strip() for cell in row) for row in rows}


@pytest.fixture
def page(app: AppTest) -> AppTest:
    app.switch_page("pages/models.py").run()
    assert not app.exception
    return app


def choose(page: AppTest, name: str) -> AppTest:
    page.selectbox(key=KEY).set_value(name).run()
    assert not page.exception
    return page


def open_tab(page: AppTest, name: str) -> AppTest:
    page.session_state["models.tabs"] = name
    page.run()
    assert not page.exception
    return page


def test_every_card_of_readme_is_in_the_list() -> None:
    assert set(CARDS) == set(MODELS)


@pytest.mark.parametrize("name", CARDS)
def test_every_row_of_a_card_in_readme_is_on_the_page(name: str, page: AppTest) -> None:
    choose(page, name)
    wanted = in_readme(f"card:{name}")
    assert len(wanted) > 3
    assert wanted - on_page(page) == set()
    assert not page.error
    text = said(page)
    for heading in ("Limits", "Intended use.", "Split.", "Started from.", "Thresholds."):
        assert f"**{heading}**" in text


@pytest.mark.parametrize("mark", TABS)
def test_every_other_table_of_readme_is_on_the_page(mark: str, page: AppTest) -> None:
    open_tab(page, TABS[mark])
    wanted = in_readme(mark)
    assert len(wanted) > 10
    assert wanted - on_page(page) == set()
    assert not page.error


def test_one_model_is_shown_at_a_time(page: AppTest) -> None:
    first = on_page(page)
    assert first >= in_readme("card:followup")
    second = on_page(choose(page, "vq"))
    assert second & in_readme("card:followup") <= in_readme("card:vq")


def test_a_link_chooses_the_model_and_the_address_follows(app: AppTest) -> None:
    app.query_params[PARAMETER] = "bone_age"
    app.switch_page("pages/models.py").run()
    assert app.selectbox(key=KEY).value == "bone_age"
    assert "Greulich and Pyle" in said(app)
    choose(app, "vq")
    assert app.selectbox(key=KEY).value == "vq"
    assert app.query_params[PARAMETER] == "vq"
    app.query_params[PARAMETER] = "lung_field"
    app.run()
    assert app.selectbox(key=KEY).value == "lung_field"


def test_an_unknown_link_is_said(app: AppTest) -> None:
    app.query_params[PARAMETER] = "Zebedee"
    app.switch_page("pages/models.py").run()
    assert "names a model that is not here" in app.warning[0].value
    assert "Zebedee" not in said(app)
    assert app.selectbox(key=KEY).value == "followup"
    app.run()
    assert not app.warning


def test_the_choice_survives_a_page_switch(page: AppTest) -> None:
    choose(page, "image_guard")
    page.query_params.clear()
    page.switch_page("pages/start.py").run()
    page.switch_page("pages/models.py").run()
    assert page.selectbox(key=KEY).value == "image_guard"


def test_calibration_is_drawn_from_scores_or_from_the_card(page: AppTest) -> None:
    choose(page, "tuberculosis")
    assert page.get("plotly_chart")
    assert "Images in 15 bins" in said(page)
    assert "Cross-family parts" in said(page)
    choose(page, "followup")
    assert page.get("plotly_chart")
    assert "the card's slope and intercept as curves" in said(page)
    choose(page, "bone_age")
    assert "An age has no score to calibrate" in said(page)
    choose(page, "lung_field")
    assert not page.get("plotly_chart")
    assert "Calibration was not measured." in said(page)


@pytest.mark.parametrize("name", ["followup", "vq"])
def test_readmes_words_stand_beside_its_tables(page: AppTest, name: str) -> None:
    choose(page, name)
    words = notes(MODELS[name].title)
    assert len(words) > 500
    assert words in [text.value for text in page.markdown]


def test_readmes_words_on_all_figures_are_on_the_page(page: AppTest) -> None:
    for tab, title in (("reproduction", "What the sources claim"), ("audit", "Copies"), ("bench", "Speed")):
        open_tab(page, TABS[tab])
        words = "\n\n".join(text.value for text in page.markdown)
        assert notes(title) in words
        assert tab != "reproduction" or notes("What was measured") in words


def test_of_many_parts_the_one_asked_for_is_drawn(page: AppTest) -> None:
    choose(page, "nih14")
    card = read_card(WEIGHTS / "nih14" / "card.json")
    asked = page.selectbox(key="models.nih14.calibration.part")
    assert [name.partition(":")[0] for name in asked.options] == list(card.thresholds)
    asked.set_value(asked.options[3]).run()
    words = said(page)
    assert "equally many to a point" in words
    assert "**A.**" not in words, "the list above names it"
    assert "Cross-family parts" not in words


def test_the_findings_error_of_calibration_is_that_of_the_scores_drawn() -> None:
    parts = read_scores(WEIGHTS / "nih14")
    stated = read_card(WEIGHTS / "nih14" / "card.json").metric("ECE", "part that reports, other patients")
    found = np.mean([expected_calibration_error(part.targets, part.scores, 10) for part in parts])
    assert found == pytest.approx(stated.value, abs=1e-6)


def test_claims_of_the_source_stand_beside_each_task(page: AppTest) -> None:
    assert ("AUC for change, internal test", "0.797") in {row[:2] for row in on_page(page)}
    assert "contradicts itself" in said(page)
    assert "What the source claims" not in said(choose(page, "image_guard"))


def test_missing_weights_say_the_command(app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "WEIGHTS", tmp_path)
    app.switch_page("pages/models.py").run()
    assert MODELS["followup"].train_command in app.error[0].value
    assert not app.exception
    open_tab(app, TABS["reproduction"])
    assert not app.error
    assert len(app.table) == 5


def test_damaged_scores_are_said(app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tuberculosis").mkdir()
    shutil.copy(WEIGHTS / "tuberculosis" / "card.json", tmp_path / "tuberculosis")
    (tmp_path / "tuberculosis" / "scores.csv").write_text("part,target,score\n")
    monkeypatch.setattr(models, "WEIGHTS", tmp_path)
    app.query_params[PARAMETER] = "tuberculosis"
    app.switch_page("pages/models.py").run()
    assert "damaged" in app.info[0].value
    assert len(app.table) > 2
    assert not app.exception


def test_a_missing_record_of_the_benchmarks_is_said(
    page: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speed, "read_record", partial(speed.read_record, tmp_path / "absent.json"))
    open_tab(page, TABS["bench"])
    assert "make bench" in page.error[0].value


@pytest.mark.parametrize("text", [None, "{", "[]", '{"sets": 1}'], ids=["missing", "no JSON", "a list", "no parts"])
def test_an_audit_that_cannot_be_read_is_one_sentence(text: str | None, tmp_path: Path) -> None:
    file = tmp_path / "audit.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(InputError, match=r"train\.audit_split"):
        read_audit(file)


def test_the_diagram_lies_on_the_diagonal_where_scores_mean_what_they_say() -> None:
    generator = np.random.default_rng(0)
    scores = generator.uniform(0, 1, 4000)
    right = ScoredPart("right", False, (generator.uniform(0, 1, 4000) < scores).astype(np.int64), scores)
    high = ScoredPart("too high", True, (generator.uniform(0, 1, 4000) < scores**3).astype(np.int64), scores)
    figure = reliability_figure([right, high])
    ideal, first, second = figure.data
    assert list(ideal.x) == list(ideal.y) == [0, 1]
    assert np.abs(np.array(first.y) - np.array(first.x)).max() < 0.1
    assert np.mean(np.array(second.y) - np.array(second.x)) < -0.1
    assert first.name == "A: 4,000 images"
    assert second.name == "B, optimistic: 4,000 images"
    low, up = np.array(first.error_y.arrayminus), np.array(first.error_y.array)
    assert (low >= 0).all()
    assert (up >= 0).all()
    assert figure.layout.yaxis.scaleanchor == "x"


def test_the_diagram_shows_every_scored_image() -> None:
    parts = read_scores(WEIGHTS / "tuberculosis")
    for trace, part in zip(reliability_figure(parts).data[1:], parts, strict=True):
        counted = sum(int(words.split(" images")[0].replace(",", "")) for words in trace.customdata)
        assert counted == len(part.targets)


def test_few_images_of_low_scores_are_drawn_large() -> None:
    generator = np.random.default_rng(0)
    scores = generator.uniform(0, 0.1, 108)
    few = ScoredPart("few", False, (np.arange(108) < 4).astype(np.int64), scores)
    figure = reliability_figure([few])
    counted = [int(words.split(" images")[0]) for words in figure.data[1].customdata]
    assert counted == [18] * 6
    highest = max(y + up for y, up in zip(figure.data[1].y, figure.data[1].error_y.array, strict=True))
    assert highest < figure.layout.yaxis.range[1] < 0.6
    assert figure.layout.xaxis.range == figure.layout.yaxis.range


def test_a_fit_is_read_off_the_card_and_drawn() -> None:
    card = read_card(WEIGHTS / "vq" / "card.json")
    fits = fits_of(card)
    assert len(fits) == sum(metric.name == "calibration slope" for metric in card.metrics)
    assert fits[0].slope == card.metric("calibration slope", fits[0].name).value
    ideal = Fit("ideal", 1.0, 0.0, 10)
    shifted = Fit("scores too high", 1.0, -2.0, 10)
    _, on, below = fitted_figure([ideal, shifted]).data
    np.testing.assert_allclose(on.y, on.x, atol=1e-12)
    assert (np.array(below.y) < np.array(below.x)).all()
    assert fits_of(replace(card, metrics=())) == []
