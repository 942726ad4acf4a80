"""What lies outside the lungs in the images of a data set, where it is one of frontal chests."""

import numpy as np
from numpy.typing import NDArray

from cxrkit.image import Radiograph
from cxrkit.lungs import find_lungs
from cxrkit.pixels import Gray
from cxrkit.quality import check_image
from train.border_baseline import outside_features

LOOKED = 50
"""Images of a set that decide, by the image guard, whether it is one of chests: the lung field sees lungs in hands."""

Outside = NDArray[np.float32] | None
"""[288], see `train.border_baseline.outside_features`; None where two lungs were not found, or fill the image."""


class OutsideLungs:
    """Of one set, image by image."""

    def __init__(self) -> None:
        self._chests: list[bool] = []
        self._found: list[Outside] = []

    def add(self, image: Radiograph, shown: Gray) -> None:
        """The next image.

        Args:
            image: as it was read.
            shown: [H, W] in [0, 1], the same as it is displayed.

        Raises:
            WeightsError: weights of the image guard or of the lung field are missing or altered.
        """
        undecided = len(self._chests) < LOOKED
        if undecided:
            self._chests.append(check_image(image, "frontal chest").ok)
        self._found.append(_outside(shown) if undecided or self.of_chests else None)

    @property
    def of_chests(self) -> bool:
        """Whether most of the first images are frontal chests."""
        return 2 * sum(self._chests) > len(self._chests)

    @property
    def found(self) -> list[Outside]:
        """Of every image, in order; nothing of a set that is not of chests."""
        return self._found if self.of_chests else [None] * len(self._found)


def _outside(shown: Gray) -> Outside:
    lungs = find_lungs(shown).box
    return None if lungs is None else outside_features(shown, lungs)
