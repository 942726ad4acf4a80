"""The V/Q page driven through AppTest: small weights with all that lies beside them, files of scans, and the table."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cxrkit import lung_scan, tasks
from cxrkit.card import read_card
from cxrkit.group_maps import GROUPS, compare_groups, write_groups
from cxrkit.phantoms import SCAN_SAMPLES, ScanHeader, SimulatedScan, simulate_scan, write_scan
from cxrkit.tasks.vq import VQ as TASK
from pages.ui import models
from tests.scans import drawn_scan
from tests.small_weights import write_small_weights

CANARY = "Zebedee"
SAMPLES = {sample.name: sample for sample in SCAN_SAMPLES}


@pytest.fixture(scope="module")
def vq_root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Small untrained weights, the mean image and the maps of both groups; the app knows the task."""
    root = tmp_path_factory.mktemp("vq")
    mean = cv2.GaussianBlur(lung_scan.align(drawn_scan().astype(np.float32)).image, (0, 0), 4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lung_scan, "MEAN_IMAGE", root / "mean_image.png")
        cv2.imwrite(str(root / "mean_image.png"), np.uint8(np.rint(mean)))
        patch.setattr(tasks, "TASKS", (*(task for task in tasks.TASKS if task.name != TASK.name), TASK))
        patch.setattr(models, "WEIGHTS", root)
        write_small_weights(TASK, root)
        random = np.random.default_rng(0)
        left, right = np.linspace(0, 0.5, 56), np.linspace(0.5, 0, 56)
        groups = [random.uniform(0, 0.5, (6, 56, 56)) + slope for slope in (left, right)]
        weights = read_card(root / TASK.name / "card.json").sha256
        write_groups(compare_groups(groups[0], groups[1]), root / TASK.name / GROUPS, weights)
        yield root


@cache
def simulated(name: str) -> SimulatedScan:
    """A sample, simulated once."""
    return simulate_scan(SAMPLES[name].settings)


def scan_file(name: str, stated: ScanHeader | None = None) -> bytes:
    """A sample as its file, or with another header."""
    return write_scan(simulated(name), stated or SAMPLES[name].header)


def upload(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    given = [(name, data, "application/octet-stream") for name, data in files]
    app.file_uploader(key="vq.upload").set_value(given).run()
    assert not app.exception
    return app


def open_scan(app: AppTest, number: int) -> AppTest:
    app.selectbox(key="vq.open").set_value(number).run()
    assert not app.exception
    return app


def open_tab(app: AppTest, name: str) -> AppTest:
    app.session_state["vq.tabs"] = name
    app.run()
    assert not app.exception
    return app


def day(app: AppTest) -> Any:
    """The table of the day."""
    return next(each.value for each in app.dataframe if "Verdict" in each.value)
