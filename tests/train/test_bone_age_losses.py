"""Every loss of bone age against NumPy."""

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, softmax
from scipy.stats import norm

from train.bone_age.losses import Batch, ClassWeights, LossSettings, losses, nearest_class, soft_labels

AGES = 3.0 * np.arange(77)
MONTHS = np.array([0.0, 100.0, 150.4, 228.0])
SEX = np.array([0, 1, 1, 0])
LOGITS = np.random.default_rng(0).normal(size=(4, 79)).astype(np.float32)
BATCH = Batch(torch.zeros(4, 1, 1, 1), torch.tensor(MONTHS, dtype=torch.float32), torch.tensor(SEX))
CLASSES = np.array([0, 33, 50, 76])


def found(settings: LossSettings, weights: ClassWeights | None = None, outputs: int = 79) -> dict[str, float]:
    one = losses(torch.tensor(LOGITS[:, :outputs]), BATCH, settings, weights)
    parts = {"age": one.age, "expectation": one.expectation, "sex": one.sex, "total": one.total(settings)}
    return {name: float(value) for name, value in parts.items() if value is not None}


def test_the_sources_loss_is_the_sum_of_two_cross_entropies() -> None:
    age = -log_softmax(LOGITS[:, :77], axis=1)[np.arange(4), CLASSES].mean()
    sex = -log_softmax(LOGITS[:, 77:], axis=1)[np.arange(4), SEX].mean()
    one = found(LossSettings())
    assert one["age"] == pytest.approx(age, rel=1e-5)
    assert one["sex"] == pytest.approx(sex, rel=1e-5)
    assert one["total"] == pytest.approx(age + sex, rel=1e-5)
    right = losses(torch.tensor(LOGITS), BATCH, LossSettings()).sex_right
    assert right is not None
    assert float(right) == np.mean(LOGITS[:, 77:].argmax(axis=1) == SEX)


def test_nearest_class_halfway_is_the_older_one() -> None:
    months = torch.tensor([0.0, 1.4, 1.5, 2.0, 226.4, 226.5, 300.0])
    assert nearest_class(months).tolist() == [0, 0, 1, 1, 75, 76, 76]


@pytest.mark.parametrize("spread", [3.0, 6.0, 9.0])
def test_soft_labels_are_a_gaussian_about_the_age(spread: float) -> None:
    density = norm.pdf(AGES, MONTHS[:, None], spread)
    expected = density / density.sum(axis=1, keepdims=True)
    labels = soft_labels(BATCH.months, spread).numpy()
    np.testing.assert_allclose(labels, expected, atol=1e-6)
    np.testing.assert_allclose(labels.sum(axis=1), 1, atol=1e-6)
    entropy = -(expected * log_softmax(LOGITS[:, :77], axis=1)).sum(axis=1).mean()
    assert found(LossSettings(spread=spread))["age"] == pytest.approx(entropy, rel=1e-5)


def test_the_mean_of_soft_labels_is_the_age_also_between_classes() -> None:
    months = torch.tensor([100.0, 101.0, 102.0])
    np.testing.assert_allclose(soft_labels(months, 6.0).numpy() @ AGES, months.numpy(), atol=1e-3)


def test_the_expectation_term_is_the_mean_distance_in_years() -> None:
    away = np.abs(softmax(LOGITS[:, :77], axis=1) @ AGES - MONTHS).mean() / 12
    one = found(LossSettings(expectation=2.0, sex=0.5))
    assert one["expectation"] == pytest.approx(away, rel=1e-5)
    assert one["total"] == pytest.approx(one["age"] + 2 * away + 0.5 * one["sex"], rel=1e-5)


def test_inverse_frequency_gives_every_class_that_is_there_the_same_weight_in_all() -> None:
    learned = [0.0] * 6 + [100.0] * 3 + [150.0] * 2 + [228.0]
    weights = ClassWeights(learned)
    each = weights.tensor.numpy()[CLASSES]
    np.testing.assert_allclose(each * [6, 3, 2, 1], 3, rtol=1e-6)
    assert weights.tensor.numpy()[[1, 40]].tolist() == [0, 0]
    entropy = -log_softmax(LOGITS[:, :77], axis=1)[np.arange(4), CLASSES]
    expected = (each * entropy).sum() / each.sum()
    assert found(LossSettings(), weights)["age"] == pytest.approx(expected, rel=1e-5)


def test_without_sex_head_there_is_no_loss_of_the_sex() -> None:
    one = found(LossSettings(sex=1.0), outputs=77)
    assert "sex" not in one
    assert one["total"] == one["age"]
    without = LossSettings(sex=0.0)
    assert found(without)["total"] == found(without)["age"]
