"""The study of methods section 5: EfficientNet-b4, SS-GAN + EfficientNet-b4, ViT, SS-GAN + ViT, on the same split."""

from dataclasses import dataclass, replace
from pathlib import Path

from train import studies
from train.nih14.fit import Settings
from train.nih14.gan import TRUNK
from train.nih14.losses import Reading
from train.nih14.pretrain import VIT as VIT_FILE
from train.studies import Budget, Study

VIT, BOTH = "ViT", "SS-GAN + ViT"
EFFICIENTNET = "EfficientNet-b4"
SELF_TAUGHT = "ViT after self-supervision"

SOURCE_EPOCHS = 50

EFFICIENTNET_SIZE = 128
"""Side in pixels with smaller budgets: convolutions of this kind are slow without a GPU."""


@dataclass(frozen=True)
class Starts:
    """What the cells with self-supervised parts start from.

    Attributes:
        gan: folder of the GAN's run.
        pretrained: folder of the self-supervision's run; None = the discriminator's trunk as the GAN left it, and the
            transformer from scratch.
    """

    gan: Path
    pretrained: Path | None = None


@dataclass(frozen=True)
class Cell:
    """One network of the study.

    Attributes:
        name: in the table.
        settings: of its training.
    """

    name: str
    settings: Settings


Scale = studies.Scale[Settings]


def scale_of(
    budget: Budget,
    starts: Starts,
    trunk_size: int,
    reading: Reading = Reading.SIGMOID,
    *,
    pretrained: bool = False,
) -> Scale:
    """The source's 50 epochs with ViT-B/16 and three repeats, 24 with ViT-S/16 and two, or 12 with ViT-Ti/16 and one.

    **Choices**: of the sizes, ViT-B/16, which the source's "ViT" stands for here, and the trunk's 128 px; AdamW with a
    decay of 0.05, weights averaged with 0.99 and gradients clipped at 1, of which the source says nothing. The GAN is
    the one that was trained (64 px unless asked otherwise), and self-supervision has to be of the budget's encoder: the
    full one needs `pretrain --encoder vit_base_patch16_224`, the medium one vit_small_patch16_224. Of the medium and
    small budgets: three and ten times the source's learning rate, because networks this small start from scratch;
    EfficientNet-b4 reads 128 px.

    Args:
        budget: which.
        starts: what the cells with self-supervised parts start from.
        trunk_size: side of what the trunk reads, as in self-supervision.
        reading: of the outputs.
        pretrained: start the encoders from timm's ImageNet weights, those that start from nothing else.
    """
    taught = starts.pretrained
    source = Settings(
        network={"encoder": "vit_base_patch16_224", "fusion": "concat", "trunk_size": trunk_size},
        gan=starts.gan,
        trunk=None if taught is None else taught / TRUNK,
        vit=None if taught is None else taught / VIT_FILE,
        reading=reading,
        pretrained=pretrained,
    )
    if budget is Budget.FULL:
        return Scale(source, repeats=3)
    if budget is Budget.MEDIUM:
        medium = {**source.network, "encoder": "vit_small_patch16_224"}
        return Scale(replace(source, network=medium, epochs=24, learning_rate=1e-4), repeats=2)
    small = {**source.network, "encoder": "vit_tiny_patch16_224"}
    return Scale(replace(source, network=small, epochs=12, learning_rate=3e-4), repeats=1)


def four_models(scale: Scale, *, by_image: bool = False) -> Study[Cell]:
    """The source's four networks; and the ViT after its own self-supervision, which tells that from the GAN's part.

    Networks without a trunk have no adversarial loss.

    Args:
        scale: of the study.
        by_image: whether the images are divided one by one; such a table stands beside that by patient.
    """
    both = scale.settings
    alone = replace(both, network={**both.network, "fusion": "none"}, gan=None, trunk=None)
    size = EFFICIENTNET_SIZE if both.epochs < SOURCE_EPOCHS else both.size
    efficient = {
        one: replace(settings, network={**settings.network, "encoder": "efficientnet_b4"}, size=size, vit=None)
        for one, settings in ((EFFICIENTNET, alone), (f"SS-GAN + {EFFICIENTNET}", both))
    }
    cells = {**efficient, VIT: replace(alone, vit=None), SELF_TAUGHT: alone, BOTH: both}
    if both.vit is None:
        del cells[SELF_TAUGHT]
    softmax = ", outputs read as one whole" if both.reading is Reading.SOFTMAX else ""
    title = f"Four models{', image by image: patients leak' if by_image else ''}{softmax}"
    return Study(title, VIT, tuple(Cell(name, settings) for name, settings in cells.items()))
