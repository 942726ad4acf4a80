"""Three and more images of one patient on the follow-up page."""

import csv
import io
from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cxrkit.phantoms import ChestSettings, simulate_chest
from pages.ui.visits import visit_names
from pages.ui.words import share
from tests.pages.conftest import chest, png
from tests.pages.followup_page import NAME, days, page, second_chest, texts, upload

__all__ = ["page"]


def test_typed_days_out_of_order_are_said(page: AppTest) -> None:
    page.button(key=f"{NAME}.more").click().run()
    third = np.round(simulate_chest(ChestSettings(seed=9, size=320)).values * 255)
    upload(page, png(), png(second_chest()), png(third))
    days(page)[0].set_value(400).run()
    days(page)[1].set_value(10).run()
    assert "not in the order of time: Baseline on day 0, Image 2 on day 400 and Image 3 on day 10" in texts(page)


def test_sentences_on_a_pair_of_a_timeline_name_its_images(page: AppTest) -> None:
    page.button(key=f"{NAME}.more").click().run()
    upload(page, png(), png(), png(second_chest()))
    warnings = [element.value for element in page.warning]
    assert any(text.startswith("Baseline and image 2 are the same image") for text in warnings), warnings
    page.selectbox(key=f"{NAME}.first.3").select("Image 2").run()
    words = texts(page)
    assert "Image 2 reads as" in words or "Both images read as" in words
    assert "The baseline reads" not in words


def test_three_images_become_a_timeline(page: AppTest) -> None:
    page.button(key=f"{NAME}.more").click().run()
    upload(page, png(), png(second_chest()), png(np.fliplr(chest())))
    assert not page.exception
    assert "Timeline" in [element.value for element in page.subheader]
    rows = page.dataframe[0].value
    assert list(rows["Image"]) == visit_names(3)
    assert rows["Score for change"][0] == "–"
    assert "**Image 2 and image 3**" in texts(page)
    page.selectbox(key=f"{NAME}.first.3").select("Baseline").run()
    assert "**Baseline and image 2**" in texts(page)
    page.button(key=f"{NAME}.fewer").click().run()
    assert "Timeline" not in [element.value for element in page.subheader]


@pytest.mark.parametrize("third", [None, b"no image at all"])
def test_a_third_image_that_is_missing_or_bad_leaves_the_pair(page: AppTest, third: bytes | None) -> None:
    page.button(key=f"{NAME}.more").click().run()
    upload(page, png(), png(second_chest()), *([] if third is None else [third]))
    assert not page.exception
    assert len(page.error) == (third is not None)
    assert "Still missing: Image 3. The others are compared." in texts(page)
    assert "**Baseline and image 2**" in texts(page)
    assert page.metric


def test_a_third_image_that_is_stopped_leaves_the_pair(page: AppTest) -> None:
    page.button(key=f"{NAME}.more").click().run()
    noise = np.random.default_rng(0).integers(0, 255, (256, 256))
    upload(page, png(), png(second_chest()), png(noise))
    assert "**Image 3.**" in texts(page)
    assert page.metric
    assert "Timeline" not in [element.value for element in page.subheader]
    page.button(key=f"{NAME}.Image 3.anyway").click().run()
    assert "Timeline" in [element.value for element in page.subheader]


def test_a_third_image_too_tiny_to_be_read_costs_itself_alone_also_where_the_user_insists(page: AppTest) -> None:
    page.button(key=f"{NAME}.more").click().run()
    upload(page, png(), png(second_chest()), png(np.tile([10, 200], (8, 4))))
    page.button(key=f"{NAME}.Image 3.anyway").click().run()
    assert not page.exception
    (error,) = page.error
    assert error.value.startswith("**Image 3.** The image is 8 x 8 pixels")
    assert page.metric, "the others are compared"
    assert "Timeline" not in [element.value for element in page.subheader]


def test_nothing_is_compared_without_the_baseline(page: AppTest) -> None:
    page.button(key=f"{NAME}.more").click().run()
    upload(page, b"no image at all", png(), png(second_chest()))
    assert "Still missing: Baseline" in texts(page)
    assert not page.metric


def test_a_timeline_can_be_taken_away(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    from pages.ui import export

    made: dict[str, str] = {}

    def kept(label: str, data: Callable[[], str], **_: object) -> None:
        if label == "Timeline (CSV)":
            made[label] = data()

    monkeypatch.setattr(export.st, "download_button", kept)
    page.button(key=f"{NAME}.more").click().run()
    upload(page, png(), png(second_chest()), png(np.fliplr(chest())))
    assert not page.exception
    rows = list(csv.DictReader(io.StringIO(made["Timeline (CSV)"])))
    shown = page.dataframe[0].value
    assert [row["image"] for row in rows] == list(shown["Image"])
    assert rows[0]["score_change"] == ""
    assert [share(float(row["score_change"])) for row in rows[1:]] == list(shown["Score for change"][1:])
    assert [row["against_the_one_before"] for row in rows[1:]] == list(shown["Against the one before"][1:])
    assert all("Not a medical device" in row["note"] for row in rows)


def test_what_was_typed_and_insisted_on_outlives_a_third_place(page: AppTest) -> None:
    """The follow-up becomes "Image 2", and stays the same image."""
    noise = np.random.default_rng(0).integers(0, 255, (256, 256))
    upload(page, png(), png(noise))
    page.button(key=f"{NAME}.Follow-up.anyway").click().run()
    days(page)[0].set_value(30).run()
    page.button(key=f"{NAME}.more").click().run()
    assert days(page)[0].value == 30
    assert "**Baseline and image 2**, 30 days apart" in texts(page)
    assert page.metric


def test_a_timeline_whose_baseline_is_stopped_says_that_nothing_is_compared(page: AppTest) -> None:
    page.button(key=f"{NAME}.more").click().run()
    noise = np.random.default_rng(0).integers(0, 255, (256, 256))
    upload(page, png(noise), png(), png(second_chest()))
    assert "Nothing is compared" in texts(page)
    assert not page.metric
