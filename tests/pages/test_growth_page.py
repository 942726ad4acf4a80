"""Several visits on the bone age page: uploads, bad rows, a simulated child, the table to take away."""

import csv
import io
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cxrkit.phantoms import HandSettings, simulate_hand
from pages.ui import growth, growth_samples
from pages.ui.growth_images import MOST
from pages.ui.growth_samples import CHILD
from pages.ui.growth_table import AGES, DATES
from tests.dicom_files import make_dicom
from tests.pages.conftest import png

KEY = "bone_age.growth"


@cache
def hand(bone_age: int) -> np.ndarray:
    """A simulated hand in 0 to 255, 400 pixels high: it passes the image guard."""
    return np.round(simulate_hand(HandSettings(21, bone_age, "male", size=400)).values * 255)


@pytest.fixture
def page(opened: Callable[[str], AppTest], monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The mode without images; its simulated child is smaller than people get it."""
    monkeypatch.setattr(growth_samples, "SIZE", 400)
    at = opened("bone_age")
    at.button(key="acknowledge").click().run()
    at.segmented_control(key="bone_age.mode").set_value("Several visits").run()
    return at


@pytest.fixture
def child(page: AppTest) -> AppTest:
    """The simulated child."""
    return page.button(key=f"{KEY}.first_sample").click().run()


def upload(at: AppTest, *files: tuple[str, bytes]) -> AppTest:
    at.file_uploader(key=f"{KEY}.upload").set_value([(name, data, "image/png") for name, data in files])
    return at.run()


def type_in(at: AppTest, rows: dict[int, dict[str, str]]) -> AppTest:
    (editor,) = at.data_editor
    at.session_state[editor.key] = {"edited_rows": rows, "added_rows": [], "deleted_rows": []}
    return at.run()


def texts(at: AppTest) -> str:
    elements = (*at.markdown, *at.caption, *at.warning, *at.info, *at.error)
    return "\n".join(str(element.value) for element in elements)


def rows_of(at: AppTest, column: str) -> list[str]:
    """A column of the table of visits."""
    table = next(each.value for each in at.dataframe if "Bone age" in each.value and "File" in each.value)
    return list(table[column])


def test_a_simulated_child_has_its_truth_beside_and_each_visit_can_be_shown(child: AppTest) -> None:
    assert not child.exception
    assert not child.error
    assert "Simulated images: no patient." in texts(child)
    assert child.segmented_control(key=f"{KEY}.simulated.sex").value == "M"
    assert rows_of(child, "Own age") == ["5 y", "7 y", "9 y", "11 y", "13 y"]
    assert rows_of(child, "True bone age") == ["4 y 10 m", "6 y 6 m", "7 y", "10 y", "12 y 9 m"]
    assert {"Visits", "Growth between visits", "One visit"} <= {each.value for each in child.subheader}
    child.selectbox(key=f"{KEY}.show").select(3).run()
    assert "Image 3; own age 9 years" in texts(child)


def test_a_wrong_age_costs_its_row_alone_and_survives_a_page_switch(child: AppTest) -> None:
    type_in(child, {1: {"years": "-7"}, 2: {"years": "nine"}})
    assert not child.exception
    assert [each.value.split(".")[0] for each in child.error] == ["**Image 2", "**Image 3"]
    assert rows_of(child, "Image") == ["1", "4", "5", "2", "3"]
    assert rows_of(child, "Own age")[3:] == ["–", "–"]
    assert "–" not in rows_of(child, "Bone age")
    child.switch_page("pages/start.py").run()
    child.switch_page("pages/bone_age.py").run()
    assert len(child.error) == 2


def test_without_a_sex_there_is_no_score_and_it_is_said_once(child: AppTest) -> None:
    child.segmented_control(key=f"{KEY}.simulated.sex").set_value("").run()
    assert not child.exception
    assert set(rows_of(child, "SD score")) == {"–"}
    assert texts(child).count("The sex is not stated") == 1
    assert "The sex was not stated" not in texts(child)


def test_bad_files_are_named_and_the_others_read(page: AppTest) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (256, 256))
    upload(page, ("one.png", png(hand(60))), ("bad.dcm", b"no image at all"), ("noise.png", png(noise)))
    assert not page.exception
    assert [each.value.split(".**")[0] for each in page.error] == [r"**Image 2 (bad\.dcm)"]
    assert any(each.value.startswith(r"**Image 3 (noise\.png).**") for each in page.warning)
    assert rows_of(page, "Image") == ["1"]
    assert "not known yet for image 1" in texts(page)
    assert not page.get("plotly_chart")
    page.button(key=f"{KEY}.anyway.3").click().run()
    assert rows_of(page, "Image") == ["1", "3"]


def test_another_child_takes_over_nothing(page: AppTest) -> None:
    upload(page, ("one.png", png(hand(60))))
    page.segmented_control(key=f"{KEY}.sex").set_value("F").run()
    page.segmented_control(key=f"{KEY}.by").set_value(DATES).run()
    page.text_input(key=f"{KEY}.birth").set_value("2016-05-31").run()
    upload(page, ("one.png", png(hand(60))), ("two.png", png(hand(84))))
    assert page.segmented_control(key=f"{KEY}.sex").value == "F", "a later image of the same child"
    upload(page)
    upload(page, ("other.png", png(hand(96))))
    assert rows_of(page, "File") == ["other.png"]
    assert page.segmented_control(key=f"{KEY}.sex").value == ""
    assert page.segmented_control(key=f"{KEY}.by").value == AGES


def test_images_of_another_child_that_overlap_take_over_nothing(page: AppTest) -> None:
    """The second child's images come before the first one's go."""
    first, second = (("one.png", png(hand(60))), ("two.png", png(hand(84)))), (("other.png", png(hand(96))),)
    upload(page, *first)
    page.segmented_control(key=f"{KEY}.sex").set_value("F").run()
    upload(page, *first, *second)
    assert page.segmented_control(key=f"{KEY}.sex").value == "F"
    upload(page, *second)
    assert page.segmented_control(key=f"{KEY}.sex").value == ""


def test_uploads_stay_over_a_page_switch_and_later_ones_join_them(page: AppTest) -> None:
    upload(page, ("one.png", png(hand(60))), ("same.png", png(hand(60))))
    assert r"same\.png: the same image was given before" in texts(page)
    page.switch_page("pages/start.py").run()
    page.switch_page("pages/bone_age.py").run()
    assert "In use: one.png" in [each.value for each in page.text]
    upload(page, ("two.png", png(hand(84))))
    assert rows_of(page, "File") == ["one.png", "two.png"]
    type_in(page, {0: {"years": "5"}, 1: {"years": "7"}})
    assert page.get("plotly_chart")
    page.button(key=f"{KEY}.remove").click().run()
    assert rows_of(page, "File") == ["two.png"]


def test_ages_from_dates_on_the_page(page: AppTest) -> None:
    upload(page, ("one.png", png(hand(60))), ("two.png", png(hand(84))))
    page.segmented_control(key=f"{KEY}.by").set_value("Dates").run()
    page.text_input(key=f"{KEY}.birth").set_value("2012-02-10").run()
    type_in(page, {0: {"date": "2017-02-10"}, 1: {"date": "2011-01-01"}})
    assert not page.exception
    assert [each.value.split(".")[0] for each in page.error] == ["**Image 2"]
    assert rows_of(page, "Own age") == ["5 y", "–"]
    page.text_input(key=f"{KEY}.birth").set_value("10/02/2012").run()
    assert "The date of birth cannot be read" in page.error[0].value


def dated(bone_age: int, date: str) -> bytes:
    return make_dicom(hand(bone_age).astype(np.uint8), AcquisitionDate=date)


def test_ages_are_filled_in_from_the_dates_in_the_files_when_asked_for(page: AppTest) -> None:
    upload(page, ("one.dcm", dated(60, "20180301")), ("two.dcm", dated(84, "20200901")), ("three.png", png(hand(78))))
    type_in(page, {0: {"years": "5", "months": "1"}})
    assert rows_of(page, "Own age") == ["5 y 1 m", "–", "–"]
    page.button(key=f"{KEY}.fill").click().run()
    assert not page.exception
    assert rows_of(page, "Own age") == ["5 y 1 m", "7 y 7 m", "–"]
    type_in(page, {1: {"years": "4"}})
    assert "By the dates in the files image 2 was taken 2 years 6 months after image 1" in texts(page)
    page.segmented_control(key=f"{KEY}.by").set_value("Dates").run()
    page.text_input(key=f"{KEY}.birth").set_value("2013-03-01").run()
    assert set(rows_of(page, "Own age")) == {"–"}
    page.checkbox(key=f"{KEY}.headers").check().run()
    assert rows_of(page, "Own age") == ["5 y", "7 y 6 m", "–"]
    assert "2018" not in texts(page)


def test_of_a_file_with_several_frames_one_is_chosen(page: AppTest) -> None:
    file = io.BytesIO()
    first, second = (Image.fromarray(hand(age).astype(np.uint8)) for age in (60, 84))
    first.save(file, "TIFF", save_all=True, append_images=[second])
    upload(page, ("one.png", png(hand(60))), ("two.tif", file.getvalue()))
    assert not page.exception
    assert "This file holds 2 frames" in page.error[0].value
    assert rows_of(page, "Image") == ["1"]
    page.number_input[0].set_value(2).run()
    assert not page.error
    assert rows_of(page, "Image") == ["1", "2"]


def test_more_files_than_are_read_are_said(page: AppTest) -> None:
    upload(page, *((f"{number}.png", b"no image " + bytes([number])) for number in range(MOST + 1)))
    assert not page.exception
    assert "13 files were given; the first 12 are read" in texts(page)
    assert len(page.error) == MOST


def test_the_table_is_made_when_asked_for(child: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    made: dict[str, Any] = {}
    monkeypatch.setattr(growth.st, "download_button", lambda label, data, **_: made.__setitem__(label, data))
    child.run()
    assert not child.exception
    rows = list(csv.DictReader(io.StringIO(made["Table (CSV)"]())))
    assert [row["true_bone_age_months"] for row in rows] == [f"{each.bone_age:.1f}" for each in CHILD]


def test_an_image_that_is_too_small_to_be_read_costs_itself_alone(page: AppTest) -> None:
    upload(page, ("small.png", png(hand(60)[::40, ::40])), ("two.png", png(hand(84))))
    page.button(key=f"{KEY}.anyway.1").click().run()
    assert not page.exception
    (error,) = page.error
    assert error.value.startswith(r"**Image 1 (small\.png).** ")
    assert rows_of(page, "Image") == ["2"]
    page.selectbox(key=f"{KEY}.show").select(2).run()
    assert len(page.error) == 1
