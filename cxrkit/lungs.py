"""The lung field of a frontal chest radiograph, found by a small U-Net."""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrkit.pixels import Box, Gray, crop, equalise, resize, trim_wide_margins

if TYPE_CHECKING:
    from torch import nn

NAME = "lung_field"
SIZE = 128
"""Side of the U-Net's square input; a box needs no more detail."""

TRAIN_COMMAND = "python -m train.lung_field FOLDER"

_SMALLEST = 0.02
"""Share of the image that a lung must fill; smaller components are debris."""


@dataclass(frozen=True, eq=False)
class LungField:
    """Lungs found in an image.

    Attributes:
        probability: [128, 128] over the whole image, in [0, 1].
        box: (left, top, right, bottom) around the lungs in pixels of the image; None unless two lungs were found.
    """

    probability: NDArray[np.float32]
    box: Box | None


def lung_input(image: Gray) -> Gray:
    """What the U-Net reads: [H, W] in any range -> [128, 128] in [-1, 1], equalised."""
    return equalise(resize(image, SIZE, SIZE)) * 2 - 1


def find_lungs(image: Gray) -> LungField:
    """Find the lungs in a gray image [H, W] of any range.

    Raises:
        WeightsError: the lung field's weights are missing or altered.
    """
    height, width = image.shape
    left, top, right, bottom = trim_wide_margins(resize(image, 256, 256))
    inner = (left * width // 256, top * height // 256, right * width // 256, bottom * height // 256)
    inside = _probability(lung_input(crop(image, inner)))
    frame = np.zeros((SIZE * 2, SIZE * 2), dtype=np.float32)
    frame[top:bottom, left:right] = resize(inside, right - left, bottom - top)
    return LungField(resize(frame, SIZE, SIZE), _box(frame, (height, width)))


def heat_share(field: LungField, values: NDArray[np.float32], box: Box, shape: tuple[int, int]) -> float | None:
    """Share of a map's total that lies inside the lungs (probability above 0.5).

    The share that chance would give is that of a map of ones: how much of the box the lungs fill.

    Args:
        field: of the whole image.
        values: [h, w], not negative, any scale; it spans `box`, and its pixels' centres are looked up in the field, so
            it should have a display's resolution.
        box: (left, top, right, bottom) in pixels of the image, inside it.
        shape: (height, width) of the image.

    Returns:
        In [0, 1]; None for a map without heat, and where two lungs were not found.
    """
    total = float(values.sum(dtype=np.float64))
    if field.box is None or total <= 0:
        return None
    left, top, right, bottom = box
    # Centres of the map's pixels -> pixels of the image -> pixels of the field.
    across = (left + (np.arange(values.shape[1]) + 0.5) * (right - left) / values.shape[1]) * SIZE / shape[1] - 0.5
    down = (top + (np.arange(values.shape[0]) + 0.5) * (bottom - top) / values.shape[0]) * SIZE / shape[0] - 0.5
    grid_x, grid_y = np.meshgrid(across.astype(np.float32), down.astype(np.float32))
    lungs = cv2.remap(field.probability, grid_x, grid_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) > 0.5
    return float(values.sum(where=lungs, dtype=np.float64)) / total


def _box(probability: NDArray[np.float32], shape: tuple[int, int]) -> Box | None:
    """Box around the two largest components, in pixels of an image of this (height, width)."""
    side = probability.shape[0]
    _, _, stats, _ = cv2.connectedComponentsWithStats((probability > 0.5).astype(np.uint8))
    lungs = sorted(stats[1:], key=lambda row: -row[cv2.CC_STAT_AREA])[:2]
    lungs = [row for row in lungs if row[cv2.CC_STAT_AREA] >= _SMALLEST * side * side]
    if len(lungs) < 2:
        return None
    left = min(row[cv2.CC_STAT_LEFT] for row in lungs)
    top = min(row[cv2.CC_STAT_TOP] for row in lungs)
    right = max(row[cv2.CC_STAT_LEFT] + row[cv2.CC_STAT_WIDTH] for row in lungs)
    bottom = max(row[cv2.CC_STAT_TOP] + row[cv2.CC_STAT_HEIGHT] for row in lungs)
    height, width = shape
    return (
        int(left * width // side),
        int(top * height // side),
        int(-(-right * width // side)),
        int(-(-bottom * height // side)),
    )


def _probability(gray: Gray) -> NDArray[np.float32]:
    import torch

    with torch.inference_mode():
        logits = _model()(torch.from_numpy(gray)[None, None].contiguous(memory_format=torch.channels_last))
    return np.asarray(logits.sigmoid()[0, 0].numpy(), dtype=np.float32)


@cache
def _model() -> "nn.Module":
    import torch

    from cxrkit.card import WEIGHTS
    from cxrkit.models.unet import UNet
    from cxrkit.weights import fill, read_weights

    state, card = read_weights(WEIGHTS / NAME, TRAIN_COMMAND)
    network = fill(UNet(tuple(card.model["widths"])), state, f"Train again with: {TRAIN_COMMAND}")
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # a third less time
    return network
