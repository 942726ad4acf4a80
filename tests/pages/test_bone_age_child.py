"""What the bone age page is told of the child: sex, age or dates, and what is wrong with them."""

import datetime
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from cxrkit.errors import InputError
from cxrkit.tasks.bone_age import BONE_AGE as TASK
from pages.ui import models
from pages.ui.age_question import NO_AGE, typed_age
from tests.pages.bone_age_page import cards, state, upload, widget
from tests.pages.conftest import hand, png
from tests.pages.test_app import said

Opened = Callable[[str], AppTest]
NEXT_YEAR = str(datetime.date.today() + datetime.timedelta(days=366))


@pytest.fixture
def page(opened: Opened) -> AppTest:
    """The page with an uploaded hand on it."""
    return upload(opened(TASK.name), png(hand()))


def test_a_sex_that_is_not_stated_is_weighed_and_said_so(page: AppTest) -> None:
    assert "The sex was not stated, so the answer weighs both" in said(page)
    before = cards(page)
    state(page, "F")
    assert "The sex was not stated" not in said(page)
    assert "told that this is a girl" in said(page)
    as_girl = page.markdown[2:6]
    state(page, "M")
    assert "told that this is a boy" in said(page)
    assert [text.value for text in as_girl] != [text.value for text in page.markdown[2:6]]
    state(page, "")
    assert cards(page) == before


def test_age_and_sex_give_the_score_with_its_table(page: AppTest) -> None:
    state(page, "M", years="5", months="2")
    text = said(page)
    assert "Own age: 5 years 2 months (62.0 months)" in text
    assert "Brush Foundation" in text
    assert "One SD is 8.79 months at 5 years for boys" in text
    assert cards(page)["SD score"].startswith("+")
    assert "**Advanced**" in text
    state(page, "M", years="16", months="")
    assert cards(page)["SD score"].startswith("−")
    assert "**Delayed**" in said(page)
    state(page, "", years="16")
    assert cards(page)["SD score"] == "–"
    assert "tables are by sex" in said(page)


def test_two_dates_give_the_age(page: AppTest) -> None:
    state(page, "F", birth="2012-03-15")
    assert "Still missing: the date of the radiograph" in said(page)
    state(page, "F", birth="2012-03-15", taken="2020-05-15")
    assert "Own age: 8 years 2 months (98.0 months)" in said(page)
    assert cards(page)["SD score"] != "–"


BAD_AGES: tuple[tuple[dict[str, str], str], ...] = (
    ({"years": "eight"}, "not a number"),
    ({"years": "nan"}, "not a number"),
    ({"years": "-8"}, "negative"),
    ({"years": "8", "months": "-1"}, "negative"),
    ({"years": "8", "months": "14"}, "less than 12"),
    ({"years": "800", "months": ""}, "not possible"),
    ({"birth": "last May"}, "cannot be read"),
    ({"birth": NEXT_YEAR}, "birth lies in the future"),
    ({"birth": "", "taken": NEXT_YEAR}, "radiograph lies in the future"),
    ({"birth": "2015-01-01", "taken": "2014-12-31"}, "birth is after"),
    ({"birth": "1800-01-01"}, "not possible"),
)


def test_an_age_that_cannot_be_gets_a_sentence_and_the_hand_is_read(page: AppTest) -> None:
    before = cards(page)
    for age, words in BAD_AGES:
        state(page, "", **age)
        (error,) = page.error
        assert words in error.value
        assert "read without the child's own age" in error.value
        assert cards(page) == before
        assert not page.exception
    widget(page.segmented_control, "age_as").set_value(NO_AGE).run()
    assert not page.error


def test_an_age_may_be_written_in_several_ways() -> None:
    assert typed_age("", " ") is None
    assert typed_age("8,5", "") == 102
    assert typed_age("", "30") == 30
    with pytest.raises(InputError):
        typed_age("1", "12")


def test_nothing_stated_goes_over_to_another_child(page: AppTest) -> None:
    state(page, "F", years="7")
    page.switch_page("pages/start.py").run()
    page.switch_page("pages/bone_age.py").run()
    assert "In use:" in said(page)
    assert "Own age: 7 years" in said(page)
    assert "told that this is a girl" in said(page)
    upload(page, png(hand()[:, ::-1]))
    assert widget(page.segmented_control, "sex").value == ""
    assert "Own age" not in said(page)


@pytest.fixture
def suspicious(small_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The same weights with a card that contradicts a stated sex from a low probability."""
    shutil.copytree(small_root / TASK.name, tmp_path / TASK.name)
    file = tmp_path / TASK.name / "card.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"thresholds": {"sex": 0.3}}))
    monkeypatch.setattr(models, "WEIGHTS", tmp_path)
    # Networks are kept by the hash of their weights.
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def test_a_contradicted_sex_is_said(opened: Opened, suspicious: None) -> None:
    app = state(upload(opened(TASK.name), png(hand())), "F")
    assert "A girl was stated, but to the network the hand looks like a boy's" in said(app)


def test_a_grown_up_is_flagged(page: AppTest) -> None:
    state(page, "M", years="19")
    assert "bone age is for children and adolescents" in said(page)
    assert "There is no SD score" in said(page)


def test_a_real_dicom_hand_is_read_and_its_date_offered(opened: Opened, shared_data: Path) -> None:
    app = opened(TASK.name)
    data = (shared_data / "dicom" / "cr_hand_jpeg2000_lossless.dcm").read_bytes()
    widget(app.file_uploader, "upload").set_value(("hand.dcm", data, "application/dicom")).run()
    assert not app.error
    assert cards(app)
    state(app, "F", birth="2003-05-01")
    assert "Still missing: the date of the radiograph" in said(app)
    widget(app.checkbox, "header_date").check().run()
    assert "Own age: 7 years 10 months" in said(app)
    assert "2011" not in said(app)
