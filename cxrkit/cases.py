"""Cases: what is to be analysed, what is true of it, and whose it is. Manifests, and splits without shared patients."""

import hashlib
import math
import os
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath

from cxrkit.errors import InputError, ManifestError
from cxrkit.table import known_names, read_table


@dataclass(frozen=True)
class Case:
    """One row of a table: one image, or a pair.

    Attributes:
        files: paths relative to a root folder, in the order of the task's inputs; see `resolve`.
        target: the truth as the table writes it ("1", "tuberculosis", "94", "Edema|Effusion"); empty = not given.
            See `class_index`.
        patient: whose image it is; None = not known.
        family: the source that it comes from, where a data set is pieced together; None = not known.
        row: all columns of the table as text, in its order.
        number: row in the table as a spreadsheet counts it (the header is row 1); 0 = the case is of no table.
        problem: why this row cannot be used, as a sentence; empty = it can. `resolve` and `class_index` refuse it,
            so that one bad row does not stop the others.
    """

    files: tuple[str, ...]
    target: str
    patient: str | None = None
    family: str | None = None
    row: Mapping[str, str] = field(default_factory=dict, hash=False)
    number: int = 0
    problem: str = ""

    @property
    def split(self) -> str | None:
        """The given part ("train", "test" ...) of the column `split`; None = not given."""
        return self.row.get("split", "").strip() or None


def read_manifest(
    path: Path,
    *,
    file_columns: Sequence[str] = ("file",),
    target_column: str | None = "target",
    patient_column: str = "patient_id",
    family_column: str = "family",
) -> list[Case]:
    """Read a table of cases; see `cxrkit.table` for its form.

    Args:
        path: the table.
        file_columns: columns that hold a file each, in the order of the task's inputs.
        target_column: column of the truth; None = there is none.
        patient_column, family_column: used where the table has them. They, "sex" and "split" may be written otherwise,
            such as "Patient ID" or "Sex", and are then called so in the rows.

    Returns:
        Cases in the table's order; those of unusable rows carry a `problem`.

    Raises:
        ManifestError: the table cannot be opened or read, lacks a column (the message names it), names one twice, or
            has no row.
    """
    needed = (*file_columns, *(() if target_column is None else (target_column,)))
    header, rows = read_table(path, needed)
    header = known_names(header, (patient_column, family_column, "sex", "split"))
    cases = []
    for number, cells in rows:
        row = dict(zip(header, cells + [""] * (len(header) - len(cells)), strict=False))
        files = tuple(row[column].strip() for column in file_columns)
        cases.append(
            Case(
                files=files,
                target="" if target_column is None else row[target_column].strip(),
                patient=row.get(patient_column, "").strip() or None,
                family=row.get(family_column, "").strip() or None,
                row=row,
                number=number,
                problem=_problem(number, header, cells, files),
            )
        )
    return cases


def resolve(case: Case, root: Path) -> tuple[Path, ...]:
    """The case's files below a root folder.

    Args:
        case: its files are relative paths.
        root: folder that must hold them.

    Returns:
        Absolute paths of existing regular files, links followed, in the order of `case.files`.

    Raises:
        ManifestError: the row is unusable (`case.problem`).
        InputError: the root is no folder; or a path is absolute, contains "..", leaves the root through a link, or
            is no file.
    """
    if case.problem:
        raise ManifestError(case.problem)
    check_root(root)
    return tuple(_below(Path(os.path.realpath(root)), name, _where(case)) for name in case.files)


def check_root(root: Path) -> None:
    """Raise InputError if the root folder of a table is no folder."""
    if not os.path.isdir(root):
        raise InputError(
            "The root folder does not exist or is no folder. Give the folder that the table's paths start in."
        )


def class_index(case: Case, labels: Sequence[str]) -> int:
    """Index of the case's class among a task's labels.

    Args:
        case: its target is an index ("0", "1" ...) or a label, in any case of letters, with "_" or "-" for a blank;
            where the first of two classes denies ("normal", "no change") also no, false, yes and true.
        labels: the task's labels in order.

    Raises:
        ManifestError: the row is unusable, or its target is neither.
    """
    if case.problem:
        raise ManifestError(case.problem)
    wanted = _pointed(case.target.casefold())
    # Software that holds a column with gaps as floats writes 1 as 1.0.
    known = {text: index for index in range(len(labels)) for text in (f"{index}", f"{index}.0")}
    if len(labels) == 2 and labels[0].startswith("no"):
        known |= {"no": 0, "false": 0, "yes": 1, "true": 1}
    names = [_blanked(label) for label in labels]
    if _blanked(wanted) in names:
        return names.index(_blanked(wanted))
    if wanted in known:
        return known[wanted]
    choices = ", ".join(f"{index} ({label})" for index, label in enumerate(labels))
    found = "is empty" if not wanted else "is none of the task's classes"
    raise ManifestError(f"The target of {_where(case)} {found}. Write one of: {choices}.")


def _pointed(text: str) -> str:
    """A number with a decimal comma, as half of the world writes it, with a point; other text as it is."""
    return text.replace(",", ".") if re.fullmatch(r"\d+,\d+", text) else text


def _blanked(label: str) -> str:
    return label.casefold().translate({ord("_"): " ", ord("-"): " "})


