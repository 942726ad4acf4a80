"""Data sets of follow-up pairs in their own layouts -> cases of two files. Target: "1" = change, "0" = none.

Where a set states findings and no change, the label is weak: change means that the set of findings differs.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pandas as pd

from cxrkit.cases import Case, read_manifest
from cxrkit.errors import ManifestError
from train.datasets import CHEST_XRAY14_TABLES, chest_xray14_parts

FILES = ("baseline", "followup")
ABNORMAL = ("baseline_abnormal", "followup_abnormal")
_UNLISTED = "in no list"
_NO_FINDING = "No Finding"
# Not a finding of the patient's: whether a device is there says nothing of the disease.
_NOT_FINDINGS = {_NO_FINDING, "Support Devices"}
_CHEXPERT_TABLES = ("train.csv", "valid.csv")


@dataclass(frozen=True)
class _Image:
    """One frontal image.

    Attributes:
        file: relative to the set's root.
        patient: whose it is.
        order: place among the patient's images.
        sure: findings that are there.
        unsure: findings that may be there.
        row: split and whatever else the pair should keep.
    """

    file: str
    patient: str
    order: int
    sure: frozenset[str]
    unsure: frozenset[str]
    row: Mapping[str, str]


def table_pairs(path: Path) -> list[Case]:
    """Pairs of a table: baseline, followup, change, and where given baseline_abnormal, followup_abnormal, patient_id.

    Args:
        path: CSV; its files are relative to the folder that is given as root.

    Raises:
        ManifestError: as `cxrkit.cases.read_manifest`; or a row lacks a file, or a label is neither 0 nor 1. Whether an
            image is abnormal may be empty, for not known.
    """
    cases = read_manifest(path, file_columns=FILES, target_column="change")
    for case in cases:
        if case.problem:
            raise ManifestError(case.problem)
        labels = {"change": case.target} | {name: case.row[name].strip() for name in ABNORMAL if name in case.row}
        for name, value in labels.items():
            if value not in ("0", "1") and (value or name == "change"):
                unknown = "" if name == "change" else ", and nothing where it is not known"
                raise ManifestError(f"Row {case.number}: {name} is “{value}”; write 0 for no and 1 for yes{unknown}.")
    return cases


def chest_xray14_pairs(root: Path) -> list[Case]:
    """Consecutive frontals of one patient of NIH ChestX-ray14 (Wang et al. 2017), all of which are frontal.

    Args:
        root: a folder with Data_Entry_2017*.csv and the images anywhere below it, or with labels.csv (file, patient_id,
            follow_up, findings, and where given split). Beside the former, train_val_list.txt and test_list.txt give
            the parts, and who is in none learns nothing.

    Raises:
        ManifestError: neither table is there, or it lacks a column.
    """
    if (root / "labels.csv").is_file():
        images = _nih_subset(root / "labels.csv")
    else:
        tables = sorted(root.glob(CHEST_XRAY14_TABLES))
        if not tables:
            raise ManifestError(f"The folder holds neither labels.csv nor {CHEST_XRAY14_TABLES} of ChestX-ray14.")
        images = _nih_original(tables[-1], root)
    return _consecutive(images)


def chexpert_pairs(root: Path) -> list[Case]:
    """Frontals of consecutive studies of one patient of CheXpert (Irvin et al. 2019).

    A finding marked uncertain (-1) is neither there nor absent: a pair that differs in such findings alone is left out.

    Args:
        root: the folder CheXpert-v1.0 or CheXpert-v1.0-small, or the one above, with train.csv or valid.csv.

    Raises:
        ManifestError: no table is there, or it lacks a column.
    """
    tables = [path for name in _CHEXPERT_TABLES for path in (*root.glob(name), *root.glob(f"*/{name}"))]
    if not tables:
        raise ManifestError(f"The folder holds no {' or '.join(_CHEXPERT_TABLES)} of CheXpert.")
    return _consecutive([image for path in sorted(tables) for image in _chexpert(path, root)])


def _read(path: Path, needed: Sequence[str]) -> pd.DataFrame:
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    missing = [name for name in needed if name not in table.columns]
    if missing:
        raise ManifestError(f"{path.name} lacks the column {', '.join(missing)}.")
    return table


def _nih_subset(path: Path) -> list[_Image]:
    table = _read(path, ("file", "patient_id", "follow_up", "findings"))
    splits = table["split"] if "split" in table.columns else [""] * len(table)
    return [
        _Image(file, patient, int(order), _findings(findings), frozenset(), {"split": split})
        for file, patient, order, findings, split in zip(
            table.file, table.patient_id, table.follow_up, table.findings, splits, strict=True
        )
    ]


def _nih_original(path: Path, root: Path) -> list[_Image]:
    table = _read(path, ("Image Index", "Finding Labels", "Follow-up #", "Patient ID"))
    places = {file.name: file.relative_to(root).as_posix() for file in root.rglob("*.png")}
    parts = chest_xray14_parts(root)
    unlisted = _UNLISTED if parts else ""
    return [
        _Image(
            places[name], patient, int(order), _findings(findings), frozenset(), {"split": parts.get(name, unlisted)}
        )
        for name, findings, order, patient in zip(
            table["Image Index"], table["Finding Labels"], table["Follow-up #"], table["Patient ID"], strict=True
        )
        if name in places
    ]


def _findings(text: str) -> frozenset[str]:
    return frozenset(text.split("|")) - _NOT_FINDINGS


def _chexpert(path: Path, root: Path) -> Iterator[_Image]:
    table = _read(path, ("Path", "Frontal/Lateral", _NO_FINDING))
    columns = [name for name in table.columns[table.columns.get_loc(_NO_FINDING) :] if name not in _NOT_FINDINGS]
    # Paths in the table start with the set's own folder, whatever that is called on disk.
    folder = path.parent.relative_to(root)
    for row in table[table["Frontal/Lateral"] == "Frontal"].to_dict("records"):
        parts = row["Path"].split("/")
        marks = {name: float(row[name] or 0) for name in columns}
        yield _Image(
            (folder / "/".join(parts[1:])).as_posix(),
            parts[2],
            int(parts[3].removeprefix("study")),
            frozenset(name for name, mark in marks.items() if mark == 1),
            frozenset(name for name, mark in marks.items() if mark == -1),
            {"split": parts[1]},
        )


def _consecutive(images: Sequence[_Image]) -> list[Case]:
    """Each patient's images in order; of several with one number only the first one counts."""
    by_patient: dict[str, dict[int, _Image]] = {}
    for image in sorted(images, key=lambda image: (image.patient, image.order, image.file)):
        by_patient.setdefault(image.patient, {}).setdefault(image.order, image)
    cases = []
    for found in by_patient.values():
        following = list(found.values())
        for baseline, follow_up in pairwise(following):
            changed = _changed(baseline, follow_up)
            if changed is not None:
                cases.append(_case(baseline, follow_up, changed))
    return cases


def _changed(baseline: _Image, follow_up: _Image) -> bool | None:
    """Whether the findings differ; None where that rests on uncertain ones."""
    unsure = baseline.unsure | follow_up.unsure
    if (baseline.sure - unsure) != (follow_up.sure - unsure):
        return True
    return None if unsure else False


def _case(baseline: _Image, follow_up: _Image, changed: bool) -> Case:
    target, files = str(int(changed)), (baseline.file, follow_up.file)
    row = dict(zip(FILES, files, strict=True)) | {"change": target, "patient_id": baseline.patient}
    for name, image in zip(ABNORMAL, (baseline, follow_up), strict=True):
        # Of an uncertain finding alone nobody knows.
        row[name] = "1" if image.sure else "" if image.unsure else "0"
    return Case(files=files, target=target, patient=baseline.patient, row=row | dict(baseline.row))
