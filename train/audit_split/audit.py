"""The audit of data sets, and its command line."""

import csv
import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Annotated

import typer
from numpy import int64
from numpy.typing import NDArray

from cxrkit.errors import CxrkitError, InputError
from cxrkit.table import LineFeeds
from train.audit_split.confounds import Told, told_from_borders, told_outside_lungs
from train.audit_split.copies import Copy, list_copies
from train.audit_split.duplicates import Pair, compare, copies_among, groups_of
from train.audit_split.findings import Record, record_of
from train.audit_split.report import audit_markdown, check_part, with_audit
from train.audit_split.sets import Pictures, read_pictures, read_sets

PAIR_COLUMNS = ("set", "file", "other_set", "other_file", "hash_bits", "correlation")


@dataclass(frozen=True, eq=False)
class Audit:
    """Everything that was found.

    Attributes:
        pictures: N images.
        pairs: copies, as positions among the images.
        copies: images to keep out of an evaluation.
        record: counts and figures, as JSON.
    """

    pictures: Pictures
    pairs: list[Pair]
    copies: list[Copy]
    record: Record


def audit(paths: Sequence[Path], *, confounds: bool = True) -> Audit:
    """Audit data sets.

    Args:
        paths: manifests and folders, see `train.audit_split.sets.read_sets`.
        confounds: also measure what borders, histogram and all that lies outside the lungs tell.

    Raises:
        ManifestError: a table or folder cannot be used.
        InputError: fewer than two images can be read.
    """
    sets = read_sets(paths)
    pictures = read_pictures(sets)
    compared = compare(pictures.smalls, pictures.digests)
    pairs = copies_among(compared)
    copies = list_copies(pictures.entries, pairs)
    borders: list[Told] = []
    outside: list[Told] = []
    if confounds:
        groups = _together(pictures, pairs)
        borders, outside = list(told_from_borders(pictures, groups)), list(told_outside_lungs(pictures, groups))
    return Audit(pictures, pairs, copies, record_of(sets, pictures, compared, borders, outside, copies))


def _together(pictures: Pictures, pairs: Sequence[Pair]) -> NDArray[int64]:
    """[N] groups that cross-validation must not tear: patients, cases, and copies."""
    links = [(pair.first, pair.second) for pair in pairs]
    first: dict[object, int] = {}
    for position, entry in enumerate(pictures.entries):
        for key in (entry.same_case, entry.patient and ("patient", *entry.patient)):
            if key is not None:
                links.append((first.setdefault(key, position), position))
    return groups_of(links, len(pictures.entries))


def write_copies(copies: Sequence[Copy], file: Path) -> None:
    """Write the list that `train.audit_split.copies` reads."""
    _write_rows(file, [field.name for field in fields(Copy)], [astuple(copy) for copy in copies])


def write_pairs(found: Audit, file: Path) -> None:
    """Write every pair of copies, for a look at them."""
    rows = []
    for pair in found.pairs:
        a, b = found.pictures.entries[pair.first], found.pictures.entries[pair.second]
        rows.append((a.set_name, a.file, b.set_name, b.file, pair.distance, f"{pair.correlation:.3f}"))
    _write_rows(file, PAIR_COLUMNS, rows)


def _write_rows(file: Path, names: Sequence[str], rows: Sequence[tuple[object, ...]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(LineFeeds(stream))
        writer.writerow(names)
        writer.writerows(rows)


def main(
    manifests: Annotated[list[Path], typer.Argument(metavar="MANIFEST", help="CSV tables or folders of data sets.")],
    copies: Annotated[Path | None, typer.Option(help="CSV to write the copies to that evaluation leaves out.")] = None,
    pairs: Annotated[Path | None, typer.Option(help="CSV to write every pair of copies to.")] = None,
    record: Annotated[Path | None, typer.Option("--json", help="File to write counts and figures to.")] = None,
    readme: Annotated[
        Path | None, typer.Option(help="Markdown with a part between <!-- audit --> and <!-- end --> to write anew.")
    ] = None,
) -> None:
    """Report patients in two parts, copies within and across sets, and how well class is told without the lungs."""
    for file in (copies, pairs, record):
        if file is not None and (file.is_dir() or not file.absolute().parent.is_dir()):
            raise InputError("A result needs a file in a folder that exists. Name another file.")
    if readme is not None:
        check_part(_text(readme))
    found = audit(manifests)
    typer.echo(audit_markdown(found.record))
    if copies is not None:
        write_copies(found.copies, copies)
    if pairs is not None:
        write_pairs(found, pairs)
    if record is not None:
        record.write_text(json.dumps(found.record, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    if readme is not None:
        readme.write_text(with_audit(_text(readme), found.record), encoding="utf-8")


def _text(file: Path) -> str:
    if not file.is_file():
        raise InputError("There is no such Markdown file. Check the path.")
    return file.read_text(encoding="utf-8")


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: in place of the process's own.

    Returns:
        Exit status: 0; 2 after one line on stderr about what the user gave.
    """
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command()(main)
    try:
        status = app(arguments, prog_name="python -m train.audit_split", standalone_mode=False)
    except (CxrkitError, typer.TyperException) as error:
        message = error.format_message() if isinstance(error, typer.TyperException) else str(error)
        typer.echo(f"Error: {' '.join(message.split())}", err=True)
        return 2
    return status or 0
