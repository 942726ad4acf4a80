"""A server of the workbench and a real Chromium, for measurements, screenshots and tests."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from playwright.sync_api import Browser, sync_playwright

from cxrkit.errors import InputError

REPOSITORY = Path(__file__).resolve().parents[1]
CHROMIUM = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_START_SECONDS = 120


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        url: of its start page, without a slash at the end.
        process: of Streamlit; its children decode files.
    """

    url: str
    process: psutil.Process

    def memory(self) -> int:
        """Resident bytes of the server and its children now."""
        family = [self.process, *self.process.children(recursive=True)]
        return sum(member.memory_info().rss for member in family)

    def seconds(self) -> float:
        """Processor time of the server and its children so far."""
        family = [self.process, *self.process.children(recursive=True)]
        return float(sum(member.cpu_times().user + member.cpu_times().system for member in family))

    def peak(self) -> int | None:
        """Most resident bytes that the server itself, without children, has ever had; None where only Linux tells."""
        file = Path(f"/proc/{self.process.pid}/status")
        if not file.is_file():
            return None
        line = next(line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024


@contextmanager
def served(
    app: str = "app.py", start: Sequence[str] = ("-m", "streamlit"), log: Path = Path(os.devnull)
) -> Iterator[Server]:
    """A server of a script; it ends with the block.

    Args:
        app: the script, relative to the repository.
        start: how Python starts Streamlit's command line.
        log: file for everything that the server says.

    Raises:
        RuntimeError: it did not start.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ("--server.address=127.0.0.1", f"--server.port={port}", "--server.headless=true")
    with (
        log.open("w") as said,
        subprocess.Popen(
            [sys.executable, *start, "run", app, *options],
            cwd=REPOSITORY,
            env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
            stdout=said,
            stderr=subprocess.STDOUT,
        ) as started,
    ):
        url = f"http://127.0.0.1:{port}"
        try:
            _wait_for(url)
            yield Server(url, psutil.Process(started.pid))
        finally:
            started.kill()  # it holds nothing worth a slow goodbye


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, headless.

    Raises:
        InputError: it is not installed.
    """
    path = shutil.which("chromium")
    if path is None:
        raise InputError("The benchmarks need Debian's chromium. Install it with: apt-get install chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=CHROMIUM)
        yield launched
        launched.close()


def _wait_for(url: str) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1):
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.05)
    raise RuntimeError("The server did not start.")
