"""The bone age page for one radiograph: age, interval, plot, simulated hands, edits, atlas, exports."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cxrkit.age_interval import COVERED_UNSTATED, IntervalRule
from cxrkit.age_reading import read_age
from cxrkit.card import Metric
from cxrkit.explain import EXPECTED, Method, explain
from cxrkit.image import read_image
from cxrkit.phantoms import simulate_hand
from cxrkit.predict import encode, predict
from cxrkit.task import ModelInput
from cxrkit.tasks.bone_age import BONE_AGE as TASK
from cxrkit.weights import load_model
from pages.ui import hand_samples
from pages.ui.age_export import age_json, age_png
from pages.ui.age_plot import age_figure
from pages.ui.age_reading import HandReading
from pages.ui.age_results import interval_in_words
from pages.ui.hand_samples import settings_of
from pages.ui.model_input import SWAPS, TURNS
from tests.models_for_tests import small_card
from tests.pages.bone_age_page import CANARY, cards, sample, state, upload, widget
from tests.pages.conftest import chest, hand, png
from tests.pages.test_app import said

Opened = Callable[[str], AppTest]


@pytest.fixture(autouse=True)
def _small_hands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulated hands are smaller than people get them."""
    monkeypatch.setattr(hand_samples, "simulate_hand", lambda settings: simulate_hand(replace(settings, size=320)))


@pytest.fixture
def page(opened: Opened) -> AppTest:
    """The page with an uploaded hand on it."""
    return upload(opened(TASK.name), png(hand()))


def test_an_upload_gives_age_interval_likeliest_class_and_distribution(page: AppTest) -> None:
    assert list(cards(page)) == ["Bone age", "Interval", "SD score", "Likeliest class"], "nothing is promised unstated"
    assert cards(page)["SD score"] == "–"
    text = said(page)
    assert "the mean of the distribution" in text
    assert "Conformal" in text
    assert "State the child's own age" in text
    assert "box around the hand" in text
    assert "Share of this heat on the hand" in text
    assert page.get("plotly_chart")
    assert "The truth" not in text
    assert CANARY not in text


def test_how_many_children_an_interval_holds_is_said_for_what_was_stated() -> None:
    figure = Metric(COVERED_UNSTATED, "part that reports, larger images", 0.85, 0.78, 0.9, 122, "")
    plain = small_card(TASK)
    measured = replace(plain, metrics=(figure,))
    probabilities, sexes = np.full(77, 1 / 77), {"F": 0.6, "M": 0.4}
    stated, unstated = (
        read_age(probabilities, sexes, given, IntervalRule(0.9, False, (), (9.0,), (200,)))
        for given in ({"sex": "F"}, {})
    )
    words = [
        interval_in_words(reading, card)[1].replace("\N{NO-BREAK SPACE}", " ")
        for reading, card in ((stated, measured), (unstated, measured), (unstated, plain))
    ]
    assert "new children from the same source." in words[0]
    assert "without it 85.0 % (78.0 to 90.0) of the larger images that report." in words[1]
    assert "without it that was not measured" in words[2]


@pytest.mark.parametrize("kind", ["two hands", "chest"])
def test_what_is_not_one_hand_is_stopped_until_the_user_insists(opened: Opened, kind: str) -> None:
    pixels, words = {"two hands": (np.hstack([hand(), hand()[:, ::-1]]), "two hands"), "chest": (chest(), "chest")}[
        kind
    ]
    app = upload(opened(TASK.name), png(pixels))
    assert not app.metric
    assert words in app.warning[0].value
    assert "It was not analysed" in said(app)
    widget(app.button, "anyway").click().run()
    assert not app.exception
    assert cards(app)
    assert any("the age means little" in warning.value for warning in app.warning)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("inverted", "black and white were swapped"),
        ("turned", "fingers point to the right"),
        ("right_hand", "Right hand of a girl"),
        ("bright_background", "bone age of 13 years"),
        ("low_contrast", "bone age of 3 years"),
    ],
)
def test_hands_in_other_files_are_read_and_what_was_done_is_said(opened: Opened, name: str, words: str) -> None:
    app = sample(opened(TASK.name), name)
    assert words in said(app)
    assert "box around the hand" in said(app)
    assert cards(app)


def test_a_simulated_hand_is_compared_with_its_truth(opened: Opened) -> None:
    app = opened(TASK.name)
    assert "Its bone age, sex and bones are known" in said(app)
    widget(app.button, "first_sample").click().run()
    text = said(app)
    assert "Simulated image: no patient." in text
    assert "**The truth.** 10 years, a boy." in text
    assert "The interval" in text
    assert "heat on the bones" in text
    # Its header states the sex, which is offered and not taken.
    assert widget(app.segmented_control, "sex").value == ""
    widget(app.button, "header_sex").click().run()
    assert "told that this is a boy" in said(app)
    widget(app.button, "leave_sample").click().run()
    assert not app.metric


def test_edits_are_compared_with_the_unedited_reading(page: AppTest) -> None:
    page.session_state["bone_age.model_input"] = True
    state(page, "F")
    assert min(widget(page.selectbox, "size").options)[:3] == "192"
    before = cards(page)["Bone age"]
    widget(page.slider, "brightness").set_value(0.2).run()
    assert "Bone age, edited" in cards(page)
    assert "The edits move the bone age by" in said(page)
    widget(page.selectbox, "turn").set_value(next(name for name, turns in TURNS.items() if turns == 2))
    widget(page.selectbox, "swap").set_value(next(name for name, swap in SWAPS.items() if swap)).run()
    text = said(page)
    assert "brightness +0.20; turned by 180° clockwise; black and white swapped" in text
    assert "Turned by 180° clockwise" in text
    widget(page.button, "reset").click().run()
    assert cards(page)["Bone age"] == before
    assert not page.exception


