"""What is kept of a training for teaching, and what becomes of damaged files."""

from pathlib import Path

import numpy as np
import pytest

from cxrkit.errors import WeightsError
from cxrkit.finding_training import EPOCHS, STAGES, Epoch, read_epochs, read_stages

HEADER = "epoch,training AUC,validation AUC\n"


def test_epochs_come_back_in_their_order(tmp_path: Path) -> None:
    (tmp_path / EPOCHS).write_text(HEADER + "0,0.6,0.55\n1,0.7,0.6\n")
    assert read_epochs(tmp_path) == (Epoch(0, 0.6, 0.55), Epoch(1, 0.7, 0.6))


@pytest.mark.parametrize("text", ["", HEADER, "epoch,AUC\n0,1\n", f"{HEADER}0,x,0.5\n", f"{HEADER}0,nan,0.5\n", "\0"])
def test_damaged_epochs_are_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / EPOCHS).write_text(text)
    with pytest.raises(WeightsError, match="damaged"):
        read_epochs(tmp_path)


def test_stages_come_back(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 64, 64), dtype=np.uint8)
    np.savez_compressed(tmp_path / STAGES, images=images, iterations=np.array([1, 10, 100]))
    found = read_stages(tmp_path)
    assert found.iterations == (1, 10, 100)
    np.testing.assert_array_equal(found.images, images)


DAMAGED = {
    "no images": {"iterations": np.array([1])},
    "no iterations": {"images": np.zeros((1, 8, 64, 64), np.uint8)},
    "another type": {"images": np.zeros((1, 8, 64, 64)), "iterations": np.array([1])},
    "another shape": {"images": np.zeros((8, 64, 64), np.uint8), "iterations": np.arange(8)},
    "other counts": {"images": np.zeros((2, 8, 64, 64), np.uint8), "iterations": np.array([1])},
    "empty": {"images": np.zeros((0, 8, 64, 64), np.uint8), "iterations": np.array([], dtype=int)},
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_damaged_stages_are_refused(kind: str, tmp_path: Path) -> None:
    np.savez(tmp_path / STAGES, **DAMAGED[kind])
    with pytest.raises(WeightsError, match="damaged"):
        read_stages(tmp_path)


def test_what_is_no_archive_or_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="missing"):
        read_stages(tmp_path)
    with pytest.raises(WeightsError, match="missing"):
        read_epochs(tmp_path)
    (tmp_path / STAGES).write_bytes(b"no archive")
    with pytest.raises(WeightsError, match="damaged"):
        read_stages(tmp_path)
