"""Losses of the findings' training against naive versions, and both readings and regimes."""

import numpy as np
import pytest
import torch

from cxrkit.models.ssgan_vit import RANGE
from train.nih14.losses import (
    ADVERSARIES,
    Reading,
    Regime,
    findings_loss,
    gradient_penalty,
    masked_loss,
    masks,
    nt_xent,
    quantised,
    triplet,
    turned,
)


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).float()


def naive_nt_xent(first: np.ndarray, second: np.ndarray, temperature: float) -> float:
    views = np.concatenate([first, second]).astype(np.float64)
    views /= np.linalg.norm(views, axis=1, keepdims=True)
    count, terms = len(first), []
    for i in range(2 * count):
        alike = {j: np.exp(views[i] @ views[j] / temperature) for j in range(2 * count) if j != i}
        terms.append(-np.log(alike[(i + count) % (2 * count)] / sum(alike.values())))
    return float(np.mean(terms))


def test_nt_xent_is_what_plain_numpy_says() -> None:
    first, second = drawn(5, 8), drawn(5, 8, seed=1)
    expected = naive_nt_xent(first.numpy(), second.numpy(), 0.3)
    assert float(nt_xent(first, second, 0.3)) == pytest.approx(expected, rel=1e-5)


def test_triplet_is_what_plain_numpy_says() -> None:
    anchor, positive, negative = (drawn(6, 4, seed=seed) for seed in range(3))
    positive[0], negative[0] = anchor[0], -anchor[0]  # as it should be: this one costs nothing
    positive[1], negative[1] = -anchor[1], anchor[1]  # the other way round
    terms = []
    for a, p, n in zip(anchor.numpy(), positive.numpy(), negative.numpy(), strict=True):
        a, p, n = (each / np.linalg.norm(each) for each in (a, p, n))  # noqa: PLW2901
        terms.append(max(0.0, np.linalg.norm(a - p) - np.linalg.norm(a - n) + 0.5))
    assert terms[0] == 0
    assert terms[1] == pytest.approx(2.5)
    assert float(triplet(anchor, positive, negative, 0.5)) == pytest.approx(np.mean(terms), rel=1e-5)


def naive_steps(image: np.ndarray, patch: int, cells: int, levels: int) -> np.ndarray:
    across, side = image.shape[0] // patch, patch // cells
    found = np.zeros((across**2, cells**2), dtype=np.int64)
    for number in range(across**2):
        top, left = number // across * patch, number % across * patch
        for cell in range(cells**2):
            y, x = top + cell // cells * side, left + cell % cells * side
            mean = image[y : y + side, x : x + side].mean()
            found[number, cell] = min(max(int((mean + RANGE) / (2 * RANGE) * levels), 0), levels - 1)
    return found


def test_quantised_intensities_are_those_of_each_cell_of_each_patch() -> None:
    images = drawn(2, 1, 32, 32) * 2
    found = quantised(images, patch=8, cells=2, levels=6)
    assert found.shape == (2, 16, 4)
    for image, steps in zip(images.numpy(), found.numpy(), strict=True):
        np.testing.assert_array_equal(steps, naive_steps(image[0], 8, 2, 6))
    ends = torch.tensor([-10.0, 10.0]).reshape(2, 1, 1, 1).expand(2, 1, 8, 8)
    assert quantised(ends, 8, 2, 6).flatten(1).tolist() == [[0] * 4, [5] * 4]


def test_masked_patches_alone_count() -> None:
    logits, target = drawn(2, 9, 4, 6), torch.randint(6, (2, 9, 4), generator=torch.Generator().manual_seed(2))
    masked = torch.zeros(2, 9, dtype=torch.bool)
    masked[0, 3] = masked[1, 0] = masked[1, 8] = True
    terms = []
    for image, patch in ((0, 3), (1, 0), (1, 8)):
        for cell in range(4):
            values = logits[image, patch, cell].double().numpy()
            terms.append(np.log(np.exp(values).sum()) - values[target[image, patch, cell]])
    assert float(masked_loss(logits, target, masked)) == pytest.approx(np.mean(terms), rel=1e-5)


def test_a_fifth_of_the_patches_of_each_image_is_masked() -> None:
    torch.manual_seed(0)
    found = masks(50, 196, 0.2, torch.device("cpu"))
    assert found.sum(dim=1).tolist() == [39] * 50
    assert 0 < found.float().mean(dim=0).min() < found.float().mean(dim=0).max() < 0.5


def test_images_are_turned_as_they_are_said_to_be_and_equally_often() -> None:
    torch.manual_seed(0)
    images = drawn(8, 1, 6, 6)
    found, which = turned(images)
    assert sorted(which.tolist()) == [0, 0, 1, 1, 2, 2, 3, 3]
    for image, seen, turns in zip(images, found, which, strict=True):
        np.testing.assert_array_equal(seen[0], np.rot90(image[0], int(turns)))


def test_unknown_labels_say_nothing() -> None:
    logits, target = drawn(3, 14), torch.zeros(3, 14)
    target[0, 2] = 1
    target[2] = -1
    known = logits[:2].double()
    expected = (torch.nn.functional.softplus(known) - known * target[:2]).mean()
    assert float(findings_loss(logits, target)) == pytest.approx(float(expected), rel=1e-5)
    assert float(findings_loss(logits, torch.full((3, 14), -1.0))) == 0


def test_the_literal_softmax_shares_the_findings_and_has_no_word_for_none() -> None:
    logits, target = drawn(3, 14).requires_grad_(True), torch.zeros(3, 14)
    target[0, [1, 5]] = 1
    target[2, 7] = 1
    shares = logits.detach().double().log_softmax(dim=1)
    expected = -((shares[0, 1] + shares[0, 5]) / 2 + shares[2, 7]) / 2
    loss = findings_loss(logits, target, Reading.SOFTMAX)
    assert float(loss.detach()) == pytest.approx(float(expected), rel=1e-5)
    loss.backward()
    assert logits.grad is not None
    assert not logits.grad[1].any()
    assert logits.grad[0].any()


def test_bce_tells_real_from_generated_images() -> None:
    real, fake = torch.tensor([3.0, 1.0]), torch.tensor([-2.0, 0.5])
    chance = {name: torch.sigmoid(each).numpy() for name, each in (("real", real), ("fake", fake))}
    sides = ADVERSARIES[Regime.BCE]
    expected = -np.log(chance["real"]).mean() - np.log(1 - chance["fake"]).mean()
    assert float(sides.discriminator(real, fake)) == pytest.approx(expected, rel=1e-5)
    assert float(sides.generator(fake)) == pytest.approx(-np.log(chance["fake"]).mean(), rel=1e-5)


def test_wassersteins_critic_is_linear() -> None:
    real, fake = torch.tensor([3.0, 1.0]), torch.tensor([-2.0, 0.5])
    sides = ADVERSARIES[Regime.WGAN_GP]
    assert float(sides.discriminator(real, fake)) == pytest.approx(-0.75 - 2)
    assert float(sides.generator(fake)) == pytest.approx(0.75)


def test_the_penalty_is_that_of_the_gradients_length() -> None:
    weight = drawn(36)
    weight = 3 * weight / weight.norm()
    penalty = gradient_penalty(lambda x: x.flatten(1) @ weight, drawn(4, 1, 6, 6), drawn(4, 1, 6, 6, seed=1))
    assert float(penalty) == pytest.approx(4, rel=1e-4), "(3 - 1)^2 wherever it is taken"
