"""One visitor of the workbench in a real Chromium: opens pages, uploads, drags; and how long each took."""

import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

_WAIT = 120_000
_UPLOADS = "input[type=file]"
VIEWER = """(() => {
    const host = document.querySelector('[data-testid=stBidiComponentIsolated]');
    const root = host && host.shadowRoot && host.shadowRoot.querySelector('.cxr-viewer');
    return root && root.viewer;
})()"""
SHOWN = f"""(digest) => {{
    const viewer = {VIEWER};
    const pane = viewer && viewer.panes.at(-1);
    return pane && pane.described && pane.described.image === digest && pane.imageUrl === pane.described.url
        && pane.windowedAs && (!pane.described.heatmap || pane.heatAs)
        && document.querySelector('[data-testid=stMetric]');
}}"""
_STOPPED = "[data-testid=stAlertContentError], [class*=st-key][class*=anyway]"
_DONE = f"(digest) => ({SHOWN})(digest) || document.querySelector('{_STOPPED}')"
_SAID = f"""() => {{
    const stopped = [...document.querySelectorAll('{_STOPPED}')];
    return stopped.length ? stopped.map((e) => e.textContent).join(' ') : null;
}}"""
_HEADING = "(text) => [...document.querySelectorAll('h1')].some((e) => e.innerText.trim() === text)"
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"
_STEP = f"""async ([x, y]) => {{
    const canvas = {VIEWER}.panes[0].canvas;
    const frame = () => new Promise(requestAnimationFrame);
    await frame();
    const start = performance.now();
    const at = {{ clientX: x, clientY: y, pointerId: 1, bubbles: true, buttons: 1 }};
    canvas.dispatchEvent(new PointerEvent('pointermove', at));
    await frame();  // draws
    canvas.getContext('2d').getImageData(0, 0, 1, 1);  // waits until what was drawn is there
    return performance.now() - start;
}}"""


@dataclass
class Visit:
    """A session of its own in a browser without anything kept.

    Attributes:
        page: in the browser.
        traffic: bytes of every answer and of every websocket frame, both ways, since `count`.
    """

    page: Page
    traffic: list[int] = field(default_factory=list)

    def open(self, url: str, heading: str) -> float:
        """Go to a page; seconds until its heading is there."""
        start = time.perf_counter()
        self.page.goto(url, wait_until="commit")
        self.page.wait_for_function(_HEADING, arg=heading)
        seconds = time.perf_counter() - start
        self.page.wait_for_selector(IDLE)
        return seconds

    def acknowledge(self) -> None:
        """Confirm once that this is not for diagnosis."""
        button = self.page.get_by_role("button", name="I understand")
        button.click()
        button.wait_for(state="detached")
        self.page.wait_for_selector(IDLE)

    def give_baseline(self, file: Path) -> None:
        """Upload the first image of a pair, and wait until the page has it."""
        self.page.locator(_UPLOADS).first.set_input_files(file)
        self.page.get_by_text("Still missing: Follow-up.").wait_for()
        self.page.wait_for_selector(IDLE)

    def upload(self, file: Path, digest: str, place: int = 0) -> float:
        """Give a file; seconds until score, image and heatmap are on the screen.

        Args:
            file: to upload.
            digest: SHA-256 of its bytes, hexadecimal.
            place: of its uploader on the page.

        Raises:
            RuntimeError: the page shows an error, or the image guard stops the image.
        """
        start = time.perf_counter()
        self.page.locator(_UPLOADS).nth(place).set_input_files(file)
        # Milliseconds: asked with each frame, as by default, the browser would draw sixty of them a second.
        self.page.wait_for_function(_DONE, arg=digest, polling=10)
        seconds = time.perf_counter() - start
        self.page.wait_for_selector(IDLE)
        # In one step: what is there for a moment would have gone before its words are asked for.
        said = self.page.evaluate(_SAID)
        if said is not None:
            raise RuntimeError(f"The page did not analyse the image: {said}")
        return seconds

    def count(self) -> None:
        """Add up the traffic from now on; that takes processor time from the page, so nothing is timed to an answer."""
        network = self.page.context.new_cdp_session(self.page)
        network.send("Network.enable")
        network.on("Network.loadingFinished", lambda event: self.traffic.append(int(event["encodedDataLength"])))
        for way in ("Sent", "Received"):
            network.on(f"Network.webSocketFrame{way}", lambda event: self.traffic.append(_size(event["response"])))

    def window_steps(self, count: int) -> tuple[list[float], int]:
        """Drag with the window tool, and count the traffic from here on.

        Returns:
            Milliseconds of each step from the pointer's move to the drawn picture, and bytes that all steps together
            sent and fetched.
        """
        self.count()
        self.page.get_by_role("button", name="Window tool").click()
        canvas = self.page.locator(".cxr-viewer canvas").first
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        if box is None:
            raise RuntimeError("The viewer is not on the screen.")
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.wait_for_timeout(500)
        before = len(self.traffic)
        steps = [self.page.evaluate(_STEP, [x + 3 * step, y + 2 * step]) for step in range(1, count + 1)]
        self.page.wait_for_timeout(500)
        sent = sum(self.traffic[before:])
        self.page.mouse.up()
        return steps, sent

    def close(self) -> None:
        """Forget the session."""
        self.page.context.close()


def visit(browser: Browser) -> Visit:
    """A new visitor with an empty cache."""
    page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
    page.set_default_timeout(_WAIT)
    return Visit(page)


def _size(frame: Mapping[str, Any]) -> int:
    """Bytes of a websocket frame; a binary one comes as base64."""
    payload = frame["payloadData"]
    return len(payload) if frame["opcode"] == 1 else len(base64.b64decode(payload))
