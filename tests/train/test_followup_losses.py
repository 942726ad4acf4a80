"""Losses of the follow-up network against NumPy, pair by pair."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.train.followup_networks import TINY, batch, network, small_encoder
from train.followup.losses import UNKNOWN, Batch, Lambdas, cell_mean, losses

__all__ = ["small_encoder"]


def naive(
    logits: NDArray[np.float64], labels: NDArray[np.int64], weight: NDArray[np.float64], smoothing: float = 0.0
) -> float:
    """Weighted mean of the cross-entropy of the known labels, pair by pair."""
    total = weights = 0.0
    for row, label, one in zip(logits, labels, weight, strict=True):
        if label == UNKNOWN:
            continue
        logs = row - np.log(np.exp(row).sum())
        wanted = np.full(2, smoothing / 2)
        wanted[label] += 1 - smoothing
        total -= one * float(wanted @ logs)
        weights += one
    return total / weights


@pytest.mark.parametrize("matching", ["similar", "difference", "none"])
def test_losses_are_what_plain_numpy_says(matching: str) -> None:
    model, given = network(matching).eval().requires_grad_(False), batch()
    found = losses(model, given, smoothing=0.1)
    maps, matches = model.network.features_and_matches(given.pair)
    logits = model.network.head(maps).detach().double().numpy()
    cells = [each.double().numpy() for each in model.look(given.pair)[2]]
    share = given.lesions.double().numpy().reshape(-1, TINY // 16, TINY // 16)
    lesions = naive_cells(np.kron(cells[0], np.ones((2, 2))), share) + naive_cells(cells[1], share)
    weight = given.weight.double().numpy()
    change = naive(logits[:, :2], given.change.numpy(), weight, 0.1)
    disease = sum(
        naive(logits[:, place], given.abnormal[:, k].numpy(), weight)
        for k, place in enumerate((slice(2, 4), slice(4, 6)))
    )
    direction = naive(logits[:, 6:8], given.direction.numpy(), weight)
    kq = [(m.baseline.detach().double().numpy(), m.follow_up.detach().double().numpy()) for m in matches]
    if matching == "similar":
        cosines = [k[n] @ q[n] / np.linalg.norm(k[n]) / np.linalg.norm(q[n]) for k, q in kq for n in range(6)]
        expected = 2 - 2 * np.mean(cosines)
    elif matching == "difference":
        expected = np.mean([k[n] @ q[n] / k.shape[1] for k, q in kq for n in range(6)])
    else:
        expected = 0.0
    assert float(found.change) == pytest.approx(change, rel=1e-4)
    assert float(found.disease) == pytest.approx(disease, rel=1e-4)
    assert float(found.direction) == pytest.approx(direction, rel=1e-4)
    assert float(found.matching) == pytest.approx(expected, rel=1e-4, abs=1e-6)
    assert float(found.lesions) == pytest.approx(lesions, rel=1e-4)
    total = change + 0.1 * disease + 0.01 * expected + 0.1 * direction + 2.0 * lesions
    assert float(found.total(Lambdas())) == pytest.approx(total, rel=1e-4)
    assert float(found.each[2]) == 0
    assert float(found.each[0]) == pytest.approx(naive(logits[:1, :2], np.array([1]), np.ones(1)), rel=1e-4)


def naive_cells(logits: NDArray[np.float64], share: NDArray[np.float64]) -> float:
    """Mean of the binary cross-entropy of the known cells, cell by cell."""
    known = [(z, s) for z, s in zip(logits.ravel(), share.ravel(), strict=True) if s != UNKNOWN]
    return float(np.mean([s * np.log1p(np.exp(-z)) + (1 - s) * np.log1p(np.exp(z)) for z, s in known]))


def test_cells_of_another_grid_are_met() -> None:
    logits = torch.zeros(3, 4, 4)
    assert float(cell_mean(logits, torch.full((3, 2, 2), 0.5))) == pytest.approx(np.log(2), rel=1e-5)


def test_unknown_labels_change_nothing_and_a_batch_without_labels_has_no_loss() -> None:
    model, given = network("none").eval(), batch()
    known = [0, 1, 3, 4, 5]
    without = Batch(*(part[known] for part in given))
    torch.testing.assert_close(losses(model, given).change, losses(model, without).change)
    nothing = given._replace(
        change=torch.full((6,), UNKNOWN),
        abnormal=torch.full((6, 2), UNKNOWN),
        direction=torch.full((6,), UNKNOWN),
        lesions=torch.full((6, 2, 4, 4), float(UNKNOWN)),
    )
    total = losses(model, nothing).total(Lambdas())
    total.backward()
    assert float(total.detach()) == 0
    assert all(p.grad is None or bool((p.grad == 0).all()) for p in model.parameters())


def test_networks_without_further_heads_learn_from_change_alone() -> None:
    model = network("none", disease=False, direction=False).requires_grad_(False)
    found = losses(model, batch())
    assert (float(found.disease), float(found.direction), float(found.matching)) == (0, 0, 0)


@pytest.mark.parametrize("matching", ["similar", "difference"])
def test_every_parameter_gets_a_gradient_from_the_whole_loss(matching: str) -> None:
    model = network(matching)
    losses(model, batch()).total(Lambdas()).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        # The same is added to everything that a softmax then compares, which takes it out again.
        if not name.endswith(("key.bias", "attend_baseline.bias", "attend_follow_up.bias")):
            assert parameter.grad.abs().sum() > 0, name
