"""Running a table of cases and comparing two runs, driven through AppTest: start, cancel, go on, open, compare."""

import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cxrkit.review import folders, run_order
from cxrkit.review.run import Progress
from pages.ui import review_run, review_run_ask
from tests.pages.conftest import chest

PATIENCE = 120.0


def running_page() -> None:
    """The loading area alone."""
    import streamlit as st

    from pages.ui.errors import errors_shown
    from pages.ui.review_run import finished_runs, run_manifest

    with errors_shown():
        st.session_state["finished"] = list(finished_runs())
        found = run_manifest()
        st.session_state["found"] = None if found is None else found.table.to_csv(index=False)


def comparing_page() -> None:
    """A comparison alone, of 60 cases of which the filters keep 50."""
    import numpy as np
    import streamlit as st

    from cxrkit.review.table import read_predictions
    from pages.ui.errors import errors_shown
    from pages.ui.review_compare import show_comparison

    with errors_shown():
        review = st.session_state.setdefault(
            "review", read_predictions(st.session_state["first"], "first.csv", None, None)
        )
        show_comparison(review, np.arange(50), review.labels()[0])


@pytest.fixture
def cases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of cases with a short table, a long one in a folder of its own, and a table of something else."""
    folder = tmp_path / "cases"
    (folder / "long").mkdir(parents=True)
    for place in (folder, folder / "long"):
        for index in range(2):
            Image.fromarray(np.roll(chest(), 9 * index, axis=1).astype(np.uint8)).save(place / f"{index}.png")
    (folder / "short.csv").write_text("file,target\n0.png,1\n1.png,0\nmissing.png,1\n")
    (folder / "long" / "cases.csv").write_text("file,target\n" + "0.png,1\n1.png,0\n" * 500)
    (folder / "other.csv").write_text("name\nx\n")
    monkeypatch.setenv(folders.VARIABLE, str(folder))
    monkeypatch.setenv(run_order.VARIABLE, str(tmp_path / "runs"))
    review_run_ask._tables.clear()
    return folder


@pytest.fixture
def page(cases: Path, small_weights: Path) -> Iterator[AppTest]:
    app = AppTest.from_function(running_page, default_timeout=60)
    yield app
    for run in review_run._runs()._runs.values():
        run.cancel()
    review_run._runs.clear()


def choose(app: AppTest, table: str) -> AppTest:
    app.run()
    next(each for each in app.selectbox if each.label == "Table of cases").set_value(table)
    return healthy(app.run())


def healthy(app: AppTest) -> AppTest:
    assert not app.exception
    return app


def until(app: AppTest, holds: Callable[[], bool]) -> AppTest:
    last = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < last
        time.sleep(0.2)
        healthy(app.run())
    return app


def buttons(app: AppTest) -> set[str]:
    return {button.label for button in app.button}


def test_without_folders_it_is_said_how_to_open_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(folders.VARIABLE, raising=False)
    app = healthy(AppTest.from_function(running_page, default_timeout=60).run())
    assert "Set CXRKIT_CASES" in app.info[0].value
    assert not app.button


def test_a_table_is_run_opened_kept_and_known_to_others_who_choose_it(page: AppTest) -> None:
    choose(page, "short.csv")
    assert buttons(page) == {"Start"}
    assert page.session_state["found"] is None
    page.button(key="review.run.start").click()
    healthy(page.run())
    assert "Cancel" in buttons(page)
    until(page, lambda: page.session_state["found"] is not None)
    table = pd.read_csv(io.StringIO(page.session_state["found"]))
    assert table["score_tuberculosis"].notna().tolist() == [True, True, False]
    assert buttons(page) == {"Run again"}
    assert "1 of 3 cases could not be used" in [expander.label for expander in page.expander]
    assert page.markdown[0].value.startswith("Finished with these weights on")

    other = choose(AppTest.from_function(running_page, default_timeout=60), "short.csv")
    assert buttons(other) == {"Open", "Run again"}
    assert other.session_state["found"] is None
    other.button(key="review.run.open").click()
    assert healthy(other.run()).session_state["found"] == page.session_state["found"]


def test_where_every_case_failed_it_is_said_why_and_other_runs_can_be_compared(page: AppTest, cases: Path) -> None:
    (cases / "gone.csv").write_text("file,target\nnowhere.png,1\nno.png,0\n")
    choose(page, "gone.csv")
    page.button(key="review.run.start").click()
    healthy(page.run())
    until(page, lambda: bool(page.error))
    assert "No case of this table was predicted" in page.error[0].value
    assert "Why cases could not be used" in page.warning[0].value
    assert "is not in the root folder" in page.warning[0].value
    healthy(page.run())
    assert page.session_state["finished"] == []


def test_a_long_run_is_cancelled_and_goes_on_where_it_was(page: AppTest) -> None:
    choose(page, "long/cases.csv")
    page.button(key="review.run.start").click()
    healthy(page.run())
    (run,) = review_run._runs()._runs.values()
    until(page, lambda: run.progress().done >= 2)
    began = time.monotonic()
    page.button(key="review.run.cancel").click()
    healthy(page.run())
    assert time.monotonic() - began < 5
    assert page.info[0].value == f"Cancelled after {run.progress().done:,} cases; they are kept."
    assert buttons(page) == {"Go on", "Begin anew"}
    page.button(key="review.run.start").click()
    healthy(page.run())
    assert "Cancel" in buttons(page)


def test_a_table_asks_for_a_task_that_it_fits_and_another_is_refused_before_it_runs(page: AppTest, cases: Path) -> None:
    (cases / "hands.csv").write_text("file;age_months\n0.png;120\n")
    choose(page, "hands.csv")
    assert page.selectbox(key="review.run.task").value == "Bone age"
    assert buttons(page) == {"Start"}
    page.selectbox(key="review.run.task").set_value("Tuberculosis")
    healthy(page.run())
    assert "lacks the column 'target' for Tuberculosis. Its columns fit: Bone age." in page.error[0].value
    assert not buttons(page)
    choose(page, "other.csv")
    assert "lacks the columns 'file' and 'target' for Tuberculosis." in page.error[0].value


def test_a_table_is_uploaded_and_its_paths_start_in_the_folder(page: AppTest) -> None:
    choose(page, review_run_ask.UPLOAD)
    page.selectbox(key="review.run.task").set_value("Tuberculosis")
    healthy(page.run())
    assert "columns file and target" in page.info[0].value
    page.file_uploader(key="review.run.upload").set_value(("mine.csv", b"file,target\n0.png,1\n", "text/csv"))
    assert buttons(healthy(page.run())) == {"Start"}


def test_progress_in_words() -> None:
    assert review_run.progress_in_words(Progress()) == "Loading the network …"
    now = Progress("running", total=5000, resumed=40, done=60, seconds=10)
    assert review_run.progress_in_words(now) == (
        "60 of 5,000 cases (40 from before), 2.0 a second, about 41 minutes left"
    )
    assert [review_run.duration(seconds) for seconds in (0, 89, 7800)] == [
        "about 1 seconds",
        "about 89 seconds",
        "about 2 h 10 min",
    ]


def predictions(seed: int, files: int = 60) -> bytes:
    random = np.random.default_rng(seed)
    truth = np.arange(files) % 2
    scores = np.clip(0.3 + 0.35 * truth + random.normal(0, 0.2, files), 0, 1)
    table = pd.DataFrame(
        {
            "file": [f"{index}.png" for index in range(files)],
            "target": truth,
            "score_normal": 1 - scores,
            "score_tuberculosis": scores,
            "warnings": "",
            "error": "",
        }
    )
    return table.to_csv(index=False).encode()


def test_two_tables_are_compared(small_weights: Path) -> None:
    app = AppTest.from_function(comparing_page, default_timeout=60)
    app.session_state["first"] = predictions(0)
    healthy(app.run())
    assert "with other weights or settings" in app.info[0].value
    app.file_uploader(key="review.compare.upload").set_value(("second.csv", predictions(1, 55), "text/csv"))
    healthy(app.run())
    assert not app.error
    said = [each.value for each in app.markdown]
    assert said[0] == "**A** is the run under review: `first.csv`  \n**B** is the other one: `second.csv`"
    assert said[1] == "**50 cases match** by their files."
    figures = app.table[0].value
    assert figures["Figure"].tolist() == ["AUC", "sensitivity", "specificity", "accuracy", "share called"]
    assert "exact McNemar" in figures["How"].iloc[1]
    assert any("p asks whether" in each.value for each in app.caption)
    listed = app.dataframe[0].value
    assert len(listed) == 50
    gaps = listed["A − B"].abs().tolist()
    assert gaps == sorted(gaps, reverse=True)
    app.toggle(key="review.compare.calls").set_value(True)
    calls = healthy(app.run()).dataframe[0].value
    assert set(calls["Called by"]) <= {"A", "B"}
    assert 0 < len(calls) < 50


def test_a_run_against_itself_differs_by_nothing_and_another_tasks_table_is_refused(small_weights: Path) -> None:
    app = AppTest.from_function(comparing_page, default_timeout=60)
    app.session_state["first"] = predictions(0)
    app.run()
    app.file_uploader(key="review.compare.upload").set_value(("same.csv", predictions(0), "text/csv"))
    healthy(app.run())
    assert set(app.table[0].value["p"]) == {"1.00"}
    assert not app.dataframe
    ages = b"file,age_months,predicted_age_months\n1.png,90,80\n"
    app.file_uploader(key="review.compare.upload").set_value(("ages.csv", ages, "text/csv"))
    healthy(app.run())
    assert "does not hold predictions of" in app.error[0].value
