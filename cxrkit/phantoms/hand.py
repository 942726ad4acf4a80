"""Simulate one hand radiograph: anatomy of an age -> lengths along the beam -> attenuation -> exposure -> display."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrkit.image import Radiograph
from cxrkit.phantoms.detector import Exposure, Look, display, expose
from cxrkit.phantoms.hand_bones import Bone, make_bones
from cxrkit.phantoms.hand_flesh import soft_tissue
from cxrkit.phantoms.hand_growth import CARPALS, ossified
from cxrkit.phantoms.hand_layout import REFERENCE, Layout, lay_out
from cxrkit.phantoms.hand_marks import frame, recorded
from cxrkit.phantoms.hand_settings import HandSettings, complete_hand, hand_stream
from cxrkit.phantoms.hand_shape import Pebble, Plate, Point, Shaft

Gray = NDArray[np.float32]
Mask = NDArray[np.bool_]
_T = TypeVar("_T", bound=np.generic)

SOFT_PER_MM, BONE_PER_MM = 0.027, 0.115
"""Attenuation of soft tissue, and how much more solid bone has, at about 37 keV (55 kVp)."""

_SHOWN_MM = 0.05
"""Bone along the beam, as solid bone, above which a pixel belongs to a mask."""


@dataclass(frozen=True, eq=False)
class SimulatedHand:
    """A simulated radiograph and what is known about it. All arrays are [H, W] and read-only.

    Args:
        settings: what it was made from; settings.age_months is the skeletal age.
        values: float32 in [0, 1] in steps of 1/255, higher = brighter.
        bones: every ossified part.
        epiphyses: those of long bones that haven't fused from side to side.
        carpals: the ossified carpal bones, pisiform included.
        centres: names of the ossification centres that have appeared, see hand_growth.
        landmarks: name -> (row, column) in pixels: every long bone's middle and every carpal that shows, by its name,
            and "tip 1" (thumb) to "tip 5", the ends of the distal phalanges. The middle of a radius or ulna may lie
            outside the image.
        spacing_mm: (row, column) on the detector.
    """

    settings: HandSettings
    values: Gray = field(repr=False)
    bones: Mask = field(repr=False)
    epiphyses: Mask = field(repr=False)
    carpals: Mask = field(repr=False)
    centres: tuple[str, ...]
    landmarks: Mapping[str, Point] = field(repr=False)
    spacing_mm: tuple[float, float]

    def radiograph(self) -> Radiograph:
        """The image as if read from an 8-bit file."""
        pixels = np.rint(self.values * 255)
        values = pixels.astype(np.float32)
        values.flags.writeable = False
        return Radiograph(
            values=values,
            window=(0.0, 255.0),
            valid=None,
            sha256=hashlib.sha256(pixels.astype(np.uint8).tobytes()).hexdigest(),
            spacing_mm=self.spacing_mm,
            header=MappingProxyType({"Image": "simulated", "Patient's sex": self.settings.sex}),
            warnings=(),
        )


def simulate_hand(settings: HandSettings) -> SimulatedHand:
    """Project the hand of these settings.

    The same settings give the same image; between machines, rounding may move single pixels by one gray level of 255.
    """
    full = complete_hand(settings)
    layout = lay_out(full)
    plate = _plate(full, layout)
    skeleton = _Skeleton(plate, full, make_bones(full, layout))
    measured = _measure(full, plate, soft_tissue(layout, plate), skeleton.solid)
    shown = _display(full, plate, measured, skeleton.solid)
    way = _Way(full)
    values = way.turned(recorded(full, frame(full, way.mirrored(shown), plate.pixel)))
    return SimulatedHand(
        settings=settings,
        values=_frozen(np.asarray(np.rint(values * 255) / 255, dtype=np.float32)),
        bones=_frozen(way.turned(way.mirrored(skeleton.bones))),
        epiphyses=_frozen(way.turned(way.mirrored(skeleton.epiphyses))),
        carpals=_frozen(way.turned(way.mirrored(skeleton.carpals))),
        centres=ossified(full.sex, full.age_months),
        landmarks=MappingProxyType(
            {name: way.place(plate.place(point), plate.shape) for name, point in _points(layout, skeleton.drawn).items()}
        ),
        spacing_mm=(plate.pixel, plate.pixel),
    )


def _plate(settings: HandSettings, layout: Layout) -> Plate:
    """A hand and some forearm fill the plate, a small one less so."""
    random = hand_stream(settings, "frame")
    length = REFERENCE * layout.scale
    height = length * random.uniform(1.22, 1.42) + 16
    rows = settings.size
    columns = round(rows * random.uniform(0.72, 0.86))
    forearm = height - length * 1.1
    across = (4 + random.normal(0, 3)) * layout.scale
    up = 160 * layout.scale - (height / 2 - 0.035 * length - 0.2 * max(forearm, 0) * random.random())
    return Plate((rows, columns), height / rows, (across, up), float(np.radians(settings.tilt or 0.0)))


class _Skeleton:
    """Projects the bones into one sum, and remembers which pixels belong to what.

    solid: what the bones attenuate as mm of solid bone, [H, W].
    """

    def __init__(self, plate: Plate, settings: HandSettings, bones: list[Bone]) -> None:
        self.plate, self.drawn = plate, bones
        self.solid = np.zeros(plate.shape, dtype=np.float32)
        self.bones, self.epiphyses, self.carpals = (np.zeros(plate.shape, dtype=np.bool_) for _ in range(3))
        self._grain = _grain(settings, plate)
        for bone in bones:
            self._add(bone)

    def _add(self, bone: Bone) -> None:
        spread = np.zeros(self.plate.shape, dtype=np.float32) if bone.grown is not None else self.solid
        union = bone.stage.grown if bone.grown is not None else 0.0
        for part in (bone.shaft, bone.epiphysis):
            if part is not None:
                shown = self._project(part, bone.spongy, spread, np.float32(1 - union), together=bone.grown is None)
                if part is bone.epiphysis:
                    self._mark(bone, *shown)
        if bone.grown is not None:
            self._join(bone, spread)

    def _join(self, bone: Bone, growing: Gray) -> None:
        """Add a long bone: the growing one, and as it fuses, the grown one in its place."""
        if bone.grown is not None and bone.stage.grown > 0:
            whole = np.zeros(self.plate.shape, dtype=np.float32)
            self._project(bone.grown, bone.spongy, whole, np.float32(bone.stage.grown), together=False)
            growing = growing + whole
        self.solid += growing
        self.bones |= growing > _SHOWN_MM

    def _project(
        self, part: Shaft | Pebble, spongy: float, total: Gray, share: np.float32, together: bool
    ) -> tuple[tuple[slice, slice], Gray]:
        """Add a part, or take the larger where parts of one bone overlap; where it fell, and as what."""
        patch = part.patch(self.plate)
        if patch is None:
            return (slice(0), slice(0)), np.zeros((0, 0), dtype=np.float32)
        where = patch.rows, patch.columns
        whole, inner = part.lengths(patch)
        solid = (whole - inner) + np.float32(spongy) * inner * self._grain[where]
        total[where] = total[where] + solid if together else np.maximum(total[where], share * solid)
        return where, solid

    def _mark(self, bone: Bone, where: tuple[slice, slice], solid: Gray) -> None:
        shown = solid > _SHOWN_MM
        self.bones[where] |= shown
        if bone.name in CARPALS:
            self.carpals[where] |= shown
        elif bone.grown is not None and bone.stage.union < 1:
            self.epiphyses[where] |= shown


def _grain(settings: HandSettings, plate: Plate) -> Gray:
    """Trabeculae: factor on spongy bone, about 1, with grains in mm so that the image size doesn't change them."""
    random = hand_stream(settings, "texture")
    rows, columns = plate.shape
    total = np.ones(plate.shape, dtype=np.float32)
    for grain, weight in ((0.8, 0.2), (1.7, 0.14)):
        count = int(np.ceil(420 / grain))
        field = random.standard_normal((count, count), dtype=np.float32)
        x = (np.arange(columns) - columns / 2) * plate.pixel / grain + count / 2
        y = (np.arange(rows) - rows / 2) * plate.pixel / grain + count / 2
        where = tuple(np.broadcast_to(axis, plate.shape).astype(np.float32) for axis in (x[None, :], y[:, None]))
        total += np.float32(weight) * cv2.remap(field, *where, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    return np.maximum(total, 0.2)


def _measure(settings: HandSettings, plate: Plate, flesh: Gray, solid: Gray) -> Gray:
    attenuation = flesh * np.float32(SOFT_PER_MM) + solid * np.float32(BONE_PER_MM)
    exposure = Exposure(plate.pixel, float(settings.dose or 1e5), scatter=0.18, blur=0.12)
    return expose(attenuation, exposure, hand_stream(settings, "noise"))


def _display(settings: HandSettings, plate: Plate, measured: Gray, solid: Gray) -> Gray:
    high = float(np.percentile(measured[solid > 0.3], 98.5))
    bright = float(settings.brightness or 0.0)
    look = Look(
        low=-0.12 * high,
        high=high * (1.08 - 0.1 * bright),
        contrast=0.9,
        sharpness=float(settings.sharpness or 0.0),
        flatten=0.12,
        middle=0.62 - 0.1 * bright,
    )
    return display(measured, look, plate.pixel)


def _points(layout: Layout, bones: list[Bone]) -> dict[str, Point]:
    """Landmarks in mm in the hand."""
    points = {name: placed.along(0.5) for name, placed in layout.bones.items()}
    points |= {f"tip {finger}": tip for finger, tip in enumerate(layout.tips, start=1)}
    points |= {
        bone.name: bone.epiphysis.centre for bone in bones if bone.grown is None and bone.epiphysis is not None
    }
    return points


@dataclass(frozen=True)
class _Way:
    """Which way round an upright left hand is shown: mirrored for a right one, then turned."""

    settings: HandSettings

    def mirrored(self, image: NDArray[_T]) -> NDArray[_T]:
        return np.ascontiguousarray(image[:, ::-1]) if self.settings.side == "right" else image

    def turned(self, image: NDArray[_T]) -> NDArray[_T]:
        return np.ascontiguousarray(np.rot90(image, -self.settings.turn // 90))

    def place(self, point: Point, shape: tuple[int, int]) -> Point:
        (row, column), (rows, columns) = point, shape
        if self.settings.side == "right":
            column = columns - 1 - column
        for _ in range(self.settings.turn // 90):
            row, column, rows, columns = column, rows - 1 - row, columns, rows
        return row, column


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array
