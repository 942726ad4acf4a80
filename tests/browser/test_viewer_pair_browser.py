"""What lies on baseline and follow-up in a real Chromium: windows, heatmaps, crop box, ruler."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser

from benchmarks.visit import VIEWER
from tests.browser.viewer_page import Opened, opening

pytestmark = pytest.mark.browser

PLACES = ((150, 300), (150, 100), (350, 300), (250, 420))
"""Of the baseline, in pixels: lung, above it, the square, between the lungs."""


@pytest.fixture
def opened(browser: Browser, compare_address: str) -> Iterator[Callable[..., Opened]]:
    with opening(browser, compare_address) as open_page:
        yield open_page


def test_one_window_serves_images_of_different_ranges(opened: Callable[..., Opened]) -> None:
    page = opened("registered=1")
    others = [page.in_second(*at) for at in PLACES]

    def both() -> tuple[list[int], list[int]]:
        page.settle()
        first = [page.gray(0, *at) for at in PLACES]
        return first, [page.gray(1, *at) for at in others]

    start, other = both()
    assert other == pytest.approx(start, abs=6)
    page.press("w")
    page.drag((100, 200), (180, 330))
    changed, other = both()
    assert np.abs(np.subtract(changed, start)).max() > 25
    assert other == pytest.approx(changed, abs=8)
    (low, high), (other_low, other_high) = page.view("panes[0].window"), page.view("panes[1].window")
    assert [other_low, other_high] == pytest.approx([500 + 3000 * low, 500 + 3000 * high])
    page.press("l")
    page.drag((100, 300), (160, 200))
    alone, other = both()
    assert np.abs(np.subtract(alone, changed)).max() > 15
    assert other == pytest.approx(changed, abs=8)
    assert page.page.get_by_label("Window preset").input_value() == "custom"
    page.press("l")
    assert both()[0] == changed


def colour(page: Opened, x: int, y: int) -> str:
    red, green, blue, _ = page.pixel(x, y)
    if max(red, green, blue) - min(red, green, blue) <= 1:
        return "none"
    return "red" if red > blue else "blue"


def test_signed_heat_is_blue_and_red_and_nothing_at_zero(opened: Callable[..., Opened]) -> None:
    page = opened("heat=1&signed=1&registered=1", reduced_motion="reduce")
    page.page.wait_for_function(f"{VIEWER}.panes.every((pane) => pane.heatAs)")
    page.page.get_by_label("Heatmap threshold").fill("0")
    places = ((100, 450), (250, 450), (400, 450), (100, 150))
    for layout in "123":
        page.press(layout)
        assert [colour(page, *at) for at in places] == ["blue", "none", "red", "none"]
    page.press("x")
    assert [colour(page, *at) for at in places[1:]] == ["none", "red", "none"]
    zeros = [page.pixel(*at) for at in (places[1], places[3])]
    page.page.get_by_label("Heatmap opacity").fill("0")
    page.settle()
    assert [page.pixel(*at) for at in (places[1], places[3])] == zeros  # not even a gray veil
    legend = page.page.locator(".legend:visible").first.inner_text()
    assert "Blue: stronger at baseline" in legend
    assert "red: stronger at follow-up" in legend
    assert page.page.get_by_label("Heatmap colours").is_visible() is False


def test_each_image_has_its_heat_and_legend(opened: Callable[..., Opened]) -> None:
    page = opened("heat=1&registered=1", reduced_motion="reduce")
    page.page.wait_for_function(f"{VIEWER}.panes.every((pane) => pane.heatAs)")
    page.press("3")
    assert [colour(page, *at) for at in ((250, 450), (250, 150))] == ["red", "none"]
    page.press("x")
    assert [colour(page, *at) for at in ((250, 450), (250, 150))] == ["none", "red"]
    legends = [legend.inner_text() for legend in page.page.locator(".legend-name:visible").all()]
    assert legends == ["Baseline: Map of the baseline", "Follow-up: Map of the follow-up"]


def test_crop_is_for_side_by_side(opened: Callable[..., Opened]) -> None:
    page = opened("crop=1")
    page.press("c 2")
    assert page.view("view.tool") == "pan"
    page.press("c")
    assert page.view("view.tool") == "pan"
    page.press("1 c")
    page.drag((100, 100), (300, 400))
    page.wait_for_state("crop (100, 100, 300, 400)")


def test_ruler_measures_the_image_under_it(opened: Callable[..., Opened]) -> None:
    page = opened("registered=1", reduced_motion="reduce")
    page.press("3 x m")
    page.drag((150, 200), (250, 200))
    a, b, *_ = page.view("panes[1].described.to_first")
    assert page.view("view.ruler.pane") == 1
    assert f"ruler {100 * np.hypot(a, b):.1f} px" in page.page.locator(".readout:visible").inner_text()


def test_a_ruler_goes_with_its_image(opened: Callable[..., Opened]) -> None:
    page = opened(reduced_motion="reduce")
    page.press("3 x m")
    page.drag((150, 200), (250, 200))
    assert page.view("view.ruler.pane") == 1
    page.page.get_by_text("Another follow-up").click()
    page.page.wait_for_function(f"{VIEWER}.view.ruler === null")


def test_arrow_keys_change_the_window_with_its_tool(opened: Callable[..., Opened]) -> None:
    page = opened()
    page.press("w ArrowRight ArrowUp")
    assert page.view("view.stretch") > 1
    assert page.view("view.shift") < 0
    middle = page.view("view.cx")
    page.press("p ArrowRight")
    assert page.view("view.cx") > middle


def test_large_images_follow_the_line(opened: Callable[..., Opened]) -> None:
    page = opened("scale=4")
    page.press("2")
    step = f"""(share) => {{ const v = {VIEWER}; const started = performance.now(); v.moving = true;
        v.view.divider = share; v.panes[0].draw();
        v.panes[0].canvas.getContext('2d').getImageData(0, 0, 1, 1); // waits until it is drawn
        return performance.now() - started; }}"""
    times = sorted(page.page.evaluate(step, 0.3 + 0.05 * index) for index in range(7))
    print(f"swipe of 2000 x 2400 and 3200 x 3040 pixels: {times[3]:.0f} ms")
    assert times[3] < 250  # about a tenth on an idle machine; the margin is for a busy one
