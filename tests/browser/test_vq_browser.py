"""The V/Q page in a real Chromium: a day of thirty files, one of them bad; a simulated day at a phone's width."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import assert_nothing_grave
from tests.browser.conftest import served
from tests.browser.visitor import NAME, SCREENSHOTS, drawn, overflows, start, upload
from tests.pages.vq_page import TASK, scan_file, vq_root
from tests.scans import drawn_scan, nm_file, noisy

__all__ = ["vq_root"]

pytestmark = pytest.mark.browser

FILES = 30


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the server says."""
    return tmp_path_factory.mktemp("log") / "server.log"


@pytest.fixture(scope="module")
def vq_address(browser: Browser, vq_root: Path, log: Path) -> Iterator[str]:
    """The app with this task alone, on small untrained weights."""
    program = (
        "from pathlib import Path; from cxrkit import lung_scan, tasks; from cxrkit.tasks.vq import VQ;"
        f"root = Path({str(vq_root)!r}); tasks.TASKS = (VQ,); lung_scan.MEAN_IMAGE = root / 'mean_image.png';"
        "from pages.ui import models; models.WEIGHTS = root; from streamlit.web.cli import main; main()"
    )
    with served("app.py", ("-c", program), log) as url:
        yield url


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Thirty files of a day, the second of which is no image."""
    folder = tmp_path_factory.mktemp("day")
    datas = [scan_file("ventilation_neck"), b"This is a letter, not an image."]
    datas += [
        nm_file(
            noisy(drawn_scan(neck=bool(seed % 2)), seed), SeriesDescription="LUNG PERF" if seed % 3 else "LUNG VENT"
        )
        for seed in range(FILES - 2)
    ]
    paths = [folder / f"{NAME}{number:02d}.dcm" for number in range(FILES)]
    for path, data in zip(paths, datas, strict=True):
        path.write_bytes(data)
    return paths


def finished(page: Page) -> None:
    """The day and the first scan of it are on the screen."""
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible()
    drawn(page, 1)


def test_thirty_files_are_read_and_a_bad_one_costs_its_row(
    browser: Browser, vq_address: str, files: list[Path], log: Path
) -> None:
    page = start(browser, vq_address, TASK.title, viewport={"width": 1440, "height": 1000}, color_scheme="light")
    upload(page, files)
    expect(page.get_by_test_id("stProgress")).to_be_visible()
    expect(page.get_by_text(f"{FILES} scans.")).to_be_visible()
    expect(page.get_by_text("not readable: 1")).to_be_visible()
    finished(page)
    page.screenshot(path=SCREENSHOTS / "vq.png", full_page=True)

    # The third row's box; the table is a canvas.
    opened = page.get_by_role("combobox", name="Open").first
    before = opened.input_value()
    page.get_by_test_id("stDataFrame").first.click(position={"x": 18, "y": 35 * 3 + 17})
    expect(opened).not_to_have_value(before)

    page.get_by_role("tab", name="How it was prepared").click()
    expect(page.get_by_text("Two centroids and their midpoint")).to_be_visible()
    page.screenshot(path=SCREENSHOTS / "vq_steps.png", full_page=True)
    assert_nothing_grave(page)
    page.get_by_role("tab", name="Groups").click()
    expect(page.get_by_text("Perfusion less ventilation.")).to_be_visible()
    page.screenshot(path=SCREENSHOTS / "vq_groups.png", full_page=True)
    with page.expect_download() as download:
        page.get_by_role("button", name="Table (CSV)").click()
    assert NAME not in Path(download.value.path()).read_text()
    page.context.close()
    assert NAME not in log.read_text()


def test_a_simulated_day_at_a_phones_width_in_the_dark(browser: Browser, vq_address: str) -> None:
    page = start(
        browser, vq_address, TASK.title, viewport={"width": 375, "height": 812}, color_scheme="dark", has_touch=True
    )
    assert not overflows(page)
    page.get_by_role("button", name="Open a simulated day").click()
    expect(page.get_by_text("14 scans.")).to_be_visible()
    finished(page)
    assert not overflows(page)
    page.screenshot(path=SCREENSHOTS / "vq_phone.png", full_page=True)
    page.context.close()
