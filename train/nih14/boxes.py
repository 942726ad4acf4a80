"""Do the heatmaps of a finding lie in radiologists' boxes?

The networks of the folds are fine-tuned as the shipped one was; each leaves a part of the training patients out and is
asked of those alone. What they start from is shared: the GAN and the self-supervision saw all training images, and the
GAN's discriminator their labels too.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from cxrkit.card import WEIGHTS, Metric, read_card, write_card
from cxrkit.cases import Case, resolve, split_by_patient
from cxrkit.errors import ManifestError
from cxrkit.explain import explain
from cxrkit.image import read_image
from cxrkit.localisation import POINTING_TOLERANCE, Mask, localise
from cxrkit.pixels import Box, Gray
from cxrkit.predict import encode
from cxrkit.task import ModelInput
from cxrkit.tasks.nih14 import NIH14
from cxrkit.weights import LoadedModel
from train.datasets import DIVISION
from train.followup.by_patient import mean_metric
from train.nih14.card import BOXED, BOXES, CHANCE, HITS, limits
from train.nih14.data import material_of
from train.nih14.fit import Settings, train_network
from train.nih14.parts import Parts, carve_out, divide
from train.nih14.sources import labelled_cases
from train.trainer import FitSettings

_FRAME = 1024
"""Side in pixels of the published images, which the boxes are written for."""

Shares = tuple[float, float, float, float]
"""A box: left, top, width and height as shares of the image's sides."""


def read_boxes(path: Path, finding: str = BOXED) -> dict[str, list[Shares]]:
    """Boxes of a finding: image's name without its ending -> its boxes.

    Args:
        path: boxes.csv, or BBox_List_2017.csv as published: image, finding, x, y, width and height in pixels of the
            published images come first in each row, whatever the header says.
        finding: as the table writes it.

    Raises:
        ManifestError: the table is not there, or a row holds no box.
    """
    if not path.is_file():
        raise ManifestError(f"{path.name} is not there. Give the table of boxes with --boxes.")
    found: dict[str, list[Shares]] = {}
    with path.open(newline="", encoding="utf-8") as stream:
        for number, row in enumerate(csv.reader(stream), start=1):
            if number == 1 or len(row) < 2 or row[1].strip() != finding:
                continue
            try:
                left, top, width, height = (float(cell) / _FRAME for cell in row[2:6])
            except ValueError as error:
                raise ManifestError(f"Row {number} of {path.name} holds no box: x, y, width and height.") from error
            found.setdefault(Path(row[0]).stem, []).append((left, top, width, height))
    return found


def mask_of(boxes: Sequence[Shares], shape: tuple[int, int]) -> Mask:
    """[H, W] True inside any of the boxes."""
    mask = np.zeros(shape, dtype=np.bool_)
    for left, top, width, height in boxes:
        rows = slice(round(top * shape[0]), round((top + height) * shape[0]))
        mask[rows, round(left * shape[1]) : round((left + width) * shape[1])] = True
    return mask


