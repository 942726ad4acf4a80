"""MuSiC-ViT: sizes, shapes, matching against plain NumPy, gradients, swapped and identical images."""

import numpy as np
import pytest
import torch
from torch import nn

from cxrkit.models.cmt import SIZES, Cmt, move_biases
from cxrkit.models.music_vit import (
    CHANGE,
    DIRECTION,
    AnatomyMatching,
    Match,
    MusicVit,
    matching_loss,
    matching_scores,
    orthogonal_loss,
)

TINY = 64


def millions(model: nn.Module) -> float:
    return sum(p.numel() for p in model.parameters()) / 1e6


@pytest.mark.parametrize(
    ("encoder", "matching", "count"),
    [
        ("cmt_ti", "none", 31.62),
        ("cmt_ti", "similar", 31.81),
        ("cmt_xs", "none", 45.81),
        ("cmt_s", "none", 59.99),
        ("cmt_b", "none", 88.70),
        ("cmt_xti", "none", 16.23),
    ],
)
def test_parameters_of_the_family_at_512_pixels(encoder: str, matching: str, count: float) -> None:
    with torch.device("meta"):
        model = MusicVit(encoder, 512, matching)
    assert millions(model) == pytest.approx(count, abs=0.01)


@pytest.fixture(scope="module")
def model() -> MusicVit:
    torch.manual_seed(0)
    return MusicVit("cmt_xti", TINY).eval()


def pairs(count: int = 2) -> torch.Tensor:
    return torch.randn(count, 2, 1, TINY, TINY, generator=torch.Generator().manual_seed(1))


def test_shapes(model: MusicVit) -> None:
    maps, matches = model.features_and_matches(pairs())
    assert maps.shape == (2, 2, 368, 2, 2)
    assert [m.baseline.shape for m in matches] == [(2, 46), (2, 92), (2, 184), (2, 368)]
    assert model.head(maps).shape == (2, 6)
    assert MusicVit("cmt_xti", TINY, "none", disease=False)(pairs()).shape == (2, 2)


def test_any_timm_encoder_in_the_same_classifier() -> None:
    resnet = MusicVit("resnet18", TINY, "none").eval()
    maps = resnet.features(pairs())
    assert maps.shape == (2, 2, 512, 2, 2)
    assert resnet.head(maps).shape == (2, 6)
    with pytest.raises(ValueError, match="no anatomy matching"):
        MusicVit("resnet18", TINY)


def test_features_and_head_are_the_forward_pass(model: MusicVit) -> None:
    x = pairs()
    torch.testing.assert_close(model(x), model.head(model.features(x)))


def test_identical_images_have_equal_maps_only_without_matching() -> None:
    torch.manual_seed(0)
    plain, one = MusicVit("cmt_xti", TINY, "none").eval(), pairs(1)[:, :1]
    maps = plain.features(one.repeat(1, 2, 1, 1, 1))
    torch.testing.assert_close(maps[:, 0], maps[:, 1])


def test_swapped_images_swap_the_maps_without_matching() -> None:
    torch.manual_seed(0)
    plain, x = MusicVit("cmt_xti", TINY, "none").eval(), pairs()
    maps, swapped = plain.features(x), plain.features(x.flip(1))
    torch.testing.assert_close(maps, swapped.flip(1))
    assert not torch.allclose(maps[:, 0], maps[:, 1])
    logits, other = plain.head(maps), plain.head(swapped)
    torch.testing.assert_close(logits[:, 2:4], other[:, 4:6])


@pytest.mark.parametrize("matching", ["similar", "difference"])
def test_every_parameter_gets_a_gradient(matching: str) -> None:
    torch.manual_seed(0)
    network = MusicVit("cmt_xti", TINY, matching, direction=True, difference=True, lesions=True)
    maps, matches = network.features_and_matches(pairs(3))
    loss = network.head(maps).square().sum()
    loss = loss + (matching_loss(matches) if matching == "similar" else orthogonal_loss(matches))
    loss.backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        # A key's bias adds the same to all of a query's products, which the softmax takes out again;
        # the last attention map's bias likewise.
        if not name.endswith(("key.bias", "attend_baseline.bias", "attend_follow_up.bias")):
            assert parameter.grad.abs().sum() > 0, name


@torch.no_grad()
def test_a_lesion_in_one_image_speaks_for_change_and_its_direction() -> None:
    """By the first weights of what is read off the lesions' maps, all others being 0."""
    torch.manual_seed(0)
    network = MusicVit("cmt_xti", TINY, "none", direction=True, lesions=True).eval()
    network.change.weight[:, :-2] = 0
    network.direction.weight[:, :-1] = 0
    network.lesions.weight.zero_()
    network.lesions.weight[0, 0], network.lesions.bias[0] = 6.0, -3.0
    maps = torch.zeros(1, 2, network.channels, 4, 4)
    same = network.head(maps)
    maps[0, 1, 0, 2, 3] = 1.0
    more, less = network.head(maps), network.head(maps.flip(1))
    torch.testing.assert_close(more[:, CHANGE], less[:, CHANGE])
    assert float(more[0, 1] - more[0, 0]) > float(same[0, 1] - same[0, 0]) + 0.2
    torch.testing.assert_close(more[:, DIRECTION], less[:, DIRECTION].flip(1))
    sides = [float(logits[0, DIRECTION.stop - 1]) for logits in (less, same, more)]
    assert sides[0] < sides[1] == 0.0 < sides[2]


