"""A real Chromium for all browser tests, and a Streamlit server for one page."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from benchmarks import server
from cxrkit.tasks import TASKS
from tests.small_weights import write_small_weights

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        reason = "needs Debian's chromium: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=server.CHROMIUM)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def viewer_address(browser: Browser) -> Iterator[str]:
    """A server of viewer_app.py; after `browser`, so that nothing starts where there is none."""
    with served("tests/browser/viewer_app.py") as url:
        yield url


@pytest.fixture(scope="session")
def compare_address(browser: Browser) -> Iterator[str]:
    """A server of viewer_compare_app.py."""
    with served("tests/browser/viewer_compare_app.py") as url:
        yield url


@pytest.fixture(scope="session")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the server of `address` says."""
    return tmp_path_factory.mktemp("log") / "server.log"


@pytest.fixture(scope="session")
def address(browser: Browser, tmp_path_factory: pytest.TempPathFactory, log: Path) -> Iterator[str]:
    """The app on small untrained weights; after `browser`, so that nothing starts where there is none."""
    root = tmp_path_factory.mktemp("weights")
    for task in TASKS:
        write_small_weights(task, root)
    program = (
        f"from pathlib import Path; from pages.ui import models; models.WEIGHTS = Path({str(root)!r});"
        "from streamlit.web.cli import main; main()"
    )
    with served("app.py", ("-c", program), log) as url:
        yield url


@contextmanager
def served(app: str, start: Sequence[str] = ("-m", "streamlit"), log: Path = Path(os.devnull)) -> Iterator[str]:
    """Address of a Streamlit server; arguments as in benchmarks.server."""
    with server.served(app, start, log) as running:
        yield running.url
