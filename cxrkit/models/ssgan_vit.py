"""SS-GAN-ViT: an encoder of timm joined with the trunk of a self-supervised GAN's discriminator (methods section 5)."""

from collections.abc import Mapping
from math import isqrt
from typing import Any

import timm
import torch
from timm.layers.attention import Attention
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn
from torch.nn import functional

from cxrkit.models.gan import TRUNK_CHANNELS, Trunk
from cxrkit.models.timm_maps import TimmMaps

FUSIONS = ("concat", "token", "none")
"""How the trunk takes part: beside the encoder's answer, as one more token of the transformer, or not at all."""

RANGE = 2.5
"""Largest value of a prepared image (cxrkit.tasks.nih14); divided by it, images are in [-1, 1] as the GAN's are."""


def build(settings: Mapping[str, Any], outputs: int) -> "SsganVit | SsganMaps":
    """The network of a card's settings.

    Args:
        settings: encoder (timm name), image_size, fusion (one of FUSIONS), trunk_size (side in pixels of what the trunk
            reads); from training also whether the encoder starts pretrained.
        outputs: number of logits.

    Raises:
        ValueError: a fusion that this encoder does not have.
    """
    encoder, size, fusion = settings["encoder"], settings["image_size"], settings["fusion"]
    kind = SsganVit if is_transformer(encoder) else SsganMaps
    pretrained = settings.get("pretrained", False)
    return kind(encoder, size, outputs, fusion=fusion, trunk_size=settings["trunk_size"], pretrained=pretrained)


def is_transformer(encoder: str) -> bool:
    """Whether timm's encoder of this name is a plain vision transformer, so that it becomes an SsganVit.

    Raises:
        RuntimeError: timm knows no such encoder.
    """
    entrance = timm.model_entrypoint(encoder.split(".", maxsplit=1)[0])
    return bool(entrance.__module__ == VisionTransformer.__module__)


class _Trunk(nn.Module):
    """The discriminator's trunk at the size that it was trained for, and the projection of what it finds."""

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.size = size
        self.trunk = Trunk()
        self.norm = nn.LayerNorm(TRUNK_CHANNELS)  # spectral norm leaves the maps small
        self.project = nn.Linear(TRUNK_CHANNELS, width)

    def forward(self, x: Tensor) -> Tensor:
        """[N, 1, S, S] as prepared -> maps [N, 512, size / 64, size / 64]."""
        maps: Tensor = self.trunk(as_trunk_reads(x, self.size))
        return maps

    def pooled(self, maps: Tensor) -> Tensor:
        """[N, 512, h, w] -> [N, width]."""
        projected: Tensor = self.project(self.norm(maps.mean(dim=(2, 3))))
        return projected


def as_trunk_reads(x: Tensor, size: int) -> Tensor:
    """[N, 1, S, S] as prepared -> [N, 1, size, size] in [-1, 1], each pixel the mean of those that it replaces."""
    small = x if x.shape[-1] == size else functional.interpolate(x, size=(size, size), mode="area")
    return small / RANGE


