"""Simulate one chest radiograph: anatomy -> lengths along the beam -> attenuation -> exposure -> display."""

from dataclasses import dataclass, field, replace
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrkit.image import Radiograph
from cxrkit.phantoms.as_file import as_file
from cxrkit.phantoms.chest_anatomy import Anatomy, draw_anatomy
from cxrkit.phantoms.chest_fields import Fields, chest_fields
from cxrkit.phantoms.chest_lesions import LUMPS, make_lump
from cxrkit.phantoms.chest_marks import overlay
from cxrkit.phantoms.chest_pleura import Change, atelectasis, effusion, pneumothorax
from cxrkit.phantoms.chest_tissue import normal_tissue
from cxrkit.phantoms.detector import Exposure, Look, display, expose
from cxrkit.phantoms.projection import View
from cxrkit.phantoms.settings import ChestSettings, Lesion, complete, stream, visit_stream

Gray = NDArray[np.float32]
Mask = NDArray[np.bool_]
_T = TypeVar("_T", np.float32, np.bool_)

SOFT_PER_MM = 0.0195
"""Attenuation of soft tissue at about 60 keV, the effective energy of a 110 kVp beam behind a chest."""

HEIGHT_MM = 430.0


@dataclass(frozen=True, eq=False)
class SimulatedChest:
    """A simulated radiograph and what is known about it. All arrays are [H, W] and read-only.

    Args:
        settings: what it was made from.
        values: float32 in [0, 1] in steps of 1/255, higher = brighter.
        lungs: both lungs as outlined by hand: the space inside the ribs, without what heart, great vessels and
            diaphragm cover. Diseased lung and air or fluid around it belong to it.
        heart: above the diaphragm.
        lesions: (kind, mask) in the order of settings.lesions. The mask is where the lesion's own contribution to the
            log-attenuation, without cancelling between dense and empty parts, exceeds a share of its maximum: 15 %
            (effusion), 20 % (nodule), 30 % (pneumothorax), 25 % (others). It doesn't depend on the lesion's contrast,
            except for an enlarged heart, whose mask is the heart, and for the volume lost in atelectasis.
        spacing_mm: (row, column) on the detector.
    """

    settings: ChestSettings
    values: Gray = field(repr=False)
    lungs: Mask = field(repr=False)
    heart: Mask = field(repr=False)
    lesions: tuple[tuple[str, Mask], ...] = field(repr=False)
    spacing_mm: tuple[float, float]

    def radiograph(self) -> Radiograph:
        """The image as if read from an 8-bit file."""
        facts = {"View position": self.settings.view, "Patient's sex": self.settings.sex}
        return as_file(self.values, self.spacing_mm, facts, self.settings.view)


def simulate_chest(settings: ChestSettings) -> SimulatedChest:
    """Project the chest of these settings.

    The same settings give the same image; between machines, rounding may move single pixels by one gray level of 255.
    """
    full = complete(settings)
    anatomy = draw_anatomy(full)
    view = _view(full, anatomy)
    if full.visit:
        first = _view(replace(full, visit=0), anatomy).centre
        view = replace(view, moved=(view.centre[0] - first[0], view.centre[1] - first[1]))
    fields = chest_fields(anatomy, view)
    changes = [_change(full, lesion, fields) for lesion in full.lesions]
    tissue = normal_tissue(full, fields, changes)
    for lesion, change in zip(full.lesions, changes, strict=True):
        tissue += change.added * np.float32(lesion.contrast)
    attenuation = np.maximum(tissue, 0) * np.float32(SOFT_PER_MM * view.along)
    values = _picture(full, view, fields, attenuation)
    cut = _Cut(full, view)
    return SimulatedChest(
        settings=settings,
        values=_frozen(values),
        lungs=_frozen(cut.mask(fields.lung_mask("right") | fields.lung_mask("left"))),
        heart=_frozen(cut.mask(fields.heart_mask())),
        lesions=tuple(
            (lesion.kind, _frozen(cut.mask(change.extent > change.share * float(change.extent.max()))))
            for lesion, change in zip(full.lesions, changes, strict=True)
        ),
        spacing_mm=(view.pixel, view.pixel),
    )


def outline(settings: ChestSettings, lesion: Lesion) -> Mask:
    """Mask [H, W] that a lesion has, or would have, in the image of these settings; quick, for nothing is projected.

    Args:
        lesion: takes the place of the one of its kind and side in settings, where there is one.
    """
    others = tuple(other for other in settings.lesions if other.place != lesion.place)
    full = complete(replace(settings, lesions=(*others, lesion)))
    anatomy = draw_anatomy(full)
    view = _view(full, anatomy)
    change = _change(full, lesion, chest_fields(anatomy, view))
    return _frozen(_Cut(full, view).mask(change.extent > change.share * float(change.extent.max())))


