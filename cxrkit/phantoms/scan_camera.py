"""From activity and attenuation to counts: a dual-head gamma camera with parallel holes, one head in front and one
behind."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrkit.phantoms.scan_frame import FIRST, SHAPE, VOXEL, centres
from cxrkit.phantoms.scan_patient import scan_stream
from cxrkit.phantoms.scan_settings import VIEWS, ScanSettings, Tracer, View

Gray = NDArray[np.float32]
Counts = NDArray[np.uint16]
Mask = NDArray[np.bool_]

SOFT_PER_MM: dict[Tracer, float] = {
    "Tc-99m MAA": 0.0150,
    "Tc-99m DTPA aerosol": 0.0150,
    "Tc-99m Technegas": 0.0150,
    "Xe-133": 0.0178,
    "Kr-81m": 0.0140,
}
"""Attenuation of soft tissue at 140, 81 and 190 keV, narrow beam."""
_COARSER: dict[Tracer, float] = {"Xe-133": 1.35, "Kr-81m": 1.2}
"""Factor on the blur of tracers that a collimator for 140 keV resolves worse."""

_SLAB = 4
"""Voxels along the beam that share one depth."""
_INTRINSIC_MM = 3.7
_HOLE_MM, _HOLE_SLOPE = 1.6, 0.048
"""Full width at half maximum of a high-resolution collimator at its face, and what each mm of distance adds."""
_FWHM = 2.3548
_HALF_BODY_MM = 115.0
_MIDDLE = (0.0, 118.0)
"""x, y of the lungs' middle in reference mm, which an offset of 0 puts at the image's centre."""
_ROOM = 2e-5
"""Counts in a pixel of 1 mm^2 of those in the whole view that come from the room."""


@dataclass(frozen=True)
class Detector:
    """Where one head's pixels lie in the volume.

    Args:
        settings: of the scan.
        view: which head.
    """

    settings: ScanSettings
    view: View

    def resample(self, plane: Gray) -> Gray:
        """A plane [Y, X] of the volume -> the image [M, M]; the body goes on beyond the volume."""
        matrix = self.settings.camera.matrix
        return np.asarray(
            cv2.warpAffine(
                plane,
                self._to_plane(),
                (matrix, matrix),
                flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REPLICATE,
            )
        )

    def field(self) -> Mask:
        """[M, M]: where the detector is."""
        camera = self.settings.camera
        places = np.abs(np.arange(camera.matrix) - (camera.matrix - 1) / 2) * camera.pixel_mm
        height, width = camera.field_mm
        return np.asarray((places <= height / 2)[:, None] & (places <= width / 2)[None, :], dtype=np.bool_)

    def _centre(self) -> tuple[float, float]:
        """x, y in the volume at the image's centre."""
        (right, down), size = self.settings.camera.offset_mm, self.settings.patient.size
        return _MIDDLE[0] * size[0] - right, _MIDDLE[1] * size[1] - down

    def _to_plane(self) -> NDArray[np.float64]:
        camera = self.settings.camera
        # Seen from behind, the patient's left is on the image's left and a roll goes the other way.
        mirror = -1.0 if self.view == "posterior" else 1.0
        x, y = self._centre()
        angle = np.radians(camera.roll) * mirror
        cos, sin = np.cos(angle), np.sin(angle)
        turn = np.array([[mirror * cos, mirror * sin], [-sin, cos]]) * (camera.pixel_mm / VOXEL)
        middle = np.array([(x - FIRST[0]) / VOXEL - 0.5, (y - FIRST[1]) / VOXEL - 0.5])
        shift = middle - turn @ np.full(2, (camera.matrix - 1) / 2)
        return np.hstack([turn, shift[:, None]])


def expected_counts(settings: ScanSettings, activity: Gray, attenuation: Gray) -> dict[View, Gray]:
    """Counts [M, M] of both views before noise; exactly zero outside the field.

    Args:
        settings: of the scan.
        activity: [Z, Y, X].
        attenuation: [Z, Y, X], of a voxel's edge.
    """
    deep = np.cumsum(attenuation, axis=0)
    deep -= attenuation / 2
    seen: dict[View, Gray] = {}
    for view in VIEWS:
        path = deep if view == "posterior" else deep[-1:] + attenuation[-1:] / 2 - deep
        plane = _blurred(settings, view, activity * np.exp(-path))
        detector = Detector(settings, view)
        image = np.maximum(detector.resample(_with_scatter(plane, settings.camera.scatter)), 0)
        image += np.float32(_ROOM * settings.camera.pixel_mm**2 * image.mean())
        seen[view] = np.where(detector.field(), image, np.float32(0))
    most = max(float(image.sum()) for image in seen.values())
    factor = np.float32(settings.camera.counts / most) if most else np.float32(0)
    return {view: np.asarray(image * factor, dtype=np.float32) for view, image in seen.items()}


def measured_counts(settings: ScanSettings, expected: dict[View, Gray]) -> dict[View, Counts]:
    """Counts [M, M] with Poisson noise, at most 65535."""
    measured: dict[View, Counts] = {}
    for number, view in enumerate(VIEWS):
        random = scan_stream(settings.seed, "noise", 2 * settings.noise + number)
        measured[view] = np.minimum(random.poisson(expected[view]), 65535).astype(np.uint16)
    return measured


def _blurred(settings: ScanSettings, view: View, emitted: Gray) -> Gray:
    """Sum [Y, X] over slabs, each blurred by what the collimator does at its distance, breathing and the pixels."""
    camera, patient = settings.camera, settings.patient
    slabs = emitted.reshape(SHAPE[0] // _SLAB, _SLAB, *SHAPE[1:]).sum(axis=1)
    depths = centres(2).reshape(-1, _SLAB).mean(axis=1) * (1.0 if view == "anterior" else -1.0)
    surface = _HALF_BODY_MM * patient.size[2] + 0.8 * patient.fat + camera.gap_mm
    plane = np.zeros(SHAPE[1:], dtype=np.float32)
    for slab, depth in zip(slabs, depths, strict=True):
        if slab.any():
            distance = max(surface - float(depth), 0.0)
            width = camera.blur * _COARSER.get(settings.tracer, 1.0) * (_HOLE_MM + _HOLE_SLOPE * distance)
            squared = (width**2 + _INTRINSIC_MM**2) / _FWHM**2 + camera.pixel_mm**2 / 12
            across, along = np.sqrt(squared) / VOXEL, np.sqrt(squared + camera.breath_mm**2) / VOXEL
            plane += cv2.GaussianBlur(slab, (0, 0), across, sigmaY=along, borderType=cv2.BORDER_CONSTANT)
    return plane


def _with_scatter(plane: Gray, share: float) -> Gray:
    """Scattered counts lie around direct ones: a narrow and a wide part."""
    near, far = (
        cv2.GaussianBlur(plane, (0, 0), sigma / VOXEL, borderType=cv2.BORDER_CONSTANT) for sigma in (22.0, 55.0)
    )
    return np.asarray(plane + np.float32(share) * (np.float32(0.6) * near + np.float32(0.4) * far), dtype=np.float32)
