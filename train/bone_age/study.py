"""Studies of methods section 3: parts left out, other networks, transfer with blocks frozen."""

from dataclasses import dataclass, replace

from train import studies
from train.bone_age.fit import Settings
from train.bone_age.losses import LossSettings
from train.bone_age.networks import NetworkSettings
from train.studies import FROM_IMAGENET, Budget, Study

WHOLE = "TJ-Net"
WITHOUT_CBAM, WITHOUT_SEX = "without CBAM", "without sex loss and sex head"

NETWORKS = {"VGG-16": "vgg16_bn", "ResNet-50": "resnet50", "Inception-v4": "inception_v4", "ResNet-18": "resnet18"}
"""The source's comparison set by timm's names, and the plain baseline. **Choice**: VGG-16 with batch norm, because
without it and from scratch it hardly starts to learn."""

BLOCKS = 4

_SMALL_IMAGES, _LARGE_IMAGES = (0.0,), (1.0,)


Scale = studies.Scale[Settings]


def scale_of(budget: Budget, images: int) -> Scale:
    """The source's settings, medium ones, or small ones.

    The source's: Adam 1e-3, batch 16, cross-entropies of sex and age alone, none of the options that are ours
    (augmentation, soft labels, expectation, averaged weights). **Choices**: 512 px, because `prepare` gives multiples
    of 32 and the source has 500; 50 epochs on one cycle, as it gives neither, with gradients clipped at 1; three
    repeats; batch norm's statistics measured anew before an epoch is judged, which takes nothing from any cell.

    Args:
        budget: which.
        images: that there are to learn from.
    """
    source = Settings(
        loss=LossSettings(),
        stages=((512, 50, images),),
        early_epochs=0,
        large=(0.1,),
        strength=None,
        batch=16,
        learning_rate=1e-3,
        weight_decay=0.0,
        ema_decay=0.0,
    )
    if budget is Budget.FULL:
        return Scale(source, repeats=3)
    if budget is Budget.MEDIUM:
        return Scale(replace(source, stages=((192, 12, images),), batch=128, learning_rate=2e-3, workers=3), repeats=2)
    return Scale(replace(source, stages=((192, 4, min(images, 4000)),)), repeats=1)


@dataclass(frozen=True)
class Cell:
    """One network of a study.

    Attributes:
        name: in the table.
        settings: of its training.
        source: settings of the network that it starts from; None = from scratch.
    """

    name: str
    settings: Settings
    source: Settings | None = None


def ablation(scale: Scale) -> Study[Cell]:
    """Without shortcuts, without CBAM, without the sex loss; the last one leaves the sex head out with it."""
    whole = scale.settings

    def of(network: NetworkSettings) -> Settings:
        return replace(whole, network=network)

    no_sex = replace(of(NetworkSettings(sex_head=False)), loss=replace(whole.loss, sex=0.0))
    return Study(
        "Parts of TJ-Net",
        WHOLE,
        (
            Cell(WHOLE, whole),
            Cell("without shortcuts", of(NetworkSettings(shortcuts=False))),
            Cell(WITHOUT_CBAM, of(NetworkSettings(cbam=False))),
            Cell(WITHOUT_SEX, no_sex),
        ),
    )


def comparison(scale: Scale, *, pretrained: bool = False) -> Study[Cell]:
    """Other networks under the same heads, with the same data and schedule.

    Args:
        scale: of the study.
        pretrained: start the others from timm's ImageNet weights; of TJ-Net there are none.
    """
    suffix = FROM_IMAGENET if pretrained else ""
    others = [
        Cell(f"{name}{suffix}", replace(scale.settings, network=NetworkSettings(timm, pretrained=pretrained)))
        for name, timm in NETWORKS.items()
    ]
    return Study("TJ-Net and other networks", WHOLE, (Cell(WHOLE, scale.settings), *others))


def transfer(scale: Scale) -> Study[Cell]:
    """From the 100-pixel images to the larger ones: from scratch, and with blocks 1 to n of the first network frozen.

    **Choice**: the source transfers from another data set; here the many small images are the first task and the
    few larger ones the second.
    """
    source = replace(scale.settings, large=_SMALL_IMAGES)
    second = replace(scale.settings, large=_LARGE_IMAGES)
    frozen = [
        Cell(
            f"blocks 1 to {count} frozen" if count else "all learn on",
            replace(second, network=NetworkSettings(frozen=count)),
            source,
        )
        for count in range(BLOCKS + 1)
    ]
    scratch = "from scratch, larger images alone"
    return Study(
        "Transfer to larger images",
        scratch,
        (Cell(scratch, second), Cell("100-pixel images alone", source), *frozen),
    )
