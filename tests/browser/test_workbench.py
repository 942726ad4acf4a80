"""The whole workbench in a real Chromium: acknowledge, upload, crop, threshold, page switch, phone, dark; a pair."""

from pathlib import Path
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from benchmarks.visit import VIEWER
from cxrkit.tasks.followup import FOLLOW_UP
from tests.browser.axe import assert_nothing_grave
from tests.browser.viewer_page import Opened
from tests.browser.visitor import NAME, SCREENSHOTS, drawn, overflows, start, upload
from tests.pages.conftest import png

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def chest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drawn chest, 400 x 480 pixels."""
    file = tmp_path_factory.mktemp("upload") / f"{NAME}.png"
    file.write_bytes(png())
    return file


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two drawn chests of different sizes: the follow-up is smaller and has a bright disk in a lung."""
    folder, drawn = tmp_path_factory.mktemp("pair"), cv2.imdecode(np.frombuffer(png(), np.uint8), cv2.IMREAD_GRAYSCALE)
    rows, columns = np.indices(drawn.shape)
    lesion = np.clip((900 - (rows - 200) ** 2 - (columns - 120) ** 2) / 9.0, 0, 90)
    changed = np.clip(drawn + lesion, 0, 255)[:460, :390]
    files = folder / f"{NAME}1.png", folder / f"{NAME}2.png"
    for file, pixels in zip(files, (drawn, changed), strict=True):
        file.write_bytes(png(pixels))
    return files


def compared(page: Page, files: tuple[Path, Path]) -> None:
    """Both images of a pair, one after the other, until the answer is there."""
    upload(page, files[0])
    expect(page.get_by_text("Still missing: Follow-up.")).to_be_visible()
    upload(page, files[1], place=1)
    expect(page.get_by_text("Can this answer be trusted?")).to_be_visible()
    drawn(page, 2)


def choose(page: Page, key: str, name: str) -> None:
    """Take an option of a list; a run that ends late closes the list again."""
    option = page.get_by_role("option", name=name)
    while not option.is_visible():
        page.locator(f"[class*={key}]").get_by_role("combobox").click()
        page.wait_for_timeout(1000)
    option.click()


def test_upload_crop_threshold_and_page_switch(browser: Browser, address: str, chest: Path, log: Path) -> None:
    page = start(browser, address, viewport={"width": 1440, "height": 1000}, color_scheme="light")
    outside: list[str] = []
    page.on("request", lambda request: outside.append(request.url) if is_outside(request.url) else None)
    upload(page, chest)
    expect(page.get_by_test_id("stMetric")).to_have_count(1)
    left, top = (page.get_by_label(edge, exact=True) for edge in ("Left", "Top"))
    expect(left).to_have_count(0)
    corner = tuple(page.evaluate(f"{VIEWER}.crop.box.slice(0, 2)"))

    page.get_by_role("button", name="Crop tool").click()
    Opened(page).drag(corner, (corner[0] + 60, corner[1] + 80))
    # The drag opens the controls.
    expect(left).to_be_visible()
    expect(page.get_by_test_id("stMetric")).to_have_count(2)
    expect(page.get_by_text("The edits move the score")).to_be_visible()
    assert int(left.input_value()) == pytest.approx(corner[0] + 60, abs=2)
    assert int(top.input_value()) == pytest.approx(corner[1] + 80, abs=2)
    page.screenshot(path=SCREENSHOTS / "workbench_crop.png")

    page.get_by_role("slider", name="Threshold for").focus()
    page.keyboard.press("Home")
    expect(page.get_by_text("Above the threshold 0.000")).to_have_count(2)
    page.keyboard.press("End")
    expect(page.get_by_text("Below the threshold 1.000")).to_have_count(2)

    page.get_by_role("link", name="Start", exact=True).click()
    expect(page.get_by_role("heading", name="CXR Workbench")).to_be_visible()
    page.get_by_role("link", name="Tuberculosis", exact=True).click()
    expect(page.get_by_text(f"In use: {NAME}.png")).to_be_visible()
    expect(page.get_by_test_id("stMetric")).to_have_count(2)
    with page.expect_download() as download:
        page.get_by_role("button", name="Overlay (PNG)").click()
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
    assert_nothing_grave(page)
    page.context.close()
    assert outside == []
    assert NAME not in log.read_text()


