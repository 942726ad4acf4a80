"""Tuberculosis screening: the images in memory, and which of them train, choose and report."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxrkit.cases import Case, carve, class_index, read_manifest, split_by_patient
from cxrkit.tasks.tuberculosis import LABELS, TUBERCULOSIS
from train.audit_split.copies import copies_of
from train.border_baseline import border_features
from train.datasets import tuberculosis_cases
from train.prepared import Views, lung_maps, prepare_cases, read_each
from train.tuberculosis.fit import Settings


@dataclass(frozen=True, eq=False)
class Images:
    """A data set in memory, and further negative images after it.

    Attributes:
        cases: N of the data set itself.
        views: [N + M, S, S], prepared; M further ones, which are only ever trained on.
        lungs: [N + M, S, S], probability of lung in 1/255.
        targets: [N + M] class indices.
        families: [N + M] names.
        test: [N + M] True for the given test part.
        further: [N + M] True for the M further ones.
        copies: [N + M] True for images that repeat another one; they do not report.
        borders: [N, 96], border features of the images as they are.
    """

    cases: Sequence[Case]
    views: Views
    lungs: Views
    targets: NDArray[np.int64]
    families: NDArray[np.str_]
    test: NDArray[np.bool_]
    further: NDArray[np.bool_]
    copies: NDArray[np.bool_]
    borders: NDArray[np.float32]

    def divide(self, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Positions of the training part, without and with only the tenth carved out of the data set's own."""
        position = {case.files: index for index, case in enumerate(self.cases)}
        rest = [case for case, tested in zip(self.cases, self.test, strict=False) if not tested]
        kept, carved = carve(rest, 0.1, seed)
        own = [position[case.files] for case in kept]
        return np.array([*own, *np.flatnonzero(self.further)]), np.array([position[case.files] for case in carved])


def load_images(data: Path, others: Sequence[Path], settings: Settings, cache: Path) -> Images:
    """Read a data set; without a given split, a fifth of the patients becomes the test part.

    Args:
        data: folder that train.datasets can read.
        others: folders with a labels.csv (file[,split]) of chests taken as free of tuberculosis; of a table with
            a split only the part called train is used, and no image that repeats one of another set.
        settings: size and seed.
        cache: folder for what was prepared.
    """
    cases = tuberculosis_cases(data)
    tested = {case.files for case in cases if case.split == "test"}
    if not tested:
        tested = {case.files for case in split_by_patient(cases, (0.8, 0.2), settings.seed)[1]}
    repeated = copies_of(data.name)
    views = [prepare_cases(TUBERCULOSIS, cases, data, settings.size, cache)]
    families = [case.family or "unknown" for case in cases]
    for folder in others:
        further = further_cases(folder)
        views.append(prepare_cases(TUBERCULOSIS, further, folder, settings.size, cache))
        families += [folder.name] * len(further)
    together = np.concatenate(views)
    more = len(together) - len(cases)
    return Images(
        cases=cases,
        views=together,
        lungs=lung_maps(together, cache),
        targets=np.array([class_index(case, LABELS) for case in cases] + [0] * more, dtype=np.int64),
        families=np.array(families),
        test=np.array([case.files in tested for case in cases] + [False] * more),
        further=np.arange(len(together)) >= len(cases),
        copies=np.array([case.files[0] in repeated for case in cases] + [False] * more),
        borders=read_each(lambda image: border_features(image.windowed()), cases, data, cache, "borders"),
    )


def further_cases(folder: Path) -> list[Case]:
    """Training part of a set of chests that are not known to show tuberculosis, without copies."""
    cases = read_manifest(folder / "labels.csv", target_column=None)
    repeated = copies_of(folder.name)
    return [case for case in cases if case.split in (None, "train") and case.files[0] not in repeated]
