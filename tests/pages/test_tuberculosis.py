"""The tuberculosis page: score, edits beside the unedited reading, threshold, heatmap, exports."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cxrkit.card import WEIGHTS, Card, read_card
from cxrkit.explain import Method, explain
from cxrkit.image import Radiograph, read_image
from cxrkit.predict import encode, predict
from cxrkit.task import ModelInput
from cxrkit.tasks.tuberculosis import TUBERCULOSIS as TASK
from cxrkit.weights import load_model
from pages.ui.analysis import Reading
from pages.ui.export import overlay_png, result_json
from pages.ui.several_uploads import in_markdown
from tests.dicom_files import make_dicom
from tests.pages.conftest import chest, png
from tests.pages.test_app import said

CANARY = "Zebedee"
Opened = Callable[[str], AppTest]


@pytest.fixture
def page(opened: Opened) -> AppTest:
    """The page with a simulated chest on it."""
    app = opened(TASK.name)
    app.file_uploader(key="tuberculosis.upload").upload(f"{CANARY}.png", png()).run()
    assert not app.exception
    assert not app.error
    app.session_state["tuberculosis.model_input"] = True
    return app.run()


def widget(kind: Any, name: str) -> Any:
    return kind(key=f"tuberculosis.{name}")


def box(app: AppTest) -> list[int]:
    return [widget(app.number_input, edge).value for edge in ("left", "top", "right", "bottom")]


def test_upload_gives_a_score(page: AppTest) -> None:
    (score,) = page.metric
    assert 0 <= float(score.value) <= 1
    assert "elow the threshold 0.50" in said(page) or "bove the threshold 0.50" in said(page)
    assert "square around both lungs" in said(page)
    assert "Raw maximum of the Grad-CAM map" in said(page)


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("slider", "brightness", 0.3),
        ("slider", "contrast", 1.8),
        ("slider", "sharpness", 2.0),
        ("selectbox", "size", 320),
        ("number_input", "left", 90),
        ("selectbox", "swap", "Swapped"),
    ],
)
def test_every_edit_is_shown_beside_the_unedited_reading(
    page: AppTest, kind: str, name: str, value: float | str
) -> None:
    before = page.metric[0].value
    widget(getattr(page, kind), name).set_value(value).run()
    unedited, edited = page.metric
    assert unedited.value == before
    assert unedited.label.endswith("unedited")
    assert edited.label.endswith("edited")
    assert "The edits move the score" in said(page)
    words = {"left": "crop", "swap": "black and white swapped"}
    assert f"Edits: {words.get(name, name)}" in said(page)
    widget(page.button, "reset").click().run()
    assert len(page.metric) == 1
    assert not page.exception


def test_crop_fields_start_at_the_automatic_box_and_return_to_it(page: AppTest) -> None:
    automatic = box(page)
    assert widget(page.button, "automatic").disabled
    widget(page.number_input, "left").set_value(20).run()
    assert box(page) == [20, *automatic[1:]]
    assert "Your crop box." in said(page)
    widget(page.button, "automatic").click().run()
    assert box(page) == automatic
    assert "Your crop box." not in said(page)
    widget(page.button, "whole").click().run()
    assert box(page)[:2] == [0, 0]
    assert [widget(page.number_input, edge).max for edge in ("right", "bottom")] == box(page)[2:]
    assert "Your crop box." in said(page)
    assert widget(page.button, "whole").disabled


def test_crossed_crop_edges_stop_short_of_each_other(page: AppTest) -> None:
    right = 300
    widget(page.number_input, "right").set_value(right).run()
    left = box(page)[0]
    widget(page.number_input, "left").set_value(right + 5).run()
    assert box(page)[0] == right - 16
    widget(page.number_input, "right").set_value(left).run()
    assert box(page)[2] == right
    assert not page.error
    assert not page.exception


def test_edits_survive_a_page_switch_but_not_another_image(page: AppTest) -> None:
    widget(page.slider, "brightness").set_value(0.2).run()
    page.switch_page("pages/start.py").run()
    page.switch_page("pages/tuberculosis.py").run()
    assert widget(page.slider, "brightness").value == 0.2
    assert len(page.metric) == 2
    other = np.ascontiguousarray(np.asarray(Image.open(io.BytesIO(png())))[:, ::-1])
    widget(page.file_uploader, "upload").set_value(("other.png", png(other), "image/png")).run()
    assert widget(page.slider, "brightness").value == 0
    assert len(page.metric) == 1
    assert not page.exception


def test_edits_hold_while_their_controls_are_closed(page: AppTest) -> None:
    widget(page.slider, "brightness").set_value(0.2).run()
    edited = [each.value for each in page.metric]
    page.session_state["tuberculosis.model_input"] = False
    page.run()
    assert "tuberculosis.brightness" not in [each.key for each in page.slider]
    assert [each.value for each in page.metric] == edited
    assert len(edited) == 2
    page.session_state["tuberculosis.model_input"] = True
    page.run()
    assert widget(page.slider, "brightness").value == 0.2


def test_threshold_flips_the_label_and_returns_to_the_cards(page: AppTest) -> None:
    score = float(page.metric[0].value)
    slider = widget(page.slider, "threshold")
    slider.set_value(round(min(score + 0.05, 1), 2)).run()
    assert "Label at this threshold: **normal**" in said(page)
    slider.set_value(round(max(score - 0.05, 0), 2)).run()
    assert "Label at this threshold: **tuberculosis**" in said(page)
    assert float(page.metric[0].value) == score
    widget(page.button, "threshold_reset").click().run()
    assert widget(page.slider, "threshold").value == 0.5


def test_method_and_label_change_the_heatmap(page: AppTest) -> None:
    widget(page.selectbox, "method").set_value(Method.LAYER_CAM).run()
    assert "LayerCAM map" in said(page)
    widget(page.selectbox, "label").set_value("normal").run()
    assert "LayerCAM map for “normal”" in said(page)
    assert not page.exception


def test_multi_frame_file_asks_for_a_frame(opened: Opened) -> None:
    pixels = np.asarray(Image.open(io.BytesIO(png())))
    pages = [Image.fromarray(pixels), Image.fromarray(pixels[:, ::-1].copy())]
    file = io.BytesIO()
    pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:])
    app = opened(TASK.name)
    widget(app.file_uploader, "upload").upload("two.tif", file.getvalue()).run()
    assert not app.metric
    assert "2 frames" in app.info[0].value
    (chooser,) = app.number_input
    chooser.set_value(2).run()
    assert app.metric
    assert not app.exception


def test_about_shows_the_card_once_opened(page: AppTest) -> None:
    assert not page.dataframe
    page.session_state["tuberculosis.about"] = True
    page.run()
    assert any("Untrained weights of a test." in text.value for text in page.markdown)
    figures = page.dataframe[0].value
    assert list(figures["95 % interval"]) == ["0.400 to 0.600"]
    assert "optimistic" in figures["Measured on"][0]


def test_file_name_is_only_on_the_uploaders_own_line(page: AppTest) -> None:
    assert CANARY not in said(page)


def readings_of(image: Radiograph, root: Path) -> tuple[Card, list[Reading]]:
    """An unedited and an edited reading, as the page makes them."""
    loaded = load_model(TASK, root)
    readings = []
    for edits in (ModelInput(), ModelInput(crop=(20, 30, 380, 470), brightness=0.2)):
        prepared = TASK.prepare([image], {}, edits)
        encoded = encode(loaded, prepared)
        (heatmap,) = explain(loaded, prepared, encoded, [TASK.positive])
        readings.append(Reading(edits, prepared, predict(loaded, prepared, encoded, [image]), heatmap))
    return loaded.card, readings


def test_result_json_says_what_was_read_and_by_what(small_root: Path) -> None:
    card, (unedited, edited) = readings_of(read_image(png(), f"{CANARY}.png"), small_root)
    text = result_json(TASK, card, [unedited, edited])
    result = json.loads(text)
    assert result["task"] == "tuberculosis"
    assert result["weights"] == card.sha256
    assert result["scores"] == edited.prediction.scores
    assert result["unedited_scores"] == unedited.prediction.scores
    assert result["threshold"] == 0.5
    assert result["label"] == edited.prediction.label
    assert result["edits"]["brightness"] == 0.2
    assert result["crop"] == {"left": 20, "top": 30, "right": 380, "bottom": 470, "chosen_by": "user"}
    assert result["heatmap"]["method"] == "Grad-CAM"
    assert result["versions"]["torch"]
    assert CANARY not in text


def test_overlay_shows_the_heatmap_in_its_box_and_nothing_of_the_file(small_root: Path) -> None:
    image = read_image(png(), f"{CANARY}.png")
    card, (_, reading) = readings_of(image, small_root)
    data = overlay_png(TASK, card, image, reading)
    assert CANARY.encode() not in data
    drawn = Image.open(io.BytesIO(data))
    assert drawn.info == {}
    pixels = np.asarray(drawn).astype(int)
    height = round(1600 * 480 / 480)
    scale = height / 480
    coloured = np.ptp(pixels[:height], axis=2) > 20
    left, top, right, bottom = (round(edge * scale) for edge in reading.heatmap.box)
    assert coloured[top:bottom, left:right].any()
    coloured[top:bottom, left:right] = False
    assert not coloured.any()
    assert pixels[height:].max() > 200, "a legend lies below"


def test_overlay_of_an_empty_map_is_gray(small_root: Path) -> None:
    image = read_image(png())
    card, (reading, _) = readings_of(image, small_root)
    empty = replace(reading.heatmap, values=np.zeros_like(reading.heatmap.values), maximum=0.0)
    pixels = np.asarray(Image.open(io.BytesIO(overlay_png(TASK, card, image, replace(reading, heatmap=empty)))))
    assert np.ptp(pixels[:1600].astype(int), axis=2).max() == 0


def test_shipped_weights_read_a_drawn_chest(app: AppTest) -> None:
    app.switch_page("pages/tuberculosis.py").run()
    assert not app.error
    widget(app.file_uploader, "upload").upload("chest.png", png()).run()
    assert not app.exception
    assert not app.error
    assert 0 <= float(app.metric[0].value) <= 1
    threshold = read_card(WEIGHTS / TASK.name / "card.json").thresholds[TASK.positive]
    assert widget(app.slider, "threshold").value == threshold


def test_a_hostile_header_is_shown_as_it_was_written(opened: Opened) -> None:
    hostile = "![](https://evil.example/p.png) :red[a] $b$"
    app = opened(TASK.name)
    app.session_state["tuberculosis.file"] = True
    file = make_dicom(np.asarray(chest(), dtype=np.uint8), ManufacturerModelName=hostile)
    app.file_uploader(key="tuberculosis.upload").upload("a.dcm", file).run()
    assert not app.exception
    assert not app.error
    (facts,) = (frame.value for frame in app.table if "Field" in frame.value)
    assert in_markdown(hostile) in list(facts["Value"])
    assert "\\!\\[\\]\\(" in in_markdown(hostile)
    read_as_markdown = [*app.markdown, *app.caption, *app.subheader, *app.warning, *app.metric]
    assert not [element for element in read_as_markdown if "evil" in str(element.proto)]
