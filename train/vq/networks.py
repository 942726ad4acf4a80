"""The four networks of methods section 4, by their names in timm."""

from torch import nn

from cxrkit.tasks.vq import VQ

NETWORKS = {
    "VGG-16": "vgg16_bn",
    "ResNet-18": "resnet18",
    "Inception-ResNet-v2": "inception_resnet_v2",
    "SE-ResNeXt-101": "seresnext101_32x4d",
}
"""In the order of the source's table. **Choices**: VGG-16 with batch norm, because the plain one does not learn from
scratch in so few steps, and without its two wide fully connected layers, which hold most of its weights and come after
the maps that heatmaps are read from."""


def build(name: str, size: int, *, pretrained: bool = False) -> nn.Module:
    """The network as the app builds it; for training from timm's ImageNet weights, which timm downloads, if asked."""
    return VQ.build_model({"encoder": name, "image_size": size, "pretrained": pretrained})
