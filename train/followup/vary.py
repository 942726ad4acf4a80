"""What differs between two images of an unchanged patient, besides posture and breath: exposure, processing, devices.

See pose.py for posture, breath and framing.
"""

from dataclasses import dataclass, replace
from typing import cast

import cv2
import numpy as np

from cxrkit.pixels import Gray, eight_bits, gray_of, smooth
from cxrkit.tasks.chest import as_read
from train.drawing import Random
from train.followup.devices import draw_devices


@dataclass(frozen=True)
class Look:
    """How one image was exposed, processed and stored. Gray values are in shares of the image's own range.

    Attributes:
        ramp: (x, y) by how much one edge is brighter than the other.
        uneven: standard deviation of a smooth field of brightness.
        gamma: exponent of the tone curve.
        window: (low, high) of what is shown as black and white; beyond, nothing is seen any more.
        flatten: share of the coarse contrast that is taken out.
        local: clip limit of local histogram equalisation; 0 = none.
        sharpness: > 0 weight of unsharp masking, < -0.3 standard deviation of a blur in 1/256 of the side.
        streak: (length in pixels, degrees) of motion; length 0 = none.
        noise: standard deviation of noise from pixel to pixel.
        grain: of noise of two pixels' size.
        devices: how many markers, tubes and the like are drawn.
        collimation: how far shutters reach in from left, top, right and bottom, in shares of the side.
        shutter: (gray of the shutters, degrees by which they are turned).
        quality: of JPEG; 0 = stored without loss.
        seed: of noise, fields and devices.
    """

    ramp: tuple[float, float]
    uneven: float
    gamma: float
    window: tuple[float, float]
    flatten: float
    local: float
    sharpness: float
    streak: tuple[int, float]
    noise: float
    grain: float
    devices: int
    collimation: tuple[float, float, float, float]
    shutter: tuple[float, float]
    quality: int
    seed: int


def draw_look(random: Random, strength: float) -> Look:
    """Draw a look.

    Args:
        random: source of all numbers.
        strength: 0 (as the image is) to 1 (another hospital, another device).
    """

    def sometimes(chance: float) -> bool:
        return bool(random.random() < chance * strength)

    def up_to(most: float) -> float:
        return float(random.uniform(0, most) * strength)

    sharp = random.uniform(-1.5, 0.9) * strength
    shutters = random.uniform(-0.09, 0.09, 4) if sometimes(0.2) else np.zeros(4)
    look = Look(
        ramp=(float(random.normal() * 0.05 * strength), float(random.normal() * 0.05 * strength)),
        uneven=up_to(0.035),
        gamma=float(np.exp(np.clip(random.normal() * 0.3, -0.5, 0.4) * strength)),
        window=(float(random.uniform(-0.2, 0.01) * strength), 1 + float(random.uniform(-0.03, 0.2) * strength)),
        flatten=up_to(0.45) if random.random() < 0.6 else 0.0,
        local=float(random.uniform(0.6, 2.0)) if sometimes(0.25) else 0.0,
        sharpness=float(sharp),
        streak=(int(random.integers(3, 6)), float(random.uniform(0, 180))) if sometimes(0.08) else (0, 0.0),
        noise=up_to(0.025) if random.random() < 0.8 else 0.0,
        grain=up_to(0.02) if random.random() < 0.6 else 0.0,
        devices=int(random.poisson(1.1 * strength)),
        collimation=cast("tuple[float, float, float, float]", tuple(float(max(edge, 0)) for edge in shutters)),
        shutter=(0.0 if random.random() < 0.7 else float(random.uniform(0, 1)), float(random.normal() * 2)),
        quality=int(random.integers(35, 96)) if random.random() < 0.6 else 0,
        seed=int(random.integers(2**31)),
    )
    # Drawn all the same, so that the other numbers stay what they are.
    return look if strength else replace(look, quality=0)


def processed(image: Gray, look: Look) -> Gray:
    """The image as it would be stored, in [0, 1], in the crop's frame.

    Args:
        image: [S, S], of any range.
        look: what is done to it.
    """
    random = np.random.default_rng(look.seed)
    low, high = np.percentile(image[::3, ::3], (1, 99))
    image = (image - np.float32(low)) * np.float32(1 / max(float(high - low), 1e-3))
    image = _uneven(image, look, random)
    image = draw_devices(image, look.devices, look.seed) if look.devices else image
    image = _blurred(image, look)
    image = _noisy(image, look, random)
    image = _shown(image, look)
    image = _collimated(image, look) if any(look.collimation) else image
    return _stored(image, look)


