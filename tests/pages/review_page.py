"""The review page driven through AppTest: a folder of cases, notes of the test's own, and what is on the screen."""

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from tests.pages.review_cases import predictions, write_images

COUNT = 30


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of cases that the page may read; notes go to a database of the test."""
    cases = tmp_path / "cases"
    cases.mkdir()
    monkeypatch.setenv("CXRKIT_CASES", str(cases))
    monkeypatch.setenv("CXRKIT_DATABASE_URL", f"sqlite:///{tmp_path / 'notes.sqlite'}")
    return cases


@pytest.fixture
def page(app: AppTest, small_weights: Path, folder: Path) -> AppTest:
    """The page without a table."""
    return app.switch_page("pages/review.py").run()


def scores(count: int = COUNT) -> tuple[list[str], np.ndarray]:
    """Targets and scores, each class in both halves."""
    generator = np.random.default_rng(1)
    targets = (np.arange(count) % 3 == 0).astype(int)
    return [str(target) for target in targets], np.round(np.clip(generator.normal(0.35 + 0.3 * targets, 0.2), 0, 1), 4)


def load(page: AppTest, data: bytes) -> AppTest:
    page.file_uploader(key="review.upload").upload("predictions.csv", data).run()
    assert not page.exception
    return page


@pytest.fixture
def loaded(page: AppTest, folder: Path) -> AppTest:
    """The page with 30 cases of tuberculosis."""
    names = write_images(folder, COUNT)
    return load(page, predictions(TUBERCULOSIS, [[name] for name in names], *scores()))


def cells(page: AppTest) -> dict[str, int]:
    """Counts of the confusion matrix."""
    keys = [button for button in page.button if (button.key or "").startswith("review.cell.")]
    return {button.key.removeprefix("review.cell."): int(button.label.split("**")[1]) for button in keys}


def cards(page: AppTest) -> list[int]:
    """Rows of the gallery, in its order."""
    opened = [button.key for button in page.button if (button.key or "").startswith("review.open.")]
    return [int(key.rsplit(".", 1)[1]) for key in opened]
