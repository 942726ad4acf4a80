"""The quiz in a real Chromium: five cases by keyboard alone, one link in two sessions, a hostile pack, a phone."""

import csv
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from benchmarks.visit import VIEWER
from tests.browser.visitor import NAME, SCREENSHOTS, arrive, drawn, overflows, settled, upload
from tests.test_quiz_pack import entry

pytestmark = pytest.mark.browser

CASES = 3
LINK = f"teaching?quiz=tuberculosis&seed=12&cases={CASES}&level=hard"
MOST_TABS = 60
_FOCUSED = """() => { let e = document.activeElement; while (e && e.shadowRoot) e = e.shadowRoot.activeElement;
    return e ? [e.tagName, e.type || "", e.getAttribute("aria-label") || e.innerText || ""] : ["", "", ""]; }"""


def session(browser: Browser, address: str, **context: Any) -> Page:
    """A new session, acknowledged, on a desktop where nothing else is said."""
    return arrive(browser, address, **{"viewport": {"width": 1440, "height": 1000}} | context)


def tab_to(page: Page, tag: str, words: str = "", kind: str = "") -> None:
    """Press Tab until a control of this kind has the focus."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        at, of_kind, said = page.evaluate(_FOCUSED)
        if at == tag and words in said and kind in of_kind:
            return
    raise AssertionError(f"no {tag} {words} is reached by Tab")


def answer_by_keyboard(page: Page, number: int, *, mark: bool) -> None:
    """Mark or mark nothing, read, show the answer, go on; nothing but keys."""
    expect(page.get_by_text(f"Case {number} of 5")).to_be_visible()
    drawn(page, 1)
    # Nothing of the answer is on the page or was fetched.
    assert page.evaluate(f"{VIEWER}.panes.every((pane) => !pane.heatDescribed && !pane.masks.length)")
    expect(page.get_by_text("The truth", exact=True)).to_have_count(0)
    if mark:
        tab_to(page, "CANVAS")
        for key in ("ArrowLeft", "ArrowLeft", "ArrowUp", "Shift+ArrowUp"):
            page.keyboard.press(key)
        expect(page.get_by_text("Enter sets the mark here.")).to_be_visible()
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Remove the mark")).to_be_visible()
        settled(page)
    tab_to(page, "INPUT", kind="radio")
    page.keyboard.press("Space")
    settled(page)
    if not mark:
        tab_to(page, "INPUT", kind="checkbox")
        page.keyboard.press("Space")
        settled(page)
    expect(page.get_by_role("button", name="Show the answer")).to_be_enabled()
    page.keyboard.press("Alt+a")
    drawn(page, 3)
    expect(page.get_by_text("The truth", exact=True)).to_be_visible()


def test_five_cases_by_keyboard_from_the_start_page(browser: Browser, address: str, log: Path) -> None:
    page = session(browser, address, color_scheme="light")
    clicks = "document.addEventListener('pointerdown', () => { window.pointed = true; }, true)"
    page.evaluate(clicks)
    settled(page)
    tab_to(page, "A", "Try a five-case quiz")
    page.keyboard.press("Enter")
    for number in range(1, 6):
        answer_by_keyboard(page, number, mark=number != 2)
        if number == 1:
            page.screenshot(path=SCREENSHOTS / "quiz_answer.png", full_page=True)
        page.keyboard.press("Alt+n")
    expect(page.get_by_text("of 5 right")).to_have_count(2)
    expect(page.get_by_test_id("stDataFrame")).to_have_count(2)
    page.screenshot(path=SCREENSHOTS / "quiz_score.png", full_page=True)
    tab_to(page, "BUTTON", "Results (CSV)")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    with Path(download.value.path()).open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["learner_marked"] for row in rows] == ["yes", "no", "yes", "yes", "yes"]
    assert not page.evaluate("Boolean(window.pointed)")
    page.context.close()
    assert NAME not in log.read_text()


def shown_images(page: Page) -> list[str]:
    """The digests of all cases, in order; their answers are left alone."""
    digests = []
    for number in range(1, CASES + 1):
        expect(page.get_by_text(f"Case {number} of {CASES}")).to_be_visible()
        drawn(page, 1)
        digests.append(page.evaluate(f"{VIEWER}.panes[0].described.image"))
        page.get_by_text("Normal: no lesion").click()
        settled(page)
        page.get_by_text("Nothing to mark", exact=True).click()
        settled(page)
        page.keyboard.press("Alt+a")
        drawn(page, 3)
        page.keyboard.press("Alt+n")
    return digests


def test_a_link_gives_two_sessions_the_same_quiz(browser: Browser, address: str) -> None:
    seen = []
    for _ in range(2):
        page = session(browser, f"{address}/{LINK}")
        expect(page.get_by_text(f"Case 1 of {CASES}")).to_be_visible()
        assert page.url.endswith(LINK)
        seen.append(shown_images(page))
        page.context.close()
    assert seen[0] == seen[1]
    assert len(set(seen[0])) == CASES


def test_a_hostile_pack_is_refused_with_a_sentence(browser: Browser, address: str, tmp_path: Path, log: Path) -> None:
    file = tmp_path / f"{NAME}.zip"
    file.write_bytes(entry("../../etc/passwd.png"))
    page = session(browser, f"{address}/teaching")
    page.get_by_text("Own cases: a quiz pack").click()
    upload(page, file)
    expect(page.get_by_test_id("stAlertContentError")).to_contain_text("leads out of the pack through '..'")
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_role("button", name="Start with these cases")).to_have_count(0)
    page.context.close()
    assert NAME not in log.read_text()


def test_an_age_that_is_being_typed_counts_when_its_shortcut_is_pressed(browser: Browser, address: str) -> None:
    page = session(browser, f"{address}/teaching?quiz=bone_age&seed=3&cases=1")
    drawn(page, 1)
    page.keyboard.press("Alt+a")
    expect(page.get_by_text("Still missing: your reading")).to_be_visible()
    page.get_by_label("Years", exact=True).click()
    page.keyboard.type("9")
    page.keyboard.press("Tab")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("3")
    page.keyboard.press("Alt+a")
    expect(page.get_by_text("You read 9 years 3 months.")).to_be_visible()
    page.context.close()


def test_a_mark_by_touch_on_a_phone_in_the_dark(browser: Browser, address: str) -> None:
    page = session(
        browser,
        f"{address}/teaching?quiz=bone_age&seed=3&cases=1",
        viewport={"width": 375, "height": 812},
        color_scheme="dark",
        has_touch=True,
    )
    drawn(page, 1)
    assert not overflows(page)
    page.locator(".cxr-viewer canvas").tap(position={"x": 100, "y": 120})
    expect(page.get_by_text("Your mark:")).to_be_visible()
    page.get_by_label("Years").fill("9")
    page.get_by_label("Years").press("Enter")
    expect(page.get_by_role("button", name="Show the answer")).to_be_enabled()
    settled(page)
    page.get_by_role("button", name="Show the answer").click()
    drawn(page, 3)
    assert page.evaluate(f"Boolean({VIEWER}.panes[2].described.mark)")
    assert not overflows(page)
    page.screenshot(path=SCREENSHOTS / "quiz_phone.png", full_page=True)
    page.context.close()


def test_what_is_being_typed_outlives_a_mark(browser: Browser, address: str) -> None:
    """A form that the browser builds anew forgets a number that was not yet sent, and the answer lacks it."""
    page = session(browser, f"{address}/teaching?quiz=bone_age&seed=3&cases=1")
    drawn(page, 1)
    years = page.get_by_label("Years")
    years.fill("9")  # the field keeps the focus, and nothing is sent
    page.evaluate(f"(() => {{ const {{ marker, panes }} = {VIEWER}; marker.placeCross(panes[0]); }})()")
    expect(page.get_by_role("button", name="Remove the mark")).to_be_visible()
    settled(page)
    expect(years).to_have_value("9")
    page.get_by_role("button", name="Show the answer").click()
    drawn(page, 3)
    page.context.close()
