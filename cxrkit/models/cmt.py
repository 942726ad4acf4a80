"""CMT, convolutions meet vision transformers (Guo et al. 2022), as MuSiC-ViT uses it (methods section 1)."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

REDUCTIONS = (8, 4, 2, 1)
"""Stride k of the shared convolution of key and value, by stage."""

HEADS = (1, 2, 4, 8)
STRIDES = (4, 8, 16, 32)
"""Pixels of the input a position of each stage's maps."""

_BIAS = "attend.bias"


@dataclass(frozen=True)
class CmtSize:
    """One member of the family.

    Attributes:
        stem: channels of the three stem convolutions.
        dims: channels of the four stages.
        depths: blocks of the four stages.
        expansion: factor R of the inverted residual feed-forward network.
    """

    stem: int
    dims: tuple[int, int, int, int]
    depths: tuple[int, int, int, int]
    expansion: float


SIZES: Mapping[str, CmtSize] = {
    "cmt_ti": CmtSize(16, (46, 92, 184, 368), (2, 2, 10, 2), 3.6),
    "cmt_xs": CmtSize(16, (52, 104, 208, 416), (3, 3, 12, 3), 3.8),
    "cmt_s": CmtSize(32, (64, 128, 256, 512), (3, 3, 16, 3), 4.0),
    "cmt_b": CmtSize(38, (76, 152, 304, 608), (4, 4, 20, 4), 4.0),
    # The source claims an XTi of 16.38 M parameters without saying what it is; this one, ours, has 16.23 M.
    "cmt_xti": CmtSize(16, (46, 92, 184, 368), (1, 1, 5, 1), 3.6),
}


class PatchAggregation(nn.Sequential):
    """[N, C, H, W] -> [N, D, H / 2, W / 2]: 2 x 2 convolution of stride 2, then a layer norm over (C, H, W)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(nn.Conv2d(inputs, outputs, 2, stride=2))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self:
            x = layer(x)
        return nn.functional.layer_norm(x, list(x.shape[1:]))


class Attention(nn.Module):
    """Lightweight multi-head self-attention (LMHSA) with a free bias for each pair of positions; residual.

    Args:
        channels: C.
        heads: that share the channels.
        reduction: stride of the convolution that key and value share.
        side: of the maps; the bias is [1, heads, side^2, (side / reduction)^2].
    """

    def __init__(self, channels: int, heads: int, reduction: int, side: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(channels)
        self.query = nn.Linear(channels, channels)
        self.reduce = nn.Conv2d(channels, channels, reduction, stride=reduction, groups=channels)
        self.key = nn.Linear(channels, channels)
        self.value = nn.Linear(channels, channels)
        self.bias = nn.Parameter(torch.rand(1, heads, side**2, (side // reduction) ** 2))

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, side, side] -> the same."""
        positions = x.flatten(2).transpose(1, 2)
        fewer = self.reduce(x).flatten(2).transpose(1, 2)
        query = self._split(self.query(self.norm(positions)))
        key, value = self._split(self.key(fewer)), self._split(self.value(fewer))
        mixed = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=self.bias)
        return x + mixed.transpose(2, 3).reshape(x.shape)

    def _split(self, x: Tensor) -> Tensor:
        """[N, L, C] -> [N, heads, L, C / heads]."""
        return x.reshape(*x.shape[:2], self.heads, -1).transpose(1, 2)


class FeedForward(nn.Sequential):
    """Inverted residual feed-forward network (IRFFN): layer norm without affine, 1 x 1, depthwise 3 x 3, 1 x 1."""

    def __init__(self, channels: int, expansion: float) -> None:
        hidden = int(channels * expansion)
        super().__init__(
            nn.Conv2d(channels, hidden, 1),
            nn.BatchNorm2d(hidden),
            nn.GELU(),
            nn.Conv2d(hidden, hidden, 3, padding=1, groups=hidden),
            nn.BatchNorm2d(hidden),
            nn.GELU(),
            nn.Conv2d(hidden, channels, 1),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        hidden = nn.functional.layer_norm(x, list(x.shape[1:]))
        for layer in self:
            hidden = layer(hidden)
        return x + hidden


class Block(nn.Module):
    """Local perception unit (x + depthwise 3 x 3), attention, feed-forward network."""

    def __init__(self, channels: int, heads: int, reduction: int, side: int, expansion: float) -> None:
        super().__init__()
        self.perceive = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.attend = Attention(channels, heads, reduction, side)
        self.feed = FeedForward(channels, expansion)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.feed(self.attend(x + self.perceive(x)))
        return out


class Cmt(nn.Module):
    """The encoder: a stem and four stages, which can be run one by one.

    Args:
        size: member of the family.
        image_size: side of the square input in pixels, a multiple of 32; the attention's biases depend on it.
        channels: of the input.
    """

    def __init__(self, size: CmtSize, image_size: int, channels: int = 1) -> None:
        super().__init__()
        if image_size % STRIDES[-1]:
            raise ValueError(f"image_size must be a multiple of {STRIDES[-1]}, got {image_size}")
        layers: list[nn.Module] = []
        for inputs, stride in ((channels, 2), (size.stem, 1), (size.stem, 1)):
            layers += [nn.Conv2d(inputs, size.stem, 3, stride, 1), nn.BatchNorm2d(size.stem), nn.GELU()]
        self.stem = nn.Sequential(*layers)
        self.stages = nn.ModuleList()
        inputs = size.stem
        for stage, (width, depth) in enumerate(zip(size.dims, size.depths, strict=True)):
            side = image_size // STRIDES[stage]
            blocks = [Block(width, HEADS[stage], REDUCTIONS[stage], side, size.expansion) for _ in range(depth)]
            self.stages.append(nn.Sequential(PatchAggregation(inputs, width), *blocks))
            inputs = width

    def forward(self, x: Tensor) -> Tensor:
        """[N, channels, S, S] -> [N, C4, S / 32, S / 32]."""
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
        return x


def move_biases(state: Mapping[str, Tensor], target: nn.Module) -> dict[str, Tensor]:
    """Weights for a network of another input size: the biases are interpolated, everything else stays.

    Both positions of a pair are on a grid, so a bias [1, heads, N, M] is resampled bilinearly over its query's grid and
    over its key's grid.

    Args:
        state: of a network with the same layers.
        target: the network to fill.
    """
    wanted = target.state_dict()
    return {
        name: _resampled(value, wanted[name].shape) if name.endswith(_BIAS) else value for name, value in state.items()
    }


def _resampled(bias: Tensor, shape: torch.Size) -> Tensor:
    """[1, heads, N, M] -> [1, heads, N', M']."""
    if bias.shape == shape:
        return bias
    _, heads, queries, keys = bias.shape
    query_side, key_side = round(queries**0.5), round(keys**0.5)
    new_query, new_key = round(shape[2] ** 0.5), round(shape[3] ** 0.5)
    by_key = bias.reshape(1, heads * queries, key_side, key_side)
    by_key = nn.functional.interpolate(by_key, (new_key, new_key), mode="bilinear", align_corners=False)
    by_query = by_key.reshape(heads, query_side, query_side, new_key**2).permute(0, 3, 1, 2)
    by_query = nn.functional.interpolate(by_query, (new_query, new_query), mode="bilinear", align_corners=False)
    return by_query.permute(0, 2, 3, 1).reshape(shape)
