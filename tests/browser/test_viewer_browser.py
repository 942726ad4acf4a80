"""The viewer in a real Chromium: what is drawn, what travels, what comes back."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from benchmarks.visit import VIEWER
from tests.browser.viewer_page import Opened, opening

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(browser: Browser, viewer_address: str) -> Iterator[Callable[..., Opened]]:
    with opening(browser, viewer_address) as open_page:
        yield open_page


def test_the_display_is_the_browsers_own(opened: Callable[..., Opened]) -> None:
    page = opened()
    bright, dark = page.pixel(300, 300), page.pixel(5, 5)
    assert bright[0] > 200
    assert dark[0] < 60
    with page.silent():
        page.press("w")
        page.drag((300, 300), (360, 420))
        assert page.pixel(300, 300)[0] < bright[0]
        page.press("p i + + ArrowLeft")
        assert page.view("view.zoom") == pytest.approx(1.25**2)
        page.drag((300, 300), (200, 300), button="right")
        page.page.get_by_label("Heatmap opacity").fill("80")
        page.page.get_by_label("Window preset").select_option("full")
        page.press("r")
    assert page.pixel(300, 300) == bright


def test_window_is_exact(opened: Callable[..., Opened]) -> None:
    """Gray = 255 * (value - low) / (high - low), as the readout's value and window say."""
    page = opened("nocrop=1")
    page.press("+ + + + + + + + + +")  # pixels larger than 4 screen pixels are not interpolated
    (low, high), value = page.view("panes[0].window"), page.view("panes[0].image.levels[330 * 600 + 300]")
    image = page.view("panes[0].described")
    value = value * image["slope"] + image["intercept"]
    expected = 255 * min(max((value - low) / (high - low), 0), 1)
    assert page.pixel(300, 330)[0] == pytest.approx(expected, abs=1)


def test_a_large_image_follows_the_pointer(opened: Callable[..., Opened]) -> None:
    page = opened("size=2000")
    page.press("w")
    times = []
    for step in range(8):
        page.page.evaluate(f"{VIEWER}.change({{ shift: {0.01 * (step + 1)} }})")
        page.settle()
        times.append(page.view("panes[0].milliseconds"))
    print(f"window step of a 2000 x 2000 image: {sorted(times)[4]:.0f} ms")
    assert sorted(times)[4] < 150  # 50 ms on an idle machine; the margin is for a busy one


def test_an_image_shown_smaller_is_windowed_at_that_size_and_looks_the_same(opened: Callable[..., Opened]) -> None:
    page = opened("size=2000&nocrop=1")
    drawn = "canvas.getContext('2d').getImageData(0, 0, 400, 400).data.filter((_, i) => i % 4 === 0).join()"
    assert page.view("panes[0].windowed.side") == 2
    pooled = [int(gray) for gray in page.view(f"panes[0].{drawn}").split(",")]
    page.view("change((Object.defineProperty(VIEWER.panes[0], 'pooling', { value: 1 }), {}))".replace("VIEWER", VIEWER))
    page.settle()
    assert page.view("panes[0].windowed.side") == 1
    whole = [int(gray) for gray in page.view(f"panes[0].{drawn}").split(",")]
    apart = [abs(a - b) for a, b in zip(pooled, whole, strict=True)]
    print(f"pooled against whole: mean {sum(apart) / len(apart):.2f}, most {max(apart)} of 255")
    assert max(whole) - min(whole) > 100
    assert max(apart) <= 2


def test_all_pixels_are_there_when_zoomed_in(opened: Callable[..., Opened]) -> None:
    page = opened("size=2000&nocrop=1")
    with page.silent():
        page.press("+ + + + +")
    assert page.view("panes[0].windowed.side") == 1
    assert page.view("panes[0].windowed.levels.length") == 2000 * 2000


def test_a_very_large_image_gets_finer_when_the_zoom_rests(opened: Callable[..., Opened]) -> None:
    page = opened("size=3000&nocrop=1")
    coarse = page.view("panes[0].windowed.side")
    page.press("+ + + + + + + +")
    page.page.wait_for_function(f"{VIEWER}.panes[0].windowed.side === 1 && {VIEWER}.panes[0].windowedAs")
    page.press("0")
    assert coarse > 1
    assert page.view("panes[0].windowed.side") == 1  # what is there already serves


def test_crop_comes_back_on_release(opened: Callable[..., Opened]) -> None:
    page = opened()
    page.press("c")
    with page.silent():
        page.page.mouse.move(*page.point(540, 540))
        page.page.mouse.down()
        page.page.mouse.move(*page.point(450, 480), steps=4)
    page.page.mouse.up()
    page.page.wait_for_function("!document.querySelector('[data-testid=stText]').innerText.includes('540, 540')")
    box = [int(n) for n in page.shown_state().split("(")[1].split(")")[0].split(",")]
    assert box == pytest.approx([60, 60, 450, 480], abs=2)
    page.drag((200, 200), (170, 200))  # the box as a whole
    page.wait_for_state(f"crop ({box[0] - 30}, 60, {box[2] - 30}, {box[3]})")
    assert page.view("crop.box") == [box[0] - 30, 60, box[2] - 30, box[3]]


