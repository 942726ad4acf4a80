"""From what a question is made of to its images and regions."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cxrkit.drawn_mask import inside
from cxrkit.errors import FrameRequired, ImageError, InputError
from cxrkit.image import Radiograph, read_image
from cxrkit.phantoms import ChestSettings, HandSettings, PairSettings, simulate_chest, simulate_hand, simulate_scan
from cxrkit.phantoms.pairs import simulate_pair
from cxrkit.quiz.pack_case import PackCase
from cxrkit.quiz.question import Material, Region, Source
from cxrkit.task import check_shape
from cxrkit.tasks import find_task


def make_material(source: Source) -> Material:
    """Project or read the images of a question.

    Raises:
        ImageError: a file of a pack cannot be read; the sentence says which row it belongs to.
        InputError: a mask or box that does not fit its image, or a mask that is black or white everywhere.
    """
    if isinstance(source, PackCase):
        return _read(source)
    if isinstance(source, ChestSettings):
        chest = simulate_chest(source)
        return Material((chest.radiograph(),), (_known([mask for _, mask in chest.lesions]),))
    if isinstance(source, PairSettings):
        pair = simulate_pair(source)
        return Material(pair.radiographs(), tuple(_known([mask]) for mask in pair.masks))
    if isinstance(source, HandSettings):
        return Material((simulate_hand(source).radiograph(),), (None,))
    return Material((simulate_scan(source).radiograph(),), (None,))


def _known(masks: Sequence[Region]) -> Region | None:
    """All masks together; None where nothing is there, or it lies behind what the image shows."""
    return np.logical_or.reduce(masks) if masks and any(mask.any() for mask in masks) else None


def _read(case: PackCase) -> Material:
    images = tuple(_read_file(case, data, suffix) for data, suffix in zip(case.files, case.suffixes, strict=True))
    before: tuple[Region | None, ...] = (None,) * (len(images) - 1)
    return Material(images, (*before, _region(case, images[-1])))


def _read_file(case: PackCase, data: bytes, suffix: str) -> Radiograph:
    read = find_task(case.task).read_file or read_image
    try:
        image = read(data, f"image{suffix}", None)
        check_shape((image.values.shape[0], image.values.shape[1]))
        return image
    except FrameRequired:
        raise ImageError(
            f"An image of row {case.row} of quiz.csv holds several frames. Export the one that is to be read alone."
        ) from None
    except (ImageError, InputError) as error:
        raise ImageError(f"An image of row {case.row} of quiz.csv cannot be used. {error}") from None


def _region(case: PackCase, image: Radiograph) -> Region | None:
    shape = (image.values.shape[0], image.values.shape[1])
    if case.mask is not None:
        return _mask(case, shape)
    if case.box is None:
        return None
    left, top, right, bottom = case.box
    if not (0 <= left < right <= shape[1] and 0 <= top < bottom <= shape[0]):
        raise InputError(
            f"The box of row {case.row} of quiz.csv does not lie in its image of {shape[1]} x {shape[0]} pixels. "
            "Write x0 < x1 and y0 < y1 in pixels of the image, counted from its top left corner."
        )
    region: NDArray[np.bool_] = np.zeros(shape, dtype=np.bool_)
    region[top:bottom, left:right] = True
    return region


def _mask(case: PackCase, shape: tuple[int, int]) -> Region:
    try:
        values = read_image(case.mask or b"", "mask.png").values
    except ImageError as error:
        raise ImageError(f"The mask of row {case.row} of quiz.csv cannot be used. {error}") from None
    if values.shape != shape:
        raise InputError(
            f"The mask of row {case.row} of quiz.csv has {values.shape[1]} x {values.shape[0]} pixels and its image "
            f"{shape[1]} x {shape[0]}. Draw the mask in the size of the image."
        )
    name = f"The mask of row {case.row} of quiz.csv"
    region = inside(values, name)
    if not region.any():
        raise InputError(f"{name} is black everywhere. Draw what is to be found in white, or leave the cell empty.")
    return region
