"""The export of a review, driven through AppTest; its files themselves are tested in tests/test_review_export.py."""

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cxrkit.review.case_key import case_key
from cxrkit.review.notes import Remark, Verdict, open_notes
from cxrkit.review.table import ReviewSet, read_predictions
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from pages.ui import review_export
from pages.ui.review_export import PLACE
from tests.pages.conftest import png

PAGE = str(Path(__file__).with_name("review_export_page.py"))
Made = dict[str, Callable[[], Any]]


@pytest.fixture(autouse=True)
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Made:
    """What the buttons of the last run give, by name."""
    monkeypatch.setenv("CXRKIT_DATABASE_URL", f"sqlite:///{tmp_path}/reviews.sqlite")
    found: Made = {}
    monkeypatch.setattr(review_export.st, "download_button", lambda name, make, **_: found.__setitem__(name, make))
    return found


@pytest.fixture
def review(tmp_path: Path) -> ReviewSet:
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(png() + b"%d" % number)
    table = (
        "file,target,view,score_normal,score_tuberculosis\n0.png,1,PA,0.8,0.2\n1.png,0,PA,0.7,0.3\n2.png,1,AP,0.2,0.8\n"
    )
    return read_predictions(table.encode(), "run", TUBERCULOSIS, tmp_path)


def opened(review: ReviewSet, *rows: int) -> AppTest:
    at = AppTest.from_file(PAGE, default_timeout=30)
    at.session_state["review"], at.session_state["rows"] = review, rows
    at.run()
    assert not at.exception
    return at


def test_files_are_made_after_the_chosen_images_were_looked_at(review: ReviewSet, made: Made) -> None:
    at = opened(review, 0, 2)
    assert not made
    at.button(key=f"{PLACE}.prepare").click().run()
    assert not at.exception
    assert set(made) == {"Cases (CSV)", "Report (HTML)"}
    key = case_key(review.paths(2))
    remark = Remark(case_key=key, task="tuberculosis", label="tuberculosis", reviewer="AB", verdict=Verdict.UNCLEAR)
    open_notes().add(replace(remark, note="written after the page was drawn"))
    rows = list(csv.DictReader(io.StringIO(made["Cases (CSV)"]().decode("utf-8-sig"))))
    assert [(row["case_key"], row["verdict"]) for row in rows] == [(case_key(review.paths(0)), ""), (key, "unclear")]
    html = made["Report (HTML)"]()
    assert "Error review: Tuberculosis" in html
    assert "written after" not in html
    assert "data:image" not in html


def test_ticked_columns_pictures_and_notes_are_in_the_report(review: ReviewSet, made: Made) -> None:
    remark = Remark(case_key=case_key(review.paths(0)), task="tuberculosis", label="tuberculosis", reviewer="AB")
    open_notes().add(replace(remark, note="a scar"))
    at = opened(review, 0, 1, 2)
    at.button(key=f"{PLACE}.prepare").click().run()
    (columns,) = at.multiselect
    assert columns.options == ["score_normal", "score_tuberculosis"]
    columns.set_value(["score_normal"])
    at.toggle(key=f"{PLACE}.pictures").set_value(True)
    at.toggle(key=f"{PLACE}.notes").set_value(True).run()
    assert ["burned into an image" in each.value for each in at.warning] == [True]
    html = made["Report (HTML)"]()
    assert html.count("data:image/jpeg") == 3
    assert "a scar" in html
    assert "score_normal" in html


def test_without_images_there_are_files_without_keys(review: ReviewSet, made: Made) -> None:
    opened(replace(review, root=None), 0, 1)
    rows = list(csv.DictReader(io.StringIO(made["Cases (CSV)"]().decode("utf-8-sig"))))
    assert [row["case_key"] for row in rows] == ["", ""]


def test_no_case_and_a_database_that_cannot_be_used_are_said(
    review: ReviewSet, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "No case is chosen" in opened(review).info[0].value
    monkeypatch.setenv("CXRKIT_DATABASE_URL", "nonsense")
    assert "is no address" in opened(review, 0).error[0].value
    assert not made
