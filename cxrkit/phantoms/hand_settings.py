"""What a simulated hand radiograph shows: settings, and how they are drawn."""

from dataclasses import dataclass, fields
from typing import Literal, get_args

import numpy as np

from cxrkit.errors import InputError
from cxrkit.phantoms.hand_growth import OLDEST, YOUNGEST
from cxrkit.phantoms.settings import LARGEST, SMALLEST, Sex, Side, check_choice, check_range

Background = Literal["dark", "bright"]

TURNS = (0, 90, 180, 270)
"""Degrees clockwise by which a file may be turned."""

RANGES: dict[str, tuple[float, float]] = {
    "tilt": (-25.0, 25.0),
    "spread": (0.0, 1.5),
    "dose": (1e4, 1e8),
    "sharpness": (0.0, 1.5),
    "brightness": (-1.0, 1.0),
}


@dataclass(frozen=True)
class HandSettings:
    """Everything that a simulated hand radiograph depends on.

    Args:
        seed: whole number >= 0; draws proportions, pose, technique, noise, and whatever below is None. It changes
            nothing of the skeletal age.
        age_months: skeletal age, 1 to 240.
        sex: of the child.
        side: which hand, seen from its back as is usual: a left hand has its thumb on the right.
        size: height of the upright image in pixels, 64 to 4096. The width is 0.7 to 1.0 of it.
        marker: whether a lead L or R is shown.
        inverted: black and white swapped, as films with bone black are.
        background: "bright": air is mid-gray, and white outside the collimator, as on some digitised films.
        contrast: share of the gray range that is used, 0.1 to 1.
        turn: degrees clockwise by which the image is turned: 0, 90, 180 or 270.
        tilt: of the hand on the plate in degrees, -25 to 25; positive is clockwise.
        spread: of the fingers; 0 straight, 1 as usual, up to 1.5.
        dose: quanta in one square millimetre of open field, 10 thousand to 100 million.
        sharpness: of the edge enhancement, 0 to 1.5.
        brightness: of the display, -1 (dark) to 1 (bright).

    Raises:
        InputError: a value outside these.
    """

    seed: int
    age_months: float
    sex: Sex
    side: Side = "left"
    size: int = 1024
    marker: bool = True
    inverted: bool = False
    background: Background = "dark"
    contrast: float = 1.0
    turn: int = 0
    tilt: float | None = None
    spread: float | None = None
    dose: float | None = None
    sharpness: float | None = None
    brightness: float | None = None

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise InputError(f"The seed is {self.seed}; choose a whole number of at least 0.")
        check_choice("sex", self.sex, get_args(Sex))
        check_choice("side", self.side, get_args(Side))
        check_choice("background", self.background, get_args(Background))
        if self.turn not in TURNS:
            raise InputError(f"The turn is {self.turn} degrees; choose one of {', '.join(map(str, TURNS))}.")
        check_range("skeletal age in months", self.age_months, YOUNGEST, OLDEST)
        check_range("size of the image", self.size, SMALLEST, LARGEST)
        check_range("contrast", self.contrast, 0.1, 1.0)
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if value is not None:
                check_range(name, value, low, high)


def complete_hand(settings: HandSettings) -> HandSettings:
    """The same settings with every None replaced by a value drawn from the seed."""
    random = hand_stream(settings, "technique")
    drawn = {
        "tilt": random.normal(0.0, 5.0),
        "spread": random.uniform(0.3, 1.15),
        "dose": 10 ** random.uniform(5.2, 6.0),
        "sharpness": random.uniform(0.2, 0.7),
        "brightness": random.uniform(-0.6, 0.6),
    }
    given = {field.name: getattr(settings, field.name) for field in fields(settings)}
    for name, value in drawn.items():
        if given[name] is None:
            given[name] = float(np.clip(value, *RANGES[name]))
    return HandSettings(**given)


_STREAMS = ("technique", "anatomy", "pose", "frame", "texture", "noise", "settings", "marks", "film")


def hand_stream(settings: HandSettings, name: str) -> np.random.Generator:
    """Random numbers for one purpose, independent of those for all others and of the age: a child grows up."""
    return _stream(settings.seed, name)


def _stream(seed: int, name: str) -> np.random.Generator:
    return np.random.default_rng([seed, 1000 + _STREAMS.index(name)])


def random_hand(seed: int, size: int = 1024) -> HandSettings:
    """Draw the settings of one hand, plain in look: age 3 to 228 months, either sex; nine in ten are left hands."""
    random = _stream(seed, "settings")
    return HandSettings(
        seed=seed,
        age_months=float(round(random.uniform(3, 228))),
        sex="female" if random.random() < 0.5 else "male",
        side="left" if random.random() < 0.9 else "right",
        size=size,
        marker=bool(random.random() < 0.85),
    )
