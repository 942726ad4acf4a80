"""A real Chromium for all browser tests, and a Streamlit server for one page."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

REPOSITORY = Path(__file__).resolve().parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
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
def viewer_address(browser: Browser) -> Iterator[str]:
    """A server of viewer_app.py; after `browser`, so that nothing starts where there is none."""
    with served("tests/browser/viewer_app.py") as url:
        yield url


@contextmanager
def served(app: str, start: Sequence[str] = ("-m", "streamlit"), log: Path = Path(os.devnull)) -> Iterator[str]:
    """Address of a Streamlit server of the script `app`, relative to the repository.

    Args:
        app: the script.
        start: how Python starts Streamlit's command line.
        log: file for everything that the server says.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {"server.port": port, "server.address": "127.0.0.1", "server.headless": "true"}
    options |= {"browser.gatherUsageStats": "false", "server.fileWatcherType": "none"}
    flags = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    with log.open("w") as said:
        server = subprocess.Popen(
            [sys.executable, *start, "run", app, *flags],
            cwd=REPOSITORY,
            env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until(lambda: _healthy(url), 30, "the server did not start")
            yield url
        finally:
            server.kill()  # it holds nothing worth a slow goodbye
            server.wait()


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, TimeoutError):
        return False


def wait_until(condition: Callable[[], bool], seconds: float, message: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail(message)
        time.sleep(0.1)
