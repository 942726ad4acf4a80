"""Any timm encoder, pooled and classified by one linear layer (V/Q scan type, methods section 4)."""

from torch import Tensor, nn

from cxrkit.models.timm_maps import TimmMaps


class PooledClassifier(nn.Module):
    """Encoder, mean over all positions, linear layer: the class-activation map of its last maps is exact.

    Args:
        encoder: timm name, such as "vgg16", "resnet18", "inception_resnet_v2" or "seresnext101_32x4d".
        image_size: side of the input in pixels; only some encoders are built for one size.
        outputs: number of logits.
        pretrained: let timm download ImageNet weights (needs a network connection).
    """

    def __init__(self, encoder: str, image_size: int, outputs: int, *, pretrained: bool = False) -> None:
        super().__init__()
        self.encoder = TimmMaps(encoder, image_size, pretrained=pretrained)
        self.classify = nn.Linear(self.encoder.channels, outputs)

    def features(self, x: Tensor) -> Tensor:
        """[N, 1, S, S] normalised -> [N, C, h, w]; h is about S / 32."""
        maps: Tensor = self.encoder(x)
        return maps

    def head(self, maps: Tensor) -> Tensor:
        """[N, C, h, w] -> logits [N, outputs]."""
        logits: Tensor = self.classify(maps.mean(dim=(2, 3)))
        return logits

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))
