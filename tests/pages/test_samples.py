"""Simulated cases on the page: chosen, checked against their truth, left again."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cxrkit.explain import explain
from cxrkit.image import Radiograph
from cxrkit.phantoms import SAMPLES, ChestSettings, Lesion, simulate_chest
from cxrkit.predict import encode, predict
from cxrkit.task import ModelInput
from cxrkit.tasks.tuberculosis import TUBERCULOSIS as TASK
from cxrkit.weights import load_model
from pages.ui import samples
from pages.ui.analysis import Reading
from pages.ui.export import overlay_png, result_json
from pages.ui.samples import settings_in_words
from pages.ui.truth import Truth, compare
from tests.pages.conftest import png
from tests.pages.test_app import said

Opened = Callable[[str], AppTest]
CASES = {sample.name: sample for sample in SAMPLES}


@pytest.fixture
def page(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The page without an image; its simulated ones are smaller than people get them."""
    monkeypatch.setattr(samples, "simulate_chest", lambda settings: simulate_chest(replace(settings, size=320)))
    return opened(TASK.name)


def choose(page: AppTest, name: str | None) -> AppTest:
    page.selectbox(key="tuberculosis.sample").set_value(name).run()
    assert not page.exception
    assert not page.error
    return page


def upload(page: AppTest) -> AppTest:
    return page.file_uploader(key="tuberculosis.upload").set_value(("own.png", png(), "image/png")).run()


def test_the_empty_page_opens_a_simulated_case_with_one_click(page: AppTest) -> None:
    assert "No image at hand?" in said(page)
    page.button(key="tuberculosis.first_sample").click().run()
    assert page.selectbox(key="tuberculosis.sample").value == "cavity"
    assert page.metric
    assert not page.exception


def test_a_cavity_has_a_score_and_is_checked(page: AppTest) -> None:
    choose(page, "cavity")
    assert 0 <= float(page.metric[0].value) <= 1
    text = said(page)
    assert "Simulated image: no patient." in text
    assert "cavity in the right upper zone" in text
    assert "Is the heatmap right?" in text
    assert "of the heat lies inside it" in text
    (table,) = [frame.value for frame in page.dataframe if "Heat inside" in frame.value]
    assert list(table["Lesion"]) == ["cavity"]
    assert "Zhang et al. 2016" in text


def test_a_large_heart_is_no_sign_of_tuberculosis(page: AppTest) -> None:
    choose(page, "enlarged_heart")
    assert "Enlarged heart is no usual sign of “tuberculosis”" in said(page)


def test_a_normal_chest_has_nothing_to_mark(page: AppTest) -> None:
    choose(page, "normal_man")
    assert "There is **no lesion** in this image" in said(page)
    assert not [frame for frame in page.dataframe if "Heat inside" in frame.value]


def test_an_upload_has_no_known_truth(page: AppTest) -> None:
    upload(page)
    assert "Simulated image" not in said(page)
    assert "Is the heatmap right?" not in said(page)


def test_leaving_the_case_brings_the_empty_page_back(page: AppTest) -> None:
    choose(page, "cavity")
    page.button(key="tuberculosis.leave_sample").click().run()
    assert not page.metric
    assert page.info
    assert page.selectbox(key="tuberculosis.sample").value is None


def test_an_upload_replaces_the_case_and_a_case_the_upload(page: AppTest) -> None:
    upload(page)
    own = page.metric[0].value
    choose(page, "cavity")
    assert "Simulated image: no patient." in said(page)
    back = page.button(key="tuberculosis.leave_sample")
    assert back.label == "Back to my image"
    back.click().run()
    assert page.metric[0].value == own
    assert "Simulated image" not in said(page)
    choose(page, "nodule")
    other = np.ascontiguousarray(np.asarray(Image.open(io.BytesIO(png())))[:, ::-1])
    page.file_uploader(key="tuberculosis.upload").set_value(("other.png", png(other), "image/png")).run()
    assert page.selectbox(key="tuberculosis.sample").value is None
    assert "Simulated image" not in said(page)
    assert page.metric


def test_the_case_survives_a_page_switch(page: AppTest) -> None:
    score = choose(page, "cavity").metric[0].value
    page.switch_page("pages/start.py").run()
    page.switch_page("pages/tuberculosis.py").run()
    assert page.selectbox(key="tuberculosis.sample").value == "cavity"
    assert page.metric[0].value == score


