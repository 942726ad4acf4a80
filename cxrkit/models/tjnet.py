"""TJ-Net: bone age and sex from a hand radiograph, the age with the given sex in hand (methods section 3).

**Choices**: the layer table leaves these open, and its count of 5.51 M parameters fits them.

- Every convolution is convolution without bias, batch norm, ReLU: so are the Inception networks that it is made of.
- The 1x1 after the branches of an IncRes block and its shortcut have batch norm each, and one ReLU after their sum:
  so both parts have one scale, as in a ResNet.
- CBAM is timm's: shared MLP C to C / 16 (its authors' reduction) to C without bias, batch norm behind the 7x7.
- The sex enters as one of two inputs (1, 0) or (0, 1), so that neither sex is the absence of the other.
- Dense layers have biases, and ReLU where another one follows: plain practice.
"""

import torch
from timm.layers.cbam import CbamModule
from torch import Tensor, nn
from torchvision.ops import Conv2dNormActivation

AGES, SEXES = 77, 2
AGE, SEX = slice(0, AGES), slice(AGES, AGES + SEXES)
"""Where the logits lie: age classes, class k = 3k months; then the sexes, in the order in which they are given."""

CHANNELS = 1024
"""Width of block 4, and of Inception2."""

Kernel = tuple[int, int]
_SQUARE: Kernel = (1, 1)


class Branches(nn.Module):
    """Branches of convolutions side by side, joined along the channels: [N, C, h, w] -> [N, width, h, w].

    Args:
        channels: C.
        branches: of each branch the (kernel, filters) of its convolutions, in order; all keep the maps' size.

    Attributes:
        width: sum of the branches' last filters.
    """

    def __init__(self, channels: int, branches: tuple[tuple[tuple[Kernel, int], ...], ...]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(_chain(channels, branch) for branch in branches)
        self.width = sum(branch[-1][1] for branch in branches)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches], dim=1)


def _chain(channels: int, layers: tuple[tuple[Kernel, int], ...]) -> nn.Sequential:
    inputs = (channels, *(filters for _, filters in layers))
    return nn.Sequential(
        *(
            Conv2dNormActivation(before, filters, kernel_size=kernel)
            for before, (kernel, filters) in zip(inputs, layers, strict=False)
        )
    )


