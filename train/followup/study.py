"""Studies of methods section 1: comparison set, ablation, weights of the losses, and where training starts from."""

from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from cxrkit.errors import InputError
from train.followup.fit import Settings
from train.followup.losses import Lambdas
from train.followup.moco import MocoSettings
from train.studies import FROM_IMAGENET, Budget, Study

ENCODERS = {
    "Inception-v3": "inception_v3",
    "ResNet-50": "resnet50",
    "DenseNet-121": "densenet121",
    "EfficientNet-b3": "efficientnet_b3",
    "EfficientNetV2-S": "tf_efficientnetv2_s",
    "ConvNeXt-T": "convnext_tiny",
    "MLP-Mixer": "mixer_b16_224",
    "Swin v2-T": "swinv2_tiny_window8_256",
    "ViT-B": "vit_base_patch16_224",
    "ResMLP": "resmlp_12_224",
    "CoaT": "coat_lite_small",
}
"""The source's comparison set by timm's names. **Choice** where it names no size: base with
patches of 16, 12 layers, lite small."""

BOTH = "CMT-Ti + AMM + disease head"
DISEASE, MATCHING = (0.0, 0.1, 1.0), (0.0, 0.01, 0.1, 1.0)


@dataclass(frozen=True)
class Scale:
    """A budget's settings.

    Attributes:
        settings: of training, which every cell starts from.
        contrastive: of MoCo v2 before it.
        repeats: with other seeds.
        each: made pairs with change of every lesion and contrast that report.
    """

    settings: Settings
    contrastive: MocoSettings
    repeats: int
    each: int


def scale_of(budget: Budget) -> Scale:
    """The source's settings, medium ones, or small ones.

    The source's: 512 px, batch 14, and its 1e-5 raised to the 6e-5 that a start from scratch needs; without the
    direction, the difference and the lesions, which are ours. **Choices**: 50 epochs of 4,000 pairs and three repeats,
    as it gives none; one cycle with averaged weights and clipped gradients in place of its decay in steps. The views
    that pairs are made of are 320 px wide, so 512 px enlarges them. Both images of a real pair move alike at the
    source's budget alone.
    """
    source = Settings(
        alike=True,
        direction=False,
        difference=False,
        lesions=False,
        lambdas=Lambdas(lesions=0.0),
        smoothing=0.0,
        learning_rate=6e-5,
        stages=((512, 50, 4000),),
    )
    if budget is Budget.FULL:
        return Scale(source, MocoSettings(size=512), repeats=3, each=30)
    if budget is Budget.MEDIUM:
        # The lesions' loss, which is ours, shows the encoder what to see: at the small budget no cell learned anything.
        medium = replace(
            source,
            alike=False,
            lambdas=Lambdas(),
            stages=((160, 4, 10000), (160, 4, 10000)),
            batch=112,
            learning_rate=8e-4,
            judged=100,
            workers=3,
        )
        contrastive = MocoSettings(size=160, queue=2048, momentum=0.99, epochs=20, batch=128, parts=4, workers=3)
        return Scale(medium, contrastive, repeats=1, each=30)
    small = replace(source, alike=False, stages=((128, 6, 700),), learning_rate=3e-4, judged=100, simulated=120)
    # In some hundred steps a momentum of 0.999 would leave the key encoder where it started.
    contrastive = MocoSettings(size=128, queue=4096, momentum=0.99, epochs=5, batch=64, parts=4)
    return Scale(small, contrastive, repeats=1, each=12)


@dataclass(frozen=True)
class Cell:
    """One network of a study.

    Attributes:
        name: in the table.
        settings: of its training.
        contrastive: MoCo v2 before that; None = no.
    """

    name: str
    settings: Settings
    contrastive: MocoSettings | None = None


def comparison(scale: Scale, *, pretrained: bool = False) -> Study[Cell]:
    """Every encoder in the same Siamese classifier with disease head; matching needs the CMT family.

    Args:
        scale: of the study.
        pretrained: start the encoders of timm from its ImageNet weights; of CMT there are none.
    """
    plain = replace(scale.settings, matching="none")
    suffix = FROM_IMAGENET if pretrained else ""
    others = [
        Cell(f"{name}{suffix}", replace(plain, encoder=encoder, pretrained=pretrained))
        for name, encoder in ENCODERS.items()
    ]
    resnet = replace(plain, encoder="resnet50")
    return Study(
        "Comparison of encoders",
        BOTH,
        (
            Cell(BOTH, scale.settings),
            Cell("CMT-Ti + disease head", plain),
            *others,
            Cell("ResNet-50 after MoCo v2", resnet, replace(scale.contrastive, encoder="resnet50")),
        ),
    )


def ablation(scale: Scale) -> Study[Cell]:
    """CMT alone, with disease head, with AMM, with both; and the ACM in the place of the AMM."""
    both = scale.settings
    return Study(
        "Ablation",
        BOTH,
        (
            Cell(BOTH, both),
            Cell("CMT-Ti", replace(both, matching="none", disease=False)),
            Cell("CMT-Ti + disease head", replace(both, matching="none")),
            Cell("CMT-Ti + AMM", replace(both, disease=False)),
            Cell("CMT-Ti + ACM (difference) + disease head", replace(both, matching="difference")),
        ),
    )


def loss_weights(scale: Scale) -> Study[Cell]:
    """A grid round the source's 0.1 and 0.01."""
    names = {
        (disease, matching): f"disease {disease:g}, matching {matching:g}"
        for disease in DISEASE
        for matching in MATCHING
    }
    source = scale.settings.lambdas
    cells = [
        Cell(names[pair], replace(scale.settings, lambdas=replace(source, disease=pair[0], matching=pair[1])))
        for pair in product(DISEASE, MATCHING)
    ]
    return Study("Weights of the losses", names[Lambdas.disease, Lambdas.matching], tuple(cells))


def starts(scale: Scale, supervised: Path) -> Study[Cell]:
    """From scratch, after supervised training on single radiographs, after MoCo v2.

    Args:
        scale: of the study.
        supervised: safetensors file of `pretrain`.

    Raises:
        InputError: there is no such file.
    """
    if not supervised.is_file():
        raise InputError(
            "The file of the supervised start does not exist. Make it with python -m train.followup pretrain."
        )
    # A transformer does not learn with the source's plain gradient descent (Chen et al. 2021).
    contrastive = replace(
        scale.contrastive, encoder=scale.settings.encoder, optimiser="adamw", learning_rate=3e-4, weight_decay=0.05
    )
    return Study(
        "Where training starts from",
        "from scratch",
        (
            Cell("from scratch", scale.settings),
            Cell("supervised start", replace(scale.settings, init=supervised)),
            Cell("MoCo v2", scale.settings, contrastive),
        ),
    )