def test_a_new_patient_follows_the_controls(page: AppTest) -> None:
    choose(page, "new")
    assert "cavity in the right upper zone; seed 100" in said(page)
    page.selectbox(key="tuberculosis.new.kind").set_value("nodule")
    page.selectbox(key="tuberculosis.new.side").set_value("left")
    page.slider(key="tuberculosis.new.strength").set_value(0.5)
    page.button(key="tuberculosis.new.another").click().run()
    assert "nodule in the left upper zone, 0.5 times the usual contrast; seed 101" in said(page)
    page.switch_page("pages/start.py").run()
    page.switch_page("pages/tuberculosis.py").run()
    assert "nodule in the left upper zone, 0.5 times the usual contrast; seed 101" in said(page)
    page.selectbox(key="tuberculosis.new.kind").set_value("none").run()
    assert page.selectbox(key="tuberculosis.new.side").disabled
    assert "no lesion; seed 101" in said(page)
    assert "There is **no lesion** in this image" in said(page)
    assert not page.exception


def test_edits_are_compared_beside_the_unedited_reading(page: AppTest) -> None:
    choose(page, "cavity")
    page.session_state["tuberculosis.model_input"] = True
    page.run()
    page.slider(key="tuberculosis.brightness").set_value(0.3).run()
    (table,) = [frame.value for frame in page.dataframe if "Heat inside" in frame.value]
    assert list(table["Reading"]) == ["Unedited", "Edited"]


def test_settings_are_said_in_words() -> None:
    lesions = (Lesion("effusion", "left", "lower"), Lesion("enlarged heart"))
    settings = ChestSettings(9, "female", "large", 0.6, lesions, view="AP")
    assert settings_in_words(settings) == (
        "Woman, large build, bedside AP view, 60 % of a full breath; effusion on the left and enlarged heart; seed 9."
    )


def reading_of(image: Radiograph, root: Path) -> Reading:
    loaded = load_model(TASK, root)
    prepared = TASK.prepare([image], {}, ModelInput())
    encoded = encode(loaded, prepared)
    (heatmap,) = explain(loaded, prepared, encoded, [TASK.positive])
    return Reading(ModelInput(), prepared, predict(loaded, prepared, encoded, [image]), heatmap)


@pytest.fixture(scope="module")
def cavity() -> tuple[Radiograph, Truth]:
    case = simulate_chest(replace(CASES["cavity"].settings, size=512))
    return case.radiograph(), case.lesions


def test_files_say_and_show_the_truth(cavity: tuple[Radiograph, Truth], small_root: Path) -> None:
    image, truth = cavity
    reading = reading_of(image, small_root)
    card = load_model(TASK, small_root).card
    (lesion,) = json.loads(result_json(TASK, card, [reading], truth))["simulated"]["lesions"]
    ((kind, found),) = compare(truth, reading)
    assert lesion["lesion"] == kind == "cavity"
    assert lesion["share"] == pytest.approx(found.share)
    assert lesion["hit"] is found.hit
    assert "simulated" not in json.loads(result_json(TASK, card, [reading]))
    plain, outlined = (
        np.asarray(Image.open(io.BytesIO(overlay_png(TASK, card, image, reading, shown)))).astype(int)
        for shown in (None, truth)
    )
    rows = round(512 * 1600 / max(image.values.shape))
    changed = np.abs(outlined[:rows] - plain[:rows]).max(axis=2) > 0
    scale = 1600 / max(image.values.shape)
    down, across = (at / scale for at in np.nonzero(changed))
    assert changed.sum() > 200
    lies, columns = np.nonzero(truth[0][1])
    assert down.min() == pytest.approx(lies.min(), abs=4)
    assert down.max() == pytest.approx(lies.max(), abs=4)
    assert across.min() == pytest.approx(columns.min(), abs=4)
    assert across.max() == pytest.approx(columns.max(), abs=4)
    drawn = outlined[:rows][changed]
    assert (drawn.min(axis=1) > 250).any(), "white dashes"
    assert (drawn.max(axis=1) < 5).any(), "on black"


def test_a_map_without_heat_is_said_so(cavity: tuple[Radiograph, Truth], small_root: Path) -> None:
    image, truth = cavity
    reading = reading_of(image, small_root)
    empty = replace(reading.heatmap, values=np.zeros_like(reading.heatmap.values), maximum=0.0)
    card = load_model(TASK, small_root).card
    result = json.loads(result_json(TASK, card, [replace(reading, heatmap=empty)], truth))
    assert result["simulated"]["lesions"] == [{"lesion": "cavity"}]
