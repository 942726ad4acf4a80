"""Every page in a real Chromium: axe-core's findings in light and dark, and the keyboard alone."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from benchmarks.visit import VIEWER
from cxrkit.tasks import TASKS
from cxrkit.tasks.bone_age import BONE_AGE
from cxrkit.tasks.followup import FOLLOW_UP
from cxrkit.tasks.nih14 import NIH14
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from tests.browser.axe import DESKTOP, assert_nothing_grave, grave_findings
from tests.browser.conftest import REPOSITORY
from tests.browser.visitor import DRAWN, acknowledge, arrive, drawn, new_page, settled, understand

pytestmark = pytest.mark.browser

PAGES = [*(task.title for task in TASKS), *re.findall(r'title="([^"]+)"', (REPOSITORY / "app.py").read_text())]
"""By their names in the navigation."""

SAMPLE = re.compile("^Open a simulated")

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


def test_the_question_on_arrival(visitor: Page) -> None:
    assert_nothing_grave(visitor)


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


@pytest.mark.parametrize("task", [FOLLOW_UP.name, BONE_AGE.name, NIH14.name])
def test_axe_has_no_grave_finding_in_a_quiz(browser: Browser, address: str, task: str) -> None:
    """The question, its answer, the score: of a pair, with an age for an answer, with a list of readings."""
    page = arrive(browser, f"{address}/teaching?quiz={task}&seed=5&cases=1", viewport=DESKTOP, color_scheme="light")
    drawn(page, 2 if task == FOLLOW_UP.name else 1)
    found = grave_findings(page)
    if task == BONE_AGE.name:
        page.get_by_label("Years", exact=True).fill("9")
    else:
        page.get_by_test_id("stRadio").get_by_role("radiogroup").locator("label").first.click()
    for nothing in page.get_by_text("Nothing to mark", exact=True).all():
        nothing.click()
    page.keyboard.press("Alt+a")
    expect(page.get_by_text("The truth", exact=True)).to_be_visible()
    page.wait_for_function(DRAWN)
    found += grave_findings(page)
    page.keyboard.press("Alt+n")
    expect(page.get_by_role("button", name="Results (CSV)")).to_be_visible()
    found += grave_findings(page)
    page.context.close()
    assert not found, "\n\n".join(found)


def test_axe_has_no_grave_finding_in_the_lesson(visitor: Page) -> None:
    """Each step, answered."""
    open_page(visitor, "Teaching")
    visitor.get_by_role("tab").last.click()
    found = []
    for number in range(1, 5):
        visitor.get_by_test_id("stButtonGroup").get_by_text(re.compile(f"^{number}\\. ")).click()
        settled(visitor)
        visitor.get_by_test_id("stRadio").get_by_role("radiogroup").locator("label").first.click()
        settled(visitor)
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
    for key in ("ArrowLeft", "ArrowLeft", "Enter", "ArrowRight", "ArrowRight", "Shift+ArrowDown", "Enter"):
        page.keyboard.press(key)
    expect(page.get_by_text(re.compile(r"Ruler: \d+\.\d (mm|px)\. Crosshair"))).to_be_visible()
    (x, y), (right, down) = page.evaluate(f"[{VIEWER}.view.ruler.from, {VIEWER}.view.ruler.to]")
    assert right > x
    assert down > y
    page.keyboard.press("p")
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
    assert_nothing_grave(page)
    page.keyboard.press("Alt+p")
    expect(page.get_by_test_id("stSidebar")).to_be_visible()
    assert "present" not in page.url
    page.context.close()