@dataclass(frozen=True, eq=False)
class Seen:
    """One image with boxes, and the heatmap of a network that was not fine-tuned on its patient.

    Attributes:
        patient: whose it is.
        values: [h, w] heatmap over `box`; all zero without evidence.
        box: the part that was read, in pixels of the image.
        mask: [H, W] the boxes.
    """

    patient: str
    values: Gray
    box: Box
    mask: Mask

    def hit(self, values: Gray | None = None) -> bool:
        """Whether the strongest pixel of the map, or of another image's, is in the boxes, within the tolerance."""
        heat = self.values if values is None else values
        return bool(heat.max() > 0) and localise(heat, self.box, self.mask).hit

    def by_chance(self) -> float:
        """How often a pixel drawn evenly from the part that was read would be a hit."""
        distance = cv2.distanceTransform((~self.mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        left, top, right, bottom = self.box
        near = distance[top:bottom, left:right] <= POINTING_TOLERANCE * max(self.mask.shape)
        return float(near.mean())


def look(loaded: LoadedModel, cases: Sequence[Case], root: Path, boxes: Mapping[str, Sequence[Shares]]) -> list[Seen]:
    """Heatmaps (Grad-CAM) of the finding on those images that have boxes."""
    found = []
    for case in cases:
        name = Path(case.files[0]).stem
        if name not in boxes:
            continue
        image = read_image(resolve(case, root)[0].read_bytes())
        prepared_image = NIH14.prepare([image], {}, ModelInput())
        (heat,) = explain(loaded, prepared_image, encode(loaded, prepared_image), [BOXED])
        mask = mask_of(boxes[name], (image.values.shape[0], image.values.shape[1]))
        found.append(Seen(case.patient or case.files[0], heat.values, heat.box, mask))
    return found


def folds(parts: Parts, count: int, seed: int) -> list[Parts]:
    """The training part in so many parts by patient; each reports once, the others teach and choose the epoch."""
    held = split_by_patient(parts.training, (1 / count,) * count, seed)
    divided = []
    for number, reporting in enumerate(held):
        others = [case for other, part in enumerate(held) if other != number for case in part]
        learned, carved = carve_out(others, seed)
        divided.append(Parts(tuple(learned), tuple(carved), tuple(reporting), given=False))
    return divided


def measure_boxes(
    data: Path,
    boxes: Path,
    run: Path,
    cache: Path,
    settings: Settings,
    how: FitSettings,
    out: Path = WEIGHTS,
    count: int = 3,
) -> list[Metric]:
    """Train a network for each fold, or go on where a killed run stopped; measure, and put the figures on the card.

    Args:
        data: the labelled set.
        boxes: see read_boxes.
        run: folder of the folds' runs.
        cache: folder for prepared images.
        settings, how: of training, as of the shipped weights.
        out: folder that holds a folder of weights for each task.
        count: folds.

    Raises:
        WeightsError: there is no card yet.
        ManifestError: the tables cannot be used, or no training image has a box.
    """
    card_file = out / NIH14.name / "card.json"
    card, known = read_card(card_file), read_boxes(boxes)
    seen: list[Seen] = []
    cases = labelled_cases(data)
    for number, parts in enumerate(folds(divide(cases, DIVISION), count, DIVISION)):
        if not any(Path(case.files[0]).stem in known for case in parts.reporting):
            continue
        material = material_of(data, cases, parts, cache, settings.size)
        model = train_network(material, settings, how, run / f"fold_{number}").requires_grad_(False)
        seen += look(LoadedModel(NIH14, card, model), parts.reporting, data, known)
    if not seen:
        raise ManifestError(f"No training image has a box of {BOXED}. Give the table of boxes with --boxes.")
    metrics = figures(seen, count)
    kept = tuple(one for one in card.metrics if one.part != BOXES)
    write_card(replace(card, metrics=(*kept, *metrics), limits=limits(metrics, card_file.parent)), card_file)
    return metrics


def figures(seen: Sequence[Seen], count: int) -> list[Metric]:
    """Hits of the images' own maps, of other images' maps in their place, and of a pixel drawn evenly.

    Args:
        seen: at least one image.
        count: networks that were trained.
    """
    patients = np.array([one.patient for one in seen], dtype=np.str_)
    own = np.array([one.hit() for one in seen])
    note = (
        f"{BOXED}: the strongest pixel of Grad-CAM lies in a box, or within {POINTING_TOLERANCE:.0%} of the image's "
        f"longer side; {count} networks, each asked of patients that it was not fine-tuned on; what they start "
        "from, GAN and self-supervision, saw these images, and the discriminator their labels"
    )
    metrics = mean_metric(HITS, BOXES, own, patients, note, share=True)
    others = [np.mean([one.hit(other.values) for other in seen if other is not one]) for one in seen if len(seen) > 1]
    if others:
        note = "the same with the maps of the other images: what knowing where such boxes usually lie is worth"
        metrics += mean_metric("pointing game, another image's map", BOXES, others, patients, note, share=True)
    note = "a pixel drawn evenly from what was read"
    return metrics + mean_metric(CHANCE, BOXES, [one.by_chance() for one in seen], patients, note, share=True)
