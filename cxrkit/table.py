"""Tables of cases as text: CSV in UTF-8 with a header, separated by commas, semicolons or tabs (RFC 4180 quoting)."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from cxrkit.errors import ManifestError

_DELIMITERS = (",", ";", "\t")


def read_table(path: Path, needed: Sequence[str]) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Read a table that has certain columns; the separator is the one with which its header shows them.

    Args:
        path: the table, with or without a byte order mark.
        needed: columns that it has to have.

    Returns:
        (column names, rows that are not blank), each row with its number as a spreadsheet counts it (the header is
        row 1) and as many cells as were written, which may be fewer or more than the columns.

    Raises:
        ManifestError: the table cannot be opened or read, lacks a column (the message names it), names one twice, or
            has no row.
    """
    text = _text(path)
    delimiter = _delimiter(text, needed)
    rows = _rows(text, delimiter)
    header = _names(rows[0][1])
    if len(set(header)) < len(header):
        raise ManifestError("Two columns of the table of cases have the same name. Give each its own name.")
    if len(rows) == 1:
        raise ManifestError("The table of cases has a header but no row. Add a row for each case.")
    return header, rows[1:]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ManifestError(
            "The table of cases is not text in UTF-8. Save it again as CSV with the encoding UTF-8."
        ) from error
    except OSError as error:
        raise ManifestError("The table of cases cannot be opened. Check that it exists and may be read.") from error


def _delimiter(text: str, needed: Sequence[str]) -> str:
    first = next((line for line in text.split("\n") if line.strip()), "")
    if not first:
        raise ManifestError("The table of cases is empty. Its first row has to name the columns.")
    lacking = {
        delimiter: [name for name in needed if name not in _first_names(first, delimiter)] for delimiter in _DELIMITERS
    }
    best = min(_DELIMITERS, key=lambda delimiter: len(lacking[delimiter]))
    if not lacking[best]:
        return best
    names = ", ".join(f"'{name}'" for name in lacking[best])
    raise ManifestError(
        f"The table of cases lacks the column {names}. Its first row has to name the columns, separated by commas, "
        "semicolons or tabs."
    )


def _first_names(line: str, delimiter: str) -> list[str]:
    try:
        return _names(next(csv.reader([line], delimiter=delimiter)))
    except csv.Error as error:
        raise ManifestError(
            "The first row of the table of cases cannot be read as CSV. It has to name the columns, in short words."
        ) from error


def _names(cells: Sequence[str]) -> list[str]:
    """Column names, without the nameless ones that spreadsheets append."""
    names = [cell.strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    return names


def _rows(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    number = 0
    rows = []
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text), delimiter=delimiter, strict=True), start=1):
            if any(cell.strip() for cell in cells):
                rows.append((number, cells))
    except csv.Error as error:
        raise ManifestError(
            f"Row {number + 1} of the table of cases cannot be read as CSV. Look for a quotation mark without its pair."
        ) from error
    return rows
