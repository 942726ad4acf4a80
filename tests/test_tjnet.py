"""TJ-Net: sizes, shapes, attention against plain NumPy, gradients, every part left out, the given sex."""

import numpy as np
import pytest
import torch
from scipy.signal import correlate2d
from timm.layers.cbam import CbamModule
from torch import nn

from cxrkit.models.tjnet import AGE, AGES, SEX, Branches, IncRes, TjNet

SMALL = 96
"""Too small to learn from, large enough for every layer."""

PARTS = ("cbam", "shortcuts", "inception", "sex_head")


@pytest.fixture(scope="module")
def model() -> TjNet:
    torch.manual_seed(0)
    return TjNet().eval()


def images(count: int = 3, size: int = SMALL) -> torch.Tensor:
    return torch.randn(count, 1, size, size, generator=torch.Generator().manual_seed(1))


def parameters(**parts: bool) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in TjNet(**parts).parameters())


def test_parameters() -> None:
    assert parameters() / 1e6 == pytest.approx(5.51, abs=0.01)


def test_each_part_left_out_takes_its_own_parameters_along() -> None:
    left_out = {part: parameters() - parameters(**{part: False}) for part in PARTS}
    attention = sum(2 * c * (c // 16) + 2 * 49 + 2 for c in (64, 192, 192))
    projections = 192 * 512 + 2 * 512 + 512 * 1024 + 2 * 1024
    sex = 1024 * 256 + 256 + 256 * 2 + 2
    assert left_out["cbam"] == attention
    assert left_out["shortcuts"] == projections
    assert left_out["sex_head"] == sex
    first = 4 * 1024 * 128 + 128 * 128 * (3 + 3 + 25 + 7 + 7) + 2 * 9 * 128
    second = 512 * (256 + 3 * 128) + 128 * 256 * (9 + 3 + 7) + 128 * 128 * (3 + 7) + 2 * (4 * 256 + 5 * 128)
    assert left_out["inception"] == first + second


def test_shapes_of_the_layer_table_at_500_pixels() -> None:
    with torch.device("meta"):
        model, x = TjNet(), torch.empty(1, 1, 500, 500)
    shapes = []
    for layer in (*model.blocks, *model.inceptions):
        x = layer(x)
        shapes.append((x.shape[1], *x.shape[2:]))
    sides = [(64, 123), (192, 60), (512, 29), (1024, 14), (512, 14), (1024, 14)]
    assert shapes == [(channels, side, side) for channels, side in sides]


def test_kernels_of_the_branches_are_those_of_the_table(model: TjNet) -> None:
    """As (kernel, filters), of each branch in order."""
    one, square, across, down = "1x1", "3x3", "1x3", "3x1"
    third = [[(one, 64)], [(one, 64), (square, 64)], [(one, 64), (square, 96), (square, 96)]]
    fourth = [[(one, 192)], [(one, 128), (square, 160), (square, 192)]]
    first = [
        [(one, 128)],
        [(one, 128), (across, 128), (down, 128)],
        [(one, 128), ("5x5", 128)],
        [(one, 128), ("1x7", 128), ("7x1", 128)],
    ]
    second = [
        [(one, 256)],
        [(one, 128), (square, 256)],
        [(one, 128), (across, 128), (down, 256)],
        [(one, 128), ("1x7", 128), ("7x1", 256)],
    ]
    blocks = (model.blocks[2].branches, model.blocks[3].branches, *model.inceptions)
    for block, expected in zip(blocks, (third, fourth, first, second), strict=True):
        found = [["x".join(map(str, conv[0].kernel_size)) for conv in branch] for branch in block.branches]
        filters = [[conv[0].out_channels for conv in branch] for branch in block.branches]
        assert [list(zip(k, f, strict=True)) for k, f in zip(found, filters, strict=True)] == expected


@pytest.mark.parametrize(("size", "side"), [(192, 4), (224, 5), (256, 6), (320, 8), (512, 14)])
def test_other_sizes(size: int, side: int) -> None:
    with torch.device("meta"):
        model, x = TjNet(), torch.empty(2, 1, size, size)
        maps = model.features(x)
        logits = model.head(maps, torch.empty(2, dtype=torch.int64))
    assert maps.shape == (2, 1024, side, side)
    assert logits.shape == (2, 79)


def test_forward_is_head_of_features_and_head_is_answer_of_embed(model: TjNet) -> None:
    x, sex = images(), torch.tensor([0, 1, 1])
    maps = model.features(x)
    logits = model(x, sex)
    assert logits.shape == (3, 79)
    torch.testing.assert_close(logits, model.head(maps, sex))
    torch.testing.assert_close(logits, model.answer(model.embed(maps), sex))


def test_the_given_sex_changes_the_age_and_not_the_sex_that_is_read(model: TjNet) -> None:
    embedded = model.embed(model.features(images(1)))
    girl, boy = (model.answer(embedded, torch.tensor([sex])) for sex in (0, 1))
    assert not torch.allclose(girl[:, AGE], boy[:, AGE])
    assert torch.equal(girl[:, SEX], boy[:, SEX])
    with torch.no_grad():
        weight = model.enter_sex.weight.clone()
        model.enter_sex.weight.copy_(weight.flip(1))
        swapped = model.answer(embedded, torch.tensor([1]))
        model.enter_sex.weight.copy_(weight)
    torch.testing.assert_close(swapped, girl)


def test_both_sexes_of_one_image_at_once(model: TjNet) -> None:
    embedded = model.embed(model.features(images(1)))
    both = model.answer(embedded.expand(2, -1), torch.tensor([0, 1]))
    for sex in (0, 1):
        torch.testing.assert_close(both[sex], model.answer(embedded, torch.tensor([sex]))[0])


@pytest.mark.parametrize("part", [None, *PARTS])
def test_without_any_part_every_parameter_learns_in_a_step(part: str | None) -> None:
    torch.manual_seed(0)
    network = TjNet(**({} if part is None else {part: False}))
    sex, age = torch.tensor([0, 1, 1, 0]), torch.tensor([5, 40, 76, 0])
    logits = network(images(4), sex)
    assert logits.shape == (4, AGES if part == "sex_head" else AGES + 2)
    loss = nn.functional.cross_entropy(logits[:, AGE], age)
    if part != "sex_head":
        loss = loss + nn.functional.cross_entropy(logits[:, SEX], sex)
    loss.backward()
    before = {name: parameter.detach().clone() for name, parameter in network.named_parameters()}
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().sum() > 0, name
    torch.optim.Adam(network.parameters(), lr=1e-3).step()
    assert all(not torch.equal(before[name], parameter) for name, parameter in network.named_parameters())


def test_frozen_blocks_get_no_gradient_and_the_others_do() -> None:
    torch.manual_seed(0)
    network = TjNet()
    network.blocks[:2].requires_grad_(False)
    network(images(2), torch.tensor([0, 1])).square().sum().backward()
    learns = [[p.grad is not None for p in block.parameters()] for block in network.blocks]
    assert [set(block) for block in learns] == [{False}, {False}, {True}, {True}]


def test_the_maps_explain_the_logits(model: TjNet) -> None:
    maps = model.features(images(1)).detach().requires_grad_(True)
    model.head(maps, torch.tensor([1]))[0, 40].backward()
    assert maps.grad is not None
    assert maps.grad.abs().sum() > 0


def test_attention_is_what_plain_numpy_says() -> None:
    torch.manual_seed(2)
    module = CbamModule(32).double().eval()
    norm = module.spatial.conv.bn
    norm.running_mean.fill_(0.3)
    norm.running_var.fill_(2.0)
    x = torch.randn(2, 32, 9, 8, dtype=torch.float64)
    found = module(x).detach().numpy()
    into, out = (layer.weight.detach().numpy()[:, :, 0, 0] for layer in (module.channel.fc1, module.channel.fc2))
    kernel = module.spatial.conv.conv.weight.detach().numpy()[0]
    for image, result in zip(x.numpy(), found, strict=True):
        pooled = (image.mean(axis=(1, 2)), image.max(axis=(1, 2)))
        weights = sigmoid(sum(out @ np.maximum(into @ row, 0) for row in pooled))
        channelled = image * weights[:, None, None]
        planes = (channelled.mean(axis=0), channelled.max(axis=0))
        raw = sum(correlate2d(plane, k, mode="same") for plane, k in zip(planes, kernel, strict=True))
        place = sigmoid((raw - 0.3) / np.sqrt(2.0 + norm.eps))
        np.testing.assert_allclose(result, channelled * place, atol=1e-12)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def test_the_network_attends_three_times_where_the_table_says(model: TjNet) -> None:
    places = [(name, m) for name, m in model.named_modules() if isinstance(m, CbamModule)]
    assert [name.split(".")[:2] for name, _ in places] == [["blocks", "0"], ["blocks", "1"], ["blocks", "1"]]
    order = [type(layer).__name__ for layer in model.blocks[1]][-3:]
    assert order == ["CbamModule", "MaxPool2d", "CbamModule"]


@pytest.mark.parametrize("shortcut", [True, False])
def test_a_block_adds_its_projected_input(shortcut: bool) -> None:
    torch.manual_seed(0)
    block = IncRes(Branches(4, ((((1, 1), 3),), (((3, 3), 5),))), 4, 6, shortcut=shortcut).eval()
    x = torch.randn(2, 4, 9, 9)
    parts = block.join(block.branches(x))
    if shortcut:
        weight = block.shortcut[0].weight[:, :, 0, 0]
        parts = parts + torch.einsum("oc,nchw->nohw", weight, x) / np.sqrt(1 + block.shortcut[1].eps)
    expected = torch.nn.functional.max_pool2d(parts.clamp(min=0), 3, 2)
    assert block(x).shape == (2, 6, 4, 4)
    torch.testing.assert_close(block(x), expected)
