"""Hand radiographs with a bone age and the sex, from the layouts in which they are published or kept.

Nothing is opened but the tables, and folders are listed.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cxrkit.bone_age import CLASS_AGES, Sex
from cxrkit.errors import ManifestError
from cxrkit.table import cells_by_name, read_table

TRAINING, REPORTING = ("train", "training"), ("val", "valid", "validation", "test")
"""Names of the part that is learned from, and of those that only report."""

_OLDEST = float(CLASS_AGES[-1])
_SEXES: Mapping[str, Sex] = {"f": "F", "female": "F", "girl": "F", "m": "M", "male": "M", "boy": "M"}
_MALE: Mapping[str, Sex] = {"true": "M", "1": "M", "false": "F", "0": "F"}

_LAYOUTS = (
    "a table with the columns file, age_months and sex, or a folder whose labels.csv is one; labels.csv with id, "
    "age_months, sex, file_100 and file_512; boneage-training-dataset.csv (id, boneage, male) beside the folder of "
    "its PNG images"
)


@dataclass(frozen=True)
class Hand:
    """One child's hand.

    Attributes:
        identity: of the image; the same picture at two sizes is one hand.
        months: bone age.
        sex: of the child.
        small: the file at 100 pixels, squashed to a square; None = there is none.
        large: the file as it was taken, or nearly; None = there is none.
        patient: whose hand; the identity where it is not known.
        reports: whether the given split sets it aside; None = no split is given.
    """

    identity: str
    months: float
    sex: Sex
    small: str | None
    large: str | None
    patient: str
    reports: bool | None


@dataclass(frozen=True)
class HandSet:
    """One data set.

    Attributes:
        name: of its folder.
        root: what the files' paths are relative to.
        hands: in the order of the table.
    """

    name: str
    root: Path
    hands: tuple[Hand, ...]


def read_hands(path: Path) -> HandSet:
    """A data set in any of the known layouts.

    Args:
        path: table or folder.

    Raises:
        ManifestError: no known layout (the message lists them), or a table that cannot be used; training stops at
            the first unusable row.
    """
    if path.is_file():
        return _set(path.parent, _plain(path))
    if (path / "labels.csv").is_file():
        return _set(path, _labelled(path / "labels.csv"))
    table = _beneath(path, "boneage-training-dataset.csv")
    if table is not None:
        return _set(path, _challenge(path, table))
    raise ManifestError(f"The folder holds no hands in a known layout. Looked for: {_LAYOUTS}.")


def _set(root: Path, hands: Sequence[Hand]) -> HandSet:
    seen: set[str] = set()
    for hand in hands:
        if hand.identity in seen:
            raise ManifestError("The table names the same hand in two rows. Keep one row for each hand.")
        seen.add(hand.identity)
    splits = {hand.reports is None for hand in hands}
    if len(splits) > 1:
        raise ManifestError("The column split is filled in some rows and empty in others. Fill it in all rows or none.")
    return HandSet(root.resolve().name, root, tuple(hands))


def _labelled(table: Path) -> list[Hand]:
    """labels.csv: with file_100 and file_512, else as a plain table."""
    try:
        rows = list(_rows(table, ("id", "age_months", "sex", "file_100", "file_512")))
    except ManifestError:
        return _plain(table)
    hands = []
    for where, row in rows:
        small, large = row["file_100"] or None, row["file_512"] or None
        if small is None and large is None:
            raise ManifestError(f"{where} names no file. Write the file's path relative to the table's folder.")
        hands.append(_hand(where, row, row["id"], small, large))
    return hands


def _plain(table: Path) -> list[Hand]:
    """file, age_months, sex; where present patient_id and split. All images count as large."""
    hands = []
    for where, row in _rows(table, ("file", "age_months", "sex")):
        if not row["file"]:
            raise ManifestError(f"{where} names no file. Write the file's path relative to the table's folder.")
        hands.append(_hand(where, row, row["file"], None, row["file"]))
    return hands


def _hand(where: str, row: Mapping[str, str], identity: str, small: str | None, large: str | None) -> Hand:
    return Hand(
        identity=identity,
        months=_months(where, row["age_months"]),
        sex=_sex(where, row["sex"]),
        small=small,
        large=large,
        patient=row.get("patient_id", "") or identity,
        reports=_reports(where, row.get("split", "")),
    )


def _challenge(root: Path, training: Path) -> list[Hand]:
    """RSNA 2017 bone age challenge, as its organisers give it: the validation part is there or not.

    Its images are folder/ID.png; some copies have the folder twice, one in the other, or the validation part in two.
    """
    hands = list(_images(root, training, "boneage-training-dataset", ("id", "boneage", "male"), reports=False))
    for name in ("boneage-validation-dataset.csv", "Validation Dataset.csv"):
        table = _beneath(root, name)
        if table is not None:
            columns = ("Image ID", "Bone Age (months)", "male")
            hands += _images(root, table, "boneage-validation-dataset", columns, reports=True)
            return hands
    # Without a part that reports, one is drawn.
    return [Hand(**(vars(hand) | {"reports": None})) for hand in hands]


def _images(root: Path, table: Path, folder: str, columns: tuple[str, str, str], *, reports: bool) -> Iterator[Hand]:
    files = {
        path.stem: path.relative_to(root).as_posix()
        for place in sorted({*root.glob(f"{folder}*"), *root.glob(f"*/{folder}*")})
        if place.is_dir()
        for path in sorted([*place.glob("*.png"), *place.glob("*/*.png")])
    }
    identity, months, male = columns
    for where, row in _rows(table, columns):
        if row[identity] not in files:
            raise ManifestError(f"The image of {where.lower()} is missing: its PNG has to lie in a folder {folder}.")
        sex = _MALE.get(row[male].casefold())
        if sex is None:
            raise ManifestError(f"{where} does not say whether the child is male. Write True or False.")
        yield Hand(
            row[identity],
            _months(where, row[months]),
            sex,
            None,
            files[row[identity]],
            patient=row[identity],
            reports=reports,
        )


def _beneath(root: Path, name: str) -> Path | None:
    """A file directly below a folder or one level deeper."""
    return next((path for path in (root / name, *sorted(root.glob(f"*/{name}"))) if path.is_file()), None)


def _rows(table: Path, needed: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """("Row 2", column -> text) of each row."""
    header, rows = read_table(table, needed)
    for number, cells in rows:
        yield f"Row {number}", cells_by_name(header, cells, f"Row {number}")


def _months(where: str, text: str) -> float:
    try:
        months = float(text)
    except ValueError:
        months = math.nan
    if not 0 <= months <= _OLDEST:
        raise ManifestError(
            f"{where} has no bone age that can be used. Write it in months, from 0 to {_OLDEST:g}, such as 94."
        )
    return months


def _sex(where: str, text: str) -> Sex:
    sex = _SEXES.get(text.casefold())
    if sex is None:
        raise ManifestError(f"{where} has no sex that can be used. Write F or M.")
    return sex


def _reports(where: str, text: str) -> bool | None:
    name = text.casefold()
    if name and name not in TRAINING + REPORTING:
        raise ManifestError(f"{where} is in an unknown part. Write one of: {', '.join(TRAINING + REPORTING)}.")
    return name in REPORTING if name else None
