"""Any timm encoder as a network that gives maps [N, C, h, w], whatever it gives by itself."""

from math import isqrt
from typing import Any

import timm
from torch import Tensor, nn


class TimmMaps(nn.Module):
    """A timm encoder for square images of one channel.

    Convolutional encoders give maps as they are. Of transformers and MLPs the tokens are laid out as the image is, and
    class tokens are left out, because the class-activation maps and the mean over positions need positions.

    Args:
        name: of the encoder in timm, such as "resnet50", "swinv2_tiny_window8_256" or "vit_base_patch16_224".
        image_size: side of the input in pixels; some encoders are built for one size.
        pretrained: let timm download ImageNet weights.
    """

    def __init__(self, name: str, image_size: int, *, pretrained: bool = False) -> None:
        super().__init__()
        known = timm.get_pretrained_cfg(name)
        options: dict[str, Any] = {"img_size": image_size} if known is not None and known.fixed_input_size else {}
        if name.startswith("swinv2_") and not name.startswith("swinv2_cr_"):
            # Windows have to divide every stage's grid; the last one's side is a 32nd of the image's.
            options["window_size"] = image_size // 32
        # These two have no way to switch their pooling off, which comes after forward_features.
        self.pools = name.startswith("coat_") or "_distilled_" in name
        if not self.pools:
            options["global_pool"] = ""
        self.network = timm.create_model(name, pretrained=pretrained, in_chans=1, num_classes=0, **options)
        if name.startswith("vgg"):
            # Its fully connected layers are no part of the encoder, and most of its weights.
            self.network.pre_logits = nn.Identity()
        self.channels: int = self.network.num_features  # type: ignore[assignment]
        self.channels_last = getattr(self.network, "output_fmt", "NCHW") == "NHWC"

    def forward(self, x: Tensor) -> Tensor:
        """[N, 1, S, S] -> [N, C, h, w].

        Raises:
            ValueError: the encoder gives neither maps nor tokens.
        """
        out = self.network.forward_features(x) if self.pools else self.network(x)  # type: ignore[operator]
        if isinstance(out, list):  # CoaT with parallel blocks gives three scales, the coarsest last
            out = out[-1]
        if out.ndim == 3:
            return tokens_as_maps(out)
        if out.ndim != 4:
            raise ValueError(f"the encoder gives an output of shape {tuple(out.shape)} instead of maps or tokens")
        maps: Tensor = out.permute(0, 3, 1, 2).contiguous() if self.channels_last else out
        return maps


def tokens_as_maps(tokens: Tensor) -> Tensor:
    """Tokens [N, prefix + h * h, C] of a square image -> [N, C, h, h].

    Class and register tokens come first. They are fewer than 2 h + 1, so h is the root of the number of all tokens.
    """
    side = isqrt(tokens.shape[1])
    of_positions = tokens[:, tokens.shape[1] - side**2 :].transpose(1, 2)
    return of_positions.reshape(len(tokens), -1, side, side)
