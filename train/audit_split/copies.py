"""The list of copies that an audit found (copies.csv beside it), and who is in it: for evaluation to leave out."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from cxrkit.table import read_table
from train.audit_split.duplicates import Pair, groups_of
from train.audit_split.sets import Entry

COPIES = Path(__file__).resolve().parent / "copies.csv"
"""Written by python -m train.audit_split over the data sets that the shipped weights were trained and measured on."""

TRAINING_PART = "repeats an image of the training part"
OTHER_FAMILY = "repeats an image of another family"
OTHER_SET = "repeats an image of another set"
REASONS = (TRAINING_PART, OTHER_FAMILY, OTHER_SET)


@dataclass(frozen=True)
class Copy:
    """An image that repeats another one.

    Attributes:
        set: name of its data set, that is, of the set's folder.
        file: its path relative to that folder.
        reason: one of REASONS.
        of_set, of_file: the image that it repeats; one of them where there are several.
    """

    set: str
    file: str
    reason: str
    of_set: str
    of_file: str


def read_copies(table: Path = COPIES) -> list[Copy]:
    """All copies of a list.

    Raises:
        ManifestError: the table cannot be read or lacks a column.
    """
    names = [field.name for field in fields(Copy)]
    header, rows = read_table(table, names)
    return [Copy(*(row[header.index(name)] for name in names)) for _, row in rows]


def copies_of(set_name: str, reasons: Collection[str] = REASONS, table: Path = COPIES) -> frozenset[str]:
    """Files of a data set that an evaluation has to leave out.

    Args:
        set_name: name of the set's folder, such as "tb".
        reasons: which copies: TRAINING_PART for the set's own test part, OTHER_FAMILY where a family was held out,
            OTHER_SET where other sets were trained on.
        table: the list.

    Returns:
        Paths relative to the set's folder; none for a set that is not in the list.
    """
    return frozenset(copy.file for copy in read_copies(table) if copy.set == set_name and copy.reason in reasons)


def list_copies(entries: Sequence[Entry], pairs: Sequence[Pair]) -> list[Copy]:
    """Copies to keep out of an evaluation, sorted; a copy of a copy counts, so that no chain of them leaks.

    Args:
        entries: N images.
        pairs: of positions among them.
    """
    links = [(pair.first, pair.second) for pair in pairs]
    direct = {frozenset(link) for link in links}
    members: dict[int, list[int]] = {}
    for position, group in enumerate(groups_of(links, len(entries)).tolist()):
        members.setdefault(group, []).append(position)
    found: dict[tuple[str, ...], Copy] = {}
    for group in members.values():
        for position in group:
            # Those that it was itself compared with go first.
            near = [other for other in group if frozenset((position, other)) in direct]
            for copy in _copies(entries[position], [entries[other] for other in near + group]):
                found.setdefault((copy.set, copy.file, copy.reason, copy.of_set), copy)
    return sorted(found.values(), key=astuple)


def _copies(entry: Entry, others: Iterable[Entry]) -> Iterator[Copy]:
    for other in others:
        if other.same_case == entry.same_case:
            continue
        if other.set_name != entry.set_name:
            yield Copy(entry.set_name, entry.file, OTHER_SET, other.set_name, other.file)
            continue
        if entry.trains is False and other.trains is True:
            yield Copy(entry.set_name, entry.file, TRAINING_PART, other.set_name, other.file)
        if entry.case.family != other.case.family:
            yield Copy(entry.set_name, entry.file, OTHER_FAMILY, other.set_name, other.file)
