"""The review page in a real Chromium: a cell, a bar, a note that outlives the session; 500 real cases to a report."""

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from cxrkit.task import Task
from cxrkit.tasks.bone_age import BONE_AGE
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from tests.browser.axe import assert_nothing_grave
from tests.browser.conftest import served
from tests.browser.test_workbench import choose
from tests.browser.visitor import acknowledge, arrive, drawn, overflows, settled, start, upload
from tests.pages.review_cases import predictions, write_images
from tests.small_weights import write_small_weights

pytestmark = pytest.mark.browser

COUNT = 24
REAL = 500
RUN_SECONDS = 1500
NOTE = "Lung marker read as a cavity."
DESKTOP = {"viewport": {"width": 1360, "height": 1000}, "color_scheme": "light"}
PHONE = {"viewport": {"width": 375, "height": 812}, "color_scheme": "dark", "has_touch": True}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small untrained weights of the tasks that are reviewed."""
    root = tmp_path_factory.mktemp("weights")
    for task in (TUBERCULOSIS, BONE_AGE):
        write_small_weights(task, root)
    return root


@contextmanager
def workbench(weights: Path, cases: Path, notes: Path) -> Iterator[str]:
    """Address of an app that may open this folder of cases and keeps notes in this folder."""
    program = (
        f"from pathlib import Path; from pages.ui import models; models.WEIGHTS = Path({str(weights)!r});"
        "from streamlit.web.cli import main; main()"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXRKIT_CASES", str(cases))
        patch.setenv("CXRKIT_RUNS", str(notes / "runs"))
        patch.setenv("CXRKIT_DATABASE_URL", f"sqlite:///{notes / 'notes.sqlite'}")
        with served("app.py", ("-c", program)) as url:
            yield url


@dataclass(frozen=True)
class Simulated:
    """Cases of tuberculosis with scores: a server that may open them, the table, and what is in it."""

    url: str
    table: Path
    truth: np.ndarray
    score: np.ndarray


@pytest.fixture(scope="module")
def simulated(browser: Browser, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    """After `browser`, so that nothing starts where there is none."""
    folder, notes = tmp_path_factory.mktemp("cases"), tmp_path_factory.mktemp("notes")
    names, truth = write_images(folder, COUNT), np.arange(COUNT) % 2
    score = np.round(np.random.default_rng(0).uniform(0, 1, COUNT), 3)
    table = notes / "predictions.csv"
    table.write_bytes(predictions(TUBERCULOSIS, [[name] for name in names], [str(each) for each in truth], score))
    with workbench(weights, folder, notes) as url:
        yield Simulated(url, table, truth, score)


def load(page: Page, table: Path) -> None:
    upload(page, table)
    expect(page.get_by_text("Cases, worst first")).to_be_visible()
    settled(page)


def run_table(page: Page, task: Task, table: Path) -> None:
    """Give a table of cases, start it with two processes, and wait until all are predicted."""
    page.get_by_role("tab", name="Run a table of cases").click()
    settled(page)
    choose(page, "st-key-review-run-table", "Upload a table")
    upload(page, table)
    settled(page)
    choose(page, "st-key-review-run-task", task.title)
    page.get_by_test_id("stButtonGroup").get_by_text("2", exact=True).click()
    settled(page)
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("Cases, worst first")).to_be_visible(timeout=1000 * RUN_SECONDS)
    settled(page)


def opened(browser: Browser, url: str) -> Page:
    page = start(browser, url, **DESKTOP)
    page.get_by_role("link", name="Review", exact=True).click()
    expect(page.get_by_text("Table of predictions (CSV)")).to_be_visible()
    return page


def shown(page: Page) -> list[int]:
    """Rows of the gallery in its order."""
    keys = page.locator("[class*=st-key-review-open-]").evaluate_all("all => all.map(e => e.className)")
    return [int(re.search(r"st-key-review-open-(\d+)", key)[1]) for key in keys]


def open_first(page: Page) -> None:
    page.locator("[class*=st-key-review-open-]").first.get_by_role("button").click()
    expect(page.get_by_role("button", name="Next case")).to_be_visible()
    drawn(page, 1)


def say(page: Page, verdict: str, note: str) -> None:
    """Save a verdict and a note on the opened case."""
    page.get_by_role("textbox", name="Your initials").fill("AB")
    page.keyboard.press("Enter")
    settled(page)
    page.get_by_role("radio", name=verdict).click()
    settled(page)
    page.get_by_role("textbox", name="Note", exact=True).fill(note)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()


def test_a_cell_and_a_bar_show_their_cases_and_a_note_outlives_the_session(
    browser: Browser, simulated: Simulated
) -> None:
    page = opened(browser, simulated.url)
    load(page, simulated.table)
    truth, score = simulated.truth, simulated.score
    wrong = np.flatnonzero((truth == 0) & (score >= 0.5))
    page.get_by_role("button", name=f"{wrong.size} false positive").click()
    expect(page.get_by_text(f"False positive: {wrong.size} of {COUNT}.")).to_be_visible()
    settled(page)
    assert shown(page) == list(wrong[np.argsort(-score[wrong], kind="stable")])

    open_first(page)
    say(page, "Model wrong", NOTE)
    page.reload()
    acknowledge(page)
    load(page, simulated.table)
    page.get_by_role("button", name=f"{wrong.size} false positive").click()
    settled(page)
    open_first(page)
    expect(page.get_by_text(NOTE).first).to_be_visible()

    bars = page.locator("[class*=st-key-review-histogram] .barlayer .point path")
    box = max((bars.nth(place).bounding_box() for place in range(bars.count())), key=lambda each: each["height"])
    page.get_by_test_id("stMain").evaluate("e => e.scrollTo(0, 0)")
    box = next(
        each for place in range(bars.count()) if (each := bars.nth(place).bounding_box())["height"] == box["height"]
    )
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.get_by_text(re.compile(r"Score 0\.\d\d to [01]\.\d\d, label (not )?there"))).to_be_visible()
    settled(page)
    rows = shown(page)
    assert rows
    assert np.ptp(score[rows]) <= 0.05
    assert len(set(truth[rows])) == 1

    slider = page.get_by_role("slider", name="Threshold for")
    before = slider.input_value()
    points = page.locator("[class*=st-key-review-roc] .scatterlayer .points path")
    middle = points.nth(points.count() // 3)
    middle.scroll_into_view_if_needed()
    place = middle.bounding_box()
    page.mouse.click(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    expect(slider).not_to_have_value(before)
    settled(page)
    assert np.ptp(score[shown(page)]) <= 0.05
    assert_nothing_grave(page)
    page.context.close()


def test_the_page_fits_a_phone_in_the_dark(browser: Browser, simulated: Simulated) -> None:
    page = arrive(browser, simulated.url, **PHONE)
    page.get_by_role("link", name="Open Review").click()
    load(page, simulated.table)
    assert not overflows(page)
    open_first(page)
    assert not overflows(page)
    assert_nothing_grave(page)
    page.context.close()


def manifest(task: Task, folder: Path, file: Path, column: str) -> Path:
    """A table of REAL cases of a shared set, evenly out of the whole of it."""
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    rows = [rows[place] for place in np.linspace(0, len(rows) - 1, REAL).astype(int)]
    given = [name for name in rows[0] if not name.startswith("file")]
    with file.open("w", newline="", encoding="utf-8") as stream:
        table = csv.DictWriter(stream, (*task.file_columns, *given), extrasaction="ignore")
        table.writeheader()
        table.writerows(row | {task.file_columns[0]: row[column]} for row in rows)
    return file


@pytest.mark.data
@pytest.mark.large
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("task", "folder", "column"),
    [(TUBERCULOSIS, "tb", "file"), (BONE_AGE, "boneage", "file_100")],
    ids=["chests", "hands"],
)
def test_five_hundred_real_cases_go_from_manifest_to_report(
    browser: Browser, weights: Path, shared_data: Path, tmp_path: Path, task: Task, folder: str, column: str
) -> None:
    listed = manifest(task, shared_data / folder, tmp_path / "cases.csv", column)
    with workbench(weights, shared_data / folder, tmp_path) as url:
        page = opened(browser, url)
        run_table(page, task, listed)
        expect(page.get_by_text(f"{task.title}: {REAL} cases")).to_be_visible()
        open_first(page)
        say(page, "Label wrong", NOTE)
        page.get_by_text("Export", exact=True).click()
        page.get_by_role("button", name=f"Prepare the export of {REAL} cases").click()
        texts = {}
        for name in ("Cases (CSV)", "Report (HTML)"):
            with page.expect_download() as download:
                page.get_by_role("button", name=name).click()
            texts[name] = Path(download.value.path()).read_text(encoding="utf-8")
        page.context.close()
    rows = list(csv.DictReader(io.StringIO(texts["Cases (CSV)"])))
    assert len(rows) == REAL
    assert sum("label wrong" in row.values() for row in rows) == 1
    assert "<html" in texts["Report (HTML)"]
    with listed.open(newline="", encoding="utf-8") as stream:
        names = [Path(row[task.file_columns[0]]).name for row in csv.DictReader(stream)]
    assert len(names) == REAL
    assert not [name for name in names if any(name in text for text in texts.values())]
