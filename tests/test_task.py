import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from cxrkit.errors import InputError
from cxrkit.finding_labels import several_labels
from cxrkit.pixels import resize
from cxrkit.predict import encode
from cxrkit.task import ModelInput, Placement, Task, check_box
from cxrkit.tasks import TASKS, find_task
from cxrkit.weights import fixed_sample
from tests.models_for_tests import SMALL, network_input, sex_of, small_loaded, small_model

each_task = pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)


@each_task
def test_a_declaration_is_complete(task: Task) -> None:
    assert task.name.isidentifier()
    if task.called is None:
        assert len(task.values) == (0 if several_labels(task) else len(task.labels))
        with pytest.raises(ValueError, match="no class"):
            _ = task.positive
    else:
        assert task.labels[task.positive_index] == task.positive == task.called
    assert len(set(task.labels)) == len(task.labels) > 1
    assert task.inputs
    assert task.limits
    assert task.std > 0
    if task.any_size:
        ModelInput(size=task.input_size).check()
    assert task.train_command.startswith("python -m train.")
    assert find_task(task.name) is task


def test_an_unknown_task_is_refused_with_those_there_are() -> None:
    with pytest.raises(InputError, match=TASKS[0].name):
        find_task("nothing")


@each_task
def test_a_network_is_its_features_and_its_head(task: Task) -> None:
    model = small_model(task)
    x = network_input(task, 2)
    logits = model.head(model.features(x), *sex_of(task, 2))
    assert torch.equal(model(x, *sex_of(task, 2)), logits)
    further = [output for question in task.further for output in question.outputs]
    assert [*range(len(task.labels)), *further] == list(range(logits.shape[1]))


@pytest.mark.parametrize("task", [task for task in TASKS if task.any_size], ids=lambda task: task.name)
@pytest.mark.parametrize("more", [0, 32, 96])
def test_any_multiple_of_32_from_the_smallest_on_is_read(task: Task, more: int) -> None:
    maps = small_model(task).features(network_input(task, 1, task.least_size + more))
    assert maps.shape[-2] == maps.shape[-1]
    assert maps.isfinite().all()


@pytest.mark.parametrize("task", [task for task in TASKS if not task.any_size], ids=lambda task: task.name)
def test_a_size_that_cannot_be_read_is_refused(task: Task) -> None:
    prepared = task.prepare([fixed_sample(task.reads)] * len(task.inputs), {}, ModelInput(size=64))
    with pytest.raises(InputError, match=f"reads {task.input_size} x {task.input_size} pixels only, not 64 x 64"):
        encode(small_loaded(task), prepared)


@each_task
def test_every_trainable_parameter_receives_a_gradient(task: Task) -> None:
    model = task.build_model(SMALL[task.name]).train()
    model(network_input(task, 4), *sex_of(task, 4)).square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.requires_grad, name
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


@each_task
@pytest.mark.parametrize("edits", [ModelInput(), ModelInput(crop=(10, 20, 310, 220), size=96)], ids=["none", "crop"])
def test_preparation_keeps_its_contract(task: Task, edits: ModelInput) -> None:
    images = [fixed_sample(task.reads)] * len(task.inputs)
    prepared = task.prepare(images, {}, edits)
    size = edits.size or task.input_size
    assert prepared.tensor.dtype == np.float32
    assert prepared.tensor.shape == (len(images), 1, size, size)
    assert np.isfinite(prepared.tensor).all()
    assert len(prepared.view) == len(prepared.placements) == len(images)
    for channel, view, place in zip(prepared.tensor[:, 0], prepared.view, prepared.placements, strict=True):
        assert view.min() >= 0
        assert view.max() <= 1
        np.testing.assert_allclose(channel, (view - task.mean) / task.std, atol=1e-5)
        check_box(place.box, place.image_shape)
        assert place.size == size
        left, top, right, bottom = place.inner
        assert 0 <= left < right <= size
        assert 0 <= top < bottom <= size
        if task.reads == "hand":
            assert place.inner == (0, 0, size, size)
            continue
        assert (right - left) / (bottom - top) == pytest.approx(
            (place.box[2] - place.box[0]) / (place.box[3] - place.box[1]), rel=2 / min(right - left, bottom - top)
        )
    if edits.crop:
        left, top, right, bottom = prepared.placements[0].box
        # What the alignment of a lung scan moves out of the input is not read.
        inside = edits.crop[0] <= left and edits.crop[1] <= top and right <= edits.crop[2] and bottom <= edits.crop[3]
        assert inside if task.reads == "planar lung scan" else prepared.placements[0].box == edits.crop
        assert prepared.crop_sources[0] == "user"