def is_outside(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme not in {"data", "blob"} and parts.hostname != "127.0.0.1"


def test_bad_file_gives_a_sentence(browser: Browser, address: str, tmp_path: Path, log: Path) -> None:
    file = tmp_path / f"{NAME}.dcm"
    file.write_text("This is a letter.")
    page = start(browser, address, viewport={"width": 1440, "height": 900}, color_scheme="dark")
    upload(page, file)
    expect(page.get_by_test_id("stAlertContentError")).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)
    page.screenshot(path=SCREENSHOTS / "workbench_error_dark.png")
    assert_nothing_grave(page)
    page.context.close()
    assert NAME not in log.read_text()


def test_phone_in_the_dark(browser: Browser, address: str, chest: Path) -> None:
    page = start(browser, address, viewport={"width": 375, "height": 812}, color_scheme="dark", has_touch=True)
    assert not overflows(page)
    upload(page, chest)
    expect(page.get_by_test_id("stMetric")).to_have_count(1)
    expect(page.locator(".cxr-viewer canvas")).to_be_visible()
    assert not overflows(page)
    background = page.get_by_test_id("stApp").evaluate("e => getComputedStyle(e).backgroundColor")
    assert background == "rgb(17, 22, 27)"
    page.screenshot(path=SCREENSHOTS / "workbench_phone.png")
    page.context.close()


def test_two_files_are_compared(browser: Browser, address: str, pair: tuple[Path, Path], log: Path) -> None:
    page = start(
        browser, address, FOLLOW_UP.title, viewport={"width": 1440, "height": 1000}, reduced_motion="no-preference"
    )
    compared(page, pair)
    scores = page.get_by_test_id("stMetricValue").all_inner_texts()
    assert len(scores) >= 3
    page.screenshot(path=SCREENSHOTS / "followup.png")

    shapes = page.evaluate(f"{VIEWER}.panes.map((pane) => [pane.described.width, pane.described.height])")
    assert shapes == [list(cv2.imread(str(file)).shape[1::-1]) for file in pair]
    heat = page.evaluate(f"{VIEWER}.panes.map((pane) => pane.heatAs)")
    choose(page, "overlay_mode", "Signed difference")
    page.wait_for_function(f"(before) => {VIEWER}.panes.every((pane, k) => pane.heatAs !== before[k])", arg=heat)
    assert page.get_by_test_id("stMetricValue").all_inner_texts() == scores

    page.get_by_role("button", name="Blink:").click()
    expect(page.locator(".cxr-viewer canvas:visible")).to_have_count(1)
    tags = set()
    for _ in range(12):
        tags |= set(Opened(page).tags())
        page.wait_for_timeout(250)
    assert len(tags) == 2, tags
    assert page.get_by_test_id("stMetricValue").all_inner_texts() == scores
    with page.expect_download() as download:
        page.get_by_role("button", name="Both overlays (PNG)").click()
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
    assert_nothing_grave(page)
    page.context.close()
    assert NAME not in log.read_text()


def test_the_same_file_twice_and_a_phones_width(browser: Browser, address: str, pair: tuple[Path, Path]) -> None:
    page = start(
        browser, address, FOLLOW_UP.title, viewport={"width": 375, "height": 812}, color_scheme="dark", has_touch=True
    )
    assert not overflows(page)
    compared(page, pair)
    assert not overflows(page)
    page.screenshot(path=SCREENSHOTS / "followup_phone.png")
    upload(page, pair[0], place=1)
    expect(page.get_by_text("are the same image").first).to_be_visible()
    assert not overflows(page)
    assert_nothing_grave(page)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    page.context.close()
