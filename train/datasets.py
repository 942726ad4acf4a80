"""Public tuberculosis data sets in their own folder layouts -> cases (positive class: tuberculosis = 1); given parts.

Nothing is opened but the table of a manifest: a file's name tells its class.
"""

import re
from pathlib import Path

from cxrkit.cases import Case, class_index, read_manifest
from cxrkit.errors import ManifestError
from cxrkit.tasks.tuberculosis import LABELS

DIVISION = 0
"""Seed of every division by patient: one for all commands, or what a training starts from would have learned from what
another part of it reports. A run's own seed decides initialisation and draws."""

TRAINING = "train"
"""In the column `split`: is learned from. Every other named part reports."""

CHEST_XRAY14_TABLES = "Data_Entry_2017*.csv"
"""Of ChestX-ray14 as it is published; of several the last by name is the newest: "_v2020.csv" sorts behind ".csv"."""

_CHEST_XRAY14 = {"train_val_list.txt": TRAINING, "test_list.txt": "test"}

_RAHMAN = {
    "Normal": re.compile(r"Normal-(\d+)\.png", re.IGNORECASE),
    "Tuberculosis": re.compile(r"Tuberculosis-(\d+)\.png", re.IGNORECASE),
}
_NLM = {
    "shenzhen": re.compile(r"CHNCXR_(\d+)_([01])\.png", re.IGNORECASE),
    "montgomery": re.compile(r"MCUCXR_(\d+)_([01])\.png", re.IGNORECASE),
}

_LAYOUTS = (
    "labels.csv with the columns file and target (0 = normal, 1 = tuberculosis); "
    "the folders Normal and Tuberculosis with Normal-1.png and Tuberculosis-1.png (Tuberculosis Chest X-ray Database); "
    "a folder CXR_png with CHNCXR_0001_0.png (Shenzhen) or MCUCXR_0001_0.png (Montgomery)"
)


def tuberculosis_cases(root: Path) -> list[Case]:
    """Cases of whichever known layout a folder has; a labels.csv goes before all others.

    The Shenzhen and Montgomery sets may lie side by side. They may not lie beside the Tuberculosis Chest X-ray
    Database, whose tuberculosis images partly come from them: one image would be in two parts.

    Args:
        root: the folder; `Case.files` are relative to it.

    Raises:
        ManifestError: no known layout (the message lists what was looked for), two that must not be mixed, or a
            labels.csv that cannot be used.
    """
    if (root / "labels.csv").is_file():
        return manifest_cases(root / "labels.csv")
    database, nlm = rahman_cases(root), shenzhen_cases(root) + montgomery_cases(root)
    if database and nlm:
        raise ManifestError(
            "The folder holds the Tuberculosis Chest X-ray Database and the Shenzhen or Montgomery set, which share "
            "images. Give the folder of one of them."
        )
    if not database and not nlm:
        raise ManifestError(f"The folder holds no data set in a known layout. Looked for: {_LAYOUTS}.")
    return database or nlm


def manifest_cases(path: Path) -> list[Case]:
    """Cases of a table with the columns file and target, and where present family, split and patient_id.

    Unlike an evaluation, training stops at the first unusable row.

    Args:
        path: CSV; its paths are relative to the folder that will be given as root.

    Raises:
        ManifestError: as `cxrkit.cases.read_manifest`, or a row without a file or with another target than 0 or 1
            (or normal or tuberculosis).
    """
    cases = read_manifest(path)
    for case in cases:
        class_index(case, LABELS)
    return cases


def rahman_cases(root: Path) -> list[Case]:
    """Tuberculosis Chest X-ray Database (Rahman et al., IEEE Access 8, 191586, 2020); [] where it is not there.

    Its two classes come from different sources, so each is a family of its own: rahman_normal and rahman_tb.
    Patients are not known.

    Args:
        root: the folder that holds the folders Normal and Tuberculosis, or the one above.
    """
    cases = []
    for target, (folder, family) in enumerate((("Normal", "rahman_normal"), ("Tuberculosis", "rahman_tb"))):
        for path, _ in _matching(root, folder, _RAHMAN[folder]):
            cases.append(_case(root, path, str(target), family, patient=None))
    return cases


def shenzhen_cases(root: Path) -> list[Case]:
    """Shenzhen Hospital X-ray set (Jaeger et al. 2014); [] where it is not there.

    One family, shenzhen, holds both classes. One patient a number.

    Args:
        root: the folder that holds the folder CXR_png, or the one above.
    """
    return _nlm_cases(root, "shenzhen")


def montgomery_cases(root: Path) -> list[Case]:
    """Montgomery County X-ray set (Jaeger et al. 2014); [] where it is not there.

    One family, montgomery, holds both classes. One patient a number.

    Args:
        root: the folder that holds the folder CXR_png, or the one above.
    """
    return _nlm_cases(root, "montgomery")


def _nlm_cases(root: Path, family: str) -> list[Case]:
    return [
        _case(root, path, match[2], family, patient=f"{family}-{match[1]}")
        for path, match in _matching(root, "CXR_png", _NLM[family])
    ]


def _matching(root: Path, folder: str, pattern: re.Pattern[str]) -> list[tuple[Path, re.Match[str]]]:
    """Images of this name pattern in folders of this name, directly below the root or one level deeper, by number.

    Only there, because the masks of the Montgomery set have the same file names as its images.
    """
    found = []
    for place in sorted([*root.glob(folder), *root.glob(f"*/{folder}")]):
        for path in place.iterdir() if place.is_dir() else ():
            match = pattern.fullmatch(path.name)
            if match:
                found.append((path, match))
    return sorted(found, key=lambda entry: (entry[0].parent, int(entry[1][1]), entry[0].name))


def _case(root: Path, path: Path, target: str, family: str, patient: str | None) -> Case:
    file = path.relative_to(root).as_posix()
    row = {"file": file, "target": target, "family": family}
    if patient is not None:
        row["patient_id"] = patient
    return Case(files=(file,), target=target, patient=patient, family=family, row=row)


def chest_xray14_parts(root: Path) -> dict[str, str]:
    """File name -> part, by the lists that ChestX-ray14 is published with (Wang et al. 2017); {} where there is none.

    An image that no list names is left to nobody and has no part.
    """
    found: dict[str, str] = {}
    for name, part in _CHEST_XRAY14.items():
        if (root / name).is_file():
            found |= dict.fromkeys((root / name).read_text(encoding="utf-8").split(), part)
    return found
