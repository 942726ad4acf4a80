"""Fixtures that several test modules share."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# Before torch is imported: networks in tests are small, and threads that spin for each other cost more than they give.
os.environ.setdefault("OMP_NUM_THREADS", "1")

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def own_main() -> Iterator[None]:
    """Streamlit makes the page that it runs the main module, which a process started later would run again."""
    before = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = before


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real images beside the project; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("CXRKIT_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("needs the shared data folder (set CXRKIT_SHARED_DATA); it is not part of the project")
    return folder


@pytest.fixture(scope="session")
def small_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder like `weights` with a small random network for every task; copy it before changing it."""
    from tests.models_for_tests import write_small_weights

    return write_small_weights(tmp_path_factory.mktemp("weights"))
