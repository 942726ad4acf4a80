"""The sex reaches the network: stated, or weighed by what the network reads off the image."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cxrkit.bone_age import SEXES, age_probabilities, without_sex
from cxrkit.errors import InputError
from cxrkit.explain import EXPECTED, Method, explain, raw_maps
from cxrkit.heads import head_of
from cxrkit.models.tjnet import AGE, SEX
from cxrkit.predict import Encoded, encode, predict
from cxrkit.task import ModelInput, Prepared
from cxrkit.tasks.bone_age import BONE_AGE
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from cxrkit.weights import LoadedModel, fixed_sample
from tests.models_for_tests import SMALL, small_card, small_loaded

SIZE = ModelInput(size=192)


@pytest.fixture(scope="module")
def small() -> LoadedModel:
    """A network whose answers depend on the sex, and not a little."""
    loaded = small_loaded(BONE_AGE)
    weight = loaded.model.get_parameter("enter_sex.weight")
    weight.copy_(torch.randn(weight.shape, generator=torch.Generator().manual_seed(1)) * 30)
    return loaded


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    return BONE_AGE.prepare([fixed_sample("hand")], {}, SIZE)


@pytest.fixture(scope="module")
def encoded(small: LoadedModel, prepared: Prepared) -> Encoded:
    return encode(small, prepared)


def of(encoded: Encoded, sex: str | None, **context: object) -> Encoded:
    return replace(encoded, context={"sex": sex, **context})


def test_a_stated_sex_is_the_one_that_the_head_is_given(
    small: LoadedModel, prepared: Prepared, encoded: Encoded
) -> None:
    scores = []
    for index, sex in enumerate(SEXES):
        found = predict(small, prepared, of(encoded, sex))
        logits = small.model(torch.from_numpy(prepared.tensor), torch.tensor([index]))[0].double().numpy()
        expected = age_probabilities(logits[AGE], small.card.temperature)
        np.testing.assert_allclose(list(found.scores.values()), expected, atol=1e-6)
        assert found.label == BONE_AGE.labels[int(expected.argmax())]
        assert found.called_from is None
        scores.append(expected)
    assert np.abs(scores[0] - scores[1]).max() > 1e-4


def test_an_unstated_sex_is_the_mixture_that_the_network_weighs(
    small: LoadedModel, prepared: Prepared, encoded: Encoded
) -> None:
    found = predict(small, prepared, of(encoded, None))
    logits = [small.model(torch.from_numpy(prepared.tensor), torch.tensor([sex]))[0].double() for sex in (0, 1)]
    of_sex = logits[0][SEX].softmax(0).numpy()
    of_age = np.stack([age_probabilities(one[AGE].numpy(), small.card.temperature) for one in logits])
    np.testing.assert_allclose(list(found.scores.values()), without_sex(of_sex, of_age), atol=1e-6)
    assert sum(found.scores.values()) == pytest.approx(1)
    assert found.further["sex"]["F"] == pytest.approx(of_sex[0], abs=1e-6)
    assert found.age is not None
    assert found.age.female == found.further["sex"]["F"]
    assert any("not stated" in text for text in found.warnings)


def test_a_network_that_reads_no_sex_needs_one(encoded: Encoded) -> None:
    settings = SMALL["bone_age"] | {"sex_head": False}
    loaded = LoadedModel(BONE_AGE, small_card(BONE_AGE), BONE_AGE.build_model(settings).eval().requires_grad_(False))
    with pytest.raises(InputError, match="State the sex"):
        head_of(loaded, {})
    assert head_of(loaded, {"sex": "M"})(encoded.maps).shape == (1, 77)


def test_other_tasks_have_the_networks_own_head() -> None:
    loaded = small_loaded(TUBERCULOSIS)
    assert head_of(loaded, {}) == loaded.model.head


def test_the_answer_has_interval_and_sd_score_of_the_facts(
    small: LoadedModel, prepared: Prepared, encoded: Encoded
) -> None:
    age = predict(small, prepared, of(encoded, "F", age_months=120.0)).age
    assert age is not None
    assert age.interval is not None
    assert age.interval[0] < age.expected < age.interval[1]
    assert age.coverage == 0.9
    assert age.sd is not None
    assert age.sd.score is not None
    assert age.sd.score.value == pytest.approx((age.expected - 120) / 11.73)


def test_a_threshold_is_refused_where_nothing_is_called(
    small: LoadedModel, prepared: Prepared, encoded: Encoded
) -> None:
    with pytest.raises(InputError, match="no threshold"):
        predict(small, prepared, encoded, threshold=0.5)
    with pytest.raises(ValueError, match="calls no class"):
        _ = predict(small, prepared, encoded).threshold


def test_an_input_that_is_too_small_is_refused(small: LoadedModel) -> None:
    with pytest.raises(InputError, match="192 pixels"):
        encode(small, BONE_AGE.prepare([fixed_sample("hand")], {}, ModelInput(size=160)))


@pytest.mark.parametrize("sex", ["F", "M", None])
def test_the_map_of_the_expected_age_is_that_of_plain_autograd(
    small: LoadedModel, prepared: Prepared, encoded: Encoded, sex: str | None
) -> None:
    maps = encoded.maps.clone().requires_grad_(True)
    answers = [
        torch.softmax(small.model.head(maps, torch.tensor([each]))[0][AGE] / small.card.temperature, 0)
        for each in (0, 1)
    ]
    of_sex = torch.softmax(small.model.head(maps, torch.tensor([0]))[0][SEX], 0)
    mixed = of_sex[0] * answers[0] + of_sex[1] * answers[1] if sex is None else answers[SEXES.index(sex)]
    (gradient,) = torch.autograd.grad((mixed * torch.arange(0, 229, 3)).sum(), maps)
    weights = gradient[0].mean(dim=(1, 2)) * maps.shape[2] * maps.shape[3]
    expected = (weights[:, None, None] * maps[0]).sum(dim=0).detach().numpy()
    (found,) = explain(small, prepared, of(encoded, sex), [EXPECTED])
    assert found.label == EXPECTED
    assert found.box == prepared.placements[0].box
    placed = np.maximum(prepared.placements[0].place(expected), 0)
    np.testing.assert_allclose(found.values * found.maximum, placed, atol=2e-3 * np.abs(expected).max())


def test_the_map_of_a_class_is_that_of_plain_autograd(small: LoadedModel, encoded: Encoded) -> None:
    maps = encoded.maps.clone().requires_grad_(True)
    logits = small.model.head(maps, torch.tensor([1]))[0][AGE]
    others = torch.cat([logits[:40], logits[41:]]).mean()
    (gradient,) = torch.autograd.grad(logits[40] - others, maps)
    weights = gradient[0].mean(dim=(1, 2)) * maps.shape[2] * maps.shape[3]
    expected = (weights[:, None, None] * maps[0]).sum(dim=0).detach().numpy()
    (found,) = raw_maps(small, of(encoded, "M"), [40], Method.GRAD_CAM)
    assert np.abs(found - expected).max() <= 1e-3 * np.abs(expected).max()