class SsganVit(nn.Module):
    """A vision transformer whose class token answers, with or without the discriminator's trunk.

    `features` has one map for each channel of the patch tokens entering the last block, then the class token (and with
    `token` the trunk's token) in the same value at every position, then with `concat` the trunk's map, enlarged. These
    tokens belong to no position: `head` passes no gradient to them, so that an activation map is of the positions
    alone. `forward` gives the same logits and passes gradients to everything.

    Args:
        encoder: timm name of a plain vision transformer with a class token, such as "vit_tiny_patch16_224".
        image_size: side of the input in pixels, a multiple of the patches'.
        outputs: number of logits.
        fusion: one of FUSIONS.
        trunk_size: side of what the trunk reads, in pixels.
        pretrained: let timm download ImageNet weights (needs a network connection).

    Raises:
        ValueError: an unknown fusion, or an encoder of another kind.
    """

    def __init__(
        self,
        encoder: str,
        image_size: int,
        outputs: int,
        *,
        fusion: str = "concat",
        trunk_size: int = 128,
        pretrained: bool = False,
    ) -> None:
        super().__init__()
        if fusion not in FUSIONS:
            raise ValueError(f"the fusion is one of {FUSIONS}, not {fusion}")
        vit: Any = timm.create_model(
            encoder,
            pretrained=pretrained,
            in_chans=1,
            num_classes=0,
            img_size=image_size,
            dynamic_img_size=False,
            global_pool="",
        )
        if not _plain(vit):
            raise ValueError(f"{encoder} is no plain vision transformer with a class token")
        self.vit = vit
        self.fusion = fusion
        self.width: int = vit.num_features
        self.adversary = None if fusion == "none" else _Trunk(trunk_size, self.width)
        self.classify = nn.Linear(self.width * (2 if fusion == "concat" else 1), outputs)

    def features(self, x: Tensor) -> Tensor:
        """[N, 1, S, S] normalised -> [N, C, h, w]; h is S / 16 for patches of 16 pixels."""
        prefix, patches, trunk = self.encode(x)
        side = isqrt(patches.shape[1])
        spread = prefix.flatten(1)[:, :, None, None].expand(-1, -1, side, side)
        parts = [patches.transpose(1, 2).reshape(len(x), -1, side, side), spread]
        if trunk is not None:
            parts.append(_enlarged(trunk, side))
        return torch.cat(parts, dim=1)

    def head(self, maps: Tensor) -> Tensor:
        """[N, C, h, w] -> logits [N, outputs]: last block, norm, fusion."""
        tokens = self.width * (2 if self.fusion == "token" else 1)
        # One split: the gradient of each separate slice would be whole maps, mostly zeros, that are then added up.
        sizes = [self.width, tokens, maps.shape[1] - self.width - tokens]
        patches, spread, trunk = torch.split(maps, sizes, dim=1)
        prefix = spread[:, :, 0, 0].detach().reshape(len(maps), -1, self.width)
        return self._answer(prefix, patches.flatten(2).transpose(1, 2), trunk if trunk.shape[1] else None)

    def forward(self, x: Tensor) -> Tensor:
        prefix, patches, trunk = self.encode(x)
        side = isqrt(patches.shape[1])
        return self._answer(prefix, patches, None if trunk is None else _enlarged(trunk, side))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """[N, 1, S, S] -> what enters the last block: class token and with `token` the trunk's, [N, 1 or 2, D]; patch
        tokens [N, P, D]; and with `concat` the trunk's map [N, 512, h, w]."""
        if self.adversary is None:
            return *self.blocks(self.vit.patch_embed(x)), None
        trunk = self.adversary(x)
        if self.fusion == "token":
            return *self.blocks(self.vit.patch_embed(x), self.adversary.pooled(trunk)[:, None]), None
        return *self.blocks(self.vit.patch_embed(x)), trunk

    def blocks(self, patches: Tensor, further: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Embedded patches [N, P, D] and further tokens [N, k, D] -> what enters the last block: class token and
        further ones [N, 1 + k, D], patch tokens [N, P, D]."""
        tokens = self._enter(patches, further)
        for block in self.vit.blocks[:-1]:
            tokens = block(tokens)
        first = tokens.shape[1] - patches.shape[1]
        return tokens[:, :first], tokens[:, first:]

    def _enter(self, patches: Tensor, further: Tensor | None) -> Tensor:
        tokens = self.vit._pos_embed(patches)
        if further is not None:
            tokens = torch.cat([tokens[:, :1], further, tokens[:, 1:]], dim=1)
        entering: Tensor = self.vit.norm_pre(tokens)
        return entering

    def class_token(self, prefix: Tensor, patches: Tensor) -> Tensor:
        """What enters the last block -> class token after it and the last norm, [N, D].

        The other tokens' outputs are not needed, so none is computed: each head's key matrix is applied to the class
        token's query, and its value matrix to the mean of the tokens that attention weighs. The products are the same
        in another order, at a hundredth of the time, and an activation map for each label costs little.
        """
        block = self.vit.blocks[-1]
        attention, tokens = block.attn, torch.cat([prefix, patches], dim=1)
        normed = block.norm1(tokens)
        weights, biases = attention.qkv.weight.chunk(3), attention.qkv.bias.chunk(3)
        _, key, value = (weight.unflatten(0, (attention.num_heads, -1)) for weight in weights)
        query = functional.linear(normed[:, 0], weights[0], biases[0]).reshape(len(tokens), attention.num_heads, -1)
        # The key's bias adds the same to every token's score, and softmax takes it away.
        scores = torch.einsum("nhe,hed->nhd", query * attention.scale, key) @ normed.transpose(1, 2)
        found = torch.einsum("nhd,hed->nhe", scores.softmax(dim=2) @ normed, value).flatten(1) + biases[2]
        answer = tokens[:, 0] + block.drop_path1(block.ls1(attention.proj(found)))
        answer = answer + block.drop_path2(block.ls2(block.mlp(block.norm2(answer))))
        normalised: Tensor = self.vit.norm(answer)
        return normalised

    def attention(self, x: Tensor) -> Tensor:
        """[N, 1, S, S] -> attention of each block, mean over its heads [N, blocks, T, T], rows summing to 1.

        Row t says from where token t gathers; tokens are the class token, with `token` the trunk's, and the patches row
        by row.
        """
        trunk = None
        if self.adversary is not None and self.fusion == "token":
            trunk = self.adversary.pooled(self.adversary(x))[:, None]
        tokens, found = self._enter(self.vit.patch_embed(x), trunk), []
        for block in self.vit.blocks:
            own = block.attn
            query, key, _ = own.qkv(block.norm1(tokens)).unflatten(2, (3, own.num_heads, -1)).unbind(2)
            scores = torch.einsum("nqhe,nkhe->nhqk", query * own.scale, key)
            found.append(scores.softmax(dim=3).mean(dim=1))
            tokens = block(tokens)
        return torch.stack(found, dim=1)

    def _answer(self, prefix: Tensor, patches: Tensor, trunk: Tensor | None) -> Tensor:
        parts = [self.class_token(prefix, patches)]
        if trunk is not None and self.adversary is not None:
            parts.append(self.adversary.pooled(trunk))
        logits: Tensor = self.classify(torch.cat(parts, dim=1))
        return logits


class SsganMaps(nn.Module):
    """An encoder that gives maps, such as EfficientNet-b4, with or without the discriminator's trunk.

    Args:
        encoder: timm name.
        image_size: side of the input in pixels.
        outputs: number of logits.
        fusion: "concat" or "none".
        trunk_size: side of what the trunk reads, in pixels.
        pretrained: let timm download ImageNet weights (needs a network connection).

    Raises:
        ValueError: another fusion.
    """

    def __init__(
        self,
        encoder: str,
        image_size: int,
        outputs: int,
        *,
        fusion: str = "concat",
        trunk_size: int = 128,
        pretrained: bool = False,
    ) -> None:
        super().__init__()
        if fusion not in ("concat", "none"):
            raise ValueError(f"{encoder} has no tokens: its fusion is concat or none, not {fusion}")
        self.encoder = TimmMaps(encoder, image_size, pretrained=pretrained)
        self.adversary = _Trunk(trunk_size, self.encoder.channels) if fusion == "concat" else None
        self.classify = nn.Linear(self.encoder.channels * (2 if self.adversary else 1), outputs)

    def features(self, x: Tensor) -> Tensor:
        """[N, 1, S, S] normalised -> the encoder's maps, and with `concat` the trunk's, enlarged: [N, C, h, w]."""
        maps: Tensor = self.encoder(x)
        if self.adversary is None:
            return maps
        return torch.cat([maps, _enlarged(self.adversary(x), maps.shape[-1])], dim=1)

    def head(self, maps: Tensor) -> Tensor:
        """[N, C, h, w] -> logits [N, outputs]."""
        own = maps[:, : self.encoder.channels].mean(dim=(2, 3))
        if self.adversary is not None:
            own = torch.cat([own, self.adversary.pooled(maps[:, self.encoder.channels :])], dim=1)
        logits: Tensor = self.classify(own)
        return logits

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))


def _enlarged(maps: Tensor, side: int) -> Tensor:
    return functional.interpolate(maps, size=(side, side), mode="bilinear", align_corners=False)


def _plain(vit: nn.Module) -> bool:
    """Whether a network is as `SsganVit` takes it apart."""
    if not isinstance(vit, VisionTransformer) or vit.num_prefix_tokens != 1 or vit.cls_token is None:
        return False
    attention = getattr(vit.blocks[-1], "attn", None)
    unused = [getattr(attention, part, None) for part in ("q_norm", "k_norm", "norm")] + [vit.fc_norm]
    return (
        isinstance(attention, Attention)
        and attention.qkv.bias is not None
        and attention.gate is None
        and all(isinstance(part, nn.Identity) for part in unused)
    )