def test_the_heatmap_explains_what_is_asked_for(page: AppTest) -> None:
    likeliest = said(page)
    widget(page.selectbox, "label").set_value("60 months").run()
    assert "for “60 months”" in said(page)
    widget(page.selectbox, "label").set_value(EXPECTED)
    widget(page.selectbox, "method").set_value(Method.LAYER_CAM).run()
    assert "LayerCAM map for “expected value”" in said(page)
    assert "expected value" not in likeliest
    assert not page.exception


def test_the_atlas_strip_is_made_when_opened(page: AppTest) -> None:
    assert "no substitute" not in said(page)
    page.session_state["bone_age.atlas"] = True
    page.run()
    text = said(page)
    assert "The sex is not stated: these are hands of a" in text
    assert "no substitute for the atlas of Greulich and Pyle" in text
    assert "**This hand**, read as" in text
    state(page, "M")
    assert "Hands of a boy, as stated." in said(page)
    assert not page.exception


def test_about_says_how_the_interval_was_made(page: AppTest) -> None:
    page.session_state["bone_age.about"] = True
    page.run()
    assert "from 360 carved cases. A stated sex is contradicted from a probability of 0.900." in said(page)


@pytest.fixture(scope="module")
def readings(small_root: Path) -> tuple[HandReading, HandReading]:
    """An unedited and an edited reading, as the page makes them."""
    loaded, image = load_model(TASK, small_root), read_image(png(hand()), f"{CANARY}.png")
    found = []
    for edits in (ModelInput(), ModelInput(brightness=0.2)):
        prepared = TASK.prepare([image], {"sex": "F", "age_months": 90}, edits)
        encoded = encode(loaded, prepared)
        prediction = predict(loaded, prepared, encoded, [image])
        (heatmap,) = explain(loaded, prepared, encoded, [prediction.label])
        found.append(HandReading(edits, prepared, prediction, heatmap))
    return found[0], found[1]


def test_the_page_says_what_the_library_says(page: AppTest, readings: tuple[HandReading, HandReading]) -> None:
    state(page, "F", months="90")
    reading = readings[0]
    text = said(page)
    assert f"({reading.age.expected:.1f} months)" in text
    assert reading.age.sd is not None
    assert reading.age.sd.score is not None
    assert cards(page)["SD score"] == f"{reading.age.sd.score.value:+.1f}"
    assert f"for “{reading.heatmap.label}”: **{reading.heatmap.maximum:.3g}**" in text


def test_result_json_says_everything_and_nothing_of_the_file(
    readings: tuple[HandReading, HandReading], small_root: Path
) -> None:
    card = load_model(TASK, small_root).card
    text = age_json(TASK, card, readings)
    result, age = json.loads(text), readings[1].age
    assert result["weights"] == card.sha256
    assert result["bone_age_months"] == age.expected
    assert result["likeliest_class_months"] == age.likeliest
    assert result["interval_months"] == list(age.interval or ())
    assert list(result["probabilities"].values()) == list(age.probabilities)
    assert (result["sex_stated"], result["chronological_age_months"]) == ("F", 90)
    assert result["sd_score"]["table_age"] == 84
    assert result["unedited_bone_age_months"] == readings[0].age.expected
    assert result["edits"]["brightness"] == 0.2
    assert result["crop"]["chosen_by"] == "hand"
    assert result["versions"]["torch"]
    assert CANARY not in text
    assert "simulated" not in result
    made = json.loads(age_json(TASK, card, readings, settings_of("boy_10")))["simulated"]
    assert made == {"bone_age_months": 120, "sex": "male"}


def test_overlay_is_a_picture_with_a_legend(readings: tuple[HandReading, HandReading], small_root: Path) -> None:
    card, image = load_model(TASK, small_root).card, read_image(png(hand()), f"{CANARY}.png")
    data = age_png(TASK, card, image, readings[0], settings_of("boy_10"))
    drawn = Image.open(io.BytesIO(data))
    assert CANARY.encode() not in data
    assert drawn.info == {}
    assert drawn.height > 1600


def test_the_plot_marks_interval_expected_own_and_true_age(readings: tuple[HandReading, HandReading]) -> None:
    reading = readings[0].age
    figure = age_figure(reading, truth=96)
    bars, *lines = figure.data
    (band,) = figure.layout.shapes
    assert len(bars.x) == 77
    assert list(bars.y) == list(reading.probabilities)
    assert reading.interval == pytest.approx((12 * band.x0, 12 * band.x1))
    assert band.layer == "below"
    assert [line.x[0] * 12 for line in lines] == pytest.approx([reading.expected, 90, 96])
    low, high = figure.layout.xaxis.range
    assert low < min(90 / 12, band.x0)
    assert high > band.x1
    alone = age_figure(replace(reading, interval=None, coverage=None, age=None))
    assert not alone.layout.shapes
    assert [trace.name for trace in alone.data] == ["probability of each class", "expected bone age"]
