"""A large image in a real Chromium: its preview first, the whole a moment later, the same picture from both."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, Request

from benchmarks.visit import VIEWER
from tests.browser.viewer_page import Opened, opening

pytestmark = pytest.mark.browser

PANE = f"{VIEWER}.panes[0]"
SUM = f"{PANE}.windowed.levels.reduce((sum, level) => (sum * 31 + level) % 1000003, 7)"

NO_TIMER = "const plain = setTimeout; window.setTimeout = (f, ms, ...a) => (ms === 1000 ? 0 : plain(f, ms, ...a));"
"""Ends what would fetch the rest after a second."""


@pytest.fixture
def opened(browser: Browser, viewer_address: str) -> Iterator[Callable[..., Opened]]:
    with opening(browser, viewer_address) as open_page:
        yield open_page


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    yield context.new_page()
    context.close()


def held_back(page: Page, address: str) -> list[str]:
    """Open a large image, whose whole pixels are fetched only when they are needed; the addresses that were fetched."""
    page.add_init_script(NO_TIMER)
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/media/" in request.url:
            asked.append(request.url)

    page.on("request", note)
    page.goto(f"{address}/?size=1801&nocrop=1")
    page.wait_for_function(f"{VIEWER} && {PANE} && {PANE}.windowedAs")
    return asked


def test_the_preview_is_what_the_whole_image_looks_like(opened: Callable[..., Opened]) -> None:
    page = opened("size=1801&nocrop=1")
    whole, preview = page.view("panes[0].described.url"), page.view("panes[0].described.preview")
    assert preview["side"] == 2
    fetched = [url.removeprefix(page.page.url.split("/?")[0]) for url in page.files]
    assert fetched.index(preview["url"]) < fetched.index(whole)
    from_preview = page.page.evaluate(SUM)
    page.page.evaluate(f"{PANE}.windowed = null; {PANE}.windowedAs = ''; {VIEWER}.refresh()")
    page.settle()
    assert page.view("panes[0].windowed.side") == 2
    assert page.page.evaluate(SUM) == from_preview


def test_a_small_image_comes_whole(opened: Callable[..., Opened]) -> None:
    page = opened("size=1799&nocrop=1")
    assert page.view("panes[0].described.preview") is None
    assert len(page.files) == 2  # image and heatmap


def test_the_whole_image_waits_until_somebody_looks_closer(page: Page, viewer_address: str) -> None:
    asked = held_back(page, viewer_address)
    page.wait_for_timeout(1500)
    whole = page.evaluate(f"{PANE}.described.url")
    assert not any(url.endswith(whole) for url in asked)
    page.locator("canvas").first.hover()  # the readout wants the pixel's own value
    page.wait_for_function(f"{PANE}.image.side === 1")
    page.mouse.move(600, 500)
    page.get_by_text("value ").wait_for()


def test_without_the_whole_image_the_preview_stays_and_that_is_said(page: Page, viewer_address: str) -> None:
    page.route("**/media/**", lambda route: route.abort() if route.request.url in refused else route.continue_())
    refused: list[str] = []
    held_back(page, viewer_address)
    refused.append(viewer_address + page.evaluate(f"{PANE}.described.url"))
    page.locator("canvas").first.press("+")
    page.locator("canvas").first.press("+")
    page.locator("canvas").first.press("+")
    page.get_by_text("The finest detail of the image could not be loaded").wait_for()
    assert page.evaluate(f"{PANE}.image.side") == 2


def test_nothing_of_an_image_stays_under_the_name_of_one_that_cannot_be_loaded(page: Page, viewer_address: str) -> None:
    held_back(page, viewer_address)
    page.route("**/media/**", lambda route: route.abort())
    page.get_by_text("Other image").click()
    page.get_by_text("The image could not be loaded").wait_for()
    assert page.evaluate(f"{PANE}.image") is None
    drawn = page.locator("canvas").first.evaluate(
        "e => new Set(new Uint32Array(e.getContext('2d').getImageData(0, 0, e.width, e.height).data.buffer)).size"
    )
    assert drawn == 1, "the ground alone"
    page.unroute("**/media/**")
    page.get_by_text("New heatmap").click()
    page.wait_for_function(f"{PANE}.image && {PANE}.windowedAs && !{PANE}.problem")
