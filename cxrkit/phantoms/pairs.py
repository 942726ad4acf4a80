"""Simulated follow-up: one patient's chest at two times, with what has changed between them known."""

import datetime
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cxrkit.errors import InputError
from cxrkit.image import Radiograph
from cxrkit.phantoms.chest import SimulatedChest, outline, simulate_chest
from cxrkit.phantoms.settings import LESIONS, Build, ChestSettings, Lesion, Position, Sex, random_chest, random_lesion

Mask = NDArray[np.bool_]
Direction = Literal["less", "more"]

_FIRST_DAY = datetime.datetime(2000, 1, 1, 9, 0)
_LONGEST_DAYS = 20_000
_STREAM = 0x9A12


@dataclass(frozen=True)
class PairSettings:
    """Everything that a simulated pair depends on.

    Args:
        seed: whole number >= 0, of the patient: proportions, vessels, places of lesions.
        sex, build, view, size: as ChestSettings, the same at both times.
        baseline, follow_up: findings at each time. A finding of one kind and side in both is the same one at one place,
            and has changed where its size or contrast has.
        breath: at baseline and at follow-up, 0 (full expiration) to 1 (deep inspiration).
        days: from baseline to follow-up, 0 to 20,000.
        other_seed: of the patient who is seen at follow-up instead, for pairs that must not be compared; else None.

    Raises:
        InputError: a value outside these, or a lesion that changes its zone.
    """

    seed: int
    sex: Sex = "male"
    build: Build = "average"
    view: Position = "PA"
    baseline: tuple[Lesion, ...] = ()
    follow_up: tuple[Lesion, ...] = ()
    breath: tuple[float, float] = (0.9, 0.9)
    days: int = 30
    size: int = 1024
    other_seed: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.days <= _LONGEST_DAYS:
            raise InputError(f"The time apart is {self.days} days; choose 0 to {_LONGEST_DAYS:,}.")
        for before, after in self.findings():
            if before and after and before.zone != after.zone:
                raise InputError(f"The {before.kind} changes its zone; choose the same zone at both times.")
        self.chests()

    def findings(self) -> list[tuple[Lesion | None, Lesion | None]]:
        """Every finding at baseline and at follow-up; None where it isn't there."""
        before, after = ({lesion.place: lesion for lesion in found} for found in (self.baseline, self.follow_up))
        return [(before.get(place), after.get(place)) for place in {**before, **after}]

    def ways(self) -> "list[Direction | None]":
        """How each finding has changed, by its area times its density; None where it has not."""
        return [_way(before, after) for before, after in self.findings()]

    def chests(self) -> tuple[ChestSettings, ChestSettings]:
        """Settings of the two images: one patient on two visits."""
        first = ChestSettings(
            self.seed,
            self.sex,
            self.build,
            self.breath[0],
            self.placed(self.baseline),
            self.view,
            size=self.size,
            home_breath=self.breath[0],
        )
        follow_up = self.placed(self.follow_up)
        if self.other_seed is None:
            return first, replace(first, breath=self.breath[1], lesions=follow_up, visit=1)
        other = random_chest(self.other_seed, follow_up, self.view, self.size)
        return first, replace(other, breath=self.breath[1])

    def placed(self, lesions: tuple[Lesion, ...]) -> tuple[Lesion, ...]:
        """The lesions with room for the larger of their two sizes, so that both lie in one place."""
        largest: dict[tuple[str, str], float] = {}
        for lesion in (*self.baseline, *self.follow_up):
            largest[lesion.place] = max(lesion.size, largest.get(lesion.place, 0.0))
        return tuple(replace(lesion, first_size=largest[lesion.place]) for lesion in lesions)


@dataclass(frozen=True, eq=False)
class SimulatedPair:
    """Two simulated radiographs and what has changed between them.

    Args:
        settings: what they were made from.
        baseline, follow_up: the images.
        change: whether a finding has appeared, gone, grown or shrunk; None for two patients, where the question has no
            answer.
        direction: "more" or "less" abnormal at follow-up; None without change, or where findings went both ways.
        masks: (baseline's, follow-up's), each bool [H, W] of its own image, read-only: all findings that have changed,
            as large as they were at their largest, in both images; empty without change.
    """

    settings: PairSettings
    baseline: SimulatedChest = field(repr=False)
    follow_up: SimulatedChest = field(repr=False)
    change: bool | None
    direction: Direction | None
    masks: tuple[Mask, Mask] = field(repr=False)

    def radiographs(self) -> tuple[Radiograph, Radiograph]:
        """Both images as if read from files, taken settings.days apart."""
        first, second = self.baseline.radiograph(), self.follow_up.radiograph()
        later = _FIRST_DAY + datetime.timedelta(days=self.settings.days)
        return (
            replace(first, taken=_FIRST_DAY),
            replace(second, taken=later),
        )


