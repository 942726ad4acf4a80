"""Pages driven through AppTest, on small untrained weights."""

import io
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.testing.v1 import AppTest

from cxrkit.phantoms import SCAN_SAMPLES, ChestSettings, HandSettings, simulate_chest, simulate_hand, simulate_scan
from cxrkit.tasks import TASKS, find_task
from pages.ui import answer_first, models
from tests.small_weights import write_small_weights

IMAGE_TASKS = [task for task in TASKS if task.reads != "planar lung scan"]
"""Whose page shows what became of an image or a pair; the one for lung scans shows a table of a day."""

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def small_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with small untrained weights of every task."""
    root = tmp_path_factory.mktemp("weights")
    for task in TASKS:
        write_small_weights(task, root)
    return root


@pytest.fixture(scope="session", autouse=True)
def _no_components_of_packages() -> Iterator[None]:
    """Each AppTest looks for components in all installed packages, for most of a second; the app has its own alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BidiComponentManager, "discover_and_register_components", lambda _, **__: None)
        yield


@pytest.fixture(autouse=True)
def _no_browser_to_wait_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_first, "MOMENT", 0.0)


@pytest.fixture
def small_weights(small_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The pages load the small weights."""
    monkeypatch.setattr(models, "WEIGHTS", small_root)
    return small_root


@pytest.fixture
def app() -> AppTest:
    """The app on its start page."""
    return AppTest.from_file(str(REPOSITORY / "app.py"), default_timeout=30).run()


@pytest.fixture
def opened(app: AppTest, small_weights: Path) -> Callable[[str], AppTest]:
    """Open a page by its task's name."""
    return lambda name: app.switch_page(f"pages/{name}.py").run()


@cache
def chest() -> np.ndarray:
    """A simulated chest, 480 pixels high, in 0 to 255: it passes the image guard."""
    return np.round(simulate_chest(ChestSettings(seed=7, size=480)).values * 255)


@cache
def hand() -> np.ndarray:
    """A simulated hand of a girl of eight years, 384 pixels high, in 0 to 255: it passes the image guard."""
    return np.round(simulate_hand(HandSettings(7, 96, "female", size=384)).values * 255)


@cache
def lung_scan_levels() -> np.ndarray:
    """A simulated perfusion scan, in 0 to 255: it passes the image guard."""
    counts = simulate_scan(SCAN_SAMPLES[0].settings).views["anterior"]
    return np.round(counts / counts.max() * 255)


def picture(name: str) -> np.ndarray:
    """What the task of this name reads, in 0 to 255."""
    return {"hand": hand, "frontal chest": chest, "planar lung scan": lung_scan_levels}[find_task(name).reads]()


def png(pixels: np.ndarray | None = None) -> bytes:
    """A PNG file; without pixels of a simulated chest."""
    file = io.BytesIO()
    chosen = chest() if pixels is None else pixels
    Image.fromarray(chosen.astype(np.uint8)).save(file, "PNG")
    return file.getvalue()
