"""Pictures of the pages with simulated cases, for README: python -m benchmarks.screenshots."""

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import typer
from PIL import Image
from playwright.sync_api import Browser, Page

from benchmarks.server import REPOSITORY, chromium, served
from cxrkit.task import Task
from cxrkit.tasks.bone_age import BONE_AGE
from cxrkit.tasks.followup import FOLLOW_UP
from cxrkit.tasks.nih14 import NIH14
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from cxrkit.tasks.vq import VQ

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
    return viewer && viewer.panes.length && viewer.panes.every((pane) => pane.heatAs);
}"""
_WAIT = 60_000
_QUALITY = 86
_SAMPLE = {FOLLOW_UP.name: "Open a simulated pair", VQ.name: "Open a simulated day"}
"""What the button says that opens a page's first simulated case, where it is not what most say."""


def main(folder: Path = PICTURES) -> None:
    """Start the app, open each page's first simulated case and write what is seen; no other images are shown."""
    folder.mkdir(parents=True, exist_ok=True)
    with served() as server, chromium() as browser:
        cavity, pair = partial(whole, end="Zhang et al."), partial(whole, end="Can this answer be trusted?")
        hand, day = partial(whole, end="What the network reads"), partial(whole, end="1 = its own maximum")
        findings = partial(whole, end="Is it right?")
        for name, task, take, context in (
            ("cavity", TUBERCULOSIS, cavity, DESKTOP | {"color_scheme": "light"}),
            ("cavity_dark", TUBERCULOSIS, cavity, DESKTOP | {"color_scheme": "dark"}),
            ("cavity_phone", TUBERCULOSIS, phone, PHONE | {"color_scheme": "light"}),
            ("cavity_overlap", TUBERCULOSIS, overlap, DESKTOP | {"color_scheme": "light", "device_scale_factor": 1.5}),
            ("pair", FOLLOW_UP, pair, DESKTOP | {"color_scheme": "light"}),
            ("pair_phone", FOLLOW_UP, phone, PHONE | {"color_scheme": "dark"}),
            ("hand", BONE_AGE, hand, DESKTOP | {"color_scheme": "light"}),
            ("hand_phone", BONE_AGE, phone, PHONE | {"color_scheme": "dark"}),
            ("day", VQ, day, DESKTOP | {"color_scheme": "light"}),
            ("day_phone", VQ, phone, PHONE | {"color_scheme": "dark"}),
            ("findings", NIH14, findings, DESKTOP | {"color_scheme": "light"}),
            ("findings_phone", NIH14, phone, PHONE | {"color_scheme": "dark"}),
        ):
            picture = Image.open(io.BytesIO(shot(browser, server.url, task, take, context)))
            file = folder / f"{name}.webp"
            picture.convert("RGB").save(file, "WEBP", quality=_QUALITY, method=6)
            typer.echo(f"{file.name}: {picture.width} x {picture.height}, {file.stat().st_size / 1000:.0f} kB")


def shot(browser: Browser, url: str, task: Task, take: Callable[[Page], bytes], context: dict[str, Any]) -> bytes:
    """PNG of a new session with the task's first simulated case open."""
    page = browser.new_context(**context).new_page()
    page.set_default_timeout(_WAIT)
    page.goto(url)
    page.get_by_role("button", name="I understand").click()
    page.get_by_role("link", name=f"Open {task.title}").click()
    page.get_by_role("button", name=_SAMPLE.get(task.name, "Open a simulated case")).click()
    page.wait_for_function(_DRAWN)
    if "sex" in task.context:
        page.get_by_role("radio", name="Boy").click()  # as the first simulated hand is
        page.wait_for_timeout(500)
    page.wait_for_selector(_IDLE)
    taken = take(page)
    page.context.close()
    return taken


def whole(page: Page, end: str) -> bytes:
    """From the title to the line with these words, in one window that is high enough."""
    last = page.get_by_text(end).first.bounding_box()
    if last is None:
        raise RuntimeError(f"The page does not say “{end}”.")
    page.set_viewport_size({"width": DESKTOP["viewport"]["width"], "height": round(last["y"] + last["height"] + 24)})
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