@each_task
def test_preparation_leaves_the_image_as_it_was_and_repeats_itself(task: Task) -> None:
    images = [fixed_sample(task.reads)] * len(task.inputs)
    before = images[0].values.copy()
    first, second = (task.prepare(images, {}, ModelInput(brightness=0.2, sharpness=1.0)) for _ in range(2))
    np.testing.assert_array_equal(first.tensor, second.tensor)
    np.testing.assert_array_equal(images[0].values, before)


@each_task
@pytest.mark.parametrize(
    "edits",
    [
        ModelInput(crop=(0, 0, 401, 480)),
        ModelInput(crop=(-1, 0, 100, 100)),
        ModelInput(crop=(50, 50, 50, 100)),
        ModelInput(crop=(0, 0, 15, 100)),
        ModelInput(brightness=0.6),
        ModelInput(contrast=0.4),
        ModelInput(sharpness=float("nan")),
        ModelInput(size=100),
        ModelInput(size=544),
        ModelInput(size=0),
        ModelInput(turn=4),
        ModelInput(turn=-1),
    ],
    ids=str,
)
def test_edits_out_of_range_are_refused(task: Task, edits: ModelInput) -> None:
    with pytest.raises(InputError):
        task.prepare([fixed_sample(task.reads)] * len(task.inputs), {}, edits)


@each_task
def test_an_image_without_lungs_or_hand_is_read_with_a_warning(task: Task) -> None:
    blank = replace(fixed_sample(task.reads), values=np.full((100, 140), 3, dtype=np.float32))
    prepared = task.prepare([blank] * len(task.inputs), {}, ModelInput())
    assert prepared.crop_sources[0] == ("image" if task.reads == "planar lung scan" else "margins")
    assert prepared.warnings


def test_edits_at_the_ends_of_their_ranges_are_allowed() -> None:
    ModelInput(brightness=-0.5, contrast=0.5, sharpness=-1.0, size=64).check()
    ModelInput(brightness=0.5, contrast=2.0, sharpness=2.0, size=512).check()


@pytest.mark.parametrize("resolution", [192, 48, 12])
def test_a_placed_map_covers_the_box_and_nothing_of_the_padding(resolution: int) -> None:
    """A ramp over the input keeps its values at the pixels that it belongs to; padding holds a value far off."""
    place = Placement(image_shape=(500, 700), box=(100, 50, 500, 250), size=192, inner=(0, 48, 192, 144))
    step = 192 / resolution
    down = (np.arange(resolution, dtype=np.float32) + 0.5) * step
    ramp = np.repeat(down[:, None], resolution, axis=1)
    placed = place.place(ramp, longest=400)
    assert placed.shape == (200, 400)
    rows = 48 + (np.arange(200) + 0.5) * 96 / 200
    inside = (rows > step) & (rows < 192 - step)
    np.testing.assert_allclose(placed[inside], np.repeat(rows[inside, None], 400, axis=1), atol=0.05)


@pytest.mark.parametrize(("box", "inner"), [((0, 0, 400, 100), (0, 72, 192, 120)), ((0, 0, 30, 90), (64, 0, 128, 192))])
def test_a_placed_map_has_the_aspect_of_the_box(box: tuple[int, ...], inner: tuple[int, ...]) -> None:
    place = Placement((400, 400), box, 192, inner)  # type: ignore[arg-type]
    height, width = place.place(np.ones((6, 6), dtype=np.float32)).shape
    assert max(height, width) == 512
    assert width / height == pytest.approx((box[2] - box[0]) / (box[3] - box[1]), rel=0.01)


@pytest.mark.parametrize("module", ["cxrkit.tasks", "cxrkit.commands"])
def test_declarations_and_help_come_without_torch(module: str) -> None:
    code = f"import {module}, sys; print([m for m in ('torch', 'timm', 'streamlit', 'lightning') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_box_inside_the_image_is_returned() -> None:
    box: Any = (0, 0, 16, 16)
    assert check_box(box, (16, 16)) == box


@pytest.mark.parametrize("turn", range(4))
def test_a_turned_part_is_turned_back(turn: int) -> None:
    """A ramp over the part, turned clockwise and squashed as for the network, comes back as it was."""
    across, down = np.meshgrid(np.arange(120, dtype=np.float32), np.arange(60, dtype=np.float32))
    place = Placement(image_shape=(100, 200), box=(40, 20, 160, 80), size=96, inner=(0, 0, 96, 96), turn=turn)
    for part in (across, down):
        shown = resize(np.ascontiguousarray(np.rot90(part, -turn)), 96, 96)
        back = place.place(shown, longest=120)
        assert back.shape == (60, 120)
        np.testing.assert_allclose(back[4:-4, 4:-4], part[4:-4, 4:-4], atol=1.0)
