"""The network of pairs for prediction only: the same numbers to 1e-4, in less time on processors.

Batch norms and the local perception's residual are folded into their convolutions. Maps stay channels-last, so that
tokens are views of them. Linear layers, GELU and residual run as one oneDNN operation each: those that torch's own
compiler emits. They are no public interface, so the pinned version of torch and the tests against the reference,
`MusicVit`, go together.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from cxrkit.models.cmt import Attention, Block, Cmt
from cxrkit.models.music_vit import AnatomyMatching, Match, MusicVit, matching_scores


def can_fuse(model: nn.Module) -> bool:
    """Whether `FusedMusicVit` can stand in for a network here: CMT encoders, where torch has oneDNN."""
    has_operations = hasattr(torch.ops.mkldnn, "_linear_pointwise") and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return has_operations and isinstance(model, MusicVit) and isinstance(model.encoder, Cmt)


class FusedMusicVit:
    """A frozen copy of a network's encoder and matching; safe to share between threads.

    Args:
        model: in eval mode, with a CMT encoder; later changes of its weights are not seen.
    """

    def __init__(self, model: MusicVit) -> None:
        encoder = model.encoder
        assert isinstance(encoder, Cmt)
        with torch.inference_mode(False), torch.no_grad():
            stem = list(encoder.stem)
            self._stem = [
                _Convolution(*_folded(stem[i], stem[i + 1]), _convolution(stem[i]), gelu=True)
                for i in range(0, len(stem), 3)
            ]
            self._stages = [_FusedStage(stage) for stage in encoder.stages]
            self._matching = [_FusedMatching(m) for m in model.matching if isinstance(m, AnatomyMatching)]

    @torch.no_grad()
    def compare(self, pair: Tensor) -> tuple[Tensor, Tensor]:
        """As MusicVit.compare: [N, 2, 1, S, S] -> maps [N, 2, C, h, w] and matching scores [N, stages or 0]."""
        x = torch.cat(pair.unbind(1)).contiguous(memory_format=torch.channels_last)
        for convolution in self._stem:
            x = convolution(x)
        matches = []
        for number, stage in enumerate(self._stages):
            x = stage(x)
            if self._matching:
                x, match = self._matching[number](x)
                matches.append(match)
        maps = torch.stack(x.chunk(2), dim=1).contiguous()
        return maps, matching_scores(matches) if matches else maps.new_zeros(len(maps), 0)


class _FusedStage:
    """[2N, C, H, W] channels-last -> [2N, D, H / 2, W / 2]."""

    def __init__(self, stage: nn.Module) -> None:
        aggregate, *blocks = stage.children()
        convolution = _convolution(next(aggregate.children()))
        self._aggregate = _Convolution(convolution.weight, _bias(convolution), convolution)
        self._blocks = [_FusedBlock(block) for block in blocks if isinstance(block, Block)]

    def __call__(self, x: Tensor) -> Tensor:
        x = _normalised(self._aggregate(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        for block in self._blocks:
            x = block(x)
        return x


class _Convolution:
    """[N, C, H, W] channels-last -> the same of a convolution, with GELU if asked."""

    def __init__(self, weight: Tensor, bias: Tensor, like: nn.Conv2d, *, gelu: bool = False) -> None:
        self._weight, self._bias = weight.contiguous(memory_format=torch.channels_last), bias.contiguous()
        self._like, self._activation = like, "gelu" if gelu else "none"

    def __call__(self, x: Tensor) -> Tensor:
        like = self._like
        out: Tensor = torch.ops.mkldnn._convolution_pointwise(
            *(x, self._weight, self._bias, like.padding, like.stride, like.dilation, like.groups),
            *(self._activation, [], "none"),
        )
        return out


class _Linear:
    """[N, L, C] -> [N, L, D], with GELU or with something added if asked.

    Args:
        weight, bias: [D, C] and [D].
        rows: N * L to expect, for the order of the packed weights; other numbers work too.
    """

    def __init__(self, weight: Tensor, bias: Tensor, rows: int) -> None:
        self._weight, self._bias = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), rows), bias.contiguous()

    def __call__(self, x: Tensor, activation: str = "none") -> Tensor:
        out: Tensor = torch.ops.mkldnn._linear_pointwise(x, self._weight, self._bias, activation, [], "none")
        return out

    def plus(self, x: Tensor, added: Tensor) -> Tensor:
        out: Tensor = torch.ops.mkldnn._linear_pointwise.binary(x, added, self._weight, self._bias, "add")
        return out


class _FusedBlock:
    """[2N, C, side, side] channels-last -> the same."""

    def __init__(self, block: Block) -> None:
        perceive = block.perceive.weight.clone()
        perceive[:, 0, 1, 1] += 1  # x + depthwise(x) in one convolution
        self._perceive = _Convolution(perceive, _bias(block.perceive), block.perceive)
        rows = 2 * block.attend.bias.shape[2]
        self._attend = _FusedAttention(block.attend, rows)
        widen, middle, narrow = (_folded(block.feed[i], block.feed[i + 1]) for i in (0, 3, 6))
        self._widen = _Linear(widen[0].flatten(1), widen[1], rows)
        self._middle = _Convolution(*middle, _convolution(block.feed[3]), gelu=True)
        self._narrow = _Linear(narrow[0].flatten(1), narrow[1], rows)

    def __call__(self, x: Tensor) -> Tensor:
        x = self._attend(self._perceive(x))
        tokens = _tokens(x)
        hidden = self._middle(_maps(self._widen(_normalised(tokens), "gelu"), x))
        return _maps(self._narrow.plus(_tokens(hidden), tokens), x)


class _FusedAttention:
    """LMHSA on [2N, C, side, side] channels-last; key and value from one linear layer."""

    def __init__(self, attend: Attention, rows: int) -> None:
        self._norm, self._bias, self._heads = attend.norm, attend.bias.detach(), attend.heads
        self._reduce = _Convolution(attend.reduce.weight, _bias(attend.reduce), attend.reduce)
        self._query = _Linear(attend.query.weight, attend.query.bias, rows)
        both = (attend.key, attend.value)
        self._key_value = _Linear(
            torch.cat([layer.weight for layer in both]),
            torch.cat([layer.bias for layer in both]),
            rows // attend.reduce.stride[0] ** 2,
        )

    def __call__(self, x: Tensor) -> Tensor:
        tokens = _tokens(x)
        query = self._query(self._norm(tokens)).view(*tokens.shape[:2], self._heads, -1).transpose(1, 2)
        both = self._key_value(_tokens(self._reduce(x))).view(len(x), -1, 2, self._heads, query.shape[-1])
        key, value = (part.transpose(1, 2) for part in both.unbind(2))
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=self._bias)
        return _maps(tokens + mixed.transpose(1, 2).flatten(2), x)


class _FusedMatching:
    """Matching of [2N, C, h, w], baselines first: a constant that the softmax takes out again is left out."""

    def __init__(self, module: AnatomyMatching) -> None:
        self._sign, self._priority = module.sign, module.priority
        self._attend = [_dense(conv) for conv in (module.attend_baseline, module.attend_follow_up)]

    def __call__(self, x: Tensor) -> tuple[Tensor, Match]:
        tokens = _tokens(x)
        mean = tokens.mean(dim=1)
        found = []
        for weight, part, mean_of_part in zip(self._attend, tokens.chunk(2), mean.chunk(2), strict=True):
            share = functional.linear(part, weight).softmax(dim=1)
            found.append((share * part).sum(dim=1) - mean_of_part)
        shared = (found[0] + self._sign * found[1]).repeat(2, 1)
        priority = self._priority(mean[..., None, None]).flatten(1)
        out = torch.addcmul((priority * shared)[:, None], tokens, priority[:, None])
        return _maps(out, x), Match(*found)


def _dense(grouped: nn.Conv2d) -> Tensor:
    """Weight [C, C] of a grouped 1 x 1 convolution: few multiplications in vain cost less than many small groups."""
    width, count = grouped.weight.shape[1], grouped.groups
    dense = grouped.weight.new_zeros(count, width, count, width)
    each = torch.arange(count)
    dense[each, :, each] = grouped.weight.detach().reshape(count, width, width)
    return dense.reshape(count * width, count * width)


def _folded(convolution: nn.Module, norm: nn.Module) -> tuple[Tensor, Tensor]:
    """Weight and bias of a convolution with the batch norm after it."""
    assert isinstance(norm, nn.BatchNorm2d)
    fused = nn.utils.fusion.fuse_conv_bn_eval(_convolution(convolution), norm)
    return fused.weight, _bias(fused)


def _convolution(module: nn.Module) -> nn.Conv2d:
    assert isinstance(module, nn.Conv2d)
    return module


def _bias(convolution: nn.Conv2d) -> Tensor:
    assert convolution.bias is not None
    return convolution.bias


def _normalised(x: Tensor) -> Tensor:
    """Layer norm over everything of an image, without affine."""
    return functional.layer_norm(x, list(x.shape[1:]))


def _tokens(x: Tensor) -> Tensor:
    """[N, C, h, w] channels-last -> [N, h * w, C], a view."""
    return x.permute(0, 2, 3, 1).flatten(1, 2)


def _maps(tokens: Tensor, like: Tensor) -> Tensor:
    """[N, h * w, C] -> [N, C, h, w] channels-last, a view; h and w of `like`."""
    return tokens.view(len(like), *like.shape[2:], -1).permute(0, 3, 1, 2)
