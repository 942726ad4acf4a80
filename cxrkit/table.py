"""Tables of cases as text: CSV in UTF-8 with a header, separated by commas, semicolons or tabs (RFC 4180 quoting)."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from cxrkit.errors import ManifestError

_DELIMITERS = (",", ";", "\t")
_OFFICE = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
"""First bytes of workbooks and documents, new ones, which are ZIP archives, and old ones."""

_SHEET = 1_048_576
"""Rows of a spreadsheet, blank ones included: no table from one has more."""

_NAME_LETTERS, _CELL_SEPARATORS = 1_000, 100
"""Of a limited table, on average: letters of a column's name, and separators of a cell that is text."""

FORMULA_SIGNS = (
    *("=", "+", "-", "@", "\t", "\r", "\n"),
    *("\N{FULLWIDTH EQUALS SIGN}", "\N{FULLWIDTH PLUS SIGN}"),
    *("\N{FULLWIDTH HYPHEN-MINUS}", "\N{FULLWIDTH COMMERCIAL AT}"),
)
"""What starts a formula in a spreadsheet (https://owasp.org/www-community/attacks/CSV_Injection)."""


@dataclass(frozen=True)
class Most:
    """How much is read of a table that anybody may have written; counted while it is read, so a longer one costs no
    more.

    Attributes:
        rows: cases, without the header and blank rows.
        columns: of the header.
    """

    rows: int
    columns: int


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


def is_table(paths: Sequence[Path]) -> bool:
    """Whether paths are a single one that is called like a table."""
    return len(paths) == 1 and paths[0].suffix.lower() in (".csv", ".tsv")


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
    data: bytes, needed: Sequence[str], name: str = "The table of cases", most: Most | None = None
) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Read a table that has certain columns.

    Its separator is the one with which the header shows them; where it shows them with several, or none is needed, the
    one that makes most columns.

    Args:
        data: of the file, with or without a byte order mark.
        needed: columns that it has to have.
        name: what sentences call the table; it begins them.
        most: rows and columns that are read; None = all.

    Returns:
        (column names, rows that are not blank), each row with its number as a spreadsheet counts it (the header is
        row 1) and as many cells as were written, which may be fewer or more than the columns.

    Raises:
        ManifestError: the table cannot be read, lacks a column (the message names it), names one twice, has no row, or
            more than `most`.
    """
    text = _text(data, name)
    if most is not None and len(_first_line(text)) > most.columns * _NAME_LETTERS:
        raise ManifestError(_wide(name, most))
    rows = _rows(text, _delimiter(text, needed, name), name, most)
    header = _names(rows[0][1])
    if len(set(header)) < len(header):
        raise ManifestError(f"{name} has two columns of the same name. Give each its own name.")
    if len(rows) == 1:
        raise ManifestError(f"{name} has a header but no row. Add a row for each case.")
    return header, rows[1:]


def missing_columns(data: bytes, needed: Sequence[str], name: str = "The table of cases") -> list[str]:
    """Those of certain columns that a table's first row does not name; arguments and errors as `parse_table`."""
    return _read_first(_text(data, name), needed, name)[1]


def plain_name(column: str) -> str:
    """A column's name without what people write in several ways: "Patient ID" and "patient_id" are alike."""
    return re.sub(r"[ _-]+", "_", column.strip().casefold())


def known_names(header: Sequence[str], known: Sequence[str]) -> list[str]:
    """A column that is nearly called like a known one gets its name, unless the table has that name already."""
    names = {plain_name(name): name for name in known if name not in header}
    found = [names.get(plain_name(column), column) for column in header]
    return found if len(set(found)) == len(found) else list(header)


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
        # Excel's own first line, which names the separator; its row stays, so that rows count as in the spreadsheet.
        return re.sub(r"\Asep=[,;\t](?=\r?\n)", "", data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ManifestError(f"{name} is not text in UTF-8. Save it again as CSV with the encoding UTF-8.") from error


def _delimiter(text: str, needed: Sequence[str], name: str) -> str:
    best, lacking = _read_first(text, needed, name)
    if lacking:
        there = _first_names(_first_line(text), best, name)
        alike = [column for column in there if plain_name(column) in map(plain_name, lacking)]
        hint = f" It has the {columns_in_words(alike)}: write the names as they are asked for." if alike else ""
        raise ManifestError(
            f"{name} lacks the {columns_in_words(lacking)}. Its first row has to name the columns, separated by "
            f"commas, semicolons or tabs.{hint}"
        )
    return best


def _read_first(text: str, needed: Sequence[str], name: str) -> tuple[str, list[str]]:
    """The separator with which the first row shows most of the needed columns, and those that it still lacks."""
    first = _first_line(text)
    if not first:
        raise ManifestError(f"{name} is empty. Its first row has to name the columns.")
    shown = {delimiter: _first_names(first, delimiter, name) for delimiter in _DELIMITERS}
    lacking = {delimiter: [column for column in needed if column not in shown[delimiter]] for delimiter in _DELIMITERS}
    best = min(_DELIMITERS, key=lambda delimiter: (len(lacking[delimiter]), -len(shown[delimiter])))
    return best, lacking[best]


def _first_line(text: str) -> str:
    """The first one that is not blank, without splitting the others; "" where all are."""
    written = re.search(r"\S", text)
    if written is None:
        return ""
    end = text.find("\n", written.start())
    return text[text.rfind("\n", 0, written.start()) + 1 : None if end < 0 else end]


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


def _rows(text: str, delimiter: str, name: str, most: Most | None) -> list[tuple[int, list[str]]]:
    number = 0
    rows: list[tuple[int, list[str]]] = []
    lines = io.StringIO(text) if most is None else _short_lines(text, delimiter, name, most)
    try:
        for number, cells in enumerate(csv.reader(lines, delimiter=delimiter, strict=True), start=1):
            if any(cell.strip() for cell in cells):
                rows.append((number, cells))
            if most is not None:
                _check_most(rows, number, name, most)
    except csv.Error as error:
        raise ManifestError(
            f"{name} cannot be read as CSV at row {number + 1}. Look for a quotation mark without its pair."
        ) from error
    return rows


def _short_lines(text: str, delimiter: str, name: str, most: Most) -> Iterator[str]:
    """The lines, none of which makes a row that alone fills the memory."""
    for line in io.StringIO(text):
        if line.count(delimiter) > most.columns * _CELL_SEPARATORS:
            raise ManifestError(_wide(name, most))
        yield line


def _check_most(rows: Sequence[tuple[int, list[str]]], number: int, name: str, most: Most) -> None:
    """Raises ManifestError as soon as the rows so far are too many or too wide."""
    if len(rows) == 1 and len(_names(rows[0][1])) > most.columns:
        raise ManifestError(_wide(name, most))
    if len(rows) - 1 > most.rows or number > max(_SHEET, most.rows + 1):
        raise ManifestError(f"{name} has more than {most.rows:,} rows, the most that are read at once. Split it.")


def _wide(name: str, most: Most) -> str:
    return (
        f"{name} has more than {most.columns:,} columns, the most that are read. Leave out those that are not needed."
    )
