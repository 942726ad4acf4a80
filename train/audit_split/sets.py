"""The data sets that an audit reads: manifests and folders -> images, with all that their tables say of them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from cxrkit.cases import Case, read_manifest, resolve
from cxrkit.errors import CxrkitError, FrameRequired, InputError, ManifestError
from cxrkit.image import Radiograph, read_image
from train.audit_split.duplicates import small_copy
from train.audit_split.outside import Outside, OutsideLungs
from train.border_baseline import border_features
from train.datasets import tuberculosis_cases

TRAINING = ("train", "training")
"""Names of the part that is trained on; every other named part is for evaluation."""

_SIZES = ("file_100", "file_512")
"""Columns of a table that stores each image at two sizes (the bone age set)."""


@dataclass(frozen=True)
class ImageSet:
    """One data set.

    Attributes:
        name: its folder's name; of two manifests in one folder each also has its own.
        root: folder that its paths start in.
        cases: usable rows; one row may name one image at several sizes.
        unusable: rows that name no file or are malformed.
    """

    name: str
    root: Path
    cases: tuple[Case, ...]
    unusable: int


@dataclass(frozen=True)
class Entry:
    """One image file of a data set.

    Attributes:
        set_name: its data set.
        file: path relative to the set's root.
        number: position of its case in the set.
        case: its row.
    """

    set_name: str
    file: str
    number: int
    case: Case

    @property
    def same_case(self) -> tuple[str, int]:
        """Equal for images of one row."""
        return self.set_name, self.number

    @property
    def patient(self) -> tuple[str, str] | None:
        """Set and patient; None where the patient is not known."""
        return None if self.case.patient is None else (self.set_name, self.case.patient)

    @property
    def trains(self) -> bool | None:
        """In the part that is trained on; None where the set names no part."""
        return None if self.case.split is None else self.case.split.casefold() in TRAINING


@dataclass(frozen=True, eq=False)
class Pictures:
    """N images, as far as an audit looks at them.

    Attributes:
        entries: [N] whose they are.
        smalls: [N, 64, 64], see `train.duplicates.small_copy`.
        borders: [N, 96], see `train.border_baseline.border_features`.
        outside: [N] what lies outside the lungs; see `train.audit_split.outside`.
        digests: [N] of the decoded pixels.
        unreadable: for each set, how many files could not be read.
    """

    entries: tuple[Entry, ...]
    smalls: NDArray[np.uint8]
    borders: NDArray[np.float32]
    outside: tuple[Outside, ...]
    digests: tuple[str, ...]
    unreadable: dict[str, int]


def read_sets(paths: Sequence[Path]) -> list[ImageSet]:
    """Read the tables of data sets.

    Args:
        paths: manifests (CSV with the column file, or file_100 and file_512; where present patient_id or patient,
            split, family and others), folders with a labels.csv, or folders in a layout of `train.datasets`.

    Raises:
        ManifestError: a table or folder cannot be used, or two sets would have the same name.
    """
    named = [path / "labels.csv" if (path / "labels.csv").is_file() else path for path in paths]
    roots = [path if path.is_dir() else path.parent for path in named]
    sets = []
    for path, root in zip(named, roots, strict=True):
        name = root.resolve().name
        if roots.count(root) > 1 and path.is_file():
            name += f"/{path.stem}"
        cases = tuberculosis_cases(path) if path.is_dir() else _rows(path)
        usable = tuple(case for case in cases if not case.problem)
        sets.append(ImageSet(name, root, usable, len(cases) - len(usable)))
    if len({found.name for found in sets}) < len(sets):
        raise ManifestError("Two data sets have the same name. Give each set once, in a folder with a name of its own.")
    return sets


def _rows(path: Path) -> list[Case]:
    """Rows of a table; what it is told to lack is the column of the usual form."""
    try:
        cases = read_manifest(path, file_columns=_SIZES, target_column=None)
    except ManifestError:
        return [_with_patient(case) for case in read_manifest(path, target_column=None)]
    return [_with_patient(_without_gaps(case)) for case in cases]


def _with_patient(case: Case) -> Case:
    """Some sets call the column patient."""
    return replace(case, patient=case.patient or case.row.get("patient", "").strip() or None)


def _without_gaps(case: Case) -> Case:
    """A row that names an image at one size of several is complete."""
    files = tuple(file for file in case.files if file)
    return replace(case, files=files, problem="") if files else case


def read_pictures(sets: Sequence[ImageSet]) -> Pictures:
    """Read all images of the sets; of a file with several frames the first. Unreadable ones are counted.

    Raises:
        InputError: fewer than two images can be read.
        WeightsError: as OutsideLungs.
    """
    entries: list[Entry] = []
    smalls, borders, digests = [], [], []
    outside = {found.name: OutsideLungs() for found in sets}
    unreadable = {found.name: 0 for found in sets}
    roots = {found.name: found.root for found in sets}
    listed = [
        Entry(found.name, file, number, case)
        for found in sets
        for number, case in enumerate(found.cases)
        for file in case.files
    ]
    for entry in tqdm(listed, desc="reading", unit="image"):
        try:
            image = _read(roots[entry.set_name], entry.file)
        except CxrkitError:
            unreadable[entry.set_name] += 1
            continue
        shown = image.windowed()
        entries.append(entry)
        smalls.append(small_copy(shown))
        borders.append(border_features(shown))
        outside[entry.set_name].add(image, shown)
        digests.append(_digest(image))
    if len(entries) < 2:
        raise InputError("Fewer than two images of these sets can be read. Check the tables' paths.")
    told = [known for of_set in outside.values() for known in of_set.found]  # set by set, as they were listed
    return Pictures(tuple(entries), np.stack(smalls), np.stack(borders), tuple(told), tuple(digests), unreadable)


def _read(root: Path, file: str) -> Radiograph:
    data = resolve(Case((file,), ""), root)[0].read_bytes()
    try:
        return read_image(data, file)
    except FrameRequired:
        return read_image(data, file, frame=1)


def _digest(image: Radiograph) -> str:
    return hashlib.sha256(repr(image.values.shape).encode() + image.values.tobytes()).hexdigest()
