"""The fused network of pairs gives the reference's logits, matching scores and maps."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.pairs import compared
from cxrkit.explain import Method
from cxrkit.explain_pair import raw_pair_maps
from cxrkit.models.fused import FusedMusicVit, can_fuse
from cxrkit.models.music_vit import Matching, MusicVit
from cxrkit.phantoms import Lesion, PairSettings, simulate_pair
from cxrkit.predict import Encoded, encode
from cxrkit.task import ModelInput
from cxrkit.tasks.followup import FOLLOW_UP
from cxrkit.weights import LoadedModel, fixed_sample, load_model
from tests.models_for_tests import busy_norms, small_card, small_loaded, write_small_weights

TINY = 64


def network(matching: Matching, encoder: str = "cmt_xti") -> MusicVit:
    """Random, with batch norms that do something."""
    torch.manual_seed(3)
    model = MusicVit(encoder, TINY, matching, direction=True, difference=True, lesions=True).eval()
    busy_norms(model)
    return model.requires_grad_(False)


@pytest.mark.parametrize("matching", ["similar", "difference", "none"])
@pytest.mark.parametrize(("count", "seed"), [(1, 0), (2, 1), (1, 2)])
def test_fused_network_is_the_reference(matching: Matching, count: int, seed: int) -> None:
    model = network(matching)
    fused = FusedMusicVit(model)
    pair = torch.randn(count, 2, 1, TINY, TINY, generator=torch.Generator().manual_seed(seed))
    (maps, scores), (expected, expected_scores) = fused.compare(pair), model.compare(pair)
    assert maps.shape == expected.shape
    assert scores.shape == expected_scores.shape
    torch.testing.assert_close(maps, expected, rtol=0, atol=1e-4)
    torch.testing.assert_close(scores, expected_scores, rtol=0, atol=1e-4)
    torch.testing.assert_close(model.head(maps), model.head(expected), rtol=0, atol=1e-4)
    loaded = LoadedModel(FOLLOW_UP, small_card(FOLLOW_UP), model)
    for method in (Method.GRAD_CAM, Method.HIRES_CAM):
        ours, plain = (raw_pair_maps(loaded, Encoded(m[:1]), 1, method) for m in (maps, expected))
        assert np.abs(plain).max() > 0
        np.testing.assert_allclose(ours, plain, rtol=0, atol=1e-4)


def test_shipped_weights_give_the_references_logits_matching_and_maps() -> None:
    """At the size of the page, on a simulated pair: the figures of the card are of the reference's numbers."""
    pair = simulate_pair(PairSettings(seed=5, follow_up=(Lesion("nodule", "left", "middle", size=1.4),), size=512))
    images = pair.radiographs()
    fused, plain = load_model(FOLLOW_UP), load_model(FOLLOW_UP, fused=False)
    prepared = FOLLOW_UP.prepare(images, {}, ModelInput())
    ours, expected = encode(fused, prepared), encode(plain, prepared)
    torch.testing.assert_close(fused.model.head(ours.maps), plain.model.head(expected.maps), rtol=0, atol=1e-4)
    assert ours.matching == pytest.approx(expected.matching, abs=1e-4)
    for method in (Method.GRAD_CAM, Method.HIRES_CAM):
        maps, reference = (raw_pair_maps(one, seen, 1, method) for one, seen in ((fused, ours), (plain, expected)))
        assert np.abs(reference).max() > 0
        np.testing.assert_allclose(maps, reference, rtol=0, atol=1e-4)


def test_encode_uses_the_fused_network_and_the_reference_on_demand(tmp_path: Path) -> None:
    root = write_small_weights(tmp_path)
    fused, plain = load_model(FOLLOW_UP, root), load_model(FOLLOW_UP, root, fused=False)
    assert fused.fused is not None
    assert plain.fused is None
    prepared = FOLLOW_UP.prepare([fixed_sample(), fixed_sample()], {}, ModelInput())
    ours, expected = encode(fused, prepared), encode(plain, prepared)
    assert not torch.equal(ours.maps, expected.maps)
    torch.testing.assert_close(ours.maps, expected.maps, rtol=0, atol=1e-4)
    assert ours.matching == pytest.approx(expected.matching, abs=1e-4)


def test_other_encoders_keep_the_reference() -> None:
    assert can_fuse(network("similar"))
    assert not can_fuse(MusicVit("resnet18", TINY, "none"))


def test_threads_share_one_fused_network() -> None:
    fused = FusedMusicVit(network("similar"))
    pairs = [torch.randn(1, 2, 1, TINY, TINY, generator=torch.Generator().manual_seed(n)) for n in range(8)]
    alone = [fused.compare(pair)[0] for pair in pairs]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda pair: fused.compare(pair)[0], pairs))
    for one, other in zip(alone, together, strict=True):
        # New threads may have another number of helpers, which add up in another order.
        torch.testing.assert_close(one, other, rtol=0, atol=1e-5)


def test_benchmark_of_pairs_measures_every_way() -> None:
    rows = compared(small_loaded(FOLLOW_UP), TINY, rounds=1)
    assert all(row.value > 0 for row in rows)
    assert [row.unit for row in rows].count("ms") == 6
