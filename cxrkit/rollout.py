"""Attention rollout: from which patches a vision transformer's class token gathers, through all of its blocks.

S. Abnar and W. Zuidema, Quantifying attention flow in transformers, ACL 2020. It needs no gradient and knows of no
label: it says where the network looks, not what it finds there.
"""

from dataclasses import dataclass
from math import isqrt

import numpy as np
import torch
from numpy.typing import NDArray

from cxrkit.errors import InputError
from cxrkit.pixels import Box
from cxrkit.task import Prepared
from cxrkit.weights import LoadedModel


@dataclass(frozen=True, eq=False)
class Rollout:
    """Where the class token gathers from.

    Attributes:
        values: [h, w] in [0, 1] over `box`, from its own minimum to its own maximum; all zero where it is even.
        box: (left, top, right, bottom) in pixels of the original image.
        strongest: share of the strongest patch, in multiples of what each would have if all had the same; 1 = even.
    """

    values: NDArray[np.float32]
    box: Box
    strongest: float


def has_attention(loaded: LoadedModel) -> bool:
    """Whether the network is a transformer that gives its attention."""
    return hasattr(loaded.model, "attention")


def attention_rollout(loaded: LoadedModel, prepared: Prepared) -> Rollout:
    """The rollout of one image; runs the encoder again.

    Args:
        loaded: the network; its attention(x) gives [N, blocks, T, T], see cxrkit.models.ssgan_vit.
        prepared: what it reads.

    Raises:
        InputError: the network is no such transformer.
    """
    if not has_attention(loaded):
        raise InputError("This network is no vision transformer, so it has no attention rollout.")
    with torch.inference_mode(False), torch.no_grad():
        found = loaded.model.attention(torch.from_numpy(prepared.tensor.copy()))[0]  # type: ignore[operator]
    patches = class_token_row(found.double().numpy())
    placement = prepared.placements[0]
    placed = placement.place(patches.astype(np.float32))
    low, high = float(placed.min()), float(placed.max())
    values = (placed - low) / (high - low) if high > low else np.zeros_like(placed)
    return Rollout(values.astype(np.float32), placement.box, float(patches.max() / patches.mean()))


def class_token_row(attention: NDArray[np.float64]) -> NDArray[np.float64]:
    """Attention of all blocks [blocks, T, T], mean over heads, first block first -> shares of the patches [h, h].

    Each block also passes a token on as it is, by its residual connection, which counts one half: the rollout is the
    product of (A + I) / 2 over the blocks. The class token is the first; patches come last, row by row, and are more
    than all other tokens, so that h is the root of T, rounded down.
    """
    row = np.zeros(attention.shape[1])
    row[0] = 1.0
    # Only the class token's row is asked for, so the last block comes first and no product of matrices is needed.
    for block in attention[::-1]:
        row = (row + row @ block) / 2
    side = isqrt(len(row))
    return np.asarray(row[len(row) - side**2 :].reshape(side, side))
