"""Tables of cases as text: CSV in UTF-8 with a header, separated by commas, semicolons or tabs (RFC 4180 quoting)."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from cxrkit.errors import ManifestError

_DELIMITERS = (",", ";", "\t")
_OFFICE = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
"""First bytes of workbooks and documents, new ones, which are ZIP archives, and old ones."""


class LineFeeds:
    """What `csv.writer` writes tables of ours to: rows end in a line feed alone, and cells may hold any end of a line.

    With lineterminator="\\n" Python 3.11 writes a cell with a lone carriage return without quotation marks, and then
    the table cannot be read. With its own, "\\r\\n", it quotes both.

    Args:
        file: text, opened so that it leaves the ends of lines as they are.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, row: str) -> int:
        """A row as csv writes it: a whole one, with its end."""
        return self._file.write(row.removesuffix("\r\n") + "\n")


def read_table(path: Path, needed: Sequence[str]) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Read a table of cases from a file; see `parse_table`.

    Args:
        path: the table, with or without a byte order mark.
        needed: columns that it has to have.

    Raises:
        ManifestError: the table cannot be opened, or as for `parse_table`.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ManifestError("The table of cases cannot be opened. Check that it exists and may be read.") from error
    return parse_table(data, needed)


def parse_table(
    data: bytes, needed: Sequence[str], name: str = "The table of cases"
) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Read a table that has certain columns.

    Its separator is the one with which the header shows them; where it shows them with several, or none is needed, the
    one that makes most columns.

    Args:
        data: of the file, with or without a byte order mark.
        needed: columns that it has to have.
        name: what sentences call the table; it begins them.

    Returns:
        (column names, rows that are not blank), each row with its number as a spreadsheet counts it (the header is
        row 1) and as many cells as were written, which may be fewer or more than the columns.

    Raises:
        ManifestError: the table cannot be read, lacks a column (the message names it), names one twice, or has no row.
    """
    text = _text(data, name)
    rows = _rows(text, _delimiter(text, needed, name), name)
    header = _names(rows[0][1])
    if len(set(header)) < len(header):
        raise ManifestError(f"{name} has two columns of the same name. Give each its own name.")
    if len(rows) == 1:
        raise ManifestError(f"{name} has a header but no row. Add a row for each case.")
    return header, rows[1:]


def missing_columns(data: bytes, needed: Sequence[str], name: str = "The table of cases") -> list[str]:
    """Those of certain columns that a table's first row does not name; arguments and errors as `parse_table`."""
    return _read_first(_text(data, name), needed, name)[1]


def columns_in_words(names: Sequence[str]) -> str:
    """ "column 'a'", "columns 'a' and 'b'"; at least one name."""
    quoted = [f"'{name}'" for name in names]
    if len(quoted) == 1:
        return f"column {quoted[0]}"
    return f"columns {', '.join(quoted[:-1])} and {quoted[-1]}"


def cells_by_name(header: Sequence[str], cells: Sequence[str], where: str) -> dict[str, str]:
    """Column -> cell without spaces around it; "" where the row is too short.

    Args:
        header: column names.
        cells: of the row.
        where: what a sentence calls the row, such as "Row 2".

    Raises:
        ManifestError: the row has more cells than there are columns.
    """
    if any(cell.strip() for cell in cells[len(header) :]):
        raise ManifestError(
            f"{where} has more cells than the {len(header)} columns. Put text that holds the separator in "
            "quotation marks."
        )
    filled = [*cells, *[""] * (len(header) - len(cells))]
    return {name: cell.strip() for name, cell in zip(header, filled, strict=False)}


def _text(data: bytes, name: str) -> str:
    if data.startswith(_OFFICE):
        raise ManifestError(
            f"{name} is a workbook of a spreadsheet program, another office document or a ZIP archive, not a CSV file. "
            "Open it and save it as CSV with the encoding UTF-8."
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ManifestError(f"{name} is not text in UTF-8. Save it again as CSV with the encoding UTF-8.") from error


def _delimiter(text: str, needed: Sequence[str], name: str) -> str:
    best, lacking = _read_first(text, needed, name)
    if lacking:
        raise ManifestError(
            f"{name} lacks the {columns_in_words(lacking)}. Its first row has to name the columns, separated by "
            "commas, semicolons or tabs."
        )
    return best


def _read_first(text: str, needed: Sequence[str], name: str) -> tuple[str, list[str]]:
    """The separator with which the first row shows most of the needed columns, and those that it still lacks."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    if not first:
        raise ManifestError(f"{name} is empty. Its first row has to name the columns.")
    shown = {delimiter: _first_names(first, delimiter, name) for delimiter in _DELIMITERS}
    lacking = {delimiter: [column for column in needed if column not in shown[delimiter]] for delimiter in _DELIMITERS}
    best = min(_DELIMITERS, key=lambda delimiter: (len(lacking[delimiter]), -len(shown[delimiter])))
    return best, lacking[best]


def _first_names(line: str, delimiter: str, name: str) -> list[str]:
    try:
        return _names(next(csv.reader([line], delimiter=delimiter)))
    except csv.Error as error:
        raise ManifestError(
            f"{name} has a first row that cannot be read as CSV. It has to name the columns, in short words."
        ) from error


def _names(cells: Sequence[str]) -> list[str]:
    """Column names, without the nameless ones that spreadsheets append."""
    names = [cell.strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    return names


def _rows(text: str, delimiter: str, name: str) -> list[tuple[int, list[str]]]:
    number = 0
    rows = []
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text), delimiter=delimiter, strict=True), start=1):
            if any(cell.strip() for cell in cells):
                rows.append((number, cells))
    except csv.Error as error:
        raise ManifestError(
            f"{name} cannot be read as CSV at row {number + 1}. Look for a quotation mark without its pair."
        ) from error
    return rows
