"""The proportions of one chest, drawn from the seed."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cxrkit.phantoms.chest_shape import Dome, Lung, Profile, Real, Stack
from cxrkit.phantoms.settings import ChestSettings, Lesion, stream

Gray = NDArray[np.float32]
Places = NDArray[np.float64]

FAT_MM = {"slender": 7.0, "average": 15.0, "large": 32.0}
SIDES = {"right": -1, "left": 1}


@dataclass(frozen=True, eq=False)
class Anatomy:
    """Solids of one chest in reference mm, and what the bones and vessels need to follow them.

    Args:
        scale: patient's size along (x, y, z) relative to the reference.
        lungs, domes: right, left.
        heart: with its pericardial fat; vessels: great vessels and upper mediastinum; aorta: descending; spine: soft
            tissue about the vertebrae.
        fat: thickness of the layer over the ribs.
        carina: (x, y) where the trachea divides.
        drop: factor on the ribs' slope.
        density: of aerated lung relative to soft tissue.
        female: whether breasts are shown.
        extra: individual factors between -1 and 1, one for each small variation.
    """

    scale: tuple[float, float, float]
    lungs: tuple[Lung, Lung]
    domes: tuple[Dome, Dome]
    heart: Stack
    vessels: Stack
    aorta: Stack
    spine: Stack
    fat: float
    carina: tuple[float, float]
    drop: float
    density: float
    female: bool
    extra: NDArray[np.float64]

    def lung(self, side: str) -> Lung:
        return self.lungs[0 if side == "right" else 1]

    def dome(self, side: str) -> Dome:
        return self.domes[0 if side == "right" else 1]

    def spine_z(self, y: Real | float) -> Gray:
        """z of the middle of the vertebral bodies: the thoracic curve."""
        return SPINE_Z(y)

    def aerated(self, points: Gray, side: str, margin: float = 0.0) -> NDArray[np.bool_]:
        """Whether points [N, 3] lie in lung: in the rib cage and outside heart, great vessels, spine and diaphragm."""
        x, y, z = points[:, 0], points[:, 1], points[:, 2]
        dome = self.dome(side)
        inside = self.lung(side).contains(points, margin) & (y < dome.height(x, z) - margin)
        for solid in (self.heart, self.vessels, self.aorta, self.spine):
            half = np.maximum((solid.left(y) - solid.right(y)) / 2, 1e-3) + margin
            across = (x - (solid.left(y) + solid.right(y)) / 2) / half
            depth = (z - solid.centre(y)) / (np.maximum(solid.half(y), 1e-3) + margin)
            within = (y > solid.right.low) & (y < solid.right.high)
            inside &= ~(within & (np.abs(across) ** solid.power + np.abs(depth) ** solid.power < 1))
        return np.asarray(inside, dtype=np.bool_)


SPINE_Z = Profile((-90, -8), (-45, -18), (0, -38), (60, -62), (130, -74), (200, -74), (280, -60), (360, -44))

_BORDER = (
    (-6, 47), (-3, 60), (3, 69), (17, 81), (35, 94), (51, 104), (83, 118), (113, 127), (142, 133), (170, 137.5),
    (197, 140.5), (224, 142), (255, 142), (300, 140), (360, 136),
)  # fmt: skip
_INNER = ((-6, 47), (-3, 36), (3, 29), (17, 22), (40, 18), (65, 16), (90, 12), (125, 5), (360, 2))
_BACK = ((-6, -24), (3, -48), (17, -60), (51, -77), (83, -86), (113, -92), (170, -99), (224, -100), (360, -95))
_FRONT = ((-6, -18), (3, 2), (17, 16), (51, 42), (83, 60), (113, 73), (170, 88), (224, 93), (360, 90))
_HEART_RIGHT = (
    (106, -8), (112, 9), (122, 20), (135, 29), (155, 37), (175, 41), (195, 40), (218, 36), (240, 31),
    (256, 24), (268, 8), (276, -25),
)  # fmt: skip
_HEART_LEFT = (
    (106, 9), (112, 25), (122, 33.5), (138, 43), (155, 54), (175, 68), (195, 79), (214, 86), (232, 89), (248, 87),
    (264, 74), (276, 26),
)  # fmt: skip
_HEART_CENTRE = ((106, 12), (150, 22), (276, 36))
_HEART_HALF = ((106, 4), (113, 22), (130, 36), (160, 47), (205, 50), (240, 42), (264, 24), (276, 3))
_VESSELS_RIGHT = ((-80, 15), (-10, 18), (20, 20), (50, 21), (80, 23), (105, 25), (135, 24), (158, 10))
_VESSELS_LEFT = (
    (-80, 15), (-10, 18), (25, 21), (50, 24), (60, 29), (70, 33), (78, 33), (88, 28.5), (97, 26), (110, 31), (122, 33),
    (140, 28), (158, 12),
)  # fmt: skip


def draw_anatomy(settings: ChestSettings) -> Anatomy:
    """The chest of these settings; lesions that change the anatomy (heart, volume loss) are applied."""
    random = stream(settings, "anatomy")
    extra = np.clip(random.normal(0.0, 0.5, 24), -1.0, 1.0)
    female = settings.sex == "female"
    supine = 0.75 if settings.view == "AP" else 1.0
    breath = settings.breath * supine
    build = {"slender": -1.0, "average": 0.0, "large": 1.0}[settings.build]
    base = 0.91 if female else 1.0
    scale = (
        base * (1 + 0.035 * extra[0] + 0.02 * build),
        base * (1 + 0.045 * extra[1] - 0.025 * build),
        base * (1 + 0.05 * extra[2] + 0.04 * build) * (0.94 + 0.06 * breath),
    )
    wide = 0.955 + 0.045 * breath
    tops = _dome_tops(settings, breath, build, extra)
    lift = sum(tops) / 2 - 246
    shift = _mediastinal_shift(settings)
    lungs = tuple(_lung(sign, wide, extra) for sign in (-1, 1))
    return Anatomy(
        scale=scale,
        lungs=(lungs[0], lungs[1]),
        domes=(_dome(-1, tops[0], extra), _dome(1, tops[1], extra)),
        heart=_heart(settings, lift, breath, build, shift, extra),
        vessels=_great_vessels(lift, breath, shift, supine, extra),
        aorta=_aorta(extra),
        spine=Stack(
            Profile((-90, -20), (0, -21), (360, -33)),
            Profile((-90, 20), (0, 21), (360, 33)),
            Profile(*((y, float(SPINE_Z(y)) + 12) for y in range(-90, 361, 45))),
            Profile((-90, 30), (60, 36), (130, 46), (360, 46)),
            1.35,
        ),
        fat=FAT_MM[settings.build] * (1 + 0.25 * extra[3]),
        carina=(-4 + 2 * extra[4] + 0.7 * shift, 84 + 4 * extra[5]),
        drop=(0.88 + 0.14 * breath) * (1 + 0.08 * extra[6]),
        density=0.21 + 0.13 * (1 - breath) + 0.03 * extra[7],
        female=female,
        extra=extra,
    )


def home_anatomy(settings: ChestSettings, anatomy: Anatomy) -> Anatomy:
    """The chest in which vessels are grown and lesions placed: `anatomy`, or the patient's at home_breath."""
    if settings.home_breath is None:
        return anatomy
    return draw_anatomy(replace(settings, breath=settings.home_breath, lesions=(), view="PA", home_breath=None))


