"""Encoders of every kind that timm has give maps that lie as the image does."""

import pytest
import torch
from torch import nn

from cxrkit.models.music_vit import MusicVit
from cxrkit.models.timm_maps import TimmMaps, tokens_as_maps
from train.followup.study import ENCODERS, scale_of
from train.studies import Budget

KINDS = {
    "resnet10t": 32,
    "convnext_atto": 32,
    "mixer_s32_224": 32,
    "resmlp_12_224": 16,
    "vit_tiny_patch16_224": 16,
    "deit_tiny_distilled_patch16_224": 16,
    "swinv2_tiny_window8_256": 32,
    "coat_lite_tiny": 32,
}
"""Convolutional; MLP; with class tokens; channels last; without a switch for pooling: each with its stride."""


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_encoder_gives_maps(name: str) -> None:
    torch.manual_seed(0)
    encoder = TimmMaps(name, 128).eval()
    with torch.no_grad():
        maps = encoder(torch.randn(1, 1, 128, 128))
    side = 128 // KINDS[name]
    assert maps.shape == (1, encoder.channels, side, side)
    assert maps.is_contiguous() or maps.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        # Published sizes of the classifiers with three channels and 1000 classes, in millions, less their heads.
        ("inception_v3", 21.79),
        ("resnet50", 23.51),
        ("densenet121", 6.95),
        ("efficientnet_b3", 10.70),
        ("tf_efficientnetv2_s", 20.18),
        ("convnext_tiny", 27.82),
        ("vit_base_patch16_224", 85.80),
        ("coat_lite_small", 19.32),
        ("coat_tiny", 5.34),
    ],
)
def test_the_sources_encoders_are_there(name: str, count: float) -> None:
    with torch.device("meta"):
        encoder = TimmMaps(name, 256)
        maps = encoder(torch.zeros(2, 1, 256, 256))
    assert maps.shape[:2] == (2, encoder.channels)
    assert maps.shape[2] == maps.shape[3] > 1
    assert sum(p.numel() for p in encoder.parameters()) / 1e6 == pytest.approx(count, rel=0.02)


@pytest.mark.parametrize("name", ENCODERS.values())
def test_the_sources_encoders_take_the_size_of_every_budget(name: str) -> None:
    for size in {stage[0] for budget in Budget for stage in scale_of(budget).settings.stages}:
        with torch.device("meta"):
            encoder = TimmMaps(name, size)
            maps = encoder(torch.zeros(2, 1, size, size))
        assert maps.shape[2] == maps.shape[3] > 1


@pytest.mark.parametrize("name", ["vit_tiny_patch16_224", "swinv2_tiny_window8_256", "coat_lite_tiny"])
def test_a_spot_is_found_where_it_lies(name: str) -> None:
    """At random weights the position below a bright spot differs most from an image without it."""
    torch.manual_seed(0)
    encoder = TimmMaps(name, 128).eval()
    spot = torch.zeros(1, 1, 128, 128)
    spot[..., 96:128, 0:32] = 4.0
    with torch.no_grad():
        change = (encoder(spot) - encoder(torch.zeros_like(spot))).square().sum(dim=1)[0]
    at = int(change.argmax())
    row, column = divmod(at, change.shape[1])
    assert row >= 3 * change.shape[0] // 4
    assert column < change.shape[1] // 4


def test_tokens_are_laid_out_row_by_row_without_class_tokens() -> None:
    tokens = torch.arange(2 + 9.0)[None, :, None].repeat(1, 1, 2)
    expected = torch.tensor([[2.0, 3, 4], [5, 6, 7], [8, 9, 10]])
    for prefix in range(3):
        torch.testing.assert_close(tokens_as_maps(tokens[:, 2 - prefix :])[0, 1], expected)


def test_an_encoder_without_maps_is_refused() -> None:
    encoder = TimmMaps("resnet10t", 64)
    encoder.network = nn.Flatten()
    with pytest.raises(ValueError, match="instead of maps or tokens"):
        encoder(torch.zeros(1, 1, 64, 64))


@pytest.mark.parametrize("name", ["vit_tiny_patch16_224", "swinv2_tiny_window8_256", "resmlp_12_224", "coat_lite_tiny"])
def test_every_parameter_gets_a_gradient(name: str) -> None:
    torch.manual_seed(0)
    network = MusicVit(name, 64, "none")
    network(torch.randn(2, 2, 1, 64, 64)).square().sum().backward()
    for label, parameter in network.named_parameters():
        assert parameter.grad is not None, label
