"""Sample hands for the page and the tests, and the neighbouring ages of an atlas strip."""

from dataclasses import dataclass

import numpy as np

from cxrkit.phantoms.hand_growth import OLDEST, YOUNGEST
from cxrkit.phantoms.hand_settings import HandSettings
from cxrkit.phantoms.settings import Sex, check_range

ATLAS_AGES = (3, 6, 9, 12, 15, 18, 24, 30, 36, 42, 48, 54, 60, *range(72, 156, 12), *range(156, 229, 9))
"""Months between which a hand changes enough to be told apart by eye."""


@dataclass(frozen=True)
class HandSample:
    """A simulated hand with a name for programs and a title for people."""

    name: str
    title: str
    settings: HandSettings


HAND_SAMPLES: tuple[HandSample, ...] = (
    HandSample("infant", "Infant boy, 9 months", HandSettings(1, 9, "male")),
    HandSample("girl_5", "Girl, 5 years", HandSettings(2, 60, "female")),
    HandSample("boy_10", "Boy, 10 years", HandSettings(3, 120, "male")),
    HandSample("girl_13", "Girl, 13 years", HandSettings(4, 156, "female")),
    HandSample("boy_16", "Boy, 16 years", HandSettings(5, 192, "male")),
    HandSample("grown", "Grown young man, 19 years", HandSettings(6, 228, "male")),
    HandSample("right_hand", "Girl, 8 years, right hand", HandSettings(7, 96, "female", side="right")),
    HandSample("inverted", "Boy, 7 years, black and white swapped", HandSettings(8, 84, "male", inverted=True)),
    HandSample("turned", "Girl, 11 years, turned by 90 degrees", HandSettings(9, 132, "female", turn=90)),
    HandSample(
        "bright_background", "Boy, 13 years, bright background", HandSettings(10, 156, "male", background="bright")
    ),
    HandSample("low_contrast", "Girl, 3 years, low contrast", HandSettings(11, 36, "female", contrast=0.2)),
)


def atlas(sex: Sex, age_months: float, count: int = 5, size: int = 512, seed: int = 3) -> tuple[HandSettings, ...]:
    """Settings of one child at the atlas ages about an age, youngest first, for a strip to compare with.

    Args:
        sex: of the child.
        age_months: 1 to 240; the nearest atlas age is in the middle of the strip where the atlas has as many on
            either side.
        count: length of the strip, 1 to the number of ATLAS_AGES.

    Raises:
        InputError: a value outside these.
    """
    check_range("skeletal age in months", age_months, YOUNGEST, OLDEST)
    check_range("number of hands", count, 1, len(ATLAS_AGES))
    nearest = int(np.argmin(np.abs(np.array(ATLAS_AGES) - age_months)))
    first = min(max(nearest - count // 2, 0), len(ATLAS_AGES) - count)
    return tuple(
        HandSettings(
            seed, age, sex, size=size, marker=False, tilt=0.0, spread=0.7, brightness=0.0, sharpness=0.5, dose=1e6
        )
        for age in ATLAS_AGES[first : first + count]
    )
