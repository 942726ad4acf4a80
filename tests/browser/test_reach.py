"""Every page in a real Chromium: axe-core's findings in light and dark, and the keyboard alone."""

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from benchmarks.visit import VIEWER
from cxrkit.tasks import TASKS
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from tests.browser.conftest import REPOSITORY
from tests.browser.visitor import DRAWN, acknowledge, arrive, new_page, settled, understand

pytestmark = pytest.mark.browser

PAGES = [*(task.title for task in TASKS), *re.findall(r'title="([^"]+)"', (REPOSITORY / "app.py").read_text())]
"""By their names in the navigation."""

SAMPLE = re.compile("^Open a simulated")
DESKTOP = {"width": 1360, "height": 1000}
THEMES = ("light", "dark")
GRAVE = {"serious", "critical"}
AXE = Axe()

FOCUSED = """(() => {
    let at = document.activeElement;
    while (at.shadowRoot && at.shadowRoot.activeElement) at = at.shadowRoot.activeElement;
    return at;
})()"""
"""What has the focus, also inside the viewer."""

MOST_TABS = 120
"""Presses of the key from one end of a page to the other."""


@pytest.fixture(scope="module")
def visitor(browser: Browser, address: str) -> Iterator[Page]:
    """One visitor, who has not yet acknowledged that this is not for diagnosis."""
    page = new_page(browser, address, viewport=DESKTOP, color_scheme="light")
    yield page
    page.context.close()


def open_page(page: Page, name: str) -> None:
    """Through the navigation, acknowledged."""
    settled(page)
    if understand(page).count():
        acknowledge(page)
    link = page.get_by_test_id("stSidebarNavLink").filter(has_text=name)
    link.click()
    expect(link).to_have_attribute("aria-current", "page")
    settled(page)


def grave_findings(page: Page) -> list[str]:
    """Serious and critical findings of axe-core on all of the page as it is now, in both themes.

    The window is as high as the page: of what is scrolled away axe-core cannot tell the contrast.
    """
    found = []
    page.mouse.move(0, 0)
    height = page.get_by_test_id("stMain").evaluate("e => e.scrollHeight")
    page.set_viewport_size({"width": DESKTOP["width"], "height": max(DESKTOP["height"], height + 100)})
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        settled(page)
        for finding in AXE.run(page).response["violations"]:
            if finding["impact"] in GRAVE:
                found += [
                    f"{theme}: {finding['id']}: {node['html']}: {node['failureSummary']}" for node in finding["nodes"]
                ]
    page.set_viewport_size(DESKTOP)
    return found


def test_the_question_on_arrival(visitor: Page) -> None:
    found = grave_findings(visitor)
    assert not found, "\n\n".join(found)


@pytest.mark.parametrize("name", PAGES)
def test_axe_has_no_grave_finding(visitor: Page, name: str) -> None:
    open_page(visitor, name)
    found = grave_findings(visitor)
    sample = visitor.get_by_role("button", name=SAMPLE)
    if sample.count():
        sample.click()
        visitor.wait_for_function(DRAWN)
        found += grave_findings(visitor)
    for tab in visitor.get_by_role("tab").all()[1:]:
        tab.click()
        found += grave_findings(visitor)
    assert not found, "\n\n".join(found)


def focused(page: Page, asked: str) -> bool:
    """Whether this expression of JavaScript holds for `e`, what has the focus."""
    return bool(page.evaluate(f"((e) => Boolean({asked}))({FOCUSED})"))


def tab_to(page: Page, asked: str, key: str = "Tab") -> None:
    """Press the key until the expression holds for what has the focus.

    Raises:
        AssertionError: it never does: it cannot be reached, or something before it does not let go of the focus.
    """
    for _ in range(MOST_TABS):
        page.keyboard.press(key)
        if focused(page, asked):
            return
    raise AssertionError(f"The keyboard does not get to {asked}.")


def labelled(words: str) -> str:
    return f"(e.ariaLabel || e.innerText || '').includes('{words}')"


def test_a_task_is_worked_by_keyboard_alone(browser: Browser, address: str) -> None:
    """From the question on arrival to the viewer's keys; the mouse is never used."""
    page = new_page(browser, address, viewport=DESKTOP)
    tab_to(page, labelled("I understand"))
    page.keyboard.press("Enter")
    expect(understand(page)).to_have_count(0)
    tab_to(page, f"e.tagName === 'A' && {labelled(f'Open {TUBERCULOSIS.title}')}")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=TUBERCULOSIS.title)).to_be_visible()
    settled(page)

    tab_to(page, "e.role === 'combobox' && e.closest('[class*=st-key-tuberculosis-sample]')")
    page.keyboard.type("Cavity")
    page.keyboard.press("Enter")
    page.wait_for_function(DRAWN)
    expect(page.get_by_test_id("stMetric").first).to_be_visible()
    settled(page)

    tab_to(page, labelled("Ruler tool"))
    page.keyboard.press("Enter")
    page.wait_for_function(f"{VIEWER}.view.tool === 'ruler'")
    tab_to(page, "e.tagName === 'CANVAS'")
    assert focused(page, "parseFloat(getComputedStyle(e).outlineWidth) >= 2")
    for key, what in (("+", "zoom > 1"), ("ArrowRight", "cx > 0.5"), ("i", "invert"), ("t", "truth === false")):
        page.keyboard.press(key)
        page.wait_for_function(f"{VIEWER}.view.{what}")
    tab_to(page, "e.type === 'range' && e.closest('[class*=st-key-tuberculosis-threshold]')")
    page.keyboard.press("End")
    expect(page.get_by_text("Below the threshold 1.000")).to_have_count(1)
    settled(page)
    tab_to(page, "e.tagName === 'SUMMARY' || e.closest('summary, [data-testid=stExpander]')")
    tab_to(page, "e.tagName === 'CANVAS'", key="Shift+Tab")
    page.context.close()


def test_tabs_are_changed_by_keyboard(visitor: Page) -> None:
    open_page(visitor, "Models")
    chosen = visitor.get_by_role("tab", selected=True)
    before = chosen.inner_text()
    tab_to(visitor, "e.role === 'tab' && e.ariaSelected === 'true'")
    visitor.keyboard.press("ArrowRight")
    expect(chosen).not_to_have_text(before)


def test_presenter_mode_is_large_and_left_by_a_key(browser: Browser, address: str) -> None:
    page = arrive(browser, f"{address}/?present=1", viewport=DESKTOP, color_scheme="dark")
    size = "getComputedStyle(document.documentElement).fontSize"
    assert page.evaluate(size) == "21px"
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    expect(page.get_by_text("Not a medical device")).to_be_visible()
    page.get_by_role("link", name="Open Models").click()
    expect(page.get_by_role("heading", name="Models")).to_be_visible()
    settled(page)
    assert page.evaluate(size) == "21px"
    assert "present=1" in page.url
    found = grave_findings(page)
    assert not found, "\n\n".join(found)
    page.keyboard.press("Alt+p")
    expect(page.get_by_test_id("stSidebar")).to_be_visible()
    assert "present" not in page.url
    page.context.close()
