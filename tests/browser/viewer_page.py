"""An opened page with the viewer, for its browser tests: what is on it and what it sent."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, Page

from benchmarks.visit import VIEWER


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

    def gray(self, pane: int, x: float, y: float) -> int:
        """Red of the colour where a pane's image has its point (x, y), on the canvas that shows this image."""
        draw = f"""() => {{ const v = {VIEWER}; const p = v.panes[{pane}]; const on = v.single ? v.panes[0] : p;
            const [a, b] = p.toScreen({x}, {y});
            return on.canvas.getContext('2d').getImageData(a * on.ratio, b * on.ratio, 1, 1).data[0]; }}"""
        return int(self.page.evaluate(draw))

    def in_second(self, x: float, y: float) -> tuple[float, float]:
        """The second image's point for the first's, by the page's own matrix; pixel (0, 0) reaches from 0 to 1."""
        a, b, c, d, e, f = self.view("panes[1].described.to_first")
        return a * x + c * y + e, b * x + d * y + f

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

    def tags(self) -> list[str]:
        """Names of images that stand on the canvases."""
        return [tag.inner_text() for tag in self.page.locator(".tag:visible").all()]

    def shown_state(self) -> str:
        return self.page.get_by_test_id("stText").inner_text()

    def wait_for_state(self, text: str) -> None:
        self.page.wait_for_function(
            "(text) => document.querySelector('[data-testid=stText]').innerText.includes(text)", arg=text
        )

    def pinch(self, canvas: Any) -> None:
        """Two fingers from 80 to 160 pixels apart."""
        x, y = canvas["x"] + canvas["width"] / 2, canvas["y"] + canvas["height"] / 2
        device = self.page.context.new_cdp_session(self.page)
        for kind, apart in (("touchStart", 40), ("touchMove", 60), ("touchMove", 80), ("touchEnd", 0)):
            ends = [x - apart, x + apart] if apart else []
            fingers = [{"x": end, "y": y, "id": i} for i, end in enumerate(ends)]
            device.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})
            self.settle()

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Nothing is sent to the server within, and nothing fetched."""
        before = len(self.sent), len(self.files)
        yield
        self.page.wait_for_timeout(300)
        assert (len(self.sent), len(self.files)) == before


def open_viewer(browser: Browser, address: str, query: str = "", **context: Any) -> Opened:
    page = browser.new_context(**{"viewport": {"width": 1200, "height": 900}} | context).new_page()
    traffic = Opened(page)
    page.on("websocket", lambda socket: _listen(socket, traffic))
    page.on("request", lambda request: _note(request.url, address, traffic))
    page.on("pageerror", lambda error: traffic.errors.append(str(error)))
    page.goto(f"{address}/?{query}")
    page.wait_for_selector(".cxr-viewer canvas")
    page.wait_for_function(f"{VIEWER}.panes.every((pane) => pane.windowedAs && pane.image.side === 1)")
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    return traffic


@contextmanager
def opening(browser: Browser, address: str) -> Iterator[Callable[..., Opened]]:
    """Opens pages of a server; closes them afterwards and holds that they neither failed nor asked outside."""
    pages: list[Opened] = []

    def open_page(query: str = "", **context: Any) -> Opened:
        pages.append(open_viewer(browser, address, query, **context))
        return pages[-1]

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
