"""Simulate one planar lung scintigram: anatomy -> activity and attenuation -> both heads of a camera -> counts."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cxrkit.image import Radiograph
from cxrkit.phantoms import scan_body
from cxrkit.phantoms.scan_activity import activity, lost, stomach
from cxrkit.phantoms.scan_camera import SOFT_PER_MM, Detector, expected_counts, measured_counts
from cxrkit.phantoms.scan_frame import VOXEL, Frame, empty
from cxrkit.phantoms.scan_lungs import Lung, lungs
from cxrkit.phantoms.scan_settings import VIEWS, ScanSettings, View

Gray = NDArray[np.float32]
Mask = NDArray[np.bool_]
_T = TypeVar("_T", np.float32, np.bool_, np.uint16)

_SEEN_MM = 20.0
"""Lung thinner than this along the beam is not outlined as lung."""
_ABOVE_MM = 6.0
"""From the lungs' highest outlined row to the neck."""


@dataclass(frozen=True, eq=False)
class SimulatedScan:
    """A simulated scintigram and what is known about it. All arrays are [M, M] and read-only.

    Both views are face to face: in the anterior view the patient's left is on the image's right, in the posterior view
    on its left.

    Args:
        settings: what it was made from.
        views: "anterior" and "posterior" -> counts.
        expected: the same before noise, float32.
        masks: of the anterior view: "right lung" and "left lung" (aerated, of 20 mm and more along the beam; empty
            where a lung is missing), "neck" (all rows above the lungs), "stomach" (where it holds activity), "defects"
            (where defects take a fifth or more of the perfusion along the beam).
        posterior_masks: the same of the posterior view.
        pixel_mm: edge of a pixel.
    """

    settings: ScanSettings
    views: Mapping[View, NDArray[np.uint16]] = field(repr=False)
    expected: Mapping[View, Gray] = field(repr=False)
    masks: Mapping[str, Mask] = field(repr=False)
    posterior_masks: Mapping[str, Mask] = field(repr=False)
    pixel_mm: float

    def radiograph(self, view: View = "anterior") -> Radiograph:
        """One view as if read from a file that states its modality and its view."""
        counts = self.views[view]
        values = counts.astype(np.float32)
        facts = {"Image": "simulated", "Modality": "NM", "View position": view}
        return Radiograph(
            values=_frozen(values),
            window=(0.0, float(max(values.max(), 1.0))),
            valid=None,
            spacing_mm=(self.pixel_mm, self.pixel_mm),
            header=MappingProxyType(facts),
            warnings=(),
            view=view,
            sha256=hashlib.sha256(counts.tobytes()).hexdigest(),
        )


def simulate_scan(settings: ScanSettings) -> SimulatedScan:
    """Both views of the scan of these settings.

    The same settings give the same counts; between machines, rounding may move single pixels.
    """
    frame = Frame(settings.patient)
    found = lungs(frame)
    covered = scan_body.body(settings.patient)
    weaker = scan_body.attenuation(settings.patient, covered, found, SOFT_PER_MM[settings.tracer])
    expected = expected_counts(settings, activity(settings, frame, found, covered), weaker)
    counts = measured_counts(settings, expected)
    anterior, posterior = (_masks(Detector(settings, view), frame, found) for view in VIEWS)
    return SimulatedScan(
        settings=settings,
        views=MappingProxyType({view: _frozen(counts[view]) for view in VIEWS}),
        expected=MappingProxyType({view: _frozen(expected[view]) for view in VIEWS}),
        masks=anterior,
        posterior_masks=posterior,
        pixel_mm=settings.camera.pixel_mm,
    )


def _masks(detector: Detector, frame: Frame, found: list[Lung]) -> Mapping[str, Mask]:
    settings, field_of_view = detector.settings, detector.field()
    masks: dict[str, Mask] = {}
    thickness, taken = (np.zeros(field_of_view.shape, dtype=np.float32) for _ in range(2))
    for side in ("right", "left"):
        seen = np.zeros_like(thickness)
        for lung in found:
            if lung.side == side:
                seen = _along(detector, lung, lung.whole)
                taken += _along(detector, lung, lung.whole * lost(settings.patient, lung, "perfusion"))
        thickness += seen
        masks[f"{side} lung"] = (seen > _SEEN_MM) & field_of_view
    outlined = masks["right lung"] | masks["left lung"]
    masks["neck"] = _above(outlined, settings.camera.pixel_mm) & field_of_view
    masks["stomach"] = np.zeros_like(field_of_view)
    if settings.stomach:
        shown = detector.resample(frame.place(stomach(settings), 1.0).sum(axis=0))
        masks["stomach"] = (shown > 0.15 * shown.max()) & field_of_view
    masks["defects"] = (taken > 0.2 * thickness) & outlined
    return MappingProxyType({name: _frozen(np.asarray(mask, dtype=np.bool_)) for name, mask in masks.items()})


def _along(detector: Detector, lung: Lung, shares: Gray) -> Gray:
    """mm along the beam [M, M] of what has these shares of the voxels in a lung's box."""
    plane = empty()[0]
    plane[lung.box.part[1:]] = shares.sum(axis=0) * np.float32(VOXEL)
    return detector.resample(plane)


def _above(outlined: Mask, pixel_mm: float) -> Mask:
    """All rows above the highest one of the lungs, less a margin for what is blurred out of them."""
    rows = np.flatnonzero(outlined.any(axis=1))
    above = np.zeros_like(outlined)
    if len(rows):
        above[: max(int(rows[0] - np.ceil(_ABOVE_MM / pixel_mm)), 0)] = True
    return above


def _frozen(array: NDArray[_T]) -> NDArray[_T]:
    array.flags.writeable = False
    return array
