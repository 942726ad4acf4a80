"""SS-GAN and the classifiers on its trunk: shapes, spectral norm, both fusions, a map with evidence for every label."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cxrkit.models.gan import LATENT, SIZES, TRUNK_CHANNELS, Discriminator, Generator, Trunk, latents
from cxrkit.models.ssgan_vit import RANGE, SsganMaps, SsganVit, as_trunk_reads, build, is_transformer
from cxrkit.tasks.nih14 import LABELS, MEAN, STD

VIT, CNN = "test_vit", "test_efficientnet"
SIZE = 64
NETWORKS = [(VIT, "concat"), (VIT, "token"), (VIT, "none"), (CNN, "concat"), (CNN, "none")]


def network(encoder: str, fusion: str, trunk_size: int = SIZE) -> nn.Module:
    torch.manual_seed(0)
    settings = {"encoder": encoder, "image_size": SIZE, "fusion": fusion, "trunk_size": trunk_size}
    return build(settings, len(LABELS)).eval()


def images(count: int = 2, size: int = SIZE) -> Tensor:
    return torch.randn(count, 1, size, size, generator=torch.Generator().manual_seed(1)).clamp(-RANGE, RANGE)


@pytest.mark.parametrize("size", SIZES)
def test_the_generator_has_eight_convolutions_and_the_sources_widths(size: int) -> None:
    generator = Generator(size)
    layers = [part for part in generator.modules() if isinstance(part, nn.Conv2d | nn.ConvTranspose2d)]
    assert [layer.out_channels for layer in layers] == [512, 512, 256, 256, 128, 64, 32, 1]
    assert sum(layer.stride == (2, 2) for layer in layers) == {256: 6, 128: 5, 64: 4}[size]
    with torch.no_grad():
        made = generator.eval()(latents(1, seed=3))
    assert made.shape == (1, 1, size, size)
    assert made.abs().max() <= 1


def test_the_generator_makes_no_other_sizes() -> None:
    with pytest.raises(ValueError, match="96"):
        Generator(96)


def test_latents_can_be_drawn_again() -> None:
    torch.testing.assert_close(latents(3, seed=5), latents(3, seed=5))
    assert latents(3, seed=5).shape == (3, LATENT)
    assert not torch.equal(latents(3, seed=5), latents(3, seed=6))


@pytest.mark.parametrize("size", SIZES)
def test_the_discriminator_answers_three_questions_at_every_size(size: int) -> None:
    discriminator = Discriminator(len(LABELS)).eval()
    with torch.no_grad():
        real, labels, turns = discriminator(images(2, size))
        maps = discriminator.trunk(images(2, size))
    assert [tuple(answer.shape) for answer in (real, labels, turns)] == [(2,), (2, 14), (2, 4)]
    assert maps.shape == (2, TRUNK_CHANNELS, size // 64, size // 64)


def test_spectral_norm_is_in_force_in_every_layer_of_the_discriminator() -> None:
    torch.manual_seed(0)
    discriminator = Discriminator(len(LABELS)).train()
    with torch.no_grad():
        for layer in layers_of(discriminator):
            layer.parametrizations.weight.original.mul_(50)
        for _ in range(3):
            discriminator(images())
    layers = layers_of(discriminator)
    assert len(layers) == 9
    for layer in layers:
        largest = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), ord=2)
        assert float(largest) == pytest.approx(1, abs=0.15)


def layers_of(discriminator: Discriminator) -> list[Any]:
    return [part for part in discriminator.modules() if isinstance(part, nn.Conv2d | nn.Linear)]


@pytest.mark.parametrize(("encoder", "fusion"), NETWORKS)
def test_the_forward_pass_is_features_and_head(encoder: str, fusion: str) -> None:
    model: Any = network(encoder, fusion)
    with torch.no_grad():
        maps = model.features(images())
        torch.testing.assert_close(model.head(maps), model(images()), atol=1e-5, rtol=1e-5)
    assert maps.ndim == 4
    assert model(images()).shape == (2, len(LABELS))


@pytest.mark.parametrize(("encoder", "fusion"), NETWORKS)
def test_every_labels_map_has_a_gradient(encoder: str, fusion: str) -> None:
    model: Any = network(encoder, fusion)
    maps = model.features(images(1)).detach().requires_grad_(True)
    gradients = [torch.autograd.grad(model.head(maps)[0, label], maps)[0][0] for label in range(len(LABELS))]
    own = model.width if encoder == VIT else model.encoder.channels
    for gradient in gradients:
        assert gradient[:own].abs().sum() > 0, "of the encoder's positions"
        if fusion == "concat":
            assert gradient[-TRUNK_CHANNELS:].abs().sum() > 0, "of the trunk's map"
    assert not torch.allclose(gradients[0], gradients[1])


@pytest.mark.parametrize("fusion", ["concat", "token"])
def test_tokens_without_a_position_take_no_part_in_a_map(fusion: str) -> None:
    model: Any = network(VIT, fusion)
    maps = model.features(images(1)).detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(model.head(maps)[0, 3], maps)
    tokens = 1 if fusion == "concat" else 2
    carried = gradient[0, model.width : (1 + tokens) * model.width]
    assert len(carried) == tokens * model.width
    assert not carried.any()


@pytest.mark.parametrize(("encoder", "fusion"), NETWORKS)
def test_training_reaches_every_weight(encoder: str, fusion: str) -> None:
    model = network(encoder, fusion)
    for norm in (part for part in model.modules() if isinstance(part, nn.BatchNorm2d)):
        nn.init.uniform_(norm.weight, 0.5, 1.5)  # timm starts the last one of a block at zero
    model(images())[:, :7].square().sum().backward()
    # A constant added to every key changes no attention.
    assert all(weight.grad is not None for weight in model.parameters())
    silent = [name for name, weight in model.named_parameters() if weight.grad is not None and not weight.grad.any()]
    assert not silent


@pytest.mark.parametrize("fusion", ["concat", "token"])
def test_the_class_token_is_that_of_the_whole_block(fusion: str) -> None:
    model: Any = network(VIT, fusion)
    with torch.no_grad():
        prefix, patches, _ = model.encode(images())
        whole = model.vit.norm(model.vit.blocks[-1](torch.cat([prefix, patches], dim=1)))[:, 0]
        torch.testing.assert_close(model.class_token(prefix, patches), whole, atol=1e-5, rtol=1e-5)


def test_without_the_trunk_it_is_timms_own_transformer() -> None:
    model: Any = network(VIT, "none")
    with torch.no_grad():
        expected = model.classify(model.vit.forward_features(images())[:, 0])
        torch.testing.assert_close(model(images()), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("fusion", "tokens"), [("concat", 17), ("token", 18), ("none", 17)])
def test_attention_is_given_for_every_block_and_token(fusion: str, tokens: int) -> None:
    model: Any = network(VIT, fusion)
    with torch.no_grad():
        found = model.attention(images())
    assert found.shape == (2, len(model.vit.blocks), tokens, tokens)
    torch.testing.assert_close(found.sum(dim=3), torch.ones(found.shape[:3]))


def test_the_trunk_matters_in_both_fusions() -> None:
    for fusion in ("concat", "token"):
        model: Any = network(VIT, fusion)
        with torch.no_grad():
            before = model(images())
            model.adversary.project.bias += torch.linspace(-1, 1, model.width)
            assert not torch.allclose(before, model(images()))


def test_the_trunk_reads_means_of_pixels_between_minus_one_and_one() -> None:
    given = torch.full((1, 1, 128, 128), RANGE)
    given[..., ::2] = -RANGE
    torch.testing.assert_close(as_trunk_reads(given, 64), torch.zeros(1, 1, 64, 64))
    assert as_trunk_reads(given, 128).abs().max() == 1


def test_prepared_images_span_the_range_that_the_trunk_divides_by() -> None:
    assert pytest.approx(RANGE) == (1 - MEAN) / STD == MEAN / STD


def test_trunk_of_another_size_fits_the_same_weights() -> None:
    small, large = network(VIT, "concat"), network(VIT, "concat", trunk_size=128)
    large.load_state_dict(small.state_dict())
    with torch.no_grad():
        assert large(images()).shape == (2, 14)


@pytest.mark.parametrize(
    ("encoder", "fusion", "words"),
    [(VIT, "sum", "fusion"), (CNN, "token", "no tokens"), ("test_vit2", "concat", "class token")],
)
def test_what_cannot_be_built_is_refused(encoder: str, fusion: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        network(encoder, fusion)


def test_transformers_and_other_encoders_are_told_apart() -> None:
    assert is_transformer("vit_tiny_patch16_224")
    assert not is_transformer("efficientnet_b4")
    assert isinstance(network(VIT, "none"), SsganVit)
    assert isinstance(network(CNN, "none"), SsganMaps)


def test_the_trunk_has_the_sources_widths() -> None:
    layers = [part for part in Trunk().modules() if isinstance(part, nn.Conv2d)]
    assert [layer.out_channels for layer in layers] == [32, 64, 128, 256, 512, 512]
    assert all(layer.stride == (2, 2) for layer in layers)