class IncRes(nn.Module):
    """Branches, a 1x1 convolution to `filters`, and the input added through a projection; then ReLU and max pool 3/2.

    Args:
        branches: whose input is the block's input.
        channels, filters: of the block's input and output.
        shortcut: whether the input is added.
    """

    def __init__(self, branches: Branches, channels: int, filters: int, *, shortcut: bool) -> None:
        super().__init__()
        self.branches = branches
        self.join = Conv2dNormActivation(branches.width, filters, kernel_size=1, activation_layer=None)
        self.shortcut = (
            Conv2dNormActivation(channels, filters, kernel_size=1, activation_layer=None) if shortcut else None
        )
        self.pool = nn.MaxPool2d(3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        joined = self.join(self.branches(x))
        if self.shortcut is not None:
            joined = joined + self.shortcut(x)
        pooled: Tensor = self.pool(joined.relu())
        return pooled


def _valid(before: int, after: int, kernel: int, stride: int = 1) -> nn.Module:
    """A convolution without padding, with batch norm and ReLU."""
    layer: nn.Module = Conv2dNormActivation(before, after, kernel_size=kernel, stride=stride, padding=0)
    return layer


def _blocks(*, cbam: bool, shortcuts: bool) -> nn.Sequential:
    """Blocks 1 to 4 of the layer table."""

    def attention(channels: int) -> list[nn.Module]:
        return [CbamModule(channels)] if cbam else []

    first = [_valid(1, 32, 3, stride=2), _valid(32, 32, 3), Conv2dNormActivation(32, 64, kernel_size=3)]
    second = [_valid(64, 80, 1), _valid(80, 192, 3)]
    one, three = _SQUARE, (3, 3)
    third = Branches(192, (((one, 64),), ((one, 64), (three, 64)), ((one, 64), (three, 96), (three, 96))))
    fourth = Branches(512, (((one, 192),), ((one, 128), (three, 160), (three, 192))))
    return nn.Sequential(
        nn.Sequential(*first, *attention(64), nn.MaxPool2d(3, stride=2)),
        nn.Sequential(*second, *attention(192), nn.MaxPool2d(3, stride=2), *attention(192)),
        IncRes(third, 192, 512, shortcut=shortcuts),
        IncRes(fourth, 512, CHANNELS, shortcut=shortcuts),
    )


def _inceptions() -> nn.Sequential:
    """Inception1 and Inception2 of the layer table."""
    one, across, down = _SQUARE, (1, 3), (3, 1)
    first = Branches(
        CHANNELS,
        (
            ((one, 128),),
            ((one, 128), (across, 128), (down, 128)),
            ((one, 128), ((5, 5), 128)),
            ((one, 128), ((1, 7), 128), ((7, 1), 128)),
        ),
    )
    second = Branches(
        first.width,
        (
            ((one, 256),),
            ((one, 128), ((3, 3), 256)),
            ((one, 128), (across, 128), (down, 256)),
            ((one, 128), ((1, 7), 128), ((7, 1), 256)),
        ),
    )
    return nn.Sequential(first, second)


class HandNetwork(nn.Module):
    """The heads of age and sex over the maps of an encoder, which a subclass brings.

    Attributes:
        sex: the sex as read off the image; None where it is not read.
        enter_sex: the given sex enters through its weight [64, 2].
        age: reads the embedded image and the given sex.
    """

    sex: nn.Sequential | None
    enter_sex: nn.Linear
    age: nn.Sequential

    def _add_heads(self, width: int, *, sex_head: bool) -> None:
        """Over embedded images [N, width]; after the encoder, because optimisers keep their state by that order."""
        self.sex = (
            nn.Sequential(nn.Linear(width, 256), nn.ReLU(inplace=True), nn.Linear(256, SEXES)) if sex_head else None
        )
        self.enter_sex = nn.Linear(SEXES, 64)
        self.age = nn.Sequential(
            nn.Linear(width + 64, 512),
            nn.ReLU(inplace=True),
            nn.Linear(512, 256),
            nn.ReLU(inplace=True),
            nn.Linear(256, AGES),
        )

    def features(self, x: Tensor) -> Tensor:
        """[N, 1, S, S] normalised -> maps [N, C, h, w]."""
        raise NotImplementedError

    def embed(self, maps: Tensor) -> Tensor:
        """Maps [N, C, h, w] -> what both heads read, [N, width]: their mean. No sex has entered yet."""
        return maps.mean(dim=(2, 3))

    def answer(self, embedded: Tensor, sex: Tensor) -> Tensor:
        """Logits of embedded images, so that an unknown sex costs a second answer and not a second head.

        Args:
            embedded: [N, width], from embed.
            sex: [N] int64, 0 or 1.

        Returns:
            [N, 79]: 77 of the age with this sex given, 2 of the sex as read; [N, 77] without sex head.
        """
        given = nn.functional.one_hot(sex, SEXES).to(embedded.dtype)
        age: Tensor = self.age(torch.cat([embedded, self.enter_sex(given).relu()], dim=1))
        return age if self.sex is None else torch.cat([age, self.sex(embedded)], dim=1)

    def head(self, maps: Tensor, sex: Tensor) -> Tensor:
        """Maps [N, C, h, w] and the given sex [N] -> logits, as answer gives them."""
        return self.answer(self.embed(maps), sex)

    def forward(self, x: Tensor, sex: Tensor) -> Tensor:
        return self.head(self.features(x), sex)


class TjNet(HandNetwork):
    """Bone age and sex of one hand; each flag leaves a part out, for the studies.

    Args:
        cbam: the three attention modules of blocks 1 and 2.
        shortcuts: those of blocks 3 and 4.
        inception: Inception1 and Inception2; without them block 4 is pooled.
        sex_head: the sex as read off the image; without it there are no logits of the sex. The given sex still enters.

    Attributes:
        blocks: blocks 1 to 4, in order; a study freezes the first of them.
    """

    def __init__(
        self, *, cbam: bool = True, shortcuts: bool = True, inception: bool = True, sex_head: bool = True
    ) -> None:
        super().__init__()
        self.blocks = _blocks(cbam=cbam, shortcuts=shortcuts)
        self.inceptions = _inceptions() if inception else nn.Identity()
        self._add_heads(CHANNELS, sex_head=sex_head)

    def features(self, x: Tensor) -> Tensor:
        """[N, 1, S, S] normalised -> maps of block 4 [N, 1024, h, h]; h = 14 at 500 px, 6 at 256, 4 at 192.

        Below 192 px the maps shrink to 2 x 2 and less.
        """
        maps: Tensor = self.blocks(x)
        return maps

    def embed(self, maps: Tensor) -> Tensor:
        """Maps of block 4 [N, 1024, h, w] -> [N, 1024], after both Inceptions."""
        return super().embed(self.inceptions(maps))