@pytest.mark.parametrize(("mode", "sign"), [("similar", 1), ("difference", -1)])
def test_matching_is_what_plain_numpy_says(mode: str, sign: int) -> None:
    torch.manual_seed(2)
    module = AnatomyMatching(6, 3, mode).double()
    baseline, follow_up = torch.randn(2, 2, 6, 4, 5, dtype=torch.float64).unbind(0)
    out_b, out_f, match = module(baseline, follow_up)
    for n in range(2):
        k = attended(module.attend_baseline, baseline[n].numpy())
        q = attended(module.attend_follow_up, follow_up[n].numpy())
        np.testing.assert_allclose(match.baseline[n].detach(), k, atol=1e-12)
        np.testing.assert_allclose(match.follow_up[n].detach(), q, atol=1e-12)
        for x, out in ((baseline[n].numpy(), out_b[n]), (follow_up[n].numpy(), out_f[n])):
            expected = priority(module, x)[:, None, None] * (x + (k + sign * q)[:, None, None])
            np.testing.assert_allclose(out.detach(), expected, atol=1e-12)


def attended(convolution: nn.Conv2d, x: np.ndarray) -> np.ndarray:
    """K or Q of one image [C, H, W], channel by channel."""
    weight, bias = convolution.weight.detach().numpy()[:, :, 0, 0], convolution.bias.detach().numpy()
    centred = x - x.mean(axis=(1, 2), keepdims=True)
    width = weight.shape[1]
    result = []
    for c in range(x.shape[0]):
        group = c // width
        map_ = sum(weight[c, j] * centred[group * width + j] for j in range(width)) + bias[c]
        share = np.exp(map_ - map_.max())
        result.append((share / share.sum() * centred[c]).sum())
    return np.array(result)


def priority(module: AnatomyMatching, x: np.ndarray) -> np.ndarray:
    first, second = module.priority[0], module.priority[2]
    mean = x.mean(axis=(1, 2))
    hidden = np.maximum(first.weight.detach().numpy()[:, :, 0, 0] @ mean + first.bias.detach().numpy(), 0)
    return 1 / (1 + np.exp(-(second.weight.detach().numpy()[:, :, 0, 0] @ hidden + second.bias.detach().numpy())))


def test_losses_are_what_plain_numpy_says() -> None:
    rng = np.random.default_rng(0)
    found = [(rng.normal(size=(3, c)), rng.normal(size=(3, c))) for c in (4, 8)]
    matches = [Match(torch.tensor(k), torch.tensor(q)) for k, q in found]
    cosines = np.array(
        [[k[n] @ q[n] / np.linalg.norm(k[n]) / np.linalg.norm(q[n]) for k, q in found] for n in range(3)]
    )
    np.testing.assert_allclose(matching_scores(matches), cosines)
    assert float(matching_loss(matches)) == pytest.approx(2 - 2 * cosines.mean())
    products = [k[n] @ q[n] / k.shape[1] for k, q in found for n in range(3)]
    assert float(orthogonal_loss(matches)) == pytest.approx(np.mean(products))


def test_weights_move_between_input_sizes() -> None:
    torch.manual_seed(0)
    small, large = Cmt(SIZES["cmt_xti"], 64), Cmt(SIZES["cmt_xti"], 128)
    moved = move_biases(small.state_dict(), large)
    large.load_state_dict(moved)
    name = "stages.0.1.attend.bias"
    before, after = small.state_dict()[name], moved[name]
    assert after.shape == (1, 1, 32**2, 4**2)
    # Bilinear enlargement of a grid keeps its mean, and it keeps a bias that is constant exactly.
    assert float(after.mean()) == pytest.approx(float(before.mean()), abs=1e-4)
    constant = {key: torch.full_like(value, 0.3) if key == name else value for key, value in small.state_dict().items()}
    torch.testing.assert_close(move_biases(constant, large)[name], torch.full((1, 1, 32**2, 4**2), 0.3))
    back = move_biases(moved, small)
    assert back[name].shape == before.shape
    same = move_biases(small.state_dict(), small)
    assert all(torch.equal(same[key], value) for key, value in small.state_dict().items())


def test_moved_bias_keeps_which_query_and_key_it_belongs_to() -> None:
    small, large = Cmt(SIZES["cmt_xti"], 64), Cmt(SIZES["cmt_xti"], 128)
    name = "stages.0.1.attend.bias"
    bias = torch.zeros(1, 1, 16, 16, 2, 2)
    bias[0, 0, 12:, :4, 1, 0] = 1.0  # queries at the lower left, key at the lower left
    moved = move_biases(small.state_dict() | {name: bias.reshape(1, 1, 256, 4)}, large)[name].reshape(32, 32, 4, 4)
    where = (moved == moved.max()).nonzero().double().mean(dim=0)
    assert where[0] > 24
    assert where[1] < 8
    assert where[2] > 2
    assert where[3] < 1
