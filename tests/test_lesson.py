"""The lesson's cases by the shipped network, random weights, and two labels of one image."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cxrkit.deletion import deletion
from cxrkit.explain import Method
from cxrkit.lesson import (
    STAGES,
    LessonReading,
    alike,
    deletion_orders,
    label_maps,
    off_the_lesion,
    randomised,
    read_case,
    removed_value,
    scorer,
    stages,
)
from cxrkit.lesson_cases import MISLEADING, ON_TARGET
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from cxrkit.weights import LoadedModel, load_model
from tests.models_for_tests import small_loaded


@pytest.fixture(scope="module")
def shipped() -> LoadedModel:
    return load_model(TUBERCULOSIS)


@pytest.fixture(scope="module")
def small() -> LoadedModel:
    return small_loaded(TUBERCULOSIS)


@pytest.fixture(scope="module")
def reading(small: LoadedModel) -> LessonReading:
    return read_case(small, MISLEADING[0])


def state(loaded: LoadedModel) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in loaded.model.state_dict().items()}


def test_the_cases_on_show_are_what_the_lesson_says(shipped: LoadedModel) -> None:
    readings = {case: read_case(shipped, case) for case in (*MISLEADING, ON_TARGET)}
    assert {reading.prediction.label for reading in readings.values()} == {TUBERCULOSIS.positive}
    assert tuple(case for case, reading in readings.items() if off_the_lesion(shipped, reading)) == MISLEADING
    on_target = readings[ON_TARGET].found
    assert on_target is not None
    assert on_target.hit


def test_without_the_lesion_the_patient_is_the_same() -> None:
    case = MISLEADING[0]
    assert replace(case.settings(), lesions=()) == case.settings(lesion=False)


@pytest.mark.parametrize(
    ("stage", "kept"),
    list(zip(STAGES, ({"encoder", "pyramid", "classify"}, {"encoder", "pyramid"}, {"encoder"}, set()), strict=True)),
)
def test_random_weights_are_a_copys_alone(small: LoadedModel, stage: str, kept: set[str]) -> None:
    before = state(small)
    fresh = randomised(small.model, stage).state_dict()
    after = small.model.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    changed = {name for name in before if not torch.equal(before[name], fresh[name])}
    last = list(small.model.get_submodule("encoder").named_children())[-1][0]
    for part in ("encoder", "pyramid", "classify"):
        of_part = {name for name in changed if name.startswith(part)}
        if part not in kept:
            assert of_part
        elif part == "encoder" and stage == STAGES[2]:
            assert of_part
            assert all(name.startswith(f"encoder.{last}") for name in of_part)
        else:
            assert not of_part


def test_random_weights_are_the_same_by_seed_and_leave_the_generator(small: LoadedModel) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, again, other = (
        randomised(small.model, STAGES[1], seed).get_parameter("classify.weight") for seed in (1, 1, 2)
    )
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not first.requires_grad


def test_stages_begin_with_the_trained_network(small: LoadedModel, reading: LessonReading) -> None:
    before = state(small)
    found = stages(small, reading)
    assert [stage.name for stage in found] == list(STAGES)
    assert found[0].alike == 1.0
    assert found[0].heatmap is reading.heatmap
    assert all(-1 <= stage.alike <= 1 and 0 <= stage.score <= 1 for stage in found)
    assert all(torch.equal(before[name], tensor) for name, tensor in small.model.state_dict().items())


def test_two_labels_have_one_map_with_its_sign_turned(small: LoadedModel, reading: LessonReading) -> None:
    maps, relation = label_maps(small, reading, Method.GRAD_CAM)
    assert [heatmap.label for heatmap in maps] == list(TUBERCULOSIS.labels)
    assert relation == pytest.approx(-1.0, abs=1e-4)
    both = [heatmap.values for heatmap in maps]
    assert not np.any((both[0] > 0) & (both[1] > 0))


def test_alikeness_knows_the_order_and_the_flat_map(reading: LessonReading) -> None:
    heatmap = reading.heatmap
    assert alike(heatmap, replace(heatmap, values=heatmap.values**2)) == pytest.approx(1.0)
    assert alike(heatmap, replace(heatmap, values=np.zeros_like(heatmap.values))) == 0.0


def test_the_deletion_begins_with_the_networks_own_score(small: LoadedModel, reading: LessonReading) -> None:
    score, orders = scorer(small), deletion_orders(small, reading)
    (_, first), (_, last) = deletion(score, reading.prepared.tensor[0, 0], orders, 1, removed_value(small))
    assert first == pytest.approx([reading.prediction.scores[TUBERCULOSIS.positive]] * 2, abs=1e-5)
    assert last[0] == pytest.approx(last[1], abs=1e-6)
    assert removed_value(small) * TUBERCULOSIS.std + TUBERCULOSIS.mean == pytest.approx(0.5)
