"""The viewer in a real Chromium: what is drawn, what travels, what comes back."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

pytestmark = pytest.mark.browser

REPOSITORY = Path(__file__).resolve().parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
VIEWER = (
    "document.querySelector('[data-testid=stBidiComponentIsolated]')"
    ".shadowRoot.querySelector('.cxr-viewer').viewer"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        reason = "needs Debian's chromium: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def address(browser: Browser) -> Iterator[str]:
    """A server of viewer_app.py; after `browser`, so that nothing starts where there is none."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {"server.port": port, "server.address": "127.0.0.1", "server.headless": "true"}
    options |= {"browser.gatherUsageStats": "false", "server.fileWatcherType": "none"}
    flags = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    app = "tests/browser/viewer_app.py"
    server = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", app, *flags],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until(lambda: _healthy(url), 30, "the server did not start")
        yield url
    finally:
        server.terminate()
        server.wait(10)


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, TimeoutError):
        return False


def _wait_until(condition: Callable[[], bool], seconds: float, message: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail(message)
        time.sleep(0.1)


@dataclass
class Opened:
    """A page with its traffic: frames sent to and bytes received from Streamlit, files fetched, errors."""

    page: Page
    sent: list[int] = field(default_factory=list)
    received: list[int] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def view(self, path: str) -> Any:
        return self.page.evaluate(f"{VIEWER}.{path}")

    def pixel(self, x: int, y: int) -> list[int]:
        """Colour on the canvas of the first pane where the image's pixel (x, y) is drawn."""
        draw = f"""() => {{ const p = {VIEWER}.panes[0]; const [a, b] = p.toScreen({x} + 0.5, {y} + 0.5);
            return [...p.canvas.getContext('2d').getImageData(a * p.ratio, b * p.ratio, 1, 1).data]; }}"""
        return list(self.page.evaluate(draw))

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Where on the page the image's point (x, y) of the first pane is."""
        place = f"""() => {{ const p = {VIEWER}.panes[0]; const r = p.canvas.getBoundingClientRect();
            const [a, b] = p.toScreen({x}, {y}); return [a + r.left, b + r.top]; }}"""
        across, down = self.page.evaluate(place)
        return across, down

    def drag(self, start: tuple[float, float], end: tuple[float, float], button: Any = "left") -> None:
        """From one point of the image to another."""
        (x0, y0), (x1, y1) = self.point(*start), self.point(*end)
        mouse = self.page.mouse
        mouse.move(x0, y0)
        mouse.down(button=button)
        mouse.move((x0 + x1) / 2, (y0 + y1) / 2, steps=3)
        mouse.move(x1, y1, steps=3)
        mouse.up(button=button)
        self.settle()

    def press(self, keys: str) -> None:
        self.page.locator("canvas").first.focus()
        for key in keys.split():
            self.page.keyboard.press(key)
        self.settle()

    def settle(self) -> None:
        self.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def shown_state(self) -> str:
        return self.page.get_by_test_id("stText").inner_text()

    def wait_for_state(self, text: str) -> None:
        self.page.wait_for_function(
            "(text) => document.querySelector('[data-testid=stText]').innerText.includes(text)", arg=text
        )


@pytest.fixture
def opened(browser: Browser, address: str) -> Iterator[Callable[..., Opened]]:
    """Opens the test page; closes it afterwards and holds that it neither failed nor asked outside."""
    pages: list[Opened] = []

    def open_page(query: str = "", **context: Any) -> Opened:
        page = browser.new_context(**{"viewport": {"width": 1200, "height": 900}} | context).new_page()
        traffic = Opened(page)
        pages.append(traffic)
        page.on("websocket", lambda socket: _listen(socket, traffic))
        page.on("request", lambda request: _note(request.url, address, traffic))
        page.on("pageerror", lambda error: traffic.errors.append(str(error)))
        page.goto(f"{address}/?{query}")
        page.wait_for_selector(".cxr-viewer canvas")
        page.wait_for_function(f"{VIEWER}.panes.every((pane) => pane.windowedAs)")
        page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
        return traffic

    yield open_page
    for traffic in pages:
        traffic.page.context.close()
        assert traffic.errors == []
        assert traffic.outside == []


def _listen(socket: Any, traffic: Opened) -> None:
    socket.on("framesent", lambda payload: traffic.sent.append(len(payload)))
    socket.on("framereceived", lambda payload: traffic.received.append(len(payload)))


def _note(url: str, address: str, traffic: Opened) -> None:
    if url.startswith(f"{address}/media/"):
        traffic.files.append(url)
    elif not url.startswith((address, address.replace("http", "ws"), "blob:", "data:")):
        traffic.outside.append(url)


@contextmanager
def silent(page: Opened) -> Iterator[None]:
    """Nothing is sent to the server within."""
    before = len(page.sent), len(page.files)
    yield
    page.page.wait_for_timeout(300)
    assert (len(page.sent), len(page.files)) == before


def test_the_display_is_the_browsers_own(opened: Callable[..., Opened]) -> None:
    page = opened()
    bright, dark = page.pixel(300, 300), page.pixel(5, 5)
    assert bright[0] > 200 > 60 > dark[0]
    with silent(page):
        page.press("w")
        page.drag((300, 300), (360, 420))
        assert page.pixel(300, 300)[0] < bright[0]
        page.press("i + + ArrowLeft")
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


def test_crop_comes_back_on_release(opened: Callable[..., Opened]) -> None:
    page = opened()
    page.press("c")
    with silent(page):
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


def test_ruler_measures_in_millimetres(opened: Callable[..., Opened]) -> None:
    page = opened("two=1")
    page.press("m")
    page.drag((100, 200), (300, 200))
    page.wait_for_state("ruler 100.0")  # 200 pixels of 0.5 mm
    assert "ruler 100.0 mm" in page.page.locator(".readout").first.inner_text()
    page.press("Escape")
    page.wait_for_state("ruler None")


def test_phone(opened: Callable[..., Opened]) -> None:
    page = opened("two=1", viewport={"width": 375, "height": 812}, has_touch=True, is_mobile=True)
    assert page.page.evaluate("document.documentElement.scrollWidth") <= 375
    overflowing = f"[...{VIEWER}.root.querySelectorAll('*')].filter((e) => e.getBoundingClientRect().right > 375).length"
    assert page.page.evaluate(overflowing) == 0
    first, second = (page.page.locator("canvas").nth(i).bounding_box() for i in range(2))
    assert first is not None
    assert second is not None
    assert second["y"] >= first["y"] + first["height"]
    for button in page.page.locator(".bar button:visible").all():
        frame = button.bounding_box()
        assert frame is not None
        assert min(frame["width"], frame["height"]) >= 44
    _pinch(page, first)
    assert page.view("view.zoom") == pytest.approx(2, abs=0.1)


def _pinch(page: Opened, canvas: Any) -> None:
    """Two fingers from 80 to 160 pixels apart."""
    x, y = canvas["x"] + canvas["width"] / 2, canvas["y"] + canvas["height"] / 2
    device = page.page.context.new_cdp_session(page.page)
    for kind, apart in (("touchStart", 40), ("touchMove", 60), ("touchMove", 80), ("touchEnd", None)):
        fingers = [] if apart is None else [{"x": x - apart, "y": y, "id": 0}, {"x": x + apart, "y": y, "id": 1}]
        device.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})
        page.settle()


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
    with silent(page):  # Streamlit itself reruns on R and asks to clear its caches on C
        page.press("r c ?")
    assert page.page.get_by_role("region", name="Keys and gestures").is_visible()
    assert page.page.get_by_role("dialog").count() == 0
