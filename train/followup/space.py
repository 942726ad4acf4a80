"""Where in one view lesions may lie, and how bright they may become."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrkit.pixels import Box, Gray, gray_of, smooth
from train.drawing import Random

Mask = NDArray[np.bool_]
Frame = tuple[float, float, float, float]
"""(left, top, right, bottom) in pixels of the view."""

_SMALLEST = 0.1
"""A second lung smaller than this share of the first one is debris, or both lungs have grown together."""


@dataclass(frozen=True, eq=False)
class Lung:
    """One lung in the view.

    Attributes:
        soft: [W, W] in [0, 1], its map with a smooth edge.
        box: (left, top, right, bottom) in pixels of the view.
        outwards: -1 for the lung on the left of the image, 1 for the one on the right.
    """

    soft: Gray
    box: Box
    outwards: int

    @property
    def height(self) -> float:
        return float(self.box[3] - self.box[1])

    @property
    def medial(self) -> float:
        """Column of the border towards the heart."""
        return float(self.box[0] if self.outwards > 0 else self.box[2])

    @property
    def width(self) -> float:
        return float(self.box[2] - self.box[0])

    def away(self) -> Gray:
        """[1, W]: 0 at the medial border, 1 at the lateral one."""
        columns = np.arange(self.soft.shape[1], dtype=np.float32)[None]
        return np.asarray((columns - self.medial) * self.outwards / self.width, dtype=np.float32)

    def down(self) -> Gray:
        """[W, 1]: 0 at the apex, 1 at the base."""
        rows = np.arange(self.soft.shape[0], dtype=np.float32)[:, None]
        return np.asarray((rows - self.box[1]) / self.height, dtype=np.float32)

    @cached_property
    def around(self) -> Gray:
        """[W, W] in [0, 1]: the lung and a rim round it, which hides that a map's edge isn't quite the lung's."""
        wide = max(3, round(0.07 * len(self.soft)))
        return np.clip(3 * cv2.blur(self.soft, (wide, wide)), 0, 1)


@dataclass(frozen=True, eq=False)
class Space:
    """One view as lesions need it.

    Attributes:
        view: [W, W] in [0, 1].
        soft: [W, W] in [0, 1], both lungs with a smooth edge a little outside theirs.
        lungs: the one on the left of the image and the one on the right.
        frame: the automatic crop.
        floor, ceiling: gray of air and of the densest tissue in this image.
        tissue: [W, W], gray of soft tissue round each place; a lesion makes nothing brighter than that.
    """

    view: Gray
    soft: Gray
    lungs: tuple[Lung, Lung]
    frame: Frame
    floor: float
    ceiling: float
    tissue: Gray

    @cached_property
    def room(self) -> Gray:
        """[W, W]: by how much each pixel may become brighter."""
        return np.asarray(np.maximum(self.tissue - self.view, 0))

    @cached_property
    def _inside(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        left, top, right, bottom = self.frame
        inset = 0.08 * (right - left)
        clear = np.zeros(self.view.shape, dtype=bool)
        clear[round(top + inset) : round(bottom - inset), round(left + inset) : round(right - inset)] = True
        rows, columns = np.nonzero(clear & (self.lungs[0].soft + self.lungs[1].soft > 0.7))
        return rows, columns

    def place(self, random: Random) -> tuple[float, float]:
        """(x, y) in a lung and well inside the crop; dark places are likelier, because lesions show there."""
        rows, columns = self._inside
        if len(rows) == 0:
            left, top, right, bottom = self.lungs[0].box
            return (left + right) / 2, (top + bottom) / 2
        some = random.integers(len(rows), size=3)
        best = some[np.argmax(self.room[rows[some], columns[some]])]
        return float(columns[best]), float(rows[best])

    def choose_lung(self, random: Random) -> Lung:
        """One lung; the one with more air is likelier."""
        air = np.array([float((lung.soft * self.room).sum()) for lung in self.lungs]) + 1e-6
        shares = air**2 / np.sum(air**2)
        return self.lungs[int(random.random() > shares[0])]


def find_space(view: NDArray[np.uint8], lungs: NDArray[np.uint8], frame: Frame) -> Space:
    """Space of a view and its lung map, both [W, W] in 1/255; see Sources."""
    gray, probability = gray_of(view), gray_of(lungs)
    left, top, right, bottom = (round(edge) for edge in frame)
    inside = gray[max(top, 0) : bottom : 3, max(left, 0) : right : 3]
    floor, ceiling = np.percentile(inside, (2, 94))
    sides = _split(probability, lungs)
    wide = max(3, len(view) // 50)
    soft = np.asarray(np.clip(1.5 * cv2.blur(probability, (wide, wide)), 0, 1), dtype=np.float32)
    return Space(
        view=gray,
        soft=soft,
        lungs=(_lung(sides[0], -1), _lung(sides[1], 1)),
        frame=frame,
        floor=float(floor),
        ceiling=float(ceiling),
        tissue=_tissue(gray, soft, float(ceiling)),
    )


def _tissue(gray: Gray, soft: Gray, ceiling: float) -> Gray:
    """Gray of what lies round the lungs, in the neighbourhood of each place.

    Processing that flattens an image leaves heart, diaphragm and chest wall at different grays; filled lung looks like
    its neighbours.
    """
    side, small = len(gray), 40
    values, lung = (cv2.resize(array, (small, small), interpolation=cv2.INTER_AREA) for array in (gray, soft))
    inside = values[lung > 0.8]
    air = float(np.median(inside)) if inside.size else 0.0
    # What is darker than lung outside the lungs is air round the patient.
    weight = np.float32(1e-4) + (1 - lung) * (values > air)
    spread = small / 10
    near = cv2.GaussianBlur(values * weight, (0, 0), spread) / cv2.GaussianBlur(weight, (0, 0), spread)
    near = np.clip(near, air + 0.5 * (ceiling - air), max(ceiling, air))
    return np.asarray(cv2.resize(near, (side, side), interpolation=cv2.INTER_LINEAR), dtype=np.float32)


def _split(probability: Gray, lungs: NDArray[np.uint8]) -> tuple[Gray, Gray]:
    _, labels, stats, centres = cv2.connectedComponentsWithStats((lungs > 127).astype(np.uint8))
    largest = np.argsort(-stats[1:, cv2.CC_STAT_AREA])[:2] + 1
    areas = stats[largest, cv2.CC_STAT_AREA]
    if len(largest) == 2 and areas[1] > _SMALLEST * areas[0]:
        first, second = sorted(largest, key=lambda label: centres[label][0])
        return probability * (labels == first), probability * (labels == second)
    columns = (probability > 0.5).sum(axis=0)
    middle = int(np.searchsorted(np.cumsum(columns), columns.sum() / 2))
    left = probability.copy()
    left[:, middle:] = 0
    return left, probability - left


def _lung(soft: Gray, outwards: int) -> Lung:
    inside = soft > 0.5
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if len(rows) < 2 or len(columns) < 2:
        side = len(soft)
        box = (0, side // 4, side // 2, side // 2) if outwards < 0 else (side // 2, side // 4, side, side // 2)
        return Lung(smooth(soft, 1.5), box, outwards)
    box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    return Lung(smooth(soft, 1.5), box, outwards)
