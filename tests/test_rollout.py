"""Attention rollout against its definition, on made matrices and on a small transformer."""

from dataclasses import replace
from math import isqrt

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from cxrkit.errors import InputError
from cxrkit.rollout import attention_rollout, class_token_row, has_attention
from cxrkit.task import ModelInput, Prepared
from cxrkit.tasks.nih14 import NIH14
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from cxrkit.weights import LoadedModel, fixed_sample
from tests.models_for_tests import small_loaded


def naive(attention: NDArray[np.float64]) -> NDArray[np.float64]:
    """Abnar and Zuidema 2020, equations 1 and 2, word by word: whole matrices, first block first."""
    joint = np.eye(attention.shape[1])
    for block in attention:
        mixed = 0.5 * block + 0.5 * np.eye(len(block))
        joint = (mixed / mixed.sum(axis=1, keepdims=True)) @ joint
    side = isqrt(len(joint))
    return joint[0, len(joint) - side**2 :].reshape(side, side)


def matrices(blocks: int, tokens: int, seed: int = 0) -> NDArray[np.float64]:
    drawn = np.random.default_rng(seed).exponential(1, (blocks, tokens, tokens))
    return drawn / drawn.sum(axis=2, keepdims=True)


@pytest.mark.parametrize(("tokens", "side"), [(10, 3), (17, 4), (18, 4), (197, 14), (198, 14)])
def test_it_is_the_product_of_the_blocks(tokens: int, side: int) -> None:
    attention = matrices(4, tokens)
    found = class_token_row(attention)
    assert found.shape == (side, side)
    np.testing.assert_allclose(found, naive(attention), rtol=1e-10)


def test_a_block_that_looks_at_one_patch_sends_half_there() -> None:
    attention = np.tile(np.eye(10), (3, 1, 1))
    attention[2, 0] = np.eye(10)[5]
    expected = np.zeros((3, 3))
    expected[1, 1] = 0.5
    np.testing.assert_allclose(class_token_row(attention), expected)


@pytest.fixture(scope="module")
def loaded() -> LoadedModel:
    return small_loaded(NIH14)


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    return NIH14.prepare([fixed_sample()], {}, ModelInput(crop=(0, 0, 400, 300)))


def test_it_lies_on_what_was_read(loaded: LoadedModel, prepared: Prepared) -> None:
    found = attention_rollout(loaded, prepared)
    assert found.box == (0, 0, 400, 300)
    assert found.values.dtype == np.float32
    assert found.values.shape == (384, 512)
    assert (found.values.min(), found.values.max()) == (0.0, 1.0)
    attention = loaded.model.attention(torch.from_numpy(prepared.tensor))[0]
    assert torch.allclose(attention.sum(dim=2), torch.ones(attention.shape[:2]), atol=1e-4)
    patches = naive(attention.double().numpy())
    assert found.strongest == pytest.approx(patches.max() / patches.mean(), rel=1e-4)
    placed = prepared.placements[0].place(patches.astype(np.float32))
    np.testing.assert_allclose(found.values, (placed - placed.min()) / np.ptp(placed), atol=1e-3)


def test_a_network_without_attention_has_none(prepared: Prepared) -> None:
    other = small_loaded(TUBERCULOSIS)
    assert not has_attention(other)
    with pytest.raises(InputError, match="no vision transformer"):
        attention_rollout(other, replace(prepared))