def test_number_fields_and_box_stay_in_step(opened: Callable[..., Opened]) -> None:
    page = opened("fields=1")
    left = page.page.get_by_label("left", exact=True)
    left.fill("100")
    left.press("Enter")
    page.wait_for_state("crop (100, 60, 540, 540)")
    page.page.wait_for_function(f"{VIEWER}.crop.box[0] === 100")
    page.press("c")
    page.drag((540, 300), (400, 300))
    page.page.wait_for_function("document.querySelector('[aria-label=right]').value === '400'")
    page.wait_for_state("crop (100, 60, 400, 540)")
    left.fill("50")
    left.press("Enter")
    page.wait_for_state("crop (50, 60, 400, 540)")
    page.page.wait_for_function(f"{VIEWER}.crop.box[0] === 50")
    assert page.view("crop.box") == [50, 60, 400, 540]


def test_new_heatmap_keeps_view_and_pixels(opened: Callable[..., Opened]) -> None:
    page = opened()
    assert len(page.files) == 2
    page.press("+ + i")
    before = page.view("view")
    received = len(page.received)
    with page.page.expect_response(lambda answer: "/media/" in answer.url) as answer:
        page.page.get_by_text("New heatmap").click()
    page.page.wait_for_timeout(500)
    assert len(answer.value.body()) == 28 * 28
    assert page.view("view") == before
    assert len(set(page.files)) == 3
    traffic = sum(page.received[received:])
    print(f"rerun with a new heatmap: {traffic} bytes by websocket, 784 by file")
    assert traffic < 100_000  # far below the 360,000 pixels of the image


def test_view_outlives_a_visit_elsewhere(opened: Callable[..., Opened]) -> None:
    page = opened()
    page.press("+ + + i")
    page.press("c")
    page.drag((540, 300), (400, 300))
    page.wait_for_state("crop (60, 60, 400, 540)")
    before, fetched = page.view("view"), len(page.files)
    page.page.get_by_text("Elsewhere").click()
    page.page.wait_for_selector(".cxr-viewer canvas", state="detached")
    page.page.get_by_text("Elsewhere").click()
    page.page.wait_for_selector(".cxr-viewer canvas")
    page.page.wait_for_function(f"{VIEWER}.panes[0].windowedAs")
    assert page.view("view") == before
    assert page.view("crop.box") == [60, 60, 400, 540]
    assert len(page.files) == fetched


def test_another_image_starts_afresh(opened: Callable[..., Opened]) -> None:
    page = opened()
    page.press("+ + i w")
    page.page.get_by_text("Other image").click()
    page.page.wait_for_function(f"{VIEWER}.view.zoom === 1")
    assert page.view("view.invert") is False
    assert page.view("view.tool") == "window"


def dashed(page: Opened, left: int, top: int, right: int, bottom: int) -> tuple[int, int]:
    """How many pixels in a box of the image on the first canvas are white and how many black."""
    count = f"""() => {{ const p = {VIEWER}.panes[0];
        const [[a, b], [c, d]] = [p.toScreen({left}, {top}), p.toScreen({right}, {bottom})].map((at) =>
          at.map((v) => Math.round(v * p.ratio)));
        const data = p.canvas.getContext('2d').getImageData(a, b, c - a, d - b).data;
        const at = (i) => Math.max(data[i], data[i + 1], data[i + 2]);
        const least = (i) => Math.min(data[i], data[i + 1], data[i + 2]);
        let white = 0; let black = 0;
        for (let i = 0; i < data.length; i += 4) {{ white += least(i) > 250; black += at(i) < 5; }}
        return [white, black]; }}"""
    white, black = page.page.evaluate(count)
    return white, black


def test_truth_is_outlined_at_any_zoom_and_can_be_hidden(opened: Callable[..., Opened]) -> None:
    page = opened("truth=1&two=1")
    page.page.wait_for_function(f"{VIEWER}.panes.every((pane) => pane.masks.length === 2)")
    page.settle()
    assert len(set(page.files)) == 5  # two images, a heatmap, two outlines that both panes share
    rim, middle = (125, 185, 145, 295), (160, 215, 200, 265)
    shown = dashed(page, *rim)
    assert min(shown) > 20
    assert min(dashed(page, *middle)) == 0
    assert page.page.get_by_text("Truth: cavity, nodule").count() == 2  # one under each pane
    with page.silent():
        page.press("t")
        assert dashed(page, *rim) == (0, 0)
        assert page.page.get_by_label("Truth: outline").get_attribute("aria-pressed") == "false"
        assert page.page.locator(".truth-legend:visible").count() == 0
        page.page.get_by_label("Truth: outline").click()
        page.settle()
        assert dashed(page, *rim) == shown
        page.press("+ + + + + + + +")  # about six times, and the line is as thick
        page.page.evaluate(f"{VIEWER}.moveTo(0.22, 0.4)")
        page.settle()
        white, black = dashed(page, 125, 235, 145, 245)
        assert 0 < white < 400
        assert 0 < black < 400


