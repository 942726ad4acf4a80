"""Sample cases: simulated radiographs for the pages and the tests."""

from dataclasses import dataclass

from cxrkit.phantoms.settings import ChestSettings, Lesion


@dataclass(frozen=True)
class SampleCase:
    """A simulated case with a name for programs and a title for people."""

    name: str
    title: str
    settings: ChestSettings


SAMPLES: tuple[SampleCase, ...] = (
    SampleCase("normal_man", "Normal chest, man", ChestSettings(1, "male", "average", 0.95)),
    SampleCase("normal_woman", "Normal chest, woman", ChestSettings(2, "female", "average", 0.9)),
    SampleCase(
        "cavity",
        "Cavity, right upper zone",
        ChestSettings(3, "male", "slender", 0.9, (Lesion("cavity", "right", "upper"),)),
    ),
    SampleCase(
        "nodule",
        "Nodule, left middle zone",
        ChestSettings(4, "female", "slender", 0.9, (Lesion("nodule", "left", "middle", size=1.4),)),
    ),
    SampleCase(
        "consolidation",
        "Consolidation, right lower zone",
        ChestSettings(5, "male", "average", 0.75, (Lesion("consolidation", "right", "lower"),)),
    ),
    SampleCase(
        "effusion",
        "Pleural effusion, left",
        ChestSettings(6, "female", "average", 0.7, (Lesion("effusion", "left", "lower"),)),
    ),
    SampleCase(
        "pneumothorax",
        "Pneumothorax, right",
        ChestSettings(7, "male", "slender", 0.9, (Lesion("pneumothorax", "right", "upper"),)),
    ),
    SampleCase(
        "atelectasis",
        "Atelectasis of the right upper lobe",
        ChestSettings(8, "male", "average", 0.8, (Lesion("atelectasis", "right", "upper"),)),
    ),
    SampleCase(
        "enlarged_heart",
        "Enlarged heart, bedside AP view",
        ChestSettings(9, "female", "large", 0.6, (Lesion("enlarged heart"),), view="AP"),
    ),
    SampleCase("lateral", "Normal chest, lateral view", ChestSettings(10, "male", "average", 0.9, view="lateral")),
)
