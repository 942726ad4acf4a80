"""Pictures of the page with a simulated cavity, for README: python -m benchmarks.screenshots."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer
from PIL import Image
from playwright.sync_api import Browser, Page

from benchmarks.server import REPOSITORY, chromium, served
from cxrkit.tasks.tuberculosis import TUBERCULOSIS

PICTURES = REPOSITORY / "pages" / "ui" / "pictures"
DESKTOP: dict[str, Any] = {"viewport": {"width": 1360, "height": 1000}, "device_scale_factor": 1}
PHONE: dict[str, Any] = {
    "viewport": {"width": 412, "height": 915},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
_IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"
_DRAWN = """() => {
    const host = document.querySelector('[data-testid=stBidiComponentIsolated]');
    const root = host && host.shadowRoot && host.shadowRoot.querySelector('.cxr-viewer');
    const viewer = root && root.viewer;
    return viewer && viewer.panes.length && viewer.panes.every((pane) => pane.heatAs && pane.masks.length);
}"""
_WAIT = 180_000
_QUALITY = 86


def main(folder: Path = PICTURES) -> None:
    """Start the app, open the simulated cavity and write what is seen; only simulated images are shown."""
    folder.mkdir(parents=True, exist_ok=True)
    with served() as server, chromium() as browser:
        for name, take, context in (
            ("cavity", whole, DESKTOP | {"color_scheme": "light"}),
            ("cavity_dark", whole, DESKTOP | {"color_scheme": "dark"}),
            ("cavity_phone", phone, PHONE | {"color_scheme": "light"}),
            ("cavity_overlap", overlap, DESKTOP | {"color_scheme": "light", "device_scale_factor": 1.5}),
        ):
            picture = Image.open(io.BytesIO(shot(browser, server.url, take, context)))
            file = folder / f"{name}.webp"
            picture.convert("RGB").save(file, "WEBP", quality=_QUALITY, method=6)
            typer.echo(f"{file.name}: {picture.width} x {picture.height}, {file.stat().st_size / 1000:.0f} kB")


def shot(browser: Browser, url: str, take: Callable[[Page], bytes], context: dict[str, Any]) -> bytes:
    """PNG of a new session with the simulated cavity open."""
    page = browser.new_context(**context).new_page()
    page.set_default_timeout(_WAIT)
    page.goto(url)
    page.get_by_role("button", name="I understand").click()
    page.get_by_role("link", name=f"Open {TUBERCULOSIS.title}").click()
    page.get_by_role("button", name="Open a simulated case").click()
    page.wait_for_function(_DRAWN)
    page.wait_for_selector(_IDLE)
    taken = take(page)
    page.context.close()
    return taken


def whole(page: Page) -> bytes:
    """From the title to the figures beside the heatmap, in one window that is high enough."""
    end = page.get_by_text("Zhang et al.").bounding_box()
    if end is None:
        raise RuntimeError("The page says nothing about the heatmap.")
    page.set_viewport_size({"width": DESKTOP["viewport"]["width"], "height": round(end["y"] + end["height"] + 24)})
    return still(page).screenshot()


def phone(page: Page) -> bytes:
    """One screen of a phone: image, heatmap and truth, below the app's own header."""
    page.locator(".cxr-viewer").evaluate("e => { e.style.scrollMarginTop = '68px'; e.scrollIntoView(); }")
    return still(page).screenshot()


def overlap(page: Page) -> bytes:
    """The viewer alone, with heat inside the true outline only, near the lesion."""
    page.get_by_role("button", name="Overlap: heat inside").click()
    return still(page).locator(".cxr-viewer").screenshot()


def still(page: Page) -> Page:
    """The page after its last drawing."""
    page.mouse.move(0, 0)
    page.wait_for_timeout(1500)
    return page


if __name__ == "__main__":
    typer.run(main)
