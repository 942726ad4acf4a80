"""The page of chest findings driven through AppTest: small weights, with all that lies beside them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cxrkit import tasks
from cxrkit.finding_training import COLUMNS, EPOCHS, STAGES
from cxrkit.tasks.nih14 import NIH14 as TASK
from pages.ui import models
from tests.pages.conftest import png
from tests.small_weights import write_small_weights

CANARY = "Zebedee"


@pytest.fixture(scope="module")
def nih14_root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Small untrained weights, the AUC of each epoch and the GAN's images; the app knows the task."""
    root = tmp_path_factory.mktemp("nih14")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasks, "TASKS", (*(task for task in tasks.TASKS if task.name != TASK.name), TASK))
        patch.setattr(models, "WEIGHTS", root)
        write_small_weights(TASK, root)
        write_training(root / TASK.name)
        yield root


def write_training(folder: Path) -> None:
    """epochs.csv and stages.npz as training writes them."""
    rows = [f"{number},{0.6 + 0.1 * number:.2f},{0.55 + 0.05 * (number == 1):.2f}" for number in range(3)]
    (folder / EPOCHS).write_text("\n".join([",".join(COLUMNS), *rows]) + "\n")
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 64, 64), dtype=np.uint8)
    np.savez_compressed(folder / STAGES, images=images, iterations=np.array([1, 1000]))


@pytest.fixture
def page(nih14_root: Path, app: AppTest) -> AppTest:
    """The page without an image."""
    return app.switch_page("pages/nih14.py").run()


@pytest.fixture
def read(page: AppTest) -> AppTest:
    """The page with an uploaded chest."""
    page.file_uploader(key="nih14.upload").upload(f"{CANARY}.png", png()).run()
    assert not page.exception
    assert not page.error
    return page


def open_tab(app: AppTest, name: str) -> AppTest:
    app.session_state["nih14.tabs"] = name
    app.run()
    assert not app.exception
    return app