def simulate_pair(settings: PairSettings) -> SimulatedPair:
    """Project both chests. The same settings give the same pair."""
    first, second = settings.chests()
    baseline, follow_up = simulate_chest(first), simulate_chest(second)
    ways = settings.ways()
    found = {way for way in ways if way is not None}
    same = settings.other_seed is None
    changed = [
        [lesion for lesion in (before, after) if lesion is not None]
        for (before, after), way in zip(settings.findings(), ways, strict=True)
        if same and way is not None
    ]
    return SimulatedPair(
        settings=settings,
        baseline=baseline,
        follow_up=follow_up,
        change=bool(found) if same else None,
        direction=found.pop() if same and len(found) == 1 else None,
        masks=(_region(settings, first, changed, baseline), _region(settings, second, changed, follow_up)),
    )


def _region(settings: PairSettings, chest: ChestSettings, changed: list[list[Lesion]], image: SimulatedChest) -> Mask:
    region = np.zeros(image.values.shape, dtype=np.bool_)
    for versions in changed:
        for lesion in settings.placed(tuple(versions)):
            region |= outline(chest, lesion)
    region.flags.writeable = False
    return region


def _way(before: Lesion | None, after: Lesion | None) -> Direction | None:
    first, second = (lesion.size**2 * lesion.contrast if lesion else 0.0 for lesion in (before, after))
    if first == second:
        return None
    return "more" if second > first else "less"


def random_pair(seed: int, share_changed: float = 0.5, size: int = 1024) -> PairSettings:
    """Draw the settings of one pair; simulate_pair applies them.

    Args:
        seed: whole number >= 0; the same seed gives the same settings, and the patient of random_chest(seed).
        share_changed: probability that a finding appears, goes, grows or shrinks (by a third at least).
        size: height of the images in pixels.
    """
    random = np.random.default_rng([seed, _STREAM])
    chest = random_chest(seed, (), size=size)
    changing, staying = (random_lesion(random, str(kind)) for kind in random.choice(LESIONS, 2, replace=False))
    stays = (staying,) if random.random() < 0.35 else ()
    before: tuple[Lesion, ...] = ()
    after: tuple[Lesion, ...] = ()
    if random.random() < share_changed:
        smaller = replace(changing, size=max(changing.size * float(random.uniform(0.4, 0.75)), 0.25))
        before, after = ((changing,), ()) if random.random() < 0.5 else ((changing,), (smaller,))
        if random.random() < 0.5:
            before, after = after, before
    return PairSettings(
        seed=seed,
        sex=chest.sex,
        build=chest.build,
        view=chest.view,
        baseline=before + stays,
        follow_up=after + stays,
        breath=(chest.breath, float(np.clip(chest.breath + random.normal(0.0, 0.15), 0.0, 1.0))),
        days=int(np.rint(np.exp(random.uniform(0.0, 6.0)))),
        size=size,
    )


@dataclass(frozen=True)
class PairSample:
    """A simulated pair with a name for programs, a title and a sentence for people."""

    name: str
    title: str
    description: str
    settings: PairSettings


PAIR_SAMPLES: tuple[PairSample, ...] = (
    PairSample(
        "consolidation_growing",
        "Consolidation growing, right lower zone",
        "A consolidation that is twice as wide two days later.",
        PairSettings(
            5,
            baseline=(Lesion("consolidation", "right", "lower", size=0.6),),
            follow_up=(Lesion("consolidation", "right", "lower", size=1.2),),
            breath=(0.8, 0.7),
            days=2,
        ),
    ),
    PairSample(
        "new_nodule",
        "New nodule, left middle zone",
        "A nodule that was not there four months before.",
        PairSettings(
            4, "female", "slender", follow_up=(Lesion("nodule", "left", "middle", size=1.4, contrast=1.8),), days=121
        ),
    ),
    PairSample(
        "effusion_resolved",
        "Pleural effusion resolved",
        "Fluid at the left base that is gone three weeks later, with a deeper breath.",
        PairSettings(6, "female", baseline=(Lesion("effusion", "left", "lower"),), breath=(0.65, 0.85), days=21),
    ),
    PairSample(
        "other_breath",
        "Nothing new but another breath",
        "The same healthy chest, once breathed in deeply and once only half: nothing has changed.",
        PairSettings(1, breath=(0.95, 0.5), days=365),
    ),
    PairSample(
        "new_pneumothorax",
        "New pneumothorax, right",
        "Air around the right lung that was not there the day before.",
        PairSettings(7, "male", "slender", follow_up=(Lesion("pneumothorax", "right", "upper"),), days=1),
    ),
    PairSample(
        "cavity_shrinking",
        "Cavity shrinking, right upper zone",
        "A cavity that has half its width six months later.",
        PairSettings(
            3,
            "male",
            "slender",
            baseline=(Lesion("cavity", "right", "upper", size=1.2),),
            follow_up=(Lesion("cavity", "right", "upper", size=0.6),),
            days=182,
        ),
    ),
    PairSample(
        "another_patient",
        "Another patient at follow-up",
        "Two people, mixed up: the images must not be compared, and the checks below the answer should say so.",
        PairSettings(1, days=30, other_seed=12),
    ),
)
