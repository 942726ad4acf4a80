"""Baseline and follow-up in a real Chromium: side by side, swipe, blink, aligned or not."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser

from benchmarks.visit import VIEWER
from tests.browser.viewer_page import Opened, opening

pytestmark = pytest.mark.browser

PLACES = ((150, 300), (150, 100), (350, 300), (250, 420))
"""Of the baseline, in pixels: lung, above it, the square, between the lungs."""
LESION = (150, 200)
"""Centre of what only the follow-up has, in pixels of the baseline."""


@pytest.fixture
def opened(browser: Browser, compare_address: str) -> Iterator[Callable[..., Opened]]:
    with opening(browser, compare_address) as open_page:
        yield open_page


def test_layouts_are_the_browsers_own(opened: Callable[..., Opened]) -> None:
    page = opened("registered=1&heat=1")
    assert page.tags() == ["Baseline", "Follow-up"]
    with page.silent():
        for name, keys in (("Swipe", "2"), ("Blink", "3"), ("Side by side", "1")):
            page.press(keys)
            page.settle()
            assert page.page.get_by_role("button", name=f"{name}:").get_attribute("aria-pressed") == "true"
            assert page.page.locator("canvas:visible").count() == (2 if name == "Side by side" else 1)
        page.page.get_by_role("button", name="Swipe:").click()
        page.press("a l + + i ArrowLeft")
        page.page.get_by_role("slider", name="Dividing line").press("End")
        page.page.get_by_role("button", name="Reset display").click()
    assert page.view("view.layout") == "swipe"
    assert page.view("view.divider") == 0.5


def test_swipe_shows_each_image_on_its_side(opened: Callable[..., Opened]) -> None:
    page = opened("registered=1")
    page.press("2")
    divider = page.page.get_by_role("slider", name="Dividing line: Baseline left of it, Follow-up right of it")
    assert page.tags() == ["Baseline", "Follow-up"]
    assert page.pixel(*LESION)[0] < 190  # left of the line, so the baseline
    divider.press("Home")
    page.settle()
    assert page.tags() == ["Follow-up"]
    assert page.pixel(*LESION)[0] > 250
    for _ in range(3):
        divider.press("Shift+ArrowRight")
    divider.press("ArrowLeft")
    page.settle()
    assert divider.get_attribute("aria-valuenow") == "28"
    before = page.view("view.cx")
    frame = divider.bounding_box()
    assert frame is not None
    mouse = page.page.mouse
    mouse.move(frame["x"] + frame["width"] / 2 + 3, frame["y"] + 100)
    mouse.down()
    mouse.move(frame["x"] + 450, frame["y"] + 130, steps=4)
    mouse.up()
    page.settle()
    assert page.view("view.divider") > 0.5
    assert page.view("view.cx") == before  # the line moves, the image stays
    assert page.page.locator(".readout:visible").inner_text().startswith("Follow-up") is False
    assert page.pixel(*LESION)[0] < 190
    divider.press("End")
    page.settle()
    assert page.tags() == ["Baseline"]


def test_blink_alternates_and_always_says_what_is_seen(opened: Callable[..., Opened]) -> None:
    page = opened("registered=1")
    page.press("3")
    page.page.get_by_label("Seconds each image is shown").fill("0.2")
    seen = page.page.evaluate(
        f"""() => new Promise((done) => {{ const v = {VIEWER}; const p = v.panes[0]; const seen = [];
        const end = performance.now() + 2500;
        const look = () => {{
          const [a, b] = p.toScreen({LESION[0]}, {LESION[1]});
          const level = p.canvas.getContext('2d').getImageData(a * p.ratio, b * p.ratio, 1, 1).data[0];
          const tags = [...p.stage.querySelectorAll('.tag')].filter((t) => !t.hidden).map((t) => t.textContent);
          seen.push([tags.join(), level > 250]);
          if (performance.now() < end) setTimeout(look, 15); else done(seen); }};
        look(); }})"""
    )
    assert {tuple(pair) for pair in seen} == {("Baseline", False), ("Follow-up", True)}
    changes = sum(a != b for a, b in zip(seen[1:], seen, strict=False))
    assert 4 <= changes <= 15  # 12 on an idle machine, and never above three flashes a second
    assert (page.page.locator("canvas").first.get_attribute("aria-label") or "").startswith("In turn: Baseline")
    page.press("Space")
    shown = page.view("view.shown")
    page.page.wait_for_timeout(500)
    assert page.view("view.shown") == shown
    with page.silent():
        page.press("x")
    assert page.view("view.shown") == 1 - shown
    assert page.tags() == [("Follow-up", "Baseline")[shown]]
    page.page.get_by_role("button", name="Play blinking").click()
    page.page.wait_for_function(f"{VIEWER}.view.shown === {shown}")
    page.press("1")
    assert page.view("blink.seconds") == 0


def test_blink_waits_for_who_wants_less_motion(opened: Callable[..., Opened]) -> None:
    page = opened("", reduced_motion="reduce")
    page.press("3")
    page.page.wait_for_timeout(1000)
    assert (page.view("view.shown"), page.view("view.playing")) == (0, False)
    assert page.tags() == ["Baseline"]
    page.page.get_by_role("button", name="Next image").click()
    page.settle()
    assert page.tags() == ["Follow-up"]
    assert "Follow-up" in page.page.locator(".readout:visible").inner_text()
    page.page.get_by_role("button", name="Play blinking").click()
    page.page.wait_for_function(f"{VIEWER}.view.shown === 0")


def test_align_lays_the_follow_up_on_the_baseline(opened: Callable[..., Opened]) -> None:
    page = opened("registered=1", reduced_motion="reduce")
    page.press("3 +")
    first = [page.gray(0, *at) for at in PLACES]
    page.press("x")
    assert [page.gray(0, *at) for at in PLACES] == pytest.approx(first, abs=6)
    assert page.gray(0, *LESION) > 250
    page.press("a")
    assert page.page.get_by_role("button", name="Align").get_attribute("aria-pressed") == "false"
    assert page.gray(0, *LESION) < 230
    # Without it the second is as large as the first's rectangle allows, in its middle, whatever is zoomed or moved.
    page.press("ArrowLeft ArrowUp +")
    corners = [page.page.evaluate(f"{VIEWER}.panes[1].toScreen({x}, {y})") for x, y in ((0, 0), (800, 760))]
    frame = [page.page.evaluate(f"{VIEWER}.panes[0].toScreen({x}, {y})") for x, y in ((0, 0), (500, 600))]
    assert np.mean(corners, axis=0) == pytest.approx(np.mean(frame, axis=0))
    assert corners[1][0] - corners[0][0] == pytest.approx(frame[1][0] - frame[0][0])


def test_nothing_to_align_without_a_registration(opened: Callable[..., Opened]) -> None:
    page = opened("")
    assert page.page.get_by_role("button", name="Align").count() == 0
    page.press("a + + ArrowLeft")
    (cx, cy), view = page.view("panes[1].centre"), page.view("view")
    assert (cx / 800, cy / 760) == pytest.approx((view["cx"], view["cy"]))


def test_panning_side_by_side_follows_the_registration(opened: Callable[..., Opened]) -> None:
    page = opened("registered=1")
    whole = """(() => { const v = VIEWER; return v.panes.every((p) => { const { width, height } = p.described;
        return [p.toScreen(0, 0), p.toScreen(width, height)].flat().every((at) => at >= -1)
          && p.toScreen(width, height)[0] <= p.box.width + 1 && p.toScreen(width, height)[1] <= p.box.height + 1; });
        })()"""
    assert page.page.evaluate(whole.replace("VIEWER", VIEWER)) is True
    page.press("+ + +")
    second = page.page.locator("canvas").nth(1).bounding_box()
    assert second is not None
    x, y = second["x"] + 200, second["y"] + 200
    page.page.mouse.move(x, y)
    page.settle()
    grasped = page.view("panes[1].toImage(200, 200)")
    page.page.mouse.down()
    page.page.mouse.move(x + 60, y + 35, steps=4)
    page.page.mouse.up()
    page.settle()
    assert page.view("panes[1].toImage(260, 235)") == pytest.approx(grasped, abs=1)
    page.page.mouse.wheel(0, -200)
    page.settle()
    assert page.view("panes[1].toImage(260, 235)") == pytest.approx(grasped, abs=1)
    expected = page.in_second(*page.view("panes[0].centre"))
    assert page.view("panes[1].centre") == pytest.approx(expected)
    a, b, *_ = page.view("panes[1].described.to_first")
    assert page.view("panes[0].scale") / page.view("panes[1].scale") == pytest.approx(np.hypot(a, b))


def test_phone(opened: Callable[..., Opened]) -> None:
    phone: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    page = opened("heat=1&registered=1", reduced_motion="reduce", **phone)
    first, second = (page.page.locator("canvas").nth(i).bounding_box() for i in range(2))
    assert first is not None
    assert second is not None
    assert second["y"] >= first["y"] + first["height"]
    for layout in "132":
        page.press(layout)
        assert page.page.evaluate("document.documentElement.scrollWidth") <= 390
        beyond = f"""[...{VIEWER}.root.querySelectorAll('*')]
            .filter((e) => e.getBoundingClientRect().right > 390).length"""
        assert page.page.evaluate(beyond) == 0
        for button in page.page.locator(".bar button:visible").all():
            frame = button.bounding_box()
            assert frame is not None
            assert min(frame["width"], frame["height"]) >= 44
    knob = page.page.locator(".divider-knob")
    knob.scroll_into_view_if_needed()
    frame = knob.bounding_box()
    assert frame is not None
    x, y = frame["x"] + 22, frame["y"] + 22
    device = page.page.context.new_cdp_session(page.page)
    scrolled = page.page.evaluate("scrollY")
    for kind, ends in (("touchStart", [x]), ("touchMove", [x - 30]), ("touchMove", [x - 90]), ("touchEnd", [])):
        device.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": end, "y": y} for end in ends]})
        page.settle()
    assert page.view("view.divider") == pytest.approx(0.5 - 90 / page.view("panes[0].box.width"), abs=0.02)
    assert page.page.evaluate("scrollY") == scrolled


def test_comparison_works_by_keyboard_and_has_names(opened: Callable[..., Opened]) -> None:
    page = opened("heat=1&registered=1", reduced_motion="reduce")
    page.page.get_by_role("button", name="Blink:").focus()
    page.page.keyboard.press("Enter")
    page.settle()
    nameless = f"""[...{VIEWER}.root.querySelectorAll('button, select, input, canvas, [role=slider]')]
        .filter((e) => e.checkVisibility() && (!e.getAttribute('aria-label') || e.tabIndex < 0)).length"""
    assert page.page.evaluate(nameless) == 0
    play = page.page.get_by_role("button", name="Play blinking")
    play.focus()
    page.page.keyboard.press("Space")  # the button's own key and the viewer's: once, not twice
    page.settle()
    assert page.view("view.playing") is True
    page.press("2")
    divider = page.page.get_by_role("slider", name="Dividing line")
    divider.focus()
    page.page.keyboard.press("ArrowRight")
    page.settle()
    assert page.view("view.cx") == 0.5
    ring = "e => getComputedStyle(e.querySelector('.divider-knob')).outlineStyle"
    assert divider.evaluate(ring) == "solid"
    assert page.page.locator("canvas").first.get_attribute("aria-label") == (
        "Baseline, 500 by 600 pixels; Follow-up, 800 by 760 pixels"
    )