def finished(image: Gray) -> Gray:
    """What the network reads of a stored crop: the very function that every uploaded radiograph goes through."""
    return as_read(image, len(image))


def _uneven(image: Gray, look: Look, random: Random) -> Gray:
    """Brighter towards one side, as where the patient or the tube is turned, and a smooth field."""
    side = len(image)
    line = np.linspace(-0.5, 0.5, side, dtype=np.float32)
    grid = random.standard_normal((4, 4)).astype(np.float32) * np.float32(look.uneven)
    image = image + cv2.resize(grid, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.asarray(image + np.float32(look.ramp[0]) * line[None] + np.float32(look.ramp[1]) * line[:, None])


def _shown(image: Gray, look: Look) -> Gray:
    """The maker's processing: coarse contrast, tone curve with its limits, local contrast, edges."""
    if look.flatten:
        image = image - np.float32(look.flatten) * (_coarse(image) - 0.5)
    low, high = look.window
    shown = np.clip((image - np.float32(low)) * np.float32(1 / (high - low)), 0, 1)
    # A table is several times quicker than a power of every pixel; 12 bits are what a detector stores.
    curve = (np.arange(4096, dtype=np.float32) / 4095) ** np.float32(look.gamma)
    image = curve[np.uint16(shown * 4095 + 0.5)]
    if look.local:
        squares = cv2.createCLAHE(look.local, (8, 8))
        image = gray_of(np.asarray(squares.apply(eight_bits(image)), dtype=np.uint8))
    if look.sharpness > 0:
        scale = len(image) / 256
        image = image + np.float32(look.sharpness) * (image - cv2.GaussianBlur(image, (0, 0), 1.5 * scale))
    return np.asarray(image, dtype=np.float32)


def _coarse(image: Gray) -> Gray:
    """The image without anything smaller than a tenth of its side."""
    side = len(image)
    small = cv2.resize(image, (side // 8, side // 8), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), side / 8 / 12)
    return cast(Gray, cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR))


def _blurred(image: Gray, look: Look) -> Gray:
    if look.sharpness < -0.3:
        image = smooth(image, -look.sharpness * len(image) / 256)
    if look.streak[0]:
        kernel = np.zeros((7, 7), dtype=np.float32)
        kernel[3, 3 - look.streak[0] // 2 : 4 + look.streak[0] // 2] = 1
        turned = cv2.warpAffine(kernel, cv2.getRotationMatrix2D((3, 3), look.streak[1], 1.0), (7, 7))
        image = np.asarray(cv2.filter2D(image, -1, turned / turned.sum()), dtype=np.float32)
    return image


def _noisy(image: Gray, look: Look, random: Random) -> Gray:
    """Quantum noise is stronger where less light arrived: in bright tissue, seen against the eye's habit."""
    side = len(image)
    if not look.noise and not look.grain:
        return image
    drawn = np.zeros_like(image)
    if look.noise:
        drawn += random.standard_normal(image.shape, dtype=np.float32) * np.float32(look.noise)
    if look.grain:
        half = random.standard_normal((side // 2, side // 2), dtype=np.float32) * np.float32(look.grain)
        drawn += cv2.resize(half, (side, side), interpolation=cv2.INTER_LINEAR)
    return np.asarray(image + drawn * (0.6 + 0.5 * np.clip(image, 0, 1)), dtype=np.float32)


def _collimated(image: Gray, look: Look) -> Gray:
    side = len(image)
    left, top, right, bottom = (edge * side for edge in look.collimation)
    far = float(side)
    # A shutter that isn't in the image is far outside, where turning it cannot bring it in.
    corners = np.array(
        [
            [left or -far, top or -far],
            [side - right if right else 2 * far, top or -far],
            [side - right if right else 2 * far, side - bottom if bottom else 2 * far],
            [left or -far, side - bottom if bottom else 2 * far],
        ]
    )
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), look.shutter[1], 1.0)
    corners = corners @ turn[:, :2].T + turn[:, 2]
    field = np.zeros(image.shape, dtype=np.uint8)
    cv2.fillConvexPoly(field, (corners * 16).astype(np.int32)[:, None], 255, cv2.LINE_AA, 4)
    open_to = gray_of(np.asarray(cv2.GaussianBlur(field, (3, 3), 0), dtype=np.uint8))
    return np.asarray(image * open_to + np.float32(look.shutter[0]) * (1 - open_to), dtype=np.float32)


def _stored(image: Gray, look: Look) -> Gray:
    """Eight bits, and JPEG where so drawn."""
    pixels = eight_bits(image)
    if look.quality:
        _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, look.quality])
        pixels = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), dtype=np.uint8)
    return gray_of(pixels)
