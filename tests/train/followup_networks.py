"""A tiny follow-up network and a batch of pairs for the tests of its training."""

from collections.abc import Iterator

import pytest
import torch

from cxrkit.models.cmt import SIZES, CmtSize
from cxrkit.models.music_vit import MusicVit
from train.followup.losses import UNKNOWN, Batch, Learner

TINY = 64
SMALL = "cmt of this test"


@pytest.fixture(autouse=True, scope="module")
def small_encoder() -> Iterator[None]:
    """One more member of the family, of which a step takes milliseconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SIZES, SMALL, CmtSize(4, (8, 16, 24, 32), (1, 1, 1, 1), 2.0))  # type: ignore[arg-type]
        yield


def batch(count: int = 6) -> Batch:
    random = torch.Generator().manual_seed(3)
    return Batch(
        torch.randn(count, 2, 1, TINY, TINY, generator=random),
        torch.tensor([1, 0, UNKNOWN, 1, 0, 1])[:count],
        torch.tensor([[0, 1], [0, 0], [1, UNKNOWN], [UNKNOWN, UNKNOWN], [1, 1], [1, 0]])[:count],
        torch.tensor([1, UNKNOWN, UNKNOWN, 0, UNKNOWN, 0])[:count],
        torch.tensor([1.0, 0.3, 1.0, 0.5, 1.0, 2.0])[:count],
        torch.zeros(count, dtype=torch.int64),
        torch.tensor([0.0, 1, 0.5, UNKNOWN] * 8 * count).reshape(count, 2, 4, 4),
    )


def network(matching: str = "similar", **further: bool) -> Learner:
    torch.manual_seed(0)
    heads = {"direction": True, "difference": True, "lesions": True} | further
    return Learner(MusicVit(SMALL, TINY, matching, **heads))  # type: ignore[arg-type]