def test_overlap_shows_heat_in_the_outline_only(opened: Callable[..., Opened]) -> None:
    page = opened("truth=1")
    page.page.wait_for_function(f"{VIEWER}.panes[0].masks.length === 2 && {VIEWER}.panes[0].heatAs")
    page.settle()

    def coloured(x: int, y: int) -> bool:
        red, green, blue, _ = page.pixel(x, y)
        return max(red, green, blue) - min(red, green, blue) > 20

    inside, beside, cold = (180, 240), (180, 310), (420, 240)
    assert [coloured(*at) for at in (inside, beside, cold)] == [True, True, False]
    with page.silent():
        page.press("o")
        assert [coloured(*at) for at in (inside, beside, cold)] == [True, False, False]
        page.page.get_by_label("Heatmap threshold").fill("99")  # the overlap has the heatmap's own threshold
        page.settle()
        assert not coloured(150, 240)
        page.press("t")
        assert page.view("view.overlap") is False
        page.press("o")
        assert page.view("view.truth") is True
        page.press("t r")
        assert page.view("view.truth") is False  # who looks first does not get the truth by resetting the display


def test_without_truth_there_is_no_button_for_it(opened: Callable[..., Opened]) -> None:
    page = opened()
    assert page.page.get_by_role("group", name="Truth").count() == 0
    page.press("o")
    assert page.view("view.overlap") is False


def test_without_a_pair_there_is_nothing_to_compare(opened: Callable[..., Opened]) -> None:
    page = opened("two=1")
    assert page.page.get_by_role("group", name="Comparison").count() == 0
    assert page.page.get_by_role("slider", name="Dividing line").count() == 0
    assert page.tags() == []
    assert page.page.locator(".pane-title:visible").all_inner_texts() == ["Unedited", "Edited: brightness 1.2"]
    page.press("2 3")
    assert page.view("single") is False
    page.press("?")
    assert page.page.get_by_text("reset the display").is_visible()
    assert page.page.get_by_text("blinking").is_visible() is False


def test_ruler_measures_in_millimetres(opened: Callable[..., Opened]) -> None:
    page = opened("two=1")
    page.press("m")
    page.drag((100, 200), (300, 200))
    readout = page.page.locator(".readout").first
    expect(readout).to_contain_text("ruler 100.0 mm")  # 200 pixels of 0.5 mm
    page.press("Escape")
    expect(readout).not_to_contain_text("ruler")


def test_phone(opened: Callable[..., Opened]) -> None:
    page = opened("two=1&truth=1", viewport={"width": 375, "height": 812}, has_touch=True, is_mobile=True)
    assert page.page.evaluate("document.documentElement.scrollWidth") <= 375
    overflowing = (
        f"[...{VIEWER}.root.querySelectorAll('*')].filter((e) => e.getBoundingClientRect().right > 375).length"
    )
    assert page.page.evaluate(overflowing) == 0
    first, second = (page.page.locator("canvas").nth(i).bounding_box() for i in range(2))
    assert first is not None
    assert second is not None
    assert second["y"] >= first["y"] + first["height"]
    for button in page.page.locator(".bar button:visible").all():
        frame = button.bounding_box()
        assert frame is not None
        assert min(frame["width"], frame["height"]) >= 44
    page.pinch(first)
    assert page.view("view.zoom") == pytest.approx(2, abs=0.1)


def test_every_control_has_a_name_and_works_by_keyboard(opened: Callable[..., Opened]) -> None:
    page = opened()
    nameless = f"""[...{VIEWER}.root.querySelectorAll('button, select, input, canvas')]
        .filter((e) => !e.getAttribute('aria-label') || e.tabIndex < 0).length"""
    assert page.page.evaluate(nameless) == 0
    window = page.page.get_by_label("Window tool")
    window.focus()
    page.page.keyboard.press("Enter")
    page.settle()
    assert window.get_attribute("aria-pressed") == "true"
    assert page.page.get_by_label("Pan tool").get_attribute("aria-pressed") == "false"
    with page.silent():  # Streamlit itself reruns on R and asks to clear its caches on C
        page.press("r c ?")
    assert page.page.get_by_role("region", name="Keys and gestures").is_visible()
    assert page.page.get_by_role("dialog").count() == 0
