"""What every task on chest radiographs refuses or warns of, with files that were really read."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cxrkit.cases import Case
from cxrkit.errors import InputError
from cxrkit.evaluate import predict_cases
from cxrkit.image import Radiograph, read_image
from cxrkit.phantoms import ChestSettings, simulate_chest
from cxrkit.task import ModelInput, Task
from cxrkit.tasks.followup import FOLLOW_UP
from cxrkit.tasks.nih14 import NIH14
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from tests.dicom_files import make_dicom
from tests.models_for_tests import small_loaded

CHEST = np.uint8(np.round(simulate_chest(ChestSettings(seed=7, size=240)).values * 255))


def png(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize("shape", [(1, 1), (5000, 1), (1, 5000), (15, 300)])
@pytest.mark.parametrize("task", [TUBERCULOSIS, NIH14, FOLLOW_UP], ids=lambda task: task.name)
def test_an_image_under_the_smallest_box_is_refused(task: Task, shape: tuple[int, int]) -> None:
    images = [read_image(png(np.full(shape, 90, np.uint8)))] * len(task.inputs)
    with pytest.raises(InputError, match=f"{shape[1]} x {shape[0]} pixels; the network needs at least 16 x 16"):
        task.prepare(images, {}, ModelInput())


def test_a_tiny_image_of_a_table_does_not_stop_the_others(tmp_path: Path) -> None:
    (tmp_path / "tiny.png").write_bytes(png(np.zeros((1, 1), np.uint8)))
    (tmp_path / "chest.png").write_bytes(png(CHEST))
    cases = [Case((name,), "1", number=place) for place, name in enumerate(("tiny.png", "chest.png"), start=2)]
    tiny, chest = predict_cases(small_loaded(TUBERCULOSIS), cases, tmp_path)
    assert "1 x 1 pixels" in tiny.error
    assert chest.prediction is not None


@pytest.mark.parametrize("task", [TUBERCULOSIS, NIH14], ids=lambda task: task.name)
def test_swapped_back_a_chest_is_read_as_it_was(task: Task) -> None:
    upright, negative = read_image(png(CHEST)), read_image(png(255 - CHEST))
    expected = task.prepare([upright], {}, ModelInput())
    swapped = task.prepare([negative], {}, ModelInput(swap=True))
    assert swapped.placements == expected.placements
    # Where gray values are counted in steps, rounding of 1 - x may move a pixel by one.
    assert np.abs(swapped.view[0] - expected.view[0]).mean() < 2e-3
    assert np.abs(task.prepare([negative], {}, ModelInput()).view[0] - expected.view[0]).mean() > 0.1


def test_padding_stays_black_when_a_chest_is_swapped() -> None:
    padded = np.pad(255 - CHEST, ((0, 0), (60, 60)))
    valid = np.pad(np.ones(CHEST.shape, bool), ((0, 0), (60, 60)))
    image = replace(read_image(png(padded)), valid=valid)
    whole = (0, 0, padded.shape[1], padded.shape[0])
    view = TUBERCULOSIS.prepare([image], {}, ModelInput(crop=whole, swap=True)).view[0]
    assert view[:, : view.shape[1] // 10].max() < view.mean()


@pytest.mark.parametrize(("first", "second", "said"), [(0, 1, True), (1, 0, True), (0, 2, False), (1, 3, False)])
def test_a_dicom_file_beside_a_picture_is_named(first: int, second: int, said: bool) -> None:
    later = np.roll(CHEST, 4, axis=1)
    files: list[Radiograph] = [
        read_image(data) for data in (make_dicom(CHEST), png(later), make_dicom(later), png(CHEST))
    ]
    warnings = FOLLOW_UP.prepare([files[first], files[second]], {}, ModelInput()).warnings
    which = "The baseline is a DICOM" if first == 0 else "The follow-up is a DICOM"
    assert any(text.startswith(which) for text in warnings) == said
