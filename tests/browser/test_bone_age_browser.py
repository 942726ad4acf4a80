"""The bone age page in a real Chromium: an uploaded hand with age, plot and viewer; a phone's width in the dark."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from benchmarks.visit import VIEWER
from cxrkit.tasks.bone_age import BONE_AGE
from tests.browser.axe import assert_nothing_grave
from tests.browser.visitor import NAME, SCREENSHOTS, overflows, start, upload
from tests.pages.conftest import hand, png

pytestmark = pytest.mark.browser

CUT_TEXTS = """metrics => metrics.flatMap((metric) => [...metric.querySelectorAll("*")])
  .filter((e) => getComputedStyle(e).overflowX === "hidden" && e.scrollWidth > e.clientWidth + 1)
  .map((e) => e.textContent)"""
"""Of the metrics, what ends in an ellipsis."""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drawn hand, 384 pixels high."""
    path = tmp_path_factory.mktemp("upload") / f"{NAME}.png"
    path.write_bytes(png(hand()))
    return path


def read(page: Page, file: Path) -> None:
    """Upload, until the answer, its plot and the image are there."""
    upload(page, file)
    expect(page.get_by_test_id("stMetric")).to_have_count(4)
    expect(page.locator(".cxr-viewer canvas").first).to_be_visible()
    page.wait_for_function(f"{VIEWER}.panes.length === 1 && {VIEWER}.panes[0].heatAs")
    expect(page.locator(".js-plotly-plot .barlayer path")).to_have_count(77)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def test_a_hand_has_an_age_a_plot_and_a_heatmap(browser: Browser, address: str, file: Path, log: Path) -> None:
    page = start(browser, address, BONE_AGE.title, viewport={"width": 1440, "height": 1000}, color_scheme="light")
    read(page, file)
    expect(page.get_by_text("The sex was not stated")).to_be_visible()
    names = page.locator(".js-plotly-plot .legendtext").all_text_contents()
    assert set(names) == {"Interval", "probability of each class", "expected bone age"}

    page.get_by_role("radio", name="Girl").click()
    expect(page.get_by_text("told that this is a girl")).to_be_visible()
    page.get_by_role("radio", name="In years").click()
    page.get_by_label("Years", exact=True).fill("8")
    page.get_by_label("Years", exact=True).press("Enter")
    expect(page.get_by_text("One SD is 10.23 months at 8 years for girls")).to_be_visible()
    expect(page.locator(".js-plotly-plot .legendtext").filter(has_text="child's own age")).to_be_visible()
    cut = page.get_by_test_id("stMetric").evaluate_all(CUT_TEXTS)
    assert cut == []

    page.get_by_text("Atlas strip").click()
    expect(page.get_by_text("no substitute for the atlas")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Overlay (PNG)").click()
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
    page.screenshot(path=SCREENSHOTS / "bone_age.png")
    assert_nothing_grave(page)
    page.context.close()
    assert NAME not in log.read_text()


def test_a_phones_width_in_the_dark(browser: Browser, address: str, file: Path) -> None:
    page = start(
        browser,
        address,
        BONE_AGE.title,
        viewport={"width": 375, "height": 812},
        color_scheme="dark",
        has_touch=True,
    )
    assert not overflows(page)
    read(page, file)
    page.get_by_text("Atlas strip").click()
    expect(page.get_by_text("no substitute for the atlas")).to_be_visible()
    page.get_by_role("radio", name="From dates").click()
    expect(page.get_by_label("Date of the radiograph", exact=True)).to_be_visible()
    assert not overflows(page)
    page.screenshot(path=SCREENSHOTS / "bone_age_phone.png")
    page.context.close()
