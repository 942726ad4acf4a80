"""Studies of methods section 4: the four networks as published, and what a network rests on."""

from dataclasses import dataclass, replace

from train import studies
from train.studies import Budget, Study
from train.vq.fit import Settings
from train.vq.networks import NETWORKS
from train.vq.scans import Recipe

SOURCE_TRAINING = Recipe("the source's numbers", 354, 96, seed=1_000_000)
SOURCE_CHOICE = Recipe("the source's validation part", 20, 20, seed=2_000_000)
SOURCE_TEST = Recipe("the source's test part", 20, 20, seed=3_000_000)
"""354, 20 and 20 perfusion scans, 96, 20 and 20 ventilation scans; here each of a patient of its own."""

WITHOUT_NECKS = ", everything above the lungs emptied"

TESTS = (
    SOURCE_TEST,
    Recipe("more scans of the same kind", 150, 150, seed=4_000_000),
    Recipe("lungs of the other outlines", 150, 150, seed=5_000_000, outlines="superellipse"),
    Recipe("neck, stomach, counts and sharpness equally frequent in both types", 150, 150, 6_000_000, "mixed"),
    Recipe("neck, stomach, counts and sharpness the other way round", 150, 150, 7_000_000, "reversed"),
    Recipe("the other way round, other outlines", 150, 150, 8_000_000, "reversed", "superellipse"),
)
"""What every network of a study is measured on. None of it trains or chooses."""

NECKS, NO_NECKS, MIXED_SHORTCUTS, BOTH_OUTLINES = (
    "as simulated",
    "necks emptied in training",
    "shortcuts mixed in training",
    "shortcuts mixed, both outlines, some necks emptied",
)


@dataclass(frozen=True)
class Cell:
    """One network of a study.

    Attributes:
        name: in the table.
        settings: of its training.
    """

    name: str
    settings: Settings


Scale = studies.Scale[Settings]


def scale_of(budget: Budget, *, pretrained: bool = False) -> Scale:
    """The source's 100 epochs and five repeats at 224 px; 40 and three at 160 px; or 8 and two at 96 px.

    **Choices**: one-cycle AdamW with a peak of 3e-4 and a decay of 0.05, batch 32, gradients clipped at 1, labels
    smoothed by 0.02, weights averaged over some hundred steps, and the changes of `augment`, because the source says no
    more than that size, shape and intensity vary; from scratch, where the source starts from ImageNet (--pretrained).
    """
    source = Settings(
        "resnet18",
        (SOURCE_TRAINING,),
        (SOURCE_CHOICE,),
        size=224,
        epochs=100,
        learning_rate=3e-4,
        pretrained=pretrained,
    )
    if budget is Budget.FULL:
        return Scale(source, repeats=5)
    if budget is Budget.MEDIUM:
        return Scale(replace(source, size=160, epochs=40), repeats=3)
    return Scale(replace(source, size=96, epochs=8), repeats=2)


def published(scale: Scale) -> Study[Cell]:
    """The source's table: four networks with its numbers of scans."""
    cells = [Cell(name, replace(scale.settings, network=timm)) for name, timm in NETWORKS.items()]
    return Study("Four networks", "ResNet-18", tuple(cells))


def shortcuts(scale: Scale) -> Study[Cell]:
    """One network, taught with and without what only often goes with a type; each is asked about all of TESTS.

    The scans differ from cell to cell in what they show, not in their number or their patients' seeds.
    """
    plain = scale.settings
    (usual,) = plain.learned
    mixed = replace(usual, population="mixed")
    halves = tuple(
        replace(mixed, perfusion=usual.perfusion // 2, ventilation=usual.ventilation // 2, outlines=outlines)
        for outlines in ("table", "superellipse")
    )
    return Study(
        "What a network rests on",
        NECKS,
        (
            Cell(NECKS, plain),
            Cell(NO_NECKS, replace(plain, necks_hidden=1.0)),
            Cell(MIXED_SHORTCUTS, replace(plain, learned=(mixed,))),
            Cell(BOTH_OUTLINES, replace(plain, learned=halves, necks_hidden=0.3)),
        ),
    )
