from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch

from cxrkit.predict import encode, predict, probabilities
from cxrkit.task import ModelInput, Prepared
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from cxrkit.weights import LoadedModel, fixed_sample
from tests.models_for_tests import small_loaded


@pytest.fixture(scope="module")
def small() -> LoadedModel:
    return small_loaded(TUBERCULOSIS)


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    return TUBERCULOSIS.prepare([fixed_sample()], {}, ModelInput(size=64))


def test_scores_are_the_softmax_of_the_whole_network_at_the_cards_temperature(
    small: LoadedModel, prepared: Prepared
) -> None:
    found = predict(small, prepared, encode(small, prepared))
    logits = small.model(torch.from_numpy(prepared.tensor))[0]
    expected = torch.softmax(logits / small.card.temperature, dim=0)
    assert list(found.scores) == list(TUBERCULOSIS.labels)
    assert list(found.scores.values()) == pytest.approx(expected.tolist(), abs=1e-6)
    assert sum(found.scores.values()) == pytest.approx(1)


def test_the_positive_class_is_called_at_the_threshold_and_above(small: LoadedModel, prepared: Prepared) -> None:
    encoded = encode(small, prepared)
    score = predict(small, prepared, encoded).scores["tuberculosis"]
    assert predict(small, prepared, encoded, threshold=score).label == "tuberculosis"
    assert predict(small, prepared, encoded, threshold=np.nextafter(score, 1)).label == "normal"
    assert predict(small, prepared, encoded, threshold=0.0).label == "tuberculosis"


def test_the_threshold_is_the_cards_unless_another_is_given(small: LoadedModel, prepared: Prepared) -> None:
    card = replace(small.card, thresholds={"tuberculosis": 0.31})
    loaded = LoadedModel(small.task, card, small.model)
    encoded = encode(loaded, prepared)
    assert predict(loaded, prepared, encoded).threshold == 0.31
    assert predict(loaded, prepared, encoded, threshold=0.7).threshold == 0.7


def test_warnings_of_the_file_come_before_those_of_its_preparation(small: LoadedModel, prepared: Prepared) -> None:
    image = replace(fixed_sample(), warnings=("of the file",))
    warned = replace(prepared, warnings=("of the preparation",))
    found = predict(small, warned, encode(small, prepared), [image])
    assert found.warnings == ("of the file", "of the preparation")


def test_probabilities() -> None:
    logits = np.array([[0.0, 2.0], [800.0, -800.0]])
    np.testing.assert_allclose(probabilities(logits, 2.0, "softmax")[0, 1], 1 / (1 + np.exp(-1)))
    np.testing.assert_allclose(probabilities(logits, 1.0, "softmax")[1], [1, 0])
    np.testing.assert_allclose(probabilities(logits, 2.0, "sigmoid")[0], [0.5, 1 / (1 + np.exp(-1))])
    np.testing.assert_allclose(probabilities(logits, 1.0, "sigmoid")[1], [1, 0])


def test_a_higher_temperature_moves_scores_to_the_middle_and_changes_no_order() -> None:
    logits = np.random.default_rng(0).normal(0, 3, (50, 2))
    cold, warm = (probabilities(logits, temperature, "softmax")[:, 1] for temperature in (1.0, 3.0))
    assert (np.abs(warm - 0.5) < np.abs(cold - 0.5)).all()
    np.testing.assert_array_equal(np.argsort(warm), np.argsort(cold))


def test_maps_of_the_encoder_carry_no_gradient(small: LoadedModel, prepared: Prepared) -> None:
    maps = encode(small, prepared).maps
    assert not maps.requires_grad
    assert not maps.is_inference()  # explain needs gradients of a copy


def test_a_model_shared_by_threads_gives_every_thread_its_own_scores(small: LoadedModel) -> None:
    generator = np.random.default_rng(0)
    cases = [
        TUBERCULOSIS.prepare(
            [replace(fixed_sample(), values=generator.uniform(0, 255, (96, 96)).astype(np.float32))],
            {},
            ModelInput(crop=(0, 0, 96, 96), size=64),
        )
        for _ in range(4)
    ]
    alone = [dict(predict(small, case, encode(small, case)).scores) for case in cases]
    with ThreadPoolExecutor(4) as pool:
        found = list(
            pool.map(lambda i: dict(predict(small, cases[i % 4], encode(small, cases[i % 4])).scores), range(80))
        )
    # Where memory lies changes the last digits that vector instructions give; another image changes the fourth.
    assert np.diff(sorted(scores["normal"] for scores in alone)).min() > 1e-5
    for number, scores in enumerate(found):
        assert scores == pytest.approx(alone[number % 4], abs=1e-6)
