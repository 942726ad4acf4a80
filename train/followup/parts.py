"""Data folders of the follow-up network, and which of their patients train, choose and report.

Nothing else decides that: whatever learns from images, or measures on them, asks `divide`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from cxrkit.cases import Case, read_manifest, split_by_patient
from cxrkit.errors import ManifestError
from train.audit_split.copies import copies_of
from train.audit_split.duplicates import groups_of
from train.datasets import CHEST_XRAY14_TABLES, DIVISION
from train.followup.pairs import ABNORMAL, chest_xray14_pairs, chexpert_pairs, table_pairs

CARVED = 0.1
"""Share of the training patients that choose threshold, temperature and the best epoch."""

ASIDE = 0.5
"""Share of the patients that report, in a set without a given split; a given one decides for itself."""

TRAINING_SPLITS = ("", "train")
_NOTHING = "No Finding"
_LAYOUTS = (
    "a table of pairs (baseline, followup, change); a folder with labels.csv (file, and findings, target or "
    "offset_days); ChestX-ray14 with Data_Entry_2017*.csv; CheXpert with train.csv or valid.csv"
)


@dataclass(frozen=True)
class ImageSet:
    """One data set.

    Attributes:
        name: of its folder, or of the table of pairs.
        root: what the files' paths are relative to.
        images: one case of one file each; target "1" = abnormal, "0" = normal, "" = unknown; patient always given.
        pairs: labelled pairs of two of these files; empty where no change label is known.
        certain: whether people labelled the change; otherwise it follows from findings and is weak.
        days: whether the column offset_days orders a patient's images.
    """

    name: str
    root: Path
    images: tuple[Case, ...]
    pairs: tuple[Case, ...] = ()
    certain: bool = False
    days: bool = False


@dataclass(frozen=True)
class Parts:
    """The images of one set, without a patient in two parts.

    Attributes:
        training: are learned from.
        carved: choose threshold, temperature and the best epoch.
        aside: only report.
    """

    training: tuple[Case, ...]
    carved: tuple[Case, ...]
    aside: tuple[Case, ...]


def read_set(path: Path) -> ImageSet:
    """A data set in any of the known layouts; images that repeat another one (train.audit_split) are left out.

    Raises:
        ManifestError: no known layout (the message lists them), or a table that cannot be used.
    """
    if path.is_file():
        return _of_pairs(path.stem, path.parent, table_pairs(path), certain=True)
    if (path / "labels.csv").is_file():
        return _of_labels(path)
    if any(path.glob(CHEST_XRAY14_TABLES)):
        return _of_pairs(path.name, path, chest_xray14_pairs(path))
    if _is_chexpert(path):
        return _of_pairs(path.name, path, chexpert_pairs(path))
    raise ManifestError(f"{path.name} holds no data set in a known layout. Looked for: {_LAYOUTS}.")


def has_layout(path: Path) -> bool:
    """Whether `read_set` knows what a path holds by its names."""
    return (
        path.is_file() or (path / "labels.csv").is_file() or any(path.glob(CHEST_XRAY14_TABLES)) or _is_chexpert(path)
    )


def _is_chexpert(path: Path) -> bool:
    names = [f"{folder}{name}.csv" for folder in ("", "*/") for name in ("train", "valid")]
    return any(file.is_file() for name in names for file in path.glob(name))


def divide(images: ImageSet, seed: int = DIVISION) -> Parts:
    """Divide a set by patient: a given split's training part learns, else a half; of that a tenth is carved out.

    The division depends on the seed and the set alone. Images of unknown patients count as a patient each.

    Raises:
        InputError: too few patients.
    """
    cases = images.images
    if any(case.split for case in cases):
        learning = [case for case in cases if (case.split or "") in TRAINING_SPLITS]
        # Some given splits are by image: whoever is in another part does not learn.
        reporting = {case.patient for case in cases if (case.split or "") not in TRAINING_SPLITS}
        learning = [case for case in learning if case.patient not in reporting]
        aside = [case for case in cases if (case.split or "") not in TRAINING_SPLITS]
    else:
        learning, aside = _split(cases, ASIDE, seed)
    training, carved = _split(learning, CARVED, seed)
    return Parts(tuple(training), tuple(carved), tuple(aside))


def _split(cases: Sequence[Case], share: float, seed: int) -> tuple[list[Case], list[Case]]:
    """Patients with few and with many images are spread evenly, because only the latter have pairs."""
    images = Counter(case.patient for case in cases)
    most, rest = split_by_patient(
        cases, (1 - share, share), seed, lambda case: (images[case.patient].bit_length(), case.family, case.target)
    )
    return most, rest


def pairs_within(images: ImageSet, part: Sequence[Case]) -> list[Case]:
    """The labelled pairs of a set whose two images are both in a part."""
    files = {case.files[0] for case in part}
    return [pair for pair in images.pairs if files.issuperset(pair.files)]


def successive(part: Sequence[Case]) -> list[tuple[Case, Case, float]]:
    """Each patient's images one after the other, and the days between them.

    Images of one day count in the order of the table, 0 days apart.
    """
    found = []
    for first, second in pairwise(sorted(part, key=lambda case: (case.patient or "", _day(case)))):
        if first.patient == second.patient:
            found.append((first, second, _day(second) - _day(first)))
    return found


def _day(case: Case) -> float:
    return float(case.row["offset_days"])


def _of_labels(folder: Path) -> ImageSet:
    cases = read_manifest(folder / "labels.csv", target_column=None)
    for case in cases:
        if case.problem:
            raise ManifestError(case.problem)
    repeated = copies_of(folder.name)
    images = tuple(
        replace(case, target=_abnormal(case), patient=case.patient or case.files[0], family=case.family or folder.name)
        for case in cases
        if case.files[0] not in repeated
    )
    columns = set(images[0].row)
    pairs = tuple(chest_xray14_pairs(folder)) if {"findings", "follow_up", "patient_id"} <= columns else ()
    return ImageSet(folder.name, folder, images, pairs, days={"offset_days", "patient_id"} <= columns)


def _abnormal(case: Case) -> str:
    if "findings" in case.row:
        return str(int(set(case.row["findings"].split("|")) - {"", _NOTHING} != set()))
    return case.row.get("target", "").strip()


def _of_pairs(name: str, root: Path, pairs: Sequence[Case], *, certain: bool = False) -> ImageSet:
    """A set of which only the images of its pairs are known."""
    images: dict[str, Case] = {}
    places: dict[str, int] = {}
    for pair in pairs:
        for file, label in zip(pair.files, ABNORMAL, strict=True):
            target = pair.row.get(label, "")
            row = {"file": file, "split": pair.row.get("split", "")} | ({"target": target} if target else {})
            images.setdefault(file, Case((file,), target, pair.patient, name, row))
            places.setdefault(file, len(places))
    # Whoever is in one pair is one patient, through other pairs too, in whatever order they stand.
    groups = groups_of([(places[one], places[other]) for one, other in (pair.files for pair in pairs)], len(places))
    firsts = {group: file for file, group in reversed(list(zip(places, groups.tolist(), strict=True)))}
    for file, group in zip(places, groups.tolist(), strict=True):
        images[file] = replace(images[file], patient=images[file].patient or firsts[group])
    return ImageSet(name, root, tuple(images.values()), tuple(pairs), certain)
