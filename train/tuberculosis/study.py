"""The study of methods section 2: two networks x {none, erase, erase + augment, erase + augment + flip}.

**Choice**: RandAugment without inversion; `train.augment.published` says why. Asked for, cells with it are added.
"""

from dataclasses import dataclass, replace
from itertools import product

from train import studies
from train.studies import Budget, Study
from train.tuberculosis.fit import Settings

ENCODERS = ("resnet50", "efficientnet_b0")
PREPROCESSINGS: tuple[tuple[str, ...], ...] = (
    (),
    ("erase",),
    ("erase", "augment"),
    ("erase", "augment", "flip"),
)
INVERTED = tuple((*preprocessing, "invert") for preprocessing in PREPROCESSINGS if "augment" in preprocessing)
"""The same where RandAugment may invert, as the source's list has it."""

TITLE = "Two networks and four preprocessings"


@dataclass(frozen=True)
class Cell:
    """One network of the study.

    Attributes:
        settings: of its training.
    """

    settings: Settings

    @property
    def preprocessing(self) -> str:
        """As the table gives it."""
        return " + ".join(self.settings.augmentation) or "none"

    @property
    def name(self) -> str:
        """Of both columns that the table has for it."""
        return f"{self.settings.encoder}, {self.preprocessing}"


Scale = studies.Scale[Settings]


def scale_of(budget: Budget, images: int, *, pretrained: bool = False) -> Scale:
    """The source's settings (512 px, 10 epochs of as many draws as there are images, batch 32, 256 channels), or less.

    **Choices**: half of the draws, which are with replacement, are of tuberculosis, and families are drawn evenly
    within a class, because most of our images are normal and a network that calls everything so would be right in most
    draws; one cycle with averaged weights and gradients clipped at 1, labels smoothed by 0.05; one training of each
    cell, as the source names no more.

    Args:
        budget: how large the study is.
        images: that are trained on.
        pretrained: start the encoders from timm's ImageNet weights.
    """
    source = Settings(
        channels=256,
        size=512,
        epochs=10,
        early_epochs=0,
        images_per_epoch=images,
        negatives=0.5,
        lesions=0.0,
        pretrained=pretrained,
    )
    if budget is Budget.FULL:
        return Scale(source, repeats=1)
    if budget is Budget.MEDIUM:
        return Scale(replace(source, size=224), repeats=1)
    return Scale(replace(source, channels=64, size=96, epochs=5, images_per_epoch=640), repeats=1)


def published(scale: Scale, *, invert: bool = False) -> Study[Cell]:
    """The source's table; `invert` adds the cells in which RandAugment may invert."""
    preprocessings = PREPROCESSINGS + (INVERTED if invert else ())
    cells = tuple(
        Cell(replace(scale.settings, encoder=encoder, augmentation=preprocessing))
        for encoder, preprocessing in product(ENCODERS, preprocessings)
    )
    return Study(TITLE, cells[0].name, cells)