def target_number(case: Case, low: float, high: float, unit: str) -> float:
    """The case's target where it is a number, such as an age.

    Args:
        case: its target is a number with a decimal point or comma.
        low, high: range that it has to lie in, ends included.
        unit: in words, for the message.

    Raises:
        ManifestError: the row is unusable, or its target is no such number.
    """
    if case.problem:
        raise ManifestError(case.problem)
    try:
        value = float(_pointed(case.target))
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise ManifestError(
            f"The target of {_where(case)} is no number from {low:g} to {high:g}. Write it in {unit}, such as 94."
        )
    return value


def split_by_patient(
    cases: Sequence[Case],
    fractions: Sequence[float],
    seed: int = 0,
    stratify: Callable[[Case], object] | None = None,
) -> tuple[list[Case], ...]:
    """Divide cases so that no patient is in two parts and the strata are spread evenly.

    Images of unknown patients count as a patient each; the same files listed twice stay together. The result depends
    on the seed and the cases alone, not on their order or on the machine.

    Args:
        cases: all of one data set.
        fractions: wanted share of the cases in each part, above 0, summing to 1.
        seed: another seed, another division.
        stratify: case -> key with a stable repr; None = its target.

    Returns:
        One list for each fraction, in the order of `cases`; shares hold up to about one patient a stratum.

    Raises:
        InputError: fractions that are no division, or too few patients to fill every part.
    """
    if not fractions or min(fractions) <= 0 or abs(sum(fractions) - 1) > 1e-9:
        raise InputError("The parts of a split have to be shares above 0 that sum to 1, such as 0.8 and 0.2.")
    key = stratify if stratify is not None else _target
    groups: dict[str, list[int]] = {}
    for position, case in enumerate(cases):
        groups.setdefault(_owner(case), []).append(position)

    def order(owner: str) -> tuple[str, str]:
        stratum = sorted({repr(key(cases[position])) for position in groups[owner]})
        return repr(stratum), hashlib.sha256(f"{seed}:{owner}".encode()).hexdigest()

    sizes = [0] * len(fractions)
    part_of: dict[int, int] = {}
    # Dealt out stratum by stratum, each patient to the part that is furthest behind its share of those dealt so far.
    for owner in sorted(groups, key=order):
        dealt = sum(sizes) + len(groups[owner])
        behind = [round(share * dealt - size, 9) for share, size in zip(fractions, sizes, strict=True)]
        part = behind.index(max(behind))
        sizes[part] += len(groups[owner])
        part_of |= dict.fromkeys(groups[owner], part)
    if 0 in sizes:
        raise InputError(
            f"{len(groups)} patients are too few to fill {len(fractions)} parts of these shares. Add cases."
        )
    return tuple(
        [case for position, case in enumerate(cases) if part_of[position] == part] for part in range(len(fractions))
    )


def carve(cases: Sequence[Case], fraction: float, seed: int = 0) -> tuple[list[Case], list[Case]]:
    """Carve a validation part out of a training part: by patient where known, stratified by target and family.

    Args:
        cases: the training part.
        fraction: share to carve out, in (0, 1).
        seed: another seed, another division.

    Returns:
        (what stays, what was carved out).

    Raises:
        InputError: a fraction out of range, or too few patients.
    """
    if not 0 < fraction < 1:
        raise InputError(f"The share to carve out is {fraction:g}; it has to lie between 0 and 1, such as 0.1.")
    stays, carved = split_by_patient(
        cases, (1 - fraction, fraction), seed, stratify=lambda case: (case.target, case.family)
    )
    return stays, carved


def _target(case: Case) -> object:
    return case.target


def _owner(case: Case) -> str:
    return repr(("patient", case.patient)) if case.patient is not None else repr(("files", case.files))


def _where(case: Case) -> str:
    return f"row {case.number}" if case.number else "this case"


def _problem(number: int, header: Sequence[str], cells: Sequence[str], files: Sequence[str]) -> str:
    extra = [cell for cell in cells[len(header) :] if cell.strip()]
    if extra:
        return (
            f"Row {number} has {len(header) + len(extra)} cells for {len(header)} columns. Put text that holds the "
            "separator in quotation marks."
        )
    if not all(files):
        return f"Row {number} names no file. Write the file's path relative to the root folder."
    return ""


def _below(root: Path, name: str, where: str) -> Path:
    parts = (PurePosixPath(name), PureWindowsPath(name))
    if any(path.anchor for path in parts):
        raise InputError(f"The path in {where} is absolute. Write it relative to the root folder.")
    if "\0" in name or any(".." in path.parts for path in parts):
        raise InputError(
            f"The path in {where} leads out of the root folder. Write it relative to the root folder and without '..'."
        )
    if "\\" in name and not os.path.isfile(root / name):
        name = name.replace("\\", "/")  # written by Windows
    # macOS takes a letter's accent apart, and others do not.
    forms = (unicodedata.normalize(form, name) for form in ("NFC", "NFD"))
    name = next((form for form in (name, *forms) if os.path.isfile(root / form)), name)
    # realpath, because Path.resolve raises on a loop of links.
    path = Path(os.path.realpath(root / name))
    if not path.is_relative_to(root):
        raise InputError(
            f"The path in {where} leads out of the root folder through a link. Copy the file into the folder."
        )
    if not os.path.isfile(path):
        raise InputError(f"The file of {where} is not in the root folder. Check path, capital letters and root folder.")
    return path
