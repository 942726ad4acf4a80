"""Simulate one hand radiograph: anatomy of an age -> lengths along the beam -> attenuation -> exposure -> display."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrkit.image import Radiograph
from cxrkit.phantoms.as_file import as_file
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
        return as_file(self.values, self.spacing_mm, {"Patient's sex": self.settings.sex})


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
            {
                name: way.place(plate.place(point), plate.shape)
                for name, point in _points(layout, skeleton.drawn).items()
            }
        ),
        spacing_mm=(plate.pixel, plate.pixel),
    )


def _plate(settings: HandSettings, layout: Layout) -> Plate:
    """A plate about the whole hand and some forearm; about a small hand it leaves more room."""
    random = hand_stream(settings, "frame")
    tilt = float(np.radians(settings.tilt or 0.0))
    length = REFERENCE * layout.scale
    wrist = [layout.bones[name].along(0.1) for name in ("radius", "ulna")]
    points = np.array([*layout.tips, *wrist])
    across = points[:, 0] * np.cos(tilt) + points[:, 1] * np.sin(tilt)
    up = points[:, 1] * np.cos(tilt) - points[:, 0] * np.sin(tilt)
    top = up.max() + 0.055 * length + random.uniform(3, 18)
    height = top - up.min() + random.uniform(0.14, 0.34) * length
    edges = across.min() - 0.09 * length - 4, across.max() + 0.09 * length + 4
    width = max(random.uniform(0.7, 0.86) * height, edges[1] - edges[0])
    middle = (edges[0] + edges[1]) / 2 + random.uniform(-0.5, 0.5) * (width - edges[1] + edges[0])
    centre_up = top - height / 2
    centre = (middle * np.cos(tilt) - centre_up * np.sin(tilt), centre_up * np.cos(tilt) + middle * np.sin(tilt))
    shape = (settings.size, min(round(settings.size * width / height), settings.size))
    return Plate(shape, float(height / settings.size), centre, tilt)


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
        total = np.zeros(self.plate.shape, dtype=np.float32)
        for part in (bone.shaft, bone.epiphysis):
            shown = self._project(part, bone.spongy)
            if shown is not None:
                where, solid = shown
                total[where] = np.maximum(total[where], solid)
                if part is bone.epiphysis:
                    self._mark(bone, where, solid)
        fused = self._project(bone.grown, bone.spongy) if bone.stage.union > 0 else None
        if fused is not None:
            where, solid = fused
            # First bridges, then one bone in which the edges of the plate show as a line, then not even that.
            whole = np.maximum(solid, np.float32(bone.stage.scar) * total[where])
            total[where] += np.float32(bone.stage.union) * (whole - total[where])
        self.solid += total
        self.bones |= total > _SHOWN_MM

    def _project(self, part: Shaft | Pebble | None, spongy: float) -> tuple[tuple[slice, slice], Gray] | None:
        """Where a part falls, and as how many mm of solid bone."""
        patch = None if part is None else part.patch(self.plate)
        if part is None or patch is None:
            return None
        where = patch.rows, patch.columns
        solid, filling = part.lengths(patch)
        return where, np.asarray(solid + np.float32(spongy) * filling * self._grain[where])

    def _mark(self, bone: Bone, where: tuple[slice, slice], solid: Gray) -> None:
        shown = solid > _SHOWN_MM
        if bone.name in CARPALS:
            self.carpals[where] |= shown
        elif bone.grown is not None and bone.stage.union < 1:
            self.epiphyses[where] |= shown


def _grain(settings: HandSettings, plate: Plate) -> Gray:
    """Trabeculae: factor on spongy bone, about 1, with grains in mm so that the image size doesn't change them."""
    random = hand_stream(settings, "texture")
    rows, columns = plate.shape
    total = np.ones(plate.shape, dtype=np.float32)
    for grain, weight in ((0.6, 0.13), (1.4, 0.07)):
        count = int(np.ceil(420 / grain))
        field = random.standard_normal((count, count), dtype=np.float32)
        x = (np.arange(columns) - columns / 2) * plate.pixel / grain + count / 2
        y = (np.arange(rows) - rows / 2) * plate.pixel / grain + count / 2
        across, down = np.meshgrid(np.float32(x), np.float32(y))
        shown = cv2.remap(field, across, down, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
        total += np.float32(weight) * np.asarray(shown, dtype=np.float32)
    return np.maximum(total, np.float32(0.2))


def _measure(settings: HandSettings, plate: Plate, flesh: Gray, solid: Gray) -> Gray:
    attenuation = flesh * np.float32(SOFT_PER_MM) + solid * np.float32(BONE_PER_MM)
    exposure = Exposure(plate.pixel, float(settings.dose or 1e5), scatter=0.18, blur=0.12)
    return expose(attenuation, exposure, hand_stream(settings, "noise"))


def _display(settings: HandSettings, plate: Plate, measured: Gray, solid: Gray) -> Gray:
    high = float(np.percentile(measured[solid > 0.3], 99.3))
    bright = float(settings.brightness or 0.0)
    look = Look(
        low=-0.02 * high,
        high=high * (1.08 - 0.1 * bright),
        contrast=0.9,
        sharpness=float(settings.sharpness or 0.0),
        flatten=0.12,
        middle=0.5 - 0.1 * bright,
    )
    return display(measured, look, plate.pixel)


def _points(layout: Layout, bones: list[Bone]) -> dict[str, Point]:
    """Landmarks in mm in the hand."""
    points = {name: placed.along(0.5) for name, placed in layout.bones.items()}
    points |= {f"tip {finger}": tip for finger, tip in enumerate(layout.tips, start=1)}
    points |= {bone.name: bone.epiphysis.centre for bone in bones if bone.grown is None and bone.epiphysis is not None}
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
