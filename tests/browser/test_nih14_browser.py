"""The page of chest findings in a real Chromium: bars, two labels' heatmaps; a phone's width in the dark."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from benchmarks.visit import VIEWER
from cxrkit.tasks.nih14 import LABELS, NIH14
from tests.browser.axe import assert_nothing_grave
from tests.browser.visitor import SCREENSHOTS, overflows, start

pytestmark = pytest.mark.browser


def open_simulated(page: Page) -> None:
    """The first simulated case, until bars and heatmap are there."""
    page.get_by_role("button", name="Open a simulated case").click()
    expect(page.get_by_test_id("stMetric").first).to_be_visible(timeout=60_000)
    expect(page.locator(".cxr-viewer canvas").first).to_be_visible(timeout=60_000)
    panes_with_heat(page, 1)
    expect(page.locator(".js-plotly-plot .ytick")).to_have_count(len(LABELS))


def panes_with_heat(page: Page, count: int) -> None:
    page.wait_for_function(f"{VIEWER}.panes.length === {count} && {VIEWER}.panes.every(p => p.heatAs)", timeout=60_000)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def test_bars_stand_beside_the_image_and_fit_their_place(browser: Browser, address: str) -> None:
    page = start(browser, address, NIH14.title, viewport={"width": 1440, "height": 1000}, color_scheme="light")
    open_simulated(page)
    bars, image = page.locator(".js-plotly-plot"), page.locator(".cxr-viewer").first
    fits = """(bars) => {
        for (let place = bars.parentElement; place.dataset.testid !== 'stMain'; place = place.parentElement) {
            const scrolls = getComputedStyle(place).overflowY === 'auto';
            if (scrolls && place.scrollHeight > place.clientHeight + 1) return false;
        }
        return true;
    }"""
    assert bars.evaluate(fits)
    left, right = image.bounding_box(), bars.bounding_box()
    assert left is not None
    assert right is not None
    assert right["x"] >= left["x"] + left["width"]
    assert right["y"] < left["y"] + left["height"] / 2
    page.context.close()


def test_labels_open_their_heatmaps_side_by_side(browser: Browser, address: str) -> None:
    page = start(browser, address, NIH14.title, viewport={"width": 1440, "height": 1000}, color_scheme="light")
    open_simulated(page)
    page.get_by_role("combobox", name="Heatmaps of the evidence for").click()
    page.keyboard.type("Hernia")
    page.get_by_role("option", name="Hernia").click()
    page.keyboard.press("Escape")
    panes_with_heat(page, 2)
    titles = page.locator(".cxr-viewer").inner_text()
    assert "Hernia" in titles

    page.get_by_text("Scores as a table").click()
    expect(page.get_by_test_id("stDataFrame").or_(page.get_by_test_id("stTable")).first).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Scores (CSV)").click()
    table = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert len(table) == len(LABELS) + 1
    assert_nothing_grave(page)
    page.get_by_role("tab", name="What each label rests on").click()
    expect(page.get_by_text("0.5 is chance")).to_be_visible()
    page.screenshot(path=SCREENSHOTS / "nih14.png")
    page.context.close()


def test_a_phones_width_in_the_dark(browser: Browser, address: str) -> None:
    page = start(
        browser, address, NIH14.title, viewport={"width": 375, "height": 812}, color_scheme="dark", has_touch=True
    )
    assert not overflows(page)
    open_simulated(page)
    assert not overflows(page)
    page.screenshot(path=SCREENSHOTS / "nih14_phone.png")
    page.context.close()