def follow_lung(points: Places, home: Anatomy, anatomy: Anatomy, side: str) -> Places:
    """Where points [N, 3] of one lung of `home` lie in `anatomy`: the bases move with the diaphragm, the apex stays.

    The share of the diaphragm's way grows with the square of the depth below the apex, so the hila move a fifth of it.
    """
    if anatomy is home:
        return points
    y = points[:, 1]
    top = home.dome(side).top
    down = y + (anatomy.dome(side).top - top) * np.clip(y / top, 0, 1) ** 2
    across = points[:, 0] * anatomy.lung(side).border(y) / home.lung(side).border(y)
    return np.stack([across, down, points[:, 2]], axis=1)


def of_kind(settings: ChestSettings, kind: str) -> list[Lesion]:
    """The lesions of one kind."""
    return [lesion for lesion in settings.lesions if lesion.kind == kind]


def _dome_tops(settings: ChestSettings, breath: float, build: float, extra: NDArray[np.float64]) -> tuple[float, float]:
    """y of the right and left dome; volume loss of a lobe lifts its side."""
    mean = 186 + 58 * breath - 6 * build + 6 * extra[8]
    apart = 13 + 6 * extra[9]
    tops = {"right": mean - apart / 2, "left": mean + apart / 2}
    for lesion in of_kind(settings, "atelectasis"):
        most = {"upper": 9.0, "middle": 5.0, "lower": 20.0}[lesion.zone]
        tops[lesion.side] -= most * lesion.size * min(lesion.contrast, 1.5)
    return tops["right"], tops["left"]