def _view(settings: ChestSettings, anatomy: Anatomy) -> View:
    random = visit_stream(settings, "border")
    rows = settings.size
    height = HEIGHT_MM * (0.9 if settings.sex == "female" else 1.0) * random.uniform(0.95, 1.0)
    columns = round(rows * random.uniform(0.88, 1.0) * (0.92 if settings.view == "lateral" else 1.0))
    top = 62 + random.uniform(-14, 14)
    pad = int(np.ceil(0.06 * rows * max(abs(settings.roll or 0) / 3, 0.3))) + 2
    across = random.uniform(-8, 8)
    return View(
        position=settings.view,
        shape=(rows + 2 * pad, columns + 2 * pad),
        pad=pad,
        pixel=height / rows,
        centre=((-across + 10) if settings.view == "lateral" else across, height / 2 / 1.07 - top),
        scale=anatomy.scale,
        turn=float(np.radians(settings.rotation or 0.0)),
    )


def _change(settings: ChestSettings, lesion: Lesion, fields: Fields) -> Change:
    """What one lesion adds. The drawing depends on its kind and side, not on its place in the list."""
    if lesion.kind in LUMPS:
        random = stream(settings, "lesion", 2 * LUMPS.index(lesion.kind) + (lesion.side == "left"))
        added, extent = make_lump(settings, lesion, fields.anatomy, random).project(fields.view, fields.anatomy.density)
        return Change(added, extent, {"nodule": 0.2, "cavity": 0.25, "consolidation": 0.25}[lesion.kind])
    if lesion.kind == "effusion":
        return effusion(lesion, fields, upright=settings.view != "AP")
    if lesion.kind == "pneumothorax":
        return pneumothorax(lesion, fields)
    if lesion.kind == "atelectasis":
        return atelectasis(lesion, fields)
    return Change(np.zeros(fields.view.shape, np.float32), fields.heart_mask().astype(np.float32), 0.5)


class _Cut:
    """Turns the canvas by the patient's roll and cuts the image out of it."""

    def __init__(self, settings: ChestSettings, view: View) -> None:
        rows, columns = view.shape
        self._turn = cv2.getRotationMatrix2D(((columns - 1) / 2, (rows - 1) / 2), -(settings.roll or 0.0), 1.0)
        self._shape, self._pad = view.shape, view.pad

    def image(self, canvas: Gray) -> Gray:
        turned = cv2.warpAffine(
            canvas, self._turn, self._shape[::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(np.ascontiguousarray(turned[self._pad : -self._pad, self._pad : -self._pad]))

    def mask(self, canvas: Mask) -> Mask:
        turned = cv2.warpAffine(canvas.astype(np.float32), self._turn, self._shape[::-1], flags=cv2.INTER_LINEAR)
        return np.asarray(turned[self._pad : -self._pad, self._pad : -self._pad] > 0.5)


def _picture(settings: ChestSettings, view: View, fields: Fields, attenuation: Gray) -> Gray:
    exposure = Exposure(view.pixel, float(settings.dose or 1e4), 0.55 if settings.view != "AP" else 0.9)
    image = _Cut(settings, view).image(attenuation)
    measured = expose(image, exposure, visit_stream(settings, "noise"))
    low, high = _window(settings, fields, measured, view)
    middle = 0.38 - 0.09 * float(settings.brightness or 0.0)
    look = Look(
        low,
        high,
        float(settings.contrast or 1.0),
        float(settings.sharpness or 0.0),
        float(settings.flatten or 0.0),
        middle,
    )
    shown = overlay(settings, display(measured, look, view.pixel), view.pixel)
    return np.asarray(np.rint(shown * 255) / 255, dtype=np.float32)


def _window(settings: ChestSettings, fields: Fields, measured: Gray, view: View) -> tuple[float, float]:
    lungs = _Cut(settings, view).mask(fields.lung_mask("right") | fields.lung_mask("left"))
    low = float(np.percentile(measured[lungs], 4))
    high = float(np.percentile(measured[measured > 1.5], 96))
    return low - 0.35 - 0.2 * float(settings.brightness or 0.0), high


def _frozen(array: NDArray[_T]) -> NDArray[_T]:
    array.flags.writeable = False
    return array
