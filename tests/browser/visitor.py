"""What a visitor does in every browser test: arrive, acknowledge, wait until nothing runs, give files."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page, expect

from benchmarks.visit import VIEWER
from tests.browser.conftest import REPOSITORY

SCREENSHOTS = REPOSITORY / "tests" / "screenshots"
SECONDS = 200  # most that one step may take; loading torch is slow where training runs beside
NAME = "Zebedee"
DRAWN = f"{VIEWER} && {VIEWER}.panes.length && {VIEWER}.panes.every((pane) => pane.windowedAs)"


def new_page(browser: Browser, url: str, **context: Any) -> Page:
    """A new session, which is asked to acknowledge that this is not for diagnosis."""
    page = browser.new_context(**context).new_page()
    page.set_default_timeout(SECONDS * 1000)
    expect.set_options(timeout=SECONDS * 1000)
    page.goto(url)
    expect(understand(page)).to_be_visible()
    return page


def understand(page: Page) -> Locator:
    return page.get_by_role("button", name="I understand")


def acknowledge(page: Page) -> None:
    """With the keyboard."""
    understand(page).focus()
    page.keyboard.press("Enter")
    expect(understand(page)).to_have_count(0)
    settled(page)


def settled(page: Page) -> None:
    """Nothing runs, and what is drawn late is drawn."""
    for _ in range(2):
        page.wait_for_timeout(250)
        expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def arrive(browser: Browser, url: str, **context: Any) -> Page:
    """A new session, acknowledged."""
    page = new_page(browser, url, **context)
    acknowledge(page)
    return page


def start(browser: Browser, url: str, task: str = "Tuberculosis", **context: Any) -> Page:
    """A new session on a task's page."""
    page = arrive(browser, url, **context)
    page.get_by_role("link", name=f"Open {task}").click()
    expect(page.get_by_text(re.compile("Choose (a )?DICOM, PNG, JPEG or TIFF")).first).to_be_visible()
    return page


def upload(page: Page, files: Path | Sequence[Path], place: int = 0) -> None:
    """Give an uploader its files; at once after a click, faster than any hand, the browser may ignore them."""
    settled(page)
    page.locator("input[type=file]").nth(place).set_input_files(files)


def drawn(page: Page, panes: int) -> None:
    """So many images are on the screen, and nothing runs any more."""
    expect(page.locator(".cxr-viewer canvas")).to_have_count(panes)
    page.wait_for_function(f"{DRAWN} && {VIEWER}.panes.length === {panes}")
    settled(page)


def overflows(page: Page) -> bool:
    return bool(page.get_by_test_id("stMain").evaluate("e => e.scrollWidth > e.clientWidth"))
