"""The networks of the studies: TJ-Net with parts left out or frozen, and timm's encoders under the same head."""

from dataclasses import dataclass
from typing import Any

import timm
import torch
from torch import Tensor

from cxrkit.models.tjnet import HandNetwork, TjNet

TJNET = "tjnet"


@dataclass(frozen=True)
class NetworkSettings:
    """Which network.

    Attributes:
        name: "tjnet", or timm's name of an encoder.
        cbam, shortcuts, inception: of TJ-Net; False leaves the part out.
        sex_head: whether the sex is read off the image.
        frozen: blocks 1 to this one of TJ-Net do not learn.
        pretrained: let timm download ImageNet weights; not of TJ-Net, of which there are none.
    """

    name: str = TJNET
    cbam: bool = True
    shortcuts: bool = True
    inception: bool = True
    sex_head: bool = True
    frozen: int = 0
    pretrained: bool = False

    def of_card(self) -> dict[str, Any]:
        """What the task's build_model needs of a TJ-Net."""
        return {name: getattr(self, name) for name in ("cbam", "shortcuts", "inception", "sex_head")}


def build(settings: NetworkSettings) -> HandNetwork:
    """A network (image [N, 1, S, S], sex [N]) -> logits [N, 79], or [N, 77] without sex head."""
    if settings.name == TJNET:
        return FrozenTjNet(settings)
    return Compared(settings)


class FrozenTjNet(TjNet):
    """TJ-Net whose first blocks do not learn, statistics of batch norm included; equal to TjNet in its weights."""

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__(**settings.of_card())
        self.frozen = settings.frozen
        for block in list(self.blocks)[: self.frozen]:
            block.requires_grad_(False)

    def train(self, mode: bool = True) -> "FrozenTjNet":
        super().train(mode)
        for block in list(self.blocks)[: self.frozen]:
            block.eval()
        return self


class Compared(HandNetwork):
    """A timm encoder under TJ-Net's heads."""

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        # Maps alone: VGG-16 has 120 million parameters of its own head, which this one replaces.
        self.encoder = timm.create_model(
            settings.name, pretrained=settings.pretrained, in_chans=1, features_only=True, out_indices=(-1,)
        )
        self._add_heads(self.encoder.feature_info.channels()[-1], sex_head=settings.sex_head)  # type: ignore[operator,union-attr]

    def features(self, x: Tensor) -> Tensor:
        (maps,) = self.encoder(x)
        return torch.as_tensor(maps)
