"""Chest radiographs with labelled findings, and radiographs without: tables and folders -> cases."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cxrkit.cases import Case, read_manifest
from cxrkit.errors import ManifestError
from cxrkit.finding_labels import findings_of
from cxrkit.table import read_table
from cxrkit.tasks.nih14 import LABELS
from train.audit_split.copies import copies_of
from train.datasets import CHEST_XRAY14_TABLES, TRAINING, chest_xray14_parts

_COLUMNS = ("Image Index", "Finding Labels", "Patient ID")


def labelled_cases(root: Path) -> list[Case]:
    """Cases of one image each; target: findings joined by the bar; row["split"]: the given part, "" without one.

    Images that repeat another one (train.audit_split) are left out.

    Args:
        root: a folder with labels.csv (file, findings, and where given patient_id and split); or ChestX-ray14 as it is
            published: Data_Entry_2017.csv or Data_Entry_2017_v2020.csv, images in images_001/images to
            images_012/images (or in images; what is not there is left out), and where given train_val_list.txt and
            test_list.txt.

    Raises:
        ManifestError: neither table is there, it lacks a column, a row cannot be used (the message names it), or no
            image of it is in the folder.
    """
    if (root / "labels.csv").is_file():
        cases = read_manifest(root / "labels.csv", target_column="findings")
    else:
        cases = _published(root)
    for case in cases:
        findings_of(case, LABELS)  # raises for a row that cannot be used
    repeated = copies_of(root.name)
    return [case for case in cases if case.files[0] not in repeated]


def _published(root: Path) -> list[Case]:
    """ChestX-ray14 in its own layout (Wang et al. 2017); of two tables the newer one, v2020, whose labels hold."""
    tables = sorted(root.glob(CHEST_XRAY14_TABLES))
    if not tables:
        raise ManifestError(
            f"{root.name} holds neither labels.csv (file, findings) nor {CHEST_XRAY14_TABLES} of "
            "ChestX-ray14. Give the folder that holds one of them."
        )
    header, rows = read_table(tables[-1], _COLUMNS)
    index, findings, patient = (header.index(name) for name in _COLUMNS)
    places = {file.name: file.relative_to(root).as_posix() for file in _images(root)}
    parts = chest_xray14_parts(root)
    cases = []
    for number, cells in rows:
        whole = cells + [""] * (len(header) - len(cells))
        file = places.get(whole[index])
        if file is not None:
            row = {"file": file, "split": parts.get(whole[index], "")}
            cases.append(Case((file,), whole[findings].strip(), whole[patient].strip() or None, None, row, number))
    if not cases:
        raise ManifestError(
            f"None of the images that {tables[-1].name} names lies in images_001/images to images_012/images or in "
            "images. Unpack the archives beside the table."
        )
    return cases


def _images(root: Path) -> list[Path]:
    return [*sorted(root.glob("images_*/images/*.png")), *sorted(root.glob("images/*.png"))]


def unlabelled_cases(root: Path) -> list[Case]:
    """Radiographs of a folder that may be learned from without labels: its training part, or all where it has no parts.

    Nobody who is in another part of the set is among them, nor an image that repeats another one (train.audit_split),
    so that none repeats an image that reports.

    Args:
        root: a folder with labels.csv (file, and where given patient_id and split), or ChestX-ray14 as published, all
            of frontal chests.

    Raises:
        ManifestError: as labelled_cases, but findings are not looked at.
    """
    table = root / "labels.csv"
    cases = read_manifest(table, target_column=None) if table.is_file() else _published(root)
    for case in cases:
        if case.problem:
            raise ManifestError(case.problem)
    repeated = copies_of(root.name)
    return [case for case in training_part(cases) if case.files[0] not in repeated]


def training_part(cases: Sequence[Case]) -> list[Case]:
    """Those of the given training part whose patient is in no other part; all of them where no part is given."""
    if not any(case.split for case in cases):
        return list(cases)
    elsewhere = {case.patient for case in cases if case.split not in (None, TRAINING)} - {None}
    return [case for case in cases if case.split == TRAINING and case.patient not in elsewhere]


def without_patient(case: Case) -> Case:
    """The same case, of whom nobody knows whose it is: for a division by image."""
    return replace(case, patient=None)
