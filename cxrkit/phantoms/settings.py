"""What a simulated chest radiograph shows: settings, lesions, and how settings are drawn."""

from dataclasses import dataclass, fields
from typing import Literal, get_args

import numpy as np

from cxrkit.errors import InputError

Side = Literal["left", "right"]
Zone = Literal["upper", "middle", "lower"]
Sex = Literal["female", "male"]
Build = Literal["slender", "average", "large"]
Position = Literal["PA", "AP", "lateral"]

LESIONS: tuple[str, ...] = (
    "nodule",
    "consolidation",
    "cavity",
    "effusion",
    "pneumothorax",
    "atelectasis",
    "enlarged heart",
)

SMALLEST, LARGEST = 64, 4096
"""Height of a simulated image in pixels."""


@dataclass(frozen=True)
class Lesion:
    """One finding to simulate.

    Args:
        kind: one of LESIONS.
        side: of the patient. An enlarged heart has none; the value is not used.
        zone: third of the lung's height. An effusion lies at the base, a pneumothorax at the apex, whatever it says;
            atelectasis is of the upper lobe, a plate across the middle, or of the lower lobe.
        size: factor on the kind's usual size, 0.25 to 2.5.
        contrast: factor on the kind's usual density; 0 leaves the image as it is without the lesion. For an enlarged
            heart, a factor on the enlargement.
        first_size: size for which room was found; None: its own. The same lesion grown or shrunk keeps its place by it.

    Raises:
        InputError: a value outside these.
    """

    kind: str
    side: Side = "right"
    zone: Zone = "upper"
    size: float = 1.0
    contrast: float = 1.0
    first_size: float | None = None

    def __post_init__(self) -> None:
        check_choice("kind of lesion", self.kind, LESIONS)
        check_choice("side", self.side, get_args(Side))
        check_choice("zone", self.zone, get_args(Zone))
        check_range("size of a lesion", self.size, 0.25, 2.5)
        check_range("contrast of a lesion", self.contrast, 0.0, 5.0)
        if self.first_size is not None:
            check_range("first size of a lesion", self.first_size, 0.25, 2.5)

    @property
    def place(self) -> tuple[str, str]:
        """Kind and side, of which one chest has one at most; a heart has no side."""
        return self.kind, "" if self.kind == "enlarged heart" else self.side


@dataclass(frozen=True)
class ChestSettings:
    """Everything that a simulated chest radiograph depends on.

    Args:
        seed: whole number >= 0; draws the proportions, the vessels, the noise, and whatever below is None.
        sex: of the patient.
        build: amount of soft tissue.
        breath: 0 (full expiration) to 1 (deep inspiration).
        lesions: findings, at most one of each kind and side.
        view: "PA" upright at 180 cm; "AP" supine or sitting at 100 cm; "lateral" with the left side at the detector.
        marker: whether a lead side marker is shown.
        size: height of the image in pixels, 64 to 4096. The width is 0.86 to 1.0 of it.
        rotation: of the patient about the long axis in degrees, -10 to 10; positive turns the front to the left.
        roll: of the patient in the image plane in degrees, -10 to 10; positive is clockwise.
        dose: quanta in one square millimetre of open field, 10 thousand to 100 million.
        contrast: strength of the display's tone curve, 0.5 to 2.
        sharpness: of the edge enhancement, 0 to 1.5.
        flatten: share of the coarse contrast taken out for the display (dynamic range compression), 0 to 0.8.
        brightness: of the display, -1 (dark film) to 1 (bright).
        visit: whole number >= 0; another visit draws technique, noise, marker, border and bowel gas anew. The patient
            (proportions, vessels, places of lesions) stays the same.
        home_breath: breath at which vessels are grown and lesions placed, which then follow the lungs to `breath`;
            None: `breath` itself. Give all images of one patient the same.

    Raises:
        InputError: a value outside these.
    """

    seed: int
    sex: Sex = "male"
    build: Build = "average"
    breath: float = 0.9
    lesions: tuple[Lesion, ...] = ()
    view: Position = "PA"
    marker: bool = True
    size: int = 1024
    rotation: float | None = None
    roll: float | None = None
    dose: float | None = None
    contrast: float | None = None
    sharpness: float | None = None
    flatten: float | None = None
    brightness: float | None = None
    visit: int = 0
    home_breath: float | None = None

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise InputError(f"The seed is {self.seed}; choose a whole number of at least 0.")
        if self.visit < 0:
            raise InputError(f"The visit is {self.visit}; choose a whole number of at least 0.")
        check_choice("sex", self.sex, get_args(Sex))
        check_choice("build", self.build, get_args(Build))
        check_choice("view", self.view, get_args(Position))
        check_range("breath", self.breath, 0.0, 1.0)
        if self.home_breath is not None:
            check_range("breath at home", self.home_breath, 0.0, 1.0)
        check_range("size of the image", self.size, SMALLEST, LARGEST)
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if value is not None:
                check_range(name, value, low, high)
        places = [lesion.place for lesion in self.lesions]
        if len(set(places)) < len(places):
            raise InputError("Two lesions of one kind on one side; choose at most one of each kind and side.")