def _mediastinal_shift(settings: ChestSettings) -> float:
    """mm to the patient's left: towards lost volume."""
    shift = 0.0
    for lesion in of_kind(settings, "atelectasis"):
        most = {"upper": 9.0, "middle": 1.0, "lower": 8.0}[lesion.zone]
        shift += SIDES[lesion.side] * most * lesion.size * min(lesion.contrast, 1.5)
    return shift


def _lung(sign: int, wide: float, extra: NDArray[np.float64]) -> Lung:
    flat = 1 + 0.05 * extra[10]
    return Lung(
        sign,
        Profile(*((y, x * (wide if y > 40 else 1.0)) for y, x in _BORDER)),
        Profile(*_INNER),
        Profile(*_BACK),
        Profile(*((y, z * flat) for y, z in _FRONT)),
    )


def _dome(sign: int, top: float, extra: NDArray[np.float64]) -> Dome:
    steep = 1 + 0.2 * extra[11 if sign < 0 else 12]
    return Dome(
        sign,
        top,
        x0=66.0,
        z0=14.0,
        outer=58 * steep / 74**2.4,
        inner=13 * steep / 52**2.4,
        back=72 / 110**2,
        front=30 / 78**2,
    )


def _heart(
    settings: ChestSettings, lift: float, breath: float, build: float, shift: float, extra: NDArray[np.float64]
) -> Stack:
    """Stands on the diaphragm: lower and wider when it is high."""
    stretch = (260 + lift - 106) / (260 - 106)
    wider = (1 + 0.16 * (1 - breath) + 0.03 * build + 0.05 * extra[13]) * (0.97 if settings.sex == "male" else 1.0)
    right, left = wider, wider
    for lesion in of_kind(settings, "enlarged heart"):
        right, left = (
            right * (1 + 0.32 * lesion.size * lesion.contrast),
            left * (1 + 0.38 * lesion.size * lesion.contrast),
        )

    def level(y: float) -> float:
        return 106 + (y - 106) * stretch

    return Stack(
        Profile(*((level(y), -x * (right if x > 0 else 1) + shift) for y, x in _HEART_RIGHT)),
        Profile(*((level(y), x * left + shift) for y, x in _HEART_LEFT)),
        Profile(*((level(y), z) for y, z in _HEART_CENTRE)),
        Profile(*((level(y), z * (0.55 + 0.45 * wider)) for y, z in _HEART_HALF)),
    )


def _great_vessels(lift: float, breath: float, shift: float, supine: float, extra: NDArray[np.float64]) -> Stack:
    """Superior vena cava on the right; arch of the aorta and pulmonary trunk on the left."""
    wide = 1 + 0.1 * (1 - breath) + (0.12 if supine < 1 else 0) + 0.05 * extra[14]
    stretch = 1 + 0.25 * lift / 150
    knob = 4 * extra[15]

    def level(y: float) -> float:
        return y * stretch if y > 0 else y

    return Stack(
        Profile(*((level(y), -x * wide + shift) for y, x in _VESSELS_RIGHT)),
        Profile(*((level(y), x * wide + shift + (knob if 55 < y < 85 else 0)) for y, x in _VESSELS_LEFT)),
        Profile((-80, 0), (30, -6), (80, 2), (158, 15)),
        Profile((-80, 30), (30, 38), (80, 40), (110, 34), (158, 24)),
    )


def _aorta(extra: NDArray[np.float64]) -> Stack:
    tortuous = 3 * extra[16]
    middle = ((58, 17), (75, 20), (100, 20 + tortuous), (160, 17 + 2 * tortuous), (230, 12 + tortuous), (330, 4))
    radius = 12.5 + 1.2 * extra[17]
    return Stack(
        Profile(*((y, x - radius) for y, x in middle)),
        Profile(*((y, x + radius) for y, x in middle)),
        Profile((58, -35), (75, -42), (120, -56), (330, -40)),
        Profile((58, 6), (68, radius), (330, radius)),
    )
