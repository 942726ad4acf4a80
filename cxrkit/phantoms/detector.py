"""From attenuation to a picture: scatter, quantum noise, detector blur, and the display processing of a clinic."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.float32]


@dataclass(frozen=True)
class Exposure:
    """How the image is taken.

    Args:
        pixel: mm on the detector.
        dose: quanta in a square millimetre of open field.
        scatter: scattered over primary quanta behind a thick body, after the grid.
        blur: standard deviation of the detector's blur in mm.
    """

    pixel: float
    dose: float
    scatter: float
    blur: float = 0.17


def smooth(image: Gray, sigma_mm: float, pixel: float) -> Gray:
    """Gaussian blur; a wide one is done on a smaller image, where it costs little and looks the same."""
    sigma = sigma_mm / pixel
    shrink = int(sigma // 4)
    if shrink < 2:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), max(sigma, 0.05), borderType=cv2.BORDER_REPLICATE))
    rows, columns = image.shape
    small = cv2.resize(image, (-(-columns // shrink), -(-rows // shrink)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / shrink, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(small, (columns, rows), interpolation=cv2.INTER_CUBIC))


def expose(attenuation: Gray, exposure: Exposure, random: np.random.Generator) -> Gray:
    """Log-attenuation [H, W] -> what the detector measures, as log-attenuation again.

    Beer and Lambert for the primary beam; scatter as a wide blur of what the body takes out of it; quantum noise
    (Poisson, normal approximation).
    """
    primary = np.exp(-attenuation)
    source = primary * (1 - np.exp(-0.5 * attenuation))
    scattered = exposure.scatter * (
        0.7 * smooth(source, 38.0, exposure.pixel) + 0.3 * smooth(source, 12.0, exposure.pixel)
    )
    arrived = smooth(primary, exposure.blur, exposure.pixel) + np.maximum(scattered, 0)
    quanta = exposure.dose * exposure.pixel**2
    noise = random.standard_normal(attenuation.shape, dtype=np.float32)
    measured = arrived + np.sqrt(np.maximum(arrived, 0) / quanta) * noise
    return np.asarray(-np.log(np.maximum(measured, 1e-4)), dtype=np.float32)


@dataclass(frozen=True)
class Look:
    """Display processing.

    Args:
        low, high: log-attenuation shown as dark and bright gray.
        contrast: slope of the tone curve.
        sharpness: weight of the fine detail added.
        flatten: share of the coarse structure taken out (dynamic range compression), 0 to 1.
        middle: place between low and high that becomes mid-gray, about.
    """

    low: float
    high: float
    contrast: float
    sharpness: float
    flatten: float
    middle: float


def display(measured: Gray, look: Look, pixel: float) -> Gray:
    """Measured log-attenuation [H, W] -> gray values in [0, 1], air black and bone white."""
    span = look.high - look.low
    image = np.clip((measured - look.low) / span, -0.6, 1.5)
    coarse = smooth(image, 22.0, pixel)
    middle = smooth(image, 3.0, pixel)
    detail = (0.3 + 0.5 * look.sharpness) * (image - middle) + look.sharpness * (image - smooth(image, 0.7, pixel))
    # Strong edges are enhanced less than faint detail, or they would get halos.
    image = image - look.flatten * (coarse - 0.5) + detail / (1 + np.abs(detail) / np.float32(0.06))
    tone = 1 / (1 + np.exp(-5.0 * look.contrast * (image - look.middle)))
    low, high = (1 / (1 + np.exp(-5.0 * look.contrast * (edge - look.middle))) for edge in (-0.15, 1.12))
    return np.asarray(np.clip((tone - low) / (high - low), 0, 1), dtype=np.float32)