RANGES: dict[str, tuple[float, float]] = {
    "rotation": (-10.0, 10.0),
    "roll": (-10.0, 10.0),
    "dose": (1e4, 1e8),
    "contrast": (0.5, 2.0),
    "sharpness": (0.0, 1.5),
    "flatten": (0.0, 0.8),
    "brightness": (-1.0, 1.0),
}


def complete(settings: ChestSettings) -> ChestSettings:
    """The same settings with every None replaced by a value drawn from the seed."""
    random = visit_stream(settings, "technique")
    portable = settings.view == "AP"
    drawn = {
        "rotation": random.normal(0.0, 3.0 if portable else 1.2),
        "roll": random.normal(0.0, 2.5 if portable else 0.8),
        "dose": 10 ** random.uniform(5.5, 6.1) * (0.6 if portable else 1.0),
        "contrast": random.uniform(0.85, 1.2) * (0.85 if portable else 1.0),
        "sharpness": random.uniform(0.2, 0.7),
        "flatten": random.uniform(0.25, 0.55),
        "brightness": random.uniform(-0.6, 0.6) + (0.2 if portable else 0.0),
    }
    given = {field.name: getattr(settings, field.name) for field in fields(settings)}
    for name, value in drawn.items():
        if given[name] is None:
            given[name] = float(np.clip(value, *RANGES[name]))
    return ChestSettings(**given)


_STREAMS = ("settings", "technique", "anatomy", "vessels", "texture", "noise", "lesion", "border")


def stream(settings: ChestSettings, name: str, number: int = 0) -> np.random.Generator:
    """Random numbers for one purpose, independent of those for all others: a lesion changes no rib."""
    return np.random.default_rng([settings.seed, _STREAMS.index(name), number])


def visit_stream(settings: ChestSettings, name: str, number: int = 0) -> np.random.Generator:
    """The same for what differs from one visit of a patient to the next."""
    visit = [settings.visit] if settings.visit else []
    return np.random.default_rng([settings.seed, _STREAMS.index(name), number, *visit])


def random_chest(
    seed: int, lesions: tuple[Lesion, ...] | None = None, view: Position | None = None, size: int = 1024
) -> ChestSettings:
    """Draw the settings of one chest; simulate_chest applies them.

    Args:
        seed: whole number >= 0; the same seed gives the same settings.
        lesions: findings to show; None draws none (half of the time), one or two.
        view: None draws PA (three in four) or AP.
        size: height of the image in pixels.
    """
    random = np.random.default_rng([seed, _STREAMS.index("settings")])
    sex: Sex = "female" if random.random() < 0.5 else "male"
    build: Build = get_args(Build)[int(random.choice(3, p=(0.25, 0.5, 0.25)))]
    drawn_view: Position = "PA" if random.random() < 0.75 else "AP"
    breath = float(random.beta(5.0, 2.0) if drawn_view == "PA" else random.beta(3.0, 3.0))
    count = int(random.choice(3, p=(0.5, 0.35, 0.15)))
    found = tuple(random_lesion(random, str(kind)) for kind in random.choice(LESIONS, count, replace=False))
    return ChestSettings(
        seed=seed,
        sex=sex,
        build=build,
        breath=breath,
        lesions=found if lesions is None else lesions,
        view=view or drawn_view,
        marker=bool(random.random() < 0.85),
        size=size,
    )


def random_lesion(random: np.random.Generator, kind: str) -> Lesion:
    """Draw side, zone, size and contrast of one finding."""
    side: Side = "left" if random.random() < 0.5 else "right"
    zone: Zone = get_args(Zone)[int(random.integers(3))]
    return Lesion(kind, side, zone, size=float(random.uniform(0.7, 1.5)), contrast=float(random.uniform(0.7, 1.2)))


def check_choice(what: str, value: str, known: tuple[str, ...]) -> None:
    """Raise InputError for a value that is none of the known ones."""
    if value not in known:
        raise InputError(f"The {what} is not known; choose one of {', '.join(known)}.")


def check_range(what: str, value: float, low: float, high: float) -> None:
    """Raise InputError for a value outside of low to high."""
    if not low <= value <= high:
        raise InputError(f"The {what} is {value:g}; choose a value from {low:g} to {high:g}.")
