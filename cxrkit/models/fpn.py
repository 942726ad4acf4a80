"""Encoder with a feature pyramid and a linear head (tuberculosis screening, methods section 2)."""

from collections import OrderedDict

import timm
import torch
from torch import Tensor, nn
from torchvision.ops import FeaturePyramidNetwork


class FpnClassifier(nn.Module):
    """Any timm encoder, its four last stages joined top-down, pooled and classified by one linear layer.

    Every pyramid level is enlarged bilinearly to the finest one before pooling. With whole-numbered factors this leaves
    each level's mean unchanged, so the logits are those of pooling every level by itself, and the class-activation
    map over `features` is exactly the sum of the levels' maps.

    Args:
        encoder: timm name, such as "resnet50" or "efficientnet_b0".
        channels: width of the pyramid.
        outputs: number of logits.
        pretrained: let timm download ImageNet weights (needs a network connection).
    """

    def __init__(self, encoder: str, channels: int, outputs: int, *, pretrained: bool = False) -> None:
        super().__init__()
        self.encoder = timm.create_model(
            encoder, in_chans=1, features_only=True, out_indices=(1, 2, 3, 4), pretrained=pretrained
        )
        widths: list[int] = self.encoder.feature_info.channels()  # type: ignore[operator, union-attr]
        self.pyramid = FeaturePyramidNetwork(widths, channels)
        self.classify = nn.Linear(channels * len(widths), outputs)

    def features(self, x: Tensor) -> Tensor:
        """[N, 1, S, S] normalised, S a multiple of 32 -> [N, 4 * channels, S / 4, S / 4]."""
        stages = OrderedDict((str(i), stage) for i, stage in enumerate(self.encoder(x)))
        levels = list(self.pyramid(stages).values())
        size = levels[0].shape[-2:]
        enlarged = [
            nn.functional.interpolate(level, size=size, mode="bilinear", align_corners=False) for level in levels
        ]
        return torch.cat(enlarged, dim=1)

    def head(self, maps: Tensor) -> Tensor:
        """[N, 4 * channels, h, w] -> logits [N, outputs]."""
        logits: Tensor = self.classify(maps.mean(dim=(2, 3)))
        return logits

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))
