"""Small data sets of simulated hands, for the tests of bone age training."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from cxrkit.phantoms import random_hand, simulate_hand
from cxrkit.pixels import Gray, resize
from cxrkit.tasks.bone_age import BONE_AGE
from train.bone_age.images import Material
from train.bone_age.parts import Parts
from train.bone_age.sources import Hand, HandSet, read_hands

SIZE = 96
"""The smallest side, in steps of 32, of which block 4 leaves anything."""

TASK = replace(BONE_AGE, input_size=SIZE, least_size=SIZE)


@cache
def simulated(seed: int) -> tuple[Gray, float, str]:
    """Image, age in months, sex."""
    settings = random_hand(seed, 128)
    return simulate_hand(settings).values, settings.age_months, "F" if settings.sex == "female" else "M"


def write_image(path: Path, image: Gray) -> None:
    """An image in [0, 1] as an 8-bit file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), (image * 255 + 0.5).astype(np.uint8))


def write_hands(root: Path, splits: Sequence[str], large: int = 3) -> Path:
    """labels.csv with one hand for each given split name; every `large`-th of them also as a larger image."""
    lines = ["id,age_months,sex,file_100,file_512,split"]
    for number, split in enumerate(splits):
        image, months, sex = simulated(number)
        write_image(root / f"images100/{number}.png", resize(image, 64, 64))
        larger = f"images512/{number}.png" if number % large == 0 else ""
        if larger:
            write_image(root / larger, image)
        lines.append(f"{number},{months:g},{sex},images100/{number}.png,{larger},{split}")
    (root / "labels.csv").write_text("\n".join(lines) + "\n")
    return root


def small_material(root: Path, training: int = 16, choice: int = 6, interval: int = 12, reporting: int = 8) -> Material:
    """A set whose parts have so many hands, which no small set would be divided into."""
    counts = (training, choice, interval, reporting)
    hands = read_hands(write_hands(root / "hands", ["train"] * sum(counts)))
    ends = np.cumsum((0, *counts)).tolist()
    parts = [hands.hands[start:stop] for start, stop in pairwise(ends)]
    return Material(HandSet("hands", hands.root, hands.hands), Parts(*parts, left_out=()), TASK, root / "cache")


def hand(identity: str, months: float = 90, sex: str = "F", **given: object) -> Hand:
    """One with a small image only."""
    fields = {"small": f"{identity}.png", "large": None, "patient": identity, "reports": None} | given
    return Hand(identity=identity, months=months, sex=sex, **fields)  # type: ignore[arg-type]
